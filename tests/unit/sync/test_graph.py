"""Microsoft 365: mail, calendar, tasks and contacts as the scripted service tells them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest
import time_machine

from desktop_crm.sync.graph.mailbox import CALENDAR, INBOX, GraphMailbox
from desktop_crm.sync.port import (
    Batch,
    Change,
    ChangeKind,
    ContactItem,
    Flag,
    Folder,
    FolderRole,
    MailItem,
    MeetingItem,
    PostalAddress,
    Quarantined,
    Response,
    Role,
    Sensitivity,
    ShowAs,
    TaskItem,
)
from tests.graph_server import GraphServer
from tests.graph_server.store import person, zoned

NOW = dt.datetime(2026, 3, 2, 8, tzinfo=dt.UTC)
WEEKLY = {
    "pattern": {"type": "weekly", "interval": 1, "daysOfWeek": ["monday"]},
    "range": {"type": "numbered", "numberOfOccurrences": 6, "startDate": "2026-03-02"},
}


class Tokens:
    def token(self, *, renew: bool = False) -> str:
        return "a-token"


@pytest.fixture
def server() -> Iterator[GraphServer]:
    server = GraphServer()
    yield server
    server.close()


@pytest.fixture
def box(server: GraphServer) -> Iterator[GraphMailbox]:
    box = GraphMailbox(server.store.address, tokens=Tokens(), service=server.url)
    yield box
    box.close()


def mime(key: str, *lines: str, body: str = "Bună ziua") -> bytes:
    head = (
        "From: Ion Pop <ion@client.example>",
        "To: ana@firma.example",
        f"Subject: {key}",
        f"Message-ID: <{key}@x>",
        "Date: Mon, 2 Mar 2026 08:00:00 +0000",
        "Content-Type: text/plain; charset=utf-8",
        *lines,
    )
    return ("\r\n".join(head) + f"\r\n\r\n{body}\r\n").encode()


def read(box: GraphMailbox, folder: Folder, token: str | None = None, limit: int = 50) -> Batch:
    """Every page of a pass as one batch."""
    changes: list[Change] = []
    aside: list[Quarantined] = []
    while True:
        batch = box.changes(folder, token, limit)
        changes += batch.changes
        aside += batch.quarantined
        token = batch.token
        if not batch.more:
            return Batch(tuple(changes), token, False, tuple(aside))


def meetings(batch: Batch) -> list[MeetingItem]:
    return [c.item for c in batch.changes if isinstance(c.item, MeetingItem)]


# --- mail --------------------------------------------------------------------------------------


def test_a_message_is_its_own_text_with_the_marks_of_the_mailbox(
    server: GraphServer, box: GraphMailbox
) -> None:
    server.store.put_mail(
        "inbox",
        mime("m", "In-Reply-To: <a@x>", "Sensitivity: Private"),
        "key-1",
        isRead=True,
        flag={"flagStatus": "flagged"},
        categories=["Ofertă"],
        importance="high",
        conversationId="conv",
    )
    (change,) = read(box, INBOX).changes
    item = change.item
    assert isinstance(item, MailItem)
    assert (item.message_id, item.subject, item.text) == ("m@x", "m", "Bună ziua")
    assert item.sender is not None
    assert (item.sender.address, item.sender.name) == ("ion@client.example", "Ion Pop")
    assert (item.in_reply_to, item.sensitivity) == ("a@x", Sensitivity.PRIVATE)
    assert (item.is_read, item.flag, item.categories) == (True, Flag.FLAGGED, ("Ofertă",))
    assert (item.importance, item.thread_key) == ("high", "conv")
    assert item.received_at == dt.datetime(2026, 3, 2, 8, 0, 1, tzinfo=dt.UTC)
    assert change.change_key == server.store.folders["id-inbox"].mail.items["key-1"]["changeKey"]
    assert all('IdType="ImmutableId"' in one for one in server.prefers)


def test_the_newest_come_first_and_twenty_texts_come_in_one_request(
    server: GraphServer, box: GraphMailbox
) -> None:
    for n in range(45):
        at = f"2026-03-02T08:{n:02}:00Z"
        server.store.put_mail("inbox", mime(f"m{n}"), receivedDateTime=at)
    first = box.changes(INBOX, None, 40)
    ids = [c.item.message_id for c in first.changes if isinstance(c.item, MailItem)]
    assert ids == [f"m{n}@x" for n in range(44, 4, -1)]
    assert first.more
    assert server.calls == [
        "GET /me/mailFolders/inbox/messages/delta",
        "POST /$batch",
        "POST /$batch",
    ]
    assert len(box.changes(INBOX, first.token, 40).changes) == 5


def test_an_empty_round_is_one_request_for_each_folder(
    server: GraphServer, box: GraphMailbox
) -> None:
    server.store.put_mail("inbox", mime("m"))
    server.store.put_event()
    tokens = {folder: read(box, folder).token for folder in box.folders()}
    server.calls.clear()
    for folder, token in tokens.items():
        assert read(box, folder, token).changes == ()
    assert len(server.calls) == 3


def test_large_messages_come_alone(server: GraphServer, box: GraphMailbox) -> None:
    for n in range(3):
        told = [{"id": "Integer 0xe08", "value": str(3_000_000)}]
        server.store.put_mail("inbox", mime(f"m{n}"), singleValueExtendedProperties=told)
    assert len(read(box, INBOX).changes) == 3
    assert "POST /$batch" not in server.calls


def test_changed_marks_are_marks(server: GraphServer, box: GraphMailbox) -> None:
    key = server.store.put_mail("inbox", mime("m"))
    token = read(box, INBOX).token
    server.calls.clear()
    mail = server.store.folders["id-inbox"].mail
    mail.note(key, {"isRead": True})
    mail.note(key, {"flag": {"flagStatus": "complete"}, "categories": ["Won"]})
    first, second = read(box, INBOX, token).changes
    assert first == Change(ChangeKind.MARKS, key, None, first.change_key, is_read=True)
    assert (second.is_read, second.flag, second.categories) == (None, Flag.COMPLETE, ("Won",))
    assert server.calls == ["GET /me/mailFolders/inbox/messages/delta"]


def test_a_moved_message_keeps_its_key(server: GraphServer, box: GraphMailbox) -> None:
    key = server.store.put_mail("inbox", mime("m"))
    token = read(box, INBOX).token
    one = server.store.folders["id-inbox"].mail.drop(key)
    server.store.folders["id-archive"].mail.put(one | {"parentFolderId": "id-archive"})
    (gone,) = read(box, INBOX, token).changes
    (come,) = read(box, Folder("archive", "Archive")).changes
    assert (gone.kind, gone.item_id) == (ChangeKind.DELETE, key)
    assert (come.item_id, isinstance(come.item, MailItem)) == (key, True)


def test_a_message_that_went_meanwhile_is_no_error(server: GraphServer, box: GraphMailbox) -> None:
    server.store.put_mail("inbox", mime("a"))
    server.store.put_mail("inbox", mime("b"))
    server.part_fault(r"\$value", _gone())
    batch = read(box, INBOX)
    assert (len(batch.changes), batch.quarantined) == (1, ())


def _gone() -> Any:
    from tests.graph_server.routes import not_found

    return not_found()


@pytest.mark.parametrize(
    "kind",
    ["eventMessage", "eventMessageRequest", "eventMessageResponse", "somethingOfTomorrow"],
)
def test_messages_about_meetings_are_messages(
    server: GraphServer, box: GraphMailbox, kind: str
) -> None:
    told = {"@odata.type": f"#microsoft.graph.{kind}", "meetingMessageType": "meetingRequest"}
    server.store.put_mail("inbox", mime("invitation"), **told)
    (change,) = read(box, INBOX).changes
    assert isinstance(change.item, MailItem)


def test_what_is_no_message_is_set_aside_with_its_name(
    server: GraphServer, box: GraphMailbox
) -> None:
    server.store.put_mail("inbox", b"\x00\x01 nothing", "key-1", subject="Strange")
    server.store.put_mail("inbox", mime("good"))
    batch = read(box, INBOX)
    assert [(q.item_id, q.name) for q in batch.quarantined] == [("key-1", "Strange")]
    assert len(batch.changes) == 1


def test_a_page_larger_than_asked_is_taken_whole(server: GraphServer, box: GraphMailbox) -> None:
    from tests.graph_server.faults import says

    for n in range(130):
        server.store.put_mail("inbox", mime(f"m{n}"))
    entries = list(server.store.folders["id-inbox"].mail.items.values())
    link = f"{server.url}/me/mailFolders/inbox/messages/delta?$deltatoken=1.later.130.0"
    server.fault("delta", says({"value": entries, "@odata.deltaLink": link}))
    batch = box.changes(INBOX, None, 100)
    assert (len(batch.changes), batch.more) == (130, False)


# --- calendar ----------------------------------------------------------------------------------


def test_a_meeting_with_everything(server: GraphServer, box: GraphMailbox) -> None:
    server.store.put_event(
        "ev",
        iCalUId="uid-1",
        subject="Ședință",
        body={"contentType": "html", "content": "<p>Agenda</p>"},
        originalStartTimeZone="GTB Standard Time",
        location={"displayName": "Sala 2"},
        attendees=[
            {**person("client@x.example", "Client"), "type": "required",
             "status": {"response": "tentativelyAccepted"}},
            {**person("room@x.example"), "type": "resource", "status": {"response": "none"}},
        ],
        organizer=person("boss@x.example", "Boss"),
        responseStatus={"response": "declined"},
        isReminderOn=True,
        showAs="oof",
        sensitivity="private",
        categories=["Client"],
        isCancelled=True,
    )  # fmt: skip
    (item,) = meetings(read(box, CALENDAR))
    assert (item.uid, item.subject, item.text) == ("uid-1", "Ședință", "Agenda")
    assert (item.zone, item.location) == ("Europe/Bucharest", "Sala 2")
    assert [(a.address.address, a.role, a.response) for a in item.attendees] == [
        ("client@x.example", Role.REQUIRED, Response.TENTATIVE),
        ("room@x.example", Role.RESOURCE, Response.NONE),
    ]
    assert item.organizer is not None
    assert (item.organizer.address.address, item.my_response) == (
        "boss@x.example",
        Response.DECLINED,
    )
    assert (item.reminder_minutes, item.show_as) == (15, ShowAs.OUT_OF_OFFICE)
    assert (item.sensitivity, item.cancelled) == (Sensitivity.PRIVATE, True)
    assert item.categories == ("Client",)


def test_an_all_day_event_is_days(server: GraphServer, box: GraphMailbox) -> None:
    server.store.put_event(
        start=zoned("2026-05-01T00:00:00"),
        end=zoned("2026-05-03T00:00:00"),
        isAllDay=True,
        originalStartTimeZone="GTB Standard Time",
    )
    (item,) = meetings(read(box, CALENDAR))
    assert (item.start, item.end) == (dt.date(2026, 5, 1), dt.date(2026, 5, 3))


def test_a_series_is_one_item_with_its_exceptions(server: GraphServer, box: GraphMailbox) -> None:
    server.store.put_event("series", iCalUId="uid-s", subject="Weekly", recurrence=WEEKLY)
    server.store.delete_occurrence("series", "2026-03-09")
    server.store.change_occurrence(
        "series",
        "2026-03-16",
        subject="Moved",
        start=zoned("2026-03-17T10:00:00"),
        end=zoned("2026-03-17T11:00:00"),
    )
    found = meetings(read(box, CALENDAR, limit=3))
    series = next(m for m in found if m.rrule)
    changed = [m for m in found if m.recurrence_id]
    assert series.rrule == "FREQ=WEEKLY;BYDAY=MO;WKST=MO;COUNT=6"
    assert series.exdates == (
        dt.datetime(2026, 3, 9, 8, tzinfo=dt.UTC),
        dt.datetime(2026, 3, 16, 8, tzinfo=dt.UTC),
    )
    assert {(m.uid, m.recurrence_id, m.subject) for m in changed} == {
        ("uid-s", dt.datetime(2026, 3, 16, 8, tzinfo=dt.UTC), "Moved")
    }
    # However many pages its occurrences fill, the series comes once a round.
    assert len([m for m in found if m.rrule]) == 1


def test_a_series_keeps_its_hour_when_the_clock_changes(
    server: GraphServer, box: GraphMailbox
) -> None:
    server.store.put_event(
        "series",
        start=zoned("2026-03-23T07:00:00"),
        end=zoned("2026-03-23T08:00:00"),
        originalStartTimeZone="GTB Standard Time",
        recurrence=WEEKLY | {"range": {"type": "numbered", "numberOfOccurrences": 3}},
    )
    (item,) = [m for m in meetings(read(box, CALENDAR)) if m.rrule]
    assert item.exdates == ()
    assert item.zone == "Europe/Bucharest"


def test_a_series_in_a_zone_nobody_knows_loses_no_occurrence(
    server: GraphServer, box: GraphMailbox
) -> None:
    server.store.put_event(
        "series", originalStartTimeZone="tzone://Microsoft/Custom", recurrence=WEEKLY
    )
    (item,) = [m for m in meetings(read(box, CALENDAR)) if m.rrule]
    assert (item.zone, item.exdates) == ("", ())
    assert item.remarks


def test_many_occurrences_come_page_by_page(server: GraphServer, box: GraphMailbox) -> None:
    server.page_limit = 2
    server.store.put_event("series", recurrence=WEEKLY)
    server.store.delete_occurrence("series", "2026-04-06")
    (item,) = [m for m in meetings(read(box, CALENDAR)) if m.rrule]
    assert item.exdates == (dt.datetime(2026, 4, 6, 8, tzinfo=dt.UTC),)


def test_a_deleted_meeting_and_one_that_left_the_window(
    server: GraphServer, box: GraphMailbox
) -> None:
    server.store.put_event("a")
    server.store.put_event("b")
    token = read(box, CALENDAR).token
    server.store.events.drop("a")
    server.store.put_event(
        "b", start=zoned("2035-01-01T08:00:00"), end=zoned("2035-01-01T09:00:00")
    )
    changes = read(box, CALENDAR, token).changes
    by_id = {c.item_id: c for c in changes}
    assert by_id["a"].kind is ChangeKind.DELETE
    assert isinstance(by_id["b"].item, MeetingItem)
    assert by_id["b"].item.start == dt.datetime(2035, 1, 1, 8, tzinfo=dt.UTC)


def test_the_window_moves_on_and_nothing_in_between_is_missed(
    server: GraphServer, box: GraphMailbox
) -> None:
    with time_machine.travel(NOW, tick=False):
        server.store.put_event("old")
        far = {"start": zoned("2029-05-01T08:00:00"), "end": zoned("2029-05-01T09:00:00")}
        server.store.put_event("far", **far)
        batch = read(box, CALENDAR)
        assert {c.item_id for c in batch.changes} == {"old"}
    server.store.events.drop("old")
    with time_machine.travel(NOW + dt.timedelta(days=100), tick=False):
        batch = read(box, CALENDAR, batch.token)
        told = {c.item_id: c.kind for c in batch.changes}
        assert told["far"] is not ChangeKind.DELETE
        assert told["old"] is ChangeKind.DELETE
        server.calls.clear()
        assert read(box, CALENDAR, batch.token).changes == ()
        assert len(server.calls) == 1


def test_a_damaged_event_costs_itself_only(server: GraphServer, box: GraphMailbox) -> None:
    server.store.put_event("good")
    server.store.put_event("bad", subject="Bad", start={"dateTime": "2026-03-99", "timeZone": "x"})
    batch = read(box, CALENDAR)
    assert [c.item_id for c in batch.changes] == ["good"]
    assert [(q.item_id, q.name) for q in batch.quarantined] == [("bad", "Bad")]


# --- tasks, contacts, folders ------------------------------------------------------------------


def test_tasks_are_read(server: GraphServer, box: GraphMailbox) -> None:
    (todo,) = [f for f in box.all_folders() if f.role is FolderRole.TASKS]
    server.store.tasks["list-1"].put(
        {
            "id": "t1",
            "@odata.etag": 'W/"abc"',
            "title": "Sună clientul",
            "body": {"content": "Ofertă", "contentType": "text"},
            "status": "waitingOnOthers",
            "importance": "high",
            "dueDateTime": zoned("2026-03-05T00:00:00", "GTB Standard Time"),
            "isReminderOn": True,
            "reminderDateTime": zoned("2026-03-05T07:00:00"),
            "categories": ["CRM"],
            "lastModifiedDateTime": "2026-03-01T10:00:00.1234567Z",
            "createdDateTime": "2026-02-01T10:00:00Z",
        }
    )
    (change,) = read(box, todo).changes
    item = change.item
    assert isinstance(item, TaskItem)
    assert (change.kind, change.change_key) == (ChangeKind.UPDATE, "abc")
    assert (item.subject, item.status, item.due) == (
        "Sună clientul",
        "waiting",
        dt.date(2026, 3, 5),
    )
    assert item.remind_at == dt.datetime(2026, 3, 5, 7, tzinfo=dt.UTC)
    assert (item.text, item.importance, item.categories) == ("Ofertă", "high", ("CRM",))


def test_contacts_are_read(server: GraphServer, box: GraphMailbox) -> None:
    (book,) = [f for f in box.all_folders() if f.role is FolderRole.CONTACTS]
    server.store.contacts["book-1"].put(
        {
            "id": "c1",
            "changeKey": "k",
            "displayName": "Ion Pop",
            "givenName": "Ion",
            "surname": "Pop",
            "companyName": "Client SRL",
            "emailAddresses": [{"address": "Ion@Client.example", "name": "Ion Pop"}],
            "businessPhones": ["021 123"],
            "mobilePhone": "0722 000 000",
            "businessAddress": {"street": "Str. Lungă 1", "city": "Iași", "countryOrRegion": "RO"},
            "birthday": "1980-05-04T11:59:00Z",
        }
    )
    (change,) = read(box, book).changes
    item = change.item
    assert isinstance(item, ContactItem)
    assert (item.full_name, item.company) == ("Ion Pop", "Client SRL")
    assert [e.address for e in item.emails] == ["ion@client.example"]
    assert item.phones == (("mobile", "0722 000 000"), ("work", "021 123"))
    assert item.addresses == (PostalAddress("work", "Str. Lungă 1", "", "Iași", "", "RO"),)
    assert item.birthday == dt.date(1980, 5, 4)


def test_all_folders_with_those_inside_others(server: GraphServer, box: GraphMailbox) -> None:
    from tests.graph_server.store import Folder as Place

    server.store.folders["f1"] = Place("f1", "Clienți", parent="id-inbox")
    server.store.folders["f2"] = Place("f2", "Pop & Fiii", parent="f1")
    found = box.all_folders()
    assert found[0].role is FolderRole.INBOX
    assert found[1].role is FolderRole.SENT
    assert len({f.key for f in found}) == len(found)
    assert {f.name for f in found if f.role is FolderRole.OTHER} == {"Clienți", "Pop & Fiii"}
    # Inbox and its kin have the keys the pass reads them by.
    assert {f.key for f in box.folders()} <= {f.key for f in found}
