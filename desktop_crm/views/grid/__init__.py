"""Editing a list in place: cells, ranges, the clipboard."""
