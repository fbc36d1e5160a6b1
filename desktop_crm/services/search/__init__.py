"""Search over everything: what was typed, where it is looked for, how hits are ranked."""
