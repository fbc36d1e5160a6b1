"""What was written and never answered for: it is known again, whatever changed since."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from desktop_crm.core.errors import EnvironmentProblem
from desktop_crm.models.outbox import OutboxState
from desktop_crm.services import records
from desktop_crm.sync.memory import CALENDAR
from desktop_crm.sync.outbox import restore
from desktop_crm.sync.twoway import conflicts
from tests.unit.sync.conftest import World
from tests.unit.sync.two_ways import activity, appointment, deeds, go, held, quiet


@pytest.fixture
def key(moment: list[dt.datetime], both: World) -> int:
    """An appointment that says A on both sides."""
    found = appointment(both, description="A")
    go(both)
    return found


def lose_the_answer(world: World) -> None:
    """Let the next deed be done without an answer, and run the pass that orders it."""

    def lost(_deed: object) -> None:
        world.port._after = None
        raise EnvironmentProblem("gone", retryable=True)

    world.port._after = lost
    world.sync()
    assert world.port._after is None


def say(world: World, key: int, text: str) -> None:
    records.save(world.actor, "activity", key, None, {"description": text})


def phone(world: World, **values: str) -> None:
    (item,) = world.port.held(CALENDAR)
    world.port.put(CALENDAR, replace(held(world), **values), item)


def come_to_rest(world: World, moment: list[dt.datetime]) -> None:
    for _ in range(3):
        moment[0] += dt.timedelta(hours=1)
        go(world)
    quiet(world)
    assert conflicts.open_conflicts(world.actor, world.mailbox) == []


def test_what_the_phone_wrote_over_it_comes_here(
    both: World, key: int, moment: list[dt.datetime]
) -> None:
    say(both, key, "B")
    lose_the_answer(both)
    assert held(both).text == "B"
    phone(both, text="C")
    come_to_rest(both, moment)
    assert (activity(both, key).description, held(both).text) == ("C", "C")
    assert {deed.state for deed in deeds(both)} == {OutboxState.DONE.value}


@pytest.mark.parametrize("keeps_keys", [True, False])
def test_a_change_of_something_else_there_and_a_further_one_here_are_no_conflict(
    both: World, key: int, moment: list[dt.datetime], *, keeps_keys: bool
) -> None:
    both.port.keeps_keys = keeps_keys
    say(both, key, "B")
    lose_the_answer(both)
    phone(both, location="Sala 9")
    say(both, key, "C")
    come_to_rest(both, moment)
    assert (held(both).text, held(both).location) == ("C", "Sala 9")
    assert (activity(both, key).description, activity(both, key).location) == ("C", "Sala 9")


@pytest.mark.parametrize("changed", [True, False])
def test_what_is_taken_back_here_meanwhile_is_taken_back_there(
    both: World, key: int, moment: list[dt.datetime], *, changed: bool
) -> None:
    """It says what it said before the order, and yet that is news to the mailbox."""
    say(both, key, "B")
    lose_the_answer(both)
    if changed:
        both.port.keeps_keys = False
        phone(both, location="Sala 9")
    say(both, key, "A")
    come_to_rest(both, moment)
    assert (activity(both, key).description, held(both).text) == ("A", "A")


def test_a_change_on_both_sides_before_it_was_written_is_asked(
    both: World, key: int, moment: list[dt.datetime]
) -> None:
    say(both, key, "B")

    def at_the_last_moment(call: str) -> None:
        if call == "do":
            both.port._fault = None
            phone(both, text="C")

    both.port._fault = at_the_last_moment
    for _ in range(3):
        moment[0] += dt.timedelta(hours=1)
        go(both)
    assert (activity(both, key).description, held(both).text) == ("B", "C")
    (asked,) = conflicts.open_conflicts(both.actor, both.mailbox)
    assert [one.field for one in asked.values] == ["text"]


@pytest.mark.parametrize("keeps_keys", [True, False])
def test_what_the_phone_made_of_something_new_comes_here_once(
    both: World, moment: list[dt.datetime], *, keeps_keys: bool
) -> None:
    both.port.keeps_keys = keeps_keys
    key = appointment(both, description="A")
    lose_the_answer(both)
    phone(both, text="B", location="Sala 9")
    records.save(both.actor, "activity", key, None, {"subject": "Vizită nouă"})
    come_to_rest(both, moment)
    assert len(both.activities) == 1
    assert (activity(both, key).description, activity(both, key).location) == ("B", "Sala 9")
    assert held(both).subject == "Vizită nouă"


def test_taking_it_back_does_not_take_back_what_the_phone_wrote(
    both: World, key: int, moment: list[dt.datetime]
) -> None:
    say(both, key, "B")
    lose_the_answer(both)
    phone(both, location="Sala 9")
    come_to_rest(both, moment)
    order = deeds(both)[-1]
    assert order.state == OutboxState.DONE.value
    restore(both.actor, order.id)
    go(both)
    assert deeds(both)[-1].state == OutboxState.STALE.value
    assert held(both).location == "Sala 9"
