"""A recurring series as the diary reads it: its dates, and the names by which one is meant.

A series is one activity with a rule; a changed occurrence is an activity of its own with the
series' `ical_uid` and the original start as `recurrence_id`; a date left out stands among the
series' `recurrence_exceptions` (R33, R34).
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import Connection, select

from desktop_crm.core.recurrence import Occurrence, last_wall, occurrences
from desktop_crm.models import Activity
from desktop_crm.services.query import key_clause

log = logging.getLogger(__name__)

DEFAULT_LENGTH: Final = timedelta(minutes=30)
"""Length of an event that has a start and no end."""

_FAR: Final = timedelta(days=366 * 100)
_LONGEST: Final = timedelta(days=366 * 10)
"""The longest an occurrence is taken to be; what a file says beyond it is no meeting."""
_DAY_LENGTH: Final = len("2026-11-25")


def zone_named(name: str | None, fallback: ZoneInfo) -> ZoneInfo:
    """A zone by its stored name; the fallback where none is stored or it is not known here."""
    try:
        return ZoneInfo(name) if name else fallback
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return fallback


def end_of(values: Mapping[str, Any]) -> datetime:
    """End of an activity's row, or what stands for it where it has none."""
    return end_by(values["start_at"], values["end_at"], whole_days=values["is_all_day"])


def end_by(start: datetime, end: datetime | None, *, whole_days: bool) -> datetime:
    """The same by its three values."""
    if end is not None and end > start:
        return end
    return start + (timedelta(days=1) if whole_days else DEFAULT_LENGTH)


@dataclass(frozen=True, slots=True)
class Series:
    """A recurring activity.

    Attributes:
        key: its activity.
        rule: the text after `RRULE:`.
        first: wall-clock start of the first occurrence, naive.
        length: how long each is.
        zone: zone of the wall clock; None for whole days.
        left_out: wall-clock starts that are no occurrence of it, or one that was changed.
    """

    key: int
    rule: str
    first: datetime
    length: timedelta
    zone: ZoneInfo | None
    left_out: frozenset[datetime] = frozenset()

    @property
    def clock(self) -> ZoneInfo:
        """Zone its walls are reckoned in."""
        return self.zone or ZoneInfo("UTC")

    def wall(self, moment: datetime) -> datetime:
        """Naive wall-clock time of an instant."""
        return moment.astimezone(self.clock).replace(tzinfo=None)

    def instant(self, wall: datetime) -> datetime:
        """Instant of a naive wall-clock time."""
        return wall.replace(tzinfo=self.clock).astimezone(UTC)

    def name_of(self, wall: datetime) -> str:
        """How an original start is stored: the day of whole days, else the instant."""
        return wall.date().isoformat() if self.zone is None else self.instant(wall).isoformat()

    def named(self, text: str) -> datetime | None:
        """Wall-clock start meant by a stored name: an instant, a local time or a bare day."""
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            log.warning("An exception of a series cannot be read: %s", text)
            return None
        if len(text) == _DAY_LENGTH:
            return datetime.combine(moment.date(), self.first.time() if self.zone else time())
        return self.wall(moment) if moment.tzinfo is not None else moment

    def between(self, start: datetime, end: datetime) -> list[Occurrence]:
        """Occurrences that start in the half-open window, left-out ones not among them.

        Raises:
            UserError: the rule cannot be read.
        """
        return occurrences(
            self.rule, self.first, self.zone, self.left_out, window_start=start, window_end=end
        )

    def by_rule(self, start: datetime, end: datetime) -> list[datetime]:
        """Wall-clock starts by the rule alone, left-out ones among them."""
        found = occurrences(
            self.rule, self.first, self.zone, (), window_start=start, window_end=end
        )
        return [one.wall for one in found]

    def next_after(self, moment: datetime) -> datetime | None:
        """Start of the first occurrence at or after an instant; None when there is none."""
        reach = timedelta(days=62)
        start = max(moment, self.instant(self.first))
        last = self.last()
        while start - moment < _FAR and (last is None or start <= last):
            found = self.between(start, start + reach)
            if found:
                return found[0].start
            start, reach = start + reach, reach * 4
        return None

    def last(self) -> datetime | None:
        """Instant of the last occurrence by the rule; None when it has no end."""
        wall = last_wall(self.rule, self.first, self.zone)
        return None if wall is None else self.instant(wall)


def of_row(
    values: Mapping[str, Any], fallback: ZoneInfo, changed: Collection[str] = ()
) -> Series | None:
    """The series an activity's row declares; None for one without a rule or a start.

    Args:
        values: the row by column name; `recurrence_rule`, `start_at`, `end_at`, `is_all_day`,
            `time_zone`, `recurrence_exceptions` are read.
        fallback: zone of a series that names none.
        changed: names of its occurrences that are activities of their own.
    """
    rule, start = values.get("recurrence_rule"), values.get("start_at")
    if not rule or start is None:
        return None
    zone = None if values["is_all_day"] else zone_named(values.get("time_zone"), fallback)
    first = start.astimezone(zone or UTC).replace(tzinfo=None)
    length = min(end_of(values) - start, _LONGEST)
    plain = Series(values["id"], rule, first, length, zone)
    texts = [*(values.get("recurrence_exceptions") or ()), *changed]
    left_out = frozenset(wall for text in texts if (wall := plain.named(str(text))) is not None)
    return Series(plain.key, rule, first, plain.length, zone, left_out)


def changed_names(connection: Connection, uids: Iterable[str | None]) -> dict[str, tuple[str, ...]]:
    """Names of changed occurrences by the calendar id of their series; one statement."""
    wanted = [uid for uid in uids if uid]
    found: dict[str, tuple[str, ...]] = {}
    if not wanted:
        return found
    statement = select(Activity.ical_uid, Activity.recurrence_id).where(
        Activity.deleted_at.is_(None),
        Activity.recurrence_id.is_not(None),
        key_clause(connection, Activity.__table__.c.ical_uid, wanted),
    )
    for uid, name in connection.execute(statement):
        if uid and name:
            found[uid] = (*found.get(uid, ()), name)
    return found
