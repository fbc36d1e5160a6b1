"""Which price a product has."""

from decimal import Decimal

import pytest

from desktop_crm.core.errors import UserError
from desktop_crm.services.rules.price_lists import (
    Direction,
    PriceRow,
    PricingMethod,
    Product,
    Repricing,
    RoundTo,
    check_currency,
    find_price,
    find_row,
    price_for_margin,
    price_for_markup,
    repriced,
    round_price,
    row_price,
)

D = Decimal
PUMP = Product(1, list_price=D("120.00"), cost=D("60.00"))


def test_a_margin_is_part_of_the_price_and_a_markup_of_the_cost() -> None:
    assert str(price_for_margin(D(80), D(20))) == "100.00"
    assert str(price_for_markup(D(80), D(20))) == "96.00"
    assert price_for_margin(D(10), D(30)) == D("14.285714")


@pytest.mark.parametrize("margin", ["100", "120"])
def test_a_margin_of_everything_has_no_price(margin: str) -> None:
    with pytest.raises(UserError, match="below 100"):
        price_for_margin(D(1), D(margin))


@pytest.mark.parametrize(
    ("price", "to", "step", "direction", "expected"),
    [
        ("5.20", RoundTo.ENDS_IN, "0.99", Direction.NEAREST, "4.99"),
        ("5.49", RoundTo.ENDS_IN, "0.99", Direction.NEAREST, "5.99"),
        ("5.01", RoundTo.ENDS_IN, "0.99", Direction.UP, "5.99"),
        ("5.98", RoundTo.ENDS_IN, "0.99", Direction.DOWN, "4.99"),
        ("5.99", RoundTo.ENDS_IN, "0.99", Direction.UP, "5.99"),
        ("13", RoundTo.ENDS_IN, "9", Direction.NEAREST, "9"),
        ("14", RoundTo.ENDS_IN, "9", Direction.NEAREST, "19"),
        ("131", RoundTo.ENDS_IN, "99", Direction.UP, "199"),
        ("0.10", RoundTo.ENDS_IN, "0.99", Direction.DOWN, "0.99"),
        ("1.024", RoundTo.MULTIPLE_OF, "0.05", Direction.NEAREST, "1.00"),
        ("1.025", RoundTo.MULTIPLE_OF, "0.05", Direction.NEAREST, "1.05"),
        ("1.001", RoundTo.MULTIPLE_OF, "0.05", Direction.UP, "1.05"),
        ("1.23456", RoundTo.NONE, None, Direction.NEAREST, "1.23456"),
    ],
)
def test_prices_are_made_round(
    price: str, to: RoundTo, step: str | None, direction: Direction, expected: str
) -> None:
    assert round_price(D(price), to, D(step) if step else None, direction) == D(expected)


def test_nothing_is_no_step() -> None:
    with pytest.raises(UserError):
        round_price(D(1), RoundTo.MULTIPLE_OF, D(0))


def test_the_largest_break_reached_applies() -> None:
    rows = [
        PriceRow(1, min_quantity=D(break_), amount=D(price))
        for break_, price in (("10", "90"), ("0", "100"), ("50", "80"))
    ]
    prices = [find_price(rows, PUMP, None, D(q)) for q in ("1", "10", "49.9", "50", "-60")]
    assert prices == [D(100), D(90), D(90), D(80), D(80)]


def test_a_row_for_the_unit_goes_before_one_for_every_unit() -> None:
    rows = [PriceRow(1, amount=D(9), min_quantity=D(5)), PriceRow(1, unit=7, amount=D(50))]
    assert find_row(rows, 1, 7, D(6)) is rows[1]
    assert find_row(rows, 1, 8, D(6)) is rows[0]
    assert find_row(rows, 2, 7, D(6)) is None


def test_without_a_row_the_product_has_its_own_price() -> None:
    assert find_price([PriceRow(1, min_quantity=D(10), amount=D(1))], PUMP, None, D(2)) == D(120)
    assert find_price([], Product(3), None, D(1)) is None


@pytest.mark.parametrize(
    ("method", "percentage", "expected"),
    [
        (PricingMethod.PERCENT_OF_LIST, "90", "108.00"),
        (PricingMethod.MARKUP_ON_COST, "50", "90.00"),
        (PricingMethod.MARGIN_ON_COST, "50", "120.00"),
    ],
)
def test_a_row_may_calculate(method: PricingMethod, percentage: str, expected: str) -> None:
    row = PriceRow(1, method=method, percentage=D(percentage))
    assert str(row_price(row, PUMP)) == expected
    assert row_price(row, Product(1)) is None


def test_a_list_may_take_a_percentage_off() -> None:
    assert row_price(PriceRow(1, amount=D("33.33"), discount=D(10)), PUMP) == D("29.997")


def test_rounding_comes_after_the_formula() -> None:
    row = PriceRow(
        1,
        method=PricingMethod.MARKUP_ON_COST,
        percentage=D(33),
        round_to=RoundTo.ENDS_IN,
        round_amount=D("0.99"),
        direction=Direction.UP,
    )
    assert row_price(row, PUMP) == D("79.99")


@pytest.mark.parametrize(
    ("current", "before", "after", "overridden", "expected"),
    [
        ("100", "100", "90", False, Repricing.CHANGED),
        ("95", "100", "90", True, Repricing.ASK),
        ("95", "100", "100", True, Repricing.SAME),
        ("90", "100", "90", True, Repricing.SAME),
        ("100", "100", None, False, Repricing.SAME),
    ],
)
def test_a_typed_price_is_not_replaced_unasked(
    current: str, before: str, after: str | None, overridden: bool, expected: Repricing
) -> None:
    new = None if after is None else D(after)
    assert repriced(D(current), D(before), new, overridden=overridden) is expected


def test_a_price_list_needs_the_currency_of_the_quote() -> None:
    check_currency("RON", "RON")
    with pytest.raises(UserError, match="RON") as caught:
        check_currency("EUR", "RON")
    assert caught.value.field == "price_list"
