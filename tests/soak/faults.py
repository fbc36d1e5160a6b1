"""Two sides that change at random while the way between them fails at random.

A Hypothesis state machine: whatever order it chooses, nothing is lost, nothing is there twice,
nobody is told anything, and no failure is a loop.
"""

from __future__ import annotations

import datetime as dt
import itertools
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from desktop_crm.core import clock
from desktop_crm.core.errors import EnvironmentProblem, UserError
from desktop_crm.core.identity import new_uid
from desktop_crm.db.engine import Database
from desktop_crm.models import Activity, MailboxItem, MailMessage, OutboxItem
from desktop_crm.models.outbox import OutboxState
from desktop_crm.services import records
from desktop_crm.services.mail import outbox
from desktop_crm.sync.compose import Letter
from desktop_crm.sync.engine import LONGEST_WAIT_S, Engine
from desktop_crm.sync.formats.mime import read_message
from desktop_crm.sync.port import Address
from desktop_crm.sync.sending import send
from desktop_crm.sync.twoway.lines import Consent
from desktop_crm.sync.writes import Ref
from tests.soak.life import ANA, GUEST
from tests.soak.sides import FAULTS, KINDS, SIDES, Side
from tests.unit.sync.conftest import AT, make_world

GAPS = st.integers(0, 6)
TROUBLE = st.lists(st.tuples(GAPS, st.sampled_from(FAULTS)), min_size=1, max_size=6)
MOST_REQUESTS = 400
"""A pass over mailboxes as small as these that asks for more is going round in a circle."""


@dataclass
class Tally:
    """What the machines met.

    Attributes:
        struck: how often which fault was met, of which side.
        waits: how often a pass waited before it asked again.
        passes: passes that met faults.
    """

    seed: int
    struck: Counter[str] = field(default_factory=Counter)
    waits: int = 0
    passes: int = 0
    sent: int = 0
    seconds: float = 0.0

    @property
    def faults(self) -> int:
        """How many faults there were."""
        return self.struck.total()


class TwoSides(RuleBasedStateMachine):
    """Records here, items there, and a line between them that breaks."""

    kind = "memory"
    make_side: Callable[[], Side]
    template: Path
    tally: Tally

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        path = Path(self.folder.name) / "crm.db"
        path.write_bytes(self.template.read_bytes())
        self.moment, self.off = AT, dt.timedelta(0)
        clock.use_clock(lambda: self.moment + self.off)
        self.world = make_world(Database.open(f"sqlite:///{path}"))
        records.save(self.world.actor, "mailbox", self.world.mailbox, None, {"two_way": True})
        self.side = type(self).make_side()
        self.arrived: set[str] = set()
        self.letters: set[str] = set()
        self.made: dict[int, str] = {}
        self.removed: set[int] = set()
        self.settled = True
        self.waits: list[float] = []

    def teardown(self) -> None:
        try:
            self.come_to_rest()
        finally:
            self.tally.struck.update(
                {f"{self.kind} {name}": count for name, count in self.side.struck.items()}
            )
            self.side.close()
            self.world.actor.db.close()
            clock.use_clock(None)
            self.folder.cleanup()

    # --- what happens -----------------------------------------------------------------------

    @rule()
    def a_message_arrives(self) -> None:
        key = f"m{len(self.arrived)}"
        self.side.mail(key)
        self.arrived.add(f"{key}@x")

    @rule(later=st.booleans())
    def a_letter_is_sent(self, later: bool) -> None:
        subject = f"letter {new_uid()}"
        letter = Letter(ANA, (Address("ion@client.example"),), subject=subject, text="Bună ziua")
        due = self.moment + self.off + dt.timedelta(minutes=3) if later else None
        send(self.world.actor, self.world.mailbox, letter, due_at=due, undo_s=0)
        self.letters.add(subject)

    @rule(guests=st.integers(0, 1))
    def a_meeting_is_made(self, guests: int) -> None:
        start = AT + dt.timedelta(days=40)
        people = [GUEST] * guests if self.side.guests else []
        self.make(
            "appointment", start_at=start, end_at=start + dt.timedelta(hours=1), parties=people
        )

    @rule()
    def a_task_is_made(self) -> None:
        self.make("task", due_at=AT + dt.timedelta(days=30))

    def make(self, kind: str, **values: Any) -> None:
        subject = f"{kind} {new_uid()}"
        given = {"kind": kind, "subject": subject, "owner": self.world.ana, **values}
        self.made[self.world.save("activity", **given)] = subject

    @rule(which=st.integers(0, 9), words=st.sampled_from(("Alpha", "Beta", "Gamma")))
    def a_record_is_changed(self, which: int, words: str) -> None:
        keys = sorted(set(self.made) - self.removed)
        if keys:
            key = keys[which % len(keys)]
            values = {"description": words}
            records.save(self.world.actor, "activity", key, None, values)

    @rule(which=st.integers(0, 9), gone=st.booleans())
    def the_phone_changes_an_item(self, which: int, gone: bool) -> None:
        rows = [
            row
            for row in self.rows(MailboxItem)
            if row.activity_id in self.made
            and row.state == "stored"
            and row.activity_id not in self.removed
        ]
        if not rows:
            return
        row = rows[which % len(rows)]
        ref = Ref(row.folder, row.item_key)
        if gone and self.made[row.activity_id].startswith("appointment"):
            self.side.remove(ref)
            self.removed.add(row.activity_id)
        else:
            self.side.edit(ref)

    @rule()
    def the_server_forgets(self) -> None:
        self.side.forget_tokens()

    @rule(days=st.sampled_from((-1, 0, 1)))
    def the_clock_is_wrong(self, days: int) -> None:
        self.off = dt.timedelta(days=days)

    @rule(minutes=st.sampled_from((1, 5, 120)))
    def time_passes(self, minutes: int) -> None:
        self.moment += dt.timedelta(minutes=minutes)

    @rule(trouble=TROUBLE)
    def a_pass_meets_trouble(self, trouble: list[tuple[int, str]]) -> None:
        self.meet(trouble)

    @rule(trouble=TROUBLE)
    def another_pass_meets_trouble(self, trouble: list[tuple[int, str]]) -> None:
        self.meet(trouble)

    @rule(trouble=TROUBLE)
    def and_another(self, trouble: list[tuple[int, str]]) -> None:
        self.meet(trouble)

    def meet(self, trouble: list[tuple[int, str]]) -> None:
        """Run a pass whose requests fail so."""
        queue: list[str | None] = []
        for gap, fault in trouble:
            queue += [None] * gap + [fault]
        met = self.side.struck.total()
        refused = self.side.struck["401"]
        self.side.aim(queue)
        result = self.run(quick=True)
        self.side.aim(())
        self.tally.passes += 1
        self.tally.waits += len(self.waits)
        met = self.side.struck.total() - met
        # Every wait has its failure, is the server's or one's own, and grows.
        assert len(self.waits) <= met + 1, (self.waits, met)
        assert all(0 < wait <= LONGEST_WAIT_S for wait in self.waits)
        if self.side.struck["401"] > refused:
            problem = result.problem
            assert isinstance(problem, UserError), problem
            assert problem.field == "password"
        elif result.problem is not None:
            assert isinstance(result.problem, EnvironmentProblem), result.problem
            assert str(result.problem)

    @rule()
    def a_person_decides(self) -> None:
        """Of a message nobody knows whether it went out; everything else is never given up."""
        for row in self.rows(OutboxItem):
            if row.state != OutboxState.FAILED:
                continue
            assert (row.deed, row.message.partition(" whether")[0]) == ("send", "Nobody knows")
            data = outbox.content(self.world.actor, row.id)
            self.side.decide(read_message(data).message_id)
            outbox.retry(self.world.actor, row.id)

    @rule()
    def a_pass_is_undisturbed(self) -> None:
        result = self.run()
        assert result.problem is None, result.problem

    # --- what always holds ------------------------------------------------------------------

    @invariant()
    def nothing_is_there_twice(self) -> None:
        messages = [row.message_id for row in self.rows(MailMessage)]
        assert len(messages) == len(set(messages))
        places = [(row.folder, row.item_key) for row in self.rows(MailboxItem)]
        assert len(places) == len(set(places))
        assert self.side.delivered() <= len(self.letters)
        assert len(self.rows(Activity)) == len(messages) + len(self.made)
        doubled = {name: count for name, count in self.side.items().items() if count > 1}
        doubled.pop("Theirs", None)
        assert not doubled

    @invariant()
    def nobody_was_told(self) -> None:
        assert self.side.told() == 0

    def come_to_rest(self) -> None:
        """The line is good again and the clock right: both sides say the same."""
        self.off = dt.timedelta(0)
        self.moment += dt.timedelta(days=2)
        for _ in range(6):
            self.moment += dt.timedelta(hours=2)
            self.a_person_decides()
            result = self.run()
            assert result.problem is None, result.problem
        before = len(self.rows(OutboxItem)), [(a.id, a.version) for a in self.rows(Activity)]
        assert sum(folder.total for folder in self.run().folders) == 0
        after = len(self.rows(OutboxItem)), [(a.id, a.version) for a in self.rows(Activity)]
        assert after == before, "it never comes to rest"
        self.nothing_is_there_twice()
        self.nobody_was_told()
        assert outbox.next_due(self.world.actor) is None
        stored = {row.message_id for row in self.rows(MailMessage)}
        assert self.arrived <= stored
        assert self.side.delivered() == len(self.letters)
        assert self.side.copies() in (None, Counter(self.letters))
        self.tally.sent += len(self.letters)
        rows = {row.id: row for row in self.rows(Activity)}
        there = self.side.items()
        assert there.total() == len(self.made) - len(self.removed)
        for key in self.made:
            row = rows[key]
            assert (row.state == "canceled") == (key in self.removed)
            assert key in self.removed or there[row.subject] >= 1, row.subject

    # --- how --------------------------------------------------------------------------------

    def run(self, *, quick: bool = False) -> Any:
        self.waits = []

        def wait(seconds: float, cancel: object) -> None:
            self.waits.append(seconds)
            self.side.settle()

        # What a server does late it does within seconds; a story has hours between its steps.
        self.side.settle()
        asked = self.side.requests
        port = self.side.port(quick=quick)
        world = self.world
        engine = Engine(world.actor, world.mailbox, port, consent=Consent(reviewed=True), wait=wait)
        result = engine.run()
        assert self.side.requests - asked < MOST_REQUESTS
        return result

    def rows(self, model: Any) -> list[Any]:
        return self.world.rows(model)


def run(
    template: Path,
    number: int,
    faults: int,
    *,
    steps: int = 40,
    stories: int = 3,
    sides: Mapping[str, Callable[[], Side]] = SIDES,
    told: Callable[[str], None] = lambda line: None,
) -> Tally:
    """Let machines of the given sides run in turn until they met that many faults.

    Each turn has a seed of its own, which says the side, too: that of a broken one begins with it.
    """
    started = time.monotonic()
    tally = Tally(number)
    turns = range(number, number + len(KINDS))
    for turn in itertools.count(number):
        if tally.faults >= faults and turn not in turns:
            break
        kind = KINDS[turn % len(KINDS)]
        if kind not in sides:
            continue
        told(f"{tally.faults} of {faults} faults; seed {turn}: {kind}")
        machine: Any = type(f"TwoSides_{kind}", (TwoSides,), {"kind": kind, "template": template})
        machine.tally, machine.make_side = tally, staticmethod(sides[kind])
        run_state_machine_as_test(
            seed(turn)(machine),
            settings=settings(
                max_examples=stories,
                stateful_step_count=steps,
                deadline=None,
                database=None,
                # A shorter story of the same would take longer than the rest of the run.
                phases=[Phase.generate],
                suppress_health_check=list(HealthCheck),
            ),
        )
    tally.seconds = time.monotonic() - started
    return tally


def said(tally: Tally) -> dict[str, Any]:
    """The figures in one line."""
    names: Counter[str] = Counter()
    sides: Counter[str] = Counter()
    for key, count in tally.struck.items():
        side, _, name = key.partition(" ")
        names[name] += count
        sides[side] += count
    listed = (
        ", ".join(f"{name} {count}" for name, count in sorted(found.items()))
        for found in (names, sides)
    )
    return {
        "faults": f"{tally.faults} ({'; '.join(listed)})",
        "passes": tally.passes,
        "waits": tally.waits,
        "sent": tally.sent,
        "seconds": round(tally.seconds, 1),
    }
