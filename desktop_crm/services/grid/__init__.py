"""Working in a list as in a spreadsheet: copying, pasting, filling down."""
