"""``linking rules`` and ``linking why``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from desktop_crm.db.engine import Database
from desktop_crm.services import records
from desktop_crm.services.context import system_actor
from tests.contract.writing_driver import received

if TYPE_CHECKING:
    from tests.unit.cli.conftest import Run


@pytest.fixture
def db(run: Run, empty: Path, tmp_path: Path) -> Path:
    (tmp_path / "mail" / "Inbox").mkdir(parents=True)
    (tmp_path / "mail" / "Inbox" / "a.eml").write_bytes(received("a"))
    ran = run("mailbox", "add", "Archive", "--kind", "folder", "--address", "me@firm.example",
              "--path", tmp_path / "mail", "--db", empty)  # fmt: skip
    assert ran.code == 0
    return empty


def account(db: Path) -> int:
    opened = Database.open(f"sqlite:///{db}")
    try:
        actor = system_actor(opened)
        return records.save(actor, "account", None, None, {"name": "Client SRL"}).id
    finally:
        opened.close()


def test_a_rule_is_made_used_explained_and_deleted(run: Run, db: Path) -> None:
    key = account(db)
    ran = run("linking", "rules", "--add", "category", "--value", "Inbox",
              "--to", f"account/{key}", "--db", db, "--json")  # fmt: skip
    assert ran.code == 0
    assert ran.json["rule"]["title"] == "Client SRL"
    assert run("sync", "--db", db).code == 0
    found = run("linking", "rules", "--db", db)
    assert "Client SRL" in found.out
    assert "Folder or category" in found.out
    why = run("linking", "why", "1", "--db", db)
    assert why.code == 0
    assert "Your filing rule for “Inbox” sends it here." in why.out
    facts = run("linking", "why", "1", "--db", db, "--json").json
    assert facts["links"][0]["rule"] == "filing"
    gone = run("linking", "rules", "--delete", str(ran.json["rule"]["id"]), "--db", db)
    assert gone.code == 0
    assert run("linking", "rules", "--db", db, "--json").json == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--value", "a@b.example"), "--add"),
        (("--add", "sender", "--value", "a@b.example"), "--to or --never"),
        (("--add", "sender", "--value", "a@b.example", "--to", "acct/1"), "names no record"),
        (("--add", "sender", "--value", "a@b.example", "--to", "account/99"), "does not exist"),
        (("--add", "sender", "--value", "nobody", "--never"), "is no mail address"),
        (("--add", "domain", "--value", "gmail.com", "--never"), "service of everybody"),
        (("--delete", "77"), "no filing rule 77"),
    ],
)
def test_what_cannot_be_done_is_said(
    run: Run, db: Path, arguments: tuple[str, ...], said: str
) -> None:
    ran = run("linking", "rules", *arguments, "--db", db)
    assert ran.code != 0
    assert said in ran.err
    assert run("linking", "rules", "--db", db, "--json").json == []


def test_a_message_that_is_not_there(run: Run, db: Path) -> None:
    ran = run("linking", "why", "12", "--db", db)
    assert ran.code == 1
    assert "no longer there" in ran.err
