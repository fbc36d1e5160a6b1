"""Documents on paper: pure ReportLab, no database, no Qt, no clock."""
