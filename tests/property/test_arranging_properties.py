"""Moving fields about a form never loses one, and every step can be taken back."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from desktop_crm.services.customizing import arranging
from desktop_crm.services.customizing.arranging import DIRECTIONS, Place
from desktop_crm.services.customizing.layout import (
    WIDEST_ROW,
    Layout,
    Part,
    Tab,
    from_json,
    to_json,
)

NAMES = tuple("abcdefg")
OPPOSITE = {"left": "right", "right": "left", "up": "down", "down": "up"}


@st.composite
def layouts(draw: st.DrawFn) -> Layout:
    """Forms of one or two tabs with all names in them or hidden."""
    names = draw(st.permutations(NAMES))
    hidden = draw(st.integers(0, 2))
    left = list(names[hidden:])
    parts: list[Part] = []
    for number in range(draw(st.integers(1, 4))):
        rows: list[tuple[str, ...]] = []
        for _ in range(draw(st.integers(0, 3))):
            size = draw(st.integers(1, WIDEST_ROW))
            row, left = tuple(left[:size]), left[size:]
            if row:
                rows.append(row)
        parts.append(Part(f"Part {number}", tuple(rows)))
    parts[-1] = Part(parts[-1].label, (*parts[-1].rows, *((name,) for name in left)))
    cut = draw(st.integers(1, len(parts)))
    tabs = [Tab("One", tuple(parts[:cut]))]
    if parts[cut:]:
        tabs.append(Tab("Two", tuple(parts[cut:])))
    return Layout(tuple(tabs), tuple(names[:hidden]))


def whole(layout: Layout) -> list[str]:
    return sorted((*layout.placed, *layout.hidden))


def rows_of(layout: Layout) -> list[tuple[str, ...]]:
    return [row for tab in layout.tabs for part in tab.parts for row in part.rows]


@given(layouts(), st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(DIRECTIONS))))
def test_steps_lose_nothing_and_keep_rows_narrow(
    layout: Layout, steps: list[tuple[str, str]]
) -> None:
    for name, direction in steps:
        layout = arranging.move(layout, name, direction)
        assert whole(layout) == sorted(NAMES)
        assert all(1 <= len(row) <= WIDEST_ROW for row in rows_of(layout))
    assert from_json(to_json(layout)) == layout


@given(layouts(), st.sampled_from(NAMES), st.data())
def test_a_field_comes_where_it_is_put(layout: Layout, name: str, data: st.DataObject) -> None:
    tab = data.draw(st.integers(0, len(layout.tabs) - 1))
    part = data.draw(st.integers(0, len(layout.tabs[tab].parts) - 1))
    row = data.draw(st.integers(0, len(layout.tabs[tab].parts[part].rows)))
    at = Place(tab, part, row, data.draw(st.integers(0, WIDEST_ROW)))
    own = data.draw(st.booleans())
    moved = arranging.put(layout, name, at, own_row=own)
    assert whole(moved) == sorted(NAMES)
    there = arranging.find(moved, name)
    assert there is not None
    assert (there.tab, there.part) == (tab, part)
    assert all(1 <= len(found) <= WIDEST_ROW for found in rows_of(moved))
    if own:
        assert len(moved.tabs[tab].parts[part].rows[there.row]) == 1


@given(layouts(), st.sampled_from(NAMES))
def test_up_and_down_reach_every_section_of_a_tab(layout: Layout, name: str) -> None:
    at = arranging.find(layout, name)
    if at is None:
        assert arranging.move(layout, name, "up") == layout
        return
    seen = set()
    for direction in ("up", "down"):
        for _ in range(3 * len(NAMES) + 6):
            layout = arranging.move(layout, name, direction)
            now = arranging.find(layout, name)
            assert now is not None
            seen.add(now.part)
    assert seen >= set(range(len(layout.tabs[at.tab].parts)))


@given(layouts(), st.sampled_from(NAMES), st.data())
def test_hiding_removing_and_moving_parts_lose_nothing(
    layout: Layout, name: str, data: st.DataObject
) -> None:
    layout = arranging.hide(layout, name)
    assert name in layout.hidden
    tab = data.draw(st.integers(0, len(layout.tabs) - 1))
    part = data.draw(st.integers(0, len(layout.tabs[tab].parts) - 1))
    step = data.draw(st.sampled_from((-1, 1)))
    for changed in (
        arranging.remove_part(layout, tab, part),
        arranging.remove_tab(layout, tab),
        arranging.move_part(layout, tab, part, step),
        arranging.move_tab(layout, tab, step),
        arranging.add_part(arranging.add_tab(layout, "New", "Part"), tab, "More"),
    ):
        assert whole(changed) == sorted(NAMES)
        assert all(1 <= len(row) <= WIDEST_ROW for row in rows_of(changed))
