"""What each address of the scripted service answers."""

from __future__ import annotations

import re
from collections.abc import Callable
from copy import copy
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from tests.graph_server.store import Collection, Resource

if TYPE_CHECKING:
    from tests.graph_server.server import GraphServer


@dataclass
class Request:
    """One request, alone or in a batch."""

    method: str
    path: str
    query: dict[str, str]
    body: Any
    headers: dict[str, str]
    url: str

    @property
    def page(self) -> int:
        """The most items a page may have."""
        found = re.search(r"odata\.maxpagesize=(\d+)", self.headers.get("Prefer", ""))
        return int(found[1]) if found else 10


@dataclass
class Reply:
    """One answer; JSON, bytes or nothing."""

    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)


def problem(status: int, code: str, message: str = "", **headers: str) -> Reply:
    """An error as Graph tells it."""
    told = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(status, {"error": {"code": code, "message": message}}, told)


def not_found() -> Reply:
    """The item is not there."""
    return problem(404, "ErrorItemNotFound", "The specified object was not found in the store.")


Route = Callable[["GraphServer", Request, "re.Match[str]"], Reply]


def answer(server: GraphServer, request: Request) -> Reply:
    """The right answer to a request."""
    from tests.graph_server import writing

    other = re.fullmatch(r"/me/calendars/([^/]+)(/.+)", unquote(request.path))
    if other:
        return _in_calendar(server, request, other)
    for method, pattern, route in (*_ROUTES, *writing.ROUTES):
        found = re.fullmatch(pattern, unquote(request.path))
        if method == request.method and found:
            return route(server, request, found)
    return problem(400, "BadRequest", f"Resource not found for the segment {request.path}")


def _in_calendar(server: GraphServer, request: Request, found: re.Match[str]) -> Reply:
    """What the usual calendar would answer, of another one."""
    key, rest = found[1], found[2]
    if key not in server.store.calendars:
        return not_found()
    there = copy(server)
    there.store = server.store.in_calendar(key)
    path = f"/me{rest}" if rest.startswith("/calendarView") else f"/me/calendar{rest}"
    reply = answer(there, replace(request, path=path))
    for name in ("@odata.nextLink", "@odata.deltaLink"):
        if isinstance(reply.body, dict) and name in reply.body:
            reply.body[name] = reply.body[name].replace(path, request.path)
    return reply


def _calendars(server: GraphServer, request: Request, found: re.Match[str]) -> Reply:
    others = [{"id": key, "name": server.store.names[key]} for key in server.store.calendars]
    usual = {"id": "cal-1", "name": "Calendar", "isDefaultCalendar": True, "canEdit": True}
    return Reply(200, {"value": [usual, *others]})


def _me(server: GraphServer, request: Request, found: re.Match[str]) -> Reply:
    address = server.store.address
    return Reply(
        200,
        {
            "mail": address,
            "userPrincipalName": f"a.{address}",
            "proxyAddresses": [f"SMTP:{address}", "smtp:alias@firma.example"],
        },
    )


def _folder(server: GraphServer, request: Request, found: re.Match[str]) -> Reply:
    folder = server.store.folder(found[1])
    if folder is None:
        return problem(404, "ErrorFolderNotFound", "no such folder")
    return Reply(200, {"id": folder.id, "totalItemCount": len(folder.mail.items)})


def _folders(server: GraphServer, request: Request, found: re.Match[str]) -> Reply:
    parent = found[1] if found.re.groups else ""
    all_folders = server.store.folders.values()
    listed = [
        {
            "id": one.id,
            "displayName": one.name,
            "childFolderCount": sum(other.parent == one.id for other in all_folders),
        }
        for one in all_folders
        if one.parent == parent
    ]
    return Reply(200, {"value": listed})


def _delta(
    server: GraphServer, request: Request, collection: Collection, first: list[Resource]
) -> Reply:
    """A page of changes: of what is there now, or of what the journal tells since."""
    size = min(request.page, server.page_limit)
    token = request.query.get("$skiptoken") or request.query.get("$deltatoken") or ""
    if token and token.split(".")[0] != str(server.generation):
        return problem(410, "syncStateNotFound", "The sync state generation is not found")
    _, kind, place, journal = (token or f"0.first.0.{len(collection.journal)}").split(".")
    start = int(place)
    if kind == "first":
        listed, end = first[start : start + size], len(first)
    else:
        end = len(collection.journal)
        events = collection.journal[start : start + size]
        listed = [_told(collection, *event) for event in events]
    after = start + size
    base = f"{server.url}{request.path}"
    window = "".join(
        f"&{name}={value}"
        for name, value in request.query.items()
        if name in ("startDateTime", "endDateTime")
    )
    if after < end:
        link = f"{base}?$skiptoken={server.generation}.{kind}.{after}.{journal}{window}"
        return Reply(200, {"value": listed, "@odata.nextLink": link})
    place_ = journal if kind == "first" else str(end)
    link = f"{base}?$deltatoken={server.generation}.later.{place_}.0{window}"
    return Reply(200, {"value": listed, "@odata.deltaLink": link})


def _told(collection: Collection, what: str, key: str, changed: Resource) -> Resource:
    one = collection.items.get(key)
    if what == "gone" or one is None:
        return {"id": key, "@removed": {"reason": "deleted"}}
    if what == "marks":
        return {"id": key, "@odata.etag": one["@odata.etag"], **changed}
    return one


def _messages_delta(server: GraphServer, request: Request, found: re.Match[str]) -> Reply:
    folder = server.store.folder(found[1])
    if folder is None:
        return problem(404, "ErrorFolderNotFound", "no such folder")
    if "$orderby" in request.query and request.query["$orderby"] != "receivedDateTime desc":
        return problem(400, "BadRequest", "unsupported $orderby")
    first = sorted(folder.mail.items.values(), key=lambda m: m["receivedDateTime"], reverse=True)
    return _delta(server, request, folder.mail, first)


def _mime(server: GraphServer, request: Request, found: re.Match[str]) -> Reply:
    key = found[1]
    if server.store.home_of(key) is None:
        return not_found()
    content = server.store.mime[key]
    if content == b"broken":
        return problem(500, "ErrorMimeContentConversionFailed", "Mime content conversion failed.")
    return Reply(200, content, {"Content-Type": "text/plain"})


def _view_delta(server: GraphServer, request: Request, found: re.Match[str]) -> Reply:
    store, query = server.store, request.query
    shown = store.view(query["startDateTime"], query["endDateTime"])
    reply = _delta(server, request, store.events, shown)
    inside = {one["id"] for one in shown}
    for n, one in enumerate(reply.body.get("value", ())):
        # What lies outside the window is told as removed, whatever happened to it.
        if one["id"] not in inside:
            reply.body["value"][n] = {"id": one["id"], "@removed": {"reason": "deleted"}}
    return reply


def _event(server: GraphServer, request: Request, found: re.Match[str]) -> Reply:
    one = server.store.event(found[1])
    return Reply(200, one) if one is not None else not_found()


def _instances(server: GraphServer, request: Request, found: re.Match[str]) -> Reply:
    master = server.store.events.items.get(found[1])
    if master is None:
        return not_found()
    since, until = request.query["startDateTime"][:19], request.query["endDateTime"][:19]
    fields = ("id", "type", "start", "originalStart", "seriesMasterId")
    listed = [
        {name: one[name] for name in fields}
        for one in server.store.occurrences(master)
        if since <= one["start"]["dateTime"][:19] < until
    ]
    skip = int(request.query.get("$skip", "0"))
    size = min(int(request.query.get("$top", "10")), server.page_limit)
    body: Resource = {"value": listed[skip : skip + size]}
    if skip + size < len(listed):
        window = f"startDateTime={request.query['startDateTime']}"
        window += f"&endDateTime={request.query['endDateTime']}&$top={size}&$skip={skip + size}"
        body["@odata.nextLink"] = f"{server.url}{request.path}?{window}"
    return Reply(200, body)


def _lists(server: GraphServer, request: Request, found: re.Match[str]) -> Reply:
    listed = [{"id": key, "displayName": server.store.names[key]} for key in server.store.tasks]
    return Reply(200, {"value": listed})


def _tasks_delta(server: GraphServer, request: Request, found: re.Match[str]) -> Reply:
    collection = server.store.tasks[found[1]]
    return _delta(server, request, collection, list(collection.items.values()))


def _books(server: GraphServer, request: Request, found: re.Match[str]) -> Reply:
    # The usual one is not among them.
    others = [key for key in server.store.contacts if key != "book-1"]
    listed = [{"id": key, "displayName": server.store.names[key]} for key in others]
    return Reply(200, {"value": listed})


def _contacts_delta(server: GraphServer, request: Request, found: re.Match[str]) -> Reply:
    collection = server.store.contacts[found[1]]
    return _delta(server, request, collection, list(collection.items.values()))


_ROUTES: list[tuple[str, str, Route]] = [
    ("GET", r"/me", _me),
    ("GET", r"/me/mailFolders", _folders),
    ("GET", r"/me/mailFolders/([^/]+)/childFolders", _folders),
    ("GET", r"/me/mailFolders/([^/]+)/messages/delta", _messages_delta),
    ("GET", r"/me/mailFolders/([^/]+)", _folder),
    ("GET", r"/me/messages/([^/]+)/\$value", _mime),
    ("GET", r"/me/calendar", lambda s, r, f: Reply(200, {"id": "cal-1"})),
    ("GET", r"/me/calendars", _calendars),
    ("GET", r"/me/calendarView/delta", _view_delta),
    ("GET", r"/me/calendar/events/([^/]+)", _event),
    ("GET", r"/me/calendar/events/([^/]+)/instances", _instances),
    ("GET", r"/me/todo/lists", _lists),
    ("GET", r"/me/todo/lists/([^/]+)/tasks/delta", _tasks_delta),
    ("GET", r"/me/contactFolders", _books),
    (
        "GET",
        r"/me/contactFolders/contacts",
        lambda s, r, f: Reply(200, {"id": "book-1", "displayName": "Contacts"}),
    ),
    ("GET", r"/me/contactFolders/([^/]+)/contacts/delta", _contacts_delta),
]
