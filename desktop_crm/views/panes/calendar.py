"""The calendar: a small month and colleagues at the left, the days chosen at the right."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from desktop_crm.core import clock
from desktop_crm.core.i18n import ntr, tr
from desktop_crm.services.calendar import agenda, series_facts
from desktop_crm.services.calendar.agenda_event import AgendaEvent
from desktop_crm.sync import invitation
from desktop_crm.views.actions import Action, Place
from desktop_crm.views.calendar import layout
from desktop_crm.views.calendar.agenda_view import AgendaView
from desktop_crm.views.calendar.ended_bar import EndedBar
from desktop_crm.views.calendar.head import CalendarHead
from desktop_crm.views.calendar.month_view import MonthView
from desktop_crm.views.calendar.page import CalendarPage
from desktop_crm.views.calendar.spans import NAMES, Span, days_of, period, turned
from desktop_crm.views.calendar.time_view import TimeView
from desktop_crm.views.calendar.year_view import YearView
from desktop_crm.views.dialogs.find_time import FindTimeDialog
from desktop_crm.views.dialogs.recurrence_dialog import RecurrenceDialog
from desktop_crm.views.mail.dropped import DropTaker
from desktop_crm.views.mail.letters import KIND
from desktop_crm.views.mail.written import Written
from desktop_crm.views.panes.calendar_edits import EventEdits
from desktop_crm.views.panes.calendar_side import CalendarSide
from desktop_crm.views.panes.pane import Pane
from desktop_crm.views.printing import diary
from desktop_crm.views.widgets.layout import frame, row

if TYPE_CHECKING:
    from collections.abc import Callable
    from zoneinfo import ZoneInfo

    from desktop_crm.services.calendar.series_facts import SeriesFacts
    from desktop_crm.services.changes import ChangeSet
    from desktop_crm.sync.invitation import Invitation
    from desktop_crm.views.workbench import Workbench


USUAL_REMINDER = 15
"""Minutes before the start that a new event reminds."""


class CalendarPane(Pane):
    """Events of the actor or of everybody they may see.

    It never sends an invitation: a meeting that comes from a mailbox is moved there, and the next
    pass brings the change here.
    """

    def __init__(self, bench: Workbench, parent: QWidget | None = None) -> None:
        super().__init__(bench, parent)
        self.setObjectName("calendarPane")
        DropTaker(self, bench)
        self.span = Span.WORK_WEEK
        self.day = clock.today(bench.actor.zone)
        self._events: tuple[AgendaEvent, ...] = ()
        self._count = 0
        self._edits = EventEdits(bench, self)
        self._edits.shown_differently.connect(self._show_again)
        self._edits.settled.connect(self._load)
        self.time_view = TimeView()
        self.month_view = MonthView()
        self.agenda_view = AgendaView()
        self.year_view = YearView()
        self._stack = QStackedWidget()
        for page in (self.time_view, self.month_view, self.agenda_view, self.year_view):
            self._stack.addWidget(page)
            self._connect(page)
        self.side = CalendarSide(bench)
        self.navigator = self.side.navigator
        self.navigator.picked.connect(self._on_picked)
        self.navigator.turned.connect(self._load_busy)
        self.side.scope_chosen.connect(self._load)
        self.side.people_chosen.connect(self._people_changed)
        self.side.zone_chosen.connect(self.time_view.set_second_zone)
        self.time_view.set_second_zone(self.side.second_zone)
        self.head = CalendarHead()
        self.head.today_wanted.connect(self.go_today)
        self.head.turned.connect(self._turn)
        self.head.span_chosen.connect(self.show_span)
        self.head.day_chosen.connect(self._picked_date)
        box = QHBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(8)
        box.addWidget(self.side)
        main = frame("listpane")
        inside = main.layout()
        assert isinstance(inside, QVBoxLayout)  # noqa: S101  made by frame()
        inside.setContentsMargins(1, 0, 1, 1)
        inside.addWidget(self.head)
        self.ended = EndedBar(bench)
        inside.addWidget(row(self.ended, margins=(12, 0, 12, 6)))
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
        page.list_requested.connect(partial(self._show_day, span=Span.AGENDA))

    @property
    def page(self) -> CalendarPage:
        """The page in front."""
        pages: dict[Span, CalendarPage] = {
            Span.MONTH: self.month_view,
            Span.AGENDA: self.agenda_view,
            Span.YEAR: self.year_view,
        }
        return pages.get(self.span, self.time_view)

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
                "calendar.find", tr("Find a time"), self.find_time, icon="search", group="new",
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
                "calendar.recurrence", tr("Recurrence"), self.edit_recurrence,
                icon="arrow_sync", shortcut="Ctrl+Shift+R", enabled=self._can_edit,
                group="event",
            ),
            Action(
                "calendar.invite", tr("Invite by e-mail…"), self.invite, icon="mail",
                enabled=self._can_move, place=Place.MORE,
            ),
            Action(
                "calendar.print", tr("Print…"), self.print_pages, icon="receipt",
                shortcut="Ctrl+P", place=Place.MORE,
            ),
            Action(
                "calendar.zone", tr("Second time zone"), self.side.choose_zone,
                place=Place.MORE,
            ),
            *(
                Action(
                    f"calendar.{span.value}", tr(command), partial(self.show_span, span),
                    shortcut=f"Ctrl+Alt+{number}", place=Place.PALETTE,
                )
                for number, (span, _name, command) in enumerate(NAMES, 1)
            ),
        ]  # fmt: skip

    def activate(self) -> None:
        self.side.load_people()
        self.ended.check()
        self.refresh()
        self.page.setFocus()

    def refresh(self) -> None:
        self._load()

    def set_narrow(self, narrow: bool) -> None:
        self.head.set_narrow(narrow)

    def status_text(self) -> str:
        return ntr("{n} event", "{n} events", self._count)

    def focus_filter(self) -> None:
        self.go_to_date()

    def place(self) -> dict[str, object]:
        return {
            "span": self.span.value,
            "day": self.day.isoformat(),
            "everybody": self.side.everybody,
        }

    def return_to(self, place: dict[str, object]) -> None:
        self.day = date.fromisoformat(str(place.get("day", self.day.isoformat())))
        self.side.show_scope(everybody=bool(place.get("everybody")))
        self.show_span(Span(str(place.get("span", self.span.value))))

    # --- where one is --------------------------------------------------------------------

    def show_span(self, span: Span) -> None:
        """Show a day, the work week or the month around the current day."""
        self.span = span
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
        self.head.unfold()

    def _picked_date(self, day: object) -> None:
        self._on_picked(day)
        self.page.setFocus()

    def _on_picked(self, day: object) -> None:
        if isinstance(day, date):
            self.show_day(day)

    def _show_day(self, day: object, span: Span = Span.DAY) -> None:
        if isinstance(day, date):
            self.day = day
            self.show_span(span)

    def _turn(self, pages: int) -> None:
        side_by_side = self.side.side_by_side
        self.show_day(turned(self.span, self.day, pages, side_by_side=side_by_side))

    def days(self) -> list[date]:
        """The days shown."""
        return days_of(self.span, self.day, side_by_side=self.side.side_by_side)

    def _show_span(self) -> None:
        days = self.days()
        formats = self.bench.formats
        now = clock.now()
        self.side.show_people(self.span is Span.TEAM)
        self._stack.setCurrentWidget(self.page)
        lanes = self.side.lanes() if self.span is Span.TEAM else []
        if lanes:
            self.time_view.show_lanes([self.day] * len(lanes), formats, now, lanes)
        else:
            self.page.show_days(days, formats, now)
        self.page.go_to(self.day)
        self.head.show_where(self.span, self.day, period(self.span, self.day, days, formats))
        shown = days if self.span is not Span.YEAR else []
        self.navigator.mark(shown, self.day, now.astimezone(formats.zone).date(), formats)

    def _people_changed(self) -> None:
        if self.span is Span.TEAM:
            self._show_span()
            self._load()

    # --- loading -------------------------------------------------------------------------

    def _window(self, days: list[date]) -> tuple[datetime, datetime]:
        return diary.window(days, self.bench.formats)

    def _load(self) -> None:
        asked = self.side.asked(team=self.span is Span.TEAM)
        self.bench.tasks.read(
            partial(
                _read, self.span, self.bench.formats.zone,
                partial(
                    agenda.page, self.bench.actor, self._window(self.days()), self._small_month(),
                    **asked,
                ),
            ),
            done=self._on_page, owner=self, lane="events",
        )  # fmt: skip

    def _small_month(self) -> tuple[datetime, datetime]:
        return self._window(layout.month_days(self.navigator.days.month))

    def _load_busy(self, _month: object) -> None:
        """The small month was turned, and the page was not."""
        self.bench.tasks.read(
            partial(
                agenda.busy_days, self.bench.actor, *self._small_month(),
                everybody=self.side.everybody,
            ),
            done=self.navigator.mark_busy, owner=self, lane="busy",
        )  # fmt: skip

    def _on_page(self, found: tuple[agenda.Page, int, layout.Fullness | None]) -> None:
        page, self._count, full = found
        self.navigator.mark_busy(page.busy)
        if full is None:
            self._on_events(page.events)
            return
        self._events = ()
        self.year_view.show_fullness(full)
        self.status_changed.emit(self.status_text())

    def _on_events(self, events: tuple[AgendaEvent, ...]) -> None:
        wanted = (self._edits.as_wanted(event) for event in events)
        shown = self.side.as_shown if self.span is Span.TEAM else _as_it_is
        self._events = tuple(shown(event) for event in wanted)
        self.page.show_events(self._events)
        self.status_changed.emit(self.status_text())

    def _show_again(self) -> None:
        if self.span is not Span.YEAR:  # which is counted again when the change is saved
            self._on_events(self._events)

    def _on_changed(self, changes: ChangeSet) -> None:
        if changes.touches("activity", "activity_party") and self.isVisible():
            self._load()
            self.ended.check()

    # --- what the person asks ------------------------------------------------------------

    def _create_now(self, kind: str = "appointment") -> None:
        if kind == "appointment" and self.page is self.month_view:
            self.month_view.choose(None)
            self.month_view.create_here()
            return
        day = self._cursor_day()
        if day is not None:
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

    def _cursor_day(self) -> date | None:
        """The day of the cursor on a page without hours."""
        page = self.page
        return None if isinstance(page, TimeView) else getattr(page, "cursor_day", self.day)

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
        if not whole_days:
            defaults["reminder_minutes"] = USUAL_REMINDER
        self.bench.shell.new_record("activity", **defaults)

    # --- commands ------------------------------------------------------------------------

    def _can_open(self) -> bool:
        event = self.page.selected_event()
        return event is not None and not event.private

    def _can_edit(self) -> bool:
        event = self.page.selected_event()
        return event is not None and event.editable

    def _can_move(self) -> bool:
        event = self.page.selected_event()
        return event is not None and event.movable

    def _open_selected(self) -> None:
        event = self.page.selected_event()
        if event is not None:
            self._edits.open(event)

    def find_time(self) -> None:
        """Find a time that suits several people."""
        FindTimeDialog(self.window(), self.bench).open()

    def print_pages(self) -> None:
        """Print the days around the one shown: what is shown, as a PDF or on paper."""
        from desktop_crm.views.printing.calendar_dialog import CalendarPrintDialog

        CalendarPrintDialog(self.bench, self.wanted()).open()

    def wanted(self) -> diary.Wanted:
        """What is printed of the calendar as it is shown."""
        team = self.span is Span.TEAM
        side = self.side
        shown = partial(side.as_shown, named=True) if team else _as_it_is
        read = diary.reader(self.bench.actor, side.asked(team=team), shown=shown)
        lanes = tuple(side.lanes()) if team else ()
        return diary.Wanted(self.span, self.day, side.whose(team=team), read, lanes)

    def invite(self) -> None:
        """Write to the participants of the selected event; the letter leaves when it is sent."""
        event = self.page.selected_event()
        if event is not None:
            self.bench.tasks.write(
                partial(invitation.invite, self.bench.actor, event.id),
                done=self._invited, failed=self.bench.shell.show_error, owner=self,
            )  # fmt: skip

    def _invited(self, made: Invitation) -> None:
        self.bench.bus.publish(made.changes)
        written = Written(
            mailbox=made.sender.mailbox, to=made.people, subject=made.subject, html=made.html,
            files=(made.file,),
        )  # fmt: skip
        self.bench.shell.new_record(KIND, written=written)

    def edit_recurrence(self) -> None:
        """Edit how often the selected event repeats."""
        event = self.page.selected_event()
        if event is None:
            return
        self.bench.tasks.read(
            partial(series_facts.read, self.bench.actor, event.id, event.original),
            done=self._open_recurrence,
            failed=self.bench.shell.show_error,
            owner=self,
            lane="recurrence",
        )

    def _open_recurrence(self, facts: SeriesFacts) -> None:
        dialog = RecurrenceDialog(self.window(), self.bench, facts)
        dialog.saved.connect(lambda _edited: self._load())
        dialog.open()

    def _delete_selected(self) -> None:
        event = self.page.selected_event()
        if event is not None:
            self._edits.delete(event)


def _read(
    span: Span, zone: ZoneInfo, read: Callable[[], agenda.Page]
) -> tuple[agenda.Page, int, layout.Fullness | None]:
    """A page and how many events it has; runs on a reader thread.

    Of a year how full its days are instead of its events, which are too many to pass on.
    """
    page = read()
    if span is not Span.YEAR:
        return page, len(page.events), None
    full = layout.fullness(page.events, zone)
    return agenda.Page((), page.busy), len(page.events), full


def _as_it_is(event: AgendaEvent) -> AgendaEvent:
    return event
