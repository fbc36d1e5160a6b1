"""Sets of message numbers as ranges: two hundred thousand of them are a few bytes.

The written form is IMAP's own: ``1:5,7``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

_END: Final = 2**32


@dataclass(frozen=True, slots=True)
class UidSet:
    """A set of numbers from 1 up; `ranges` are disjoint, ascending and never touch."""

    ranges: tuple[tuple[int, int], ...] = ()

    @classmethod
    def of(cls, numbers: Iterable[int]) -> UidSet:
        """The set of some numbers, in any order."""
        found: list[tuple[int, int]] = []
        for number in sorted(set(numbers)):
            if found and found[-1][1] == number - 1:
                found[-1] = (found[-1][0], number)
            else:
                found.append((number, number))
        return cls(tuple(found))

    @classmethod
    def read(cls, text: str) -> UidSet:
        """The set of a written form.

        Raises:
            ValueError: it is none.
        """
        numbers: list[tuple[int, int]] = []
        for part in text.split(",") if text else ():
            first, _, last = part.partition(":")
            numbers.append((int(first), int(last or first)))
        return cls._joined(numbers)

    @classmethod
    def _joined(cls, ranges: Iterable[tuple[int, int]]) -> UidSet:
        found: list[tuple[int, int]] = []
        for first, last in sorted(ranges):
            if found and first <= found[-1][1] + 1:
                found[-1] = (found[-1][0], max(found[-1][1], last))
            elif first <= last:
                found.append((first, last))
        return cls(tuple(found))

    def __str__(self) -> str:
        """Return the written form."""
        return ",".join(str(a) if a == b else f"{a}:{b}" for a, b in self.ranges)

    def __len__(self) -> int:
        """Count the numbers."""
        return sum(last - first + 1 for first, last in self.ranges)

    def __bool__(self) -> bool:
        """Whether there is any."""
        return bool(self.ranges)

    def __or__(self, other: UidSet) -> UidSet:
        """Return what is in one or the other."""
        return self._joined((*self.ranges, *other.ranges))

    def __sub__(self, other: UidSet) -> UidSet:
        """Return what is here and not there."""
        found: list[tuple[int, int]] = []
        taken = iter((*other.ranges, (_END, _END)))
        start, end = next(taken)
        for first, last in self.ranges:
            at = first
            while at <= last:
                while end < at:
                    start, end = next(taken)
                if start > at:
                    found.append((at, min(last, start - 1)))
                at = end + 1 if start <= last else last + 1
        return UidSet(tuple(found))

    def __and__(self, other: UidSet) -> UidSet:
        """Return what is in both."""
        return self - (self - other)

    def __xor__(self, other: UidSet) -> UidSet:
        """Return what is in exactly one."""
        return (self - other) | (other - self)

    def above(self, number: int) -> UidSet:
        """Those greater than a number."""
        return self - UidSet(((1, number),)) if number > 0 else self

    def below(self, number: int) -> UidSet:
        """Those smaller than a number."""
        return self & UidSet(((1, number - 1),)) if number > 1 else UidSet()

    @property
    def highest(self) -> int:
        """The greatest, 0 for none."""
        return self.ranges[-1][1] if self.ranges else 0

    def newest(self, count: int) -> list[int]:
        """At most `count` of them, the greatest first."""
        found: list[int] = []
        for number in self._descending():
            if len(found) >= count:
                break
            found.append(number)
        return found

    def _descending(self) -> Iterator[int]:
        for first, last in reversed(self.ranges):
            yield from range(last, first - 1, -1)
