"""Building filters by hand: words for people, rows of conditions, the dialog, the chips."""
