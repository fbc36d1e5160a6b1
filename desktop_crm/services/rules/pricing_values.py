"""What goes into the calculation of a quote and what comes out: frozen values, no arithmetic."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Final

from desktop_crm.core.money import Rounding

_ZERO: Final = Decimal(0)
_HUNDRED: Final = Decimal(100)


class TaxCategory(StrEnum):
    """Why a rate applies, by the codes of EN 16931; each is a group of its own even at 0 %."""

    STANDARD = "S"
    ZERO = "Z"
    EXEMPT = "E"
    REVERSE_CHARGE = "AE"
    OUT_OF_SCOPE = "O"


class TaxRounding(StrEnum):
    """Where the tax is rounded: once for each rate, or on each line."""

    PER_RATE = "total"
    PER_LINE = "line"


class LineKind(StrEnum):
    """What a row of a quote is; only items enter the totals."""

    ITEM = "product"
    OPTIONAL = "optional"
    ALTERNATIVE = "alternative"
    TEXT = "text"
    SUBTOTAL = "subtotal"


@dataclass(frozen=True, slots=True)
class Tax:
    """The tax of a line: ``rate`` is a percentage (19 means 19 %), ``note`` its legal wording."""

    category: TaxCategory = TaxCategory.OUT_OF_SCOPE
    rate: Decimal = _ZERO
    code: str = ""
    note: str = ""


NO_TAX: Final = Tax()


@dataclass(frozen=True, slots=True)
class Discount:
    """A reduction as the person typed it: a percentage or an amount, never one made of the other.

    An amount carries the sign of what it reduces, so that of a credit line is negative.
    """

    percent: Decimal | None = None
    amount: Decimal | None = None

    def __post_init__(self) -> None:
        if self.percent is not None and self.amount is not None:
            raise ValueError("a discount is a percentage or an amount")

    def taken_from(self, value: Decimal) -> Decimal:
        """The part of ``value`` that goes away, not rounded."""
        if self.percent is not None:
            return value * self.percent / _HUNDRED
        return _ZERO if self.amount is None else self.amount


NO_DISCOUNT: Final = Discount()


@dataclass(frozen=True, slots=True)
class LineInput:
    """One row as typed. ``volume`` takes its amount per unit, ``discount`` from the whole line."""

    quantity: Decimal = _ZERO
    unit_price: Decimal = _ZERO
    discount: Discount = NO_DISCOUNT
    volume: Discount = NO_DISCOUNT
    tax: Tax = NO_TAX
    kind: LineKind = LineKind.ITEM
    group: str = ""
    unit_cost: Decimal | None = None


@dataclass(frozen=True, slots=True)
class DocumentInput:
    """A whole quote as typed.

    Attributes:
        currency: ISO 4217 code; amounts are rounded to its smallest unit.
        lines: Rows in the order shown.
        discount: Reduction of the sum of all lines.
        freight: Delivery charge, of the same kind (net or with tax) as the prices.
        freight_tax: Its own tax; None spreads it over the groups in proportion.
        tax_inclusive: Prices include the tax, and the amounts typed stay the masters.
        tax_rounding: Where the tax is rounded, for the whole document.
        rounding: How half a unit is decided.
    """

    currency: str
    lines: tuple[LineInput, ...] = ()
    discount: Discount = NO_DISCOUNT
    freight: Decimal = _ZERO
    freight_tax: Tax | None = None
    tax_inclusive: bool = False
    tax_rounding: TaxRounding = TaxRounding.PER_RATE
    rounding: Rounding = Rounding.HALF_UP


@dataclass(frozen=True, slots=True)
class LineTotals:
    """Amounts of one row.

    Attributes:
        gross: Quantity times price.
        discount: What volume and manual discount take away.
        net: What the line shows; of a subtotal row, the sum of the items since the last one.
        base: Its share of the taxable base, after the document's discount.
        tax: Its share of the tax; the shares of a group sum to the group's tax.
        included: It enters the totals.
    """

    gross: Decimal
    discount: Decimal
    net: Decimal
    base: Decimal
    tax: Decimal
    included: bool

    @property
    def total(self) -> Decimal:
        """Base and tax."""
        return self.base + self.tax


@dataclass(frozen=True, slots=True)
class TaxGroup:
    """All that shares one category, rate and legal note."""

    category: TaxCategory
    rate: Decimal
    note: str
    codes: tuple[str, ...]
    lines: Decimal
    discount: Decimal
    freight: Decimal
    base: Decimal
    tax: Decimal


@dataclass(frozen=True, slots=True)
class DocumentTotals:
    """Amounts of the document; ``total`` is ``base`` and ``tax``, and every column adds up.

    Attributes:
        subtotal: Sum of the lines before the document's discount.
        line_discount: Sum of the line discounts, already taken out of ``subtotal``.
        groups: Taxes, highest rate first.
        sections: Sum of the lines of each named group, in order of appearance.
        cost: Sum of the costs; None unless every item has one.
    """

    currency: str
    lines: tuple[LineTotals, ...]
    groups: tuple[TaxGroup, ...]
    sections: tuple[tuple[str, Decimal], ...]
    subtotal: Decimal
    line_discount: Decimal
    discount: Decimal
    freight: Decimal
    base: Decimal
    tax: Decimal
    total: Decimal
    cost: Decimal | None

    @property
    def margin(self) -> Decimal | None:
        """Net amount above the cost; None when a cost is unknown."""
        return None if self.cost is None else self.base - self.cost
