"""Filters survive being written down, and SQL finds what Python would."""

from __future__ import annotations

import contextlib
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from desktop_crm.core import clock
from desktop_crm.core.errors import UserError
from desktop_crm.services import query, records
from desktop_crm.services.filters import (
    Group,
    Node,
    Related,
    Rule,
    from_json,
    normal,
    parse,
    periods,
    to_json,
    to_text,
)
from desktop_crm.services.query import RecordQuery
from desktop_crm.services.records import Change
from tests.support.filter_meaning import ORDERED, TEXTUAL, Meaning
from tests.support.world import World

# --- text and JSON ------------------------------------------------------------------------------

_WORDS = st.text(max_size=20)
_TEXT_RULES = st.builds(
    Rule, st.sampled_from(["name", "account.city"]),
    st.sampled_from(["contains", "not contains", "=", "!=", "starts", "ends"]), _WORDS,
)  # fmt: skip
_IN_RULES = st.builds(
    Rule,
    st.sampled_from(["stage", "name"]),
    st.sampled_from(["in", "not in"]),
    st.lists(_WORDS | st.integers(0, 2**31), max_size=3).map(tuple),
)
_BETWEEN_RULES = st.builds(
    Rule, st.sampled_from(["amount", "close_on"]), st.just("between"), st.tuples(_WORDS, _WORDS)
)
_LINK_RULES = st.builds(
    Rule, st.just("owner"), st.sampled_from(["=", "!="]), st.integers(-5, 2**31) | st.just("me")
)
_EMPTY_RULES = st.builds(
    Rule, st.sampled_from(["amount", "lines"]), st.sampled_from(["empty", "not empty"])
)
_LEAVES = st.one_of(_TEXT_RULES, _IN_RULES, _BETWEEN_RULES, _LINK_RULES, _EMPTY_RULES)


def trees(leaves: st.SearchStrategy[Any]) -> st.SearchStrategy[Node]:
    """Trees of any shape: empty groups and groups of one as well."""
    modes = st.sampled_from(["all", "any", "not"])

    def group(inner: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
        return st.builds(Group, modes, st.lists(inner, max_size=3).map(tuple))

    return st.recursive(leaves, group, max_leaves=8)


_NUMBERS = st.integers(-9, 10**6).map(str)
_SIGNS = st.sampled_from(sorted(ORDERED))
_RELATED = st.one_of(
    st.builds(
        Related, st.sampled_from(["quote", "opportunity_line", "account", "favourite"]),
        st.sampled_from(["has", "no"]), st.none() | st.builds(Rule, st.just("id"), _SIGNS, _WORDS),
    ),
    st.builds(
        Related, st.just("activity"), st.just("count"), st.none() | trees(
            st.builds(Rule, st.just("subject"), st.just("contains"), _WORDS)
        ), _SIGNS, _NUMBERS,
    ),
    st.builds(
        Related, st.just("quote"), st.just("sum"), st.none(), _SIGNS, _NUMBERS,
        st.just("subtotal"),
    ),
)  # fmt: skip


@given(trees(st.one_of(_LEAVES, _RELATED)))
def test_the_text_of_a_filter_reads_back(node: Node) -> None:
    assert parse(to_text(node), "opportunity") == normal(node)


@given(trees(st.one_of(_LEAVES, _RELATED)))
def test_the_stored_form_reads_back(node: Node) -> None:
    assert from_json(to_json(node)) == node


@given(trees(st.one_of(_LEAVES, _RELATED)))
def test_the_normal_form_is_normal(node: Node) -> None:
    assert normal(normal(node)) == normal(node)


@given(st.text(max_size=60))
def test_any_text_is_a_filter_or_refused_in_a_sentence(typed: str) -> None:
    try:
        node = parse(typed, "opportunity")
    except UserError as problem:
        told = str(problem)
    else:
        told = to_text(node)
        assert parse(told, "opportunity") == node
    assert isinstance(told, str)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["mode", "members", "field", "operator", "value", "relation", "quantity"]
            ),
            inner | st.sampled_from(["all", "has", "count"]),
        )
    ),
    max_leaves=10,
)


@given(_JSON)
def test_any_stored_form_is_a_filter_or_refused_in_a_sentence(stored: Any) -> None:
    with contextlib.suppress(UserError):
        node = from_json(stored)
        assert from_json(to_json(node)) == node


@pytest.mark.parametrize("deep", ["(" * 5000, "not " * 5000, "(" * 5000 + "name = a" + ")" * 5000])
def test_bottomless_brackets_are_refused(deep: str) -> None:
    with pytest.raises(UserError, match="fewer brackets"):
        parse(deep, "opportunity")


# --- the calendar -------------------------------------------------------------------------------

_PERIODS = st.one_of(
    st.builds("{} {}".format, st.sampled_from(["this", "last", "next"]), st.sampled_from(
        ["week", "month", "quarter", "year", "fiscal year", "fiscal quarter"]
    )),
    st.builds("{} {} {}".format, st.sampled_from(["last", "next", "older than"]),
              st.integers(1, 40), st.sampled_from(["day", "days", "week", "weeks"])),
    st.builds("today{:+}".format, st.integers(-40, 40)),
    st.sampled_from(["today", "yesterday", "tomorrow"]),
)  # fmt: skip
_CALENDAR = st.dates(date(1990, 1, 1), date(2060, 12, 31))


@given(today=_CALENDAR, text=_PERIODS, fiscal=st.integers(1, 12), away=st.integers(-800, 800))
def test_a_period_contains_the_days_it_says(today: date, text: str, fiscal: int, away: int) -> None:
    span = periods.read(text, today, lambda: fiscal)
    assert span is not None
    day = today + timedelta(away)
    before = span.first is not None and day < span.first
    behind = span.after is not None and day >= span.after
    assert behind - before == Meaning(today, (), fiscal).place(day, text)


@given(today=_CALENDAR, number=st.integers(1, 60), unit=st.sampled_from(["month", "quarter"]))
def test_so_many_months_end_today(today: date, number: int, unit: str) -> None:
    last = periods.read(f"last {number} {unit}s", today, lambda: 1)
    older = periods.read(f"older than {number} {unit}s", today, lambda: 1)
    assert last is not None
    assert older is not None
    assert last.after == today + timedelta(1)
    assert last.first is not None
    assert older.after is not None
    months = number * (3 if unit == "quarter" else 1)
    assert periods.add_months(older.after, months) <= today
    assert periods.add_months(last.first, months) > today - timedelta(3)
    assert last.first == older.after + timedelta(1)


@given(
    st.text(max_size=30) | st.builds("{} 999999 years".format, st.sampled_from(["last", "next"]))
)
def test_any_text_is_a_period_none_or_out_of_the_calendar(text: str) -> None:
    with contextlib.suppress(UserError):
        span = periods.read(text, date(2026, 11, 22), lambda: 4)
        assert span is None or span.first is not None or span.after is not None


# --- SQL against Python -------------------------------------------------------------------------

TODAY: Final = date(2026, 11, 22)
MEANING: Final = Meaning(TODAY, ("subject", "name"))
_LETTERS = st.sampled_from("aAșȘâÂ%_\\' bB")
NAMES = st.text(_LETTERS, min_size=1, max_size=6).filter(str.strip)
TEXTS = st.none() | st.text(_LETTERS, max_size=5)
AMOUNTS = st.none() | st.sampled_from([Decimal(n) / 4 for n in range(-4, 9)])
DAYS = st.none() | st.integers(-45, 45).map(lambda n: TODAY + timedelta(days=n))
CHOICES = st.none() | st.sampled_from(["hot", "warm", "cold"])
ROWS = st.lists(
    st.fixed_dictionaries(
        {"subject": NAMES, "industry": TEXTS, "need": TEXTS, "est_amount": AMOUNTS,
         "est_close_on": DAYS, "rating": CHOICES, "score": st.none() | st.integers(-3, 3),
         "do_not_bulk": st.booleans()}
    ),
    min_size=1,
    max_size=8,
)  # fmt: skip
_WANTED = st.text(_LETTERS, min_size=1, max_size=3).filter(str.strip)
_AMOUNT = AMOUNTS.filter(lambda a: a is not None).map(str)
_WHEN = _PERIODS | st.sampled_from(["2026-11-21", "2026-10-31", "2026-12-01"])


def days(field: str) -> st.SearchStrategy[Rule]:
    """Conditions on a day."""
    several = st.lists(_WHEN, min_size=1, max_size=2).map(tuple)
    return st.one_of(
        st.builds(Rule, st.just(field), _SIGNS, _WHEN),
        st.builds(Rule, st.just(field), st.sampled_from(["in", "not in"]), several),
        st.builds(Rule, st.just(field), st.just("between"), st.tuples(_WHEN, _WHEN)),
    )


def amounts(field: str) -> st.SearchStrategy[Rule]:
    """Conditions on an amount."""
    return st.one_of(
        st.builds(Rule, st.just(field), _SIGNS, _AMOUNT),
        st.builds(Rule, st.just(field), st.just("between"), st.tuples(_AMOUNT, _AMOUNT)),
        st.builds(
            Rule, st.just(field), st.just("not in"), st.lists(_AMOUNT, max_size=2).map(tuple)
        ),
    )


RULES = st.one_of(
    st.builds(Rule, st.sampled_from(["subject", "industry", "need"]),
              st.sampled_from([*sorted(TEXTUAL), "not contains"]), _WANTED),
    st.builds(Rule, st.just("industry"), st.sampled_from(["in", "not in"]),
              st.lists(_WANTED, min_size=1).map(tuple)),
    amounts("est_amount"),
    st.builds(Rule, st.just("score"), _SIGNS, st.integers(-3, 3).map(str)),
    days("est_close_on"),
    st.builds(Rule, st.just("rating"), st.sampled_from(["=", "!="]),
              st.sampled_from(["hot", "Warm", "cold"])),
    st.builds(Rule, st.just("do_not_bulk"), st.sampled_from(["=", "!="]),
              st.sampled_from(["yes", "no"])),
    st.builds(Rule, st.sampled_from(["industry", "est_amount", "rating", "est_close_on"]),
              st.sampled_from(["empty", "not empty"])),
)  # fmt: skip
_SLOW: Final = settings(
    deadline=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@_SLOW
@given(rows=ROWS, node=trees(RULES), data=st.data())
def test_sql_finds_what_python_would(
    world: World, rows: list[dict[str, Any]], node: Node, data: st.DataObject
) -> None:
    clock.use_clock(lambda: datetime(2026, 11, 22, 12, tzinfo=UTC))
    ids = records.save_many(world.admin, "lead", [Change(None, None, row) for row in rows]).ids
    stored = {key: records.get(world.admin, "lead", key).values for key in ids}
    for rule in (node, data.draw(RULES)):
        found = set(query.keys(world.admin, RecordQuery("lead", ("id",), rule))) & set(ids)
        assert found == {key for key in ids if MEANING.holds(rule, stored[key])}


DEALS = st.lists(
    st.fixed_dictionaries({"name": NAMES, "amount": AMOUNTS, "close_on": DAYS}), max_size=4
)
_OF_DEALS = st.none() | trees(
    st.one_of(
        amounts("amount"),
        days("close_on"),
        st.builds(Rule, st.just("name"), st.sampled_from(["contains", "not contains"]), _WANTED),
    )
)
ASKED = st.one_of(
    st.builds(Related, st.just("opportunity"), st.sampled_from(["has", "no"]), _OF_DEALS),
    st.builds(Related, st.just("opportunity"), st.just("count"), _OF_DEALS, _SIGNS,
              st.integers(0, 3).map(str)),
    st.builds(Related, st.just("opportunity"), st.just("sum"), _OF_DEALS, _SIGNS,
              st.sampled_from(["0", "1", "-1", "2.5"]), st.just("amount")),
    st.builds(Rule, st.just("name"), st.just("contains"), _WANTED),
)  # fmt: skip


@pytest.fixture(scope="session")
def stage(world: World) -> int:
    """A stage for the opportunities."""
    return world.factory.make("stage", state="open")


@_SLOW
@given(
    accounts=st.lists(st.tuples(NAMES, DEALS), min_size=1, max_size=4),
    node=trees(ASKED),
    data=st.data(),
)
def test_sql_finds_related_records_as_python_would(
    world: World,
    stage: int,
    accounts: list[tuple[str, list[dict[str, Any]]]],
    node: Node,
    data: st.DataObject,
) -> None:
    clock.use_clock(lambda: datetime(2026, 11, 22, 12, tzinfo=UTC))
    actor = world.admin
    made = [Change(None, None, {"name": name}) for name, _deals in accounts]
    ids = records.save_many(actor, "account", made).ids
    deals = [
        {**deal, "account": key, "stage": stage}
        for key, (_name, of_account) in zip(ids, accounts, strict=True)
        for deal in of_account
    ]
    if deals:
        records.save_many(actor, "opportunity", [Change(None, None, deal) for deal in deals])
    known = {
        key: {
            "name": name.strip(),
            "opportunity": [{**deal, "name": deal["name"].strip()} for deal in of_account],
        }
        for key, (name, of_account) in zip(ids, accounts, strict=True)
    }
    for asked in (node, data.draw(ASKED)):
        found = set(query.keys(actor, RecordQuery("account", ("id",), asked))) & set(ids)
        assert found == {key for key in ids if MEANING.holds(asked, known[key])}, to_text(asked)
