"""What Exchange does not take of a series, found out before anything is written (R35).

Two occurrences may not start on the same day, and a moved one may neither cross nor overlap its
neighbours ([MS-OXOCAL] 2.2.1.44, [MS-ASCAL]).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from desktop_crm.core.errors import UserError
from desktop_crm.core.i18n import N_
from desktop_crm.core.recurrence import occurrences
from desktop_crm.sync.twoway.fields import instant, moment_of

SAME_DAY: Final = N_(
    "Two occurrences of the series would start on {day}. Mailboxes refuse that, so nothing was "
    "written; choose another day."
)
CROSSES: Final = N_(
    "The occurrence of {day} would overlap or pass its neighbour in the series. Mailboxes refuse "
    "that, so nothing was written; choose a time between its neighbours."
)

Refusal = tuple[str, tuple[tuple[str, object], ...]]

_AROUND: Final = timedelta(days=400)


def refusal(series: Mapping[str, Any], changed: Iterable[tuple[str, str, str]]) -> Refusal | None:
    """Why a series with its changed occurrences cannot be written; None when it can.

    Args:
        series: value of the series' field `when`, and `left_out`.
        changed: of each changed occurrence its original start, its start and its end.
    """
    when = series["when"]
    moved = {original: (start, end) for original, start, end in changed}
    if not moved or not when["rule"]:
        return None
    days = "T" not in when["start"]
    zone = None if days else _zone(when["zone"])
    length = instant(moment_of(when["end"])) - instant(moment_of(when["start"]))
    found: list[tuple[datetime, datetime, datetime, bool]] = []
    gone = set(series.get("left_out") or ()) | set(moved)
    for one in _plain(when, zone, moved):
        if _name(one, days=days) not in gone:
            found.append((one, one, one + length, False))
    for original, (start, end) in moved.items():
        first = instant(moment_of(start))
        found.append((instant(moment_of(original)), first, instant(moment_of(end)), True))
    found.sort(key=lambda one: one[0])
    for before, after in pairwise(found):
        if not (before[3] or after[3]):
            continue
        if _day(before[1], zone) == _day(after[1], zone):
            return SAME_DAY, (("day", _day(after[1], zone)),)
        if after[1] < before[2]:
            which = after if after[3] else before
            return CROSSES, (("day", _day(which[0], zone)),)
    return None


def _plain(
    when: Mapping[str, str], zone: ZoneInfo | None, moved: Mapping[str, tuple[str, str]]
) -> list[datetime]:
    """Starts by the rule around the changed occurrences."""
    moments = [instant(moment_of(t)) for o, (start, _) in moved.items() for t in (o, start)]
    wall = instant(moment_of(when["start"])).astimezone(zone or UTC).replace(tzinfo=None)
    try:
        listed = occurrences(
            when["rule"],
            wall,
            zone,
            (),
            window_start=min(moments) - _AROUND,
            window_end=max(moments) + _AROUND,
        )
    except UserError:
        return []  # a rule nobody can read is written as it is
    return [one.start for one in listed]


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def _name(moment: datetime, *, days: bool) -> str:
    return moment.date().isoformat() if days else moment.isoformat()


def _day(moment: datetime, zone: ZoneInfo | None) -> date:
    return moment.astimezone(zone or UTC).date()
