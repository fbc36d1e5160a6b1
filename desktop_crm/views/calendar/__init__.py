"""The calendar's own widgets: they show plain events and say what the person asked for."""
