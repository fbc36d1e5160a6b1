"""``mailbox privacy``, ``colleagues`` and ``withdraw``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.unit.cli.conftest import Run

LETTER = """From: "Claire" <{sender}>
To: me@firm.example
Subject: {name}
Date: Wed, 25 Nov 2026 09:52:00 +0200
Message-ID: <{name}@rossi.example>

Hello
"""


@pytest.fixture
def db(run: Run, empty: Path, tmp_path: Path) -> Path:
    place = tmp_path / "mail" / "Inbox"
    place.mkdir(parents=True)
    for name in ("one", "two", "three"):
        sender = "claire@rossi.example" if name != "three" else "lawyer@elsewhere.example"
        (place / f"{name}.eml").write_text(LETTER.format(name=name, sender=sender))
    run("mailbox", "add", "Archive", "--kind", "folder", "--address", "me@firm.example",
        "--path", place.parent, "--db", empty)  # fmt: skip
    assert run("sync", "--db", empty, "--json").json["created"] == 3
    return empty


def _messages(run: Run, db: Path) -> list[str]:
    found = run("query", "mail_message", "--columns", "subject", "--db", db, "--json").json
    return sorted(row["subject"] for row in found)


def test_a_stricter_policy_says_what_it_would_leave_out(run: Run, db: Path) -> None:
    ran = run("mailbox", "privacy", "archive", "--never", "elsewhere.example", "--sharing",
              "nobody", "--db", db, "--json")  # fmt: skip
    assert (ran.code, ran.json["sharing"], ran.json["never_log"]) == (
        0, "nobody", "elsewhere.example",
    )  # fmt: skip
    assert ran.json["left_out"] == 1
    assert list(ran.json["reasons"].values()) == [1]
    told = run("mailbox", "withdraw", "archive", "--left-out", "--db", db, "--json")
    assert (told.json["messages"], told.json["withdrawn"]) == (1, 0)
    assert len(_messages(run, db)) == 3
    done = run("mailbox", "withdraw", "archive", "--left-out", "--yes", "--db", db, "--json")
    assert done.json["withdrawn"] == 1
    assert _messages(run, db) == ["one", "two"]
    ran = run("mailbox", "privacy", "archive", "--sharing", "default", "--never", "", "--db", db,
              "--json")  # fmt: skip
    assert (ran.json["sharing"], ran.json["never_log"], ran.json["left_out"]) == (None, None, 0)


def test_mail_is_withdrawn_by_message_sender_and_mailbox(run: Run, db: Path) -> None:
    args = ("mailbox", "withdraw", "archive", "--db", db, "--yes", "--json")
    assert run(*args, "--message", "<one@rossi.example>").json["withdrawn"] == 1
    assert _messages(run, db) == ["three", "two"]
    assert run(*args, "--sender", "claire@rossi.example").json["withdrawn"] == 1
    assert run(*args, "--all").json["withdrawn"] == 1
    assert _messages(run, db) == []
    run("sync", "--db", db)
    assert _messages(run, db) == []


def test_one_way_to_choose_is_said(run: Run, db: Path) -> None:
    for more in ((), ("--all", "--left-out")):
        ran = run("mailbox", "withdraw", "archive", *more, "--yes", "--db", db)
        assert (ran.code != 0, "Nothing was withdrawn" in ran.err) == (True, True)
    assert len(_messages(run, db)) == 3


def test_colleagues_are_told_with_what_they_see(run: Run, db: Path) -> None:
    ran = run("mailbox", "colleagues", "archive", "--db", db, "--json")
    assert ran.code == 0
    assert ran.json["total"] == 3
    assert all(one["messages"] <= 3 for one in ran.json["colleagues"])
    assert "Colleague" in run("mailbox", "colleagues", "archive", "--db", db).out
