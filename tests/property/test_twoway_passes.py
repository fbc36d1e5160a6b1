"""Whole passes over both sides under random edits, broken calls and lost answers."""

from __future__ import annotations

import datetime as dt
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import select

from desktop_crm.core import clock
from desktop_crm.core.errors import EnvironmentProblem
from desktop_crm.db.engine import Database
from desktop_crm.models import Activity, MailboxItem, OutboxItem
from desktop_crm.services import records
from desktop_crm.sync.engine import Engine
from desktop_crm.sync.memory import CALENDAR, TASKS, MemoryMailbox
from desktop_crm.sync.port import Folder, MeetingItem, TaskItem
from desktop_crm.sync.twoway import conflicts, rows
from desktop_crm.sync.twoway.fields import Frame
from desktop_crm.sync.twoway.kinds import TABLES, fields_of_item, fields_of_record
from desktop_crm.sync.twoway.lines import Consent
from tests.unit.sync.conftest import AT, make_world

SOON = AT + dt.timedelta(days=3)
WORDS = st.sampled_from(["A", "B", "Ofertă", ""])
FOLDERS = st.sampled_from([CALENDAR, TASKS])


class BothSides(RuleBasedStateMachine):
    """A mailbox and a database that people change, and passes that break."""

    template: Path

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        path = Path(self.folder.name) / "crm.db"
        path.write_bytes(self.template.read_bytes())
        self.world = make_world(Database.open(f"sqlite:///{path}"))
        self.now = AT
        clock.use_clock(lambda: self.now)
        self.port = MemoryMailbox(fault=self.trouble, after=self.answer, others=(TASKS,))
        self.broken: list[bool] = []
        self.lost: list[bool] = []
        self.count = 0
        records.save(self.world.actor, "mailbox", self.world.mailbox, None, {"two_way": True})

    def trouble(self, _call: str) -> None:
        if self.broken and self.broken.pop(0):
            raise EnvironmentProblem("down", retryable=True)

    def answer(self, _deed: object) -> None:
        if self.lost and self.lost.pop(0):
            raise EnvironmentProblem("lost", retryable=True)

    @initialize()
    def start(self) -> None:
        self.sync()

    # --- people -----------------------------------------------------------------------------

    @rule(folder=FOLDERS, subject=WORDS)
    def make_there(self, folder: Folder, subject: str) -> None:
        self.count += 1
        uid = f"there-{self.count}"
        item = (
            TaskItem(uid, subject)
            if folder is TASKS
            else MeetingItem(uid, SOON, SOON, subject=subject)
        )
        self.port.put(folder, item)

    @rule(folder=FOLDERS, subject=WORDS)
    def make_here(self, folder: Folder, subject: str) -> None:
        times = {"due_at": SOON} if folder is TASKS else {"start_at": SOON, "end_at": SOON}
        kind = "task" if folder is TASKS else "appointment"
        values = {"kind": kind, "subject": subject or "(no subject)", "owner": self.world.ana}
        self.world.save("activity", **values, **times)

    @rule(data=st.data(), folder=FOLDERS, subject=WORDS, text=WORDS, day=st.integers(0, 3))
    def edit_there(
        self, data: st.DataObject, folder: Folder, subject: str, text: str, day: int
    ) -> None:
        held = self.port.held(folder)
        if not held:
            return
        key = data.draw(st.sampled_from(sorted(held)))
        item: Any = held[key]
        match day:
            case 0:
                item = replace(item, subject=subject)
            case 1:
                item = replace(item, text=text)
            case _ if isinstance(item, MeetingItem):
                moment = SOON + dt.timedelta(days=day)
                item = replace(item, start=moment, end=moment)
            case _:
                item = replace(item, due=SOON.date() + dt.timedelta(days=day))
        self.port.put(folder, item, key)

    @rule(data=st.data(), subject=WORDS, text=WORDS, day=st.integers(0, 3))
    def edit_here(self, data: st.DataObject, subject: str, text: str, day: int) -> None:
        alive = [a for a in self.activities() if a.deleted_at is None and a.state == "open"]
        if not alive:
            return
        row = data.draw(st.sampled_from(alive))
        moment = SOON + dt.timedelta(days=day)
        values: dict[str, Any] = {"subject": subject or "(no subject)"}
        if day == 1:
            values = {"description": text or None}
        elif day > 1:
            meeting = row.kind == "appointment"
            values = {"start_at": moment, "end_at": moment} if meeting else {"due_at": moment}
        records.save(self.world.actor, "activity", row.id, None, values)

    @rule(data=st.data(), folder=FOLDERS)
    def delete_there(self, data: st.DataObject, folder: Folder) -> None:
        held = self.port.held(folder)
        if held:
            self.port.remove(folder, data.draw(st.sampled_from(sorted(held))))

    @rule(data=st.data())
    def delete_here(self, data: st.DataObject) -> None:
        alive = [a.id for a in self.activities() if a.deleted_at is None]
        if alive:
            records.delete(self.world.actor, "activity", [data.draw(st.sampled_from(alive))])

    @rule()
    def forget_tokens(self) -> None:
        self.port.forget_tokens()

    @rule(mine=st.booleans())
    def choose(self, mine: bool) -> None:
        found = conflicts.open_conflicts(self.world.actor, self.world.mailbox)
        conflicts.choose_all(self.world.actor, found, mine=mine)

    # --- passes -----------------------------------------------------------------------------

    @rule(broken=st.lists(st.booleans(), max_size=14), lost=st.lists(st.booleans(), max_size=4))
    def broken_pass(self, broken: list[bool], lost: list[bool]) -> None:
        self.broken, self.lost = broken, lost
        self.sync()
        self.broken, self.lost = [], []

    @rule()
    def whole_pass(self) -> None:
        self.now += dt.timedelta(minutes=5)
        assert self.sync().problem is None

    def sync(self) -> Any:
        wait = lambda seconds, cancel: None  # noqa: E731  no pause in a test
        consent = Consent(reviewed=True)
        world = self.world
        return Engine(world.actor, world.mailbox, self.port, wait=wait, consent=consent).run()

    def activities(self) -> list[Any]:
        with self.world.actor.db.reading() as connection:
            table = Activity.__table__
            columns = (table.c.id, table.c.kind, table.c.state, table.c.deleted_at)
            return list(connection.execute(select(*columns).order_by(table.c.id)))

    # --- what holds -------------------------------------------------------------------------

    @invariant()
    def nobody_is_told(self) -> None:
        assert self.port.told == []

    @invariant()
    def nothing_is_there_twice(self) -> None:
        for folder in (CALENDAR, TASKS):
            uids = [getattr(item, "uid", "") for item in self.port.held(folder).values()]
            assert len(uids) == len(set(uids))
        with self.world.actor.db.reading() as connection:
            held = connection.execute(
                select(MailboxItem.folder, MailboxItem.activity_id).where(
                    MailboxItem.state == "stored", MailboxItem.activity_id.is_not(None)
                )
            ).all()
        assert len(held) == len(set(held))

    def teardown(self) -> None:
        try:
            self.settle()
        finally:
            self.world.actor.db.close()
            clock.use_clock(None)
            self.folder.cleanup()

    def settle(self) -> None:
        for _ in range(5):
            self.now += dt.timedelta(hours=2)
            found = conflicts.open_conflicts(self.world.actor, self.world.mailbox)
            conflicts.choose_all(self.world.actor, found, mine=True)
            assert self.sync().problem is None
        before = self.state()
        assert self.sync().problem is None
        assert self.state() == before, "a further pass does nothing"
        self.equal()

    def state(self) -> object:
        with self.world.actor.db.reading() as connection:
            versions = connection.execute(select(Activity.id, Activity.version)).all()
            orders = connection.execute(select(OutboxItem.id, OutboxItem.state)).all()
        items = [dict(self.port.held(folder)) for folder in (CALENDAR, TASKS)]
        return sorted(versions), sorted(orders), items

    def equal(self) -> None:
        """Every item has one record that says the same, unless a person's word is waited for."""
        frame = Frame(ZoneInfo(self.world.actor.zone.key), self.world.actor.language)
        with self.world.actor.db.reading() as connection:
            held = {
                (row.folder, row.item_key): row.activity_id
                for row in connection.execute(
                    select(MailboxItem.folder, MailboxItem.item_key, MailboxItem.activity_id).where(
                        MailboxItem.state == "stored"
                    )
                )
            }
            found = rows.activities(connection, [key for key in held.values() if key])
        for folder in (CALENDAR, TASKS):
            for key, item in self.port.held(folder).items():
                record = found[held[folder.key, key]]
                if record["deleted_at"] is not None or record["state"] == "canceled":
                    continue
                assert isinstance(item, MeetingItem | TaskItem)
                kind = rows.KIND_OF[record["kind"]]
                ours, theirs = fields_of_record(kind, record, frame), fields_of_item(item)
                differ = [
                    one.name
                    for one in TABLES[kind].fields
                    if one.name in ours and not one.same(ours[one.name], theirs[one.name])
                ]
                assert differ == []


def test_both_sides_become_equal_whatever_breaks(request: pytest.FixtureRequest) -> None:
    BothSides.template = request.getfixturevalue("_sqlite_template")
    run_state_machine_as_test(
        BothSides,
        settings=settings(
            max_examples=12,
            stateful_step_count=14,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
