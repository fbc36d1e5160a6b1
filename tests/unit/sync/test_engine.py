from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest

from desktop_crm.db import search_text
from desktop_crm.meta import registry
from desktop_crm.models import DocumentContent
from desktop_crm.services import records
from desktop_crm.services.mail import message as mail_message
from desktop_crm.sync.memory import CALENDAR, INBOX, SENT, MemoryMailbox
from desktop_crm.sync.port import (
    Address,
    Attachment,
    Attendee,
    Folder,
    FolderRole,
    Quarantined,
    Sensitivity,
)
from tests.unit.sync.conftest import AT, World, mail, meeting

UTC = dt.UTC


# --- storing -----------------------------------------------------------------------------------


def test_a_message_becomes_an_activity_with_its_people(world: World) -> None:
    item = mail(cc=("nobody@nowhere.example", Address("undisclosed", readable=False)))
    world.port.put(INBOX, item)
    counts = world.folder()
    assert (counts.created, counts.linked) == (1, 1)
    (activity,) = world.activities
    assert (activity.kind, activity.direction, activity.state) == ("email", "incoming", "completed")
    assert (activity.subject, activity.occurred_at, activity.owner_id) == ("Ofertă", AT, world.ana)
    assert [(p.participation, p.address, p.name) for p in world.parties] == [
        ("from", "ion@client.example", None),
        ("to", "ana@firma.example", None),
        ("cc", "nobody@nowhere.example", None),
        ("cc", None, "undisclosed"),
    ]
    assert [(p.contact_id, p.user_id) for p in world.parties[:3]] == [
        (world.contact, None),
        (None, world.ana),
        (None, None),
    ]


def test_new_entries_are_found_by_their_people_at_once(world: World) -> None:
    world.port.put(INBOX, mail(cc=("nobody@nowhere.example",)))
    world.port.put(CALENDAR, meeting())
    world.sync()
    for activity in world.activities:
        assert "nobody@nowhere.example" in activity.search_text
    with world.actor.db.writing() as connection:
        assert search_text.refold(connection, registry.get("activity")) == 0


def test_what_we_sent_is_outgoing(world: World) -> None:
    world.port.put(SENT, mail(sender="ana@firma.example", to=("ion@client.example",)))
    assert world.folder("Sent Items").linked == 1
    (activity,) = world.activities
    assert (activity.direction, activity.status_reason) == ("outgoing", "sent")


def test_a_second_pass_changes_nothing(world: World) -> None:
    world.port.put(INBOX, mail())
    world.port.put(CALENDAR, meeting())
    world.sync()
    before = (world.activities, world.links(), world.messages, world.parties, world.items)
    assert all(f.total == 0 for f in world.sync().folders)
    assert (
        world.activities,
        world.links(),
        world.messages,
        world.parties,
        world.items,
    ) == before


def test_the_same_message_in_two_folders_and_two_mailboxes_is_one(world: World) -> None:
    world.port.put(INBOX, mail())
    world.port.put(SENT, mail())
    world.sync()
    other = world.save("mailbox", name="Dan", kind="folder", address="dan@firma.example")
    port = MemoryMailbox()
    port.put(INBOX, mail())
    result = world.sync(other, port)
    assert result.folders[0].known == 1
    assert len(world.activities) == len(world.messages) == 1
    assert [(i.mailbox_id, i.folder, i.activity_id) for i in world.items] == [
        (world.mailbox, "Inbox", 1),
        (world.mailbox, "Sent Items", 1),
        (other, "Inbox", 1),
    ]


def test_the_same_message_twice_in_one_batch_is_one(world: World) -> None:
    world.port.put(INBOX, mail())
    world.port.put(INBOX, mail())
    counts = world.folder()
    assert (counts.created, counts.known) == (1, 1)
    assert len(world.messages) == 1


def test_a_moved_message_keeps_its_record_whichever_folder_tells_first(world: World) -> None:
    key = world.port.put(SENT, mail())
    world.sync()
    world.port.move(SENT, INBOX, key)
    result = world.sync()
    assert [(f.folder, f.known, f.gone) for f in result.folders[:2]] == [
        ("Inbox", 1, 0),
        ("Sent Items", 0, 1),
    ]
    key = next(i.item_key for i in world.items if i.folder == "Inbox")
    world.port.move(INBOX, SENT, key)
    result = world.sync()
    assert [(f.folder, f.known, f.gone) for f in result.folders[:2]] == [
        ("Inbox", 0, 1),
        ("Sent Items", 1, 0),
    ]
    assert len(world.activities) == 1
    assert [i.state for i in world.items] == ["gone", "gone", "stored"]


def test_deleting_in_the_mailbox_deletes_nothing_here(world: World) -> None:
    key = world.port.put(INBOX, mail())
    world.sync()
    world.port.remove(INBOX, key)
    assert world.folder().gone == 1
    (activity,) = world.activities
    assert activity.deleted_at is None
    assert len(world.links()) == 3
    assert [i.state for i in world.items] == ["gone"]


def test_a_message_deleted_here_does_not_come_back(world: World) -> None:
    world.port.put(INBOX, mail())
    world.sync()
    records.delete(world.actor, "activity", [1])
    world.port.put(SENT, mail())
    world.port.forget_tokens()
    assert world.folder("Sent Items").created == 0
    (activity,) = world.activities
    assert activity.deleted_at is not None


def test_read_marks_follow_the_mailbox(world: World) -> None:
    key = world.port.put(INBOX, mail(is_read=False))
    world.sync()
    assert [i.is_read for i in world.items] == [False]
    world.port.put(INBOX, mail(is_read=True), key)
    world.sync()
    assert [i.is_read for i in world.items] == [True]


def test_attachments_are_stored_once_by_their_content(world: World) -> None:
    part = Attachment("ofertă.pdf", "application/pdf", 3, b"pdf")
    logo = Attachment("logo.png", "image/png", 3, b"png", cid="logo")
    for n in range(2):
        world.port.put(INBOX, mail(f"m{n}@x", attachments=(part, logo), html="<img>"))
    world.sync()
    assert len(world.rows(DocumentContent)) == 1
    message = mail_message.message(world.actor, 1)
    assert [(a.name, a.stored) for a in message.attachments] == [("ofertă.pdf", True)]
    assert mail_message.attachment(world.actor, message.attachments[0].id).content == b"pdf"


def test_text_no_database_takes_is_stored_all_the_same(world: World) -> None:
    long_id = "x" * 900 + "@y"
    item = mail(long_id, subject="a\x00b" * 300, text="\ud800 half", sender="ion@client.example")
    world.port.put(INBOX, item)
    world.port.put(INBOX, item)
    assert world.folder().created == 1
    (activity,) = world.activities
    assert len(activity.subject) == 400


# --- meetings ----------------------------------------------------------------------------------


def test_a_meeting_arrives_with_attendees_as_parties(world: World) -> None:
    world.port.put(CALENDAR, meeting())
    assert world.folder("Calendar").linked == 1
    (activity,) = world.activities
    assert (activity.kind, activity.subject, activity.location) == (
        "appointment",
        "Ședință",
        "Sala 2",
    )
    assert (activity.start_at, activity.end_at) == (AT, AT + dt.timedelta(hours=1))
    assert [(p.participation, p.response, p.contact_id, p.user_id) for p in world.parties] == [
        ("organizer", "none", None, world.ana),
        ("required", "accepted", world.contact, None),
        ("optional", "none", None, None),
    ]
    assert ("contact", world.contact, "contact", "linked") in world.links()


@pytest.mark.parametrize("sensitivity", ["private", "confidential", "personal"])
def test_a_private_meeting_is_only_busy(world: World, sensitivity: str) -> None:
    world.port.put(CALENDAR, meeting(sensitivity=Sensitivity(sensitivity)))
    world.sync()
    (activity,) = world.activities
    assert (activity.subject, activity.sensitivity) == ("Busy", "private")
    assert (activity.location, activity.description) == (None, None)
    assert (activity.start_at, activity.status_reason) == (AT, "busy")
    assert world.parties == []
    assert world.links() == []


def test_the_same_meeting_in_two_mailboxes_is_one(world: World) -> None:
    world.port.put(CALENDAR, meeting())
    world.sync()
    other = world.save("mailbox", name="Dan", kind="folder", address="dan@firma.example")
    port = MemoryMailbox()
    port.put(CALENDAR, meeting(sensitivity=Sensitivity.PRIVATE))
    world.sync(other, port)
    (activity,) = world.activities
    assert activity.subject == "Ședință"
    assert len(world.items) == 2


def test_a_changed_meeting_is_changed_here(world: World) -> None:
    key = world.port.put(CALENDAR, meeting())
    world.sync()
    late = Attendee(Address("lia@nou.example"))
    item = meeting(start=AT + dt.timedelta(days=1), end=AT + dt.timedelta(days=1, hours=2))
    world.port.put(CALENDAR, replace(item, attendees=(*item.attendees, late)), key)
    assert world.folder("Calendar").updated == 1
    (activity,) = world.activities
    assert activity.start_at == AT + dt.timedelta(days=1)
    assert activity.duration_minutes == 120
    assert len(world.parties) == 4
    assert ("lead", world.lead, "lead", "linked") in world.links()


def test_a_meeting_reported_again_without_a_change_is_left_alone(world: World) -> None:
    key = world.port.put(CALENDAR, meeting())
    world.sync()
    world.port.put(CALENDAR, meeting(modified_at=AT), key)
    assert world.folder("Calendar").updated == 0


def test_a_link_a_person_removed_stays_removed(world: World) -> None:
    key = world.port.put(CALENDAR, meeting())
    world.sync()
    row = mail_message_link(world, "contact")
    records.save(world.actor, "link", row.id, None, {"state": "rejected"})
    world.port.put(CALENDAR, meeting(subject="Altă ședință"), key)
    assert world.folder("Calendar").updated == 1
    assert ("contact", world.contact, "contact", "rejected") in world.links()


def mail_message_link(world: World, entity: str) -> Any:
    from desktop_crm.models import Link

    return next(r for r in world.rows(Link) if r.record_type == entity)


def test_a_series_keeps_rule_zone_and_left_out_days(world: World) -> None:
    item = meeting(
        rrule="FREQ=WEEKLY;BYDAY=MO", zone="Europe/Bucharest", exdates=(AT + dt.timedelta(7),)
    )
    world.port.put(CALENDAR, item)
    moved = meeting(recurrence_id=AT + dt.timedelta(14), start=AT + dt.timedelta(15))
    world.port.put(CALENDAR, replace(moved, end=AT + dt.timedelta(15, hours=1)))
    world.port.put(CALENDAR, meeting("u2", start=dt.date(2026, 3, 5), end=dt.date(2026, 3, 7)))
    world.sync()
    series, occurrence, days = world.activities
    assert series.recurrence_rule == "FREQ=WEEKLY;BYDAY=MO"
    assert series.time_zone == "Europe/Bucharest"
    assert series.recurrence_exceptions == ["2026-03-09T08:00:00+00:00"]
    assert (occurrence.ical_uid, occurrence.recurrence_id) == ("u1", "2026-03-16T08:00:00+00:00")
    assert days.is_all_day
    assert days.start_at == dt.datetime(2026, 3, 5, tzinfo=UTC)
    assert days.end_at == dt.datetime(2026, 3, 7, tzinfo=UTC)


# --- what is not stored ------------------------------------------------------------------------


def test_excluded_mail_leaves_no_trace_but_its_reason(world: World) -> None:
    world.port.put(INBOX, mail(sensitivity=Sensitivity.PRIVATE, subject="Salariu"))
    counts = world.folder()
    assert counts.excluded.total() == 1
    assert world.activities == world.messages == world.parties == []
    (item,) = world.items
    assert (item.state, item.identity, item.activity_id) == ("excluded", None, None)
    assert "Salariu" not in repr(item)


def test_a_broken_item_is_set_aside_with_its_reason_and_heals(world: World) -> None:
    broken = Quarantined("b1", "b1.eml", "The file is empty.")
    world.port.put_broken(INBOX, broken)
    world.port.put(INBOX, mail())
    counts = world.folder()
    assert (counts.created, counts.quarantined) == (1, [("b1.eml", "The file is empty.")])
    states = {i.item_key: (i.state, i.reason) for i in world.items}
    assert states["b1"] == ("quarantined", "The file is empty.")
    world.port.put(INBOX, mail("healed@x"), "b1")
    assert world.folder().created == 1
    states = {i.item_key: (i.state, i.reason) for i in world.items}
    assert states["b1"] == ("stored", None)


def test_encrypted_mail_is_header_only(world: World) -> None:
    world.port.put(INBOX, mail(encrypted=True, text="secret"))
    world.sync()
    (message,) = world.messages
    assert (message.stored, message.body_text, message.subject) == ("sealed", None, "Ofertă")


def test_on_a_shared_database_unlinked_mail_is_headers_only(shared_world: World) -> None:
    world = shared_world
    part = Attachment("a.pdf", "application/pdf", 3, b"pdf")
    world.port.put(INBOX, mail("linked@x", attachments=(part,)))
    world.port.put(INBOX, mail("alone@x", sender="who@else.example", attachments=(part,)))
    world.sync()
    stored = {m.message_id: (m.stored, m.body_text, m.preview) for m in world.messages}
    assert stored["linked@x"][:2] == ("full", "Bună ziua")
    assert stored["alone@x"] == ("headers", None, None)
    documents = {d.activity_id for d in _documents(world)}
    linked = next(m.activity_id for m in world.messages if m.message_id == "linked@x")
    assert documents == {linked}


def _documents(world: World) -> list[Any]:
    from desktop_crm.models import Document

    return world.rows(Document)


def test_on_a_file_of_ones_own_unlinked_mail_is_whole(world: World) -> None:
    world.port.put(INBOX, mail("alone@x", sender="who@else.example"))
    world.sync()
    assert [(m.stored, m.body_text) for m in world.messages] == [("full", "Bună ziua")]


def test_folders_for_drafts_and_junk_store_nothing(world: World) -> None:
    drafts = Folder("Drafts", "Drafts", FolderRole.DRAFTS)
    port = MemoryMailbox([INBOX, drafts])
    port.put(drafts, mail())
    result = world.sync(port=port)
    assert [f.excluded.total() for f in result.folders] == [0, 1]
    assert world.messages == []


def test_the_next_page_is_made_ready_while_one_is_written(world: World) -> None:
    for number in range(250):
        world.port.put(INBOX, mail(f"m{number}@x"))
    asked: list[int] = []
    told: list[tuple[int, int]] = []
    world.port._fault = lambda call: (
        asked.append(len(world.messages)) if call == "changes" else None
    )
    world.sync(progress=lambda _folder, items: told.append((items, len(asked))))
    # The first page of each folder comes by itself.
    assert told == [(100, 1), (0, 2), (0, 3), (200, 5), (250, 5)]
    assert len(world.messages) == 250


def test_of_a_large_mailbox_something_of_everything_is_there_soon(world: World) -> None:
    for number in range(250):
        world.port.put(INBOX, mail(f"in{number}@x"))
        world.port.put(SENT, mail(f"out{number}@x"))
        world.port.put(CALENDAR, meeting(f"meeting{number}"))
    told: list[str] = []
    world.sync(progress=lambda folder, _items: told.append(folder))
    inbox, sent, calendar = (one.name for one in (INBOX, SENT, CALENDAR))
    assert told == [
        *(inbox, sent, calendar),
        *(calendar, calendar),
        *(inbox, inbox),
        *(sent, sent),
    ]
    told.clear()
    world.port.put(INBOX, mail("new@x"))
    world.sync(progress=lambda folder, _items: told.append(folder))
    assert told == [inbox, sent, calendar]
