"""When people are busy: one's own calendars by report, others by the server's scheduling outbox.

Source: RFC 4791, 7.10 (free-busy-query) and RFC 6638, 5 (the outbox).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from icalendar import Calendar, FreeBusy, vCalAddress
from lxml import etree

from desktop_crm.core import clock
from desktop_crm.core.identity import new_uid
from desktop_crm.sync.dav.client import CAL, DAV, DavClient, Denied, Missing, tag
from desktop_crm.sync.dav.places import Place
from desktop_crm.sync.dav.store import DavStore
from desktop_crm.sync.formats.ical_tree import Line, read_tree
from desktop_crm.sync.formats.ical_values import Clock, Unreadable, duration, stamp
from desktop_crm.sync.port import FolderRole, ShowAs
from desktop_crm.sync.writes import BusyTime

_KINDS: Final = {
    "FREE": ShowAs.FREE,
    "BUSY": ShowAs.BUSY,
    "BUSY-TENTATIVE": ShowAs.TENTATIVE,
    "BUSY-UNAVAILABLE": ShowAs.OUT_OF_OFFICE,
}


def busy_times(
    store: DavStore, addresses: Sequence[str], start: datetime, end: datetime
) -> Mapping[str, tuple[BusyTime, ...] | None]:
    """Busy times of people; None for those the servers do not know.

    Cost: one request for each of one's own calendars, one for all others together.
    """
    found: dict[str, tuple[BusyTime, ...] | None] = dict.fromkeys(addresses)
    own = [address for address in addresses if address.casefold() in store.own]
    if own:
        times = [time for place in store.places for time in _of_place(place, start, end)]
        for address in own:
            found[address] = tuple(sorted(set(times), key=lambda time: time.start))
    others = [address for address in addresses if address not in own]
    for client in store.clients:
        outbox = store.at(client).outbox
        if others and outbox:
            organizer = min(store.own)
            found |= _of_others(client, outbox, organizer, others, (start, end))
    return found


def _of_place(place: Place, start: datetime, end: datetime) -> list[BusyTime]:
    if place.role is not FolderRole.CALENDAR:
        return []
    query = etree.Element(tag("c:free-busy-query"), nsmap={"c": CAL[1:-1]})
    etree.SubElement(query, tag("c:time-range"), {"start": _utc(start), "end": _utc(end)})
    headers = {"Depth": "1", "Content-Type": "application/xml; charset=utf-8"}
    try:
        response = place.client.send(
            "REPORT", place.client.at(place.path), bytes(etree.tostring(query)), headers
        )
    except (Denied, Missing):
        return []
    return list(_periods(response.content))


def _of_others(
    client: DavClient,
    outbox: str,
    organizer: str,
    addresses: Sequence[str],
    period: tuple[datetime, datetime],
) -> dict[str, tuple[BusyTime, ...] | None]:
    asked = FreeBusy()
    asked.add("UID", new_uid())
    asked.add("DTSTAMP", clock.now().astimezone(UTC))
    asked.add("DTSTART", period[0].astimezone(UTC))
    asked.add("DTEND", period[1].astimezone(UTC))
    asked.add("ORGANIZER", vCalAddress(f"mailto:{organizer}"))
    for address in addresses:
        asked.add("ATTENDEE", vCalAddress(f"mailto:{address}"))
    calendar = Calendar()
    calendar.add("PRODID", "-//Desktop CRM//EN")
    calendar.add("VERSION", "2.0")
    calendar.add("METHOD", "REQUEST")
    calendar.add_component(asked)
    headers = {"Content-Type": "text/calendar; charset=utf-8"}
    try:
        response = client.send("POST", client.at(outbox), calendar.to_ical(), headers)
        root = etree.fromstring(response.content, etree.XMLParser(resolve_entities=False))
    except (Denied, Missing, etree.XMLSyntaxError):
        return {}
    named = {address.casefold(): address for address in addresses}
    found: dict[str, tuple[BusyTime, ...] | None] = {}
    for one in root.iter(f"{CAL}response"):
        text = (one.findtext(f"{CAL}recipient/{DAV}href") or "").strip().casefold()
        asked_for = named.get(text.removeprefix("mailto:"))
        data = one.findtext(f"{CAL}calendar-data")
        if asked_for and data:
            found[asked_for] = tuple(_periods(data.encode()))
    return found


def _periods(data: bytes) -> Iterator[BusyTime]:
    clock_ = Clock({}, UTC)
    for component in read_tree(data).walk("VFREEBUSY"):
        for line in component.every("FREEBUSY"):
            kind = _KINDS.get(line.params.get("FBTYPE", "BUSY").upper(), ShowAs.BUSY)
            if kind is ShowAs.FREE:
                continue
            for text in line.value.split(","):
                yield from _period(line, text, kind, clock_)


def _period(line: Line, text: str, kind: ShowAs, clock_: Clock) -> Iterator[BusyTime]:
    first, _, last = text.strip().partition("/")
    try:
        start = stamp(line, clock_, first)
        if not isinstance(start, datetime):
            return
        end = start + duration(last, clock_) if "P" in last.upper() else stamp(line, clock_, last)
    except Unreadable:
        return
    if isinstance(end, datetime) and end > start:
        yield BusyTime(start.astimezone(UTC), end.astimezone(UTC), kind)


def _utc(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y%m%dT%H%M%SZ}"
