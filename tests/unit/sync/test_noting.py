"""A letter to many is noted on the records it went to: when it has left, once, and truthfully."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import event

from desktop_crm.core.errors import EnvironmentProblem, UserError
from desktop_crm.models import Activity, Link
from desktop_crm.models.outbox import OutboxState
from desktop_crm.services import purge, records, undo, writer
from desktop_crm.services.context import Actor, as_seen_by, system_actor
from desktop_crm.services.duplicates.merge import MergeWish, merge
from desktop_crm.services.mail import outbox
from desktop_crm.services.mail.noting import Notes
from desktop_crm.sync import posting, sending, writing
from desktop_crm.sync.compose import Letter
from desktop_crm.sync.port import Address
from desktop_crm.sync.sending import Sending
from desktop_crm.sync.writes import Deed
from tests.unit.sync.conftest import AT, World
from tests.unit.sync.ordering import busy, faulty

pytestmark = pytest.mark.usefixtures("moment")

TEN = dt.timedelta(seconds=10)
ION, EVA = "ion@client.example", "eva@alta.example"
ALL = {"entity": "*", "read": "all", "create": "all", "edit": "all", "remove": "all"}


@pytest.fixture
def ana(world: World) -> Actor:
    """Ana signs in and works by herself, so that the notes are hers."""
    return signed_in(world, ALL)


def signed_in(world: World, *rights: dict[str, str]) -> Actor:
    role = world.save("role", name=f"Sales {len(rights)}", rights=list(rights))
    records.save(world.actor, "user", world.ana, None, {"role": role})
    world.actor = as_seen_by(world.actor.db, "ana")
    return world.actor


def eva(world: World) -> int:
    lines = [{"address": EVA, "is_primary": True}]
    admin = system_actor(world.actor.db)
    values = {"first_name": "Eva", "last_name": "Alta", "emails": lines}
    return records.save(admin, "contact", None, None, values).id


def both(world: World) -> Notes:
    return Notes("contact", ((world.contact, ION), (eva(world), EVA)))


def send(world: World, notes: Notes | None, *addresses: str, **options: Any) -> Sending:
    people = tuple(Address(one) for one in addresses or (ION, EVA))
    letter = Letter(Address("ana@firma.example", "Ana"), bcc=people, subject="News", text="Hello")
    letter = replace(letter, **options.pop("letter", {}))
    return sending.send(world.actor, world.mailbox, letter, notes=notes, **options)


def noted(world: World, sent: Sending) -> list[Any]:
    """Activities beside the letter's own that are not in the bin."""
    return [
        one
        for one in world.rows(Activity)
        if one.id != sent.activity and one.deleted_at is None and one.kind == "email"
    ]


@pytest.mark.usefixtures("ana")
def test_it_is_noted_when_it_has_left_and_not_before(
    world: World, moment: list[dt.datetime]
) -> None:
    notes = both(world)
    sent = send(world, notes)
    world.sync()
    assert noted(world, sent) == []
    moment[0] = AT + TEN
    result = world.sync()
    found = noted(world, sent)
    assert [(one.contact_id, one.account_id) for one in found] == [
        (world.contact, world.client),
        (notes.addresses[1][0], None),
    ]
    for one in found:
        assert (one.subject, one.direction) == ("News", "outgoing")
        assert (one.state, one.status_reason) == ("completed", "sent")
        assert one.occurred_at == one.completed_at == AT + TEN
        assert one.owner_id == world.ana
    assert result.changes.ids("activity") >= {one.id for one in found}
    assert outbox.get(world.actor, sent.item).message == "Noted on 2 records."
    assert result.written is not None
    (report,) = result.written.noted
    assert (report.done, report.failures) == (2, ())
    world.sync()
    assert len(noted(world, sent)) == 2


def test_one_undo_takes_all_notes_back_and_leaves_the_letter(world: World, ana: Actor) -> None:
    sent = send(world, both(world), undo_s=0)
    world.sync()
    assert len(noted(world, sent)) == 2
    undo.undo(ana)
    assert noted(world, sent) == []
    (left,) = (one for one in world.activities if one.id == sent.activity)
    assert (left.status_reason, left.deleted_at) == ("sent", None)


@pytest.mark.usefixtures("ana")
def test_only_those_it_still_went_to_are_noted_on_whichever_line_they_stand(world: World) -> None:
    notes = both(world)
    gone = send(world, notes, EVA.upper(), undo_s=0)
    world.sync()
    assert [one.contact_id for one in noted(world, gone)] == [notes.addresses[1][0]]
    open_copy = {"to": (Address(ION),), "bcc": ()}
    moved = send(world, notes, undo_s=0, letter={**open_copy, "subject": "Moved"})
    world.sync()
    found = [one for one in noted(world, moved) if one.subject == "Moved"]
    assert [one.contact_id for one in found if one.id != gone.activity] == [world.contact]
    nobody = send(world, notes, "other@x.example", undo_s=0, letter={"subject": "Nobody"})
    world.sync()
    assert [one for one in noted(world, nobody) if one.subject == "Nobody"] == []
    assert outbox.get(world.actor, nobody.item).message == ""


@pytest.mark.usefixtures("ana")
def test_a_note_tells_of_nobody_else_who_got_it(world: World) -> None:
    notes = both(world)
    send(world, notes, undo_s=0)
    world.sync()
    for one in world.rows(Activity):
        said = " ".join(str(value) for value in one)
        assert ION not in said
        assert EVA not in said
    parties = {party.activity_id for party in world.parties}
    (letter,) = {message.activity_id for message in world.messages}
    assert parties == {letter}
    linked: dict[int, set[int]] = {}
    for link in world.rows(Link):
        if link.record_type == "contact":
            linked.setdefault(link.activity_id, set()).add(link.record_id)
    assert letter not in linked
    assert sorted(linked.values()) == [{key} for key, _address in notes.addresses]


@pytest.mark.usefixtures("ana")
def test_taken_back_it_is_noted_nowhere(world: World, moment: list[dt.datetime]) -> None:
    sent = send(world, both(world))
    outbox.cancel(world.actor, sent.item)
    moment[0] = AT + TEN
    world.sync()
    assert noted(world, sent) == []


@pytest.mark.usefixtures("ana")
def test_refused_it_is_noted_nowhere_until_another_try_goes_well(world: World) -> None:
    sent = send(world, both(world), undo_s=0)
    faulty(world, UserError("The server does not take it."))
    world.sync()
    assert outbox.get(world.actor, sent.item).state is OutboxState.FAILED
    assert noted(world, sent) == []
    outbox.retry(world.actor, sent.item)
    world.sync()
    assert len(noted(world, sent)) == 2


@pytest.mark.usefixtures("ana")
def test_cancelled_too_late_it_left_and_is_noted(world: World) -> None:
    sent = send(world, both(world), undo_s=0)
    lose_answer(world)
    world.sync()
    outbox.cancel(world.actor, sent.item)
    world.sync()
    assert outbox.get(world.actor, sent.item).state is OutboxState.DONE
    assert len(world.port.delivered) == 1
    assert len(noted(world, sent)) == 2


@pytest.mark.usefixtures("ana")
def test_an_answer_that_was_lost_notes_once(world: World, moment: list[dt.datetime]) -> None:
    sent = send(world, both(world), undo_s=0)
    faulty(world, busy())
    lose_answer(world)
    for _ in range(3):
        world.sync()
        moment[0] += dt.timedelta(hours=2)
    assert len(world.port.delivered) == 1
    assert len(noted(world, sent)) == 2


def lose_answer(world: World) -> None:
    left = [EnvironmentProblem("The answer was lost.", retryable=True)]

    def after(_deed: Deed) -> None:
        if left:
            raise left.pop()

    world.port._after = after


@pytest.mark.usefixtures("ana")
def test_sent_later_it_survives_a_restart_and_is_noted_as_it_was_sent(
    world: World, moment: list[dt.datetime]
) -> None:
    later = AT + dt.timedelta(days=2)
    sent = send(world, both(world), due_at=later)
    world.actor.db.engine.dispose()  # nothing is left but the file
    moment[0] = later
    world.sync()
    assert {one.occurred_at for one in noted(world, sent)} == {later}


class Killed(BaseException):
    """The process ends here."""


@pytest.mark.usefixtures("ana")
def test_killed_at_any_statement_it_is_noted_once(world: World, moment: list[dt.datetime]) -> None:
    notes = both(world)
    left = 0

    def count(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        nonlocal left
        if left and not statement.startswith("BEGIN"):
            left -= 1
            if left == 0:
                raise Killed

    engine = world.actor.db.engine
    event.listen(engine, "before_cursor_execute", count)
    number, finished = 0, False
    sent = send(world, None, undo_s=0)
    while not finished:
        number += 1
        left = 0
        sent = send(world, notes, undo_s=0, letter={"subject": f"Letter {number}"})
        left = number
        try:
            world.sync(only_write=True)
            finished = True
        except Killed:
            pass
        left = 0
        moment[0] += dt.timedelta(hours=2)  # the lease of who died runs out
        world.sync()
        found = [one for one in noted(world, sent) if one.subject == f"Letter {number}"]
        assert sorted(one.contact_id for one in found if one.contact_id) == sorted(
            key for key, _address in notes.addresses
        ), number
    event.remove(engine, "before_cursor_execute", count)
    assert number > 20
    assert len(world.port.delivered) == number + 1


def test_what_may_not_be_noted_is_said(world: World) -> None:
    notes = both(world)
    own = {"entity": "contact", "read": "own"}
    signed_in(world, {**ALL, "create": "all"}, own)
    admin = system_actor(world.actor.db)
    records.save(admin, "contact", world.contact, None, {"owner": world.ana})
    other = world.contact, notes.addresses[1][0]
    stranger = records.save(admin, "user", None, None, {"name": "Else"}).id
    records.save(admin, "contact", other[1], None, {"owner": stranger})
    sent = send(world, notes, undo_s=0)
    world.sync()
    assert [one.contact_id for one in noted(world, sent)] == [world.contact]
    row = outbox.get(world.actor, sent.item)
    assert row.state is OutboxState.DONE
    assert row.message.startswith("Noted on 1 record. Not noted on 1 record: ")
    assert "Eva" not in row.message


def test_who_may_no_longer_create_activities_is_told_so_and_the_letter_has_left(
    world: World,
) -> None:
    signed_in(world, ALL)
    sent = send(world, both(world), undo_s=0)
    world.actor = system_actor(world.actor.db)
    signed_in(world, ALL, {**ALL, "entity": "activity", "create": "none"})
    world.sync()
    assert noted(world, sent) == []
    row = outbox.get(world.actor, sent.item)
    assert row.state is OutboxState.DONE
    assert row.message.startswith("Not noted on 2 records: ")


@pytest.mark.usefixtures("ana")
def test_a_record_deleted_meanwhile_is_left_out_and_the_others_are_noted(world: World) -> None:
    sent = send(world, both(world), undo_s=0)
    records.delete(world.actor, "contact", [world.contact])
    result = world.sync()
    assert len(noted(world, sent)) == 1
    assert result.written is not None
    (report,) = result.written.noted
    assert [one.record_id for one in report.failures] == [world.contact]
    said = outbox.get(world.actor, sent.item).message
    assert said.startswith("Noted on 1 record. Not noted on 1 record: Ion Pop: ")


@pytest.mark.usefixtures("ana")
def test_a_record_merged_meanwhile_is_noted_as_the_one_that_is_left(world: World) -> None:
    notes = both(world)
    twin = notes.addresses[1][0]
    sent = send(world, notes, undo_s=0)
    admin = system_actor(world.actor.db)
    merge(admin, MergeWish("contact", world.contact, (twin,)))
    world.sync()
    assert [one.contact_id for one in noted(world, sent)] == [world.contact]
    assert outbox.get(world.actor, sent.item).message == "Noted on 1 record."


@pytest.mark.usefixtures("ana")
def test_a_record_that_is_gone_for_good_counts_as_not_noted(world: World) -> None:
    notes = both(world)
    lost = notes.addresses[1][0]
    sent = send(world, notes, undo_s=0)
    admin = system_actor(world.actor.db)
    records.delete(admin, "contact", [lost])
    assert purge.purge(admin, [("contact", lost)]).count == 1
    world.sync()
    assert [one.contact_id for one in noted(world, sent)] == [world.contact]
    said = outbox.get(world.actor, sent.item).message
    assert said.startswith("Noted on 1 record. Not noted on 1 record: This contact does not exist")


@pytest.mark.parametrize("kind", ["world", "shared_world"])
def test_a_note_that_cannot_be_written_leaves_the_others_and_the_sending(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """As a field an administrator requires of every activity would have it."""
    world: World = request.getfixturevalue(kind)
    ana = signed_in(world, ALL)
    notes = both(world)
    write = writer.write

    def picky(work: Any, drafts: Any) -> Any:
        changes = write(work, drafts)  # what is written before the error must go again
        if any(d.is_new and d.get("contact") == world.contact for d in drafts):
            raise UserError("Say which campaign.")
        return changes

    sent = send(world, notes, undo_s=0)
    monkeypatch.setattr(writer, "write", picky)
    world.sync()
    assert [one.contact_id for one in noted(world, sent)] == [notes.addresses[1][0]]
    row = outbox.get(world.actor, sent.item)
    assert row.state is OutboxState.DONE
    assert "Say which campaign." in row.message
    undo.undo(ana)
    assert noted(world, sent) == []


@pytest.mark.usefixtures("ana")
def test_of_what_is_never_stored_no_note_tells(world: World) -> None:
    admin = system_actor(world.actor.db)
    records.save(admin, "mailbox", world.mailbox, None, {"never_log": "alta.example"})
    sent = send(world, both(world), undo_s=0)
    assert sent.activity is None
    world.sync()
    assert noted(world, sent) == []
    row = outbox.get(world.actor, sent.item)
    assert row.message == "Not noted on 2 records: Mail like this is never stored."
    assert row.title == ""


def test_an_administrators_pass_notes_in_the_name_of_who_sent_it(world: World, ana: Actor) -> None:
    sent = send(world, both(world), undo_s=0)
    world.actor = system_actor(ana.db)
    world.sync()
    assert {one.created_by_id for one in noted(world, sent)} == {ana.user_id}
    undo.undo(ana)
    assert noted(world, sent) == []


@pytest.mark.usefixtures("ana")
def test_a_draft_keeps_what_waits_for_it(world: World) -> None:
    notes = both(world)
    letter = Letter(Address("ana@firma.example"), bcc=(Address(ION),), subject="News", text="x")
    changes = posting.keep_draft(world.actor, world.mailbox, letter, (), notes=notes)
    (item,) = changes.ids("outbox_item")
    world.sync()
    opening = writing.reopened(world.actor, item)
    assert opening.notes == notes
    assert opening.draft is not None
    posting.send(
        world.actor, world.mailbox, letter, undo_s=0, draft=opening.draft, notes=opening.notes
    )
    world.sync()
    found = [one for one in world.activities if one.contact_id == world.contact]
    assert [one.subject for one in found] == ["News"]
