"""Exchange Server by EWS."""
