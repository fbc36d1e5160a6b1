"""Lines of quotes that are changed by themselves, not inside their quote."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from desktop_crm.core import clock
from desktop_crm.core.errors import ValidationFailed
from desktop_crm.services import records, undo
from desktop_crm.services.rules import quotes
from tests.support.company import NOW
from tests.support.quoting import make, product, quoting_company, read

if TYPE_CHECKING:
    from desktop_crm.db.engine import Database
    from tests.support.company import Company


D = Decimal


@pytest.fixture
def company(database: Database) -> Company:
    clock.use_clock(lambda: NOW)
    return quoting_company(database)


def test_a_line_deleted_or_moved_by_itself_updates_its_quote(company: Company) -> None:
    quote = make(company, [product(company, "Pump"), product(company, "Seal")])
    other = make(company, [product(company, "Book")])
    pump, seal = read(company, quote).lines["lines"]
    records.delete(company.actor, "quote_line", [seal["id"]])
    assert read(company, quote).values["subtotal"] == D("120.00")
    undo.undo(company.actor)
    assert read(company, quote).values["subtotal"] == D("123.00")
    records.delete(company.actor, "quote_line", [seal["id"]])
    records.restore(company.actor, "quote_line", [seal["id"]])
    assert read(company, quote).values["subtotal"] == D("123.00")
    version = records.get(company.actor, "quote_line", seal["id"]).version
    records.save(company.actor, "quote_line", seal["id"], version, {"quote": other})
    assert read(company, quote).values["subtotal"] == D("120.00")
    assert read(company, other).values["subtotal"] == D("52.99")
    records.delete(company.actor, "quote_line", [seal["id"]])
    quotes.activate(company.actor, quote, read(company, quote).version)
    quotes.activate(company.actor, other, read(company, other).version)
    before = read(company, quote), read(company, other)
    with pytest.raises(ValidationFailed, match="draft"):
        records.delete(company.actor, "quote_line", [pump["id"]])
    with pytest.raises(ValidationFailed, match="draft"):
        records.restore(company.actor, "quote_line", [seal["id"]])
    draft = make(company, [])
    version = records.get(company.actor, "quote_line", pump["id"]).version
    with pytest.raises(ValidationFailed, match="draft"):
        records.save(company.actor, "quote_line", pump["id"], version, {"quote": draft})
    assert (read(company, quote), read(company, other)) == before
