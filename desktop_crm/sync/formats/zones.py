"""Time zones as calendars name them: IANA, Windows, vendor paths, and definitions in the file.

Source of the Windows names: the CLDR table that icalendar carries (rule R34).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from io import StringIO
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from dateutil.tz import tzical
from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON

_ALIASES: Final = {"z": "UTC", "gmt": "UTC", "utc": "UTC", "coordinated universal time": "UTC"}
# Zones that stand first where several share their rules: the likeliest for this product's users.
_OFFSET: Final = re.compile(r"^\W*(?:UTC|GMT)\s*([+-])(\d{1,2})(?::?(\d\d))?\b", re.IGNORECASE)
_PREFERRED: Final = ("Europe/Bucharest", "Europe/Berlin", "Europe/London", "America/New_York")


@lru_cache(maxsize=1)
def _names() -> Mapping[str, str]:
    names = {name.lower(): name for name in available_timezones()}
    names.update({name.lower(): zone for name, zone in WINDOWS_TO_OLSON.items()})
    # The table leads to the same rules, but this is the capital that Windows means.
    names["gtb standard time"] = "Europe/Bucharest"
    names.update(_ALIASES)
    return names


@lru_cache(maxsize=512)
def zone_by_name(name: str) -> ZoneInfo | None:
    """Zone of an IANA or Windows name, or of a vendor's path that ends in one; None if unknown."""
    text = name.strip().strip('"')
    known = _names()
    pieces = text.split("/")
    for start in range(len(pieces)):
        found = known.get("/".join(pieces[start:]).lower())
        if found:
            return _zone(found)
    return None


def _zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def zone_by_offset(name: str) -> tzinfo | None:
    """Clock of a zone that only its shown name is left of, e.g. "(UTC+02:00) Athens, Bucharest".

    It is right for the part of the year the name speaks of; None for a name without an offset.
    """
    match = _OFFSET.match(name)
    if match is None:
        return None
    hours, minutes = int(match[2]), int(match[3] or 0)
    if hours > 14 or minutes > 59:
        return None
    offset = timedelta(hours=hours, minutes=minutes)
    return timezone(-offset if match[1] == "-" else offset)


def zone_by_definition(definition: str) -> tzinfo | None:
    """Zone of a VTIMEZONE component's text; None when its rules cannot be read."""
    try:
        found = tzical(StringIO(f"BEGIN:VCALENDAR\n{definition}\nEND:VCALENDAR\n")).get()
    except (ValueError, KeyError, IndexError, AttributeError, TypeError):
        return None
    return found if isinstance(found, tzinfo) else None


def zone_like(definition: tzinfo, around: datetime) -> ZoneInfo | None:
    """IANA zone whose clock agrees with the definition's in the year around an instant.

    Cost: twelve comparisons for each of about 140 zones, once per definition and year.
    """
    start = around.astimezone(UTC)
    moments = [start + timedelta(days=31 * month) for month in range(12)]
    wanted = [moment.astimezone(definition).utcoffset() for moment in moments]
    for name in (*_PREFERRED, *dict.fromkeys(WINDOWS_TO_OLSON.values())):
        zone = _zone(name)
        if zone and [moment.astimezone(zone).utcoffset() for moment in moments] == wanted:
            return zone
    return None


def windows_name(zone: str) -> str:
    """What Microsoft's services call an IANA zone; its own name where Windows has no other."""
    found = _windows_names().get(zone)
    return found or zone or "UTC"


@lru_cache(maxsize=1)
def _windows_names() -> Mapping[str, str]:
    found: dict[str, str] = {"UTC": "UTC", "Europe/Bucharest": "GTB Standard Time"}
    for name, zone in WINDOWS_TO_OLSON.items():
        found.setdefault(zone, name)
    return found
