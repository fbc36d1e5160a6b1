"""Money is exact, rounds in one place and divides without losing a unit."""

from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any, cast

import pytest

from desktop_crm.core.money import (
    CurrencyMismatchError,
    Money,
    Rounding,
    allocate,
    exponent,
    quantum,
    round_amount,
)


@pytest.mark.parametrize(
    ("currency", "places"),
    [("JPY", 0), ("RON", 2), ("EUR", 2), ("BHD", 3), ("RSD", 2), ("IQD", 3), ("CLF", 4)],
)
def test_the_exponent_is_that_of_iso_4217(currency: str, places: int) -> None:
    assert exponent(currency) == places
    assert quantum(currency) == Decimal(1).scaleb(-places)


@pytest.mark.parametrize("text", ["", "eur", "EU", "EURO", "ÉUR"])
def test_what_is_no_currency_code_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="currency code"):
        exponent(text)


@pytest.mark.parametrize(
    ("value", "currency", "expected"),
    [
        ("1185.125", "RON", "1185.13"),
        ("-1185.125", "RON", "-1185.13"),
        ("0.5", "JPY", "1"),
        ("1.0005", "BHD", "1.001"),
        ("7", "EUR", "7.00"),
        ("-0.001", "EUR", "0.00"),
    ],
)
def test_half_a_unit_goes_away_from_zero(value: str, currency: str, expected: str) -> None:
    assert str(round_amount(Decimal(value), currency)) == expected


def test_the_mode_can_be_chosen() -> None:
    assert round_amount(Decimal("0.125"), "EUR", ROUND_HALF_EVEN) == Decimal("0.12")
    assert round_amount(Decimal("0.121"), "EUR", Rounding.UP) == Decimal("0.13")
    assert str(round_amount(Decimal("-0.001"), "EUR", Rounding.DOWN)) == "0.00"


def test_amounts_wider_than_the_default_context_are_not_rounded_twice() -> None:
    wide = Decimal("123456789012345678901234567890.125")
    assert round_amount(wide, "EUR") == Decimal("123456789012345678901234567890.13")


def test_the_units_left_over_go_to_the_largest_remainders() -> None:
    parts = allocate(Decimal("10.00"), [Decimal(100)] * 3, "EUR")
    assert [str(part) for part in parts] == ["3.34", "3.33", "3.33"]


def test_equal_remainders_go_to_the_larger_weight() -> None:
    # Two yen over 1 : 3 leave remainders of one half each.
    assert allocate(Decimal(2), [Decimal(1), Decimal(3)], "JPY") == (Decimal(0), Decimal(2))


def test_fractional_weights_divide_exactly() -> None:
    parts = allocate(Decimal("0.03"), [Decimal("0.1"), Decimal("0.20")], "EUR")
    assert parts == (Decimal("0.01"), Decimal("0.02"))


def test_a_credit_is_divided_as_its_mirror() -> None:
    weights = [Decimal("119.99"), Decimal("49.99"), Decimal(100)]
    plus = allocate(Decimal("13.50"), weights, "EUR")
    assert allocate(Decimal("-13.50"), weights, "EUR") == tuple(-part for part in plus)
    assert allocate(Decimal("13.50"), [-weight for weight in weights], "EUR") == plus


def test_nothing_divides_among_nothing() -> None:
    assert allocate(Decimal(0), [Decimal(0), Decimal(0)], "EUR") == (Decimal(0), Decimal(0))
    with pytest.raises(ValueError, match="sum to zero"):
        allocate(Decimal(1), [Decimal(1), Decimal(-1)], "EUR")


def test_a_total_finer_than_the_currency_is_refused() -> None:
    with pytest.raises(ValueError, match="fraction"):
        allocate(Decimal("0.005"), [Decimal(1)], "EUR")


def test_money_calculates_exactly() -> None:
    price = Money(Decimal("33.333333"), "RON")
    assert (price * Decimal("3.000001")).amount == Decimal("100.000032333333")
    assert 2 * price - price == price
    assert (price + Money.zero("RON")).rounded() == Money(Decimal("33.33"), "RON")
    assert abs(-price) == price
    assert not Money.zero("RON")
    assert str(price) == "33.333333 RON"


def test_money_compares_within_one_currency() -> None:
    small, large = Money(Decimal(1), "EUR"), Money(Decimal("1.01"), "EUR")
    assert small < large
    assert large > small
    same = Money(Decimal("1.0"), "EUR")
    assert same == small
    assert same <= small
    assert same >= small
    assert small != Money(Decimal(1), "RON")


def test_currencies_do_not_mix() -> None:
    with pytest.raises(CurrencyMismatchError, match="EUR and RON"):
        Money(Decimal(1), "EUR") + Money(Decimal(1), "RON")
    with pytest.raises(CurrencyMismatchError):
        assert Money(Decimal(1), "EUR") < Money(Decimal(1), "RON")


def test_binary_fractions_are_refused() -> None:
    with pytest.raises(TypeError):
        Money(cast(Any, 0.1), "EUR")
    with pytest.raises(TypeError):
        Money(Decimal(1), "EUR") * cast(Any, 0.1)


def test_a_sum_of_money_splits_into_itself() -> None:
    parts = Money(Decimal("100.00"), "EUR").split([Decimal(1), Decimal(1), Decimal(1)])
    assert [part.amount for part in parts] == [Decimal("33.34"), Decimal("33.33"), Decimal("33.33")]
