"""What mail, calendars and cards look like in files and on the wire."""
