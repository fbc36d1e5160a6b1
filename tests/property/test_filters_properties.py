"""Filters survive being written down, and SQL finds what Python would."""

from __future__ import annotations

import operator
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from desktop_crm.core import clock
from desktop_crm.core.errors import UserError
from desktop_crm.core.text import fold
from desktop_crm.services import query, records
from desktop_crm.services.filters import Group, Node, Rule, from_json, parse, to_json, to_text
from desktop_crm.services.query import RecordQuery
from desktop_crm.services.records import Change
from tests.support.world import World

# --- text and JSON ------------------------------------------------------------------------------

_WORDS = st.text(max_size=20)
_TEXT_RULES = st.builds(
    Rule, st.sampled_from(["name", "city", "account.city"]),
    st.sampled_from(["contains", "=", "!=", "starts"]), _WORDS,
)  # fmt: skip
_IN_RULES = st.builds(
    Rule,
    st.sampled_from(["stage", "name"]),
    st.just("in"),
    st.lists(_WORDS | st.integers(0, 2**31), min_size=1, max_size=3).map(tuple),
)
_LINK_RULES = st.builds(
    Rule, st.just("owner"), st.sampled_from(["=", "!="]), st.integers(-5, 2**31) | st.just("me")
)
_EMPTY_RULES = st.builds(
    Rule, st.sampled_from(["amount", "lines"]), st.sampled_from(["empty", "not empty"])
)


def _alone(node: Node) -> tuple[Node, ...]:
    return (node,)


def trees(leaves: st.SearchStrategy[Rule]) -> st.SearchStrategy[Node]:
    """Trees as the text form writes them: no group within the same group, none of one member."""

    def group(inner: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
        several = st.lists(inner, min_size=2, max_size=3).map(tuple)
        one = inner.filter(lambda n: not isinstance(n, Group) or n.mode != "any").map(_alone)
        return st.one_of(
            st.builds(Group, st.sampled_from(["all", "any"]), several),
            st.builds(Group, st.just("not"), several | one),
        )

    return st.recursive(leaves, group, max_leaves=8)


_KNOWN = _TEXT_RULES.filter(lambda r: r.field != "city")


@given(trees(_KNOWN | _IN_RULES | _LINK_RULES | _EMPTY_RULES))
def test_the_text_of_a_filter_reads_back(node: Node) -> None:
    assert parse(to_text(node), "opportunity") == node


@given(trees(_TEXT_RULES | _IN_RULES | _LINK_RULES | _EMPTY_RULES))
def test_the_stored_form_reads_back(node: Node) -> None:
    assert from_json(to_json(node)) == node


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


@pytest.mark.parametrize("deep", ["(" * 5000, "not " * 5000, "(" * 5000 + "name = a" + ")" * 5000])
def test_bottomless_brackets_are_refused(deep: str) -> None:
    with pytest.raises(UserError, match="fewer brackets"):
        parse(deep, "opportunity")


# --- SQL against Python -------------------------------------------------------------------------

LETTERS: Final = "aAșȘșşâÂ%_\\'\" bB"
TODAY: Final = date(2026, 11, 22)
NAMES = st.text(st.sampled_from("aAșȘâÂ%_\\' bB"), min_size=1, max_size=6).filter(str.strip)
TEXTS = st.none() | st.text(st.sampled_from("aAșȘâÂ%_\\' bB"), max_size=5)
AMOUNTS = st.none() | st.sampled_from([Decimal(n) / 4 for n in range(-4, 9)])
DAYS = st.none() | st.integers(-3, 3).map(lambda n: TODAY + timedelta(days=n))
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

_ORDERED: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_TEXTUAL: Final[dict[str, Callable[[str, str], bool]]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "contains": lambda text, part: part in text,
    "starts": lambda text, part: text.startswith(part),
}
_WANTED = st.text(st.sampled_from("aAșȘâÂ%_\\' bB"), min_size=1, max_size=3).filter(str.strip)
RULES = st.one_of(
    st.builds(Rule, st.sampled_from(["subject", "industry", "need"]),
              st.sampled_from(sorted(_TEXTUAL)), _WANTED),
    st.builds(Rule, st.just("industry"), st.just("in"), st.lists(_WANTED, min_size=1).map(tuple)),
    st.builds(Rule, st.just("est_amount"), st.sampled_from(sorted(_ORDERED)),
              AMOUNTS.filter(lambda a: a is not None).map(str)),
    st.builds(Rule, st.just("score"), st.sampled_from(sorted(_ORDERED)),
              st.integers(-3, 3).map(str)),
    st.builds(Rule, st.just("est_close_on"), st.sampled_from(sorted(_ORDERED)),
              st.sampled_from(["today", "today+2", "yesterday", "2026-11-21"])),
    st.builds(Rule, st.just("rating"), st.sampled_from(["=", "!="]),
              st.sampled_from(["hot", "Warm", "cold"])),
    st.builds(Rule, st.just("do_not_bulk"), st.sampled_from(["=", "!="]),
              st.sampled_from(["yes", "no"])),
    st.builds(Rule, st.sampled_from(["industry", "est_amount", "rating", "est_close_on"]),
              st.sampled_from(["empty", "not empty"])),
)  # fmt: skip


def holds(node: Node, row: dict[str, Any]) -> bool:
    """What a filter means, said in Python."""
    if isinstance(node, Group):
        found = [holds(member, row) for member in node.members]
        return {"all": all(found), "any": any(found), "not": not any(found)}[node.mode]
    value = row[node.field]
    if node.operator in {"empty", "not empty"}:
        return (value in (None, "")) == (node.operator == "empty")
    if node.operator == "in":
        assert isinstance(node.value, tuple)
        return any(holds(Rule(node.field, "=", v), row) for v in node.value)
    wanted = _read(node.field, str(node.value))
    if value is None:
        return node.operator == "!="
    if node.field == "subject":
        return _TEXTUAL[node.operator](fold(value), fold(str(wanted)))
    if isinstance(value, str) and node.field != "rating":
        return _TEXTUAL[node.operator](value.lower(), str(wanted).lower())
    return _ORDERED[node.operator](value, wanted)


def _read(field: str, text: str) -> object:
    days = {"today": 0, "today+2": 2, "yesterday": -1, "2026-11-21": -1}
    if field == "est_amount":
        return Decimal(text)
    if field == "score":
        return int(text)
    if field == "est_close_on":
        return TODAY + timedelta(days=days[text])
    if field == "do_not_bulk":
        return text == "yes"
    return text.lower() if field == "rating" else text


@settings(
    deadline=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(rows=ROWS, node=trees(RULES), data=st.data())
def test_sql_finds_what_python_would(
    world: World, rows: list[dict[str, Any]], node: Node, data: st.DataObject
) -> None:
    from datetime import UTC, datetime

    clock.use_clock(lambda: datetime(2026, 11, 22, 12, tzinfo=UTC))
    ids = records.save_many(world.admin, "lead", [Change(None, None, row) for row in rows]).ids
    stored = {key: records.get(world.admin, "lead", key).values for key in ids}
    for rule in (node, data.draw(RULES)):
        found = set(query.keys(world.admin, RecordQuery("lead", ("id",), rule))) & set(ids)
        assert found == {key for key in ids if holds(rule, dict(stored[key]))}
