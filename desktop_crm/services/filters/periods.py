"""Days said relative to today, as spans of the calendar: ``this quarter``, ``last 30 days``.

Weeks begin on Monday. Spans of so many days, weeks, months or years contain today: the last seven
days are today and the six before it.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from desktop_crm.core.errors import UserError
from desktop_crm.core.i18n import N_

UNITS: Final = ("day", "week", "month", "quarter", "year")
_DAY: Final = re.compile(r"(today|yesterday|tomorrow)\s*(?:([+-])\s*(\d+))?$", re.IGNORECASE)
_OFFSETS: Final = {"today": 0, "yesterday": -1, "tomorrow": 1}
_NAMED: Final = re.compile(
    r"(this|last|next)\s+(week|month|quarter|year|fiscal\s+year|fiscal\s+quarter)$", re.IGNORECASE
)
_WHICH: Final = {"last": -1, "this": 0, "next": 1}
_COUNTED: Final = re.compile(
    rf"(last|next|older\s+than)\s+(\d{{1,6}})\s+({'|'.join(UNITS)})s?$", re.IGNORECASE
)
_MONTHS: Final = {"month": 1, "quarter": 3, "year": 12}
_FAR: Final = 9_000_000


@dataclass(frozen=True, slots=True)
class Span:
    """Days from ``first`` up to, but without, ``after``; None is open."""

    first: date | None
    after: date | None


def read(text: str, today: date, fiscal_start: Callable[[], int]) -> Span | None:
    """Read a day or a time said relative to today; None when it is neither.

    Args:
        text: As typed.
        today: The present day of the person's zone.
        fiscal_start: Gives the first month of the fiscal year; called only where it counts.

    Raises:
        UserError: It lies outside the calendar.
    """
    try:
        return _read(text.strip(), today, fiscal_start)
    except (OverflowError, ValueError):
        raise out_of_calendar(text) from None


def out_of_calendar(text: str) -> UserError:
    """Sentence for days before year 1 and after year 9999."""
    return UserError(N_("“{text}” lies outside the calendar."), text=text)


def _read(text: str, today: date, fiscal_start: Callable[[], int]) -> Span | None:
    if match := _DAY.match(text):
        offset = min(int(match[3] or 0), _FAR) * (-1 if match[2] == "-" else 1)
        return one_day(today + timedelta(_OFFSETS[match[1].lower()] + offset))
    if match := _NAMED.match(text):
        which, name = _WHICH[match[1].lower()], " ".join(match[2].lower().split())
        return _named(which, name, today, fiscal_start)
    if match := _COUNTED.match(text):
        number, unit = int(match[2]), match[3].lower()
        word = match[1].lower()
        if word == "next":
            return Span(today, _moved(today, number, unit))
        since = _moved(today, -number, unit)
        if word == "last":
            return Span(since + timedelta(1), today + timedelta(1))
        return Span(None, since)
    return None


def one_day(day: date) -> Span:
    """Span of a single day."""
    return Span(day, day + timedelta(1))


def _named(which: int, name: str, today: date, fiscal_start: Callable[[], int]) -> Span:
    if name == "week":
        monday = today - timedelta(today.weekday()) + timedelta(7 * which)
        return Span(monday, monday + timedelta(7))
    begin = fiscal_start() if name.startswith("fiscal") else 1
    months = _MONTHS[name.rpartition(" ")[2]]
    into = (today.month - begin) % 12 % months
    first = add_months(today.replace(day=1), which * months - into)
    return Span(first, add_months(first, months))


def _moved(day: date, number: int, unit: str) -> date:
    if unit in _MONTHS:
        return add_months(day, number * _MONTHS[unit])
    return day + timedelta(number * (7 if unit == "week" else 1))


def add_months(day: date, number: int) -> date:
    """Return the same day so many months later, or the last of its month."""
    year, month = divmod(day.year * 12 + day.month - 1 + number, 12)
    last = monthrange(year, month + 1)[1]
    return date(year, month + 1, min(day.day, last))
