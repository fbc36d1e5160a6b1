"""Calendars, tasks and contacts by CalDAV and CardDAV."""
