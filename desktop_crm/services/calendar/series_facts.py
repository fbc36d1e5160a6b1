"""What the editor of a recurrence is shown, and making a single event repeat."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select

from desktop_crm.core.errors import UserError
from desktop_crm.core.recurrence import first_by_rule
from desktop_crm.core.recurrence_pattern import Frequency, Pattern, build, parse, usual
from desktop_crm.models import Activity
from desktop_crm.services import records
from desktop_crm.services.calendar import series, series_edits
from desktop_crm.services.calendar.series_edits import NO_DATE, Edited, Reach
from desktop_crm.services.context import Actor


@dataclass(frozen=True, slots=True)
class SeriesFacts:
    """An event as the editor of its recurrence sees it.

    Attributes:
        activity: the series, or the single event.
        version: its version.
        title: its subject.
        start: start of the occurrence the person looks at, on its own wall clock.
        zone: zone of that clock.
        all_day: whether it covers whole days; its rule then has no zone.
        rule: the text after `RRULE:`; empty for a single event.
        changed: how many of its occurrences are records of their own.
    """

    activity: int
    version: int
    title: str
    start: datetime
    zone: ZoneInfo
    all_day: bool
    rule: str = ""
    changed: int = 0

    @property
    def pattern(self) -> Pattern:
        """The rule taken apart; the likeliest one for a single event and for an unreadable rule."""
        try:
            if self.rule:
                return parse(self.rule, self.start, None if self.all_day else self.zone)
        except UserError:
            pass  # a file brought it before such rules were left out; a readable one replaces it
        return usual(Frequency.WEEKLY, self.start)

    def rule_of(self, pattern: Pattern, zone: ZoneInfo) -> str:
        """The rule of a pattern; its last day ends at midnight of `zone`."""
        until = None
        if pattern.until is not None:
            until = last_moment(pattern.until, zone)
        return build(pattern, all_day=self.all_day, until=until)


def last_moment(day: date, zone: ZoneInfo) -> datetime:
    """The last second of a day in a zone, as an instant in UTC."""
    following = datetime.combine(day + timedelta(days=1), time(), zone)
    return following.astimezone(ZoneInfo("UTC")) - timedelta(seconds=1)


def read(actor: Actor, activity: int, original: datetime | None) -> SeriesFacts:
    """Read an event or the series it belongs to.

    Args:
        actor: who looks.
        activity: the event, the series or a changed occurrence of one.
        original: start that the rule gives the occurrence the person looks at, if any.

    Raises:
        NotFound: it is not there, or may not be seen.
    """
    record = records.get(actor, "activity", activity)
    values = record.values
    if values["recurrence_id"] and values["ical_uid"] and not values["recurrence_rule"]:
        statement = select(Activity.id).where(
            Activity.ical_uid == values["ical_uid"],
            Activity.recurrence_rule.is_not(None),
            Activity.deleted_at.is_(None),
        )
        with actor.db.reading() as connection:
            key = connection.execute(statement).scalar()
        if key is not None:
            record = records.get(actor, "activity", key)
            values = record.values
    zone = series.zone_named(values["time_zone"], actor.zone)
    clock = ZoneInfo("UTC") if values["is_all_day"] else zone
    start = (original or values["start_at"]).astimezone(clock).replace(tzinfo=None)
    with actor.db.reading() as connection:
        changed = series.changed_names(connection, [values["ical_uid"]])
    return SeriesFacts(
        record.id or activity,
        record.version,
        str(values["subject"] or ""),
        start,
        zone,
        bool(values["is_all_day"]),
        values["recurrence_rule"] or "",
        len(changed.get(values["ical_uid"] or "", ())),
    )


def save(actor: Actor, facts: SeriesFacts, rule: str, zone: ZoneInfo, reach: Reach) -> Edited:
    """Give an event a recurrence, change that of a series, or take it away by an empty rule.

    Raises:
        UserError: the rule gives no date at all; nothing was changed.
    """
    clock = None if facts.all_day else facts.zone
    values: dict[str, object] = {"recurrence_rule": rule or None}
    if not facts.all_day and (not facts.rule or zone.key != facts.zone.key):
        # A zone nobody here knows is kept by its name until another one is chosen (R34).
        values["time_zone"] = zone.key
    if facts.rule:
        shown = facts.start.replace(tzinfo=clock or ZoneInfo("UTC"))
        return series_edits.change(actor, facts.activity, shown, reach, values)
    if rule:
        # Another zone keeps the instant; the rule is then followed on that zone's clock.
        moment = facts.start.replace(tzinfo=clock or ZoneInfo("UTC"))
        target = clock and zone
        wall = moment.astimezone(target or ZoneInfo("UTC")).replace(tzinfo=None)
        first = first_by_rule(rule, wall, target)
        if first is None:
            raise UserError(NO_DATE)
        start = first.replace(tzinfo=target or ZoneInfo("UTC"))
        stored = records.get(actor, "activity", facts.activity).values
        length = series.end_of(stored) - stored["start_at"]
        values |= {"start_at": start, "end_at": start + length}
    saved = records.save(actor, "activity", facts.activity, facts.version, values)
    return Edited(saved.id, saved.changes)
