"""``db`` and ``demo``, and every database that is not one of ours."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from desktop_crm.db import engine

if TYPE_CHECKING:
    from tests.unit.cli.conftest import Run


def _counted(path: Path, table: str) -> int:
    with closing(sqlite3.connect(path)) as connection:
        found = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
        return int(found[0])


def test_init_makes_a_database_with_one_administrator(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "new" / "company.db"
    ran = run("db", "init", "--db", path, "--json")

    assert ran.code == 0
    assert ran.json["database"] == str(path)
    users = run("query", "user", "--columns", "login,role.is_admin", "--db", path, "--json").json
    assert [(u["login"], u["role.is_admin"]) for u in users] == [(ran.json["user"], True)]
    assert run("query", "account", "--db", path, "--json").json == []


def test_as_names_the_first_user(run: Run, tmp_path: Path) -> None:
    for command in ("db", "init"), ("demo",):
        path = tmp_path / f"{command[-1]}.db"
        ran = run(*command, "--as", "maria.pop", "--db", path, "--json")
        assert (ran.code, ran.json["user"]) == (0, "maria.pop")
        logins = run("query", "user", "--columns", "login,role.is_admin", "--as", "maria.pop",
                     "--filter", "login = maria.pop", "--db", path, "--json").json  # fmt: skip
        assert logins[0]["role.is_admin"] is True


def test_on_a_server_the_administrator_is_who_signs_in(run: Run) -> None:
    ran = run("db", "init", "--as", "other", "--db", "postgresql://mara@127.0.0.1:9/crm", "--json")

    assert ran.code == 1
    assert "mara" in ran.json["error"]


def test_init_never_touches_what_is_there(run: Run, empty: Path) -> None:
    before = empty.read_bytes()

    ran = run("db", "init", "--db", empty, "--json")

    assert ran.code == 1
    assert "exists already" in ran.json["error"]
    assert empty.read_bytes() == before


def test_demo_makes_a_living_company(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "demo.db"
    ran = run("demo", "--db", path, "--json")

    assert ran.code == 0
    assert ran.json["records"]["account"] == 60
    assert run("demo", "--db", path).code == 1


def test_check_tells_the_state(run: Run, empty: Path, tmp_path: Path) -> None:
    assert run("db", "check", "--db", empty, "--json").json["state"] == "current"
    assert run("db", "upgrade", "--db", empty, "--json").json == {"ok": True, "backup": None}
    with closing(sqlite3.connect(empty)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = 'ffff'")

    for command in (("db", "check"), ("db", "upgrade"), ("query", "account")):
        ran = run(*command, "--db", empty, "--json")
        assert ran.code == 1
        assert "newer version" in ran.json["error"]
    assert run("db", "check", "--db", empty, "--json").json["state"] == "newer"


def test_foreign_files_are_left_as_they_are(run: Run, tmp_path: Path) -> None:
    letter = tmp_path / "letter.db"
    letter.write_text("Dear reader", encoding="utf-8")
    other = tmp_path / "other.db"
    with closing(sqlite3.connect(other)) as connection, connection:
        connection.execute("CREATE TABLE song (title TEXT)")

    for path in (letter, other):
        before = path.read_bytes()
        for command in (("db", "check"), ("db", "upgrade"), ("db", "init"), ("query", "account")):
            ran = run(*command, "--db", path, "--json")
            assert ran.code == 1, (path, command)
            assert len(ran.err.splitlines()) == 1
        assert path.read_bytes() == before


def test_a_missing_file_is_said_and_not_made(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "none.db"
    for command in (("db", "check"), ("db", "upgrade"), ("query", "account"), ("sync",)):
        ran = run(*command, "--db", path)
        assert ran.code == 1
        assert str(path) in ran.err
    assert not path.exists()


@pytest.mark.parametrize("url", ["//server/share/crm.db", "sqlite://///server/share/crm.db"])
def test_a_network_path_is_refused(run: Run, url: str) -> None:
    for command in (("db", "init"), ("query", "account"), ("demo",)):
        ran = run(*command, "--db", url)
        assert ran.code == 1
        assert "PostgreSQL" in ran.err


def test_other_systems_are_refused(run: Run) -> None:
    assert run("query", "account", "--db", "mysql://server/crm").code == 1
    assert run("query", "account", "--db", "://").code == 1


def test_a_place_that_cannot_be_written(run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for command in (("db", "init"), ("demo",)):
        ran = run(*command, "--db", tmp_path / "file" / "x.db", "--json")
        assert ran.code == 3
        assert len(ran.err.splitlines()) == 1


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="the administrator may write anywhere"
)
def test_a_read_only_folder(run: Run, empty: Path, tmp_path: Path) -> None:
    file = tmp_path / "contacts.csv"
    file.write_text("Name,E-mail\nAna,ana@firm.example\n", encoding="utf-8")
    empty.chmod(0o444)
    tmp_path.chmod(0o555)
    try:
        ran = run("import", "contact", file, "--db", empty, "--json")
        assert ran.code == 3
        assert "read-only" in ran.json["error"]
    finally:
        tmp_path.chmod(0o755)


def test_a_full_disk_keeps_what_was_there(
    run: Run, empty: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "many.csv"
    rows = "\n".join(f"Firma {n} cu un nume lung,Iași" for n in range(3000))
    file.write_text(f"Name,City\n{rows}\n", encoding="utf-8")
    with closing(sqlite3.connect(empty)) as connection:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
    _limit_pages(monkeypatch, pages + 4)

    ran = run("import", "account", file, "--db", empty, "--json")

    assert ran.code == 3
    assert "full" in ran.json["error"]
    monkeypatch.undo()
    assert _counted(empty, "account") == 0
    with closing(sqlite3.connect(empty)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def _limit_pages(monkeypatch: pytest.MonkeyPatch, pages: int) -> None:
    """Let every new connection think that the disk ends here."""
    from sqlalchemy import Engine, event

    from desktop_crm.db.target import Target

    make = engine._sqlite

    def limited(target: Target) -> Engine:
        made = make(target)

        @event.listens_for(made, "connect")
        def _limit(connection: sqlite3.Connection, _entry: object) -> None:
            connection.execute(f"PRAGMA max_page_count = {pages:d}")

        return made

    monkeypatch.setattr(engine, "_sqlite", limited)


def test_a_locked_database_is_said(
    run: Run, empty: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "_BUSY_MS", 50)
    with closing(sqlite3.connect(empty, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        ran = run("mailbox", "add", "M", "--kind", "folder", "--address", "a@firm.example",
                  "--path", tmp_path, "--db", empty, "--json")  # fmt: skip
        other.execute("ROLLBACK")

    assert ran.code == 3
    assert "busy" in ran.json["error"]


# --- on a server --------------------------------------------------------------------------------


def test_a_server_takes_the_same_commands(
    run: Run, new_postgres_database: Callable[[str | None], str]
) -> None:
    url = new_postgres_database(None)

    assert run("db", "init", "--db", url, "--json").code == 0
    assert run("db", "init", "--db", url).code == 1
    assert run("db", "check", "--db", url, "--json").json["state"] == "current"
    assert len(run("query", "stage", "--db", url, "--json").json) == 10


def test_a_start_that_broke_on_a_server_can_be_repeated(run: Run, postgres_url: str) -> None:
    # The tables are there, and not one user: what a lost connection leaves.
    assert run("db", "init", "--db", postgres_url).code == 0
    assert len(run("query", "user", "--db", postgres_url, "--json").json) == 1


def test_an_unreachable_server(run: Run) -> None:
    ran = run("query", "account", "--db", "postgresql://mara@127.0.0.1:9/crm", "--json")

    assert ran.code == 3
    assert "cannot be reached" in ran.json["error"]
