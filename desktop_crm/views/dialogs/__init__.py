"""Dialogs: each does one thing, says what went wrong beside it, and closes with Esc."""
