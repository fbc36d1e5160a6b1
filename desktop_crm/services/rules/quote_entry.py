"""What the form asks while a quote is being typed: taxes, prices, what a customer brings along."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from sqlalchemy import Connection, select

from desktop_crm.core import clock
from desktop_crm.meta import registry
from desktop_crm.models.product import PriceList, TaxCode, Unit
from desktop_crm.services.context import Actor
from desktop_crm.services.permissions import row_clause
from desktop_crm.services.rules import quote_reference as reference
from desktop_crm.services.rules.quote_lines import list_price
from desktop_crm.services.rules.quote_rules import VALID_DAYS
from desktop_crm.services.rules.quote_totals import Basis


@dataclass(frozen=True, slots=True)
class ProductLine:
    """What a line takes over when a product is chosen; links with their titles."""

    product: int
    description: str
    price: Decimal | None
    unit: int | None = None
    unit_title: str = ""
    tax_code: int | None = None
    tax_title: str = ""


@dataclass(frozen=True, slots=True)
class CustomerTerms:
    """What a quote takes over when a customer is chosen; links with their titles."""

    bill_to: str
    ship_to: str = ""
    payment_terms: str = ""
    currency: int | None = None
    currency_title: str = ""
    price_list: int | None = None
    price_list_title: str = ""
    tax_inclusive: bool = False


def basis(actor: Actor, currency: int | None, on: date | None = None) -> Basis:
    """Taxes of a day, currency and rounding that a quote is calculated with.

    Without a currency it is the company's.
    """
    with actor.db.reading() as connection:
        company = reference.company(connection)
        codes = reference.currencies(connection)
        taxes = reference.taxes(connection)
    code = codes.get(currency or company.currency or 0, "EUR")
    return Basis(code, taxes.on(on or clock.today(actor.zone)), company.tax_rounding)


@dataclass(frozen=True, slots=True)
class NewQuote:
    """What a new quote starts with before a customer is chosen."""

    quoted_on: date
    expires_on: date
    currency: int | None
    currency_title: str
    terms: str


def new_quote(actor: Actor) -> NewQuote:
    """Day, validity, currency and terms of a new quote, as saving it would fill them in."""
    with actor.db.reading() as connection:
        company = reference.company(connection)
        codes = reference.currencies(connection)
    today = clock.today(actor.zone)
    return NewQuote(
        today,
        today + timedelta(days=VALID_DAYS),
        company.currency,
        codes.get(company.currency or 0, ""),
        company.quote_terms or "",
    )


def product_lines(
    actor: Actor,
    wanted: Sequence[tuple[int, Decimal]],
    currency: int | None,
    price_list: int | None,
) -> list[ProductLine | None]:
    """What products put into lines of the given quantities; None for those that are gone.

    The price is that of the price list, else the product's own when its currency is the quote's.
    """
    with actor.db.reading() as connection:
        items = reference.items(connection, [key for key, _ in wanted])
        prices = reference.price_lists(connection, [price_list] if price_list else [])
        units = _titles(connection, Unit)
        taxes = _titles(connection, TaxCode)
        usual = currency or reference.company(connection).currency
    chosen = prices.get(price_list or 0)
    found: list[ProductLine | None] = []
    for key, quantity in wanted:
        item = items.get(key)
        found.append(
            None
            if item is None
            else ProductLine(
                product=key,
                description="\n".join(part for part in (item.name, item.description) if part),
                price=list_price(item, quantity, usual, chosen),
                unit=item.unit,
                unit_title=units.get(item.unit or 0, ""),
                tax_code=item.tax_code,
                tax_title=taxes.get(item.tax_code or 0, ""),
            )
        )
    return found


def customer_terms(actor: Actor, account: int) -> CustomerTerms | None:
    """Addresses and terms of a customer; None when this user may not see it."""
    entity = registry.get("account")
    statement = select(entity.table.c.id).where(entity.table.c.id == account)
    rights = row_clause(actor, entity, entity.table, "read")
    if rights is not None:
        statement = statement.where(rights)
    with actor.db.reading() as connection:
        if connection.execute(statement).first() is None:
            return None
        customer = reference.customers(connection, [account])[account]
        codes = reference.currencies(connection)
        lists = reference.price_lists(connection, [customer.price_list or 0])
        names = _titles(connection, PriceList)
    offered = lists.get(customer.price_list or 0)
    currency = offered.currency if offered else customer.currency
    return CustomerTerms(
        bill_to=customer.bill_to,
        ship_to=customer.ship_to or "",
        payment_terms=customer.payment_terms or "",
        currency=currency,
        currency_title=codes.get(currency or 0, ""),
        price_list=customer.price_list,
        price_list_title=names.get(customer.price_list or 0, ""),
        tax_inclusive=bool(offered and offered.tax_inclusive),
    )


def _titles(
    connection: Connection, model: type[Unit] | type[TaxCode] | type[PriceList]
) -> Mapping[int, str]:
    return {row.id: row.name for row in connection.execute(select(model.id, model.name))}
