"""A backup opens anywhere and holds everything, or there is none."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import text

from desktop_crm.core.errors import CrmError, UserError
from desktop_crm.db import backup, migrate
from desktop_crm.db.engine import Database
from desktop_crm.models import Base
from desktop_crm.services import records
from desktop_crm.services.context import system_actor


def content(db: Database) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table."""
    with db.reading() as connection:
        return {
            table.name: [
                tuple(row) for row in connection.execute(text(f'SELECT * FROM "{table.name}"'))
            ]
            for table in Base.metadata.sorted_tables
        }


def test_a_backup_equals_its_original_while_it_is_in_use(
    sqlite_db: Database, tmp_path: Path
) -> None:
    actor = system_actor(sqlite_db)
    account = {"name": "Ștefan & fiii", "emails": [{"address": "a@b.example"}]}
    records.save(actor, "account", None, None, account)
    before = content(sqlite_db)
    target = tmp_path / "copies" / "crm copy.db"
    with sqlite_db.writing() as connection:
        connection.execute(Base.metadata.tables["team"].delete())
        assert backup.backup(sqlite_db, target) == target
    copy = migrate.open_current(str(target))
    try:
        assert content(copy) == before
        # Search works in it too.
        from desktop_crm.services import query

        asked = query.RecordQuery("account", ("name",), search="stefan")
        assert len(query.keys(system_actor(copy), asked)) == 1
    finally:
        copy.close()
    assert list(target.parent.iterdir()) == [target]


def test_leftovers_of_another_database_do_not_spoil_a_backup(
    sqlite_db: Database, tmp_path: Path
) -> None:
    target = tmp_path / "copy.db"
    other = migrate.create(str(target))
    records.save(system_actor(other), "team", None, None, {"name": "Other"})
    journal = target.with_name("copy.db-wal").read_bytes()
    other.close()
    target.with_name("copy.db-wal").write_bytes(journal)
    records.save(system_actor(sqlite_db), "team", None, None, {"name": "Ours"})
    backup.backup(sqlite_db, target)
    copy = migrate.open_current(str(target))
    try:
        assert [row[4] for row in content(copy)["team"]] == [
            row[4] for row in content(sqlite_db)["team"]
        ]
    finally:
        copy.close()


def test_the_database_itself_is_no_target(sqlite_db: Database, tmp_path: Path) -> None:
    assert sqlite_db.path is not None
    link = tmp_path / "link.db"
    link.symlink_to(sqlite_db.path)
    for target in (sqlite_db.path, tmp_path / "x" / ".." / sqlite_db.path.name, link):
        with pytest.raises(UserError, match="itself"):
            backup.backup(sqlite_db, target)


def test_a_backup_that_cannot_be_written_leaves_nothing(
    sqlite_db: Database, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(CrmError, match="could not be written"):
        backup.backup(sqlite_db, tmp_path / "file" / "copy.db")
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "kept").touch()
    with pytest.raises(CrmError, match="could not be written"):
        backup.backup(sqlite_db, folder)
    assert sorted(p.name for p in tmp_path.glob("*.part")) == []


def test_a_server_is_backed_up_by_its_own_tools(postgres_db: Database, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="pg_dump"):
        backup.backup(postgres_db, tmp_path / "copy.db")
