"""From a quote's fields to the calculation: one bridge for the form, the record and the page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from desktop_crm.core.errors import FieldError, ValidationFailed
from desktop_crm.core.i18n import N_
from desktop_crm.services.rules.pricing import (
    NO_TAX,
    Discount,
    DocumentInput,
    DocumentTotals,
    LineInput,
    LineKind,
    Tax,
    TaxRounding,
    totals,
)

Values = Mapping[str, Any]
"""Field names to values, as records and forms hold them; links are ids."""

_ZERO: Final = Decimal(0)
_ONE_OF_TWO: Final = N_("Enter the discount as a percentage or as an amount, not as both.")


@dataclass(frozen=True, slots=True)
class Basis:
    """What a quote is calculated with besides its own fields.

    Attributes:
        currency: ISO 4217 code of the quote.
        taxes: Tax code ids to the tax that applies on the day of the quote.
        tax_rounding: The company's way; never mixed within a document.
    """

    currency: str
    taxes: Mapping[int, Tax] = field(default_factory=dict)
    tax_rounding: TaxRounding = TaxRounding.PER_RATE


def calculate(quote: Values, lines: Sequence[Values], basis: Basis) -> DocumentTotals:
    """Totals of a quote from the values of its fields and lines.

    Raises:
        ValidationFailed: With the fields, and ``row`` for those of a line.
    """
    return totals(document_input(quote, lines, basis))


def document_input(quote: Values, lines: Sequence[Values], basis: Basis) -> DocumentInput:
    """The typed document of a quote.

    Raises:
        ValidationFailed: A discount is given both as a percentage and as an amount.
    """
    errors = list(_ambiguous(quote, lines))
    if errors:
        raise ValidationFailed(tuple(errors))
    freight_tax = quote.get("freight_tax_code")
    return DocumentInput(
        currency=basis.currency,
        lines=tuple(_line_input(line, basis) for line in lines),
        discount=_discount(quote),
        freight=quote.get("freight_amount") or _ZERO,
        freight_tax=basis.taxes.get(freight_tax, NO_TAX) if freight_tax else None,
        tax_inclusive=bool(quote.get("is_tax_inclusive")),
        tax_rounding=basis.tax_rounding,
    )


def totals_fields(result: DocumentTotals) -> dict[str, Decimal]:
    """The stored totals of a quote."""
    return {
        "subtotal": result.subtotal,
        "total_discount": result.discount,
        "total_net": result.base,
        "total_tax": result.tax,
        "total_amount": result.total,
    }


def line_fields(line: Values, index: int, result: DocumentTotals, basis: Basis) -> dict[str, Any]:
    """The stored amounts of a line; rates are kept, so that later rates do not change it."""
    amounts = result.lines[index]
    if _kind(line) is LineKind.TEXT:
        return {"net_amount": None, "tax_amount": None, "tax_rate": None}
    if _kind(line) is LineKind.SUBTOTAL:
        return {"net_amount": amounts.net, "tax_amount": None, "tax_rate": None}
    tax = basis.taxes.get(line.get("tax_code") or 0)
    return {
        "net_amount": amounts.net,
        "tax_amount": amounts.tax if amounts.included else None,
        "tax_rate": None if tax is None else tax.rate,
    }


def _line_input(line: Values, basis: Basis) -> LineInput:
    return LineInput(
        quantity=line.get("quantity") or _ZERO,
        unit_price=line.get("unit_price") or _ZERO,
        discount=_discount(line),
        tax=basis.taxes.get(line.get("tax_code") or 0, NO_TAX),
        kind=_kind(line),
        group=line.get("group") or "",
        unit_cost=line.get("cost"),
    )


def _kind(line: Values) -> LineKind:
    return LineKind(line.get("kind") or LineKind.ITEM)


def _discount(values: Values) -> Discount:
    percent, amount = values.get("discount_percent"), values.get("discount_amount")
    return Discount(percent=percent or None, amount=None if percent else amount or None)


def _ambiguous(quote: Values, lines: Sequence[Values]) -> Iterable[FieldError]:
    if quote.get("discount_percent") and quote.get("discount_amount"):
        yield FieldError("discount_amount", _ONE_OF_TWO)
    for row, line in enumerate(lines):
        if line.get("discount_percent") and line.get("discount_amount"):
            yield FieldError("discount_amount", _ONE_OF_TWO, (), row)
