"""Lists on paper: as a table, as mailing labels, as a sheet of contacts."""
