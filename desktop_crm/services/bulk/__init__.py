"""The same change to many records: in short transactions, with a report and one undo."""
