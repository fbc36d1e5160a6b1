"""Desktop CRM: customers, mail, calendar and quotes in one window."""

__version__ = "0.1.0"
