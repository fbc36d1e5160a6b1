"""A recurrence rule in plain language, such as "Every second Monday until 3 March 2027"."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Final
from zoneinfo import ZoneInfo

from desktop_crm.core.errors import UserError
from desktop_crm.core.formats import Formats
from desktop_crm.core.i18n import N_, ntr, tr
from desktop_crm.core.recurrence_pattern import WORK_DAYS, Frequency, Pattern, parse

EVERY_DAY: Final = (
    N_("Every Monday"), N_("Every Tuesday"), N_("Every Wednesday"), N_("Every Thursday"),
    N_("Every Friday"), N_("Every Saturday"), N_("Every Sunday"),
)  # fmt: skip
SECOND_DAY: Final = (
    N_("Every second Monday"), N_("Every second Tuesday"), N_("Every second Wednesday"),
    N_("Every second Thursday"), N_("Every second Friday"), N_("Every second Saturday"),
    N_("Every second Sunday"),
)  # fmt: skip
FIRST: Final = (
    N_("the first Monday"), N_("the first Tuesday"), N_("the first Wednesday"),
    N_("the first Thursday"), N_("the first Friday"), N_("the first Saturday"),
    N_("the first Sunday"),
)  # fmt: skip
SECOND: Final = (
    N_("the second Monday"), N_("the second Tuesday"), N_("the second Wednesday"),
    N_("the second Thursday"), N_("the second Friday"), N_("the second Saturday"),
    N_("the second Sunday"),
)  # fmt: skip
THIRD: Final = (
    N_("the third Monday"), N_("the third Tuesday"), N_("the third Wednesday"),
    N_("the third Thursday"), N_("the third Friday"), N_("the third Saturday"),
    N_("the third Sunday"),
)  # fmt: skip
FOURTH: Final = (
    N_("the fourth Monday"), N_("the fourth Tuesday"), N_("the fourth Wednesday"),
    N_("the fourth Thursday"), N_("the fourth Friday"), N_("the fourth Saturday"),
    N_("the fourth Sunday"),
)  # fmt: skip
FIFTH: Final = (
    N_("the fifth Monday"), N_("the fifth Tuesday"), N_("the fifth Wednesday"),
    N_("the fifth Thursday"), N_("the fifth Friday"), N_("the fifth Saturday"),
    N_("the fifth Sunday"),
)  # fmt: skip
LAST: Final = (
    N_("the last Monday"), N_("the last Tuesday"), N_("the last Wednesday"),
    N_("the last Thursday"), N_("the last Friday"), N_("the last Saturday"),
    N_("the last Sunday"),
)  # fmt: skip
_PLACES: Final = {1: FIRST, 2: SECOND, 3: THIRD, 4: FOURTH, 5: FIFTH, -1: LAST}
WORK_DAY: Final = {
    1: N_("the first working day"),
    2: N_("the second working day"),
    3: N_("the third working day"),
    4: N_("the fourth working day"),
    5: N_("the fifth working day"),
    -1: N_("the last working day"),
}
ANY_DAY: Final = {
    1: N_("the first day"),
    2: N_("the second day"),
    3: N_("the third day"),
    4: N_("the fourth day"),
    5: N_("the fifth day"),
    -1: N_("the last day"),
}
MONTHS: Final = (
    N_("January"), N_("February"), N_("March"), N_("April"), N_("May"), N_("June"), N_("July"),
    N_("August"), N_("September"), N_("October"), N_("November"), N_("December"),
)  # fmt: skip


def summary(rule: str, start: datetime, zone: ZoneInfo | None, formats: Formats) -> str:
    """What a rule says, in the language of the interface.

    Args:
        rule: the text after `RRULE:`.
        start: first occurrence on its own wall clock.
        zone: zone of that clock; None for a series of whole days.
        formats: how the person reads dates.

    A rule that words cannot hold is shown as it is written.
    """
    try:
        pattern = parse(rule, start, zone)
    except UserError:
        return tr("By its own rule: {rule}", rule=rule)
    if not pattern.is_plain:
        return tr("By its own rule: {rule}", rule=rule)
    return in_words(pattern, formats)


def in_words(pattern: Pattern, formats: Formats) -> str:
    """What a pattern says, in the language of the interface."""
    said = _often(pattern, formats)
    if pattern.count:
        return ntr("{often}, {n} time", "{often}, {n} times", pattern.count, often=said)
    if pattern.until is not None:
        return tr("{often} until {day}", often=said, day=long_date(pattern.until, formats))
    return said


def long_date(day: date, formats: Formats) -> str:
    """A day with its month written out."""
    from babel.dates import format_date  # costs a moment, and only texts need it

    return str(format_date(day, "d MMMM y", locale=formats.locale))


def _often(pattern: Pattern, formats: Formats) -> str:
    n = pattern.interval
    if pattern.frequency is Frequency.DAILY:
        if n == 1:
            return tr("Every day")
        return tr("Every second day") if n == 2 else ntr("Every {n} day", "Every {n} days", n)
    if pattern.frequency is Frequency.WEEKLY:
        return _weekly(pattern, formats)
    if pattern.frequency is Frequency.MONTHLY:
        return _monthly(pattern)
    return _yearly(pattern)


def _weekly(pattern: Pattern, formats: Formats) -> str:
    days = sorted(pattern.weekdays)
    n = pattern.interval
    if n == 1 and frozenset(days) == WORK_DAYS:
        return tr("Every working day")
    if n == 1 and len(days) == 7:
        return tr("Every day")
    if len(days) == 1 and n <= 2:
        return tr((EVERY_DAY if n == 1 else SECOND_DAY)[days[0]])
    named = joined(weekday_name(day, formats) for day in days)
    if n == 1:
        return tr("Every week on {days}", days=named)
    if n == 2:
        return tr("Every second week on {days}", days=named)
    return ntr("Every {n} week on {days}", "Every {n} weeks on {days}", n, days=named)


def _monthly(pattern: Pattern) -> str:
    day = _of_month(pattern)
    n = pattern.interval
    if n == 1:
        return tr("Every month on {day}", day=day)
    if n == 2:
        return tr("Every second month on {day}", day=day)
    return ntr("Every {n} month on {day}", "Every {n} months on {day}", n, day=day)


def _yearly(pattern: Pattern) -> str:
    n = pattern.interval
    day = day_in_words(pattern)
    if n == 1:
        return tr("Every year on {day}", day=day)
    if n == 2:
        return tr("Every second year on {day}", day=day)
    return ntr("Every {n} year on {day}", "Every {n} years on {day}", n, day=day)


def day_in_words(pattern: Pattern) -> str:
    """Which day of the month or year a pattern means."""
    if pattern.frequency is not Frequency.YEARLY:
        return _of_month(pattern)
    month = tr(MONTHS[pattern.month - 1])
    if pattern.position or pattern.month_day < 0:
        return tr("{day} of {month}", day=_of_month(pattern), month=month)
    return tr("{n} {month}", n=pattern.month_day, month=month)


def _of_month(pattern: Pattern) -> str:
    if not pattern.position:
        return tr("the last day") if pattern.month_day < 0 else tr("day {n}", n=pattern.month_day)
    if pattern.weekdays == WORK_DAYS:
        return tr(WORK_DAY[pattern.position])
    if len(pattern.weekdays) == 7:
        return tr(ANY_DAY[pattern.position])
    if len(pattern.weekdays) == 1:
        return tr(_PLACES[pattern.position][min(pattern.weekdays)])
    named = joined(tr(_PLACES[pattern.position][day]) for day in sorted(pattern.weekdays))
    return named


def weekday_name(day: int, formats: Formats) -> str:
    """A weekday's name inside a sentence; Monday is 0."""
    return formats.weekday(date(2024, 1, 1 + day))


def joined(words: Iterable[str]) -> str:
    """Words in a row: "Monday, Tuesday and Friday"."""
    listed = list(words)
    if len(listed) < 2:
        return "".join(listed)
    return tr("{listed} and {last}", listed=", ".join(listed[:-1]), last=listed[-1])
