"""The calendars, task lists and address books of a person, found from one address.

Source: RFC 6764 (well-known addresses), RFC 5397 (principal), RFC 4791 and 6352 (home sets).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from lxml import etree

from desktop_crm.core.errors import EnvironmentProblem
from desktop_crm.core.i18n import N_
from desktop_crm.sync.dav.client import (
    CAL,
    CARD,
    CS,
    DAV,
    Answer,
    DavClient,
    Denied,
    Missing,
    path_of,
)
from desktop_crm.sync.port import Folder, FolderRole

PREFIX: Final = "dav:"
"""What the keys of these folders begin with."""

_PRINCIPAL: Final = f"{DAV}current-user-principal"
_CALENDARS: Final = f"{CAL}calendar-home-set"
_BOOKS: Final = f"{CARD}addressbook-home-set"
_ADDRESSES: Final = f"{CAL}calendar-user-address-set"
_OUTBOX: Final = f"{CAL}schedule-outbox-URL"
_DEFAULT: Final = f"{CAL}schedule-default-calendar-URL"
_TYPE: Final = f"{DAV}resourcetype"
_NAME: Final = f"{DAV}displayname"
_COMPONENTS: Final = f"{CAL}supported-calendar-component-set"
_REPORTS: Final = f"{DAV}supported-report-set"
_USUAL: Final = ("calendar", "default", "personal", "home", "work")


@dataclass(frozen=True, slots=True)
class Place:
    """One collection.

    Attributes:
        client: the server it lies on.
        path: its path, with a slash at its end.
        name: what a person calls it.
        role: calendar, tasks or contacts; a collection of two kinds is two places.
        syncs: whether the server tells what changed since a token.
    """

    client: DavClient
    path: str
    name: str
    role: FolderRole
    syncs: bool

    @property
    def folder(self) -> Folder:
        """The folder of the port."""
        return Folder(f"{PREFIX}{self.role.value}:{self.path}", self.name, self.role)


@dataclass(slots=True)
class Found:
    """What a server has of a person; `calendars` and `books` are where more can be made."""

    places: list[Place] = field(default_factory=list)
    addresses: set[str] = field(default_factory=set)
    outbox: str = ""
    calendars: str = ""
    books: str = ""
    schedules: bool = False


def discover(client: DavClient) -> Found:
    """Everything the server shows; five to eight requests.

    Raises:
        EnvironmentProblem: the address leads to no calendar and no address book.
    """
    found = Found()
    homes: dict[str, str] = {}
    for start in _starts(client.url):
        principal = _principal(client, start)
        if principal is None:
            continue
        for home, default in _homes(client, principal, found):
            homes.setdefault(home, default)
    if not homes:
        # An address may lead to one collection, or to the folder they lie in.
        homes = {path_of(client.url) or "/": ""}
    for home, default in homes.items():
        found.places += _collections(client, home, default, found)
    if not found.places:
        raise EnvironmentProblem(
            N_(
                "The server {server} shows no calendar and no address book at this address. "
                "Nothing was changed; enter the address your provider names for CalDAV."
            ),
            server=client.host,
        )
    return found


def _starts(url: str) -> list[str]:
    path = urlsplit(url).path
    if path not in ("", "/"):
        return [path]
    return ["/.well-known/caldav", "/.well-known/carddav", "/"]


def _principal(client: DavClient, start: str) -> str | None:
    try:
        answers = client.find(start, _PRINCIPAL)
    except (Missing, Denied):
        return None
    return next((path for one in answers for path in one.paths(_PRINCIPAL)), None)


def _homes(client: DavClient, principal: str, found: Found) -> Iterator[tuple[str, str]]:
    try:
        answers = client.find(principal, _CALENDARS, _BOOKS, _ADDRESSES, _OUTBOX, _DEFAULT)
    except (Missing, Denied):
        return
    for one in answers:
        for text in one.paths(_ADDRESSES):
            if text.lower().startswith("mailto:"):
                found.addresses.add(text[7:].casefold())
        outboxes = one.paths(_OUTBOX)
        found.outbox = found.outbox or (path_of(outboxes[0]) if outboxes else "")
        default = one.paths(_DEFAULT)
        found.calendars = found.calendars or next(iter(one.paths(_CALENDARS)), "")
        found.books = found.books or next(iter(one.paths(_BOOKS)), "")
        for home in (*one.paths(_CALENDARS), *one.paths(_BOOKS)):
            yield home, path_of(default[0]) if default else ""


def _collections(client: DavClient, home: str, default: str, found: Found) -> list[Place]:
    try:
        answers = client.find(home, _TYPE, _NAME, _COMPONENTS, _REPORTS, depth="1")
    except (Missing, Denied):
        return []
    known = {place.folder.key for place in found.places}
    places = [place for one in answers for place in _places(client, one)]
    places = [place for place in places if place.folder.key not in known]
    found.schedules = found.schedules or _schedules(client, places)

    def order(place: Place) -> tuple[bool, bool, str]:
        usual = place.path.rstrip("/").rpartition("/")[2].lower() in _USUAL
        return (place.path != default, not usual, place.name.casefold())

    return sorted(places, key=order)


def _places(client: DavClient, answer: Answer) -> Iterator[Place]:
    kinds = answer.properties.get(_TYPE)
    names = {one.tag for one in kinds} if kinds is not None else set()
    path = answer.path if answer.path.endswith("/") else f"{answer.path}/"
    name = answer.text(_NAME) or path.rstrip("/").rpartition("/")[2]
    reports = answer.properties.get(_REPORTS)
    syncs = reports is not None and any(True for _ in reports.iter(f"{DAV}sync-collection"))
    roles: list[FolderRole] = []
    if f"{CARD}addressbook" in names:
        roles.append(FolderRole.CONTACTS)
    # A subscribed calendar is somebody else's, copied from the web.
    if f"{CAL}calendar" in names and f"{CS}subscribed" not in names:
        components = answer.properties.get(_COMPONENTS)
        held = (
            {one.get("name", "").upper() for one in components}
            if components is not None
            else {"VEVENT"}
        )
        roles += [FolderRole.CALENDAR] if "VEVENT" in held else []
        roles += [FolderRole.TASKS] if "VTODO" in held else []
    for role in roles:
        yield Place(client, path, name, role, syncs)


def _schedules(client: DavClient, places: list[Place]) -> bool:
    """Whether the server sends invitations by itself (RFC 6638, 2)."""
    calendar = next((p for p in places if p.role is FolderRole.CALENDAR), None)
    if calendar is None:
        return False
    try:
        response = client.send("OPTIONS", client.at(calendar.path))
    except (Missing, Denied):
        return False
    return "calendar-auto-schedule" in response.headers.get("DAV", "").lower()


def make(client: DavClient, home: str, name: str, role: FolderRole) -> None:
    """Make a collection below a home (RFC 4791, 5.3.1; RFC 5689).

    Raises:
        Denied: the server does not, or there is something of that name.
    """
    book = role is FolderRole.CONTACTS
    # A calendar and an address book of one name may share a home, but never an address.
    last = name if book else f"{name}-{role.value}"
    path = f"{home.rstrip('/')}/{path_of(last)}/"
    headers = {"Content-Type": "application/xml; charset=utf-8"}
    top = etree.Element(f"{DAV}mkcol" if book else f"{CAL}mkcalendar")
    properties = etree.SubElement(etree.SubElement(top, f"{DAV}set"), f"{DAV}prop")
    etree.SubElement(properties, _NAME).text = name
    if book:
        kinds = etree.SubElement(properties, _TYPE)
        etree.SubElement(kinds, f"{DAV}collection")
        etree.SubElement(kinds, f"{CARD}addressbook")
    else:
        held = "VTODO" if role is FolderRole.TASKS else "VEVENT"
        etree.SubElement(etree.SubElement(properties, _COMPONENTS), f"{CAL}comp", name=held)
    body = etree.tostring(top, xml_declaration=True, encoding="utf-8")
    client.send("MKCOL" if book else "MKCALENDAR", client.at(path), bytes(body), headers)
