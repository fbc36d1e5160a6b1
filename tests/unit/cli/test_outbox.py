"""``outbox``: list, show, cancel, retry and restore."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from desktop_crm.core.identity import new_uid
from desktop_crm.db.engine import Database
from desktop_crm.services.context import Actor, system_actor
from desktop_crm.services.mail import mailboxes
from desktop_crm.sync.outbox import order
from desktop_crm.sync.outbox_rows import Reason
from desktop_crm.sync.writes import Deed, Delete, Move, Ref
from tests.contract.writing_driver import received, sending

if TYPE_CHECKING:
    from tests.unit.cli.conftest import Run


@pytest.fixture
def letters(tmp_path: Path) -> Path:
    for name in ("Inbox", "Clients"):
        (tmp_path / "mail" / name).mkdir(parents=True)
    (tmp_path / "mail" / "Inbox" / "a.eml").write_bytes(received("a"))
    return tmp_path / "mail"


@pytest.fixture
def db(run: Run, empty: Path, letters: Path) -> Path:
    ran = run("mailbox", "add", "Archive", "--kind", "folder", "--address", "me@firm.example",
              "--path", letters, "--db", empty)  # fmt: skip
    assert ran.code == 0
    return empty


@contextmanager
def acting(db: Path) -> Iterator[Actor]:
    opened = Database.open(f"sqlite:///{db}")
    try:
        yield system_actor(opened)
    finally:
        opened.close()


def ordered(db: Path, deed: Deed, title: str = "") -> int:
    with acting(db) as actor:
        box = mailboxes.find(actor, "Archive")
        return order(actor, box.id, deed, title=title, why=Reason("Because"))


REF = Ref("Inbox", "Inbox/a.eml")


def test_what_was_ordered_is_listed_done_shown_and_taken_back(
    run: Run, db: Path, letters: Path
) -> None:
    key = ordered(db, Move(new_uid(), REF, "Clients"), "Hi")
    (row,) = run("outbox", "list", "--db", db, "--json").json
    assert (row["id"], row["deed"], row["state"], row["title"]) == (key, "move", "waiting", "Hi")
    listed = run("outbox", "list", "--db", db, "--mailbox", "archive").out
    assert "Move item" in listed
    assert "1 entry" in listed
    ran = run("sync", "--db", db)
    assert "Archive, outbox: 1 done, 0 failed" in ran.out
    assert (letters / "Clients" / "a.eml").exists()
    shown = run("outbox", "show", key, "--db", db).out
    assert "State: Done" in shown
    assert "Why: Because" in shown
    back = run("outbox", "restore", key, "--db", db, "--json")
    assert (back.code, back.json["entry"]["deed"]) == (0, "move")
    (box,) = run("sync", "--db", db, "--json").json["mailboxes"]
    assert box["outbox"] == {"done": 1, "failed": 0, "postponed": 0, "held": 0, "problem": None}
    assert (letters / "Inbox" / "a.eml").exists()


def test_the_history_of_an_item_stands_below_it(run: Run, db: Path) -> None:
    first = ordered(db, Move(new_uid(), REF, "nowhere"))
    second = ordered(db, Delete(new_uid(), REF))
    told = run("outbox", "show", second, "--db", db, "--json").json
    assert [one["id"] for one in told["history"]] == [first]
    assert "Move item" in run("outbox", "show", second, "--db", db).out


def test_what_waits_is_cancelled(run: Run, db: Path, letters: Path) -> None:
    key = ordered(db, Delete(new_uid(), REF))
    ran = run("outbox", "cancel", key, "--db", db)
    assert (ran.code, ran.out.strip()) == (0, f"Entry {key} was cancelled; nothing went out.")
    run("sync", "--db", db)
    assert (letters / "Inbox" / "a.eml").exists()
    again = run("outbox", "cancel", key, "--db", db)
    assert (again.code, "finished already" in again.err) == (1, True)


def test_what_failed_is_tried_again(run: Run, db: Path) -> None:
    key = ordered(db, sending())
    assert run("sync", "--db", db).code == 0
    (row,) = run("outbox", "list", "--state", "failed", "--db", db, "--json").json
    assert row["message"] == "This mailbox cannot send mail. Nothing was changed there."
    assert run("outbox", "retry", key, "--db", db, "--json").json["entry"]["state"] == "waiting"
    assert run("outbox", "list", "--state", "failed", "--db", db, "--json").json == []


def test_an_unknown_entry_is_said_to_be(run: Run, db: Path) -> None:
    for command in ("show", "cancel", "retry", "restore"):
        ran = run("outbox", command, 77, "--db", db)
        assert (ran.code, "no such entry" in ran.err) == (1, True)
