"""How a list is arranged: everything a view keeps, as one frozen value with a stored form."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

from desktop_crm.meta import kinds
from desktop_crm.meta.bound import BoundField
from desktop_crm.services import filters
from desktop_crm.services.filters import Node
from desktop_crm.services.record_query import MOST_COLUMNS, Order

_NUMBERS: Final = frozenset({kinds.INTEGER, kinds.QUANTITY, kinds.MONEY, kinds.PERCENT})
TONES: Final = ("bad", "warn", "ok", "info", "neutral")
"""Colours a conditional format can have."""
ICONS: Final = ("flag", "alert", "star", "clock", "checkmark_circle", "question_circle", "call",
                "mail", "handshake", "target")  # fmt: skip
"""Drawings a conditional format can put in front of the title."""
_WIDEST: Final = 5_000
_MOST: Final = 100


class Density(StrEnum):
    """How high the rows of a list are."""

    COMPACT = "compact"
    NORMAL = "normal"
    COMFORTABLE = "comfortable"


class Summary(StrEnum):
    """What the totals row says of a column."""

    COUNT = "count"
    SUM = "sum"
    AVERAGE = "average"
    LEAST = "min"
    GREATEST = "max"


@dataclass(frozen=True, slots=True)
class Format:
    """How rows that meet a condition look; of several that do, the first wins.

    Attributes:
        filter: The condition.
        tone: Colour of text and background, one of :data:`TONES`, or empty.
        icon: Drawing in front of the title, one of :data:`ICONS`, or empty.
        bold: Whether the texts are heavier.
    """

    filter: Node
    tone: str = ""
    icon: str = ""
    bold: bool = False


@dataclass(frozen=True, slots=True)
class ListLayout:
    """What a view says about a list; what is empty is left to the list's defaults.

    Attributes:
        columns: Field paths, also over links such as ``account.city``.
        widths: Pixels at the normal text size, by path.
        frozen: So many columns at the left stay where they are.
        order: Sorts, the first decides.
        filter: Conditions, None for all.
        group: Field path the rows are grouped by; empty for none.
        totals: What the totals row says, by path.
        formats: Conditional formats.
        density: Height of the rows.
        board: Choice or link field whose values are the columns of a board; empty for a table.
    """

    columns: tuple[str, ...] = ()
    widths: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    frozen: int = 0
    order: tuple[Order, ...] = ()
    filter: Node | None = None
    group: str = ""
    totals: Mapping[str, Summary] = field(default_factory=lambda: MappingProxyType({}))
    formats: tuple[Format, ...] = ()
    density: Density = Density.NORMAL
    board: str = ""


PLAIN: Final = ListLayout()
"""The layout that leaves everything to the list."""


def summaries(field: BoundField) -> tuple[Summary, ...]:
    """Totals that make sense for a field."""
    if field.column is None:
        return ()
    if field.kind in _NUMBERS:
        return tuple(Summary)
    if field.kind in {kinds.DATE, kinds.DATETIME}:
        return (Summary.COUNT, Summary.LEAST, Summary.GREATEST)
    return (Summary.COUNT,)


def to_json(layout: ListLayout) -> dict[str, Any]:
    """Plain form that is stored with views and leaves the database with them."""
    return {
        "columns": list(layout.columns),
        "widths": dict(layout.widths),
        "frozen": layout.frozen,
        "order": [f"-{o.field}" if o.descending else o.field for o in layout.order],
        "filter": filters.to_json(layout.filter),
        "group": layout.group,
        "totals": {path: summary.value for path, summary in layout.totals.items()},
        "formats": [
            {"filter": filters.to_json(f.filter), "tone": f.tone, "icon": f.icon, "bold": f.bold}
            for f in layout.formats
        ],
        "density": layout.density.value,
        "board": layout.board,
    }


def from_json(data: Mapping[str, Any]) -> ListLayout:
    """Read the stored form; older ones keep one sort as a text.

    What a person wrote by hand may be anything: values nobody can show are brought into bounds.

    Raises:
        UserError: A filter cannot be read.
        ValueError: It is no layout at all; so are TypeError, KeyError and AttributeError.
    """
    order = data.get("order") or ()
    sorts = (order,) if isinstance(order, str) else tuple(order)
    formats = (
        Format(
            condition,
            _one_of(TONES, f.get("tone")),
            _one_of(ICONS, f.get("icon")),
            bool(f.get("bold")),
        )
        for f in (data.get("formats") or ())[:_MOST]
        if (condition := filters.from_json(f.get("filter"))) is not None
    )
    return ListLayout(
        columns=_paths(data.get("columns") or ())[:MOST_COLUMNS],
        widths=MappingProxyType(
            {p: _number(w, _WIDEST) for p, w in (data.get("widths") or {}).items()}
        ),
        frozen=_number(data.get("frozen") or 0, MOST_COLUMNS),
        order=tuple(
            Order(path.lstrip("-"), path.startswith("-")) for path in _paths(sorts)[:_MOST]
        ),
        filter=filters.from_json(data.get("filter")),
        group=str(data.get("group") or ""),
        totals=MappingProxyType({p: Summary(s) for p, s in (data.get("totals") or {}).items()}),
        formats=tuple(formats),
        density=Density(data.get("density") or Density.NORMAL),
        board=str(data.get("board") or ""),
    )


def _paths(found: Any) -> tuple[str, ...]:  # noqa: ANN401  JSON
    """Field paths, each once."""
    if not isinstance(found, list | tuple) or not all(isinstance(path, str) for path in found):
        raise TypeError
    return tuple(dict.fromkeys(found))


def _number(found: Any, most: int) -> int:  # noqa: ANN401  JSON
    """A whole number from nothing to a bound."""
    if isinstance(found, float) and not math.isfinite(found):
        raise ValueError
    return max(0, min(int(found), most))


def _one_of(known: tuple[str, ...], value: object) -> str:
    """A value that can be painted; others are of a later version or written by hand."""
    return str(value) if value in known else ""
