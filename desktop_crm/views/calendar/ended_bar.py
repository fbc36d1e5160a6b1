"""The bar that comes when a meeting about a record is over: notes, and what comes next."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPlainTextEdit, QWidget

from desktop_crm.core import clock
from desktop_crm.core.i18n import tr
from desktop_crm.services.calendar import meeting_notes
from desktop_crm.services.calendar.agenda_event import AgendaEvent
from desktop_crm.views import theme
from desktop_crm.views.dialogs.dialog import Dialog, Labelled
from desktop_crm.views.widgets.buttons import push_button
from desktop_crm.views.widgets.labels import label

if TYPE_CHECKING:
    from desktop_crm.services.changes import ChangeSet
    from desktop_crm.views.workbench import Workbench

_EVERY_MS = 60_000


class EndedBar(QFrame):
    """Asks about one meeting at a time; what is put aside is not asked about again today."""

    def __init__(self, bench: Workbench) -> None:
        super().__init__()
        self.setObjectName("notice")
        theme.set_property(self, "kind", "info")
        self._bench = bench
        self._event: AgendaEvent | None = None
        self._aside: set[tuple[int, datetime]] = set()
        self._text = label("", wrap=True, name="ended.text")
        self.notes = push_button("ended.notes", tr("Write notes…"), self._write, kind="primary")
        self.next = push_button("ended.next", tr("Next activity…"), self._plan)
        self.later = push_button("ended.later", tr("Not now"), self._put_aside)
        box = QHBoxLayout(self)
        box.setContentsMargins(12, 6, 12, 6)
        box.setSpacing(8)
        box.addWidget(self._text, 1)
        for button in (self.notes, self.next, self.later):
            box.addWidget(button)
        self.hide()
        self._timer = QTimer(self)
        self._timer.setInterval(_EVERY_MS)
        self._timer.timeout.connect(self.check)
        self._timer.start()

    def check(self) -> None:
        """Look whether a meeting has ended."""
        self._bench.tasks.read(
            meeting_notes.ended, self._bench.actor, clock.now(),
            done=self._found, failed=lambda _error: None, owner=self, lane="ended", later=True,
        )  # fmt: skip

    def _found(self, events: tuple[AgendaEvent, ...]) -> None:
        self._event = next((one for one in events if one.key not in self._aside), None)
        event = self._event
        self.setVisible(event is not None)
        if event is not None:
            self._text.setText(
                tr("“{title}” ({record}) has ended.", title=event.title, record=event.regarding)
            )

    def _put_aside(self) -> None:
        if self._event is not None:
            self._aside.add(self._event.key)
            self.check()

    def _write(self) -> None:
        if self._event is not None:
            dialog = NotesDialog(self.window(), self._bench, self._event)
            dialog.finished.connect(lambda _result: self.check())
            dialog.open()

    def _plan(self) -> None:
        if self._event is not None:
            plan_next(self._bench, self._event, self)


class NotesDialog(Dialog):
    """Takes notes of a meeting and marks it as done; what comes next can follow at once."""

    def __init__(self, parent: QWidget | None, bench: Workbench, event: AgendaEvent) -> None:
        super().__init__(
            parent, "meetingNotes", tr("Notes of the meeting"),
            subtitle=f"{event.title} · {event.regarding}", width=560,
        )  # fmt: skip
        self._bench = bench
        self._event = event
        self._then = False
        self.text = QPlainTextEdit()
        self.text.setObjectName("meetingNotes.text")
        self.text.setTabChangesFocus(True)
        self.text.setMinimumHeight(theme.scaled(160))
        self.body.addWidget(Labelled(tr("What was said and agreed"), self.text), 1)
        save = push_button("meetingNotes.save", tr("Save"), partial(self._save, False))
        on = push_button(
            "meetingNotes.next", tr("Save and plan what comes next"), partial(self._save, True),
            kind="primary",
        )  # fmt: skip
        self.set_foot(self.cancel_button(), None, save, on)
        self.text.setFocus()

    def _save(self, then: bool) -> None:
        self._then = then
        work = partial(meeting_notes.write, self._bench.actor, self._event, self.text.toPlainText())
        self._bench.tasks.write(work, done=self._saved, failed=self.show_error, owner=self)

    def _saved(self, changes: ChangeSet) -> None:
        self._bench.bus.publish(changes)
        self._bench.shell.toast(tr("Meeting done"), self._event.title, undo=True)
        if self._then:
            plan_next(self._bench, self._event, self._bench.shell.window_widget())
        self.accept()


def plan_next(bench: Workbench, event: AgendaEvent, owner: QWidget) -> None:
    """Open a new task about the records a meeting was about."""

    def known(values: Mapping[str, object]) -> None:
        bench.shell.new_record("activity", kind="task", **values)

    bench.tasks.read(
        meeting_notes.about, bench.actor, event,
        done=known, failed=bench.shell.show_error, owner=owner, lane="about",
    )  # fmt: skip
