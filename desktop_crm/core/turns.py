"""Whose turn it is: while the window shows something, long work beside it waits.

Python lets one thread run at a time and shares evenly: beside two busy threads the window would
take three times as long for whatever it shows. Long work therefore asks between two steps, and
lets the window finish first.
"""

from __future__ import annotations

import threading
from time import monotonic
from typing import Final

LONGEST_S: Final = 0.1
"""So long at a time the window goes first: in a dialog of the system it may not say it is done."""

_over = threading.Event()
_since = 0.0
_window = 0


def begin() -> None:
    """The window has something to do; called on its thread."""
    global _since, _window  # noqa: PLW0603  a process has one thread of windows
    _over.clear()
    _window = threading.get_ident()
    _since = monotonic()


def end() -> None:
    """The window waits for what comes; called on its thread."""
    global _since  # noqa: PLW0603
    _since = 0.0
    _over.set()


def give_way() -> None:
    """Let the window finish what it is doing; called between two steps of long work.

    Costs next to nothing while it does nothing, on its own thread, or where there is none.
    """
    since = _since
    if not since or threading.get_ident() == _window:
        return
    if (left := since + LONGEST_S - monotonic()) > 0:
        _over.wait(left)
