"""The modules of the rail: one pane each."""
