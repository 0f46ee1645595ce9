"""The window kit: theme, layout, canvas, widgets and keys. The only door to pygame."""

import os

# pygame greets on standard output, where only what a command reports may stand.
os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")
# Everything is drawn by the processor. SDL's accelerated way to show it would load the graphics driver's compiler into
# the process, and where TensorFlow is loaded too (an agent plays in a window), the two crash.
os.environ.setdefault("SDL_FRAMEBUFFER_ACCELERATION", "0")

# By this name a desktop finds the entry, and so the icon, of a window; pygame would take the program's name.
for _system in ("X11", "WAYLAND"):
    os.environ.setdefault(f"SDL_VIDEO_{_system}_WMCLASS", "replay-coach")
