"""What the calendar shows at a time, and how one turns its pages: pure reckoning with days."""

from __future__ import annotations

from datetime import date, timedelta
from enum import StrEnum

from desktop_crm.core.formats import Formats
from desktop_crm.core.i18n import N_, tr
from desktop_crm.views.calendar import layout

_REST = (0, 0, 0, 0, 0, 2, 1)
"""Days from a day to the work week that is shown: on a weekend it is the coming one."""

AGENDA_DAYS = 28
"""Days that the list of the agenda covers."""


class Span(StrEnum):
    """How much the calendar shows."""

    DAY = "day"
    WORK_WEEK = "work_week"
    WEEK = "week"
    MONTH = "month"
    AGENDA = "agenda"
    TEAM = "team"
    YEAR = "year"


NAMES = (
    (Span.DAY, N_("Day"), N_("Show one day")),
    (Span.WORK_WEEK, N_("Work week"), N_("Show the work week")),
    (Span.WEEK, N_("Week"), N_("Show the week")),
    (Span.MONTH, N_("Month"), N_("Show the month")),
    (Span.AGENDA, N_("Agenda"), N_("Show the agenda")),
    (Span.TEAM, N_("Team"), N_("Show the team")),
    (Span.YEAR, N_("Year"), N_("Show the year")),
)
"""Each span, its button and its command."""


def days_of(span: Span, day: date, *, side_by_side: bool = False) -> list[date]:
    """The days that are shown around a day.

    Args:
        span: how much.
        day: the day one is at.
        side_by_side: whether the team stands beside one another, which leaves room for one day.
    """
    if span is Span.DAY or (span is Span.TEAM and side_by_side):
        return [day]
    if span in {Span.WORK_WEEK, Span.TEAM}:
        return _run(layout.monday(day + timedelta(days=_REST[day.weekday()])), 5)
    if span is Span.WEEK:
        return _run(layout.monday(day), 7)
    if span is Span.AGENDA:
        return _run(day, AGENDA_DAYS)
    if span is Span.YEAR:
        first = date(day.year, 1, 1)
        return _run(first, (date(day.year + 1, 1, 1) - first).days)
    return layout.month_days(day)


def _run(first: date, count: int) -> list[date]:
    return [first + timedelta(days=n) for n in range(count)]


def turned(span: Span, day: date, pages: int, *, side_by_side: bool = False) -> date:
    """The day one is at after turning pages."""
    if span is Span.MONTH:
        return layout.add_months(day, pages)
    if span is Span.YEAR:
        return layout.add_months(day, 12 * pages)
    if span is Span.DAY or (span is Span.TEAM and side_by_side):
        return day + timedelta(days=pages)
    return day + timedelta(days=(AGENDA_DAYS if span is Span.AGENDA else 7) * pages)


def period(span: Span, day: date, days: list[date], formats: Formats) -> str:
    """The days shown, as a title."""
    if span is Span.MONTH:
        return _capital(formats.month(day))
    if span is Span.YEAR:
        return str(day.year)
    if len(days) == 1 or days[0] == days[-1]:
        return f"{_capital(formats.weekday(days[0]))}, {formats.date(days[0])}"
    first, last = days[0], days[-1]
    begin = f"{first:%d}" if first.month == last.month else formats.date(first)[:-5]
    text = f"{begin} – {formats.date(last)}"
    if span is Span.AGENDA:
        return text
    week = tr("week {n}", n=first.isocalendar().week)
    return f"{text}  ·  {week}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
