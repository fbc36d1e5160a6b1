from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from desktop_crm.core import clock
from desktop_crm.services import dashboards, pipeline, records
from tests.support.company import NOW, Company, small_company

if TYPE_CHECKING:
    from desktop_crm.db.engine import Database


@pytest.fixture
def company(database: Database) -> Company:
    clock.use_clock(lambda: NOW)
    return small_company(database)


def stage(company: Company, name: str, *, mine: bool = False) -> pipeline.StageTotal:
    totals = pipeline.pipeline_totals(company.actor, mine=mine)
    return next(total for total in totals if total.name == name)


def change(company: Company, name: str, **values: object) -> records.Saved:
    key = company.ids[name]
    version = records.get(company.actor, "opportunity", key).version
    return records.save(company.actor, "opportunity", key, version, values)


def test_sums_per_currency_are_converted_and_weighted(company: Company) -> None:
    proposal = stage(company, "Proposal")
    assert proposal.count == 2
    assert proposal.amount.total == Decimal(8_000 + 2_000)
    assert proposal.weighted.total == Decimal(6_400 + 1_000)
    assert proposal.amount.currency == "EUR"


def test_no_amount_is_counted_and_is_not_nought(company: Company) -> None:
    first = stage(company, "Prospecting")
    assert (first.count, first.without_amount) == (2, 1)
    assert first.amount.total == Decimal(40_000)


def test_the_weighted_sum_of_the_rule_book(company: Company) -> None:
    change(company, "Oak chairs", probability=Decimal(50))
    change(company, "Showroom", forecast_category="omitted")
    totals = pipeline.pipeline_totals(company.actor)
    assert sum(total.weighted.total for total in totals) == Decimal(17_900)


def test_large_amounts_do_not_overflow(company: Company) -> None:
    change(company, "Packaging line", amount=Decimal("90000000000"), probability=Decimal(50))
    assert stage(company, "Prospecting").weighted.total == Decimal("45000000000")


def test_a_currency_without_a_rate_is_kept_apart(company: Company) -> None:
    yen = company.add("currency", "JPY", {"code": "JPY", "name": "Yen"})
    change(company, "Oak chairs", currency=yen)
    qualified = stage(company, "Qualified")
    assert qualified.amount.total == 0
    assert qualified.amount.other == (("JPY", Decimal(15_000)),)


def test_only_what_the_actor_may_see_is_counted(company: Company) -> None:
    totals = pipeline.pipeline_totals(company.other)
    assert sum(total.count for total in totals) == 0
    assert len(totals) == 5


def test_mine_counts_my_own_alone(company: Company) -> None:
    company.add(
        "opportunity", "his",
        {"name": "His", "stage": company.ids["Qualified"], "owner": company.other.user_id},
    )  # fmt: skip
    assert stage(company, "Qualified").count == 2
    assert stage(company, "Qualified", mine=True).count == 1


def test_the_totals_come_from_the_index_alone(company: Company) -> None:
    if company.actor.db.dialect != "sqlite":
        pytest.skip("the plan is read from SQLite")
    statement = pipeline.totals_statement(company.actor)
    with company.actor.db.reading() as connection:
        compiled = statement.compile(connection.engine, compile_kwargs={"literal_binds": True})
        plan = connection.execute(text(f"EXPLAIN QUERY PLAN {compiled}")).all()
    detail = " / ".join(row.detail for row in plan)
    assert "COVERING INDEX ix_opportunity_pipeline" in detail
    assert "TEMP B-TREE" not in detail


def test_a_card_says_that_its_date_is_past(company: Company) -> None:
    deals = {deal.name: deal for deal in pipeline.my_deals(company.actor)}
    assert deals["Packaging line"].late
    assert not deals["Spare parts"].late
    assert pipeline.deal(company.other, company.ids["Idea"]) is None


def test_key_figures(company: Company) -> None:
    before = dashboards.figures(company.actor)
    assert before.open_count == 5
    assert before.win_rate is None
    change(company, "Spare parts", stage=company.ids["Won"], actual_revenue=Decimal(7_500))
    change(company, "Idea", stage=company.ids["Lost"])
    after = dashboards.figures(company.actor)
    assert after.open_count == 3
    assert after.won.total == Decimal(7_500)
    assert after.won_course[-1] == Decimal(7_500)
    assert after.win_rate == Decimal(50)


def test_my_day_parts_overdue_from_today(company: Company) -> None:
    day = dashboards.my_day(company.actor)
    assert [item.subject for item in day.overdue] == ["Send the drawings"]
    assert [item.subject for item in day.today] == ["Product demonstration", "Call back Claire"]
    assert (day.overdue_count, day.today_count) == (1, 2)
    assert day.today[0].regarding == "Officine Rossi"


def test_my_day_is_mine(company: Company) -> None:
    day = dashboards.my_day(company.other)
    assert day.overdue == day.today == ()


def test_what_is_done_is_not_due(company: Company) -> None:
    late = company.ids["late"]
    records.save(company.actor, "activity", late, 1, {"state": "completed"})
    assert dashboards.my_day(company.actor).overdue_count == 0
