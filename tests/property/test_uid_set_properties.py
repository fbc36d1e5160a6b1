"""Sets of message numbers behave as Python's own sets do."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from desktop_crm.sync.imap.uid_set import UidSet

NUMBERS = st.sets(st.integers(1, 60))


@given(NUMBERS, NUMBERS, st.integers(0, 61))
def test_it_is_a_set(one: set[int], two: set[int], at: int) -> None:
    a, b = UidSet.of(one), UidSet.of(two)
    assert (a | b) == UidSet.of(one | two)
    assert (a - b) == UidSet.of(one - two)
    assert (a & b) == UidSet.of(one & two)
    assert (a ^ b) == UidSet.of(one ^ two)
    assert a.above(at) == UidSet.of({n for n in one if n > at})
    assert a.below(at) == UidSet.of({n for n in one if n < at})
    assert (len(a), bool(a), a.highest) == (len(one), bool(one), max(one, default=0))
    assert a.newest(5) == sorted(one, reverse=True)[:5]


@given(NUMBERS)
def test_its_written_form_is_read_back(numbers: set[int]) -> None:
    assert UidSet.read(str(UidSet.of(numbers))) == UidSet.of(numbers)
