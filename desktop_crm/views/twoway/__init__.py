"""Windows of mailboxes that go both ways: the dry run, conflicts, and whom to tell."""
