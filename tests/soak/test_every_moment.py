"""A pass is stopped at every moment at which something lasts: each commit, each call."""

from __future__ import annotations

import contextlib
import copy
import datetime as dt
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import event

from desktop_crm.core import clock
from desktop_crm.core.identity import new_uid
from desktop_crm.db.engine import Database
from desktop_crm.services import records
from desktop_crm.services.context import system_actor
from desktop_crm.sync.compose import Letter
from desktop_crm.sync.memory import (
    ARCHIVE,
    CALENDAR,
    CONTACTS,
    DRAFTS,
    INBOX,
    SENT,
    TASKS,
    MemoryMailbox,
)
from desktop_crm.sync.outbox import order
from desktop_crm.sync.port import Address, Flag, MeetingItem, TaskItem
from desktop_crm.sync.sending import send
from desktop_crm.sync.writes import Mark, Ref, SaveDraft
from tests.contract.writing_driver import message
from tests.soak.compared import Compared
from tests.soak.life import ANA, GUEST, run
from tests.unit.sync.conftest import AT, World, mail, make_world, meeting

SOON = AT + dt.timedelta(days=5)


class Killed(BaseException):
    """The process is gone; nothing in it can do anything about it."""


class Story:
    """Two sides with a change of every sort on both, before the pass that brings them together."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.notes: list[tuple[Any, ...]] = []
        self.rooms: dict[str, str] = {}
        self.box = MemoryMailbox(others=(DRAFTS, ARCHIVE, TASKS, CONTACTS))
        db = Database.open(f"sqlite:///{path}")
        self.world = make_world(db)
        records.save(self.world.actor, "mailbox", self.world.mailbox, None, {"two_way": True})
        self._before()
        self._since()
        self.mailbox = self.world.mailbox
        db.close()

    def _before(self) -> None:
        box = self.box
        self.letters = [box.put(INBOX, mail(f"m{n}@x")) for n in range(3)]
        self.meetings = [
            box.put(CALENDAR, meeting(f"u-{n}", start=SOON, end=SOON)) for n in range(3)
        ]
        self.task = box.put(TASKS, TaskItem("t1", f"phone {new_uid()}", due=SOON.date()))
        self.kept = self._make("appointment", start_at=SOON, end_at=SOON)
        self.dropped = self._make("task", due_at=SOON)
        for _ in range(3):
            assert run(self.world.actor, self.world.mailbox, box).problem is None

    def _since(self) -> None:
        world, box = self.world, self.box
        box.put(INBOX, mail("new@x"))
        box.move(INBOX, SENT, self.letters[0])
        box.put(CALENDAR, meeting("u-new", start=SOON, end=SOON))
        changed = box.held(CALENDAR)[self.meetings[0]]
        assert isinstance(changed, MeetingItem)
        box.put(CALENDAR, replace(changed, location="room 9"), self.meetings[0])
        self.rooms["u-0"] = "room 9"
        box.remove(CALENDAR, self.meetings[1])
        box.put(TASKS, TaskItem("t2", f"phone {new_uid()}", due=SOON.date()))
        done = box.held(TASKS)[self.task]
        assert isinstance(done, TaskItem)
        box.put(TASKS, replace(done, status="completed", percent=100), self.task)
        self._make("appointment", start_at=SOON, end_at=SOON, parties=[GUEST])
        self._make("task", due_at=SOON)
        records.save(world.actor, "activity", self.kept, None, {"description": "edit 7"})
        self.notes.append(("changed", self.kept, 7))
        records.delete(world.actor, "activity", [self.dropped])
        subject = f"letter {new_uid()}"
        letter = Letter(ANA, (Address("ion@client.example"),), subject=subject, text="Bună ziua")
        send(world.actor, world.mailbox, letter, undo_s=0)
        self.notes.append(("send", subject))
        key = new_uid()
        draft = SaveDraft(key, f"{key}@firma.example", message(key))
        mark = Mark(new_uid(), Ref(INBOX.key, self.letters[1]), flag=Flag.FLAGGED)
        for deed in (draft, mark):
            order(world.actor, world.mailbox, deed)
        self.notes.append(("draft", key))

    def _make(self, kind: str, **values: Any) -> int:
        subject = f"{kind} {new_uid()}"
        key = self.world.save(
            "activity", kind=kind, subject=subject, owner=self.world.ana, **values
        )
        self.notes.append(("made", subject, key))
        return key

    def stopped_at(self, number: int, path: Path) -> tuple[bool, list[str]]:
        """Whether the pass was stopped at its moment of that number, and what is broken then."""
        path.write_bytes(self.path.read_bytes())
        box = copy.deepcopy(self.box)
        left = [number]

        def moment(*_: Any) -> None:
            left[0] -= 1
            if left[0] == 0:
                raise Killed

        db = Database.open(f"sqlite:///{path}")
        try:
            clock.use_clock(lambda: AT + dt.timedelta(minutes=10))
            box._fault = box._after = moment
            event.listen(db.engine, "commit", moment)
            with contextlib.suppress(Killed):
                run(system_actor(db), self.mailbox, box)
            event.remove(db.engine, "commit", moment)
            box._fault = box._after = None
            seen: Any = SimpleNamespace(mailbox=box, notes=[*self.notes, *self._dropped(db)])
            return left[0] <= 0, Compared(db, seen, self.rooms, AT).problems()
        finally:
            clock.use_clock(None)
            db.close()

    def _dropped(self, db: Database) -> list[tuple[str, str]]:
        world = World(system_actor(db), self.box, self.mailbox, 0, 0, 0, 0, 0)
        return [("dropped", a.subject) for a in world.activities if a.id == self.dropped]


@pytest.fixture
def story(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Story]:
    template: Path = request.getfixturevalue("_sqlite_template")
    path = tmp_path / "story.db"
    path.write_bytes(template.read_bytes())
    clock.use_clock(lambda: AT)
    try:
        yield Story(path)
    finally:
        clock.use_clock(None)


@pytest.mark.timeout(600)
def test_stopped_at_any_moment_nothing_is_lost_or_doubled(story: Story, tmp_path: Path) -> None:
    broken: dict[int, list[str]] = {}
    number = 0
    reached = True
    while reached:
        number += 1
        reached, problems = story.stopped_at(number, tmp_path / "crm.db")
        if problems:
            broken[number] = problems
    assert number > 60
    assert not broken
