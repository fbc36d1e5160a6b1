"""The outbox: what waits, what failed and why, what was done, and a say in each."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QTimer, Signal
from PySide6.QtGui import QHideEvent, QKeySequence, QShortcut, QShowEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from desktop_crm.core import clock
from desktop_crm.core.i18n import N_, ntr, tr
from desktop_crm.models.outbox import DeedKind, OutboxState
from desktop_crm.services.changes import ChangeKind, ChangeSet
from desktop_crm.services.mail import outbox
from desktop_crm.services.mail.outbox import OutboxRow
from desktop_crm.sync import outbox as journal
from desktop_crm.views.charts.line_list import Line, LineList
from desktop_crm.views.mail.letters import KIND
from desktop_crm.views.widgets.buttons import push_button
from desktop_crm.views.widgets.cards import EmptyState, Notice
from desktop_crm.views.widgets.layout import row

if TYPE_CHECKING:
    from desktop_crm.services.context import Actor
    from desktop_crm.views.workbench import Workbench

MOST_DONE: Final = 50
_TICK_MS: Final = 1000
_ICONS: Final = {
    DeedKind.SEND: "mail",
    DeedKind.SAVE_DRAFT: "note",
    DeedKind.MARK: "flag",
    DeedKind.MOVE: "folder",
    DeedKind.MAKE_FOLDER: "folder",
    DeedKind.DELETE: "delete",
}
_WAITING: Final = (OutboxState.WAITING, OutboxState.RUNNING)
_LOOK: Final = (OutboxState.HELD, OutboxState.FAILED, OutboxState.STALE)
_GROUPS: Final = (
    (N_("Needs a look"), _LOOK),
    (N_("Waiting"), _WAITING),
    (N_("Done and cancelled"), (OutboxState.DONE, OutboxState.CANCELLED)),
)


def _restored(actor: Actor, item: int) -> ChangeSet:
    return outbox.changed([journal.restore(actor, item)], ChangeKind.CREATED)


class OutboxList(QWidget):
    """The user's own outbox; Delete takes back, Enter opens a draft or tries again.

    Attributes:
        counted: how many entries wait or need a look.
        chosen: the message an entry is about, or None.
    """

    counted = Signal(int)
    chosen = Signal(object)

    def __init__(self, bench: Workbench) -> None:
        super().__init__()
        self.setObjectName("outbox")
        self._bench = bench
        self.rows: tuple[OutboxRow, ...] = ()
        self._activity: int | None = -1
        self._said = Notice()
        self.list = LineList("outbox.list", tr("Outbox"))
        self.list.shows_current = True
        self.list.opened.connect(lambda _line: self._open())
        self._empty = EmptyState(
            "mail", tr("The outbox is empty"),
            tr("What you send, mark or move in your mailboxes is written down here."),
            name="outboxEmpty",
        )  # fmt: skip
        self._buttons = {
            "open": push_button("outbox.open", tr("Write on"), self._write_on),
            "retry": push_button("outbox.retry", tr("Try now"), self._retry),
            "cancel": push_button("outbox.cancel", tr("Take back"), self._cancel),
            "restore": push_button("outbox.restore", tr("Restore"), self._restore),
        }
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 0, 8, 4)
        layout.addWidget(self.list, 1)
        layout.addWidget(self._empty, 1)
        layout.addWidget(self._said)
        layout.addWidget(row(None, *self._buttons.values(), spacing=8, margins=(4, 6, 4, 4)))
        selection = self.list.selectionModel()
        selection.currentChanged.connect(lambda _now, _before: self._update())
        for keys in ("Del", "Ctrl+Z"):
            shortcut = QShortcut(QKeySequence(keys), self.list)
            shortcut.activated.connect(self._cancel)
        self._tick = QTimer(self)
        self._tick.setInterval(_TICK_MS)
        self._tick.timeout.connect(self._show)
        bench.bus.changed.connect(self._changed)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.load()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._tick.stop()
        self._activity = -1

    def _changed(self, changes: ChangeSet) -> None:
        if changes.touches("outbox_item") and self.isVisible():
            self.load()

    def load(self) -> None:
        """Read it anew."""
        self._bench.tasks.read(
            outbox.list_items, self._bench.actor,
            done=self._take, owner=self, lane="outbox", failed=self._bench.shell.show_error,
        )  # fmt: skip

    def _take(self, rows: tuple[OutboxRow, ...]) -> None:
        self.rows = rows
        self.counted.emit(sum(1 for one in rows if one.state in (*_WAITING, *_LOOK)))
        self._show()

    def _show(self) -> None:
        current = self.current()
        lines: list[Line] = []
        for title, states in _GROUPS:
            found = [one for one in self.rows if one.state in states]
            if OutboxState.DONE in states:
                found = found[:MOST_DONE]
            if found:
                lines.append(Line(None, title=tr(title)))
                lines += [self._line(one) for one in found]
        self.list.show_lines(lines)
        self.list.setVisible(bool(lines))
        self._empty.setVisible(not lines)
        if current is not None:
            for number, line in enumerate(lines):
                if line.id == current.id:
                    self.list.setCurrentIndex(self.list.model().index(number, 0))
        counting = any(
            one.state is OutboxState.WAITING and 0 < self._left(one) < 3600 for one in self.rows
        )
        if counting and self.isVisible():
            self._tick.start()
        else:
            self._tick.stop()
        self._update()

    @staticmethod
    def _left(one: OutboxRow) -> float:
        return (one.due_at - clock.now()).total_seconds()

    def _line(self, one: OutboxRow) -> Line:
        formats = self._bench.formats
        what = tr(one.deed.label)
        said = one.message
        bad = one.state in _LOOK
        left = self._left(one)
        waits = one.state is OutboxState.WAITING
        if waits and not said:
            if 0 < left <= 90:
                said = ntr("in {n} second", "in {n} seconds", math.ceil(left))
            elif left > 0:
                said = tr("on {time}", time=formats.datetime(one.due_at))
            else:
                said = tr("with the next synchronisation")
        # When it leaves is what one looks for; it stands where a narrow list shows it.
        words = (said, what, one.mailbox) if waits else (what, said, one.mailbox)
        text = " · ".join(word for word in words if word)
        at = one.due_at if waits and left > 0 else one.done_at or one.ordered_at
        return Line(
            one.id,
            title=one.title or what,
            subtitle=text[:1].upper() + text[1:],
            right=tr(one.state.label),
            note=formats.relative_day(at),
            bad=bad,
            icon=_ICONS.get(one.deed, "mail"),
        )

    def current(self) -> OutboxRow | None:
        """The entry the person stands on."""
        line = self.list.current_line()
        if line is None:
            return None
        return next((one for one in self.rows if one.id == line.id), None)

    def _update(self) -> None:
        one = self.current()
        finished = one is not None and one.state is OutboxState.DONE
        shown = {
            "open": one is not None and one.deed is DeedKind.SAVE_DRAFT,
            "retry": one is not None and one.can_retry,
            "cancel": one is not None and one.can_cancel,
            "restore": finished and one is not None and one.has_image,
        }
        for name, button in self._buttons.items():
            button.setVisible(shown[name])
        self._said.say(
            one.message if one is not None else "", "bad" if one and one.state in _LOOK else "info"
        )
        activity = one.activity_id if one is not None else None
        if self.isVisible() and activity != self._activity:
            self._activity = activity
            self.chosen.emit(activity)

    # --- a say in it ---------------------------------------------------------------------

    def _open(self) -> None:
        one = self.current()
        if one is None:
            return
        if one.deed is DeedKind.SAVE_DRAFT:
            self._write_on()
        elif one.can_retry:
            self._retry()

    def _write_on(self) -> None:
        one = self.current()
        if one is not None and one.deed is DeedKind.SAVE_DRAFT:
            self._bench.shell.new_record(KIND, draft_item=one.id)

    def _do(self, deed: Callable[[Actor, int], ChangeSet], said: str) -> None:
        one = self.current()
        if one is None:
            return
        self._bench.tasks.write(
            deed, self._bench.actor, one.id,
            done=partial(self._done, said, one.title), owner=self,
            failed=self._bench.shell.show_error,
        )  # fmt: skip

    def _done(self, said: str, title: str, changes: ChangeSet) -> None:
        self._bench.bus.publish(changes)
        self._bench.shell.toast(said, title)
        self.load()

    def _retry(self) -> None:
        self._do(outbox.retry, tr("It is tried again now"))

    def _cancel(self) -> None:
        one = self.current()
        if one is not None and one.can_cancel:
            self._do(outbox.cancel, tr("Taken back"))

    def _restore(self) -> None:
        self._do(_restored, tr("It is being restored"))
