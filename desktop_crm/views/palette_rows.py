"""Lines of search and command palette, and how they are painted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QFont, QFontMetricsF, QPainter, QStandardItem
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from desktop_crm.services.search.ranking import spread
from desktop_crm.views import theme
from desktop_crm.views.icons import paint_icon

ROW: Final = 34
TALL: Final = 50
HEAD: Final = 30
LINE: Final = int(Qt.ItemDataRole.UserRole)
_LEFT: Final = 42
_GAP: Final = 14
_Index = QModelIndex | QPersistentModelIndex
_Ranges = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the palette.

    Attributes:
        text: What it is.
        run: Does it; None for a heading and for what is only said.
        icon: Drawing.
        note: What stands at the right end.
        ranges: Parts of the text that were searched for.
        beside: Dim text behind the text.
        below: Second line, with its own parts that were searched for.
        below_ranges: Parts of the second line that were searched for.
        run_apart: Does it in a window of its own, the palette staying.
        is_heading: It heads the lines below.
    """

    text: str
    run: Callable[[], object] | None = None
    icon: str = ""
    note: str = ""
    ranges: _Ranges = ()
    beside: str = ""
    below: str = ""
    below_ranges: _Ranges = ()
    run_apart: Callable[[], object] | None = None
    is_heading: bool = False

    @property
    def height(self) -> int:
        """Height in pixels at the user's text size."""
        return theme.scaled(HEAD if self.is_heading else TALL if self.below else ROW)


def item_of(line: Line) -> QStandardItem:
    """The line as an item of the list."""
    item = QStandardItem(line.text)
    item.setData(line, LINE)
    said = ", ".join(part for part in (line.text, line.beside, line.below, line.note) if part)
    item.setData(said, Qt.ItemDataRole.AccessibleTextRole)
    if line.run is None:
        item.setFlags(Qt.ItemFlag.ItemIsEnabled)
    else:
        item.setFlags(Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable)
    return item


def line_at(index: _Index) -> Line | None:
    """Line of an index; None where there is none."""
    found = index.data(LINE)
    return found if isinstance(found, Line) else None


class RowDelegate(QStyledItemDelegate):
    """Icon, text with what was searched for in bold, and at the right what it is."""

    def sizeHint(self, option: QStyleOptionViewItem, index: _Index) -> QSize:
        line = line_at(index)
        return QSize(10, line.height if line is not None else theme.scaled(ROW))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        line = line_at(index)
        if line is None:
            return
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = QRectF(option.rect)
        if line.is_heading:
            _paint_heading(painter, area, line)
        else:
            selected = bool(option.state & QStyle.StateFlag.State_Selected)
            hovered = bool(option.state & QStyle.StateFlag.State_MouseOver)
            if line.run is not None and (selected or hovered):
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(theme.color("sel" if selected else "press"))
                painter.drawRoundedRect(area, 4, 4)
            _paint_line(painter, area, line)
        painter.restore()


def _paint_heading(painter: QPainter, area: QRectF, line: Line) -> None:
    area = area.adjusted(12, 6, -12, 0)
    painter.setFont(theme.font(12, QFont.Weight.DemiBold))
    painter.setPen(theme.color("text2"))
    painter.drawText(area, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, line.text)
    painter.setFont(theme.font(12))
    painter.drawText(area, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, line.note)


def _paint_line(painter: QPainter, area: QRectF, line: Line) -> None:
    if line.icon:
        glyph = QRect(int(area.left()) + 12, int(area.center().y()) - 9, 18, 18)
        paint_icon(painter, glyph, line.icon)
    painter.setFont(theme.font(12))
    painter.setPen(theme.color("text2"))
    side = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight
    painter.drawText(area.adjusted(0, 0, -12, 0), side, line.note)
    taken = painter.fontMetrics().horizontalAdvance(line.note)
    rest = area.adjusted(_LEFT, 0, -12 - (taken + _GAP if taken else 0), 0)
    first = rest
    if line.below:
        first = QRectF(rest.left(), rest.top() + 4, rest.width(), rest.height() / 2 - 4)
        second = QRectF(rest.left(), rest.center().y() - 1, rest.width(), rest.height() / 2 - 3)
        _paint_text(painter, second, line.below, line.below_ranges, 12, "text2")
    tone = "text2" if line.run is None else "text"
    left = _paint_text(painter, first, line.text, line.ranges, 13, tone)
    if line.beside:
        room = first.adjusted(left - first.left() + _GAP, 0, 0, 0)
        if room.width() > _LEFT:
            _paint_text(painter, room, line.beside, (), 12, "text2")


def _paint_text(
    painter: QPainter, area: QRectF, text: str, ranges: Sequence[tuple[int, int]],
    size: int, tone: str,
) -> float:  # fmt: skip
    """Paint a text with its marked parts, cut off at the end; returns where it ended."""
    plain, bold = theme.font(size), theme.font(size, QFont.Weight.Bold)
    left = area.left()
    for start, end, marked in spread(ranges, len(text)):
        font = bold if marked else plain
        metrics = QFontMetricsF(font)
        part, room = text[start:end], area.right() - left
        width = metrics.horizontalAdvance(part)
        is_cut = width > room
        if is_cut:
            part = metrics.elidedText(part, Qt.TextElideMode.ElideRight, room)
            width = metrics.horizontalAdvance(part)
        box = QRectF(left, area.top(), width, area.height())
        if marked and not is_cut:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.color("info_bg"))
            height = metrics.height() + 1
            painter.drawRoundedRect(
                QRectF(left - 1, box.center().y() - height / 2, width + 2, height), 2, 2
            )
        painter.setFont(font)
        painter.setPen(theme.color("info" if marked else tone))
        painter.drawText(box.adjusted(0, 0, 4, 0), Qt.AlignmentFlag.AlignVCenter, part)
        left += width
        if is_cut:
            break
    return left
