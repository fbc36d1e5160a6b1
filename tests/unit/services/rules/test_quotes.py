"""Quotes from an opportunity to the archive, on both databases."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor, wait
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from desktop_crm.core import clock
from desktop_crm.core.errors import NotFound, UserError, ValidationFailed
from desktop_crm.models.quote import QuoteReason
from desktop_crm.services import records, undo
from desktop_crm.services.records import Change
from desktop_crm.services.rules import quote_entry, quotes
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


def fields_of(failure: pytest.ExceptionInfo[ValidationFailed]) -> list[str]:
    return [error.field for error in failure.value.errors]


def test_a_new_quote_is_filled_in_from_customer_and_company(company: Company) -> None:
    quote = read(company, make(company, [], account=company.ids["dumbrava"]))
    assert quote.values["state"] == "draft"
    assert quote.values["number"] is None
    assert quote.values["quoted_on"] == date(2026, 11, 25)
    assert quote.values["expires_on"] == date(2026, 12, 25)
    assert quote.values["currency"] == company.ids["EUR"]
    assert quote.values["terms"] == "Payment in 30 days."
    assert quote.values["payment_terms"] == "14 zile"
    assert quote.values["bill_to"] == "Dumbrava Mobilă\nStrada Facturii 9\nBrașov"
    assert quote.values["ship_to"] == "Dumbrava Mobilă\nDepozit 2\nFăgăraș"
    assert quote.values["total_amount"] == 0


def test_a_product_brings_text_unit_tax_and_price(company: Company) -> None:
    quote = read(company, make(company, [product(company, "Pump", "2")]))
    (line,) = quote.lines["lines"]
    assert line["description"] == "Pump\nPump of good make"
    assert line["unit"] == company.ids["pcs"]
    assert line["tax_code"] == company.ids["S21"]
    assert (line["unit_price"], line["list_price"], line["cost"]) == (D(120), D(120), D(60))
    assert line["net_amount"] == D("240.00")
    assert (line["tax_rate"], line["tax_amount"]) == (D(21), D("50.40"))
    assert not line["is_price_overridden"]


def test_the_totals_are_stored_with_the_quote(company: Company) -> None:
    quote = read(
        company,
        make(
            company,
            [
                product(company, "Pump", "3", unit_price=D("33.33"), discount_percent=D(10)),
                product(company, "Book"),
                product(company, "Seal", "2", unit_price=D("15.005")),
                product(company, "Seal", unit_price=D(100), tax_code=company.ids["AE"]),
            ],
            discount_percent=D(5),
            freight_amount=D(12),
            freight_tax_code=company.ids["S21"],
        ),
    )
    shown = {n: quote.values[n] for n in ("subtotal", "total_discount", "total_net", "total_tax")}
    assert shown == {
        "subtotal": D("269.99"),
        "total_discount": D("13.50"),
        "total_net": D("268.49"),
        "total_tax": D("31.68"),
    }
    assert quote.values["total_amount"] == D("300.17")


def test_changing_a_discount_recalculates_the_whole(company: Company) -> None:
    quote = make(company, [product(company, "Pump", "2")])
    after = change(company, quote, discount_amount=D(40))
    (line,) = after.lines["lines"]
    assert after.values["total_amount"] == D("242.00")
    assert (line["net_amount"], line["tax_amount"]) == (D("240.00"), D("42.00"))


def test_a_change_that_moves_no_amount_leaves_the_lines_alone(company: Company) -> None:
    quote = make(company, [product(company, "Pump", "2")])
    lines = read(company, quote).lines["lines"]
    assert change(company, quote, name="Renamed").lines["lines"] == lines


def test_a_price_list_has_breaks_and_its_own_reduction(company: Company) -> None:
    quote = make(company, [product(company, "Pump", "2")], price_list=company.ids["trade"])
    (line,) = read(company, quote).lines["lines"]
    assert line["unit_price"] == D(110)
    row = {"id": line["id"], "quantity": D(12)}
    (line,) = change(company, quote, lines=[row]).lines["lines"]
    assert (line["unit_price"], line["net_amount"]) == (D(90), D("1080.00"))


def test_a_typed_price_stays_when_the_quantity_crosses_a_break(company: Company) -> None:
    quote = make(
        company,
        [product(company, "Pump", "2", unit_price=D(105))],
        price_list=company.ids["trade"],
    )
    (line,) = read(company, quote).lines["lines"]
    assert line["is_price_overridden"]
    (line,) = change(company, quote, lines=[{**line, "quantity": D(12)}]).lines["lines"]
    assert line["unit_price"] == D(105)


def test_a_price_does_not_move_by_itself_when_the_list_does(company: Company) -> None:
    quote = make(company, [product(company, "Pump")])
    pump = records.get(company.actor, "product", company.ids["Pump"])
    values = {"list_price": D(150)}
    records.save(company.actor, "product", company.ids["Pump"], pump.version, values)
    (line,) = change(company, quote, name="Pumps and more").lines["lines"]
    assert line["unit_price"] == D(120)


def test_optional_lines_texts_and_subtotals_stay_out_of_the_total(company: Company) -> None:
    quote = read(
        company,
        make(
            company,
            [
                product(company, "Pump"),
                product(company, "Book", kind="optional"),
                {"kind": "text", "description": "As agreed"},
                {"kind": "subtotal", "description": "Pumps"},
            ],
        ),
    )
    assert quote.values["subtotal"] == D("120.00")
    assert [line["net_amount"] for line in quote.lines["lines"]] == [
        D("120.00"),
        D("49.99"),
        None,
        D("120.00"),
    ]


def test_the_rate_of_the_day_of_the_quote_applies(company: Company) -> None:
    quote = make(company, [product(company, "Pump")], quoted_on=date(2024, 3, 1))
    assert read(company, quote).values["total_tax"] == D("22.80")


def test_a_line_that_cannot_be_names_its_row(company: Company) -> None:
    with pytest.raises(ValidationFailed) as failure:
        make(company, [product(company, "Pump"), product(company, "Seal", discount_amount=D(9))])
    assert [(e.field, e.row) for e in failure.value.errors] == [("lines.discount_amount", 1)]
    with pytest.raises(ValidationFailed) as failure:
        make(company, [product(company, "Pump", discount_amount=D(9), discount_percent=D(1))])
    assert fields_of(failure) == ["lines.discount_amount"]
    with pytest.raises(ValidationFailed) as failure:
        make(company, [{"description": "x", "quantity": "a dozen"}])
    assert fields_of(failure) == ["lines.quantity"]


def test_a_price_list_of_another_currency_is_refused(company: Company) -> None:
    with pytest.raises(ValidationFailed, match="RON") as failure:
        make(company, [], currency=company.ids["RON"], price_list=company.ids["trade"])
    assert fields_of(failure) == ["price_list"]


def test_the_currency_stays_while_there_are_lines(company: Company) -> None:
    quote = make(company, [product(company, "Pump")])
    with pytest.raises(ValidationFailed) as failure:
        change(company, quote, currency=company.ids["RON"])
    assert fields_of(failure) == ["currency"]
    empty = make(company, [])
    assert change(company, empty, currency=company.ids["RON"]).values["currency"]


def test_an_opportunity_becomes_a_quote(company: Company) -> None:
    key = company.ids["Packaging line"]
    version = records.get(company.actor, "opportunity", key).version
    rows = [product(company, "Pump", "3"), product(company, "Book", unit_price=D(45))]
    values = {"lines": rows, "price_list": company.ids["trade"]}
    records.save(company.actor, "opportunity", key, version, values)
    saved = quotes.create_from_opportunity(company.actor, key)
    quote = read(company, saved.id)
    assert quote.values["name"] == "Packaging line"
    assert quote.values["account"] == company.ids["rossi"]
    assert quote.values["opportunity"] == key
    assert [line["unit_price"] for line in quote.lines["lines"]] == [D(110), D(45)]
    assert quote.values["subtotal"] == D("375.00")


def test_activating_gives_a_number_and_freezes(company: Company) -> None:
    first = activated(company, [product(company, "Pump")])
    second = activated(company, [product(company, "Pump")])
    quote = read(company, first)
    assert quote.values["number"] == "Q-2026-0001"
    assert read(company, second).values["number"] == "Q-2026-0002"
    assert (quote.values["state"], quote.values["status_reason"]) == ("active", "open")
    assert quote.values["activated_at"] == NOW
    assert quote.values["exchange_rate"] == 1
    frozen: tuple[dict[str, Any], ...] = ({"discount_amount": D(1)}, {"lines": []}, {"name": "x"})
    for values in frozen:
        with pytest.raises(ValidationFailed, match="draft"):
            change(company, first, **values)
    assert read(company, first).values["total_amount"] == quote.values["total_amount"]


def test_the_rate_is_frozen_with_the_quote(company: Company) -> None:
    line = {"description": "Work", "unit_price": D(100), "tax_code": company.ids["S21"]}
    quote = activated(company, [line], currency=company.ids["RON"])
    assert read(company, quote).values["exchange_rate"] == D("0.2")


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"account": None}, "account"),
        ({"lines": []}, "lines"),
        ({"lines": [{"description": "x", "kind": "text"}]}, "lines"),
        ({"lines": [{"description": "x", "unit_price": D(1)}]}, "lines.tax_code"),
        ({"expires_on": date(2026, 11, 24)}, "expires_on"),
    ],
)
def test_what_is_missing_stops_the_activation(
    company: Company, values: dict[str, Any], field: str
) -> None:
    quote = make(company, [product(company, "Pump")])
    change(company, quote, **values)
    with pytest.raises(ValidationFailed) as failure:
        quotes.activate(company.actor, quote, read(company, quote).version)
    assert fields_of(failure) == [field]
    assert read(company, quote).values["number"] is None
    good = activated(company, [product(company, "Pump")])
    assert read(company, good).values["number"] == "Q-2026-0001"


def test_a_revision_keeps_the_number_and_draws_none(company: Company) -> None:
    first = activated(company, [product(company, "Pump", "2", discount_percent=D(5))])
    saved = quotes.revise(company.actor, first, read(company, first).version)
    old, new = read(company, first), read(company, saved.id)
    assert (old.values["state"], old.values["status_reason"]) == ("closed", "revised")
    assert new.values["state"] == "draft"
    assert (new.values["number"], new.values["revision"]) == ("Q-2026-0001", 1)
    assert new.values["supersedes"] == first
    assert new.values["total_amount"] == old.values["total_amount"]
    change(company, saved.id, discount_percent=D(10))
    quotes.activate(company.actor, saved.id, read(company, saved.id).version)
    assert read(company, saved.id).values["number"] == "Q-2026-0001"
    again = quotes.revise(company.actor, saved.id, read(company, saved.id).version)
    assert read(company, again.id).values["revision"] == 2
    other = activated(company, [product(company, "Pump")])
    assert read(company, other).values["number"] == "Q-2026-0002"


def test_only_an_active_quote_is_revised(company: Company) -> None:
    quote = make(company, [product(company, "Pump")])
    with pytest.raises(UserError, match="active"):
        quotes.revise(company.actor, quote, read(company, quote).version)


def test_an_active_quote_is_won_or_lost_once(company: Company) -> None:
    quote = activated(company, [product(company, "Pump")])
    quotes.close(company.actor, quote, read(company, quote).version, QuoteReason.LOST)
    closed = read(company, quote)
    assert (closed.values["state"], closed.values["status_reason"]) == ("closed", "lost")
    assert closed.values["closed_on"] == date(2026, 11, 25)
    with pytest.raises(ValidationFailed):
        quotes.close(company.actor, quote, closed.version, QuoteReason.WON)
    draft = make(company, [product(company, "Pump")])
    with pytest.raises(ValidationFailed):
        quotes.close(company.actor, draft, read(company, draft).version, QuoteReason.WON)


def test_numbers_start_again_each_year_and_skip_taken_ones(company: Company) -> None:
    make(company, [product(company, "Pump")], number="Q-2026-0001")
    quote = activated(company, [product(company, "Pump")])
    assert read(company, quote).values["number"] == "Q-2026-0002"
    clock.use_clock(lambda: NOW + timedelta(days=60))
    later = activated(company, [product(company, "Pump")])
    assert read(company, later).values["number"] == "Q-2027-0001"


def test_people_who_activate_at_once_get_different_numbers(company: Company) -> None:
    drafts = [make(company, [product(company, "Pump")]) for _ in range(6)]
    versions = {quote: read(company, quote).version for quote in drafts}
    with ThreadPoolExecutor(max_workers=3) as pool:
        done = pool.map(lambda key: quotes.activate(company.actor, key, versions[key]), drafts)
        assert len(list(done)) == len(drafts)
    numbers = {read(company, quote).values["number"] for quote in drafts}
    assert numbers == {f"Q-2026-{n:04}" for n in range(1, 7)}


def test_nobody_draws_a_number_that_somebody_is_just_bringing(company: Company) -> None:
    activated(company, [product(company, "Pump")])
    mine = make(company, [product(company, "Pump")])
    version = read(company, mine).version
    values = {"name": "Old", "account": company.ids["rossi"], "number": "Q-2026-0002"}
    with ThreadPoolExecutor(1) as other:
        with company.actor.db.writing() as connection:
            told = [Change(None, None, values)]
            records.save_many(company.actor, "quote", told, within=connection)
            done = other.submit(quotes.activate, company.actor, mine, version)
            wait([done], timeout=0.3)
        done.result()
    assert read(company, mine).values["number"] == "Q-2026-0003"


def test_two_quotes_cannot_share_a_number(company: Company) -> None:
    make(company, [], number="OLD-1")
    with pytest.raises(ValidationFailed) as failure:
        make(company, [], number="OLD-1")
    assert fields_of(failure) == ["number"]


def test_a_pattern_without_a_place_for_the_number_is_told(company: Company) -> None:
    company.add("number_sequence", "seq", {"entity": "quote", "pattern": "Q-{yeer}"})
    quote = make(company, [product(company, "Pump")])
    with pytest.raises(UserError, match="pattern") as failure:
        quotes.activate(company.actor, quote, read(company, quote).version)
    assert "{number}" in str(failure.value)
    assert read(company, quote).values["state"] == "draft"


def test_a_line_saved_by_itself_updates_its_quote(company: Company) -> None:
    quote = make(company, [product(company, "Pump")])
    (line,) = read(company, quote).lines["lines"]
    values = {"quantity": D(3)}
    saved = records.save(company.actor, "quote_line", line["id"], line["version"], values)
    assert saved.changes.ids("quote") == {quote}
    assert read(company, quote).values["subtotal"] == D("360.00")
    quotes.activate(company.actor, quote, read(company, quote).version)
    (line,) = read(company, quote).lines["lines"]
    with pytest.raises(ValidationFailed, match="draft"):
        records.save(company.actor, "quote_line", line["id"], line["version"], {"quantity": D(9)})


def test_a_changed_quote_can_be_taken_back(company: Company) -> None:
    quote = make(company, [product(company, "Pump")])
    change(company, quote, lines=[])
    undo.undo(company.actor)
    after = read(company, quote)
    assert after.values["subtotal"] == D("120.00")
    assert len(after.lines["lines"]) == 1


def test_a_quote_is_found_by_its_number(company: Company) -> None:
    first = activated(company, [product(company, "Pump")])
    second = quotes.revise(company.actor, first, read(company, first).version).id
    assert quotes.find(company.actor, "Q-2026-0001") == second
    assert quotes.find(company.actor, " Q-2026-0001 Rev 1") == second
    assert quotes.find(company.actor, "Q-2026-0001 rev. 0") == first
    with pytest.raises(NotFound):
        quotes.find(company.actor, "Q-2026-9999")
    with pytest.raises(NotFound):
        quotes.find(company.other, "Q-2026-0001")


def test_the_form_gets_what_it_needs_to_calculate(company: Company) -> None:
    basis = quote_entry.basis(company.actor, company.ids["EUR"])
    assert basis.currency == "EUR"
    assert basis.taxes[company.ids["S21"]].rate == 21
    pump = company.ids["Pump"]
    few, many, gone = quote_entry.product_lines(
        company.actor, [(pump, D(1)), (pump, D(10)), (0, D(1))], None, company.ids["trade"]
    )
    assert few is not None
    assert many is not None
    assert gone is None
    assert (few.price, many.price) == (D(110), D(90))
    assert (many.tax_code, many.tax_title) == (company.ids["S21"], "VAT S21")
    assert (many.unit, many.unit_title) == (company.ids["pcs"], "pcs")
    (other,) = quote_entry.product_lines(company.actor, [(pump, D(1))], company.ids["RON"], None)
    assert other is not None
    assert other.price is None


def test_the_form_gets_what_a_customer_brings_along(company: Company) -> None:
    account = records.get(company.actor, "account", company.ids["dumbrava"])
    values = {"price_list": company.ids["trade"]}
    records.save(company.actor, "account", company.ids["dumbrava"], account.version, values)
    terms = quote_entry.customer_terms(company.actor, company.ids["dumbrava"])
    assert terms is not None
    assert terms.bill_to.startswith("Dumbrava Mobilă")
    assert (terms.currency_title, terms.price_list_title) == ("EUR", "Trade")
    assert terms.payment_terms == "14 zile"
    assert quote_entry.customer_terms(company.other, company.ids["dumbrava"]) is None
