"""A dry run page by page: what goes both ways first, mail after it, the newest first."""

from __future__ import annotations

import datetime as dt
import gc
import random
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from desktop_crm.core.errors import Cancelled
from desktop_crm.db.engine import Cancel, Database
from desktop_crm.services import records
from desktop_crm.sync import imagined
from desktop_crm.sync.memory import CALENDAR, CONTACTS, INBOX, SENT, TASKS, MemoryMailbox
from desktop_crm.sync.port import (
    Batch,
    Change,
    ChangeKind,
    ContactItem,
    Folder,
    FolderRole,
    TaskItem,
)
from desktop_crm.sync.twoway import preview
from desktop_crm.sync.twoway.incoming import Incoming
from desktop_crm.sync.twoway.lines import MESSAGE, Line, Lines
from desktop_crm.sync.twoway.preview import Preview, Seen
from tests.unit.sync.conftest import AT, CRM, World, mail, meeting
from tests.unit.sync.two_ways import SOON, appointment, go, lines

pytestmark = pytest.mark.usefixtures("moment")

BEFORE = Folder("Agenda", "Agenda", FolderRole.CALENDAR)
AFTER = Folder("Zile", "Zile", FolderRole.CALENDAR)


def letters(world: World, number: int, folder: Folder = INBOX) -> None:
    """So many messages, the newest reported first, as servers do it."""
    for n in range(number):
        name = f"{folder.key}-{n}"
        at = AT - dt.timedelta(minutes=n)
        world.port.put(folder, mail(f"{name}@x", subject=name, sent_at=at))


def watched(world: World, **options: Any) -> list[Seen]:
    """What somebody who watches a dry run is told."""
    told: list[Seen] = []
    result = world.sync(dry_run=True, tell=told.append, **options)
    assert result.problem is None, result.problem
    assert result.lines == [], "nobody holds them twice"
    return told


def messages(told: list[Seen]) -> list[str]:
    return [line.title for seen in told for line in seen.lines if line.kind == MESSAGE]


def test_both_sides_are_known_before_the_first_message(both: World) -> None:
    letters(both, 250)
    both.port.put(CALENDAR, meeting("u1", subject="Nouă", start=SOON, end=SOON))
    both.port.put(TASKS, TaskItem("t1", "Sarcină"))
    both.port.put(CRM, ContactItem("c1", last_name="Nou"))
    appointment(both, subject="De aici")
    told = watched(both)
    first = next(n for n, seen in enumerate(told) if seen.messages)
    early = {line.title for seen in told[:first] for line in seen.lines}
    assert early == {"Nouă", "Sarcină", "Nou", "De aici"}
    assert [seen.is_enough for seen in told].index(True) == first
    assert not told[first - 1].is_enough
    assert [seen.messages for seen in told[first : first + 3]] == [100, 200, 250]
    assert messages(told) == [f"Inbox-{n}" for n in range(250)]
    assert all(seen.two_way for seen in told)
    everything = [line for seen in told for line in seen.lines]
    assert sorted(map(repr, everything)) == sorted(map(repr, lines(both)))


def test_a_mailbox_without_mail_is_looked_through_at_its_end(both: World) -> None:
    both.port = MemoryMailbox((CALENDAR,), others=())
    both.port.put(CALENDAR, meeting())
    told = watched(both)
    assert [seen.is_enough for seen in told][-1]
    assert not told[0].is_enough


def test_lines_of_mail_are_capped_and_the_rest_is_counted(
    both: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preview, "MOST", 120)
    letters(both, 230)
    letters(both, 90, SENT)
    told = watched(both)
    assert (told[-1].messages, told[-1].untold) == (320, 200)
    # The first folder leaves half of the room to those that follow.
    expected = [f"Inbox-{n}" for n in range(60)] + [f"Sent Items-{n}" for n in range(60)]
    assert messages(told) == expected
    assert len(lines(both)) == 320, "the command line has every line"


class Endless(MemoryMailbox):
    """An inbox whose pages are made when they are asked for."""

    pages = 0

    def changes(self, folder: Folder, token: str | None, limit: int = 100) -> Batch:
        if folder != INBOX:
            return super().changes(folder, token, limit)
        start = int(token or 0)
        found = []
        for n in range(start, start + limit):
            item = mail(f"m{n}@x", sent_at=AT - dt.timedelta(minutes=n), text="Bună " * 400)
            found.append(Change(ChangeKind.CREATE, f"i{n}", item))
        return Batch(tuple(found), str(start + limit), start + limit < self.pages * limit)


def test_what_is_remembered_does_not_grow_with_the_mailbox(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preview, "MOST", 300)
    monkeypatch.setattr(imagined, "_TOLD", 300)
    world.port = Endless()
    world.port.pages = 40
    alive: dict[int, int] = {}

    def tell(seen: Seen) -> None:
        if seen.messages in (1_000, 4_000):
            gc.collect()
            alive[seen.messages] = len(gc.get_objects())

    assert world.sync(dry_run=True, tell=tell).problem is None
    assert alive[4_000] - alive[1_000] < 300, "no object stays for each of 3,000 messages"


def test_a_copy_on_a_later_page_is_known_although_little_is_remembered(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imagined, "_TOLD", 10)
    letters(world, 150)
    world.port.put(SENT, mail("Inbox-3@x", subject="Inbox-3", sent_at=AT))
    assert watched(world)[-1].messages == 150


def test_a_look_is_stopped_between_two_pages(both: World) -> None:
    letters(both, 300)
    cancel = Cancel()
    told: list[Seen] = []

    def tell(seen: Seen) -> None:
        told.append(seen)
        if seen.is_enough:
            cancel.cancel()

    with pytest.raises(Cancelled):
        both.sync(dry_run=True, tell=tell, cancel=cancel)
    assert told[-1].messages == 100


@pytest.mark.parametrize("target", [BEFORE, AFTER])
def test_what_moved_to_another_calendar_is_not_called_off(both: World, target: Folder) -> None:
    both.port = MemoryMailbox((BEFORE, CALENDAR, AFTER), others=(TASKS, CONTACTS, CRM))
    stays = both.port.put(CALENDAR, meeting("u1", subject="Mutată", start=SOON, end=SOON))
    goes = both.port.put(CALENDAR, meeting("u2", subject="Ștearsă", start=SOON, end=SOON))
    go(both)
    both.port.move(CALENDAR, target, stays)
    both.port.remove(CALENDAR, goes)
    assert [(x.what, x.title) for x in lines(both)] == [("cancel", "Ștearsă")]


def test_what_left_a_list_and_what_an_earlier_pass_left_is_told_once(both: World) -> None:
    kept = both.port.put(TASKS, TaskItem("t1", "Veche"))
    go(both)
    for n in range(120):
        both.port.put(TASKS, TaskItem(f"n{n}", f"Nouă {n}"))
    both.port.put(TASKS, TaskItem("n5", "Nouă 5 din nou"))
    both.port.remove(TASKS, kept)
    found = lines(both)
    assert sum(line.what == "create" for line in found) == 120
    assert [line.title for line in found if line.what == "cancel"] == ["Veche"]
    assert len({line.key for line in found}) == len(found)


def test_others_write_between_the_parts_of_a_look(
    both_on_a_file: World, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another window of the program waits for a page, not for the whole look."""
    world = both_on_a_file
    keys = [world.port.put(CALENDAR, meeting(f"u{n}", start=SOON, end=SOON)) for n in range(600)]
    go(world)
    for n, key in enumerate(keys[:500]):
        world.port.put(CALENDAR, meeting(f"u{n}", start=SOON, end=SOON, location="Cluj"), key)
    for key in keys[500:]:
        world.port.remove(CALENDAR, key)
    begun = threading.Event()
    done: list[int] = []
    tried: Callable[..., None] = Preview._try

    def count(self: Preview, *args: Any, **options: Any) -> None:
        begun.set()
        tried(self, *args, **options)
        done.append(1)

    monkeypatch.setattr(Preview, "_try", count)
    elsewhere = Database.open(sqlite_url)
    passed: list[int] = []
    with ThreadPoolExecutor(1) as pool:
        look = pool.submit(lambda: lines(world))
        assert begun.wait(60)
        while not look.done():
            before = len(done)
            with elsewhere.writing():
                passed.append(len(done) - before)
        found = look.result()
    elsewhere.close()
    assert len(done) >= 15
    assert max(passed) <= 4
    assert [line.what for line in found].count("change") == 500
    assert [line.what for line in found].count("cancel") == 100


@pytest.fixture
def both_on_a_file(world: World) -> World:
    world.port = MemoryMailbox(others=(TASKS, CONTACTS, CRM))
    records.save(world.actor, "mailbox", world.mailbox, None, {"two_way": True})
    return world


@pytest.mark.parametrize("seed", range(12))
def test_the_parts_come_to_the_same_as_the_whole(
    both_on_a_file: World, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every page in a transaction of its own tells what one transaction over all of them does."""
    world, chance = both_on_a_file, random.Random(seed)
    monkeypatch.setattr(preview, "_TRIED", 2)
    world.port = MemoryMailbox((BEFORE, CALENDAR, AFTER), others=(TASKS, CONTACTS, CRM))
    held = _some_of_each(world)
    go(world)
    _edit_both_sides(world, held, chance)
    pages: list[tuple[Folder, Batch]] = []
    take: Callable[..., None] = Preview.take
    whole: list[str] = []

    def noted(self: Preview, folder: Folder, batch: Batch, actions: Any) -> None:
        pages.append((folder, batch))
        take(self, folder, batch, actions)

    def at_once(self: Preview) -> list[Line]:
        found = Lines(world.actor)
        both, write = self._both, self._write
        assert both is not None
        assert write is not None
        with world.actor.db.trying() as connection:
            for folder, batch in pages:
                if folder.role is FolderRole.CALENDAR:
                    meetings = write(connection, folder, batch)
                    found.add_steps(meetings.steps if meetings is not None else ())
                else:
                    Incoming(connection, world.actor, world.mailbox, folder).take(batch)
            for work in both.pairing(connection).all():
                found.add_steps(work.decision.steps)
        whole.extend(map(_words, found.found))
        return end(self)

    end: Callable[[Preview], list[Line]] = Preview.end
    monkeypatch.setattr(Preview, "take", noted)
    monkeypatch.setattr(Preview, "end", at_once)
    parts = [_words(line) for line in lines(world)]
    new = [line for line in parts if line not in whole]
    assert all("'create', 'meeting'" in line for line in new), "those come from the page itself"
    assert sorted(set(parts) - set(new)) == sorted(set(whole))
    assert whole


def _words(line: Line) -> str:
    key = "" if line.key.startswith("item:") else line.key
    return repr((key, line.side, line.what, line.kind, line.title, line.reason, line.changes))


def _some_of_each(world: World) -> dict[Folder, list[str]]:
    held: dict[Folder, list[str]] = {}
    for n in range(6):
        one = meeting(f"m{n}", subject=f"Vizită {n}", start=SOON, end=SOON)
        held.setdefault(CALENDAR, []).append(world.port.put(CALENDAR, one))
        held.setdefault(TASKS, []).append(world.port.put(TASKS, TaskItem(f"t{n}", f"Sarcină {n}")))
        card = ContactItem(f"c{n}", first_name="Ana", last_name=f"Nou {n}")
        held.setdefault(CRM, []).append(world.port.put(CRM, card))
    return held


def _edit_both_sides(world: World, held: dict[Folder, list[str]], chance: random.Random) -> None:
    for n, key in enumerate(held[CALENDAR]):
        _edit_meeting(world, n, key, chance)
    for n, key in enumerate(held[TASKS]):
        what = chance.choice(["stay", "here", "there", "gone"])
        if what == "here":
            change = {"priority": "high"}
            records.save(world.actor, "activity", _record(world, f"Sarcină {n}"), None, change)
        elif what == "there":
            world.port.put(TASKS, TaskItem(f"t{n}", f"Altfel {n}"), key)
        elif what == "gone":
            world.port.remove(TASKS, key)
    for n, key in enumerate(held[CRM]):
        what = chance.choice(["stay", "there", "gone"])
        if what == "there":
            world.port.put(CRM, ContactItem(f"c{n}", first_name="Ion", last_name=f"Nou {n}"), key)
        elif what == "gone":
            world.port.remove(CRM, key)
    for n in range(chance.randrange(4)):
        world.port.put(TASKS, TaskItem(f"x{n}", f"Nouă {n}"))
        world.port.put(CALENDAR, meeting(f"x{n}", subject=f"Nouă {n}", start=SOON, end=SOON))
        appointment(world, subject=f"De aici {n}")


def _edit_meeting(world: World, n: int, key: str, chance: random.Random) -> None:
    subject, place = f"Vizită {n}", chance.choice(["Cluj", "Iași"])
    what = chance.choice(["stay", "here", "there", "both", "move", "gone"])
    if what in ("here", "both"):
        change = {"location": chance.choice(["Cluj", "Brad"])}
        records.save(world.actor, "activity", _record(world, subject), None, change)
    if what in ("there", "both"):
        one = meeting(f"m{n}", subject=subject, start=SOON, end=SOON, location=place)
        world.port.put(CALENDAR, one, key)
    elif what == "move":
        world.port.move(CALENDAR, chance.choice([BEFORE, AFTER]), key)
    elif what == "gone":
        world.port.remove(CALENDAR, key)


def _record(world: World, subject: str) -> int:
    return int(next(one.id for one in world.activities if one.subject == subject))
