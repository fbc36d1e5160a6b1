"""Records that may be the same: found while typing and in the whole table, reviewed, merged."""
