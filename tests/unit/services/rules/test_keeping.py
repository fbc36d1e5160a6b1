"""What the law or the history needs stays in the bin, with the reason in one sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from desktop_crm.core import clock
from desktop_crm.printing.quotes import print_quote
from desktop_crm.services import purge, query, records
from desktop_crm.services.context import system_actor
from desktop_crm.services.query import RecordQuery
from tests.support.company import NOW
from tests.support.quoting import activated, make, product, quoting_company

if TYPE_CHECKING:
    from desktop_crm.db.engine import Database
    from tests.support.company import Company


@pytest.fixture
def company(database: Database) -> Company:
    clock.use_clock(lambda: NOW)
    return quoting_company(database)


def refusal(company: Company, entity: str, key: int) -> str:
    """Why a record stays; empty when it went."""
    actor = company.actor
    records.delete(actor, entity, [key])
    plan = purge.plan(actor, [(entity, key)])
    result = purge.purge(actor, [(entity, key)])
    assert plan.refused == result.refused
    assert result.count + len(result.refused) == 1
    return result.refused[0].reason if result.refused else ""


def test_a_draft_goes_with_its_lines(company: Company) -> None:
    quote = make(company, [product(company, "Pump"), product(company, "Book")])
    records.delete(company.actor, "quote", [quote])
    plan = purge.plan(company.actor, [("quote", quote)])
    assert dict(plan.along)["quote_line"] == 2
    assert purge.purge(company.actor, [("quote", quote)]).count == 1


def test_an_issued_quote_its_file_and_its_customer_stay(company: Company) -> None:
    quote = activated(company, [product(company, "Pump")])
    print_quote(company.actor, quote)
    file = query.keys(company.actor, RecordQuery("document", ("id",)))[0]
    assert "file of an issued quote" in refusal(company, "document", file)
    assert "kept in the bin" in refusal(company, "account", company.ids["rossi"])
    assert "was issued to a customer" in refusal(company, "quote", quote)
    assert records.restore(company.actor, "account", [company.ids["rossi"]])


def test_who_changed_something_stays_and_who_did_not_goes(company: Company) -> None:
    system = system_actor(company.actor.db)
    idle = records.save(system, "user", None, None, {"name": "Idle", "login": "idle"}).id
    records.save(company.other, "contact", None, None, {"last_name": "Known"})
    assert company.other.user_id is not None
    assert refusal(company, "user", idle) == ""
    assert "history still needs" in refusal(company, "user", company.other.user_id)
