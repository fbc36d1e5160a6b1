"""When colleagues are busy, by the calendars that are stored here."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select

from desktop_crm.models import User
from desktop_crm.services.calendar import agenda
from desktop_crm.services.calendar.series import zone_named
from desktop_crm.services.calendar.slots import PersonTimes, Slot
from desktop_crm.services.context import Actor


def of_users(
    actor: Actor, users: Collection[int], start: datetime, end: datetime
) -> dict[int, PersonTimes]:
    """Busy times of users between two instants, in their own zones.

    What is private to somebody counts as busy and says no more (R39). Events out of the actor's
    reach are not known and therefore not counted.
    """
    if not users:
        return {}
    events = agenda.events(actor, start, end, people=users)
    with actor.db.reading() as connection:
        zones = {
            key: zone_named(name, actor.zone)
            for key, name in connection.execute(
                select(User.id, User.time_zone).where(User.id.in_(users))
            )
        }
    found: dict[int, PersonTimes] = {}
    for user in users:
        zone = zones.get(user, actor.zone)
        busy = tuple(
            _slot(event.start, event.end, zone, whole_days=event.all_day)
            for event in events
            if user in event.people and event.show_as != "free"
        )
        found[user] = PersonTimes(zone, busy)
    return found


def _slot(start: datetime, end: datetime, zone: ZoneInfo, *, whole_days: bool) -> Slot:
    if not whole_days:
        return Slot(start, end)
    first, last = start.date(), end.date()
    return Slot(
        datetime.combine(first, time(), zone),
        datetime.combine(max(last, first + timedelta(days=1)), time(), zone),
    )
