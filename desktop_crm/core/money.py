"""Amounts of money: exact decimals, one place where they are rounded, one way to divide them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, ROUND_UP, Context, Decimal
from enum import StrEnum
from typing import Final, Self

EXACT: Final = Context(prec=80)
"""Context wide enough that sums and products of prices and quantities lose no digit."""

_DEFAULT_EXPONENT: Final = 2
_CODE_LENGTH: Final = 3

# ISO 4217, table A.1, column "minor unit": every currency that does not have two decimals. The CLDR
# table (Babel) is about how cash is shown and differs: LBP and RSD without decimals, IQD too.
_EXPONENTS: Final[dict[str, int]] = {
    **dict.fromkeys(
        (
            *("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG"),
            *("RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF"),
        ),
        0,
    ),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
    **dict.fromkeys(("CLF", "UYW"), 4),
}


class Rounding(StrEnum):
    """How an amount between two smallest units is decided; the values are those of `decimal`."""

    HALF_UP = ROUND_HALF_UP
    HALF_EVEN = ROUND_HALF_EVEN
    UP = ROUND_UP
    DOWN = ROUND_DOWN


class CurrencyMismatchError(ValueError):
    """Two currencies met in one calculation: a mistake of the program, never of the person."""

    def __init__(self, left: str, right: str) -> None:
        super().__init__(f"{left} and {right} cannot be combined without an exchange rate")


def exponent(currency: str) -> int:
    """Decimals of the currency's smallest unit by ISO 4217: 0 for JPY, 2 for EUR, 3 for BHD.

    Raises:
        ValueError: `currency` is not three capital letters.
    """
    if len(currency) != _CODE_LENGTH or not currency.isascii() or not currency.isupper():
        raise ValueError(f"not a currency code: {currency!r}")
    return _EXPONENTS.get(currency, _DEFAULT_EXPONENT)


def quantum(currency: str) -> Decimal:
    """The smallest unit of the currency as an amount: 0.01 for EUR, 1 for JPY."""
    return Decimal(1).scaleb(-exponent(currency))


def round_amount(value: Decimal, currency: str, mode: str = ROUND_HALF_UP) -> Decimal:
    """`value` at the currency's smallest unit; half a unit goes away from zero by default.

    Never gives a negative zero. The result always carries the currency's number of decimals.
    """
    rounded = value.quantize(quantum(currency), rounding=mode, context=EXACT)
    return rounded if rounded else abs(rounded)


def allocate(total: Decimal, weights: Sequence[Decimal], currency: str) -> tuple[Decimal, ...]:
    """Divide `total` in proportion to `weights` so that the parts sum to it exactly.

    Largest remainder: every part gets its share rounded down to the smallest unit; the units left
    over go to the largest remainders, then to the larger weight, then to the earlier place.
    Negative totals and weights are mirrored.

    Args:
        total: an amount already at the currency's smallest unit.
        weights: one per part; they need not sum to one, and single ones may be negative.
        currency: ISO 4217 code.

    Raises:
        ValueError: `total` has a fraction of the smallest unit, or the weights sum to zero while
            there is something to divide.
    """
    unit = quantum(currency)
    scaled = total.scaleb(exponent(currency), context=EXACT)
    units = int(scaled)
    if units != scaled:
        raise ValueError(f"{total} has a fraction of the smallest unit of {currency}")
    whole_weights = _as_integers(weights)
    whole = sum(whole_weights)
    if whole == 0:
        if units:
            raise ValueError("an amount cannot be divided among weights that sum to zero")
        return (Decimal(0) * unit,) * len(weights)
    if whole < 0:
        whole, whole_weights = -whole, [-weight for weight in whole_weights]
    sign = -1 if units < 0 else 1
    parts = _largest_remainder(abs(units), whole_weights, whole)
    return tuple(EXACT.multiply(Decimal(sign * part), unit) for part in parts)


def _largest_remainder(units: int, weights: Sequence[int], whole: int) -> list[int]:
    divided = [divmod(units * weight, whole) for weight in weights]
    parts = [part for part, _ in divided]
    by_claim = sorted(range(len(weights)), key=lambda i: (-divided[i][1], -abs(weights[i]), i))
    for index in by_claim[: units - sum(parts)]:
        parts[index] += 1
    return parts


def _as_integers(weights: Sequence[Decimal]) -> list[int]:
    """The weights times one power of ten, so that shares need no rounding of their own."""
    exponents = [weight.as_tuple().exponent for weight in weights]
    places = -min((e for e in exponents if isinstance(e, int)), default=0)
    return [int(weight.scaleb(places, context=EXACT)) for weight in weights]


@dataclass(frozen=True, slots=True)
class Money:
    """An exact amount in one currency; it is not rounded until `rounded()` is asked for."""

    amount: Decimal
    currency: str

    def __post_init__(self) -> None:
        if not isinstance(self.amount, Decimal):
            raise TypeError(f"an amount must be a Decimal, not {type(self.amount).__name__}")
        exponent(self.currency)

    def __add__(self, other: Money) -> Money:
        return Money(EXACT.add(self.amount, self._same(other)), self.currency)

    def __sub__(self, other: Money) -> Money:
        return Money(EXACT.subtract(self.amount, self._same(other)), self.currency)

    def __mul__(self, factor: Decimal | int) -> Money:
        if not isinstance(factor, Decimal | int):
            raise TypeError(f"a factor must be exact, not {type(factor).__name__}")
        return Money(EXACT.multiply(self.amount, Decimal(factor)), self.currency)

    __rmul__ = __mul__

    def __neg__(self) -> Money:
        return Money(EXACT.minus(self.amount), self.currency)

    def __abs__(self) -> Money:
        return Money(EXACT.abs(self.amount), self.currency)

    def __bool__(self) -> bool:
        return bool(self.amount)

    def __lt__(self, other: Money) -> bool:
        return self.amount < self._same(other)

    def __le__(self, other: Money) -> bool:
        return self.amount <= self._same(other)

    def __gt__(self, other: Money) -> bool:
        return self.amount > self._same(other)

    def __ge__(self, other: Money) -> bool:
        return self.amount >= self._same(other)

    def __str__(self) -> str:
        return f"{self.amount} {self.currency}"

    @classmethod
    def zero(cls, currency: str) -> Self:
        """Nothing, in that currency."""
        return cls(Decimal(0), currency)

    def rounded(self, mode: str = ROUND_HALF_UP) -> Money:
        """The amount at the currency's smallest unit."""
        return Money(round_amount(self.amount, self.currency, mode), self.currency)

    def split(self, weights: Sequence[Decimal]) -> tuple[Money, ...]:
        """The amount divided by `allocate`; the parts sum to it exactly."""
        return tuple(
            Money(part, self.currency) for part in allocate(self.amount, weights, self.currency)
        )

    def _same(self, other: Money) -> Decimal:
        if other.currency != self.currency:
            raise CurrencyMismatchError(self.currency, other.currency)
        return other.amount
