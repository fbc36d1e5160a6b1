"""What must hold for every amount, not only for the ones somebody thought of."""

from decimal import Decimal

from hypothesis import assume, given
from hypothesis import strategies as st

from desktop_crm.core.money import allocate, exponent, quantum, round_amount

currencies = st.sampled_from(["RON", "EUR", "JPY", "BHD"])
weights = st.lists(
    st.decimals(min_value=0, max_value=10**9, places=6, allow_nan=False), min_size=1, max_size=20
)


@given(units=st.integers(-(10**12), 10**12), shares=weights, currency=currencies)
def test_the_parts_of_an_amount_sum_to_it(units: int, shares: list[Decimal], currency: str) -> None:
    assume(sum(shares) > 0)
    total = Decimal(units).scaleb(-exponent(currency))
    parts = allocate(total, shares, currency)
    assert sum(parts) == total
    whole = sum(shares)
    for part, share in zip(parts, shares, strict=True):
        assert abs(part - total * share / whole) < quantum(currency) + Decimal("1e-9")


@given(
    units=st.integers(0, 10**9),
    shares=st.lists(st.integers(-(10**6), 10**6).map(Decimal), min_size=1, max_size=8),
)
def test_weights_of_both_signs_lose_nothing(units: int, shares: list[Decimal]) -> None:
    assume(sum(shares) != 0)
    total = Decimal(units).scaleb(-2)
    assert sum(allocate(total, shares, "EUR")) == total


@given(
    value=st.decimals(min_value=-(10**12), max_value=10**12, places=8, allow_nan=False),
    currency=currencies,
)
def test_rounding_is_near_symmetrical_and_stable(value: Decimal, currency: str) -> None:
    rounded = round_amount(value, currency)
    assert abs(rounded - value) <= quantum(currency) / 2
    assert round_amount(-value, currency) == -rounded
    assert round_amount(rounded, currency) == rounded
    assert not (rounded == 0 and rounded.is_signed())
