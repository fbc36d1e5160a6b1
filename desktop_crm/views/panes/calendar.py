"""The calendar: a small month at the left, days, work week or month at the right."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QDate, Qt
from PySide6.QtWidgets import (
    QButtonGroup,
    QCalendarWidget,
    QHBoxLayout,
    QMenu,
    QStackedWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
    QWidgetAction,
)

from desktop_crm.core import clock
from desktop_crm.core.i18n import ntr, tr
from desktop_crm.services import agenda
from desktop_crm.services.agenda_event import AgendaEvent
from desktop_crm.views.actions import Action, Place
from desktop_crm.views.calendar import layout
from desktop_crm.views.calendar.month_view import MonthView
from desktop_crm.views.calendar.navigator import Navigator
from desktop_crm.views.calendar.page import CalendarPage
from desktop_crm.views.calendar.time_view import TimeView
from desktop_crm.views.panes.calendar_edits import EventEdits
from desktop_crm.views.panes.pane import Pane
from desktop_crm.views.widgets.buttons import tool_button
from desktop_crm.views.widgets.labels import label
from desktop_crm.views.widgets.layout import frame, row

if TYPE_CHECKING:
    from desktop_crm.services.changes import ChangeSet
    from desktop_crm.views.workbench import Workbench


_REST = (0, 0, 0, 0, 0, 2, 1)
"""Days from a day to the work week that is shown: on a weekend it is the coming one."""


class Span(StrEnum):
    """How much the calendar shows."""

    DAY = "day"
    WORK_WEEK = "work_week"
    MONTH = "month"


class CalendarPane(Pane):
    """Events of the actor or of everybody they may see.

    It never sends an invitation: a meeting that comes from a mailbox is moved there, and the next
    pass brings the change here.
    """

    def __init__(self, bench: Workbench, parent: QWidget | None = None) -> None:
        super().__init__(bench, parent)
        self.setObjectName("calendarPane")
        self.span = Span.WORK_WEEK
        self.day = clock.today(bench.actor.zone)
        self._everybody = False
        self._events: tuple[AgendaEvent, ...] = ()
        self._edits = EventEdits(bench, self)
        self._edits.shown_differently.connect(self._show_again)
        self._edits.settled.connect(self._load)
        self.time_view = TimeView()
        self.month_view = MonthView()
        self._stack = QStackedWidget()
        for page in (self.time_view, self.month_view):
            self._stack.addWidget(page)
            self._connect(page)
        self.navigator = Navigator()
        self.navigator.picked.connect(self._on_picked)
        self._title = label("", "h2", name="calendarTitle")
        box = QHBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(8)
        box.addWidget(self._side())
        main = frame("listpane")
        inside = main.layout()
        assert isinstance(inside, QVBoxLayout)  # noqa: S101  made by frame()
        inside.setContentsMargins(1, 0, 1, 1)
        inside.addWidget(self._head())
        inside.addWidget(self._stack, 1)
        box.addWidget(main, 1)
        bench.bus.changed.connect(self._on_changed)
        self._show_span()

    # --- building ------------------------------------------------------------------------

    def _connect(self, page: CalendarPage) -> None:
        page.create_requested.connect(self._create)
        page.open_requested.connect(self._edits.open)
        page.change_requested.connect(self._edits.change)
        page.delete_requested.connect(self._edits.delete)
        page.move_refused.connect(self._edits.explain)
        page.page_requested.connect(self._turn)
        page.selected.connect(lambda _event: self.commands_changed.emit())
        page.day_requested.connect(self._show_day)

    def _side(self) -> QWidget:
        side = frame("nav")
        side.setFixedWidth(224)
        inside = side.layout()
        assert isinstance(inside, QVBoxLayout)  # noqa: S101  made by frame()
        inside.setContentsMargins(8, 10, 8, 8)
        inside.setSpacing(4)
        inside.addWidget(self.navigator)
        inside.addSpacing(12)
        caption = label(tr("Calendars"), "h3")
        caption.setContentsMargins(8, 0, 0, 4)
        inside.addWidget(caption)
        self._scopes = QButtonGroup(self)
        for name, text, drawing, everybody in (
            ("calendarMine", tr("My calendar"), "person", False),
            ("calendarEverybody", tr("Everybody's"), "people", True),
        ):
            button = tool_button(name, text, drawing, show_text=True)
            button.setCheckable(True)
            button.setChecked(everybody is self._everybody)
            button.setSizePolicy(
                button.sizePolicy().Policy.Expanding, button.sizePolicy().verticalPolicy()
            )
            button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
            button.clicked.connect(partial(self._show_scope, everybody))
            self._scopes.addButton(button)
            inside.addWidget(button)
        inside.addStretch(1)
        return side

    def _head(self) -> QWidget:
        today = tool_button("calendarToday", tr("Today"), "calendar_ltr", self.go_today)
        today.setText(tr("Today"))
        today.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextOnly)
        back = tool_button("calendarBack", tr("Earlier"), "chevron_left", lambda: self._turn(-1))
        on = tool_button("calendarOn", tr("Later"), "chevron_right", lambda: self._turn(1))
        self._go = tool_button("calendarGo", tr("Go to date"), "calendar", self.go_to_date)
        self._spans = QButtonGroup(self)
        shown: list[QWidget] = []
        for span, text in (
            (Span.DAY, tr("Day")),
            (Span.WORK_WEEK, tr("Work week")),
            (Span.MONTH, tr("Month")),
        ):
            button = QToolButton()
            button.setObjectName(f"calendarSpan.{span}")
            button.setText(text)
            button.setAccessibleName(text)
            button.setCheckable(True)
            button.setChecked(span is self.span)
            button.clicked.connect(partial(self.show_span, span))
            self._spans.addButton(button)
            shown.append(button)
        head = row(
            today, back, on, self._title, None, *shown, self._go,
            spacing=4, margins=(12, 8, 12, 8),
        )  # fmt: skip
        head.setFixedHeight(50)
        return head

    @property
    def page(self) -> CalendarPage:
        """The page in front."""
        return self.month_view if self.span is Span.MONTH else self.time_view

    # --- pane ----------------------------------------------------------------------------

    def commands(self) -> list[Action]:
        return [
            Action(
                "calendar.new", tr("New appointment"), self._create_now, icon="add",
                shortcut="Ctrl+N", primary=True,
            ),
            Action(
                "calendar.call", tr("Phone call"), lambda: self._create_now("phone_call"),
                icon="call", tint="accent_text", group="new",
            ),
            Action(
                "calendar.today", tr("Today"), self.go_today, icon="calendar_ltr",
                shortcut="Ctrl+T", place=Place.PALETTE,
            ),
            Action(
                "calendar.date", tr("Go to date"), self.go_to_date, icon="calendar",
                shortcut="Ctrl+G", place=Place.PALETTE,
            ),
            Action(
                "calendar.open", tr("Edit"), self._open_selected, icon="edit",
                enabled=self._can_open, group="event",
            ),
            Action(
                "calendar.delete", tr("Delete"), self._delete_selected, icon="delete",
                enabled=self._can_edit, group="event",
            ),
            Action(
                "calendar.day", tr("Show one day"), partial(self.show_span, Span.DAY),
                shortcut="Ctrl+Alt+1", place=Place.PALETTE,
            ),
            Action(
                "calendar.week", tr("Show the work week"),
                partial(self.show_span, Span.WORK_WEEK),
                shortcut="Ctrl+Alt+2", place=Place.PALETTE,
            ),
            Action(
                "calendar.month", tr("Show the month"), partial(self.show_span, Span.MONTH),
                shortcut="Ctrl+Alt+3", place=Place.PALETTE,
            ),
        ]  # fmt: skip

    def activate(self) -> None:
        self.refresh()
        self.page.setFocus()

    def refresh(self) -> None:
        self._load()

    def status_text(self) -> str:
        return ntr("{n} event", "{n} events", len(self._events))

    def focus_filter(self) -> None:
        self.go_to_date()

    def place(self) -> dict[str, object]:
        return {
            "span": self.span.value,
            "day": self.day.isoformat(),
            "everybody": self._everybody,
        }

    def return_to(self, place: dict[str, object]) -> None:
        self.day = date.fromisoformat(str(place.get("day", self.day.isoformat())))
        self._everybody = bool(place.get("everybody"))
        for button in self._scopes.buttons():
            button.setChecked((button.objectName() == "calendarEverybody") is self._everybody)
        self.show_span(Span(str(place.get("span", self.span.value))))

    # --- where one is --------------------------------------------------------------------

    def show_span(self, span: Span) -> None:
        """Show a day, the work week or the month around the current day."""
        self.span = span
        for button in self._spans.buttons():
            button.setChecked(button.objectName() == f"calendarSpan.{span}")
        self._show_span()
        self._load()
        self.page.setFocus()

    def show_day(self, day: date) -> None:
        """Go to a day in the span in force."""
        self.day = day
        self._show_span()
        self._load()

    def go_today(self) -> None:
        """Go to today."""
        self.show_day(clock.today(self.bench.actor.zone))
        self.page.setFocus()

    def go_to_date(self) -> None:
        """Unfold a calendar to choose a day from."""
        menu = QMenu(self)
        menu.setObjectName("calendarGoMenu")
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        picker = QCalendarWidget()
        picker.setObjectName("calendarGoPicker")
        picker.setAccessibleName(tr("Go to date"))
        picker.setFirstDayOfWeek(Qt.DayOfWeek.Monday)
        picker.setSelectedDate(QDate(self.day.year, self.day.month, self.day.day))
        action = QWidgetAction(menu)
        action.setDefaultWidget(picker)
        menu.addAction(action)

        def chosen(day: QDate) -> None:
            menu.close()
            self.show_day(date(day.year(), day.month(), day.day()))
            self.page.setFocus()

        picker.activated.connect(chosen)
        menu.popup(self._go.mapToGlobal(self._go.rect().bottomLeft()))
        picker.setFocus()

    def _on_picked(self, day: object) -> None:
        if isinstance(day, date):
            self.show_day(day)

    def _show_day(self, day: object) -> None:
        if isinstance(day, date):
            self.day = day
            self.show_span(Span.DAY)

    def _turn(self, pages: int) -> None:
        if self.span is Span.DAY:
            self.show_day(self.day + timedelta(days=pages))
        elif self.span is Span.WORK_WEEK:
            self.show_day(self.day + timedelta(days=7 * pages))
        else:
            self.show_day(layout.add_months(self.day, pages))

    def days(self) -> list[date]:
        """The days shown."""
        if self.span is Span.DAY:
            return [self.day]
        if self.span is Span.WORK_WEEK:
            first = layout.monday(self.day + timedelta(days=_REST[self.day.weekday()]))
            return [first + timedelta(days=n) for n in range(5)]
        return layout.month_days(self.day)

    def _show_span(self) -> None:
        days = self.days()
        formats = self.bench.formats
        now = clock.now()
        self._stack.setCurrentWidget(self.page)
        self.page.show_days(days, formats, now)
        self.page.go_to(self.day)
        self._title.setText(self._period(days))
        self.navigator.mark(days, self.day, now.astimezone(formats.zone).date(), formats)

    def _period(self, days: list[date]) -> str:
        formats = self.bench.formats
        if self.span is Span.MONTH:
            name = formats.month(self.day)
            return name[:1].upper() + name[1:]
        if self.span is Span.DAY:
            name = formats.weekday(self.day)
            return f"{name[:1].upper()}{name[1:]}, {formats.date(self.day)}"
        first, last = days[0], days[-1]
        begin = f"{first:%d}" if first.month == last.month else formats.date(first)[:-5]
        week = tr("week {n}", n=first.isocalendar().week)
        return f"{begin} – {formats.date(last)}  ·  {week}"

    def _show_scope(self, everybody: bool, _checked: bool = False) -> None:
        self._everybody = everybody
        self._load()

    # --- loading -------------------------------------------------------------------------

    def _window(self, days: list[date]) -> tuple[datetime, datetime]:
        zone = self.bench.formats.zone
        first = layout.instant(datetime.combine(days[0], time()), zone)
        last = layout.instant(datetime.combine(days[-1] + timedelta(days=1), time()), zone)
        # An all-day event lies at midnight UTC, which is another hour here.
        return min(first, _midnight(days[0])), max(last, _midnight(days[-1] + timedelta(days=1)))

    def _load(self) -> None:
        actor = self.bench.actor
        start, end = self._window(self.days())
        self.bench.tasks.read(
            partial(agenda.events, actor, start, end, everybody=self._everybody),
            done=self._on_events, owner=self, lane="events",
        )  # fmt: skip
        month = self._window(layout.month_days(self.navigator.days.month))
        self.bench.tasks.read(
            partial(agenda.busy_days, actor, *month, everybody=self._everybody),
            done=self.navigator.mark_busy, owner=self, lane="busy",
        )  # fmt: skip

    def _on_events(self, events: tuple[AgendaEvent, ...]) -> None:
        self._events = tuple(self._edits.as_wanted(event) for event in events)
        self.page.show_events(self._events)
        self.status_changed.emit(self.status_text())

    def _show_again(self) -> None:
        self._on_events(self._events)

    def _on_changed(self, changes: ChangeSet) -> None:
        if changes.touches("activity", "activity_party") and self.isVisible():
            self._load()

    # --- what the person asks ------------------------------------------------------------

    def _create_now(self, kind: str = "appointment") -> None:
        if self.span is Span.MONTH:
            day = self.month_view.cursor_day
            start = layout.instant(datetime.combine(day, time(9)), self.bench.formats.zone)
            self._new(start, start + timedelta(minutes=30), whole_days=False, kind=kind)
            return
        self.time_view.grid.choose(None)
        if kind == "appointment":
            self.time_view.grid.create_here()
            return
        grid = self.time_view.grid
        minute = max(0, grid.slots.start)
        local = datetime.combine(grid.days[grid.slots.day], time()) + timedelta(minutes=minute)
        start = layout.instant(local, self.bench.formats.zone)
        self._new(start, start + timedelta(minutes=30), whole_days=False, kind=kind)

    def _create(self, start: datetime, end: datetime, whole_days: bool) -> None:
        self._new(start, end, whole_days=whole_days, kind="appointment")

    def _new(self, start: datetime, end: datetime, *, whole_days: bool, kind: str) -> None:
        defaults: dict[str, object] = {
            "kind": kind,
            "start_at": start,
            "end_at": end,
            "is_all_day": whole_days,
        }
        if kind == "appointment":
            defaults["status_reason"] = "free" if whole_days else "busy"
        self.bench.shell.new_record("activity", **defaults)

    # --- commands ------------------------------------------------------------------------

    def _can_open(self) -> bool:
        event = self.page.selected_event()
        return event is not None and not event.private

    def _can_edit(self) -> bool:
        event = self.page.selected_event()
        return event is not None and event.editable

    def _open_selected(self) -> None:
        event = self.page.selected_event()
        if event is not None:
            self._edits.open(event)

    def _delete_selected(self) -> None:
        event = self.page.selected_event()
        if event is not None:
            self._edits.delete(event)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
