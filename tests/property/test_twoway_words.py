"""No word anybody wrote is lost, and no question is asked where one side knew of the other.

Every value is written once and knows the value it was written over. Whatever breaks between the
two sides, what was written last on either of them stands at the end, was written over by somebody
who saw it, or waits with its rival for a person.
"""

from __future__ import annotations

import datetime as dt
import tempfile
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test
from sqlalchemy import event

from desktop_crm.core import clock
from desktop_crm.core.errors import EnvironmentProblem
from desktop_crm.db.engine import Database
from desktop_crm.models import Activity
from desktop_crm.services import records
from desktop_crm.sync.engine import Engine
from desktop_crm.sync.memory import CALENDAR, TASKS, MemoryMailbox
from desktop_crm.sync.port import Folder, MeetingItem, TaskItem
from desktop_crm.sync.twoway import conflicts
from tests.unit.sync.conftest import AT, make_world

SOON = AT + dt.timedelta(days=3)
FIELDS = (
    (CALENDAR, "text", "description"),
    (CALENDAR, "location", "location"),
    (TASKS, "text", "description"),
    (TASKS, "subject", "subject"),
)
"""Where a value stands: folder, its name there, its name here."""

Place = tuple[Folder, str, str]


class Killed(BaseException):
    """The process is gone; nothing in it can do anything about it."""


class Words(RuleBasedStateMachine):
    """An appointment and a task that are rewritten on both sides."""

    template: Path
    keeps_keys: bool

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        path = Path(self.folder.name) / "crm.db"
        path.write_bytes(self.template.read_bytes())
        self.world = make_world(Database.open(f"sqlite:///{path}"))
        self.now = AT
        clock.use_clock(lambda: self.now)
        self.port = MemoryMailbox(fault=self.before, after=self.after, others=(TASKS,))
        self.port.keeps_keys = self.keeps_keys
        self.moments: list[str] = []
        event.listen(self.world.actor.db.engine, "commit", self.commit)
        records.save(self.world.actor, "mailbox", self.world.mailbox, None, {"two_way": True})
        self.over: dict[str, str] = {}
        self.last: dict[tuple[str, Place], str] = {}
        owner = {"owner": self.world.ana}
        self.keys = {
            CALENDAR.key: self.world.save(
                "activity",
                kind="appointment",
                subject="Vizită",
                start_at=SOON,
                end_at=SOON,
                description="w0",
                location="w1",
                **owner,
            ),
            TASKS.key: self.world.save(
                "activity", kind="task", subject="w3", due_at=SOON, description="w2", **owner
            ),
        }
        self.count = 3
        assert self.sync().problem is None

    # --- what breaks ------------------------------------------------------------------------

    def strike(self, *kinds: str) -> None:
        if not self.moments:
            return
        trouble = self.moments[0]
        if trouble and trouble not in kinds:
            return  # met at the next moment at which it can be
        self.moments.pop(0)
        if trouble == "killed":
            raise Killed
        if trouble:
            raise EnvironmentProblem("Trouble.", retryable=True)

    def before(self, _call: str) -> None:
        self.strike("killed", "down")

    def after(self, _deed: object) -> None:
        self.strike("killed", "lost")

    def commit(self, _connection: object) -> None:
        if self.moments and self.moments[0] == "killed":
            self.strike("killed")

    # --- who writes -------------------------------------------------------------------------

    @rule(place=st.sampled_from(FIELDS))
    def here(self, place: Place) -> None:
        folder, _, name = place
        value = self.written("here", place, self.stands_here(place))
        records.save(self.world.actor, "activity", self.keys[folder.key], None, {name: value})

    @rule(place=st.sampled_from(FIELDS))
    def there(self, place: Place) -> None:
        folder, name, _ = place
        ((key, item),) = self.port.held(folder).items()
        value = self.written("there", place, self.stands_there(place))
        self.port.put(folder, replace(item, **{name: value}), key)  # type: ignore[arg-type]

    def written(self, side: str, place: Place, before: str) -> str:
        self.count += 1
        value = f"w{self.count}"
        self.over[value] = before
        self.last[side, place] = value
        return value

    def stands_here(self, place: Place) -> str:
        folder, _, name = place
        (row,) = (a for a in self.world.rows(Activity) if a.id == self.keys[folder.key])
        return str(getattr(row, name))

    def stands_there(self, place: Place) -> str:
        folder, name, _ = place
        (item,) = self.port.held(folder).values()
        assert isinstance(item, MeetingItem | TaskItem)
        return str(getattr(item, name))

    # --- passes -----------------------------------------------------------------------------

    @rule(
        troubles=st.lists(
            st.tuples(st.integers(0, 4), st.sampled_from(["down", "lost", "lost", "killed"])),
            min_size=1,
            max_size=3,
        )
    )
    def broken_pass(self, troubles: list[tuple[int, str]]) -> None:
        self.moments = [moment for gap, trouble in troubles for moment in (*([""] * gap), trouble)]
        with suppress(Killed):
            self.sync()
        self.moments = []

    @rule()
    def whole_pass(self) -> None:
        assert self.sync().problem is None

    @rule()
    def forget_tokens(self) -> None:
        self.port.forget_tokens()

    def sync(self) -> Any:
        self.now += dt.timedelta(hours=2)
        world = self.world
        wait = lambda seconds, cancel: None  # noqa: E731  no pause in a test
        return Engine(world.actor, world.mailbox, self.port, wait=wait).run()

    # --- what holds -------------------------------------------------------------------------

    def teardown(self) -> None:
        try:
            self.moments = []
            for _ in range(4):
                assert self.sync().problem is None
            asked = {
                (one.record, name.field)
                for one in conflicts.open_conflicts(self.world.actor, self.world.mailbox)
                for name in one.values
            }
            for place in FIELDS:
                self.look_at(place, asked)
        finally:
            self.world.actor.db.close()
            clock.use_clock(None)
            self.folder.cleanup()

    def look_at(self, place: Place, asked: set[tuple[int, str]]) -> None:
        here, there = self.stands_here(place), self.stands_there(place)
        said = f"{place[0].name} {place[1]}: {here} here, {there} there, {self.over}, {self.last}"
        assert self.knew(here, self.last.get(("here", place))), said
        assert self.knew(there, self.last.get(("there", place))), said
        if here == there:
            return
        assert (self.keys[place[0].key], place[1]) in asked, f"not asked: {said}"
        if self.keeps_keys:
            assert not self.knew(here, there), f"no rival: {said}"
            assert not self.knew(there, here), f"no rival: {said}"

    def knew(self, value: str, other: str | None) -> bool:
        """Whether a value is another one, or was written over it."""
        while value != other and value in self.over:
            value = self.over[value]
        return other is None or value == other


@pytest.mark.parametrize("keeps_keys", [True, False], ids=["kept", "dropped"])
def test_no_word_is_lost(request: pytest.FixtureRequest, *, keeps_keys: bool) -> None:
    """A phone keeps the key of the deed that wrote an item, or drops it."""
    template = request.getfixturevalue("_sqlite_template")
    machine = type("Words", (Words,), {"template": template, "keeps_keys": keeps_keys})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=8,
            stateful_step_count=20,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
