"""Calendars, tasks and contacts on a real server: found, read, and written without loss."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace
from email import message_from_bytes, policy

import pytest

from desktop_crm.core.errors import EnvironmentProblem, UserError
from desktop_crm.sync.dav.items import path_and_occurrence
from desktop_crm.sync.imap.mailbox import ImapMailbox
from desktop_crm.sync.port import (
    Address,
    Attendee,
    Change,
    ChangeKind,
    ContactItem,
    Folder,
    FolderRole,
    MeetingItem,
    Response,
    Role,
    TaskItem,
    TokenInvalid,
)
from desktop_crm.sync.writes import Answer, Delete, Mark, Move, Notify, Ref, Save, Stale
from tests.contract.writing_driver import AT, HOUR, contact, meeting, task
from tests.mail_servers.servers import ADDRESS, Servers

SERIES = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//Phone//EN
BEGIN:VTIMEZONE
TZID:GTB Standard Time
BEGIN:STANDARD
DTSTART:16010101T040000
RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10
TZOFFSETFROM:+0300
TZOFFSETTO:+0200
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:16010101T030000
RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3
TZOFFSETFROM:+0200
TZOFFSETTO:+0300
END:DAYLIGHT
END:VTIMEZONE
BEGIN:VEVENT
UID:series
DTSTAMP:20260101T000000Z
DTSTART;TZID=GTB Standard Time:20260323T090000
DTEND;TZID=GTB Standard Time:20260323T100000
RRULE:FREQ=WEEKLY;COUNT=4
SUMMARY:Weekly
X-PHONE-COLOUR:blue
ATTACH:https://firma.example/agenda.pdf
BEGIN:VALARM
ACTION:EMAIL
TRIGGER:-P1D
SUMMARY:x
DESCRIPTION:x
ATTENDEE:mailto:ana@firma.example
END:VALARM
END:VEVENT
BEGIN:VEVENT
UID:series
DTSTAMP:20260101T000000Z
RECURRENCE-ID;TZID=GTB Standard Time:20260330T090000
DTSTART;TZID=GTB Standard Time:20260330T110000
DTEND;TZID=GTB Standard Time:20260330T120000
SUMMARY:Later
END:VEVENT
END:VCALENDAR
""".replace("\n", "\r\n")


@pytest.fixture
def mailbox(mail_servers: Servers) -> Iterator[ImapMailbox]:
    made = mail_servers.mailbox()
    yield made
    made.close()


def folder(mailbox: ImapMailbox, role: FolderRole) -> Folder:
    return next(f for f in mailbox.all_folders() if f.role is role)


def rest(
    mailbox: ImapMailbox, role: FolderRole, token: str | None = None, limit: int = 100
) -> tuple[list[Change], str]:
    place, found = folder(mailbox, role), list[Change]()
    while True:
        batch = mailbox.changes(place, token, limit)
        found += batch.changes
        token = batch.token
        if not batch.more:
            return found, token


def put(servers: Servers, name: str, text: str) -> str:
    servers.radicale.request("PUT", name, text)
    return servers.radicale.home + name


def raw(servers: Servers, path: str) -> str:
    return servers.radicale.request("GET", path).content.decode()


# --- reading ------------------------------------------------------------------------------------


def test_three_kinds_are_found_from_the_bare_address(mailbox: ImapMailbox) -> None:
    found = {f.role.value: f.name for f in mailbox.all_folders() if f.key.startswith("dav:")}
    assert found == {"calendar": "Calendar", "tasks": "Tasks", "contacts": "Contacte"}
    assert [f.role.value for f in mailbox.folders()] == ["inbox", "sent", "calendar"]
    steps = mailbox.test()
    assert [step.ok for step in steps] == [True, True, True]
    assert "Contacte" in steps[2].message


def test_an_address_may_lead_to_one_calendar(mail_servers: Servers) -> None:
    url = f"{mail_servers.radicale.url}{mail_servers.radicale.home}calendar/"
    made = mail_servers.mailbox(dav_server=url)
    assert "calendar" in [f.role.value for f in made.folders()]
    made.close()
    nowhere = mail_servers.mailbox(dav_server=f"{mail_servers.radicale.url}/nobody/nothing/")
    with pytest.raises(EnvironmentProblem, match=r"shows no calendar|does not allow"):
        nowhere.folders()
    nowhere.close()


def test_a_series_comes_with_its_changed_occurrences(
    mail_servers: Servers, mailbox: ImapMailbox
) -> None:
    path = put(mail_servers, "calendar/series.ics", SERIES)
    found, token = rest(mailbox, FolderRole.CALENDAR)
    items = {c.item_id: c.item for c in found}
    later = f"{path}@2026-03-30T06:00:00+00:00"
    assert set(items) == {path, later}
    series, changed = items[path], items[later]
    assert isinstance(series, MeetingItem)
    assert isinstance(changed, MeetingItem)
    assert (series.zone, series.rrule) == ("Europe/Bucharest", "FREQ=WEEKLY;COUNT=4")
    assert series.reminder_minutes is None  # the alarm is a mail, not a reminder
    assert changed.start == dt.datetime(2026, 3, 30, 8, tzinfo=dt.UTC)
    without = SERIES[: SERIES.index("BEGIN:VEVENT\r\nUID:series", 700)] + "END:VCALENDAR\r\n"
    put(mail_servers, "calendar/series.ics", without)
    again, token = rest(mailbox, FolderRole.CALENDAR, token)
    assert sorted((c.kind.value, c.item_id) for c in again) == [
        ("delete", later), ("update", path),
    ]  # fmt: skip
    mail_servers.radicale.request("DELETE", "calendar/series.ics")
    gone, token = rest(mailbox, FolderRole.CALENDAR, token)
    assert [(c.kind, c.item_id) for c in gone] == [(ChangeKind.DELETE, path)]


def test_tasks_and_contacts_are_read(mail_servers: Servers, mailbox: ImapMailbox) -> None:
    todo = (
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//y\r\nBEGIN:VTODO\r\nUID:t\r\n"
        "DTSTAMP:20260101T000000Z\r\nSUMMARY:Sună\r\nDUE;VALUE=DATE:20260309\r\nPRIORITY:1\r\n"
        "STATUS:IN-PROCESS\r\nPERCENT-COMPLETE:40\r\nCATEGORIES:Client,VIP\r\n"
        "BEGIN:VALARM\r\nACTION:DISPLAY\r\nTRIGGER;VALUE=DATE-TIME:20260309T060000Z\r\n"
        "DESCRIPTION:x\r\nEND:VALARM\r\nEND:VTODO\r\nEND:VCALENDAR\r\n"
    )
    put(mail_servers, "tasks/t.ics", todo)
    card = "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:c\r\nFN:Ion Pop\r\nN:Pop;Ion;;;\r\nEND:VCARD\r\n"
    put(mail_servers, "contacts/c.vcf", card)
    ((change,), _) = rest(mailbox, FolderRole.TASKS)
    item = change.item
    assert isinstance(item, TaskItem)
    assert (item.subject, item.due, item.importance, item.status, item.percent) == (
        "Sună", dt.date(2026, 3, 9), "high", "in_progress", 40,
    )  # fmt: skip
    assert item.categories == ("Client", "VIP")
    assert item.remind_at == dt.datetime(2026, 3, 9, 6, tzinfo=dt.UTC)
    ((change,), _) = rest(mailbox, FolderRole.CONTACTS)
    assert isinstance(change.item, ContactItem)
    assert change.item.last_name == "Pop"


def test_a_batch_is_bounded_and_goes_on_where_it_ended(
    mail_servers: Servers, mailbox: ImapMailbox
) -> None:
    for number in range(5):
        put(mail_servers, f"calendar/s{number}.ics", SERIES.replace("UID:series", f"UID:s{number}"))
    place = folder(mailbox, FolderRole.CALENDAR)
    first = mailbox.changes(place, None, 3)
    assert len(first.changes) == 4  # a series is not taken over in part
    assert first.more
    left, token = rest(mailbox, FolderRole.CALENDAR, first.token, 3)
    assert len({c.item_id for c in (*first.changes, *left)}) == 10
    assert rest(mailbox, FolderRole.CALENDAR, token)[0] == []


def test_a_server_without_sync_tokens_is_compared(
    mail_servers: Servers, mailbox: ImapMailbox
) -> None:
    for name in ("a", "b"):
        put(mail_servers, f"calendar/{name}.ics", SERIES.replace("UID:series", f"UID:{name}"))
    found = mailbox._dav.at(mailbox._dav.clients[0])
    found.places = [replace(place, syncs=False) for place in found.places]
    _, token = rest(mailbox, FolderRole.CALENDAR)
    put(
        mail_servers,
        "calendar/b.ics",
        SERIES.replace("Weekly", "New").replace("UID:series", "UID:b"),
    )
    mail_servers.radicale.request("DELETE", "calendar/a.ics")
    told, token = rest(mailbox, FolderRole.CALENDAR, token)
    kinds = sorted((c.kind.value, c.item_id.rpartition("/")[2][:5]) for c in told)
    assert kinds == [
        ("delete", "a.ics"),
        ("delete", "a.ics"),
        ("update", "b.ics"),
        ("update", "b.ics"),
    ]
    assert rest(mailbox, FolderRole.CALENDAR, token)[0] == []


def test_a_token_the_server_forgot_is_said_to_be_none(
    mail_servers: Servers, mailbox: ImapMailbox
) -> None:
    put(mail_servers, "calendar/a.ics", SERIES)
    _, token = rest(mailbox, FolderRole.CALENDAR)
    mail_servers.radicale.request("DELETE", "calendar/a.ics")
    mail_servers.radicale.forget_tokens()
    with pytest.raises(TokenInvalid):
        rest(mailbox, FolderRole.CALENDAR, token)


def test_a_wrong_password_and_an_unknown_authority_are_told(mail_servers: Servers) -> None:
    wrong = mail_servers.mailbox()
    for client in wrong._dav.clients:
        client._password = "wrong"
    for _ in range(2):
        with pytest.raises(UserError, match="refused the login or password"):
            wrong.folders()
    wrong.close()
    unknown = mail_servers.mailbox(ca_file=mail_servers.dovecot.ca_file)
    with pytest.raises(EnvironmentProblem, match="not signed by an authority"):
        unknown.folders()
    unknown.close()


# --- writing ------------------------------------------------------------------------------------


def test_what_is_not_known_of_a_meeting_stays(mail_servers: Servers, mailbox: ImapMailbox) -> None:
    path = put(mail_servers, "calendar/series.ics", SERIES)
    place = folder(mailbox, FolderRole.CALENDAR)
    image = mailbox.image(Ref(place.key, path))
    assert isinstance(image.item, MeetingItem)
    changed = replace(image.item, subject="Săptămânal", reminder_minutes=10)
    mailbox.do(Save("k1", place.key, changed, image.ref))
    text = raw(mail_servers, path)
    for line in (
        "X-PHONE-COLOUR:blue", "ATTACH:https://firma.example/agenda.pdf", "SUMMARY:Săptămânal",
        "ACTION:EMAIL", "TRIGGER:-PT10M", "SUMMARY:Later", "RRULE:FREQ=WEEKLY;COUNT=4",
        "DTSTART;TZID=GTB Standard Time:20260323T090000",
    ):  # fmt: skip
        assert line in text, line
    assert text.count("BEGIN:VEVENT") == 2


def test_one_occurrence_is_changed_and_another_deleted(
    mail_servers: Servers, mailbox: ImapMailbox
) -> None:
    path = put(mail_servers, "calendar/series.ics", SERIES)
    place = folder(mailbox, FolderRole.CALENDAR)
    image = mailbox.image(Ref(place.key, path))
    assert isinstance(image.item, MeetingItem)
    third = dt.datetime(2026, 4, 6, 6, tzinfo=dt.UTC)
    moved = replace(
        image.item, recurrence_id=third, start=third + HOUR, end=third + 2 * HOUR, rrule="",
        subject="Moved",
    )  # fmt: skip
    written = mailbox.do(Save("k1", place.key, moved, image.ref))
    assert written.ref is not None
    assert path_and_occurrence(written.ref.item_id) == (path, "@2026-04-06T06:00:00+00:00")
    item = mailbox.image(written.ref).item
    assert isinstance(item, MeetingItem)
    assert (item.subject, item.start) == ("Moved", third + HOUR)
    assert "RECURRENCE-ID;TZID=Europe/Bucharest:20260406T090000" in raw(mail_servers, path)
    second = Ref(place.key, f"{path}@2026-03-30T06:00:00+00:00")
    mailbox.do(Delete("k2", second))
    found, _ = rest(mailbox, FolderRole.CALENDAR)
    items = [c.item for c in found]
    assert sorted(i.subject for i in items if isinstance(i, MeetingItem)) == ["Moved", "Weekly"]
    series = next(i for i in items if isinstance(i, MeetingItem) and i.rrule)
    assert series.exdates == (dt.datetime(2026, 3, 30, 6, tzinfo=dt.UTC),)


def test_a_zone_is_defined_where_it_is_used(mail_servers: Servers, mailbox: ImapMailbox) -> None:
    place = folder(mailbox, FolderRole.CALENDAR)
    written = mailbox.do(Save("k", place.key, meeting(rrule="FREQ=WEEKLY")))
    assert written.ref is not None
    text = raw(mail_servers, written.ref.item_id)
    assert "TZID:Europe/Bucharest" in text
    assert "DTSTART;TZID=Europe/Bucharest:20260302T100000" in text


@pytest.mark.parametrize("status", ["not_started", "in_progress", "waiting", "deferred"])
def test_every_status_of_a_task_survives(mailbox: ImapMailbox, status: str) -> None:
    place = folder(mailbox, FolderRole.TASKS)
    wanted = task(status=status, percent=20, remind_at=AT, categories=("Client",), rrule="")
    written = mailbox.do(Save("k", place.key, wanted))
    assert written.ref is not None
    item = mailbox.image(written.ref).item
    assert isinstance(item, TaskItem)
    assert replace(item, modified_at=None) == wanted


def test_categories_are_the_only_marks_of_an_item(mailbox: ImapMailbox) -> None:
    place = folder(mailbox, FolderRole.CONTACTS)
    ref = mailbox.do(Save("k", place.key, contact())).ref
    assert ref is not None
    after = mailbox.do(Mark("k2", ref, categories=("VIP",))).ref
    assert after is not None
    assert mailbox.image(after).categories == ("VIP",)
    assert mailbox.do(Mark("k3", after, is_read=True)).ref == after


def test_an_item_moves_to_a_collection_of_its_kind_only(
    mail_servers: Servers, mailbox: ImapMailbox
) -> None:
    body = (
        '<c:mkcalendar xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav"><d:set><d:prop>'
        "<d:displayname>Second</d:displayname></d:prop></d:set></c:mkcalendar>"
    )
    mail_servers.radicale.request("MKCALENDAR", "second/", body)
    keys = {f.name: f.key for f in mailbox.all_folders() if f.role is FolderRole.CALENDAR}
    ref = mailbox.do(Save("k", keys["Calendar"], meeting())).ref
    assert ref is not None
    with pytest.raises(UserError, match="takes no items of this kind"):
        mailbox.do(Move("k2", ref, folder(mailbox, FolderRole.CONTACTS).key))
    after = mailbox.do(Move("k3", ref, keys["Second"])).ref
    assert after is not None
    assert after.folder == keys["Second"]
    item = mailbox.image(after).item
    assert isinstance(item, MeetingItem)
    assert item.subject == "Ședință"


def test_what_cannot_be_written_back_whole_is_left_alone(
    mailbox: ImapMailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = folder(mailbox, FolderRole.CALENDAR)
    ref = mailbox.do(Save("k", place.key, meeting())).ref
    assert ref is not None
    broken = (
        b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nDTSTART:nonsense\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    )
    monkeypatch.setattr("desktop_crm.sync.dav.writes.get", lambda *_args: (broken, ref.change_key))
    with pytest.raises(UserError, match="cannot be written back"):
        mailbox.do(Save("k2", place.key, meeting(), ref))


# --- other people -------------------------------------------------------------------------------

HOST = Attendee(Address(ADDRESS, "Ana"), Role.ORGANIZER)
GUESTS = (
    Attendee(Address("ion@client.example", "Ion")),
    Attendee(Address("eva@client.example"), Role.OPTIONAL),
)


def test_no_server_is_left_to_tell_anybody(mail_servers: Servers, mailbox: ImapMailbox) -> None:
    place = folder(mailbox, FolderRole.CALENDAR)
    ref = mailbox.do(Save("k", place.key, meeting(organizer=HOST, attendees=GUESTS))).ref
    assert ref is not None
    text = raw(mail_servers, ref.item_id).replace("\r\n ", "")
    people = [line for line in text.splitlines() if line.startswith(("ATTENDEE", "ORGANIZER"))]
    assert len(people) == 3
    assert all("SCHEDULE-AGENT=CLIENT" in line for line in people)
    assert mail_servers.smtp.delivered == []


def test_invitations_updates_and_cancellations_go_to_whom_they_concern(
    mail_servers: Servers, mailbox: ImapMailbox
) -> None:
    place = folder(mailbox, FolderRole.CALENDAR)
    wanted = meeting(organizer=HOST, attendees=GUESTS)
    deed = Save("k1", place.key, wanted, notify=Notify.EVERYBODY)
    ref = mailbox.do(deed).ref
    mailbox.do(deed)  # a second try writes and tells nothing twice
    ((to, data),) = mail_servers.smtp.delivered
    assert to == {"ion@client.example", "eva@client.example"}
    assert "METHOD:REQUEST" in calendar_of(data)
    assert "SCHEDULE-AGENT" not in calendar_of(data)
    fewer = replace(wanted, attendees=GUESTS[:1], subject="Altceva")
    mail_servers.smtp.forget()
    ref = mailbox.do(Save("k2", place.key, fewer, ref, Notify.EVERYBODY)).ref
    assert ref is not None
    told = {next(iter(to)): calendar_of(data) for to, data in mail_servers.smtp.delivered}
    assert "METHOD:REQUEST" in told["ion@client.example"]
    assert "METHOD:CANCEL" in told["eva@client.example"]
    mail_servers.smtp.forget()
    mailbox.do(Delete("k3", ref, notify=Notify.EVERYBODY))
    ((to, data),) = mail_servers.smtp.delivered
    assert to == {"ion@client.example"}
    assert "METHOD:CANCEL" in calendar_of(data)


def calendar_of(data: bytes) -> str:
    """The calendar object in a mail."""
    built = message_from_bytes(data, policy=policy.default)
    part = next(one for one in built.walk() if one.get_content_type() == "text/calendar")
    content = part.get_payload(decode=True)
    assert isinstance(content, bytes)
    method = part.get_param("method")
    text = content.decode().replace("\r\n ", "")
    assert f"METHOD:{method}" in text
    return text


def invitation(mail_servers: Servers) -> str:
    text = (
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//y\r\nBEGIN:VEVENT\r\nUID:i\r\nSUMMARY:Hi\r\n"
        "DTSTAMP:20260101T000000Z\r\nDTSTART:20260302T080000Z\r\nDTEND:20260302T090000Z\r\n"
        "ORGANIZER:mailto:ion@client.example\r\nATTENDEE:mailto:eva@client.example\r\n"
        f"ATTENDEE;PARTSTAT=NEEDS-ACTION:mailto:{ADDRESS}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    )
    return put(mail_servers, "calendar/i.ics", text)


def test_an_answer_tells_the_organizer_when_a_person_said_so(
    mail_servers: Servers, mailbox: ImapMailbox
) -> None:
    path = invitation(mail_servers)
    place = folder(mailbox, FolderRole.CALENDAR)
    mailbox.do(Answer("k", Ref(place.key, path), Response.DECLINED, Notify.EVERYBODY))
    ((to, data),) = mail_servers.smtp.delivered
    assert to == {"ion@client.example"}
    answer = calendar_of(data)
    assert "METHOD:REPLY" in answer
    assert "PARTSTAT=DECLINED" in answer
    assert "eva@client.example" not in answer
    item = mailbox.image(Ref(place.key, path)).item
    assert isinstance(item, MeetingItem)
    assert item.my_response is Response.DECLINED


def test_a_server_that_tells_people_itself_is_not_let(
    mail_servers: Servers, mailbox: ImapMailbox
) -> None:
    """A meeting its own calendar made, with participants the server itself keeps informed."""
    text = (
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//y\r\nBEGIN:VEVENT\r\nUID:o\r\nSUMMARY:Hi\r\n"
        "DTSTAMP:20260101T000000Z\r\nDTSTART:20260302T080000Z\r\nDTEND:20260302T090000Z\r\n"
        f"ORGANIZER:mailto:{ADDRESS}\r\nATTENDEE:mailto:ion@client.example\r\n"
        "END:VEVENT\r\nEND:VCALENDAR\r\n"
    )
    path = put(mail_servers, "calendar/o.ics", text)
    before = raw(mail_servers, path)
    place = folder(mailbox, FolderRole.CALENDAR)
    store = mailbox._dav
    for client in store.clients:
        store.at(client).schedules = True
    image = mailbox.image(Ref(place.key, path))
    assert isinstance(image.item, MeetingItem)
    changed = replace(image.item, subject="Changed")
    for deed in (Save("k", place.key, changed, image.ref), Delete("k", image.ref)):
        with pytest.raises(UserError, match="itself tells the participants"):
            mailbox.do(deed)
    assert raw(mail_servers, path) == before
    # Allowed, the server tells them; this product sends no second invitation.
    mailbox.do(Save("k", place.key, changed, image.ref, Notify.EVERYBODY))
    assert "SCHEDULE-AGENT" not in raw(mail_servers, path)
    assert mail_servers.smtp.delivered == []
    # What an attendee changes in their own copy concerns nobody else.
    mine = Ref(place.key, invitation(mail_servers))
    image = mailbox.image(mine)
    assert isinstance(image.item, MeetingItem)
    mailbox.do(Save("k2", place.key, replace(image.item, categories=("X",)), image.ref))


def test_ones_own_busy_times_are_known(mail_servers: Servers, mailbox: ImapMailbox) -> None:
    place = folder(mailbox, FolderRole.CALENDAR)
    mailbox.do(Save("k", place.key, meeting()))
    found = mailbox.free_busy([ADDRESS, "ion@client.example"], AT - HOUR, AT + 3 * HOUR)
    assert found["ion@client.example"] is None
    times = found[ADDRESS]
    assert times is not None
    assert [(time.start, time.end) for time in times] == [(AT, AT + HOUR)]


def test_two_writers_do_not_overwrite_each_other(mailbox: ImapMailbox) -> None:
    place = folder(mailbox, FolderRole.CALENDAR)
    first = mailbox.do(Save("k", place.key, meeting()))
    assert first.ref is not None
    mailbox.do(Save("k2", place.key, meeting(subject="Mine"), first.ref))
    with pytest.raises(Stale):
        mailbox.do(Save("k3", place.key, meeting(subject="Theirs"), first.ref))
