from __future__ import annotations

import datetime as dt
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from desktop_crm.core import clock
from desktop_crm.core.errors import Cancelled, EnvironmentProblem, UserError
from desktop_crm.db.engine import Cancel
from desktop_crm.models import SyncState
from desktop_crm.sync import lease
from desktop_crm.sync.folder.mailbox import FolderMailbox
from desktop_crm.sync.memory import CALENDAR, INBOX, SENT, MemoryMailbox
from desktop_crm.sync.port import Quarantined, Sensitivity
from desktop_crm.sync.results import MailboxResult
from tests.unit.sync.conftest import AT, World, mail, meeting

# --- passes that break -------------------------------------------------------------------------


def many(world: World, count: int = 250) -> None:
    for n in range(count):
        world.port.put(INBOX, mail(f"m{n}@x", sent_at=AT + dt.timedelta(minutes=n)))


def test_a_pass_that_breaks_goes_on_after_the_last_whole_batch(world: World) -> None:
    many(world)
    trouble = EnvironmentProblem("down", retryable=False)
    # Three are the first pages of each folder.
    calls = iter([None, None, None, None, None, trouble])

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
    from desktop_crm.sync.patience import pause

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
    assert {f.folder: f for f in tried.folders} == {f.folder: f for f in done.folders}
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
        lease.take(connection, world.mailbox, f"{dead[0]}/999999999/abc/{dead[3]}", None)
    assert world.sync().problem is None


def test_another_machine_of_the_same_name_is_not_taken_for_dead(world: World) -> None:
    """Its process is unknown here and may be sending a message just now."""
    name = lease.new_holder().split("/")[0]
    with world.actor.db.writing() as connection:
        lease.take(connection, world.mailbox, f"{name}/999999999/abc/0a1b2c3d4e5f", None)
    problem = world.sync().problem
    assert isinstance(problem, EnvironmentProblem)
    assert "is being synchronised" in str(problem)


# --- cost --------------------------------------------------------------------------------------


def test_a_batch_costs_the_same_statements_whatever_its_size(world: World) -> None:
    world.sync()
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


def test_a_message_a_colleague_stored_a_moment_ago_is_held_not_stored_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    from desktop_crm.sync import known as stored
    from desktop_crm.sync.memory import MemoryMailbox
    from desktop_crm.sync.plan import Known

    world.port.put(INBOX, mail())
    world.sync()
    other = world.save("mailbox", name="Dan", kind="folder", address="dan@firma.example")
    port = MemoryMailbox([INBOX])
    port.put(INBOX, mail())
    look = stored.known
    blind = [True]

    def a_moment_earlier(*args: Any) -> Known:
        found = look(*args)
        return Known(found.holders, {}) if blind.pop() else found

    blind.insert(0, False)
    monkeypatch.setattr(stored, "known", a_moment_earlier)
    result = world.sync(other, port)
    assert result.problem is None
    assert (result.folders[0].created, result.folders[0].known) == (0, 1)
    assert len(world.messages) == len(world.activities) == 1


# --- items no database takes ---------------------------------------------------------------------


@pytest.mark.parametrize("shared", [False, True])
def test_damaged_bytes_stop_no_pass(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    shared: bool,
) -> None:
    world: World = request.getfixturevalue("shared_world" if shared else "world")
    head = b"From: a\x00b@x.example\r\nTo: c@d.example\r\nSubject: \x00\xed\xa0\x80 =?utf-8?q?=00?="
    ids = b"Message-ID: <a\x00b@x>\r\nReferences: <c\x00d@x>\r\nThread-Index: e\x00f"
    (tmp_path / "a.eml").write_bytes(head + b"\r\n" + ids + b"\r\n\r\ntext\x00\r\n")
    event = b"BEGIN:VEVENT\r\nUID:u\x001\r\nSUMMARY:a\x00b\r\nDTSTART:20260302T080000Z\r\n"
    (tmp_path / "a.ics").write_bytes(b"BEGIN:VCALENDAR\r\n" + event + b"END:VEVENT\r\n")
    result = world.sync(port=FolderMailbox(tmp_path))
    assert result.problem is None
    assert len(world.activities) == 2


def test_an_item_the_database_refuses_is_set_aside_alone(shared_world: World) -> None:
    for n in range(5):
        shared_world.port.put(INBOX, mail(f"m{n}@x" if n != 2 else "m\x002@x"))
    counts = shared_world.folder()
    assert counts.created == 4
    ((name, reason),) = counts.quarantined
    assert name
    assert reason == "The database refuses what the item says."
    assert len(shared_world.messages) == 4
    assert [i.state for i in shared_world.items].count("quarantined") == 1
    assert shared_world.folder().total == 0


def test_two_first_passes_over_one_meeting_store_it_once(shared_world: World) -> None:
    """Both plan in the moment in which the other has not written yet."""
    boxes = [
        shared_world.save("mailbox", name=f"Box {n}", kind="folder", address=f"b{n}@firma.example")
        for n in range(4)
    ]
    start = threading.Barrier(len(boxes))

    def one(box: int) -> MailboxResult:
        port = MemoryMailbox()
        for n in range(20):
            port.put(CALENDAR, meeting(f"u{n}"))
        start.wait()
        return shared_world.sync(box, port)

    with ThreadPoolExecutor(len(boxes)) as pool:
        results = list(pool.map(one, boxes))
    assert [result.problem for result in results] == [None] * len(boxes)
    assert sorted(a.ical_uid for a in shared_world.activities) == sorted(f"u{n}" for n in range(20))


def test_a_clock_set_back_during_a_new_enumeration_loses_nothing(world: World) -> None:
    many(world, 120)
    world.folder()
    world.port.forget_tokens()
    clock.use_clock(lambda: AT + dt.timedelta(days=4000))
    calls = iter(range(100))

    def fault(call: str) -> None:
        if call == "changes" and next(calls) == 1:
            clock.use_clock(lambda: AT + dt.timedelta(days=3999))

    world.port._fault = fault
    try:
        counts = world.folder()
    finally:
        clock.use_clock(None)
    assert counts.resynced
    assert counts.gone == 0
    assert {i.state for i in world.items} == {"stored"}
