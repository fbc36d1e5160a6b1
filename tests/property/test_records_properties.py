"""Saving many is saving each; two people's changes merge to what both wanted, or to nothing."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from desktop_crm.core.errors import Conflict
from desktop_crm.services import audit, records
from desktop_crm.services.records import Change
from tests.support.world import World

_QUICK = settings(
    deadline=None,
    max_examples=25,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
_MOVES = frozenset({"id", "uid", "created_at", "modified_at", "account"})
FIELDS = {
    "name": st.sampled_from(["Ana", "Ștefan", "Z"]),
    "city": st.none() | st.sampled_from(["Iași", "Cluj"]),
    "street": st.none() | st.sampled_from(["Str. Lungă 1"]),
    "email": st.none() | st.sampled_from(["a@b.example", "C@D.example "]),
    "annual_revenue": st.none() | st.decimals(-5, 5, places=6).map(Decimal),
    "employees": st.none() | st.integers(-5, 5),
    "do_not_bulk": st.booleans(),
    "relationship_type": st.none() | st.sampled_from(["customer", "partner"]),
    "website": st.none() | st.just("https://www.a.example/x"),
    "description": st.none() | st.sampled_from(["a\nb", " c "]),
}
_OTHERS = {name: values for name, values in FIELDS.items() if name != "name"}
VALUES = st.fixed_dictionaries({"name": FIELDS["name"]}, optional=_OTHERS)
CHANGES = st.fixed_dictionaries({}, optional=FIELDS)


def state(world: World, key: int) -> dict[str, Any]:
    """A record without what says who and when."""
    read = records.get(world.admin, "account", key)
    kept = {k: v for k, v in read.values.items() if k not in _MOVES}
    for name, rows in read.lines.items():
        kept[name] = [{k: v for k, v in row.items() if k not in _MOVES} for row in rows]
    return kept


@_QUICK
@given(st.lists(st.tuples(VALUES, CHANGES), min_size=1, max_size=6))
def test_saving_many_is_saving_each(
    world: World, rows: list[tuple[dict[str, Any], dict[str, Any]]]
) -> None:
    admin = world.admin
    many = records.save_many(admin, "account", [Change(None, None, v) for v, _ in rows]).ids
    changes = [Change(key, 1, c) for key, (_, c) in zip(many, rows, strict=True)]
    assert records.save_many(admin, "account", changes).ids == many
    for key, (values, change) in zip(many, rows, strict=True):
        single = records.save(admin, "account", None, None, values).id
        records.save(admin, "account", single, 1, change)
        assert state(world, single) == state(world, key)
        trails = [audit.history(admin, "account", k) for k in (single, key)]
        told = [[(e.action, e.changes) for e in trail] for trail in trails]
        assert told[0] == told[1]


@_QUICK
@given(VALUES, CHANGES, CHANGES)
def test_two_people_get_both_changes_or_a_conflict(
    world: World, values: dict[str, Any], first: dict[str, Any], second: dict[str, Any]
) -> None:
    admin = world.admin
    key = records.save(admin, "account", None, None, values).id
    base = state(world, key)
    records.save(admin, "account", key, 1, first)
    middle = state(world, key)
    alone = records.save(admin, "account", None, None, values).id
    records.save(admin, "account", alone, 1, second)
    wanted = state(world, alone)
    try:
        records.save(admin, "account", key, 1, second)
    except Conflict as clash:
        assert state(world, key) == middle
        for name, sides in clash.fields.items():
            if name in middle and not isinstance(middle[name], list):
                assert sides.theirs == middle[name] != sides.mine
        return
    after = state(world, key)
    for name in FIELDS:
        mine, theirs = wanted[name] != base[name], middle[name] != base[name]
        if mine:
            assert after[name] == wanted[name]
        elif theirs:
            assert after[name] == middle[name]
        else:
            assert after[name] == base[name]


@_QUICK
@given(st.lists(CHANGES, min_size=1, max_size=5))
def test_several_changes_of_one_record_count_in_their_order(
    world: World, changes: list[dict[str, Any]]
) -> None:
    admin = world.admin
    one, other = (records.save(admin, "account", None, None, {"name": "A"}).id for _ in range(2))
    saved = records.save_many(admin, "account", [Change(one, None, c) for c in changes])
    assert saved.ids == (one,) * len(changes)
    for change in changes:
        records.save(admin, "account", other, None, change)
    left, right = state(world, one), state(world, other)
    assert left["version"] <= 2
    names = set(FIELDS) - {"street", "city"}
    assert {n: left[n] for n in names} == {n: right[n] for n in names}


@_QUICK
@given(VALUES, st.dates(date(2000, 1, 1), date(2030, 1, 1)))
def test_what_was_saved_reads_as_it_was_saved_again(
    world: World, values: dict[str, Any], day: date
) -> None:
    admin = world.admin
    key = records.save(admin, "account", None, None, values).id
    read = records.get(admin, "account", key)
    assert not records.save(admin, "account", key, 1, {**read.values, **read.lines}).changes
    contact = {"last_name": "A", "birthday": day}
    person = records.save(admin, "contact", None, None, contact).id
    assert not records.save(admin, "contact", person, 1, {"birthday": day.isoformat()}).changes
