"""How the room of a list is shared among its columns."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from desktop_crm.views import theme
from desktop_crm.views.lists.columns import ListColumn

_LEAST_COLUMNS: Final = 2


def widths(
    columns: Sequence[ListColumn],
    chosen: Mapping[str, int],
    room: int,
    header_room: Callable[[str], int],
    *,
    drops: bool,
) -> list[int]:
    """Widths of the columns that are shown, from the left; the rest has to be hidden.

    Args:
        columns: The columns in order.
        chosen: Widths the person chose at the present text size, by path.
        room: Pixels to fill.
        header_room: Width a header text needs.
        drops: The last columns give way where there is no room; else all stay and scroll.
    """
    scale = theme.scaled(100) / 100
    usual = [chosen.get(column.path, round(column.width * scale)) for column in columns]
    least = [
        width if column.path in chosen else round(width * column.shrinks)
        for column, width in zip(columns, usual, strict=True)
    ]
    wanted = [
        width if column.path in chosen else max(width, header_room(column.label))
        for column, width in zip(columns, usual, strict=True)
    ]
    shown = len(wanted)
    while drops and shown > _LEAST_COLUMNS and sum(least[:shown]) > room:
        shown -= 1
    return _shared(room, wanted[:shown], least[:shown], [column.grows for column in columns])


def _shared(room: int, wanted: list[int], least: list[int], grows: list[bool]) -> list[int]:
    """Widths between least and more than wanted that fill the room when they can."""
    spare = room - sum(wanted)
    if spare < 0:
        give = sum(w - low for w, low in zip(wanted, least, strict=True))
        part = min(1.0, -spare / give) if give else 0.0
        made = [w - int((w - low) * part) for w, low in zip(wanted, least, strict=True)]
    else:
        share = sum(w for w, grow in zip(wanted, grows, strict=False) if grow)
        made = [
            w + (spare * w // share if grow and share else 0)
            for w, grow in zip(wanted, grows, strict=False)
        ]
    rest = room - sum(made)
    if abs(rest) <= len(made) and made:
        made[0] += rest  # what rounding left over
    return made
