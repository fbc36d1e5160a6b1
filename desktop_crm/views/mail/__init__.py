"""Writing mail: the window, its lines and what leaves from it."""
