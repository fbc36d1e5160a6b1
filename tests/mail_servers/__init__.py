"""Real servers for the tests of the mailbox adapters, each started for one test module."""
