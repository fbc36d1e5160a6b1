"""Two machines on one mailbox: at once, with clocks a day apart, and one that slept."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from desktop_crm.core import clock
from desktop_crm.core.errors import EnvironmentProblem
from desktop_crm.models import Mailbox
from desktop_crm.services import records
from desktop_crm.services.records_kept import update_rows
from desktop_crm.sync import lease
from desktop_crm.sync.compose import Letter
from desktop_crm.sync.engine import Engine
from desktop_crm.sync.memory import ARCHIVE, CALENDAR, DRAFTS, INBOX, TASKS, MemoryMailbox
from desktop_crm.sync.port import Address, Batch, Folder, TaskItem
from desktop_crm.sync.results import MailboxResult
from desktop_crm.sync.sending import send
from desktop_crm.sync.writes import Deed, Send, Written
from tests.soak.life import ANA
from tests.unit.sync.conftest import AT, World, mail, make_world, meeting

SOON = AT + dt.timedelta(days=5)
DAY = dt.timedelta(days=1)


@pytest.fixture(params=["sqlite", "postgresql"])
def world(request: pytest.FixtureRequest) -> World:
    name = "sqlite_db" if request.param == "sqlite" else "postgres_db"
    found = make_world(request.getfixturevalue(name))
    records.save(found.actor, "mailbox", found.mailbox, None, {"two_way": True})
    found.port = Slow(others=(DRAFTS, ARCHIVE, TASKS))
    return found


@pytest.fixture
def shared(postgres_db: Any) -> World:
    found = make_world(postgres_db)
    found.port = Slow(others=(DRAFTS, ARCHIVE, TASKS))
    return found


@pytest.fixture
def now() -> Iterator[list[dt.datetime]]:
    moment = [AT]
    clock.use_clock(lambda: moment[0])
    yield moment
    clock.use_clock(None)


class Slow(MemoryMailbox):
    """A mailbox in which something happens while it answers."""

    meanwhile: Any = None

    def changes(self, folder: Folder, token: str | None, limit: int = 100) -> Batch:
        found = super().changes(folder, token, limit)
        self._happen("changes", folder)
        return found

    def do(self, deed: Deed) -> Written:
        self._happen("do", deed)
        return super().do(deed)

    def _happen(self, call: str, about: object) -> None:
        happens = self.meanwhile
        if happens is not None and happens(call, about):
            self.meanwhile = None


def slow(world: World) -> Slow:
    assert isinstance(world.port, Slow)
    return world.port


def by(world: World, machine: str) -> MailboxResult:
    engine = Engine(
        world.actor,
        world.mailbox,
        world.port,
        wait=lambda seconds, cancel: None,
        _holder=f"{machine}/1/{machine}",
    )
    return engine.run()


def write(world: World) -> None:
    letter = Letter(ANA, (Address("ion@client.example"),), subject="Ofertă", text="Bună ziua")
    send(world.actor, world.mailbox, letter, undo_s=0)


def give_up_lease(world: World) -> None:
    """The lease of the machine that stands still has run out."""
    with world.actor.db.writing() as connection:
        past = lease._now(connection) - dt.timedelta(minutes=1)
        update_rows(
            connection, Mailbox, [(world.mailbox, {"leased_until": past})], world.actor.user_id
        )


def test_a_machine_that_slept_comes_back_to_a_mailbox_another_has_read(
    world: World, now: list[dt.datetime]
) -> None:
    world.port.put(INBOX, mail("a@x"))
    first = world.port.put(CALENDAR, meeting("u-1", start=SOON, end=SOON))
    task = world.port.put(TASKS, TaskItem("t1", "Sună", due=SOON.date()))

    def sleep(call: str, about: Any) -> bool:
        if call != "changes" or about.key != CALENDAR.key:
            return False
        give_up_lease(world)
        slow(world).meanwhile = None
        # What the first machine holds in its hands is old by now.
        world.port.put(CALENDAR, meeting("u-1", start=SOON, end=SOON, location="Nou"), first)
        world.port.put(TASKS, TaskItem("t1", "Sună din nou", due=SOON.date()), task)
        assert by(world, "desk").problem is None
        return True

    slow(world).meanwhile = sleep
    came_back = by(world, "laptop").problem
    assert isinstance(came_back, EnvironmentProblem)
    assert came_back.retryable
    assert "taken over by another computer" in str(came_back)
    rows = {a.subject: a for a in world.activities}
    assert rows["Ședință"].location == "Nou"
    assert by(world, "laptop").problem is None
    assert sorted(a.subject for a in world.activities) == ["Ofertă", "Sună din nou", "Ședință"]
    assert next(a for a in world.activities if a.subject == "Ședință").location == "Nou"
    assert len(world.messages) == 1


def test_a_machine_that_slept_before_it_wrote_down_an_order_writes_none(
    world: World, now: list[dt.datetime]
) -> None:
    world.save(
        "activity", kind="appointment", subject="Vizită", owner=world.ana, start_at=SOON,
        end_at=SOON,
    )  # fmt: skip

    def sleep(call: str, about: Any) -> bool:
        if call != "changes" or about.key != TASKS.key:
            return False
        give_up_lease(world)
        slow(world).meanwhile = None
        assert by(world, "desk").problem is None
        return True

    slow(world).meanwhile = sleep
    by(world, "laptop")
    assert by(world, "laptop").problem is None
    assert len(world.port.held(CALENDAR)) == 1


def test_two_machines_at_once_send_one_letter_and_store_each_message_once(world: World) -> None:
    for number in range(120):
        world.port.put(INBOX, mail(f"m{number}@x"))
    write(world)
    start = threading.Barrier(2)

    def run(machine: str) -> MailboxResult:
        start.wait()
        return by(world, machine)

    for _ in range(3):
        with ThreadPoolExecutor(2) as pool:
            results = list(pool.map(run, ("laptop", "desk")))
        for result in results:
            assert result.problem is None or "synchronised by" in str(result.problem)
    assert by(world, "desk").problem is None
    assert len(world.port.delivered) == 1
    assert len(world.messages) == 121


def test_a_clock_a_day_ahead_takes_no_lease_that_is_held(shared: World) -> None:
    """The other machine is in the middle of sending; it would not find the letter in Sent yet."""
    write(shared)
    seen: list[str] = []

    def meanwhile(call: str, about: Any) -> bool:
        if not isinstance(about, Send):
            return False
        slow(shared).meanwhile = None
        for wrong in (DAY, -DAY):
            with clock.held(clock.now() + wrong):
                seen.append(str(by(shared, "desk").problem))
        return True

    slow(shared).meanwhile = meanwhile
    assert by(shared, "laptop").problem is None
    assert all("synchronised by laptop" in problem for problem in seen)
    assert len(seen) == 2
    assert len(shared.port.delivered) == 1


@pytest.mark.parametrize("wrong", [DAY, -DAY], ids=["ahead", "behind"])
def test_a_clock_that_is_off_by_a_day_loses_and_doubles_nothing(
    world: World, now: list[dt.datetime], wrong: dt.timedelta
) -> None:
    world.port.put(INBOX, mail("a@x"))
    assert by(world, "laptop").problem is None
    now[0] = AT + wrong
    world.port.put(INBOX, mail("b@x"))
    write(world)
    world.save("activity", kind="task", subject="Sună", owner=world.ana, due_at=SOON)
    assert by(world, "laptop").problem is None
    now[0] = AT + dt.timedelta(minutes=5)
    for _ in range(2):
        assert by(world, "laptop").problem is None
    now[0] = AT + 2 * DAY
    assert by(world, "laptop").problem is None
    assert len(world.messages) == 3
    assert len(world.port.delivered) == 1
    assert len(world.port.held(TASKS)) == 1
    assert len(world.activities) == 4
