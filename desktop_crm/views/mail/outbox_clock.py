"""Lets mail leave when its time has come, and reminds of answers that did not come."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, Qt, QTimer

from desktop_crm.core import clock
from desktop_crm.views.mail import noted

if TYPE_CHECKING:
    from desktop_crm.services.bulk.job import BulkReport
    from desktop_crm.services.changes import ChangeSet
    from desktop_crm.services.context import Actor
    from desktop_crm.views.workbench import Workbench

_SOON_MS: Final = 250
_AGAIN_MS: Final = 30_000
"""After a try that left something due: a mailbox that cannot be reached is not asked at once."""
_AFTER_MS: Final = 20
"""So long after the moment it is looked, so that the moment is past."""
_LONGEST_MS: Final = 3_600_000


@dataclass(frozen=True, slots=True)
class Due:
    """What waits next: mail to leave, and the end of waiting for an answer."""

    sending: datetime | None
    reminder: datetime | None

    @property
    def next(self) -> datetime | None:
        """The earlier of the two."""
        return min((at for at in (self.sending, self.reminder) if at is not None), default=None)


def next_due(actor: Actor) -> Due:
    """Look when something is due; runs on a reader thread."""
    from desktop_crm.services.mail import outbox
    from desktop_crm.sync import awaited

    if not actor.can("mailbox", "read"):
        return Due(None, None)
    return Due(outbox.next_due(actor), awaited.next_reminder(actor))


def do_due(actor: Actor) -> tuple[ChangeSet, tuple[BulkReport, ...]]:
    """Do what is due in the user's mailboxes, and make the tasks that remind.

    Returns:
        What changed, and the letters that were noted on records.
    """
    from desktop_crm.sync import awaited, scheduler

    sent = scheduler.send_due(actor)
    return sent.changes.merge(awaited.remind(actor)), sent.noted


class OutboxClock(QObject):
    """Watches the outbox of the person who works here."""

    def __init__(self, bench: Workbench, parent: QObject) -> None:
        super().__init__(parent)
        self._bench = bench
        self._busy = False
        self._least = _SOON_MS
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        # A coarse timer may end half a second early, when nothing is due yet.
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._work)
        bench.bus.changed.connect(self._changed)
        self.look()

    def stop(self) -> None:
        """Let nothing more leave."""
        self._timer.stop()

    def _changed(self, changes: ChangeSet) -> None:
        if changes.touches("outbox_item"):
            self._least = _SOON_MS
            self.look()

    def look(self) -> None:
        """Find out when something is due next."""
        self._bench.tasks.read(
            next_due, self._bench.actor,
            done=self._set, owner=self, lane="due", later=True, failed=lambda _error: None,
        )  # fmt: skip

    def _set(self, due: Due) -> None:
        if due.next is None:
            self._timer.stop()
            return
        left = (due.next - clock.now()).total_seconds() * 1000
        # What is still to come is waited for exactly; only what a try left over waits longer.
        wait = left + _AFTER_MS if left > 0 else self._least
        self._timer.start(round(min(wait, _LONGEST_MS)))

    def _work(self) -> None:
        if self._busy:
            return
        self._busy = True
        self._least = _AGAIN_MS
        self._bench.tasks.background(
            do_due, self._bench.actor, done=self._done, failed=self._failed, owner=self
        )

    def _done(self, found: tuple[ChangeSet, tuple[BulkReport, ...]]) -> None:
        self._busy = False
        changes, reports = found
        self._bench.bus.publish(changes)
        noted.say(self._bench, reports)
        self.look()

    def _failed(self, _error: Exception) -> None:
        # The journal keeps the sentence of each deed; the outbox shows it.
        self._busy = False
        self._timer.start(_AGAIN_MS)
