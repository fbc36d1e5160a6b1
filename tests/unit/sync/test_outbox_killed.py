"""The process is really killed, again and again; what was ordered is done once all the same."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import select

from desktop_crm.core.identity import new_uid
from desktop_crm.db.engine import Database
from desktop_crm.models import Activity
from desktop_crm.models.outbox import OutboxState
from desktop_crm.services import records
from desktop_crm.services.context import as_seen_by, system_actor
from desktop_crm.services.mail import outbox
from desktop_crm.services.mail.noting import Notes
from desktop_crm.sync import sending
from desktop_crm.sync.compose import Letter
from desktop_crm.sync.outbox import order
from desktop_crm.sync.port import Address
from desktop_crm.sync.writes import Deed, Delete, Move, Ref, SaveDraft
from tests.contract.writing_driver import message, received
from tests.unit.sync.conftest import make_world

SEED = 20260302
KILLS = 6
EACH = 40
LATER_S = 0.005
"""A deed with its transactions takes about as long."""

PASS = """
import sys
from desktop_crm.db.engine import Database
from desktop_crm.services.context import system_actor
from desktop_crm.sync import scheduler
from desktop_crm.sync.folder.mailbox import FolderMailbox

class Told(FolderMailbox):
    def do(self, deed):
        print("doing", flush=True)
        return super().do(deed)

scheduler.FolderMailbox = Told
scheduler.send_due(system_actor(Database.open(sys.argv[1])))
"""

POST = """
import sys
from desktop_crm.db.engine import Database
from desktop_crm.services.context import as_seen_by
from desktop_crm.sync import scheduler
from desktop_crm.sync.folder.mailbox import FolderMailbox
from desktop_crm.sync.writes import Ability, SaveDraft, Send
import desktop_crm.services.bulk.deeds

class Post(FolderMailbox):
    abilities = frozenset(Ability)
    def find(self, deed):
        return super().find(SaveDraft(deed.own_key, deed.message_id, deed.mime))
    def do(self, deed):
        print("doing", flush=True)
        return super().do(SaveDraft(deed.own_key, deed.message_id, deed.mime))

scheduler.FolderMailbox = Post
scheduler.send_due(as_seen_by(Database.open(sys.argv[1]), "ana"))
"""
"""A mailbox that delivers into its folder of drafts, which no death of the program empties."""


@pytest.fixture
def letters(tmp_path: Path) -> Path:
    folder = tmp_path / "mail"
    for name in ("Inbox", "Clients"):
        (folder / name).mkdir(parents=True)
    for number in range(2 * EACH):
        (folder / "Inbox" / f"m{number}.eml").write_bytes(received(f"m{number}"))
    return folder


def test_killed_at_any_moment_nothing_is_done_twice_or_lost(
    sqlite_db: Database, letters: Path
) -> None:
    world = make_world(sqlite_db)
    records.save(world.actor, "mailbox", world.mailbox, None, {"path": str(letters)})
    deeds: list[Deed] = []
    for number in range(EACH):
        key = new_uid()
        deeds += [
            SaveDraft(key, f"{key}@firma.example", message(key)),
            Move(new_uid(), Ref("Inbox", f"Inbox/m{number}.eml"), "Clients"),
            Delete(new_uid(), Ref("Inbox", f"Inbox/m{EACH + number}.eml")),
        ]
    for deed in deeds:
        order(world.actor, world.mailbox, deed, confirmed=True)
    url = f"sqlite:///{sqlite_db.path}"
    sqlite_db.close()
    chance = random.Random(SEED)
    for _ in range(KILLS):
        _killed_at(url, chance.randint(1, 3 * EACH // KILLS - 1), chance.uniform(0, LATER_S))
    db = Database.open(url)
    try:
        actor = system_actor(db)
        before = outbox.counts(actor)
        with _run(url) as process:
            assert process.wait(120) == 0
        states = {row.state for row in outbox.list_items(actor)}
    finally:
        db.close()
    assert before, "nothing was left for the last pass"
    assert states == {OutboxState.DONE}
    assert len(list((letters / "Drafts").glob("*.eml"))) == EACH
    moved = {path.name for path in (letters / "Clients").iterdir()}
    assert moved == {f"m{number}.eml" for number in range(EACH)}
    assert list((letters / "Inbox").iterdir()) == []


def test_killed_at_any_moment_each_letter_is_noted_once_on_each_record(
    sqlite_db: Database, letters: Path
) -> None:
    world = make_world(sqlite_db)
    role = world.save("role", name="Boss", is_admin=True)
    records.save(world.actor, "user", world.ana, None, {"role": role})
    records.save(world.actor, "mailbox", world.mailbox, None, {"path": str(letters)})
    ana = as_seen_by(sqlite_db, "ana")
    people = [(world.contact, "ion@client.example")]
    for number in range(4):
        address = f"p{number}@x.example"
        lines = [{"address": address, "is_primary": True}]
        people.append((world.save("contact", last_name=address, emails=lines), address))
    notes = Notes("contact", tuple(people))
    blind = tuple(Address(address) for _key, address in people)
    for number in range(EACH):
        letter = Letter(Address("ana@firma.example"), bcc=blind, subject=f"Letter {number}")
        sending.send(ana, world.mailbox, letter, undo_s=0, notes=notes)
    url = f"sqlite:///{sqlite_db.path}"
    sqlite_db.close()
    chance = random.Random(SEED)
    for _ in range(KILLS):
        _killed_at(url, chance.randint(1, EACH // KILLS - 1), chance.uniform(0, LATER_S), POST)
    db = Database.open(url)
    try:
        ana = as_seen_by(db, "ana")
        before = outbox.counts(ana)
        with _run(url, POST) as process:
            assert process.wait(120) == 0
        states = {row.state for row in outbox.list_items(ana)}
        with db.reading() as connection:
            found = connection.execute(
                select(Activity.subject, Activity.contact_id).where(
                    Activity.contact_id.is_not(None)
                )
            ).all()
    finally:
        db.close()
    assert before, "nothing was left for the last pass"
    assert states == {OutboxState.DONE}
    assert sorted(map(tuple, found)) == sorted(
        (f"Letter {number}", key) for number in range(EACH) for key, _address in people
    )
    assert len(list((letters / "Drafts").glob("*.eml"))) == EACH


def _run(url: str, script: str = PASS) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", script, url]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def _killed_at(url: str, deed: int, later: float, script: str = PASS) -> None:
    """Let a pass begin so many deeds, and kill it so many seconds after it began the last."""
    with _run(url, script) as process:
        assert process.stdout is not None
        for _ in range(deed):
            assert process.stdout.readline() == "doing\n"
        try:
            process.wait(later)
        except subprocess.TimeoutExpired:
            process.kill()
