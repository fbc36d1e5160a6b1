"""Rows of a grouped list and positions of its records are one mapping, whatever is closed."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from desktop_crm.views.lists.group_map import HEAD, GroupMap

counts = st.lists(st.integers(1, 6), min_size=1, max_size=12)


@given(sizes=counts, data=st.data())
def test_rows_are_those_of_the_list_written_out(sizes: list[int], data: st.DataObject) -> None:
    closed = data.draw(st.sets(st.integers(0, len(sizes) - 1)))
    places = GroupMap(sizes)
    for group in closed:
        places.set_open(group, is_open=False)
    written: list[tuple[int, int]] = []
    position = 0
    for group, size in enumerate(sizes):
        written.append((group, HEAD))
        if group not in closed:
            written += [(group, position + n) for n in range(size)]
        position += size
    assert places.rows == len(written)
    assert [(places.at(row)[0], places.position(row)) for row in range(places.rows)] == written
    assert set(places.closed()) == closed
    for group in range(len(sizes)):
        rows = [row for row, (g, _position) in enumerate(written) if g == group]
        assert (places.head(group), places.last(group)) == (rows[0], rows[-1])
    first = data.draw(st.integers(0, places.rows - 1))
    last = data.draw(st.integers(first, places.rows - 1))
    bases = [sum(sizes[:group]) for group in range(len(sizes) + 1)]
    expected: set[int] = set()
    for group, at in written[first : last + 1]:
        expected |= set(range(bases[group], bases[group + 1])) if at == HEAD else {at}
    assert set(range(*places.between(first, last))) == expected
    for at in range(position):
        row = places.row_of(at)
        assert written[row][1] in {at, HEAD}
        assert places.at(row)[0] == places.at(places.row_of(at))[0]
