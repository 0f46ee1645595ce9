"""The window kit: theme, layout, canvas, widgets and keys. The only door to pygame."""

import os

# pygame greets on standard output, where only what a command reports may stand.
os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")
