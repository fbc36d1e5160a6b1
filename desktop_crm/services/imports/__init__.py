"""Taking records in from files: read, match, plan, apply in one batch, take back."""
