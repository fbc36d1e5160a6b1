"""Qt calls keep the reference counts of the objects they return.

PySide6 6.12.0 on CPython 3.10 and 3.11 loses one reference to None on each call that returns
nothing and one to True on each signal sent; after some thousand calls the process aborts. This
counts both where the product runs. From CPython 3.12 on None and True are immortal: their counts
mean nothing, and what is left to see is that the process lives.
"""

from __future__ import annotations

import subprocess
import sys

CALLS = 1000
TOLERANCE = 100  # what imports and caches of the interpreter itself may move

PROGRAM = f"""
import sys
from PySide6.QtCore import QObject, Signal

class Sender(QObject):
    sent = Signal(bool)

def count(work, thing):
    work()
    before = sys.getrefcount(thing)
    immortal = before > 2**30
    for _ in range({CALLS}):
        work()
    return 0 if immortal else sys.getrefcount(thing) - before

sender = Sender()
sender.sent.connect(lambda _on: None)
print(count(lambda: sender.setObjectName("x"), None), count(lambda: sender.sent.emit(True), True))
"""


def test_a_thousand_calls_and_signals_lose_no_reference() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    lost_none, lost_true = map(int, done.stdout.split())
    assert abs(lost_none) < TOLERANCE
    assert abs(lost_true) < TOLERANCE
