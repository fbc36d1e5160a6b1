"""Rounds of the garbage collector: by themselves, put off, or taken over by a window's thread."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from desktop_crm.core import garbage

LIMIT = 1_000


@pytest.fixture(autouse=True)
def by_themselves() -> Iterator[None]:
    """Before and after each test the rounds begin by themselves."""
    before = gc.get_threshold()
    gc.set_threshold(LIMIT, 2, 2)
    yield
    gc.set_threshold(*before)
    assert gc.isenabled()


@pytest.fixture
def rounds() -> Iterator[list[int]]:
    """The generations that were gone through since."""
    done: list[int] = []

    def note(phase: str, info: dict[str, int]) -> None:
        if phase == "stop":
            done.append(info["generation"])

    gc.collect()  # counting starts anew
    gc.callbacks.append(note)
    yield done
    gc.callbacks.remove(note)


@pytest.fixture
def held() -> Iterator[None]:
    garbage.hold()
    yield
    garbage.let_go()


def make_many(more: int = 0) -> list[list[int]]:
    return [[number] for number in range(LIMIT + 100 + more)]


def test_while_it_is_held_no_round_begins_by_itself(held: None, rounds: list[int]) -> None:
    kept = make_many()
    assert rounds == []
    garbage.round_if_due()
    garbage.round_if_due()
    assert rounds == [0]
    assert kept


def test_older_objects_have_their_turn_as_usual(held: None, rounds: list[int]) -> None:
    kept = []
    for _ in range(8):
        kept.append(make_many())
        garbage.round_if_due()
    assert rounds[:4] == [0, 0, 0, 1]


def test_what_lived_long_is_gone_through_when_a_quarter_was_added(
    held: None, rounds: list[int]
) -> None:
    kept = [make_many()]
    while 2 not in rounds:
        kept.append(make_many())
        garbage.round_if_due()
    many = make_many(more=len(gc.get_objects(2)) // 2)
    rounds.clear()
    for _ in range(60):
        passing = make_many()
        garbage.round_if_due()
        del passing
    assert rounds.count(2) == 1
    assert kept
    assert many


def test_it_is_held_as_long_as_anyone_holds_it() -> None:
    garbage.hold()
    garbage.hold()
    garbage.let_go()
    assert not gc.isenabled()
    garbage.let_go()
    assert gc.isenabled()


def test_put_off_means_put_off_for_all(rounds: list[int]) -> None:
    garbage.rest()
    garbage.hold()
    kept = make_many()
    garbage.round_if_due()
    garbage.let_go()
    assert not gc.isenabled()
    garbage.hold()
    garbage.go_on()
    assert not gc.isenabled()
    garbage.round_if_due()
    garbage.let_go()
    assert rounds == [0]
    assert kept


def test_what_was_set_aside_counts_no_more(held: None, rounds: list[int]) -> None:
    """What lived long before a freeze is not in the next rounds: a quarter of it is no measure."""
    before = [make_many(more=20 * LIMIT)]
    while 2 not in rounds:
        before.append(make_many())
        garbage.round_if_due()
    garbage.set_aside()
    try:
        rounds.clear()
        after = []
        for _ in range(20):
            after.append(make_many())
            garbage.round_if_due()
        assert 2 in rounds
        assert after
    finally:
        gc.unfreeze()
