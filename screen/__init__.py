"""The window kit: theme, layout, canvas, widgets and keys. The only package that imports pygame."""

import os

# pygame prints a greeting on standard output, which is reserved for what a command reports.
os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")
# Everything is drawn by the processor. SDL's accelerated way to show it would load the graphics driver's compiler into
# the process, which crashes where TensorFlow is loaded too (an agent plays in a window).
os.environ.setdefault("SDL_FRAMEBUFFER_ACCELERATION", "0")

# The name by which a desktop finds the entry, and so the icon, of a window; otherwise it is the program's name.
for _system in ("X11", "WAYLAND"):
    os.environ.setdefault(f"SDL_VIDEO_{_system}_WMCLASS", "replay-coach")
