"""Lists of records: table model, table, header, views, columns."""
