"""What quotes need in a test's database: taxes, products, a price list, a customer."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from desktop_crm.services import records
from desktop_crm.services.rules import quotes
from tests.support.company import small_company

if TYPE_CHECKING:
    from desktop_crm.db.engine import Database
    from desktop_crm.services.records import RecordValues
    from tests.support.company import Company


def quoting_company(db: Database) -> Company:
    """The small company with tax codes, three products, a price list and addresses."""
    company = small_company(db)
    ids = company.ids
    for code, category, rate in (("S21", "S", "21"), ("S11", "S", "11"), ("AE", "AE", None)):
        rates = [{"valid_from": date(2025, 8, 1), "rate": Decimal(rate)}] if rate else []
        if code == "S21":
            rates.append({"valid_from": date(2017, 1, 1), "rate": Decimal(19)})
        company.add(
            "tax_code", code,
            {"code": code, "name": f"VAT {code}", "category": category, "rates": rates},
        )  # fmt: skip
    company.add("unit", "pcs", {"name": "pcs", "code": "H87"})
    for name, price, tax in (
        ("Pump", "120.00", "S21"),
        ("Book", "49.99", "S11"),
        ("Seal", "3", "S21"),
    ):
        company.add(
            "product", name,
            {"name": name, "code": name[:2].upper(), "description": f"{name} of good make",
             "list_price": Decimal(price), "standard_cost": Decimal(price) / 2,
             "currency": ids["EUR"], "unit": ids["pcs"], "tax_code": ids[tax]},
        )  # fmt: skip
    company.add(
        "price_list", "trade",
        {"name": "Trade", "currency": ids["EUR"], "items": [
            {"product": ids["Pump"], "min_quantity": Decimal(1), "price": Decimal(110)},
            {"product": ids["Pump"], "min_quantity": Decimal(10), "price": Decimal(100),
             "discount_percent": Decimal(10)},
        ]},
    )  # fmt: skip
    own = records.get(company.actor, "own_company", ids["own"])
    records.save(
        company.actor, "own_company", ids["own"], own.version,
        {"tax_id": "RO123", "trade_register": "J40/1/2020", "street": "Strada Mare 1",
         "city": "București", "language": "en", "quote_terms": "Payment in 30 days.",
         "bank_accounts": [
             {"iban": "RO49AAAA1B31007593840000", "bank": "Banca", "currency": ids["RON"]},
             {"iban": "RO09BCYP0000001234567890", "bank": "Banca", "currency": ids["EUR"]},
         ]},
    )  # fmt: skip
    account = records.get(company.actor, "account", ids["dumbrava"])
    records.save(
        company.actor, "account", ids["dumbrava"], account.version,
        {"language": "ro", "tax_id": "RO777", "payment_terms": "14 zile", "addresses": [
            {"type": "work", "street": "Strada Ștefan 3", "city": "Brașov", "is_primary": True},
            {"type": "billing", "street": "Strada Facturii 9", "city": "Brașov"},
            {"type": "shipping", "street": "Depozit 2", "city": "Făgăraș"},
        ]},
    )  # fmt: skip
    return company


def make(company: Company, lines: list[dict[str, Any]], **values: Any) -> int:
    return records.save(
        company.actor, "quote", None, None,
        {"name": "Pumps", "account": company.ids["rossi"], "lines": lines, **values},
    ).id  # fmt: skip


def read(company: Company, quote: int) -> RecordValues:
    return records.get(company.actor, "quote", quote)


def change(company: Company, quote: int, **values: Any) -> RecordValues:
    records.save(company.actor, "quote", quote, read(company, quote).version, values)
    return read(company, quote)


def activated(company: Company, lines: list[dict[str, Any]], **values: Any) -> int:
    quote = make(company, lines, **values)
    quotes.activate(company.actor, quote, read(company, quote).version)
    return quote


def product(company: Company, name: str, quantity: str = "1", **values: Any) -> dict[str, Any]:
    return {"product": company.ids[name], "quantity": Decimal(quantity), **values}
