"""The table of a quote's lines: columns as wide as what stands in them, heads repeated."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import pairwise
from typing import Final

from desktop_crm.core.i18n import N_
from desktop_crm.printing.flowables import Block, Page, wrap
from desktop_crm.printing.styles import (
    BODY,
    FAINT,
    HEAD,
    LEFT,
    PANEL,
    RIGHT,
    SMALL,
    SOFT_BODY,
    STRONG,
    WIDTH,
    Style,
)
from desktop_crm.printing.wording import Wording
from desktop_crm.services.rules.pricing import LineKind, TaxCategory
from desktop_crm.services.rules.quote_document import PrintedLine, QuoteDocument

_PAD: Final = 6.0
_GAP: Final = 14.0
_HEAD_HEIGHT: Final = 22.0
_ROW_PAD: Final = 5.0
_LINES_TOGETHER: Final = 14
"""Lines of one description that stay on a page; longer ones may run over."""

_POSITION: Final = Style(BODY.font, BODY.size, BODY.leading, FAINT)


@dataclass(frozen=True, slots=True)
class _Column:
    """One column of numbers; ``right`` is where its texts end."""

    title: str
    texts: tuple[str, ...]
    style: Style
    right: float = 0.0

    @property
    def width(self) -> float:
        return max(
            HEAD.width(self.title), max((self.style.width(text) for text in self.texts), default=0)
        )


@dataclass(frozen=True, slots=True)
class _Table:
    position: float
    text: float
    text_width: float
    columns: tuple[_Column, ...]
    head: Block


def line_blocks(document: QuoteDocument, words: Wording) -> list[Block]:
    """Head and rows of the table of lines; the last row keeps with what follows it."""
    table = _measure(document, words)
    blocks = [table.head]
    section = ""
    sums = dict(document.sections)
    with_subtotal = {line.group for line in document.lines if line.kind is LineKind.SUBTOTAL}
    for index, line in enumerate(document.lines):
        if line.group and line.group != section and line.group in sums:
            # A group that ends in a subtotal of its own shows its sum there, not twice.
            amount = "" if line.group in with_subtotal else words.amount(sums[line.group])
            blocks.append(_section(line.group, amount, table))
        section = line.group
        blocks.extend(_row(line, index, table, words))
    blocks[-1] = replace(blocks[-1], keep=True)
    return blocks


def _measure(document: QuoteDocument, words: Wording) -> _Table:
    lines = document.lines
    columns = [
        _Column(words(N_("Quantity")), tuple(_quantity(x, words) for x in lines), SOFT_BODY),
        _Column(words(N_("Unit price")), tuple(_price(x, words) for x in lines), SOFT_BODY),
        _Column(words(N_("Discount")), tuple(_discount(x, words) for x in lines), SOFT_BODY),
        _Column(words(N_("VAT")), tuple(_rate(x, words) for x in lines), SOFT_BODY),
        _Column(words(N_("Amount")), tuple(_amount(x, words) for x in lines), BODY),
    ]
    kept = [column for column in columns if any(column.texts)]
    placed: list[_Column] = []
    right = RIGHT - _PAD
    for column in reversed(kept):
        placed.insert(0, _Column(column.title, column.texts, column.style, right))
        right -= column.width + _GAP
    widest = max((_POSITION.width(line.position) for line in lines), default=0.0)
    position = LEFT + _PAD
    text = position + (widest + 10 if widest else 0.0)
    head = _head(words(N_("Description")), text, tuple(placed))
    return _Table(position, text, right - text, tuple(placed), head)


def _head(title: str, x: float, columns: tuple[_Column, ...]) -> Block:
    def draw(page: Page, top: float) -> None:
        page.box(LEFT, top - _HEAD_HEIGHT, WIDTH, _HEAD_HEIGHT, PANEL)
        base = top - 14.2
        page.text(x, base, title, HEAD)
        for column in columns:
            page.text_right(column.right, base, column.title, HEAD)

    return Block(_HEAD_HEIGHT + 2, draw, keep=True)


def _section(name: str, amount: str, table: _Table) -> Block:
    height = 24.0

    def draw(page: Page, top: float) -> None:
        page.text(table.position, top - 16, name, STRONG)
        page.text_right(RIGHT - _PAD, top - 16, amount, STRONG)
        page.rule(top - height)

    return Block(height, draw, keep=True, head=table.head)


def _row(line: PrintedLine, index: int, table: _Table, words: Wording) -> Iterable[Block]:
    texts = _description(line, table, words)
    cells = [(column.right, column.texts[index], column.style) for column in table.columns]
    for start in range(0, len(texts), _LINES_TOGETHER):
        part = texts[start : start + _LINES_TOGETHER]
        last = start + _LINES_TOGETHER >= len(texts)
        if start:
            yield _row_part("", part, [], table, above=0.0, last=last)
        else:
            yield _row_part(line.position, part, cells, table, above=_ROW_PAD, last=last)


def _row_part(
    position: str,
    texts: list[tuple[str, Style]],
    cells: list[tuple[float, str, Style]],
    table: _Table,
    *,
    above: float,
    last: bool,
) -> Block:
    height = above + sum(style.leading for _, style in texts) + (_ROW_PAD if last else 0.0)

    def draw(page: Page, top: float) -> None:
        y = top - above - BODY.size
        page.text(table.position, y, position, _POSITION)
        page.text(table.text, y, *texts[0])
        for right, cell, cell_style in cells:
            page.text_right(right, y, cell, cell_style)
        for (_, style), (text, next_style) in pairwise(texts):
            y -= style.leading
            page.text(table.text, y, text, next_style)
        if last:
            page.rule(top - height)

    return Block(height, draw, head=table.head)


def _description(line: PrintedLine, table: _Table, words: Wording) -> list[tuple[str, Style]]:
    width = table.text_width
    if line.kind is LineKind.TEXT:
        width = RIGHT - _PAD - table.text
        return [(text, SOFT_BODY) for text in wrap(_joined(line), SOFT_BODY, width)] or [
            ("", SOFT_BODY)
        ]
    if line.kind is LineKind.SUBTOTAL:
        title = line.title or words(N_("Subtotal"))
        return [(text, STRONG) for text in wrap(title, STRONG, width)]
    texts = [(text, BODY) for text in wrap(line.title, BODY, width)] or [("", BODY)]
    details = " · ".join(part for part in (line.code, line.description) if part)
    for small in (details, _remark(line, words)):
        texts.extend((text, SMALL) for text in wrap(small, SMALL, width))
    return texts


def _joined(line: PrintedLine) -> str:
    return "\n".join(part for part in (line.title, line.description) if part)


def _remark(line: PrintedLine, words: Wording) -> str:
    if line.kind is LineKind.OPTIONAL:
        return words(N_("Optional, not included in the total"))
    if line.kind is LineKind.ALTERNATIVE:
        return words(N_("Alternative, not included in the total"))
    return ""


_PRICED: Final = frozenset({LineKind.ITEM, LineKind.OPTIONAL, LineKind.ALTERNATIVE})


def _quantity(line: PrintedLine, words: Wording) -> str:
    return words.quantity(line.quantity, line.unit) if line.kind in _PRICED else ""


def _price(line: PrintedLine, words: Wording) -> str:
    return words.price(line.unit_price) if line.kind in _PRICED else ""


def _discount(line: PrintedLine, words: Wording) -> str:
    if line.kind not in _PRICED:
        return ""
    if line.discount_percent:
        return words.percent(line.discount_percent)
    return words.amount(-line.discount) if line.discount else ""


def _rate(line: PrintedLine, words: Wording) -> str:
    if line.kind not in _PRICED:
        return ""
    if line.tax_category in (TaxCategory.STANDARD, TaxCategory.ZERO):
        return words.percent(line.tax_rate)
    return line.tax_category.value


def _amount(line: PrintedLine, words: Wording) -> str:
    if line.kind is LineKind.TEXT:
        return ""
    amount = words.amount(line.net if line.net else Decimal(0))
    return amount if line.kind in (LineKind.ITEM, LineKind.SUBTOTAL) else f"({amount})"
