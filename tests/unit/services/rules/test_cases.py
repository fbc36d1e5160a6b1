"""Cases: numbered when they are made, state and status in step, no circle above them."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import UTC, datetime
from typing import Any

import pytest

from desktop_crm.core import clock
from desktop_crm.core.errors import ValidationFailed
from desktop_crm.models.case import CaseReason, CaseState
from desktop_crm.services import query, records, undo
from desktop_crm.services.query import RecordQuery
from desktop_crm.services.records import Change
from tests.support.world import World

NOW = datetime(2026, 11, 25, 9, 30, tzinfo=UTC)


@pytest.fixture(autouse=True)
def today() -> None:
    clock.use_clock(lambda: NOW)


def made(world: World, **values: object) -> Mapping[str, Any]:
    key = records.save(world.admin, "case", None, None, {"title": "Belt tears", **values}).id
    return records.get(world.admin, "case", key).values


def number_of(world: World, key: int) -> object:
    return records.get(world.admin, "case", key).values["number"]


def test_each_case_gets_the_next_number_of_its_year(world: World) -> None:
    several = [Change(None, None, {"title": f"Case {n}"}) for n in range(3)]
    keys = records.save_many(world.admin, "case", several).ids
    first = str(number_of(world, keys[0]))
    start = int(first.removeprefix("C-2026-"))
    assert [number_of(world, key) for key in keys] == [
        f"C-2026-{start + n:0{len(first) - 7}}" for n in range(3)
    ]


def test_a_number_from_elsewhere_is_kept_and_never_given_again(world: World) -> None:
    following = int(str(made(world)["number"]).removeprefix("C-2026-")) + 1
    taken = f"C-2026-{following:04}"
    changes = [Change(None, None, {"title": "Old", "number": taken}), Change(None, None, {
        "title": "New"})]  # fmt: skip
    keys = records.save_many(world.admin, "case", changes).ids
    assert number_of(world, keys[0]) == taken
    assert number_of(world, keys[1]) not in (taken, None)


def test_two_cases_never_have_one_number(world: World) -> None:
    first = made(world, number="T-1")
    with pytest.raises(ValidationFailed, match="There is a case T-1 already"):
        made(world, number="T-1")
    twice = [Change(None, None, {"title": "Twin", "number": "T-2"}) for _ in range(2)]
    with pytest.raises(ValidationFailed, match="There is a case T-2 already"):
        records.save_many(world.admin, "case", twice)
    other = made(world)
    with pytest.raises(ValidationFailed, match="There is a case T-1 already"):
        records.save(world.admin, "case", other["id"], None, {"number": "T-1"})
    assert number_of(world, first["id"]) == "T-1"
    asked = RecordQuery("case", ("number",), search="twin")
    assert query.first_page(world.admin, asked, 10) == []


def test_minutes_that_are_billed_are_never_fewer_than_none(world: World) -> None:
    with pytest.raises(ValidationFailed, match="Billable minutes cannot be negative"):
        made(world, billable_minutes=-5)
    assert made(world, billable_minutes=0)["billable_minutes"] == 0


@pytest.mark.parametrize(
    ("change", "state", "status"),
    [
        ({"state": "resolved"}, CaseState.RESOLVED, CaseReason.PROBLEM_SOLVED),
        ({"state": "canceled"}, CaseState.CANCELED, CaseReason.CANCELED),
        (
            {"status_reason": "information_provided"},
            CaseState.RESOLVED,
            CaseReason.INFORMATION_PROVIDED,
        ),
        ({"status_reason": "merged"}, CaseState.CANCELED, CaseReason.MERGED),
        ({"status_reason": "on_hold"}, CaseState.OPEN, CaseReason.ON_HOLD),
        (
            {"state": "resolved", "status_reason": "merged"},
            CaseState.RESOLVED,
            CaseReason.PROBLEM_SOLVED,
        ),
    ],
)
def test_state_and_status_stay_in_step(
    world: World, change: dict[str, str], state: CaseState, status: CaseReason
) -> None:
    key = made(world, status_reason="in_progress")["id"]
    records.save(world.admin, "case", key, None, change)
    values = records.get(world.admin, "case", key).values
    assert (values["state"], values["status_reason"]) == (state.value, status.value)
    assert values["resolved_at"] == (NOW if state is CaseState.RESOLVED else None)


def test_a_new_case_takes_the_state_of_its_status(world: World) -> None:
    values = made(world, status_reason="problem_solved")
    assert (values["state"], values["resolved_at"]) == ("resolved", NOW)


def test_a_new_record_keeps_the_state_it_is_made_with(world: World) -> None:
    values = made(world, state="canceled")
    assert (values["state"], values["status_reason"]) == ("canceled", "canceled")
    lead = {"subject": "Old", "last_name": "Rus", "state": "disqualified"}
    key = records.save(world.admin, "lead", None, None, lead).id
    stored = records.get(world.admin, "lead", key).values
    assert (stored["state"], stored["status_reason"]) == ("disqualified", "lost")


def test_a_moment_of_resolving_that_was_told_is_kept_until_the_case_opens_again(
    world: World,
) -> None:
    earlier = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
    values = made(world, state="resolved", resolved_at=earlier)
    assert values["resolved_at"] == earlier
    key = values["id"]
    records.save(world.admin, "case", key, None, {"state": "open"})
    opened = records.get(world.admin, "case", key).values
    assert (opened["resolved_at"], opened["status_reason"]) == (None, "new")
    undo.undo(world.admin)
    assert records.get(world.admin, "case", key).values["resolved_at"] == earlier


def test_no_case_stands_above_itself(world: World) -> None:
    top = made(world)["id"]
    low = made(world, parent=top)["id"]
    with pytest.raises(ValidationFailed, match="its own parent"):
        records.save(world.admin, "case", top, None, {"parent": top})
    with pytest.raises(ValidationFailed, match="outside its own hierarchy"):
        records.save(world.admin, "case", top, None, {"parent": low})


def test_nobody_draws_a_number_that_somebody_is_just_bringing(world: World) -> None:
    """On a server the one who draws cannot see it yet, and would be refused for it at the end."""
    coming = f"C-2026-{int(str(made(world)['number']).removeprefix('C-2026-')) + 1:04}"
    told = [Change(None, None, {"title": "Old", "number": coming})]
    with ThreadPoolExecutor(1) as other:
        with world.db.writing() as connection:
            records.save_many(world.admin, "case", told, within=connection)
            drawn = other.submit(made, world)
            wait([drawn], timeout=0.3)
        assert drawn.result()["number"] not in (coming, None)
