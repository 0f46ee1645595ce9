"""The window kit: theme, layout, canvas, widgets and keys. The only door to pygame."""

import os

# pygame greets on standard output, where only what a command reports may stand.
os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")
# Everything is drawn by the processor. SDL's accelerated way to show it would load the graphics driver's compiler into
# the process, and where TensorFlow is loaded too (an agent plays in a window), the two crash.
os.environ.setdefault("SDL_FRAMEBUFFER_ACCELERATION", "0")
