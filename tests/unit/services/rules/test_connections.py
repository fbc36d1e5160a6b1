"""Connections join two different records that are there; accounts never stand above themselves."""

from __future__ import annotations

from datetime import date

import pytest

from desktop_crm.core.errors import PermissionDenied, ValidationFailed
from desktop_crm.services import query, records
from desktop_crm.services.query import RecordQuery
from desktop_crm.services.records import Change
from tests.support.world import World

ALL = RecordQuery("connection", ("id",))


def ends(first: int, second: int) -> dict[str, object]:
    """Both ends of a connection between contacts."""
    return {"from_type": "contact", "from_id": first, "to_type": "contact", "to_id": second}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"to_id": 1_000_000}, "to_id"),
        ({"from_type": "nothing"}, "from_id"),
        ({"from_type": "phone"}, "from_id"),
        ({"valid_from": date(2026, 2, 1), "valid_to": date(2026, 1, 1)}, "valid_to"),
    ],
)
def test_a_wrong_end_is_named(world: World, change: dict[str, object], field: str) -> None:
    make = world.factory.make
    values = ends(make("contact"), make("contact")) | change
    with pytest.raises(ValidationFailed) as caught:
        records.save(world.admin, "connection", None, None, values)
    assert [error.field for error in caught.value.errors] == [field]


def test_a_record_is_not_connected_with_itself(world: World) -> None:
    key = world.factory.make("contact")
    with pytest.raises(ValidationFailed, match="with itself"):
        records.save(world.admin, "connection", None, None, ends(key, key))


def test_a_connection_is_seen_with_both_ends_and_made_by_who_may_edit_one(world: World) -> None:
    own, team = world.people["own"], world.people["team"]
    mine = world.factory.make("contact", owner=own.user_id)
    mates = world.factory.make("contact", owner=world.people["mate"].user_id)
    far = world.factory.make("contact", owner=world.people["stranger"].user_id)
    near = world.factory.make("connection", **ends(mine, mates))
    hidden = world.factory.make("connection", **ends(mine, far))
    assert near in query.keys(team, ALL)
    assert hidden not in query.keys(team, ALL)
    assert near not in query.keys(own, ALL)
    assert records.save(team, "connection", None, None, ends(mates, mine)).id
    with pytest.raises(ValidationFailed, match="may not use it"):
        records.save(team, "connection", near, None, {"to_id": far})
    boss = world.people["all"]
    assert records.save(boss, "connection", near, None, {"to_id": far}).version == 2
    with pytest.raises(PermissionDenied):
        records.save(team, "connection", near, None, {"note": "Out of sight"})


def test_an_account_never_stands_above_itself(world: World) -> None:
    make = world.factory.make
    top = make("account")
    middle = make("account", parent=top)
    leaf = make("account", parent=middle)
    for wanted in (top, middle, leaf):
        with pytest.raises(ValidationFailed) as caught:
            records.save(world.admin, "account", top, None, {"parent": wanted})
        assert [error.field for error in caught.value.errors] == ["parent"]
    records.save(world.admin, "account", leaf, None, {"parent": top})
    one, two = make("account"), make("account")
    both = [Change(one, None, {"parent": two}), Change(two, None, {"parent": one})]
    with pytest.raises(ValidationFailed, match="outside its own hierarchy"):
        records.save_many(world.admin, "account", both)
