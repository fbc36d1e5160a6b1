"""What goes on by the clock while the window is open: mail that leaves, and reminders."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject

from desktop_crm.views.modules import warm_up

if TYPE_CHECKING:
    from desktop_crm.views.workbench import Workbench

_CLOCKS: Final = (
    "desktop_crm.views.mail.outbox_clock:OutboxClock",
    "desktop_crm.views.reminder_window:ReminderClock",
)


def start(bench: Workbench, window: QObject) -> None:
    """Import the code of panes before somebody waits for it, and start a database's clocks.

    It runs after the first rows are painted; clocks of a database that was open before stop.
    """
    bench.tasks.read(warm_up, done=lambda _none: None, owner=window)
    for place in _CLOCKS:
        path, _colon, name = place.partition(":")
        kind = getattr(import_module(path), name)
        for old in window.findChildren(kind):
            old.deleteLater()
        kind(bench, window)
