"""Which row of a grouped list shows what: heads of groups, and records by their place in order."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import Final

HEAD: Final = -1


class GroupMap:
    """Rows of groups that can be closed; every question costs one bisection.

    Records are named by their position among all records in the order of the list.

    Args:
        counts: Number of records of each group, in order.
        closed: Groups that show their head alone.
    """

    def __init__(self, counts: Sequence[int], closed: Iterable[int] = ()) -> None:
        self._bases = array("q", accumulate(counts, initial=0))
        self._closed = bytearray(len(counts))
        for group in closed:
            self._closed[group] = 1
        self._place()

    def _place(self) -> None:
        bases, closed = self._bases, self._closed
        sizes = (
            1 if closed[group] else 1 + bases[group + 1] - bases[group]
            for group in range(len(closed))
        )
        self._heads = array("q", accumulate(sizes, initial=0))

    @property
    def rows(self) -> int:
        """Number of rows."""
        return self._heads[-1]

    @property
    def groups(self) -> int:
        """Number of groups."""
        return len(self._closed)

    def at(self, row: int) -> tuple[int, int]:
        """Group of a row and the record's place within it; :data:`HEAD` for the group's head."""
        group = bisect_right(self._heads, row) - 1
        return group, row - self._heads[group] - 1

    def position(self, row: int) -> int:
        """Position of the record in a row; :data:`HEAD` for the head of a group."""
        group, place = self.at(row)
        return HEAD if place == HEAD else self._bases[group] + place

    def row_of(self, position: int) -> int:
        """Row of a record; that of its group's head while the group is closed."""
        group = bisect_right(self._bases, position) - 1
        if self._closed[group]:
            return self._heads[group]
        return self._heads[group] + 1 + position - self._bases[group]

    def head(self, group: int) -> int:
        """Row of a group's head."""
        return self._heads[group]

    def last(self, group: int) -> int:
        """Last row of a group; its head while it is closed."""
        return self._heads[group + 1] - 1

    def between(self, first: int, last: int) -> tuple[int, int]:
        """Positions of the records that rows stand for, the end not included.

        A head stands for every record of its group.
        """
        group, place = self.at(first)
        start = self._bases[group] + max(place, 0)
        group, place = self.at(last)
        whole = self._heads[group] >= first
        end = self._bases[group + 1] if whole else self._bases[group] + place + 1
        return start, end

    def is_open(self, group: int) -> bool:
        """Whether a group shows its records."""
        return not self._closed[group]

    def size(self, group: int) -> int:
        """Number of records of a group."""
        return self._bases[group + 1] - self._bases[group]

    def set_open(self, group: int, *, is_open: bool) -> None:
        """Show or hide the records of a group."""
        self._closed[group] = not is_open
        self._place()

    def set_all_open(self, *, is_open: bool) -> None:
        """Show or hide the records of every group."""
        self._closed = bytearray(b"\0" if is_open else b"\1") * len(self._closed)
        self._place()

    def closed(self) -> list[int]:
        """Groups that show their head alone."""
        return [group for group, closed in enumerate(self._closed) if closed]
