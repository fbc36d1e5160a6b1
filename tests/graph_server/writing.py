"""What the scripted service does when it is written to; it tells people as the real one does."""

from __future__ import annotations

import base64
import re
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import getaddresses
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from tests.graph_server.routes import Reply, Request, Route, not_found, problem
from tests.graph_server.store import Collection, Resource, Store, instant, zoned

if TYPE_CHECKING:
    from tests.graph_server.server import GraphServer

Match = re.Match[str]


def stale(request: Request, one: Resource) -> Reply | None:
    """The refusal when the item is another version than the request knows."""
    wanted = request.headers.get("If-Match")
    if wanted and wanted != one["@odata.etag"]:
        return problem(412, "ErrorIrresolvableConflict", "the change key does not match")
    return None


def matching(listed: list[Resource], wanted: str) -> list[Resource]:
    """What a filter finds: an extended property with a value, or a Message-ID."""
    value = re.search(r"ep/value eq '(.*?)'\)", wanted)
    if value:
        return [
            one
            for one in listed
            if any(p["value"] == value[1] for p in one.get("singleValueExtendedProperties", ()))
        ]
    message_id = re.fullmatch(r"internetMessageId eq '(.*)'", wanted)
    assert message_id, wanted
    return [one for one in listed if one.get("internetMessageId") == message_id[1]]


def merged(one: Resource, told: Resource) -> Resource:
    """A resource with what a request said; extended properties come beside those it has."""
    own = told.pop("singleValueExtendedProperties", [])
    ids = {p["id"] for p in own}
    before = one.get("singleValueExtendedProperties", [])
    kept = [p for p in before if p["id"] not in ids]
    return one | told | {"singleValueExtendedProperties": [*kept, *own]}


# --- messages ----------------------------------------------------------------------------------


def _create_message(server: GraphServer, request: Request, found: Match) -> Reply:
    if len(request.body) > 4 * 1024 * 1024:
        return problem(413, "RequestEntityTooLarge", "Maximum request length exceeded.")
    mime = base64.b64decode(request.body)
    head = message_from_bytes(mime, policy=policy.default)
    key = server.store.put_mail(
        "drafts",
        mime,
        isDraft=True,
        isRead=True,
        subject=str(head["subject"] or ""),
        internetMessageId=str(head["message-id"] or "").strip(),
    )
    return Reply(201, server.store.folders["id-drafts"].mail.items[key])


def _message(server: GraphServer, request: Request, found: Match) -> Reply:
    home = server.store.home_of(found[1])
    return Reply(200, home.mail.items[found[1]]) if home else not_found()


def _messages(server: GraphServer, request: Request, found: Match) -> Reply:
    every = [one for f in server.store.folders.values() for one in f.mail.items.values()]
    return Reply(200, {"value": matching(every, request.query["$filter"])})


def _change_message(server: GraphServer, request: Request, found: Match) -> Reply:
    home = server.store.home_of(found[1])
    if home is None:
        return not_found()
    changed = server.store.stamp(merged(home.mail.items[found[1]], dict(request.body)))
    home.mail.put(changed)
    return Reply(200, changed)


def _delete_message(server: GraphServer, request: Request, found: Match) -> Reply:
    home = server.store.home_of(found[1])
    if home is None:
        return not_found()
    home.mail.drop(found[1])
    return Reply(204)


def _move(store: Store, key: str, target: str) -> Resource | None:
    home, place = store.home_of(key), store.folder(target)
    if home is None or place is None:
        return None
    one = home.mail.drop(key)
    place.mail.put(store.stamp(one | {"parentFolderId": place.id}))
    return place.mail.items[key]


def _move_message(server: GraphServer, request: Request, found: Match) -> Reply:
    moved = _move(server.store, found[1], request.body["destinationId"])
    return Reply(201, moved) if moved else not_found()


def _send(server: GraphServer, request: Request, found: Match) -> Reply:
    store = server.store
    home = store.home_of(found[1])
    if home is None:
        return not_found()
    one = home.mail.items[found[1]]
    mime = store.mime[found[1]]
    head = message_from_bytes(mime, policy=policy.default)
    fields = [str(head[name]) for name in ("to", "cc", "bcc") if head[name]]
    people = [address for _, address in getaddresses(fields)]
    people += [box["emailAddress"]["address"] for box in one["bccRecipients"]]
    store.sent.append((found[1], mime, tuple(people)))
    one["isDraft"] = False
    _move(store, found[1], server.after_sending)
    return Reply(202)


def _upload_session(server: GraphServer, request: Request, found: Match) -> Reply:
    item = request.body["AttachmentItem"]
    server.uploads[found[1]] = (item, bytearray())
    return Reply(201, {"uploadUrl": f"{server.url}/upload/{found[1]}?authtoken=t"})


def _upload(server: GraphServer, request: Request, found: Match) -> Reply:
    assert "Authorization" not in request.headers
    item, data = server.uploads[found[1]]
    start = int(re.findall(r"bytes (\d+)-", request.headers["Content-Range"])[0])
    assert start == len(data), "the pieces of a file come in order"
    data += request.body
    if len(data) < item["size"]:
        return Reply(200, {"nextExpectedRanges": [str(len(data))]})
    message = message_from_bytes(server.store.mime[found[1]], policy=policy.SMTP)
    assert isinstance(message, EmailMessage)
    kind, _, sub = item["contentType"].partition("/")
    message.add_attachment(bytes(data), maintype=kind, subtype=sub, filename=item["name"])
    server.store.mime[found[1]] = message.as_bytes()
    return Reply(201)


# --- meetings ----------------------------------------------------------------------------------


def _in_utc(told: Resource) -> Resource:
    """Times as the service tells them again; it remembers the zone they were told in."""
    found = dict(told)
    if "start" in found and not found.get("isAllDay"):
        found["originalStartTimeZone"] = found["start"]["timeZone"]
    for name in ("start", "end"):
        if name in found:
            found[name] = zoned(instant(found[name]).replace(tzinfo=None).isoformat())
    if "attendees" in found:
        found["attendees"] = [{**one, "status": {"response": "none"}} for one in found["attendees"]]
    return found


def _tell(server: GraphServer, what: str, one: Resource) -> None:
    """Tell everybody who is invited; the service cannot be asked not to."""
    people = tuple(box["emailAddress"]["address"] for box in one["attendees"])
    if people and one["isOrganizer"]:
        server.store.invitations.append((what, one["id"], people))


def _create_event(server: GraphServer, request: Request, found: Match) -> Reply:
    store = server.store
    told = _in_utc(dict(request.body))
    known = store.made.get(told.get("transactionId", ""))
    if known in store.events.items:
        return Reply(201, store.events.items[known])
    own = told.pop("singleValueExtendedProperties", [])
    key = store.put_event(**told, singleValueExtendedProperties=own)
    store.made[told.get("transactionId", "")] = key
    _tell(server, "invited", store.events.items[key])
    return Reply(201, store.events.items[key])


def _change_event(server: GraphServer, request: Request, found: Match) -> Reply:
    store = server.store
    one = store.event(found[1])
    if one is None:
        return not_found()
    if refusal := stale(request, one):
        return refusal
    told = merged(one, _in_utc(dict(request.body)))
    if one.get("type") in ("occurrence", "exception"):
        day = found[1].rpartition(".")[2]
        store.change_occurrence(one["seriesMasterId"], day, **told | {"type": "exception"})
    else:
        told["type"] = "seriesMaster" if told["recurrence"] else "singleInstance"
        store.put_event(found[1], **told)
    changed = store.event(found[1])
    assert changed is not None
    _tell(server, "updated", changed)
    return Reply(200, changed)


def _delete_event(server: GraphServer, request: Request, found: Match) -> Reply:
    store = server.store
    one = store.event(found[1])
    if one is None:
        return not_found()
    if refusal := stale(request, one):
        return refusal
    _tell(server, "cancelled", one)
    if one["type"] in ("occurrence", "exception"):
        store.events.items.pop(found[1], None)
        store.delete_occurrence(one["seriesMasterId"], found[1].rpartition(".")[2])
    else:
        store.events.drop(found[1])
    return Reply(204)


def _events(server: GraphServer, request: Request, found: Match) -> Reply:
    listed = list(server.store.events.items.values())
    return Reply(200, {"value": matching(listed, request.query["$filter"])})


def _respond(server: GraphServer, request: Request, found: Match) -> Reply:
    store = server.store
    one = store.events.items.get(found[1])
    if one is None:
        return not_found()
    if one["isOrganizer"]:
        return problem(400, "ErrorInvalidRequest", "You can't respond: you're the organizer.")
    if request.body["sendResponse"]:
        host = one["organizer"]["emailAddress"]["address"]
        store.invitations.append((found[2], found[1], (host,)))
    if found[2] == "decline":
        store.events.drop(found[1])
    else:
        word = {"accept": "accepted", "tentativelyAccept": "tentativelyAccepted"}[found[2]]
        store.put_event(found[1], responseStatus={"response": word, "time": "x"})
    return Reply(202)


def _schedule(server: GraphServer, request: Request, found: Match) -> Reply:
    listed: list[Resource] = []
    for address in request.body["schedules"]:
        if address in server.busy:
            times = [
                {"status": status, "start": zoned(start), "end": zoned(end)}
                for status, start, end in server.busy[address]
            ]
            listed.append({"scheduleId": address, "scheduleItems": times})
        else:
            error = {"responseCode": "ErrorMailRecipientNotFound", "message": "unknown"}
            listed.append({"scheduleId": address, "scheduleItems": [], "error": error})
    return Reply(200, {"value": listed})


# --- tasks and contacts ------------------------------------------------------------------------


def _tasks(server: GraphServer, found: Match) -> Collection:
    return server.store.tasks[found[1]]


def _book(server: GraphServer, found: Match) -> Collection:
    return server.store.contacts[found[1]]


def _holding(server: GraphServer, found: Match) -> Collection:
    return server.store.book_of(found[1])


def _make_book(server: GraphServer, request: Request, found: Match) -> Reply:
    return Reply(201, server.store.make(server.store.contacts, request.body["displayName"]))


def _make_calendar(server: GraphServer, request: Request, found: Match) -> Reply:
    made = server.store.make(server.store.calendars, request.body["name"])
    return Reply(201, {"id": made["id"], "name": made["displayName"]})


def _make_list(server: GraphServer, request: Request, found: Match) -> Reply:
    return Reply(201, server.store.make(server.store.tasks, request.body["displayName"]))


def _create(server: GraphServer, collection: Collection, body: Any, kind: str) -> Reply:
    made = server.store.stamp({"id": server.store.new_id(kind), **body})
    if kind == "task":
        # A task has no change key of its own, only its etag.
        made.pop("changeKey")
    collection.put(made)
    return Reply(201, made)


def _change(server: GraphServer, collection: Collection, request: Request, key: str) -> Reply:
    one = collection.items.get(key)
    if one is None:
        return not_found()
    if refusal := stale(request, one):
        return refusal
    changed = server.store.stamp(merged(one, dict(request.body)))
    if "linkedResources" in one:
        changed.pop("changeKey")
    collection.put(changed)
    return Reply(200, changed)


def _delete(collection: Collection, request: Request, key: str) -> Reply:
    one = collection.items.get(key)
    if one is None:
        return not_found()
    if refusal := stale(request, one):
        return refusal
    collection.drop(key)
    return Reply(204)


def _one(collection: Collection, key: str) -> Reply:
    found = collection.items.get(key)
    return Reply(200, found) if found is not None else not_found()


def _list_tasks(server: GraphServer, request: Request, found: Match) -> Reply:
    listed = list(_tasks(server, found).items.values())
    skip, size = int(request.query.get("$skip", "0")), server.page_limit
    body: Resource = {"value": listed[skip : skip + size]}
    if skip + size < len(listed):
        path = urlsplit(request.url).path.removeprefix("/v1.0")
        body["@odata.nextLink"] = f"{server.url}{path}?$expand=linkedResources&$skip={skip + size}"
    return Reply(200, body)


_TASKS = r"/me/todo/lists/([^/]+)/tasks"

ROUTES: list[tuple[str, str, Route]] = [
    ("POST", r"/me/messages", _create_message),
    ("GET", r"/me/messages", _messages),
    ("GET", r"/me/messages/([^/]+)", _message),
    ("PATCH", r"/me/messages/([^/]+)", _change_message),
    ("DELETE", r"/me/messages/([^/]+)", _delete_message),
    ("POST", r"/me/messages/([^/]+)/move", _move_message),
    ("POST", r"/me/messages/([^/]+)/send", _send),
    ("POST", r"/me/messages/([^/]+)/attachments/createUploadSession", _upload_session),
    ("PUT", r"/upload/([^/]+)", _upload),
    ("POST", r"/me/calendar/events", _create_event),
    ("GET", r"/me/calendar/events", _events),
    ("PATCH", r"/me/calendar/events/([^/]+)", _change_event),
    ("DELETE", r"/me/calendar/events/([^/]+)", _delete_event),
    ("POST", r"/me/calendar/events/([^/]+)/(accept|tentativelyAccept|decline)", _respond),
    ("POST", r"/me/calendar/getSchedule", _schedule),
    ("POST", r"/me/calendars", _make_calendar),
    ("POST", r"/me/contactFolders", _make_book),
    ("POST", r"/me/todo/lists", _make_list),
    ("POST", _TASKS, lambda s, r, f: _create(s, _tasks(s, f), r.body, "task")),
    ("GET", _TASKS, _list_tasks),
    ("GET", _TASKS + r"/([^/]+)", lambda s, r, f: _one(_tasks(s, f), f[2])),
    ("PATCH", _TASKS + r"/([^/]+)", lambda s, r, f: _change(s, _tasks(s, f), r, f[2])),
    ("DELETE", _TASKS + r"/([^/]+)", lambda s, r, f: _delete(_tasks(s, f), r, f[2])),
    (
        "POST",
        r"/me/contactFolders/([^/]+)/contacts",
        lambda s, r, f: _create(s, _book(s, f), r.body, "contact"),
    ),
    (
        "GET",
        r"/me/contactFolders/([^/]+)/contacts",
        lambda s, r, f: Reply(
            200, {"value": matching(list(_book(s, f).items.values()), r.query["$filter"])}
        ),
    ),
    ("GET", r"/me/contacts/([^/]+)", lambda s, r, f: _one(_holding(s, f), f[1])),
    ("PATCH", r"/me/contacts/([^/]+)", lambda s, r, f: _change(s, _holding(s, f), r, f[1])),
    ("DELETE", r"/me/contacts/([^/]+)", lambda s, r, f: _delete(_holding(s, f), r, f[1])),
]
