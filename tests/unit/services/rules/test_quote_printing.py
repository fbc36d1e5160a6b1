"""Printing quotes and keeping what was sent, on both databases."""

from __future__ import annotations

import hashlib
from decimal import Decimal
from io import BytesIO
from typing import TYPE_CHECKING

import pypdf
import pytest

from desktop_crm.core import clock
from desktop_crm.core.errors import NotFound, UserError
from desktop_crm.printing.quotes import print_quote, render_again
from desktop_crm.services import audit, records
from desktop_crm.services.rules import quote_printing
from tests.support.company import NOW
from tests.support.quoting import activated, change, make, product, quoting_company, read

if TYPE_CHECKING:
    from desktop_crm.db.engine import Database
    from tests.support.company import Company

D = Decimal


@pytest.fixture
def company(database: Database) -> Company:
    clock.use_clock(lambda: NOW)
    return quoting_company(database)


def text_of(content: bytes) -> str:
    return "\n".join(page.extract_text() for page in pypdf.PdfReader(BytesIO(content)).pages)


def test_the_document_speaks_the_customers_language(company: Company) -> None:
    quote = make(
        company,
        [product(company, "Pump", "2"), product(company, "Book", tax_code=company.ids["AE"])],
        account=company.ids["dumbrava"],
    )
    document = quote_printing.document(company.actor, quote)
    assert document.language == "ro"
    assert document.draft
    assert document.bill_to.name == "Dumbrava Mobilă"
    assert document.bill_to.tax_id == "RO777"
    assert document.ship_to is not None
    assert [bank.currency for bank in document.banks] == ["EUR"]
    assert [line.title for line in document.lines] == ["Pump", "Book"]
    assert [line.code for line in document.lines] == ["PU", "BO"]
    assert [line.tax_category.value for line in document.lines] == ["S", "AE"]
    assert document.totals.total == read(company, quote).values["total_amount"]
    assert document.prepared_by == "Mara Ionescu"


def test_a_draft_is_printed_afresh_and_not_kept(company: Company) -> None:
    quote = make(company, [product(company, "Pump")])
    printed = print_quote(company.actor, quote)
    assert printed.draft
    assert "DRAFT" in text_of(printed.content)
    change(company, quote, name="Another name")
    assert "Another name" in text_of(print_quote(company.actor, quote).content)
    with pytest.raises(UserError):
        quote_printing.store_pdf(
            company.actor, quote, b"x", name="x.pdf", language="en", template="t"
        )


def test_the_file_of_an_active_quote_is_kept_and_given_again(company: Company) -> None:
    quote = activated(company, [product(company, "Pump")])
    first = print_quote(company.actor, quote)
    assert first.name == "Quote Q-2026-0001 Officine Rossi.pdf"
    assert first.changes
    stored = quote_printing.stored_pdf(company.actor, quote)
    assert stored is not None
    assert stored.sha256 == hashlib.sha256(first.content).hexdigest()
    own = records.get(company.actor, "own_company", company.ids["own"])
    values = {"name": "Renamed SRL"}
    records.save(company.actor, "own_company", company.ids["own"], own.version, values)
    assert print_quote(company.actor, quote).content == first.content
    fresh = render_again(company.actor, quote)
    assert "Renamed SRL" in text_of(fresh.content)
    assert print_quote(company.actor, quote).content == fresh.content


def test_keeping_a_file_leaves_a_trace(company: Company) -> None:
    quote = activated(company, [product(company, "Pump")])
    print_quote(company.actor, quote)
    stored = quote_printing.stored_pdf(company.actor, quote)
    assert stored is not None
    entry = audit.history(company.actor, "document", stored.document_id)[0]
    assert entry.source == "print"


def test_a_later_rounding_setting_does_not_change_an_active_quote(company: Company) -> None:
    lines = [product(company, "Pump", unit_price=D(price)) for price in ("97.50", "65", "32.50")]
    quote = activated(company, lines)
    total = read(company, quote).values["total_amount"]
    own = records.get(company.actor, "own_company", company.ids["own"])
    values = {"tax_rounding": "line"}
    records.save(company.actor, "own_company", company.ids["own"], own.version, values)
    assert quote_printing.document(company.actor, quote).totals.total == total


def test_who_may_not_see_a_quote_cannot_print_it(company: Company) -> None:
    quote = make(company, [product(company, "Pump")])
    with pytest.raises(NotFound):
        print_quote(company.other, quote)
