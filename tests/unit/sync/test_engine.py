from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import event

from desktop_crm.core.errors import Cancelled, EnvironmentProblem, UserError
from desktop_crm.db.engine import Cancel
from desktop_crm.models import DocumentContent, SyncState
from desktop_crm.services import mail_message, records
from desktop_crm.sync import lease
from desktop_crm.sync.memory import CALENDAR, INBOX, SENT, MemoryMailbox
from desktop_crm.sync.port import (
    Address,
    Attachment,
    Attendee,
    Folder,
    FolderRole,
    MeetingItem,
    Quarantined,
    Response,
    Role,
    Sensitivity,
)
from tests.unit.sync.conftest import AT, World, mail

UTC = dt.UTC


def meeting(uid: str = "u1", **changes: Any) -> MeetingItem:
    values: dict[str, Any] = {
        "uid": uid,
        "start": AT,
        "end": AT + dt.timedelta(hours=1),
        "subject": "Ședință",
        "location": "Sala 2",
        "text": "Agenda",
        "organizer": Attendee(Address("ana@firma.example", "Ana"), Role.ORGANIZER),
        "attendees": (
            Attendee(Address("ion@client.example", "Ion"), Role.REQUIRED, Response.ACCEPTED),
            Attendee(Address("nobody@nowhere.example"), Role.OPTIONAL),
        ),
    }
    return MeetingItem(**{**values, **changes})


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
    assert (message.stored, message.body_text, message.subject) == ("headers", None, "Ofertă")


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


# --- passes that break -------------------------------------------------------------------------


def many(world: World, count: int = 250) -> None:
    for n in range(count):
        world.port.put(INBOX, mail(f"m{n}@x", sent_at=AT + dt.timedelta(minutes=n)))


def test_a_pass_that_breaks_goes_on_after_the_last_whole_batch(world: World) -> None:
    many(world)
    trouble = EnvironmentProblem("down", retryable=False)
    calls = iter([None, None, None, trouble])

    def fault(call: str) -> None:
        problem = next(calls, None)
        if problem is not None:
            raise problem

    world.port._fault = fault
    result = world.sync()
    assert result.problem is trouble
    assert len(world.messages) == 200
    assert world.folder().created == 50
    assert len(world.messages) == 250


def test_trouble_that_passes_is_waited_for(world: World) -> None:
    world.port.put(INBOX, mail())
    waited: list[float] = []
    problems = [
        EnvironmentProblem("busy", retryable=True, retry_after=2.5),
        EnvironmentProblem("busy", retryable=True),
    ]

    def fault(call: str) -> None:
        if call == "changes" and problems:
            raise problems.pop(0)

    world.port._fault = fault
    result = world.sync(wait=lambda seconds, cancel: waited.append(seconds))
    assert result.problem is None
    assert waited == [2.5, 4.0]


def test_a_server_that_asks_for_a_long_pause_is_left_alone(world: World) -> None:
    def fault(call: str) -> None:
        raise EnvironmentProblem("busy", retryable=True, retry_after=600)

    world.port._fault = fault
    assert world.sync().problem is not None
    assert world.port.calls == 1


def test_a_refused_password_is_tried_once(world: World) -> None:
    def fault(call: str) -> None:
        raise UserError("refused")

    world.port._fault = fault
    assert isinstance(world.sync().problem, UserError)
    assert world.port.calls == 1


def test_a_forgotten_token_brings_no_duplicates_and_finds_what_is_gone(world: World) -> None:
    many(world, 120)
    gone = world.port.put(INBOX, mail("gone@x"))
    world.sync()
    links = world.links()
    del world.port._boxes["Inbox"].items[gone]
    world.port._boxes["Inbox"].journal = [
        e for e in world.port._boxes["Inbox"].journal if e.item_id != gone
    ]
    world.port.forget_tokens()
    counts = world.folder()
    assert counts.resynced
    assert (counts.created, counts.gone, counts.unchanged) == (0, 1, 120)
    assert len(world.activities) == 121
    assert world.links() == links
    assert [s.status for s in world.rows(SyncState)] == [None, None, None]


def test_an_enumeration_that_breaks_off_is_finished_by_the_next_pass(world: World) -> None:
    many(world, 150)
    gone = world.port.put(INBOX, mail("gone@x"))
    world.sync()
    del world.port._boxes["Inbox"].items[gone]
    journal = world.port._boxes["Inbox"].journal
    world.port._boxes["Inbox"].journal = [e for e in journal if e.item_id != gone]
    world.port.forget_tokens()
    calls = iter([None, None, None, EnvironmentProblem("down")])

    def fault(call: str) -> None:
        problem = next(calls, None)
        if problem is not None:
            raise problem

    world.port._fault = fault
    assert world.sync().problem is not None
    assert [i.state for i in world.items if i.item_key == gone] == ["stored"]
    assert world.folder().gone == 1
    assert [i.state for i in world.items if i.item_key == gone] == ["gone"]


def test_a_stopped_pass_keeps_whole_batches(world: World) -> None:
    many(world)
    cancel = Cancel()
    with pytest.raises(Cancelled):
        world.sync(cancel=cancel, progress=lambda folder, count: cancel.cancel())
    assert len(world.messages) == 100
    assert world.folder().created == 150


def test_waiting_ends_when_the_work_is_stopped(world: World) -> None:
    from desktop_crm.sync.engine import pause

    cancel = Cancel()
    cancel.cancel()
    with pytest.raises(Cancelled):
        pause(60.0, cancel)


# --- a dry run ---------------------------------------------------------------------------------


def test_a_dry_run_tells_the_same_and_writes_nothing(world: World) -> None:
    many(world, 130)
    world.port.put(INBOX, mail("m7@x"))
    world.port.put(INBOX, mail("private@x", sensitivity=Sensitivity.PRIVATE))
    world.port.put_broken(INBOX, Quarantined("b", "b.eml", "The file is empty."))
    answer = mail("re@x", sender="new@else.example", in_reply_to="m3@x")
    world.port.put(SENT, answer)
    world.port.put(CALENDAR, meeting())
    tried = world.sync(dry_run=True)
    assert world.items == world.activities == world.rows(SyncState) == []
    done = world.sync()
    assert tried.folders == done.folders
    assert not tried.changes
    assert done.changes.touches("activity", "link", "mailbox_item")


# --- one machine at a time ---------------------------------------------------------------------


def test_a_mailbox_that_another_machine_reads_is_left_alone(world: World) -> None:
    with world.actor.db.writing() as connection:
        lease.take(connection, world.mailbox, "other-host/1/abc", None)
    world.port.put(INBOX, mail())
    result = world.sync()
    assert "other-host" in str(result.problem)
    assert world.messages == []
    with world.actor.db.writing() as connection:
        lease.release(connection, world.mailbox, "other-host/1/abc", None)
    assert world.folder().created == 1


def test_a_lease_is_given_back_and_ends_by_itself(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    from desktop_crm.core import clock
    from desktop_crm.models import Mailbox

    world.sync()
    assert world.rows(Mailbox)[0].leased_by is None
    with world.actor.db.writing() as connection:
        lease.take(connection, world.mailbox, "other-host/1/abc", None)
    later = clock.now() + lease.LEASE + dt.timedelta(seconds=1)
    clock.use_clock(lambda: later)
    assert world.sync().problem is None


def test_a_lease_of_a_dead_process_of_this_machine_is_taken_over(world: World) -> None:
    dead = lease.new_holder().split("/")
    with world.actor.db.writing() as connection:
        lease.take(connection, world.mailbox, f"{dead[0]}/999999999/abc", None)
    assert world.sync().problem is None


# --- cost --------------------------------------------------------------------------------------


def test_a_batch_costs_the_same_statements_whatever_its_size(world: World) -> None:
    counted: list[str] = []

    def note(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        # How activities are inserted is the record writer's matter.
        if not statement.startswith("INSERT INTO activity ("):
            counted.append(statement)

    event.listen(world.actor.db.engine, "before_cursor_execute", note)
    costs = []
    for size in (5, 90):
        for n in range(size):
            # People differ from message to message, as they do in life.
            item = mail(f"s{size}-{n}@x", sender=f"p{n}@client.example", cc=("ion@client.example",))
            world.port.put(INBOX, item)
        counted.clear()
        assert world.folder().created == size
        costs.append(len(counted))
    assert costs[0] == costs[1]


def test_folders_for_drafts_and_junk_store_nothing(world: World) -> None:
    drafts = Folder("Drafts", "Drafts", FolderRole.DRAFTS)
    port = MemoryMailbox([INBOX, drafts])
    port.put(drafts, mail())
    result = world.sync(port=port)
    assert [f.excluded.total() for f in result.folders] == [0, 1]
    assert world.messages == []
