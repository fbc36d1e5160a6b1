"""From the calendar on the screen to the document that is printed; runs on a reader thread."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, Final

from desktop_crm.core import clock
from desktop_crm.core.i18n import ntr, tr
from desktop_crm.services.calendar import agenda
from desktop_crm.views import tokens
from desktop_crm.views.calendar import layout, words
from desktop_crm.views.calendar.spans import Span, days_of, period
from desktop_crm.views.printing.listing import company_name

if TYPE_CHECKING:
    from collections.abc import Callable

    from desktop_crm.core.formats import Formats
    from desktop_crm.db.engine import Cancel
    from desktop_crm.printing.calendar_pdf import (
        AgendaSheet,
        CalendarDocument,
        HourSheet,
        MonthSheet,
        PrintedBar,
        PrintedEvent,
    )
    from desktop_crm.printing.styles import Colour
    from desktop_crm.services.calendar.agenda_event import AgendaEvent
    from desktop_crm.services.context import Actor

_HOURS: Final = (7, 19)
"""Hours that a page has at least."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is printed of a calendar.

    Attributes:
        span: How much.
        day: The day one is at.
        whose: Whose events, as text.
        read: Reads the events of a window, as the screen does: what colleagues keep private
            comes as busy.
        lanes: People side by side, on one day; none for days side by side.
    """

    span: Span
    day: date
    whose: str
    read: Callable[[datetime, datetime, Cancel | None], Sequence[AgendaEvent]]
    lanes: tuple[layout.Lane, ...] = ()


def window(days: Sequence[date], formats: Formats) -> tuple[datetime, datetime]:
    """First instant of some days and the one after them, whole days of any zone included."""
    after = days[-1] + timedelta(days=1)
    first = layout.instant(datetime.combine(days[0], time()), formats.zone)
    last = layout.instant(datetime.combine(after, time()), formats.zone)
    # An all-day event lies at midnight UTC, which is another hour here.
    begin, end = (datetime.combine(day, time(), UTC) for day in (days[0], after))
    return min(first, begin), max(last, end)


def printed(actor: Actor, wanted: Wanted, cancel: Cancel | None = None) -> CalendarDocument:
    """Read the events and make the document."""
    from desktop_crm.printing.calendar_pdf import CalendarDocument

    formats = actor.formats
    days = days_of(wanted.span, wanted.day, side_by_side=bool(wanted.lanes))
    if wanted.span is Span.MONTH:
        days = _weeks_of(wanted.day)
    found = layout.chronological(wanted.read(*window(days, formats), cancel))
    events = [one for one in found if _touches(one, days, formats)]
    sheet: HourSheet | MonthSheet | AgendaSheet
    if wanted.span is Span.MONTH:
        sheet = _month(events, days, wanted.day, formats)
    elif wanted.span is Span.AGENDA:
        sheet = _agenda(events, days, formats)
    else:
        sheet = _hours(events, days, formats, wanted.lanes)
    count = ntr("{n} event", "{n} events", len(events))
    return CalendarDocument(
        title=period(wanted.span, wanted.day, days, formats),
        subtitle=" · ".join((wanted.whose, count, formats.zone.key)),
        sheet=sheet,
        printed_on=clock.today(actor.zone),
        printed_by=actor.name,
        company=company_name(actor),
        language=actor.language,
    )


def _weeks_of(day: date) -> list[date]:
    """Days of the weeks that hold a day of the month; paper has no room for a seventh of them."""
    days = layout.month_days(day)
    weeks = [days[n : n + 7] for n in range(0, len(days), 7)]
    return [one for week in weeks if day.month in {d.month for d in week} for one in week]


def _touches(event: AgendaEvent, days: Sequence[date], formats: Formats) -> bool:
    first, last = layout.day_span(event, formats.zone)
    return first <= days[-1] and last >= days[0]


def _event(event: AgendaEvent, hours: str) -> PrintedEvent:
    from desktop_crm.printing.calendar_pdf import PrintedEvent

    return PrintedEvent(event.title, hours, words.details(event), _colour(words.token_of(event)))


def _colour(token: str) -> Colour:
    """A tone on paper, which is light whatever the screen is."""
    text = tokens.LIGHT[token].lstrip("#")
    red, green, blue = (int(text[n : n + 2], 16) / 255 for n in (0, 2, 4))
    return red, green, blue


def _hours(
    events: Sequence[AgendaEvent],
    days: Sequence[date],
    formats: Formats,
    lanes: Sequence[layout.Lane],
) -> HourSheet:
    from desktop_crm.printing.calendar_pdf import HourSheet, PrintedBar, PrintedBlock

    columns: list[tuple[str, date, Sequence[AgendaEvent]]]
    if lanes:
        # Their column says whose they are.
        bare = [event._replace(whose="") for event in events]
        columns = [(lane.name, days[0], [e for e in bare if lane.holds(e)]) for lane in lanes]
    else:
        columns = [(_caption(day, formats), day, events) for day in days]
    blocks: list[PrintedBlock] = []
    bars: list[PrintedBar] = []
    for index, (_name, day, theirs) in enumerate(columns):
        for block in layout.blocks(theirs, day, formats.zone):
            hours = words.hours_on(block.event, day, formats)
            text = _event(block.event, hours)
            blocks.append(
                PrintedBlock(text, index, block.top, block.bottom, block.column, block.columns)
            )
        if lanes:
            for bar in layout.strips(theirs, [day], formats.zone):
                bars.append(PrintedBar(_event(bar.event, ""), index, index, bar.row))
    if not lanes:
        bars = [
            PrintedBar(_event(bar.event, ""), bar.first, bar.last, bar.row)
            for bar in layout.strips(events, days, formats.zone)
        ]
    first = min([_HOURS[0], *(block.top // 60 for block in blocks)])
    last = max([_HOURS[1], *(-(-block.bottom // 60) for block in blocks)])
    captions = tuple(name for name, _day, _theirs in columns)
    return HourSheet(captions, tuple(bars), tuple(blocks), (first, last))


def _caption(day: date, formats: Formats) -> str:
    name = formats.weekday(day)
    return f"{name[:1].upper()}{name[1:]} {formats.date(day)[:-5].rstrip('. ')}"


def _month(
    events: Sequence[AgendaEvent], days: Sequence[date], day: date, formats: Formats
) -> MonthSheet:
    from desktop_crm.printing.calendar_pdf import MonthSheet, PrintedBar, PrintedWeek

    weeks = []
    for index, bars in enumerate(layout.weeks(events, days, formats.zone)):
        week = days[index * 7 : index * 7 + 7]
        found = []
        for bar in bars:
            timed = not layout.covers_days(bar.event) and bar.first == bar.last
            hours = formats.time(bar.event.start) if timed else ""
            found.append(PrintedBar(_event(bar.event, hours), bar.first, bar.last, bar.row))
        numbers = tuple((str(one.day), one.month == day.month) for one in week)
        weeks.append(PrintedWeek(str(week[0].isocalendar().week), numbers, tuple(found)))
    names = (formats.weekday(one) for one in days[:7])
    return MonthSheet(tuple(name[:1].upper() + name[1:] for name in names), tuple(weeks))


def _agenda(events: Iterable[AgendaEvent], days: Sequence[date], formats: Formats) -> AgendaSheet:
    from desktop_crm.printing.calendar_pdf import AgendaSheet

    listed = list(events)
    found = []
    for day in days:
        of_day = [one for one in listed if _touches(one, [day], formats)]
        of_day.sort(key=lambda one: not layout.covers_days(one))
        if of_day:
            name = formats.weekday(day)
            heading = f"{name[:1].upper()}{name[1:]}, {formats.date(day)}"
            lines = tuple(_event(one, words.hours_on(one, day, formats)) for one in of_day)
            found.append((heading, lines))
    return AgendaSheet(tuple(found), tr("There are no events on these days."))


def reader(
    actor: Actor, asked: Mapping[str, Any], *, shown: Callable[[AgendaEvent], AgendaEvent]
) -> Callable[[datetime, datetime, Cancel | None], Sequence[AgendaEvent]]:
    """Reads events as the screen does, in the colours of their people where several are shown."""

    def read(start: datetime, end: datetime, cancel: Cancel | None) -> Sequence[AgendaEvent]:
        found = agenda.events(actor, start, end, **asked, cancel=cancel)
        return [shown(one) for one in found]

    return read
