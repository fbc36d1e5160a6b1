"""Deciding where mail belongs: the bar over a waiting message, its dialogs, the rules."""
