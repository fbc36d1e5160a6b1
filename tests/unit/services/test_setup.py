"""What a new database starts with, on both databases."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from desktop_crm.core.errors import UserError
from desktop_crm.db.engine import Database
from desktop_crm.meta import registry
from desktop_crm.services import records, setup, steps
from desktop_crm.services.context import own_login, sign_in
from desktop_crm.services.query import RecordQuery, count, objects

if TYPE_CHECKING:
    from pathlib import Path

    from desktop_crm.services.context import Actor

CHECKED = (
    "user", "role", "role_right", "stage", "tax_code", "tax_rate", "unit", "currency",
    "price_list", "own_company", "number_sequence",
)  # fmt: skip


def _counts(actor: Actor) -> dict[str, int]:
    return {key: count(actor, RecordQuery(key, ("id",))) for key in CHECKED}


def test_a_new_database_has_what_the_first_day_needs(database: Database) -> None:
    actor = setup.initialise(database)

    assert actor.login == own_login(database)
    assert actor.is_admin
    counts = _counts(actor)
    assert counts["stage"] == 10
    assert counts["role"] == 4
    assert counts["user"] == counts["own_company"] == 1
    assert counts["number_sequence"] == 2
    stages = objects(actor, RecordQuery("stage", ("code", "probability", "state", "position")))
    assert [row["probability"] for row in stages] == [10, 20, 25, 30, 40, 50, 65, 80, 100, 0]
    assert [row["state"] for row in stages[-2:]] == ["won", "lost"]
    rates = objects(actor, RecordQuery("tax_rate", ("tax_code.code", "valid_from", "rate")))
    standard = {r["valid_from"]: r["rate"] for r in rates if r["tax_code.code"] == "S"}
    assert standard == {date(2017, 1, 1): Decimal(19), date(2025, 8, 1): Decimal(21)}
    assert {r["code"] for r in objects(actor, RecordQuery("unit", ("code",)))} >= {"H87", "HUR"}


def test_a_second_call_changes_nothing(database: Database) -> None:
    actor = setup.initialise(database)
    before = _counts(actor)
    stage = objects(actor, RecordQuery("stage", ("name",)), 1)[0]
    records.delete(actor, "stage", [stage["id"]])

    again = setup.initialise(database)

    assert again.user_id == actor.user_id
    assert _counts(again) == {**before, "stage": 9}


def test_nobody_becomes_administrator_of_a_database_in_use(sqlite_db: Database) -> None:
    setup.initialise(sqlite_db, "mara")

    with pytest.raises(UserError, match="no active user"):
        setup.initialise(sqlite_db, "intruder")


@pytest.mark.parametrize(
    ("role", "read", "edit", "products"),
    [
        ("Sales manager", "all", "all", True),
        ("Salesperson", "team", "own", False),
        ("Read only", "all", "none", False),
    ],
)
def test_roles_reach_as_far_as_they_say(
    sqlite_db: Database, role: str, read: str, edit: str, products: bool
) -> None:
    admin = setup.initialise(sqlite_db)
    with sqlite_db.reading() as connection:
        role_id = setup.role_id(connection, role)
    records.save(admin, "user", None, None, {"name": "Dan Pop", "login": "dan", "role": role_id})

    actor = sign_in(sqlite_db, "dan")

    account = registry.get("account")
    assert actor.level(account, "read") == read
    assert actor.level(account, "edit") == edit
    assert actor.can("product", "edit") is products
    assert not actor.can("user", "edit")
    assert actor.can("stage", "read")


def test_create_leaves_no_file_behind_when_it_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(db: Database, login: str | None = None) -> Actor:
        raise UserError("no")

    monkeypatch.setattr(setup, "initialise", fail)

    with pytest.raises(UserError):
        setup.create(f"sqlite:///{tmp_path / 'new.db'}")

    assert list(tmp_path.iterdir()) == []


def test_an_unused_database_is_recognised(sqlite_url: str, tmp_path: Path) -> None:
    assert setup.is_unused(sqlite_url)
    assert not setup.is_unused(f"sqlite:///{tmp_path / 'none.db'}")
    db = Database.open(sqlite_url)
    setup.initialise(db)
    db.close()

    assert not setup.is_unused(sqlite_url)


def test_set_up_is_not_the_users_to_undo(sqlite_db: Database) -> None:

    assert steps.last(setup.initialise(sqlite_db)) is None
