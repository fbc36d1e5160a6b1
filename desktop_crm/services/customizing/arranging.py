"""Moving fields about a form: every step gives a new layout, so that it can be shown first.

A field's place is its tab, section, row and place in the row. Left and right move it within its
row and join the row beside; up and down give it a row of its own, over the edge of a section into
the next one. Every arrangement can be reached that way.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from desktop_crm.services.customizing.layout import WIDEST_ROW, Layout, Part, Tab

LEFT, RIGHT, UP, DOWN = "left", "right", "up", "down"
DIRECTIONS: Final = (LEFT, RIGHT, UP, DOWN)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a field stands, or where it shall come."""

    tab: int
    part: int
    row: int
    column: int = 0


def find(layout: Layout, name: str) -> Place | None:
    """Place of a field; None when the form does not show it."""
    for t, tab in enumerate(layout.tabs):
        for p, part in enumerate(tab.parts):
            for r, row in enumerate(part.rows):
                if name in row:
                    return Place(t, p, r, row.index(name))
    return None


def put(layout: Layout, name: str, at: Place, *, own_row: bool = False) -> Layout:
    """Put a field somewhere, from wherever it is.

    Args:
        layout: The form.
        name: The field; one that is hidden is shown.
        at: Where; a full row, and a row behind the last, gives it a row of its own.
        own_row: Give it a row of its own before the row named.
    """
    # A blank keeps the place of the field until it stands anew, so that numbers stay right.
    blank = _each_row(layout, lambda row: tuple("" if other == name else other for other in row))
    parts = list(blank.tabs[at.tab].parts)
    rows = list(parts[at.part].rows)
    joins = not own_row and at.row < len(rows) and len([n for n in rows[at.row] if n]) < WIDEST_ROW
    if joins:
        row = list(rows[at.row])
        row.insert(at.column, name)
        rows[at.row] = tuple(row)
    else:
        rows.insert(at.row, (name,))
    parts[at.part] = replace(parts[at.part], rows=tuple(rows))
    placed = _of_tab(blank, at.tab, lambda one: replace(one, parts=tuple(parts)))
    shown = _each_row(placed, lambda row: tuple(other for other in row if other))
    return replace(shown, hidden=tuple(n for n in layout.hidden if n != name))


def _each_row(layout: Layout, change: Callable[[tuple[str, ...]], tuple[str, ...]]) -> Layout:
    """Change every row; those that become empty go."""
    tabs = tuple(
        replace(
            tab,
            parts=tuple(
                replace(part, rows=tuple(row for old in part.rows if (row := change(old))))
                for part in tab.parts
            ),
        )
        for tab in layout.tabs
    )
    return replace(layout, tabs=tabs)


def move(layout: Layout, name: str, direction: str) -> Layout:
    """Move a field one step; the same layout when there is nowhere to go."""
    at = find(layout, name)
    if at is None:
        return layout
    row = _part(layout, at.tab, at.part).rows[at.row]
    if direction in {LEFT, RIGHT}:
        step = -1 if direction == LEFT else 1
        if 0 <= at.column + step < len(row):
            return put(layout, name, replace(at, column=at.column + (2 if step > 0 else -1)))
        return _join(layout, name, at, step)
    return _leave(layout, name, at, -1 if direction == UP else 1)


def _join(layout: Layout, name: str, at: Place, step: int) -> Layout:
    """Join the row above at its end, or the row below at its beginning."""
    rows = _part(layout, at.tab, at.part).rows
    target = at.row + step
    if not 0 <= target < len(rows) or len(rows[target]) >= WIDEST_ROW:
        return layout
    return put(layout, name, replace(at, row=target, column=len(rows[target]) if step < 0 else 0))


def _leave(layout: Layout, name: str, at: Place, step: int) -> Layout:
    """Take a row of its own above or below; at the edge go to the next section."""
    rows = _part(layout, at.tab, at.part).rows
    if len(rows[at.row]) > 1:
        return put(layout, name, replace(at, row=at.row + (step > 0)), own_row=True)
    target = at.row + step
    if 0 <= target < len(rows):
        return put(layout, name, replace(at, row=target + (step > 0)), own_row=True)
    part = at.part + step
    if not 0 <= part < len(layout.tabs[at.tab].parts):
        return layout
    end = len(_part(layout, at.tab, part).rows) if step < 0 else 0
    return put(layout, name, Place(at.tab, part, end), own_row=True)


def hide(layout: Layout, name: str) -> Layout:
    """Take a field out of the form; it is listed among those not shown."""
    if find(layout, name) is None:
        return layout
    left = _each_row(layout, lambda row: tuple(other for other in row if other != name))
    return replace(left, hidden=(*left.hidden, name))


def add_tab(layout: Layout, label: str, part: str) -> Layout:
    """Add a tab at the end, with one empty section."""
    return replace(layout, tabs=(*layout.tabs, Tab(label, (Part(part),))))


def add_part(layout: Layout, tab: int, label: str) -> Layout:
    """Add an empty section at the end of a tab."""
    return _of_tab(layout, tab, lambda one: replace(one, parts=(*one.parts, Part(label))))


def rename_tab(layout: Layout, tab: int, label: str) -> Layout:
    """Give a tab another title."""
    return _of_tab(layout, tab, lambda one: replace(one, label=label))


def rename_part(layout: Layout, tab: int, part: int, label: str) -> Layout:
    """Give a section another title."""
    parts = list(layout.tabs[tab].parts)
    parts[part] = replace(parts[part], label=label)
    return _of_tab(layout, tab, lambda one: replace(one, parts=tuple(parts)))


def remove_part(layout: Layout, tab: int, part: int) -> Layout:
    """Take a section away; its fields go to the section before, or after the first."""
    parts = list(layout.tabs[tab].parts)
    if len(parts) < 2:
        return layout
    gone = parts.pop(part)
    to = max(part - 1, 0)
    rows = (*parts[to].rows, *gone.rows) if part else (*gone.rows, *parts[to].rows)
    parts[to] = replace(parts[to], rows=rows)
    return _of_tab(layout, tab, lambda one: replace(one, parts=tuple(parts)))


def remove_tab(layout: Layout, tab: int) -> Layout:
    """Take a tab away; its sections go to the tab before, or after the first."""
    tabs = list(layout.tabs)
    if len(tabs) < 2:
        return layout
    gone = tabs.pop(tab)
    to = max(tab - 1, 0)
    kept = tuple(part for part in gone.parts if part.rows)
    parts = (*tabs[to].parts, *kept) if tab else (*kept, *tabs[to].parts)
    tabs[to] = replace(tabs[to], parts=parts)
    return replace(layout, tabs=tuple(tabs))


def move_part(layout: Layout, tab: int, part: int, step: int) -> Layout:
    """Move a section up or down; over the edge it goes to the next tab."""
    parts = list(layout.tabs[tab].parts)
    to = part + step
    if 0 <= to < len(parts):
        parts.insert(to, parts.pop(part))
        return _of_tab(layout, tab, lambda one: replace(one, parts=tuple(parts)))
    if not 0 <= tab + step < len(layout.tabs) or len(parts) < 2:
        return layout
    moved = parts.pop(part)
    others = list(layout.tabs[tab + step].parts)
    others.insert(len(others) if step < 0 else 0, moved)
    left = _of_tab(layout, tab, lambda one: replace(one, parts=tuple(parts)))
    return _of_tab(left, tab + step, lambda one: replace(one, parts=tuple(others)))


def move_tab(layout: Layout, tab: int, step: int) -> Layout:
    """Move a tab to the left or right."""
    tabs = list(layout.tabs)
    if not 0 <= tab + step < len(tabs):
        return layout
    tabs.insert(tab + step, tabs.pop(tab))
    return replace(layout, tabs=tuple(tabs))


def _part(layout: Layout, tab: int, part: int) -> Part:
    return layout.tabs[tab].parts[part]


def _of_tab(layout: Layout, tab: int, change: Callable[[Tab], Tab]) -> Layout:
    tabs = list(layout.tabs)
    tabs[tab] = change(tabs[tab])
    return replace(layout, tabs=tuple(tabs))
