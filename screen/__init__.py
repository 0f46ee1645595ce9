"""The window kit: theme, layout, canvas, widgets and keys. The only door to pygame."""
