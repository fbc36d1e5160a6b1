"""Faults a mailbox must survive: processes that are killed, servers that fail, clocks that lie.

`dev.py soak` runs the full counts; the tests beside run a short form with fixed seeds.
"""
