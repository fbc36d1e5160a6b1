"""The diary: what is when, series, free times, reminders."""
