"""Forms: one editor per kind of field, records opened, checked, saved, conflicts decided."""
