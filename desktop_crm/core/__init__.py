"""Ground floor: no Qt, no SQL. Errors, time, text, formats, paths and translation."""
