"""The journal of writes: in order, explained, held back, and nobody else's."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from desktop_crm.core.errors import Cancelled, NotFound, UserError
from desktop_crm.core.i18n import N_
from desktop_crm.core.identity import new_uid
from desktop_crm.db.engine import Cancel
from desktop_crm.models import Mailbox, MailboxItem, OutboxItem
from desktop_crm.models.outbox import OutboxState
from desktop_crm.services import query, records
from desktop_crm.services.context import Actor
from desktop_crm.services.mail import outbox
from desktop_crm.services.record_query import RecordQuery
from desktop_crm.services.records_kept import insert_rows
from desktop_crm.sync import scheduler
from desktop_crm.sync.memory import ARCHIVE, CALENDAR, CONTACTS, INBOX, TASKS, MemoryMailbox
from desktop_crm.sync.outbox import order, restore
from desktop_crm.sync.outbox_rows import Reason
from desktop_crm.sync.port import Flag, MeetingItem
from desktop_crm.sync.writes import (
    Ability,
    Deed,
    Delete,
    Mark,
    Move,
    Ref,
    Save,
)
from tests.contract.writing_driver import contact, meeting, received, sending, task
from tests.unit.sync.conftest import AT, World, mail
from tests.unit.sync.ordering import LATER, busy, faulty, ordered, put, row, state

pytestmark = pytest.mark.usefixtures("moment")


def test_a_deed_waits_in_the_journal_until_a_pass_does_it(world: World) -> None:
    why = Reason(N_("The account {name} was chosen."), (("name", "Client SRL"),))
    item = meeting()
    key = ordered(world, Save(new_uid(), CALENDAR.key, item), why=why)
    assert state(world, key) is OutboxState.WAITING
    assert world.port.held(CALENDAR) == {}
    result = world.sync()
    assert result.problem is None
    assert result.written is not None
    assert result.written.done == 1
    assert list(world.port.held(CALENDAR).values()) == [item]
    done = row(world, key)
    assert (done.state, done.done_at, done.attempts) == (OutboxState.DONE, AT, 1)
    assert done.why == "The account Client SRL was chosen."
    assert done.title == "Ședință"
    assert result.changes.ids("outbox_item") == {key}
    world.sync()
    assert len(world.port.held(CALENDAR)) == 1


def test_deeds_are_done_in_the_order_they_were_ordered(world: World) -> None:
    seen: list[str] = []
    world.port._after = lambda deed: seen.append(deed.own_key)
    keys = [new_uid() for _ in range(4)]
    for key in keys:
        ordered(world, Save(key, TASKS.key, task(key)))
    world.sync()
    assert seen == keys


def test_later_deeds_follow_an_item_that_was_moved_and_changed(world: World) -> None:
    ref = put(world, INBOX, mail())
    first = ordered(world, Mark(new_uid(), ref, flag=Flag.FLAGGED))
    moved = ordered(world, Move(new_uid(), ref, ARCHIVE.key))
    gone = ordered(world, Delete(new_uid(), ref))
    world.sync()
    assert [state(world, key) for key in (first, moved, gone)] == [OutboxState.DONE] * 3
    assert world.port.held(INBOX) == world.port.held(ARCHIVE) == {}


def test_what_follows_a_change_by_somebody_else_stays_out_of_date(world: World) -> None:
    item = meeting()
    ref = put(world, CALENDAR, item)
    world.port.put(CALENDAR, replace(item, subject="Theirs"), ref.item_id)
    seen = ordered(world, Mark(new_uid(), replace(ref, change_key="2"), categories=("A",)))
    late = ordered(world, Save(new_uid(), CALENDAR.key, replace(item, subject="Mine"), ref))
    world.sync()
    assert (state(world, seen), state(world, late)) == (OutboxState.DONE, OutboxState.STALE)
    assert "changed in the mailbox meanwhile" in row(world, late).message
    (stands,) = world.port.held(CALENDAR).values()
    assert isinstance(stands, MeetingItem)
    assert stands.subject == "Theirs"


def test_what_is_no_longer_there_is_said_to_be(world: World) -> None:
    ref = put(world, TASKS, task())
    world.port.remove(TASKS, ref.item_id)
    changed = ordered(world, Save(new_uid(), TASKS.key, task(), ref))
    gone = ordered(world, Delete(new_uid(), ref))
    world.sync()
    assert (state(world, changed), state(world, gone)) == (OutboxState.STALE, OutboxState.DONE)


def test_a_time_that_has_not_come_holds_the_deed_and_what_follows_it(
    world: World, moment: list[dt.datetime]
) -> None:
    ref = put(world, INBOX, mail())
    later = ordered(world, Mark(new_uid(), ref, flag=Flag.FLAGGED), due_at=LATER)
    after = ordered(world, Mark(new_uid(), ref, flag=Flag.NONE))
    other = ordered(world, Save(new_uid(), TASKS.key, task()))
    world.sync()
    assert state(world, later) is state(world, after) is OutboxState.WAITING
    assert state(world, other) is OutboxState.DONE
    assert outbox.next_due(world.actor) == AT
    moment[0] = LATER
    world.sync()
    assert state(world, later) is state(world, after) is OutboxState.DONE
    assert world.port.image(ref).flag is Flag.NONE


def test_trouble_that_may_pass_is_tried_again_later_and_reading_goes_on(
    world: World, moment: list[dt.datetime]
) -> None:
    world.port.put(INBOX, mail())
    key = ordered(world, Save(new_uid(), TASKS.key, task()))
    faulty(world, busy(), busy(retry_after=7_000))
    result = world.sync()
    assert result.problem is None
    assert result.written is not None
    assert (result.written.postponed, result.written.problem is not None) == (1, True)
    assert len(world.messages) == 1
    waits = row(world, key)
    assert waits.state is OutboxState.WAITING
    assert waits.due_at == AT + dt.timedelta(seconds=30)
    assert waits.message.startswith("The server is busy. The next try is at ")
    world.sync()
    assert row(world, key).attempts == 1
    moment[0] = waits.due_at
    world.sync()
    assert row(world, key).due_at == moment[0] + dt.timedelta(seconds=7_000)
    moment[0] = row(world, key).due_at
    world.sync()
    assert state(world, key) is OutboxState.DONE
    assert row(world, key).message == ""


def test_a_refused_password_stops_at_once_and_loses_nothing(world: World) -> None:
    keys = [ordered(world, Save(new_uid(), TASKS.key, task())) for _ in range(3)]
    faulty(world, UserError("The password was refused.", field="password"))
    result = world.sync()
    assert str(result.problem) == "The password was refused."
    assert [state(world, key) for key in keys] == [OutboxState.WAITING] * 3
    assert [row(world, key).attempts for key in keys] == [1, 0, 0]


def test_what_the_mailbox_refuses_for_good_fails_with_a_sentence_and_may_be_retried(
    world: World,
) -> None:
    key = ordered(world, Save(new_uid(), TASKS.key, task()))
    other = ordered(world, Save(new_uid(), TASKS.key, task()))
    faulty(world, UserError("The mailbox is full."))
    world.sync()
    assert (state(world, key), row(world, key).message) == (
        OutboxState.FAILED,
        "The mailbox is full.",
    )
    assert state(world, other) is OutboxState.DONE
    assert outbox.counts(world.actor) == {OutboxState.FAILED: 1}
    outbox.retry(world.actor, key)
    world.sync()
    assert state(world, key) is OutboxState.DONE
    with pytest.raises(UserError):
        outbox.retry(world.actor, key)


def test_an_error_of_the_program_costs_one_deed_and_no_mail(world: World) -> None:
    world.port.put(INBOX, mail())
    key = ordered(world, Save(new_uid(), TASKS.key, task()))
    faulty(world, RuntimeError("a bug"))
    assert world.sync().problem is None
    assert state(world, key) is OutboxState.FAILED
    assert len(world.messages) == 1


def test_what_the_mailbox_cannot_do_is_refused_in_words(world: World) -> None:
    world.port = MemoryMailbox(abilities=frozenset({Ability.TASKS}))
    key = ordered(world, Save(new_uid(), CALENDAR.key, meeting()))
    world.sync()
    assert row(world, key).message == (
        "This mailbox cannot change meetings. Nothing was changed there."
    )


def test_a_cancelled_deed_never_goes_out(world: World) -> None:
    key = ordered(world, sending(), due_at=AT + dt.timedelta(seconds=10))
    assert row(world, key).can_cancel
    outbox.cancel(world.actor, key)
    assert state(world, key) is OutboxState.CANCELLED
    with pytest.raises(UserError):
        outbox.cancel(world.actor, key)
    world.sync()
    assert world.port.delivered == []


@pytest.mark.parametrize("gone_out", [True, False])
def test_cancelling_what_was_tried_asks_the_mailbox_first(world: World, gone_out: bool) -> None:
    key = ordered(world, sending())
    if gone_out:
        world.port._after = _raise(busy())
    else:
        faulty(world, busy())
    world.sync()
    world.port._after = None
    outbox.cancel(world.actor, key)
    assert state(world, key) is OutboxState.WAITING
    assert "asked first" in row(world, key).message
    world.sync()
    assert state(world, key) is (OutboxState.DONE if gone_out else OutboxState.CANCELLED)
    assert len(world.port.delivered) == int(gone_out)


def _raise(error: Exception) -> Any:
    def after(deed: Deed) -> None:
        raise error

    return after


def test_a_held_deed_waits_for_a_person(world: World) -> None:
    key = ordered(world, Save(new_uid(), TASKS.key, task()), held=True)
    other = ordered(world, Save(new_uid(), TASKS.key, task()))
    outbox.hold(world.actor, other)
    world.sync()
    assert state(world, key) is state(world, other) is OutboxState.HELD
    outbox.release(world.actor, [key])
    outbox.retry(world.actor, other)
    world.sync()
    assert state(world, key) is state(world, other) is OutboxState.DONE
    with pytest.raises(UserError):
        outbox.hold(world.actor, key)


def test_send_later_can_be_put_off(world: World, moment: list[dt.datetime]) -> None:
    key = ordered(world, sending(), due_at=AT)
    outbox.put_off(world.actor, key, LATER)
    world.sync()
    assert world.port.delivered == []
    moment[0] = LATER
    world.sync()
    assert len(world.port.delivered) == 1
    with pytest.raises(UserError):
        outbox.put_off(world.actor, key, LATER)


def test_a_stopped_pass_stops_between_two_deeds(world: World) -> None:
    cancel = Cancel()
    world.port._after = lambda deed: cancel.cancel()
    keys = [ordered(world, Save(new_uid(), TASKS.key, task())) for _ in range(2)]
    with pytest.raises(Cancelled):
        world.sync(cancel=cancel)
    assert [state(world, key) for key in keys] == [OutboxState.DONE, OutboxState.WAITING]


def test_a_dry_run_writes_nothing(world: World) -> None:
    key = ordered(world, sending())
    assert world.sync(dry_run=True).written is None
    assert state(world, key) is OutboxState.WAITING
    assert world.port.delivered == []


# --- the brake ----------------------------------------------------------------------------


def hold_items(world: World, count: int) -> None:
    with world.actor.db.writing() as connection:
        rows = [
            {
                "mailbox_id": world.mailbox, "folder": "x", "item_key": str(n), "state": "stored",
                "is_read": True,
            }
            for n in range(count)
        ]  # fmt: skip
        insert_rows(connection, MailboxItem, rows, None)


def deletions(world: World, count: int, **options: Any) -> list[int]:
    refs = [put(world, CONTACTS, contact()) for _ in range(count)]
    return [ordered(world, Delete(new_uid(), ref), **options) for ref in refs]


@pytest.mark.parametrize(
    ("count", "holds", "stops"),
    [
        (5, 1_000, False),
        (6, 1_000, True),
        (2, 20, False),
        (3, 20, True),
        (1, 3, False),
        (5, 0, False),
    ],
)
def test_too_many_deletions_are_held_before_any_of_them(
    world: World, count: int, holds: int, stops: bool
) -> None:
    hold_items(world, holds)
    keys = deletions(world, count)
    other = ordered(world, Save(new_uid(), TASKS.key, task()))
    result = world.sync()
    assert result.written is not None
    assert result.written.held == (count if stops else 0)
    assert state(world, other) is OutboxState.DONE
    assert len(world.port.held(CONTACTS)) == (count if stops else 0)
    assert {state(world, key) for key in keys} == {OutboxState.HELD if stops else OutboxState.DONE}
    if not stops:
        return
    assert row(world, keys[0]).message.startswith(f"{count} items would be deleted")
    world.sync()
    assert len(world.port.held(CONTACTS)) == count
    outbox.cancel(world.actor, keys[0])
    outbox.release(world.actor, keys[1:])
    world.sync()
    assert len(world.port.held(CONTACTS)) == 1


def test_the_brake_counts_what_it_holds_already(world: World) -> None:
    hold_items(world, 1_000)
    deletions(world, 6)
    world.sync()
    more = deletions(world, 2)
    world.sync()
    assert {state(world, key) for key in more} == {OutboxState.HELD}


def test_what_a_person_deletes_one_by_one_is_not_held(world: World) -> None:
    hold_items(world, 10)
    deletions(world, 8, confirmed=True)
    world.sync()
    assert world.port.held(CONTACTS) == {}


# --- whose it is --------------------------------------------------------------------------


def test_nobody_sees_the_outbox_of_another_not_even_an_administrator(world: World) -> None:
    key = ordered(world, sending(subject="Confidential"))
    ana = _actor(world, world.ana)
    boss = _actor(world, world.save("user", name="Boss", login="boss"), is_admin=True)
    assert [r.id for r in outbox.list_items(ana)] == [key]
    assert outbox.content(ana, key)
    assert outbox.list_items(boss) == ()
    assert outbox.counts(boss) == {}
    assert outbox.next_due(boss) is None
    assert outbox.history(boss, mailbox=world.mailbox) == ()
    for work in (
        lambda: outbox.content(boss, key),
        lambda: outbox.cancel(boss, key),
        lambda: outbox.retry(boss, key),
        lambda: outbox.release(boss, [key]),
        lambda: restore(boss, key),
    ):
        with pytest.raises(NotFound):
            work()
    assert state(world, key) is OutboxState.WAITING


def _actor(world: World, user: int, *, is_admin: bool = False) -> Actor:
    return replace(world.actor, user_id=user, is_admin=is_admin)


def test_an_order_for_a_stored_message_is_named_by_it(world: World) -> None:
    ref = Ref(INBOX.key, world.port.put(INBOX, mail()))
    world.sync()
    key = ordered(world, Mark(new_uid(), ref, is_read=True))
    (activity,) = world.activities
    assert (row(world, key).title, row(world, key).activity_id) == ("Ofertă", activity.id)
    assert [r.id for r in outbox.history(world.actor, activity=activity.id)] == [key]


def test_lists_and_exports_show_nobody_the_outbox_of_another(world: World) -> None:
    key = ordered(world, sending(subject="Confidential"))
    boss = _actor(world, world.save("user", name="Boss", login="boss"), is_admin=True)
    for actor, seen in ((_actor(world, world.ana, is_admin=True), [key]), (boss, [])):
        assert list(query.keys(actor, RecordQuery("outbox_item", ("title",)))) == seen
        assert list(query.keys(actor, RecordQuery("outbox_content", ("part",)))) == []


def test_nobody_orders_anything_in_the_name_of_another(world: World) -> None:
    boss = _actor(world, world.save("user", name="Boss", login="boss"), is_admin=True)
    with pytest.raises(NotFound, match="another person's"):
        order(boss, world.mailbox, sending())
    assert world.rows(OutboxItem) == []


@pytest.mark.parametrize(
    ("due_at_page", "expected"),
    # The first pages come one of each folder; of the others the next is made ready meanwhile, and
    # asked for anew when something left.
    [(1, [0, 1, 1, 1, 1]), (4, [0, 0, 0, 0, 0, 1])],
)
def test_a_long_pass_does_not_keep_a_message_waiting(
    world: World, moment: list[dt.datetime], due_at_page: int, expected: list[int]
) -> None:
    for number in range(250):
        world.port.put(INBOX, mail(f"m{number}@x"))
    key = ordered(world, sending(), due_at=LATER)
    pages: list[int] = []

    def fault(call: str) -> None:
        if call == "changes":
            pages.append(len(world.port.delivered))
            if len(pages) == due_at_page:
                moment[0] = LATER

    world.port._fault = fault
    world.sync()
    assert state(world, key) is OutboxState.DONE
    assert pages == expected


def test_nobody_takes_a_mailbox_over_while_a_large_message_leaves(world: World) -> None:
    until: list[dt.datetime | None] = []

    def after(deed: Deed) -> None:
        with world.actor.db.reading() as connection:
            until.append(connection.execute(select(Mailbox.leased_until)).scalar_one())

    world.port._after = after
    for deed in (sending(), Save(new_uid(), TASKS.key, task())):
        ordered(world, deed)
    world.sync()
    minutes = [dt.timedelta(minutes=number) for number in (30, 5)]
    assert until == [AT + time for time in minutes]


def test_only_the_outbox_is_done_when_that_is_asked(world: World) -> None:
    world.port.put(INBOX, mail())
    key = ordered(world, sending())
    world.sync(only_write=True)
    assert (state(world, key), world.messages) == (OutboxState.DONE, [])


def test_a_press_of_send_does_what_is_due_and_reads_nothing(world: World, tmp_path: Path) -> None:
    for name in ("Inbox", "Clients"):
        (tmp_path / name).mkdir()
    for name in ("a", "b"):
        (tmp_path / "Inbox" / f"{name}.eml").write_bytes(received(name))
    records.save(world.actor, "mailbox", world.mailbox, None, {"path": str(tmp_path)})
    later = ordered(world, Move(new_uid(), Ref("Inbox", "Inbox/b.eml"), "Clients"), due_at=LATER)
    assert scheduler.send_due(world.actor).mailboxes == []
    key = ordered(world, Move(new_uid(), Ref("Inbox", "Inbox/a.eml"), "Clients"))
    (done,) = scheduler.send_due(world.actor).mailboxes
    assert (done.problem, done.folders) == (None, [])
    assert (state(world, key), state(world, later)) == (OutboxState.DONE, OutboxState.WAITING)
    assert (tmp_path / "Clients" / "a.eml").exists()
    assert world.messages == []


def test_what_failed_long_ago_is_not_sent_empty(world: World, moment: list[dt.datetime]) -> None:
    key = ordered(world, sending())
    faulty(world, UserError("No."))
    world.sync()
    moment[0] = AT + dt.timedelta(days=31)
    world.sync()
    with pytest.raises(NotFound, match="no longer kept"):
        outbox.retry(world.actor, key)


def test_the_history_of_an_item_tells_what_when_and_why(world: World) -> None:
    ref = put(world, CALENDAR, meeting())
    for subject in ("One", "Two"):
        change = Save(new_uid(), CALENDAR.key, meeting(subject), ref)
        ordered(world, change, why=Reason("Because"), operation="op")
    world.sync()
    found = outbox.history(world.actor, mailbox=world.mailbox, item_key=ref.item_id)
    assert [(r.title, r.why, r.state) for r in found] == [
        ("Two", "Because", OutboxState.DONE),
        ("One", "Because", OutboxState.DONE),
    ]


def test_a_shared_database_keeps_the_same_journal(shared_world: World) -> None:
    world = shared_world
    key = ordered(world, sending())
    gone = ordered(world, Delete(new_uid(), put(world, CONTACTS, contact())))
    world.sync()
    assert state(world, key) is state(world, gone) is OutboxState.DONE
    restore(world.actor, gone)
    world.sync()
    assert len(world.port.held(CONTACTS)) == 1
    with world.actor.db.reading() as connection:
        assert connection.execute(select(OutboxItem.attempts)).scalars().all() == [1, 1, 1]
