from __future__ import annotations

from pathlib import Path

import pytest

from desktop_crm.core.errors import UserError
from desktop_crm.db.engine import Database
from desktop_crm.db.migrate import SchemaState
from desktop_crm.services import databases
from desktop_crm.services.context import sign_in


def test_a_new_file_can_be_opened_by_its_maker(tmp_path: Path) -> None:
    path = tmp_path / "company.db"
    url = databases.create(str(path))
    assert url == str(path)
    found = databases.look(url)
    assert (found.state, found.is_shared) == (SchemaState.CURRENT, False)
    db = Database.open(url)
    try:
        assert sign_in(db).is_admin
    finally:
        db.close()


def test_what_is_there_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "notes.db"
    path.write_text("my notes", encoding="utf-8")
    with pytest.raises(UserError, match="exists already"):
        databases.create(str(path))
    assert path.read_text(encoding="utf-8") == "my notes"


def test_a_backup_is_named_after_the_day_and_opens(sqlite_db: Database, tmp_path: Path) -> None:
    from desktop_crm.services.context import system_actor

    actor = system_actor(sqlite_db)
    name = databases.backup_name(actor)
    assert name is not None
    assert name.suffix == ".db"
    kept = databases.back_up(actor, tmp_path / "copy.db")
    assert databases.look(str(kept)).state is SchemaState.CURRENT


def test_passwords_lie_in_the_keyring_and_belong_to_servers_alone(tmp_path: Path) -> None:
    url = "postgresql://mara@db.firm.example/crm"
    assert databases.password_of(url) is None
    databases.keep_password(url, "hidden")
    assert databases.password_of(url) == "hidden"
    assert databases.password_of(str(tmp_path / "file.db")) is None
