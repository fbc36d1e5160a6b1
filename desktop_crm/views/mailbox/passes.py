"""The passes over the mailboxes of the person who works here: by themselves, and when asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, QTimer, Signal

from desktop_crm.core import clock
from desktop_crm.core.i18n import tr
from desktop_crm.services.mail import mailboxes
from desktop_crm.services.mail.mailboxes import MailboxRow
from desktop_crm.sync import scheduler
from desktop_crm.sync.results import SyncResult
from desktop_crm.sync.timing import Timing, is_mine_here
from desktop_crm.views.mail import noted

if TYPE_CHECKING:
    from desktop_crm.db.engine import Cancel
    from desktop_crm.services.context import Actor
    from desktop_crm.views.tasks import Task
    from desktop_crm.views.workbench import Workbench

_LOOK_MS: Final = 20_000
"""How often it is looked whether a pass is due: a statement of a few rows."""

_MEMORY: Final = "mailbox.passes"


@dataclass(frozen=True, slots=True)
class Running:
    """What a pass is doing: the mailbox, the folder, and how many of its items it took over."""

    mailbox: int | None = None
    folder: str = ""
    items: int = 0


Told = Callable[[int | None, str, int], None]


def one_pass(actor: Actor, mailbox_id: int | None, tell: Told, cancel: Cancel) -> SyncResult:
    """A pass that a person asked for; `tell` is told what it is doing."""
    now: list[int] = []

    def began(box: MailboxRow) -> None:
        now[:] = [box.id]
        tell(box.id, "", 0)

    return scheduler.sync_once(
        actor, mailbox_id, cancel=cancel, began=began,
        progress=lambda folder, items: tell(now[0], folder, items),
    )  # fmt: skip


def due(actor: Actor, timing: Timing) -> tuple[int, ...]:
    """The mailboxes that this computer should read now; runs on a reader thread."""
    if not actor.can("mailbox", "read"):
        return ()
    now = clock.now()
    return tuple(
        box.id
        for box in mailboxes.list_mailboxes(actor)
        if (at := timing.next_at(box, now)) is not None and at <= now and is_mine_here(actor, box)
    )


def due_pass(actor: Actor, wanted: tuple[int, ...], tell: Told, cancel: Cancel) -> SyncResult:
    """A pass over several mailboxes that nobody asked for."""
    result = SyncResult()
    for box in wanted:
        result.mailboxes += one_pass(actor, box, tell, cancel).mailboxes
    return result


class MailPasses(QObject):
    """One pass at a time, whoever started it.

    Attributes:
        changed: a pass began, went on or ended, or was paused.
    """

    changed = Signal()
    _told = Signal(object, str, int)

    def __init__(self, bench: Workbench) -> None:
        super().__init__(bench.bus)
        self.bench = bench
        self._running: Running | None = None
        self._task: Task | None = None
        self._timing = Timing()
        self._told.connect(self._tell)

    @property
    def running(self) -> Running | None:
        """What the pass that is running does; None while there is none."""
        task = self._task
        if task is not None and task.cancelled and not self.bench.tasks.is_running(task):
            # Stopped after its last step: nobody is told how it ended.
            self._running = self._task = None
        return self._running

    @property
    def is_paused(self) -> bool:
        """Whether mailboxes are read only when asked for, on this computer."""
        return bool(self.bench.recall(_MEMORY).get("paused"))

    def pause(self, paused: bool) -> None:
        """Read mailboxes only when asked for, or by themselves again; kept for the next start."""
        self.bench.remember(_MEMORY, {"paused": paused})
        self.changed.emit()
        if not paused:
            self.look()

    def next_at(self, box: MailboxRow) -> datetime | None:
        """When a mailbox is read next by itself; None when it is not."""
        if self.is_paused or box.user_id != self.bench.actor.user_id:
            return None
        return self._timing.next_at(box, clock.now())

    def doing(self, box: MailboxRow) -> Running | None:
        """What a pass of this program is doing in a mailbox."""
        now = self.running
        return now if now is not None and now.mailbox == box.id else None

    def start(
        self,
        mailbox_id: int | None,
        done: Callable[[SyncResult], None],
        failed: Callable[[Exception], None],
    ) -> None:
        """Run a pass over one mailbox, or over all; ignored while one is running."""
        if self.running is None:
            work = partial(one_pass, self.bench.actor, mailbox_id, self._told.emit)
            self._run(work, done, failed)

    def look(self) -> None:
        """Begin the passes that are due, unless one is running or they are paused."""
        if self.running is None and not self.is_paused:
            self.bench.tasks.read(
                due, self.bench.actor, self._timing,
                done=self._begin, failed=lambda _error: None, owner=self, lane="due", later=True,
            )  # fmt: skip

    def _begin(self, wanted: tuple[int, ...]) -> None:
        if wanted and self.running is None and not self.is_paused:
            work = partial(due_pass, self.bench.actor, wanted, self._told.emit)
            # Each mailbox shows its own problem; nobody asked, so nobody is interrupted.
            self._run(work, lambda _result: None, lambda _error: None)

    def _run(
        self,
        work: Callable[..., SyncResult],
        done: Callable[[SyncResult], None],
        failed: Callable[[Exception], None],
    ) -> None:
        self._running = Running()
        self._task = self.bench.tasks.background(
            work, done=partial(self._done, done), failed=partial(self._failed, failed),
            owner=self, label=tr("Synchronising"), cancellable=True,
        )  # fmt: skip
        self.changed.emit()

    def _tell(self, mailbox: int | None, folder: str, items: int) -> None:
        if self._running is not None:
            self._running = replace(self._running, mailbox=mailbox, folder=folder, items=items)
            self.changed.emit()

    def note(self, result: SyncResult) -> None:
        """Take over what a pass did that was run elsewhere, such as by a dry run."""
        self._timing.note(result.mailboxes, clock.now())
        self.bench.bus.publish(result.changes)
        noted.say(self.bench, result.noted)
        self.changed.emit()

    def _done(self, then: Callable[[SyncResult], None], result: SyncResult) -> None:
        self._running = self._task = None
        self.note(result)
        then(result)

    def _failed(self, then: Callable[[Exception], None], error: Exception) -> None:
        self._running = self._task = None
        self.changed.emit()
        then(error)


def passes_of(bench: Workbench) -> MailPasses:
    """The passes of a window: all its panes share them."""
    for one in bench.bus.findChildren(MailPasses):
        if one.bench is bench:
            return one
    return MailPasses(bench)


class PassClock(QObject):
    """Looks regularly whether a mailbox of the person who works here is to be read."""

    def __init__(self, bench: Workbench, parent: QObject) -> None:
        super().__init__(parent)
        passes = passes_of(bench)
        timer = QTimer(self)
        timer.setInterval(_LOOK_MS)
        timer.timeout.connect(passes.look)
        timer.start()
        passes.look()
