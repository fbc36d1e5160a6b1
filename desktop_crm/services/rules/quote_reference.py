"""What quotes are made from: company, currencies, taxes by day, products, prices, customers.

Each function is one statement on an open transaction, for any number of quotes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, and_, select

from desktop_crm.core.i18n import LANGUAGES, SOURCE_LANGUAGE
from desktop_crm.meta import registry
from desktop_crm.models.company import Currency, ExchangeRate, OwnCompany
from desktop_crm.models.party import Account, PostalAddress, ReachType
from desktop_crm.models.product import PriceList, PriceListItem, Product, TaxCode, TaxRate
from desktop_crm.services.query import key_clause
from desktop_crm.services.rules.price_lists import PriceRow
from desktop_crm.services.rules.pricing import Tax, TaxCategory, TaxRounding


@dataclass(frozen=True, slots=True)
class Company:
    """The own company's settings that quotes follow."""

    id: int | None = None
    currency: int | None = None
    tax_rounding: TaxRounding = TaxRounding.PER_RATE
    language: str = SOURCE_LANGUAGE
    quote_terms: str | None = None


@dataclass(frozen=True, slots=True)
class Taxes:
    """Tax codes and their rates from day to day."""

    codes: Mapping[int, Tax] = field(default_factory=dict)
    rates: Mapping[int, tuple[tuple[date, Decimal], ...]] = field(default_factory=dict)

    def on(self, day: date) -> dict[int, Tax]:
        """What each code means on a day; a code without a rate yet counts as 0 %."""
        found = {}
        for key, tax in self.codes.items():
            rate = Decimal(0)
            for start, value in self.rates.get(key, ()):
                if start <= day:
                    rate = value
            standard = tax.category is TaxCategory.STANDARD
            found[key] = Tax(tax.category, rate if standard else Decimal(0), tax.code, tax.note)
        return found


@dataclass(frozen=True, slots=True)
class List:
    """A price list and its rows."""

    id: int
    currency: int
    tax_inclusive: bool
    rows: tuple[PriceRow, ...] = ()


@dataclass(frozen=True, slots=True)
class Item:
    """A product as a line takes it over."""

    id: int
    name: str
    code: str
    description: str
    unit: int | None
    tax_code: int | None
    currency: int | None
    list_price: Decimal | None
    cost: Decimal | None


@dataclass(frozen=True, slots=True)
class Customer:
    """An account as a quote takes it over; addresses begin with its name."""

    id: int
    name: str
    currency: int | None
    price_list: int | None
    payment_terms: str | None
    bill_to: str
    ship_to: str | None


def company(connection: Connection) -> Company:
    """The own company; with usual settings when none is declared."""
    row = connection.execute(
        select(
            OwnCompany.id,
            OwnCompany.currency_id,
            OwnCompany.tax_rounding,
            OwnCompany.language,
            OwnCompany.quote_terms,
        )
        .where(OwnCompany.deleted_at.is_(None))
        .order_by(OwnCompany.id)
        .limit(1)
    ).first()
    if row is None:
        return Company()
    return Company(
        row.id,
        row.currency_id,
        TaxRounding(row.tax_rounding),
        spoken(row.language),
        row.quote_terms,
    )


def spoken(*codes: str | None) -> str:
    """The first language that the product speaks, else the source language."""
    known = (str(code).strip().lower()[:2] for code in codes if code)
    return next((code for code in known if code in LANGUAGES), SOURCE_LANGUAGE)


def currencies(connection: Connection) -> dict[int, str]:
    """Codes of all currencies by id."""
    rows = connection.execute(select(Currency.id, Currency.code))
    return {row.id: row.code for row in rows}


def exchange_rate(connection: Connection, currency: int, on: date) -> Decimal | None:
    """Units of the company's currency for one unit, as of a day; None when none is known."""
    return connection.execute(
        select(ExchangeRate.rate)
        .where(
            ExchangeRate.currency_id == currency,
            ExchangeRate.valid_from <= on,
            ExchangeRate.deleted_at.is_(None),
        )
        .order_by(ExchangeRate.valid_from.desc())
        .limit(1)
    ).scalar()


def taxes(connection: Connection) -> Taxes:
    """All tax codes with all their rates."""
    rows = connection.execute(
        select(
            TaxCode.id,
            TaxCode.code,
            TaxCode.category,
            TaxCode.legal_note,
            TaxRate.valid_from,
            TaxRate.rate,
        )
        .join(
            TaxRate,
            and_(TaxRate.tax_code_id == TaxCode.id, TaxRate.deleted_at.is_(None)),
            isouter=True,
        )
        .order_by(TaxCode.id, TaxRate.valid_from)
    )
    codes: dict[int, Tax] = {}
    rates: dict[int, list[tuple[date, Decimal]]] = defaultdict(list)
    for row in rows:
        category = TaxCategory(row.category)
        codes[row.id] = Tax(category, Decimal(0), row.code, (row.legal_note or "").strip())
        if row.valid_from is not None:
            rates[row.id].append((row.valid_from, row.rate))
    return Taxes(codes, {key: tuple(found) for key, found in rates.items()})


def price_lists(connection: Connection, ids: Iterable[int]) -> dict[int, List]:
    """Price lists with their rows."""
    wanted = sorted(set(ids))
    if not wanted:
        return {}
    found: dict[int, tuple[int, bool, list[PriceRow]]] = {}
    for row in connection.execute(
        select(
            PriceList.id,
            PriceList.currency_id,
            PriceList.is_tax_inclusive,
            PriceListItem.product_id,
            PriceListItem.min_quantity,
            PriceListItem.price,
            PriceListItem.discount_percent,
        )
        .join(
            PriceListItem,
            and_(PriceListItem.price_list_id == PriceList.id, PriceListItem.deleted_at.is_(None)),
            isouter=True,
        )
        .where(PriceList.id.in_(wanted))
    ):
        _, _, rows = found.setdefault(row.id, (row.currency_id, row.is_tax_inclusive, []))
        if row.product_id is not None:
            rows.append(
                PriceRow(
                    row.product_id,
                    min_quantity=row.min_quantity,
                    amount=row.price,
                    discount=row.discount_percent,
                )
            )
    return {
        key: List(key, currency, bool(inclusive), tuple(rows))
        for key, (currency, inclusive, rows) in found.items()
    }


def items(connection: Connection, ids: Iterable[int]) -> dict[int, Item]:
    """Products by id."""
    wanted = sorted(set(ids))
    if not wanted:
        return {}
    rows = connection.execute(
        select(
            Product.id,
            Product.name,
            Product.code,
            Product.description,
            Product.unit_id,
            Product.tax_code_id,
            Product.currency_id,
            Product.list_price,
            Product.standard_cost,
        ).where(Product.id.in_(wanted))
    )
    return {
        row.id: Item(
            row.id,
            row.name,
            row.code or "",
            row.description or "",
            row.unit_id,
            row.tax_code_id,
            row.currency_id,
            row.list_price,
            row.standard_cost,
        )
        for row in rows
    }


def lines(connection: Connection, quotes: Iterable[int]) -> dict[int, dict[int, dict[str, Any]]]:
    """Lines of quotes by quote and by id, in order, by field name."""
    wanted = sorted(set(quotes))
    found: dict[int, dict[int, dict[str, Any]]] = {key: {} for key in wanted}
    if not wanted:
        return found
    entity = registry.get("quote_line")
    table = entity.table
    names = {name: f.column for name, f in entity.fields.items() if f.column is not None}
    rows = connection.execute(
        select(*names.values())
        .where(key_clause(connection, table.c.quote_id, wanted), table.c.deleted_at.is_(None))
        .order_by(table.c.position, table.c.id)
    )
    for row in rows:
        values = dict(zip(names, row, strict=True))
        found[values["quote"]][values["id"]] = values
    return found


def customers(connection: Connection, ids: Iterable[int]) -> dict[int, Customer]:
    """Accounts by id, with the addresses to bill and to ship to; two statements."""
    wanted = sorted(set(ids))
    if not wanted:
        return {}
    accounts = connection.execute(
        select(
            Account.id,
            Account.name,
            Account.currency_id,
            Account.price_list_id,
            Account.payment_terms,
        ).where(Account.id.in_(wanted))
    ).all()
    addresses: dict[int, list[Mapping[str, Any]]] = defaultdict(list)
    for row in connection.execute(
        select(
            PostalAddress.account_id,
            PostalAddress.type,
            PostalAddress.is_primary,
            PostalAddress.street,
            PostalAddress.postal_code,
            PostalAddress.city,
            PostalAddress.region,
            PostalAddress.country,
        )
        .where(PostalAddress.account_id.in_(wanted), PostalAddress.deleted_at.is_(None))
        .order_by(PostalAddress.is_primary.desc(), PostalAddress.id)
    ).mappings():
        addresses[row["account_id"]].append(dict(row))
    return {
        row.id: Customer(
            row.id,
            row.name,
            row.currency_id,
            row.price_list_id,
            row.payment_terms,
            _bill_to(row.name, addresses[row.id]),
            _ship_to(row.name, addresses[row.id]),
        )
        for row in accounts
    }


def address_lines(address: Mapping[str, Any]) -> tuple[str, ...]:
    """Lines of a postal address as they stand on an envelope, without the name."""
    place = " ".join(str(address[key]) for key in ("postal_code", "city") if address.get(key))
    lines = (address.get("street"), place, address.get("region"), address.get("country"))
    return tuple(str(line) for line in lines if line)


def _bill_to(name: str, addresses: list[Mapping[str, Any]]) -> str:
    chosen = next((a for a in addresses if a["type"] == ReachType.BILLING), None)
    if chosen is None and addresses:
        chosen = addresses[0]
    return "\n".join((name, *(address_lines(chosen) if chosen else ())))


def _ship_to(name: str, addresses: list[Mapping[str, Any]]) -> str | None:
    chosen = next((a for a in addresses if a["type"] == ReachType.SHIPPING), None)
    return "\n".join((name, *address_lines(chosen))) if chosen else None
