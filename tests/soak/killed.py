"""The program is killed again and again while it syncs; then both sides are compared."""

from __future__ import annotations

import datetime as dt
import multiprocessing
import random
import time
from collections import Counter
from dataclasses import dataclass, field, replace
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from desktop_crm.core import clock
from desktop_crm.core.identity import new_uid
from desktop_crm.db import migrate
from desktop_crm.db.engine import Database
from desktop_crm.services import records
from desktop_crm.sync.memory import ARCHIVE as ARCHIVED
from desktop_crm.sync.memory import CALENDAR, CONTACTS, DRAFTS, INBOX, SENT, TASKS, MemoryMailbox
from desktop_crm.sync.port import MeetingItem, Quarantined, TaskItem
from tests.soak.compared import Compared
from tests.soak.elsewhere import Server
from tests.soak.life import live
from tests.unit.sync.conftest import AT, mail, make_world, meeting

WAYS = ("call", "answer", "statement", "statement", "moment")
"""Where it dies: before a call, before its answer, at an SQL statement or commit, at any moment."""

SLOWEST_START_S = 60.0
TWO_AT_ONCE = 0.25
"""Share of lives in which the program runs twice on the same mailbox."""


@dataclass
class Outcome:
    """What a run came to.

    Attributes:
        kills: how often the process was killed while it worked.
        ways: how often in which way.
        sent: messages that left.
        records: records both sides hold.
        passes: passes that reached their end in between.
        problems: what is lost, doubled or broken; nothing, if all is well.
    """

    seed: int
    kills: int = 0
    ways: Counter[str] = field(default_factory=Counter)
    sent: int = 0
    records: int = 0
    passes: int = 0
    seconds: float = 0.0
    problems: list[str] = field(default_factory=list)


def run(folder: Path, seed: int, kills: int, template: Path | None = None) -> Outcome:
    """Kill the program that often; `folder` takes the database, `template` is an empty one."""
    started = time.monotonic()
    outcome = Outcome(seed)
    url = f"sqlite:///{folder / 'crm.db'}"
    if template is None:
        migrate.create(url).close()
    else:
        (folder / "crm.db").write_bytes(template.read_bytes())
    db = Database.open(url)
    world = make_world(db)
    records.save(world.actor, "mailbox", world.mailbox, None, {"two_way": True})
    db.close()
    box = MemoryMailbox(others=(DRAFTS, ARCHIVED, TASKS, CONTACTS))
    server = Server(box)
    try:
        phone = Phone(server, random.Random(seed))
        for _ in range(30):
            phone.something_happens()
        _Killing(url, server, phone, outcome).all(kills)
        db = Database.open(url)
        try:
            last = AT + dt.timedelta(hours=outcome.kills + 10)
            compared = Compared(db, server, phone.rooms, last, phone.removed)
            outcome.problems += compared.problems()
        finally:
            db.close()
            clock.use_clock(None)
    finally:
        server.close()
    words = Counter(note[0] for note in server.notes)
    outcome.passes, outcome.records = words["pass"], words["made"]
    outcome.sent = len(box.delivered)
    outcome.problems += [note[1] for note in server.notes if note[0] == "crashed"]
    outcome.seconds = time.monotonic() - started
    return outcome


class Phone:
    """The other side: what other people and devices do to the mailbox meanwhile."""

    def __init__(self, server: Server, source: random.Random) -> None:
        self.server, self.box, self.random = server, server.mailbox, source
        self.rooms: dict[str, str] = {}
        self.removed: set[str] = set()
        self.count = 0

    def something_happens(self) -> None:
        """One change at random."""
        deeds = (
            self.mail, self.mail, self.mail, self.move, self.meet, self.change, self.change,
            self.remove, self.plan, self.break_item, self.forget,
        )  # fmt: skip
        with self.server.lock:
            self.count += 1
            self.random.choice(deeds)()

    def mail(self) -> None:
        folder = self.random.choice((INBOX, INBOX, SENT))
        # Few numbers: the same message may lie in several places.
        self.box.put(folder, mail(f"m{self.random.randint(0, 400)}@x"))

    def move(self) -> None:
        source, target = self.random.choice(((INBOX, SENT), (SENT, INBOX)))
        held = list(self.box.held(source))
        if held:
            self.box.move(source, target, self.random.choice(held))

    def meet(self) -> None:
        start = AT + dt.timedelta(days=self.random.randint(1, 300))
        self.box.put(CALENDAR, meeting(f"u-{new_uid()}", start=start, end=start))

    def change(self) -> None:
        held = self.box.held(CALENDAR)
        if not held:
            return
        key = self.random.choice(list(held))
        item = held[key]
        assert isinstance(item, MeetingItem)
        room = f"room {self.count}"
        self.box.put(CALENDAR, replace(item, location=room), key)
        self.rooms[item.uid] = room

    def remove(self) -> None:
        folder = self.random.choice((INBOX, SENT, CALENDAR))
        held = self.box.held(folder)
        if len(held) > 5:
            key = self.random.choice(list(held))
            item = held[key]
            if isinstance(item, MeetingItem):
                self.removed.add(item.subject)
            self.box.remove(folder, key)

    def plan(self) -> None:
        self.box.put(TASKS, TaskItem(new_uid(), f"phone {new_uid()}", due=AT.date()))

    def break_item(self) -> None:
        problem = Quarantined(f"broken-{self.count}", "x", "Broken.")
        self.box.put_broken(INBOX, problem)

    def forget(self) -> None:
        if self.random.random() < 0.3:
            self.box.forget_tokens()


class _Killing:
    def __init__(self, url: str, server: Server, phone: Phone, outcome: Outcome) -> None:
        self.url, self.server, self.phone, self.outcome = url, server, phone, outcome
        # The modules are loaded once; each life is a process of its own all the same.
        methods = multiprocessing.get_all_start_methods()
        quick = "forkserver" in methods
        self.context: Any = multiprocessing.get_context("forkserver" if quick else "spawn")
        if quick:
            self.context.set_forkserver_preload(["tests.soak.life"])
        self.random = phone.random

    def all(self, kills: int) -> None:
        for life in range(kills * 3):
            if self.outcome.kills >= kills:
                return
            self._one(life)
        self.outcome.problems.append(f"only {self.outcome.kills} of {kills} kills came in time")

    def _one(self, life: int) -> None:
        way = self.random.choice(WAYS)
        number = self.random.randint(1, 60)
        statement = self.random.randint(1, 900) if way == "statement" else 0
        at = AT + dt.timedelta(hours=life)
        self.server.restart()
        born = time.monotonic()
        where = (self.url, self.server.address)
        process = self.context.Process(
            target=live, args=(*where, 2 * life + 1, at, born, statement)
        )
        process.start()
        other = None
        if self.random.random() < TWO_AT_ONCE:
            other = self.context.Process(target=live, args=(*where, 2 * life + 2, at, born))
            other.start()
        self._aim(process, way, number)
        if not self.server.wait_for("ready", SLOWEST_START_S) and process.is_alive():
            self.outcome.problems.append("a life never began")
        if way == "moment":
            process.join(self.random.uniform(0.0, 0.8))
            process.kill()
        for _ in range(self.random.randint(1, 4)):
            self.phone.something_happens()
        process.join(60)
        if process.is_alive():
            self.outcome.problems.append(f"a life hung ({way})")
            process.kill()
            process.join()
        if process.exitcode not in (0, None) and not self._crashed():
            self.outcome.kills += 1
            self.outcome.ways[way if other is None else f"{way} of two"] += 1
        # The one that is left is not shot at in its place.
        self.server.before = self.server.after = lambda count: False
        process.close()
        if other is not None:
            # The one that is left goes on, and takes over what the dead one held.
            other.join(self.random.uniform(0.0, 0.8))
            other.kill()
            other.join()
            other.close()

    def _aim(self, process: BaseProcess, way: str, number: int) -> None:
        def shoot(count: int) -> bool:
            if count == number:
                process.kill()
                return True
            return False

        def miss(count: int) -> bool:
            return False

        self.server.before = shoot if way == "call" else miss
        self.server.after = shoot if way == "answer" else miss

    def _crashed(self) -> bool:
        return bool(self.server.notes) and self.server.notes[-1][0] == "crashed"


def said(outcome: Outcome) -> dict[str, Any]:
    """The figures in one line."""
    ways = ", ".join(f"{name} {count}" for name, count in sorted(outcome.ways.items()))
    return {
        "kills": f"{outcome.kills} ({ways})",
        "passes": outcome.passes,
        "sent": outcome.sent,
        "records": outcome.records,
        "seconds": round(outcome.seconds, 1),
    }
