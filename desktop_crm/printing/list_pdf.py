"""A list on paper: the columns of the screen, groups with their counts, totals, page x of y."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

from desktop_crm.printing import fonts
from desktop_crm.printing.flowables import Page, shortened
from desktop_crm.printing.fonts import REGULAR, SEMIBOLD
from desktop_crm.printing.sheet import Foot, Sides, written
from desktop_crm.printing.styles import HAIRLINE, PANEL, SOFT, Style

_LEFT: Final = 36.0
_ROW: Final = 16.0
_HEAD: Final = 18.0
_GROUP: Final = 22.0
_PAD: Final = 5.0
_NARROWEST: Final = 34.0
_PORTRAIT_HOLDS: Final = 620.0
"""Widths of the screen that still read well on an upright page; wider lists lie on their side."""
_TITLE: Final = Style(SEMIBOLD, 15, 19)
_SUBTITLE: Final = Style(REGULAR, 8.5, 12, SOFT)
_CELL: Final = Style(REGULAR, 8, 11)
_STRONG: Final = Style(SEMIBOLD, 8, 11)
_CAPTION: Final = Style(SEMIBOLD, 7.5, 10, SOFT)
_GROUP_STYLE: Final = Style(SEMIBOLD, 9, 12)


@dataclass(frozen=True, slots=True)
class PrintedColumn:
    """One column: its heading, its width on the screen and whether it holds numbers."""

    heading: str
    width: float
    is_number: bool = False


@dataclass(frozen=True, slots=True)
class PrintedGroup:
    """Some rows under a heading; the heading is empty where the list has no groups."""

    heading: str
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class ListDocument:
    """A list as it stood when it was printed; all texts are shown forms.

    Attributes:
        title: Name of the list.
        subtitle: What it holds: the filter or the words looked for, and how many.
        columns: From left to right.
        groups: One without a heading where the list has none.
        totals: Lines for each column: none, one, or one for each currency.
        printed_on: Day on the paper.
        printed_by: Whose list it is.
        company: Own company, in the foot.
        language: Of the words around the list.
    """

    title: str
    subtitle: str
    columns: tuple[PrintedColumn, ...]
    groups: tuple[PrintedGroup, ...]
    totals: tuple[tuple[str, ...], ...]
    printed_on: date
    printed_by: str
    company: str
    language: str


def render(document: ListDocument) -> bytes:
    """The list on A4 pages, upright or lying, whichever its columns need.

    Safe to call from several threads; they take turns. Costs about a second for 10,000 rows.
    """
    wide = sum(column.width for column in document.columns) > _PORTRAIT_HOLDS
    with fonts.LOCK:
        sides = Sides.a4(lying=wide)
        table = _Table(document, sides)
        pages = list(table.pages())
        who = (document.company, document.printed_by)
        foot = Foot(who, document.printed_on, document.language)
        for number, page in enumerate(pages, 1):
            foot.put(page, sides, number, len(pages))
        return written(pages, sides, document.title, document.language, document.printed_on)


def _fitting(text: str, style: Style, room: float) -> Style:
    """The style, smaller where the text would not fit otherwise."""
    width = style.width(text)
    if width <= room:
        return style
    return replace(style, size=style.size * room / width)


class _Table:
    """The list on its way to paper."""

    def __init__(self, document: ListDocument, sides: Sides) -> None:
        self._document = document
        self._sides = sides
        self._right = sides.width - _LEFT
        self._edges = self._column_edges()
        self._page = Page()
        self._top = 0.0

    def _column_edges(self) -> list[tuple[float, float]]:
        """Left and right edge of each column; the room is shared as on the screen."""
        room = self._right - _LEFT
        widths = [max(column.width, _NARROWEST) for column in self._document.columns]
        whole = sum(widths) or 1.0
        edges: list[tuple[float, float]] = []
        x = _LEFT
        for width in widths:
            edges.append((x, x + width * room / whole))
            x = edges[-1][1]
        return edges

    def pages(self) -> Iterator[Page]:
        """Every page, without its foot."""
        self._begin(first=True)
        for group in self._document.groups:
            if group.heading:
                yield from self._room(_GROUP + _ROW)
                self._page.text(_LEFT, self._top - 14, group.heading, _GROUP_STYLE)
                self._top -= _GROUP
            for row in group.rows:
                yield from self._room(_ROW)
                self._cells(row, _CELL)
                self._page.rule(self._top, _LEFT, self._right, colour=HAIRLINE, thickness=0.4)
        if any(self._document.totals):
            lines = max(len(total) for total in self._document.totals)
            yield from self._room(_ROW * lines + 4)
            self._page.rule(self._top, _LEFT, self._right, colour=SOFT, thickness=0.8)
            for line in range(lines):
                self._sums(line)
        yield self._page

    def _sums(self, line: int) -> None:
        """One line of the totals; whole, though it may stand out of its column."""
        baseline = self._top - 11
        columns = zip(self._document.totals, self._edges, self._document.columns, strict=True)
        for total, (left, right), column in columns:
            text = total[line] if line < len(total) else ""
            if column.is_number:
                self._page.text_right(right - _PAD, baseline, text, _STRONG)
            else:
                self._page.text(left + _PAD, baseline, text, _STRONG)
        self._top -= _ROW

    def _room(self, height: float) -> Iterator[Page]:
        """Give the page away when the next thing does not fit on it."""
        if self._top - height < 48:
            yield self._page
            self._begin(first=False)

    def _begin(self, *, first: bool) -> None:
        self._page = Page()
        self._top = self._sides.height - 40
        if first:
            self._page.text(_LEFT, self._top - 6, self._document.title, _TITLE)
            self._top -= 22
            if self._document.subtitle:
                room = self._right - _LEFT
                text = shortened(self._document.subtitle, _SUBTITLE, room)
                self._page.text(_LEFT, self._top - 4, text, _SUBTITLE)
                self._top -= 14
            self._top -= 6
        self._page.box(_LEFT, self._top - _HEAD, self._right - _LEFT, _HEAD, PANEL)
        headings = tuple(column.heading for column in self._document.columns)
        self._top -= 1
        self._cells(headings, _CAPTION)
        self._top -= 1

    def _cells(self, texts: tuple[str, ...], style: Style) -> None:
        baseline = self._top - 11
        columns = zip(texts, self._edges, self._document.columns, strict=True)
        for text, (left, right), column in columns:
            if not text:
                continue
            room = right - left - 2 * _PAD
            if column.is_number:
                # A number that lost its last digits would be another number.
                fitting = _fitting(text, style, room)
                self._page.text_right(right - _PAD, baseline, text, fitting)
            else:
                self._page.text(left + _PAD, baseline, shortened(text, style, room), style)
        self._top -= _ROW
