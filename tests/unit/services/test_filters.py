"""Filters: the places errors point at, the calendar, rights in related records, what is gone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from desktop_crm.core import clock
from desktop_crm.core.errors import UserError
from desktop_crm.meta import registry
from desktop_crm.services import query, records
from desktop_crm.services.filters import (
    NEVER,
    Group,
    Rule,
    from_json,
    normal,
    parse,
    periods,
    to_text,
)
from desktop_crm.services.filters.relations import relations
from desktop_crm.services.link_titles import link_titles
from desktop_crm.services.query import RecordQuery
from tests.support.company import NOW, Company, small_company
from tests.support.source import TOP

if TYPE_CHECKING:
    from desktop_crm.db.engine import Database
    from desktop_crm.services.context import Actor


@pytest.fixture
def company(sqlite_db: Database) -> Iterator[Company]:
    clock.use_clock(lambda: NOW)
    yield small_company(sqlite_db)
    clock.use_clock(None)


def found(actor: Actor, entity: str, text: str) -> list[str]:
    """Titles of what a filter finds."""
    title = registry.get(entity).title
    asked = RecordQuery(entity, (title,), parse(text, entity))
    return sorted(str(row.values[0]) for row in query.first_page(actor, asked))


# --- text ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("city = a and ", ""),
        ("city ~ a", "~"),
        ("city not = a", "not"),
        ("employees between 1 or 2", "or"),
        ("city in (a, b", ""),
        ("shoe = 44", "shoe"),
        ("has opportunity (shoe = 44)", "shoe"),
        ("has shoes", "shoes"),
        ("count contact > many", "many"),
        ("count contact", ""),
        ("sum opportunity > 3", "opportunity"),
        ("sum opportunity.name > 3", "opportunity.name"),
        ("count owner > 3", "owner"),
        ('city = "a', '"'),
    ],
)
def test_errors_point_at_their_place(text: str, part: str) -> None:
    with pytest.raises(UserError) as refused:
        parse(text, "account")
    place = refused.value.params["place"]
    assert isinstance(place, int)
    where = text.rstrip()[place - 1 :]
    assert where.startswith(part) if part else where == ""


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        ("state is active", "state = active"),
        ("state is not active", "state != active"),
        ("name starts with a", "name starts a"),
        ("name ends with a", "name ends a"),
        ("has addresses", "has postal_address"),
        ("has contact.account", "has contact"),
        ("has activity.account", "has activity.account"),
        ("not (name = a or name = b)", "not (name = a or name = b)"),
        ("not ((name = a))", "not (name = a)"),
        ("name = a and ()", "()"),
        ("name = a or ()", "name = a"),
        ("name in ()", "name in ()"),
        ('name = "a and b"', 'name = "a and b"'),
        ('name = "today"', "name = today"),
    ],
)
def test_several_ways_to_write_the_same(written: str, plain: str) -> None:
    assert to_text(parse(written, "account")) == plain


def test_every_example_of_the_manual_is_a_filter() -> None:
    manual = (Path(TOP) / "docs" / "filters.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```\n(.*?)^```", manual, re.DOTALL | re.MULTILINE)
    lines = [line for block in blocks for line in block.splitlines() if "desktop-crm" not in line]
    examples = [line for line in lines if line.startswith(("has ", "no ", "count ", "sum "))]
    assert len(examples) >= 4
    for line in examples:
        assert parse(line, "contact" if line.startswith("has account") else "account"), line
    today = date(2026, 11, 25)
    said = re.findall(r"^\| (`.*?`) \| (?:one day|Monday|up to|from today|before the day)", manual,
                      re.MULTILINE)  # fmt: skip
    for text in (one for row in said for one in re.findall(r"`([^`]+)`", row)):
        assert periods.read(text, today, lambda: 1) is not None, text


# --- shapes -------------------------------------------------------------------------------------


def test_what_always_or_never_holds_leaves_its_group() -> None:
    rule = Rule("name", "=", "a")
    always, never = Group("all", ()), NEVER
    assert normal(always) is None
    assert normal(never) == NEVER
    assert normal(Group("all", (rule, always))) == rule
    assert normal(Group("all", (rule, never))) == NEVER
    assert normal(Group("any", (rule, never))) == rule
    assert normal(Group("any", (rule, always))) is None
    assert normal(Group("not", (rule, never))) == Group("not", (rule,))
    assert normal(Group("not", (rule, always))) == NEVER


@pytest.mark.parametrize(
    "stored",
    [
        {"mode": "some", "members": []},
        {"mode": "all"},
        {"field": "name"},
        {"field": "name", "operator": "=", "value": {"a": 1}},
        {"relation": "contact", "quantity": "few"},
        {"relation": "contact", "quantity": "count", "operator": "like", "value": "1"},
    ],
)
def test_a_damaged_stored_filter_is_refused(stored: dict[str, object]) -> None:
    with pytest.raises(UserError, match="cannot be read"):
        from_json(stored)


# --- days ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "first", "after"),
    [
        ("this week", date(2026, 11, 23), date(2026, 11, 30)),
        ("last 30 days", date(2026, 10, 27), date(2026, 11, 26)),
        ("next 2 weeks", date(2026, 11, 25), date(2026, 12, 9)),
        ("last 3 months", date(2026, 8, 26), date(2026, 11, 26)),
        ("older than 1 month", None, date(2026, 10, 25)),
        ("this quarter", date(2026, 10, 1), date(2027, 1, 1)),
        ("this fiscal quarter", date(2026, 10, 1), date(2027, 1, 1)),
        ("last fiscal year", date(2025, 4, 1), date(2026, 4, 1)),
        ("next fiscal quarter", date(2027, 1, 1), date(2027, 4, 1)),
        ("Today - 30", date(2026, 10, 26), date(2026, 10, 27)),
    ],
)
def test_periods_of_the_calendar(text: str, first: date | None, after: date) -> None:
    span = periods.read(text, date(2026, 11, 25), lambda: 4)
    assert span == periods.Span(first, after)


def test_a_month_from_its_last_day_is_as_long_as_it_is() -> None:
    assert periods.read("last 1 month", date(2026, 3, 31), lambda: 1) == periods.Span(
        date(2026, 3, 1), date(2026, 4, 1)
    )


def test_the_fiscal_year_is_that_of_the_own_company(company: Company) -> None:
    actor = company.actor
    in_year = found(actor, "opportunity", "close_on = this fiscal year")
    assert len(in_year) == 5  # the calendar year
    records.save(actor, "own_company", company.ids["own"], None, {"fiscal_year_start": 12})
    early = found(actor, "opportunity", "close_on = this fiscal year")
    late = found(actor, "opportunity", "close_on = next fiscal year")
    assert sorted(early + late) == in_year
    assert late


def test_days_are_those_of_the_zone_of_who_asks(company: Company) -> None:
    actor = company.actor
    # Half past ten in the evening of the 24th in UTC is the 25th in Bucharest.
    company.add(
        "activity", "night",
        {"kind": "task", "subject": "Night", "due_at": datetime(2026, 11, 24, 22, 30, tzinfo=UTC)},
    )  # fmt: skip
    assert "Night" in found(actor, "activity", "due_at = today")
    assert "Night" not in found(actor, "activity", "due_at < today")


# --- related records ----------------------------------------------------------------------------


def test_the_example_of_the_manual(company: Company) -> None:
    actor = company.actor
    text = "has opportunity (amount > 10000) and no activity (occurred_at >= today-30)"
    assert found(actor, "account", text) == ["Dumbrava Mobilă"]
    assert found(actor, "account", "has activity") == ["Officine Rossi"]
    assert found(actor, "account", "count opportunity (amount is not empty) = 2") == [
        "Dumbrava Mobilă",
        "Officine Rossi",
    ]
    assert found(actor, "account", "sum opportunity.amount > 30000") == ["Officine Rossi"]
    assert found(
        actor, "account", "count opportunity (amount > 99000000) < 1 and count quote = 0"
    ) == [
        "Dumbrava Mobilă",
        "Officine Rossi",
    ]


def test_related_records_out_of_reach_do_not_count(company: Company) -> None:
    dan = company.other
    company.add("account", "own", {"name": "Of Dan", "owner": dan.user_id})
    for name, owner in (("Hidden", company.actor.user_id), ("Seen", dan.user_id)):
        deal = {"name": name, "stage": company.ids["Won"], "account": company.ids["own"]}
        company.add("opportunity", name, {**deal, "owner": owner})
    assert found(dan, "account", "count opportunity = 1") == ["Of Dan"]
    assert found(dan, "account", "has opportunity (name = Hidden)") == []
    assert found(dan, "account", "no opportunity (name = Hidden)") == ["Of Dan"]
    assert found(company.actor, "account", "count opportunity = 2 and name = Of Dan") == ["Of Dan"]


def test_marks_are_one_s_own_also_for_an_administrator(company: Company) -> None:
    from desktop_crm.models import RecordMark

    def mark(actor: Actor) -> None:
        row = {"user_id": actor.user_id, "kind": "favourite", "record_type": "account",
               "record_id": company.ids["rossi"], "marked_at": NOW}  # fmt: skip
        with actor.db.writing() as connection:
            connection.execute(RecordMark.__table__.insert().values(**row))

    mark(company.other)
    assert found(company.actor, "account", "has favourite") == []
    mark(company.actor)
    assert found(company.actor, "account", "has favourite") == ["Officine Rossi"]


def test_deleted_related_records_do_not_count(company: Company) -> None:
    actor = company.actor
    records.delete(actor, "opportunity", [company.ids["Oak chairs"]])
    assert found(actor, "account", "has opportunity (name = Oak chairs)") == []


def test_me_and_my_team(company: Company) -> None:
    mine = found(company.actor, "account", "owner = me")
    assert mine == found(company.actor, "account", "owner in (my team, me)")
    assert found(company.actor, "account", "owner != my team") == []
    assert found(company.other, "account", "owner = me") == []


# --- what is offered ----------------------------------------------------------------------------


def test_a_link_of_one_s_own_wins_over_links_from_elsewhere() -> None:
    of_contact = relations(registry.get("contact"))
    assert of_contact["account"].is_one
    assert of_contact["account.primary_contact"].entity == "account"
    assert {"contact.manager", "contact.assistant"} <= of_contact.keys()


def test_titles_of_named_records_come_in_their_tree(company: Company) -> None:
    ids = company.ids
    node = parse(
        f"parent = #{ids['rossi']} or has opportunity (stage in (#{ids['Won']}, #999999))",
        "account",
    )
    assert link_titles(company.actor, "account", node) == {
        ("account", ids["rossi"]): "Officine Rossi",
        ("stage", ids["Won"]): "Won",
    }
