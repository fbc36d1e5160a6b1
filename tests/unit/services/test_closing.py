from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from desktop_crm.core import clock
from desktop_crm.core.errors import Conflict, UserError, ValidationFailed
from desktop_crm.services import closing, records, undo
from desktop_crm.services.closing import Closing
from desktop_crm.services.query import RecordQuery, first_page
from tests.support.company import NOW, Company, small_company

if TYPE_CHECKING:
    from desktop_crm.db.engine import Database

TODAY = date(2026, 11, 25)


@pytest.fixture
def company(sqlite_db: Database) -> Company:
    clock.use_clock(lambda: NOW)
    made = small_company(sqlite_db)
    records.save(
        made.actor, "activity", made.ids["call"], None, {"opportunity": made.ids["Oak chairs"]}
    )
    return made


def facts(company: Company, stage: str) -> closing.ClosingFacts:
    return closing.facts(company.actor, company.ids["Oak chairs"], company.ids[stage])


def deal(company: Company) -> Mapping[str, Any]:
    return records.get(company.actor, "opportunity", company.ids["Oak chairs"]).values


def notes(company: Company) -> list[tuple[Any, ...]]:
    columns = ("subject", "description", "kind", "state")
    rows = first_page(company.actor, RecordQuery("activity", columns), 50)
    return [row.values for row in rows if row.values[2] == "note"]


def test_what_is_asked_before_closing(company: Company) -> None:
    known = facts(company, "Won")
    assert known.won
    assert (known.amount, known.currency, known.today) == (Decimal(15_000), "EUR", TODAY)
    assert known.open_activities == ((company.ids["call"], "Call back Claire"),)


def test_an_open_stage_closes_nothing(company: Company) -> None:
    with pytest.raises(UserError, match="does not close"):
        facts(company, "Proposal")


def test_won_keeps_revenue_and_a_note_and_is_one_step_of_undo(company: Company) -> None:
    known = facts(company, "Won")
    said = Closing(TODAY, actual_revenue=Decimal(14_500), description="Signed in Cluj")
    closing.close(company.actor, known, said)
    values = deal(company)
    assert (values["state"], values["actual_revenue"]) == ("won", Decimal(14_500))
    assert (values["closed_on"], values["probability"]) == (TODAY, Decimal(100))
    assert notes(company) == [("Won: Oak chairs", "Signed in Cluj", "note", "completed")]
    undo.undo(company.actor)
    assert deal(company)["state"] == "open"
    assert notes(company) == []


def test_lost_asks_for_a_reason_and_more_for_other(company: Company) -> None:
    known = facts(company, "Lost")
    with pytest.raises(ValidationFailed) as caught:
        closing.close(company.actor, known, Closing(TODAY))
    assert [error.field for error in caught.value.errors] == ["close_reason"]
    said = Closing(TODAY, reason="Other", is_other=True)
    assert [error.field for error in closing.check(known, said)] == ["description"]
    assert deal(company)["state"] == "open"


def test_lost_keeps_reason_and_competitor_and_settles_what_is_open(company: Company) -> None:
    known = facts(company, "Lost")
    said = Closing(TODAY, reason="Price", competitors="Nordwood", cancel_activities=True)
    closing.close(company.actor, known, said)
    values = deal(company)
    assert (values["state"], values["close_reason"]) == ("lost", "Price")
    assert values["competitors"] == "Nordwood"
    call = records.get(company.actor, "activity", company.ids["call"]).values
    assert call["state"] == "canceled"


def test_a_day_in_the_future_is_refused(company: Company) -> None:
    known = facts(company, "Won")
    said = Closing(date(2026, 12, 1), actual_revenue=Decimal(1))
    assert [error.field for error in closing.check(known, said)] == ["closed_on"]


def test_somebody_else_was_faster(company: Company) -> None:
    known = facts(company, "Won")
    record = company.ids["Oak chairs"]
    records.save(company.actor, "opportunity", record, None, {"stage": company.ids["Lost"]})
    with pytest.raises(Conflict):
        closing.close(company.actor, known, Closing(TODAY, actual_revenue=Decimal(1)))
    assert notes(company) == []
