"""What goes on by the clock while the window is open: mail that leaves or comes, reminders."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QDialog

from desktop_crm.views.warming import warm_up

if TYPE_CHECKING:
    from desktop_crm.views.workbench import Workbench

_CLOCKS: Final = (
    "desktop_crm.views.mail.outbox_clock:OutboxClock",
    "desktop_crm.views.mailbox.passes:PassClock",
    "desktop_crm.views.reminder_window:ReminderClock",
)


def start(bench: Workbench, window: QObject) -> None:
    """Import the code of panes before somebody waits for it, and start a database's clocks.

    It runs after the first rows are painted; clocks of a database that was open before stop.
    Their code is imported on a reader thread, because what reads mailboxes is much.
    """
    stop(window)

    def begin(kinds: list[Callable[[Workbench, QObject], object]]) -> None:
        stop(window)
        for kind in kinds:
            kind(bench, window)

    bench.tasks.read(_load, done=begin, owner=window, lane="clocks")
    bench.tasks.read(warm_up, done=lambda _none: None, owner=window)


def _load() -> list[Callable[[Workbench, QObject], object]]:
    places = (place.partition(":") for place in _CLOCKS)
    return [getattr(import_module(path), name) for path, _colon, name in places]


def stop(window: QObject) -> None:
    """Stop the clocks of a window; the reminders that are shown go with them."""
    for place in _CLOCKS:
        path, _colon, name = place.partition(":")
        # What was never imported, or is being imported by another thread, never began.
        kind = getattr(sys.modules.get(path), name, None)
        if kind is None:
            continue
        for old in window.findChildren(kind):
            if isinstance(shown := getattr(old, "window", None), QDialog):
                shown.close()
            old.deleteLater()
