"""Reminders in one small window: open, put off, dismiss; and the clock that brings it up."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, QSize, Qt, QTimer, Slot
from PySide6.QtWidgets import QApplication, QListWidget, QListWidgetItem, QWidget

from desktop_crm.core import clock
from desktop_crm.core.formats import Formats
from desktop_crm.core.i18n import N_, ntr, tr
from desktop_crm.services.calendar import reminders
from desktop_crm.services.calendar.reminders import Reminder
from desktop_crm.views import icons, theme
from desktop_crm.views.dialogs.dialog import Dialog
from desktop_crm.views.forms.editor import QuietCombo
from desktop_crm.views.widgets.buttons import push_button
from desktop_crm.views.widgets.layout import row

if TYPE_CHECKING:
    from desktop_crm.services.changes import ChangeSet
    from desktop_crm.views.workbench import Workbench

EVERY_MS: Final = 20_000
"""How often the clock looks; one indexed question on a reader's thread."""

SNOOZES: Final = (
    (5, N_("5 minutes")), (10, N_("10 minutes")), (15, N_("15 minutes")), (30, N_("30 minutes")),
    (60, N_("1 hour")), (120, N_("2 hours")), (240, N_("4 hours")), (1440, N_("1 day")),
    (2880, N_("2 days")),
)  # fmt: skip
_DRAWINGS: Final = {"appointment": "calendar_ltr", "phone_call": "call", "task": "flag"}
_HOUR: Final = 60
_DAY: Final = 24 * 60


class ReminderClock(QObject):
    """Asks again and again what is due, also after a computer that slept, and shows it."""

    def __init__(self, bench: Workbench, parent: QWidget) -> None:
        super().__init__(parent)
        self._bench = bench
        self._window: ReminderWindow | None = None
        self._timer = QTimer(self)
        self._timer.setObjectName("reminderClock")
        self._timer.setInterval(EVERY_MS)
        self._timer.timeout.connect(self.check)
        self._timer.start()
        bench.bus.changed.connect(self._news)
        self.check()

    @property
    def window(self) -> ReminderWindow | None:
        """The window, while there is something to remind of."""
        return self._window

    @Slot()
    def check(self) -> None:
        """Ask now."""
        self._bench.tasks.read(
            reminders.due, self._bench.actor, clock.now(),
            done=self._due, failed=lambda _error: None, owner=self, lane="reminders", later=True,
        )  # fmt: skip

    @Slot(object)
    def _news(self, changes: ChangeSet) -> None:
        if changes.touches("activity"):
            self.check()

    def _due(self, found: tuple[Reminder, ...]) -> None:
        if not found:
            if self._window is not None:
                self._window.close()
            return
        if self._window is None:
            parent = self.parent()
            made = ReminderWindow(parent if isinstance(parent, QWidget) else None, self._bench)
            made.finished.connect(self._closed)
            self._window = made
        self._window.show_reminders(found)

    def _closed(self, _result: int) -> None:
        window, self._window = self._window, None
        if window is not None:
            window.deleteLater()


class ReminderWindow(Dialog):
    """What is due, the earliest first. Closing it alone puts nothing off: it comes back."""

    def __init__(self, parent: QWidget | None, bench: Workbench) -> None:
        super().__init__(parent, "reminders", tr("Reminders"), width=440)
        self.setAttribute(Qt.WidgetAttribute.WA_ShowWithoutActivating)
        self._bench = bench
        self._found: tuple[Reminder, ...] = ()
        self.list = QListWidget()
        self.list.setObjectName("reminders.list")
        self.list.setAccessibleName(tr("Reminders"))
        self.list.setIconSize(QSize(20, 20))
        theme.set_property(self.list, "checks", "true")
        self.list.setSelectionMode(QListWidget.SelectionMode.ExtendedSelection)
        self.list.setMinimumHeight(theme.scaled(150))
        self.list.itemActivated.connect(lambda _item: self._open())
        self.body.addWidget(self.list, 1)
        self.snooze_for = QuietCombo()
        self.snooze_for.setObjectName("reminders.snoozeFor")
        self.snooze_for.setAccessibleName(tr("Put off for"))
        self.snooze_for.setMinimumContentsLength(10)
        for minutes, text in SNOOZES:
            self.snooze_for.addItem(tr(text), minutes)
        snooze = push_button("reminders.snooze", tr("Put off"), self._snooze)
        self.body.addWidget(row(self.snooze_for, snooze, None, spacing=8))
        self.set_foot(
            push_button("reminders.dismissAll", tr("Dismiss all"), self._dismiss_all, kind="flat"),
            None,
            push_button("reminders.dismiss", tr("Dismiss"), self._dismiss),
            push_button("reminders.open", tr("Open it"), self._open, kind="primary"),
        )

    def show_reminders(self, found: tuple[Reminder, ...]) -> None:
        """Show these; the selection stays where it was, and a new one is called attention to."""
        known = {(one.activity, one.begins) for one in self._found}
        fresh = any((one.activity, one.begins) not in known for one in found)
        chosen = set(self._chosen())
        self._found = found
        formats, now = self._bench.formats, clock.now()
        self.list.clear()
        for one in found:
            text = f"{one.title}\n{when(one, now, formats)}"
            if one.place:
                text += f" · {one.place}"
            item = QListWidgetItem(icons.icon(_DRAWINGS.get(one.kind, "alert")), text)
            item.setData(Qt.ItemDataRole.UserRole, one.activity)
            item.setSizeHint(QSize(0, theme.scaled(48)))
            self.list.addItem(item)
            item.setSelected(one.activity in chosen)
        if not self.list.selectedItems():
            self.list.setCurrentRow(0)
        self.heading.setText(ntr("{n} reminder", "{n} reminders", len(found)))
        self.setWindowTitle(self.heading.text())
        if fresh or not self.isVisible():
            self.show()
            QApplication.alert(self)

    def _chosen(self) -> list[int]:
        return [int(one.data(Qt.ItemDataRole.UserRole)) for one in self.list.selectedItems()]

    def _open(self) -> None:
        for activity in self._chosen()[:1]:
            self._bench.shell.open_record("activity", activity)

    def _snooze(self) -> None:
        minutes = int(self.snooze_for.currentData())
        until = clock.now() + timedelta(minutes=minutes)
        self._write(partial(reminders.snooze, self._bench.actor, self._chosen(), until))

    def _dismiss(self) -> None:
        self._write(partial(reminders.dismiss, self._bench.actor, self._chosen()))

    def _dismiss_all(self) -> None:
        every = [one.activity for one in self._found]
        self._write(partial(reminders.dismiss, self._bench.actor, every))

    def _write(self, work: partial[ChangeSet]) -> None:
        self._bench.tasks.write(
            work, done=self._bench.bus.publish, failed=self.show_error, owner=self
        )


def when(reminder: Reminder, now: datetime, formats: Formats) -> str:
    """How far away something is, and its moment."""
    minutes = round((reminder.begins - now) / timedelta(minutes=1))
    moment = (
        formats.date(reminder.begins.astimezone(formats.zone).date())
        if reminder.all_day
        else formats.datetime(reminder.begins)
    )
    return f"{distance(minutes)} · {moment}"


def distance(minutes: int) -> str:
    """Minutes from now in words, e.g. "in 10 minutes" or "2 days ago"."""
    if minutes == 0:
        return tr("now")
    ahead, n = minutes > 0, abs(minutes)
    if n < 2 * _HOUR:
        if ahead:
            return ntr("in {n} minute", "in {n} minutes", n)
        return ntr("{n} minute ago", "{n} minutes ago", n)
    if n < 2 * _DAY:
        hours = round(n / _HOUR)
        if ahead:
            return ntr("in {n} hour", "in {n} hours", hours)
        return ntr("{n} hour ago", "{n} hours ago", hours)
    days = round(n / _DAY)
    return (
        ntr("in {n} day", "in {n} days", days)
        if ahead
        else ntr("{n} day ago", "{n} days ago", days)
    )
