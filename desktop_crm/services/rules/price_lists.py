"""Which price a product has: price lists with quantity breaks, margin, markup and round prices.

Pure functions on rows that somebody else has read.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal, localcontext
from enum import StrEnum
from typing import Final

from desktop_crm.core.errors import UserError
from desktop_crm.core.i18n import N_
from desktop_crm.core.money import EXACT

PRICE_PLACES: Final = 6
"""Decimals of a unit price that is calculated, not typed."""

_HUNDRED: Final = Decimal(100)
_STEP: Final = Decimal(1).scaleb(-PRICE_PLACES)


class PricingMethod(StrEnum):
    """How a price list item comes to its price."""

    AMOUNT = "amount"
    PERCENT_OF_LIST = "percent_of_list"
    MARKUP_ON_COST = "markup_on_cost"
    MARGIN_ON_COST = "margin_on_cost"


class RoundTo(StrEnum):
    """Which prices are round: those that end in an amount, or its multiples."""

    NONE = "none"
    ENDS_IN = "ends_in"
    MULTIPLE_OF = "multiple_of"


class Direction(StrEnum):
    """To which round price a calculated one goes."""

    NEAREST = "nearest"
    UP = "up"
    DOWN = "down"


@dataclass(frozen=True, slots=True)
class PriceRow:
    """One row of a price list; it applies from ``min_quantity`` on.

    Attributes:
        product: Key of the product.
        unit: Key of the unit; None for every unit.
        amount: The price when the method is AMOUNT.
        discount: Percent that the list takes off, whatever the method.
        percentage: Percent of the product's list price, markup or margin on its cost.
        round_to: Which prices are round; ``round_amount`` is the ending or the step.
    """

    product: int
    unit: int | None = None
    min_quantity: Decimal = Decimal(0)
    method: PricingMethod = PricingMethod.AMOUNT
    amount: Decimal | None = None
    percentage: Decimal | None = None
    discount: Decimal | None = None
    round_to: RoundTo = RoundTo.NONE
    round_amount: Decimal | None = None
    direction: Direction = Direction.NEAREST


@dataclass(frozen=True, slots=True)
class Product:
    """What a price may be calculated from, in the price list's currency."""

    key: int
    list_price: Decimal | None = None
    cost: Decimal | None = None


class Repricing(StrEnum):
    """What a changed quantity means for the price of a line."""

    SAME = "same"
    CHANGED = "changed"
    ASK = "ask"


def price_for_margin(cost: Decimal, margin: Decimal) -> Decimal:
    """Price at which ``margin`` percent of it is earned above the cost.

    Raises:
        UserError: A margin of 100 percent or more has no price.
    """
    if margin >= _HUNDRED:
        raise UserError(N_("A margin is below 100 percent."), field="percentage")
    with localcontext(EXACT):
        return _price(cost + cost * margin / (_HUNDRED - margin))


def price_for_markup(cost: Decimal, markup: Decimal) -> Decimal:
    """The cost and ``markup`` percent of it."""
    with localcontext(EXACT):
        return _price(cost + cost * markup / _HUNDRED)


def round_price(
    price: Decimal, to: RoundTo, step: Decimal | None, direction: Direction = Direction.NEAREST
) -> Decimal:
    """The round price nearest to ``price``, or the next one up or down; halves go up.

    ``ENDS_IN`` 0.99 gives 4.99, 5.99 …; ``ENDS_IN`` 9 gives 9, 19 …; ``MULTIPLE_OF`` 0.05 gives
    1.00, 1.05 … A price never becomes negative.

    Raises:
        UserError: Prices cannot end in, or be multiples of, nothing.
    """
    if to is RoundTo.NONE:
        return price
    if step is None or step <= 0:
        raise UserError(
            N_("The amount to round prices to must be above zero."), field="round_amount"
        )
    with localcontext(EXACT):
        offset = step if to is RoundTo.ENDS_IN else Decimal(0)
        period = Decimal(10) ** (step.adjusted() + 1) if step >= 1 else Decimal(1)
        if to is RoundTo.MULTIPLE_OF:
            period = step
        turns = (price - offset) / period
        below = max(Decimal(0), turns.to_integral_value(ROUND_FLOOR)) * period + offset
        above = max(Decimal(0), turns.to_integral_value(ROUND_CEILING)) * period + offset
        if direction is Direction.UP:
            return above
        if direction is Direction.DOWN:
            return below
        return above if above - price <= price - below else below


def find_row(
    rows: Iterable[PriceRow], product: int, unit: int | None, quantity: Decimal
) -> PriceRow | None:
    """The row with the largest quantity break that ``quantity`` reaches; None when there is none.

    A row for the unit goes before one for every unit. A credit counts by its size.
    """
    reached = [
        row
        for row in rows
        if row.product == product and row.unit in (None, unit) and row.min_quantity <= abs(quantity)
    ]
    return max(reached, key=lambda row: (row.unit is not None, row.min_quantity), default=None)


def row_price(row: PriceRow, product: Product) -> Decimal | None:
    """The unit price by the row's method; None when what it is calculated from is unknown."""
    raw = _raw_price(row, product)
    if raw is None:
        return None
    if row.discount:
        with localcontext(EXACT):
            raw = _price(raw * (_HUNDRED - row.discount) / _HUNDRED)
    return round_price(raw, row.round_to, row.round_amount, row.direction)


def find_price(
    rows: Iterable[PriceRow], product: Product, unit: int | None, quantity: Decimal
) -> Decimal | None:
    """Price of a product by the list, else its own list price; None when neither is known."""
    row = find_row(rows, product.key, unit, quantity)
    price = row_price(row, product) if row else None
    return product.list_price if price is None else price


def repriced(
    current: Decimal, before: Decimal | None, after: Decimal | None, *, overridden: bool
) -> Repricing:
    """What to do when a quantity crossed a break of the price list.

    Args:
        current: Price on the line.
        before: Price by the list for the old quantity.
        after: Price by the list for the new quantity.
        overridden: The person typed the price.
    """
    if after is None or after in (before, current):
        return Repricing.SAME
    return Repricing.ASK if overridden else Repricing.CHANGED


def check_currency(price_list: str, document: str) -> None:
    """A price list is used only for documents of its own currency.

    Raises:
        UserError: The currencies differ.
    """
    if price_list != document:
        raise UserError(
            N_(
                "The price list is in {price_list} and the quote in {document}. "
                "Choose a price list in {document}."
            ),
            field="price_list",
            price_list=price_list,
            document=document,
        )


def _raw_price(row: PriceRow, product: Product) -> Decimal | None:
    if row.method is PricingMethod.AMOUNT:
        return row.amount
    source = product.list_price if row.method is PricingMethod.PERCENT_OF_LIST else product.cost
    if source is None or row.percentage is None:
        return None
    if row.method is PricingMethod.MARGIN_ON_COST:
        return price_for_margin(source, row.percentage)
    if row.method is PricingMethod.MARKUP_ON_COST:
        return price_for_markup(source, row.percentage)
    with localcontext(EXACT):
        return _price(source * row.percentage / _HUNDRED)


def _price(value: Decimal) -> Decimal:
    """At most six decimals, and none that say nothing beyond two."""
    price = value.quantize(_STEP, context=EXACT)
    bare = price.normalize(EXACT)
    places = -int(bare.as_tuple().exponent)
    return bare if places > 2 else price.quantize(Decimal("0.01"), context=EXACT)
