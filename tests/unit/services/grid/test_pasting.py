"""Pasting plans first; what it writes is exactly what the plan said, and one undo takes it back."""

from __future__ import annotations

import pytest

from desktop_crm.core.errors import PermissionDenied, UserError
from desktop_crm.services import records, undo
from desktop_crm.services.grid import pasting
from tests.support.world import World


def _accounts(world: World, *names: str, **values: object) -> list[int]:
    changes = [records.Change(None, None, {"name": name, **values}) for name in names]
    return list(records.save_many(world.admin, "account", changes).ids)


def _value(world: World, key: int, field: str) -> object:
    return records.get(world.admin, "account", key).values[field]


def test_the_plan_says_what_changes_and_what_cannot(world: World) -> None:
    first, second = _accounts(world, "One", "Two", industry="Steel", employees=5)
    paths = ["name", "industry", "employees", "rating", "created_at", "owner.name", "addresses"]
    cells = (
        ("One", "Glass", "7", "Hot", "today", "Ana", "x"),
        ("", "Steel", "many", "boiling", "", "", ""),
    )
    planned = pasting.plan(world.admin, "account", [first, second], paths, cells)
    good = {(c.record_id, c.field): (c.old, c.new) for c in planned.good}
    assert good == {
        (first, "industry"): ("Steel", "Glass"),
        (first, "employees"): ("5", "7"),
        (first, "rating"): ("", "Hot"),
    }
    bad = {(c.record_id, c.field): c.problem for c in planned.bad}
    assert "missing" in bad[second, "name"]
    assert "not a number" in bad[second, "employees"]
    assert "no value of" in bad[second, "rating"]
    assert "set by the program" in bad[first, "created_at"]
    assert "another record" in bad[first, "owner.name"]
    assert "form" in bad[first, "addresses"]
    assert planned.same == 2
    assert _value(world, first, "industry") == "Steel", "nothing was written"


def test_applying_writes_the_good_cells_and_one_undo_takes_them_back(world: World) -> None:
    first, second = _accounts(world, "One", "Two", industry="Steel")
    cells = (("Glass", "x"), ("Wood", "12"))
    planned = pasting.plan(
        world.admin, "account", [first, second], ["industry", "employees"], cells
    )
    report = pasting.apply(world.admin, planned)
    assert (report.done, report.failures) == (2, ())
    assert [_value(world, k, "industry") for k in (first, second)] == ["Glass", "Wood"]
    assert [_value(world, k, "employees") for k in (first, second)] == [None, 12]
    undo.undo(world.admin, report.operation)
    assert [_value(world, k, "industry") for k in (first, second)] == ["Steel", "Steel"]


def test_struck_cells_are_left_alone(world: World) -> None:
    (key,) = _accounts(world, "One", industry="Steel")
    planned = pasting.plan(
        world.admin, "account", [key], ["industry", "city"], (("Glass", "Iași"),)
    )
    pasting.apply(world.admin, planned.without(frozenset({(key, "industry")})))
    assert (_value(world, key, "industry"), _value(world, key, "city")) == ("Steel", "Iași")


def test_links_are_found_by_title_whatever_its_case(world: World) -> None:
    parent, child = _accounts(world, "Țiriac Holding", "Child")
    twins = _accounts(world, "Twin", "Twin")
    planned = pasting.plan(world.admin, "account", [child], ["parent"], (("tiriac HOLDING",),))
    pasting.apply(world.admin, planned)
    assert _value(world, child, "parent") == parent
    again = pasting.plan(world.admin, "account", [child], ["parent"], (("Țiriac Holding",),))
    assert (again.cells, again.same) == ((), 1)
    for text, said in (
        ("Twin", "2 records are called"),
        ("Nobody", "There is no Parent account “Nobody”"),
    ):
        planned = pasting.plan(world.admin, "account", [child], ["parent"], ((text,),))
        assert said in planned.bad[0].problem
    emptied = pasting.plan(world.admin, "account", [child], ["parent"], (("",),))
    pasting.apply(world.admin, emptied)
    assert _value(world, child, "parent") is None
    assert twins


def test_a_range_larger_than_the_list_is_refused_whole(world: World) -> None:
    (key,) = _accounts(world, "One")
    with pytest.raises(UserError, match="2 rows and 1 columns"):
        pasting.plan(world.admin, "account", [key], ["industry"], (("a",), ("b",)))


def test_what_somebody_changed_meanwhile_is_not_overwritten(world: World) -> None:
    first, second = _accounts(world, "One", "Two", industry="Steel")
    planned = pasting.plan(
        world.admin, "account", [first, second], ["industry"], (("Glass",), ("Glass",))
    )
    records.save(world.admin, "account", first, None, {"industry": "Theirs"})
    records.save(world.admin, "account", second, None, {"city": "Iași"})
    report = pasting.apply(world.admin, planned)
    assert [f.record_id for f in report.failures] == [first]
    assert _value(world, first, "industry") == "Theirs"
    assert (_value(world, second, "industry"), _value(world, second, "city")) == ("Glass", "Iași")


def test_rights_hold(world: World) -> None:
    own = world.people["own"]
    mine = world.factory.make("account", owner=own.user_id, industry="Steel")
    theirs = world.factory.make("account", owner=world.people["stranger"].user_id, industry="Steel")
    cells = (("Glass",), ("Glass",))
    planned = pasting.plan(own, "account", [mine, theirs], ["industry"], cells)
    assert {c.record_id for c in planned.cells} == {mine}, "records out of sight are no rows"
    report = pasting.apply(own, planned)
    assert report.done == 1
    with pytest.raises(PermissionDenied):
        pasting.plan(world.people["none"], "account", [mine], ["industry"], (("x",),))
    secret = pasting.plan(own, "account", [mine], ["credit_limit"], (("5",),))
    assert "may not see" in secret.bad[0].problem


def test_filling_down_gives_the_first_value_to_the_rest(world: World) -> None:
    keys = _accounts(world, "One", "Two", "Three", industry="Steel")
    records.save(world.admin, "account", keys[0], None, {"industry": "Glass", "parent": keys[2]})
    planned = pasting.fill_down(world.admin, "account", keys, ["industry", "modified_at"])
    assert {c.record_id for c in planned.good} == set(keys[1:])
    assert "set by the program" in planned.bad[0].problem
    pasting.apply(world.admin, planned)
    assert {_value(world, key, "industry") for key in keys} == {"Glass"}
    with pytest.raises(UserError, match="ones below"):
        pasting.fill_down(world.admin, "account", keys[:1], ["industry"])
