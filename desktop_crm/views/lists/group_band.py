"""Paints the heads of groups: a band over the whole width with name, count and totals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QFont, QPainter, QPen
from PySide6.QtWidgets import QTableView

from desktop_crm.views import theme
from desktop_crm.views.lists.columns import Look

if TYPE_CHECKING:
    from desktop_crm.views.lists.column_view import ColumnView
    from desktop_crm.views.lists.record_model import RecordModel

_MARK: Final = 34
_PAD: Final = 8
_LEAST_NAME: Final = 120


def mark_width() -> int:
    """Width at the left in which a click opens or closes a group."""
    return theme.scaled(_MARK)


def paint(list_view: ColumnView, view: QTableView, model: RecordModel) -> None:
    """Paint the heads that a view shows.

    Args:
        list_view: The list, which knows where columns stand and what is selected.
        view: The list itself or the view over its frozen columns.
        model: Its rows.
    """
    port = view.viewport()
    row = view.rowAt(0)
    painter = QPainter(port)
    while 0 <= row < model.rowCount():
        top = view.rowViewportPosition(row)
        if top > port.height():
            break
        group = model.group_at(row)
        if group >= 0:
            area = QRect(0, top, port.width(), view.rowHeight(row))
            _Band(painter, list_view, model, row).paint(area, group)
        row += 1
    painter.end()


class _Band:
    """One head."""

    def __init__(self, painter: QPainter, view: ColumnView, model: RecordModel, row: int) -> None:
        self._painter = painter
        self._view = view
        self._model = model
        self._row = row

    def paint(self, area: QRect, group: int) -> None:
        painter, view = self._painter, self._view
        selection = view.selectionModel()
        selected = selection.isRowSelected(self._row)
        fill = "sel" if view.shows_focus else "sel_inactive"
        hover = "hover" if self._row == view.hover_row else "surface2"
        painter.fillRect(area, theme.color(fill if selected else hover))
        line = QRect(area.left(), area.bottom(), area.width(), 1)
        painter.fillRect(line, theme.color("stroke"))
        if selected:
            painter.fillRect(area.left(), area.top(), 3, area.height(), theme.color("line"))
        if view.shows_focus and self._row == view.current_row:
            painter.fillRect(area.left(), area.top(), area.width(), 1, theme.color("line"))
            painter.fillRect(line, theme.color("line"))
        label, count, totals = self._model.group_text(group)
        self._paint_mark(area, group)
        edge = self._paint_totals(area, totals)
        self._paint_name(area, label, count, edge)

    def _paint_mark(self, area: QRect, group: int) -> None:
        painter = self._painter
        groups = self._model.groups
        x, y = area.left() + theme.scaled(18), area.center().y() + 0.5
        is_open = groups is not None and groups.is_open(group)
        points = [(-4, -2), (0, 2), (4, -2)] if is_open else [(-2, -4), (2, 0), (-2, 4)]
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(theme.color("text2"), 1.5))
        painter.drawPolyline([QPointF(x + dx, y + dy) for dx, dy in points])
        painter.restore()

    def _paint_totals(self, area: QRect, totals: dict[str, str]) -> int:
        """Paint the totals below the headers of their columns; give where the first begins."""
        painter, view = self._painter, self._view
        edge = area.right()
        painter.setFont(theme.font(13, QFont.Weight.DemiBold, tabular=True))
        painter.setPen(theme.color("text"))
        order = view.shown_order()
        for place in range(len(order) - 1, 0, -1):
            text = totals.get(view.column_path(order[place]), "")
            if not text:
                continue
            left, width = view.place_of(order[place])
            needed = painter.fontMetrics().horizontalAdvance(text) + 2 * _PAD + 2
            right = view.look_of(order[place]) == Look.NUMBER
            start = max(left + width - needed, mark_width() + _LEAST_NAME) if right else left
            end = left + width if right else max(left + width, min(left + needed, edge))
            room = QRect(start + _PAD, area.top(), end - start - 2 * _PAD, area.height())
            if start < view.frozen_width and not view.is_frozen(order[place]):
                continue
            side = Qt.AlignmentFlag.AlignRight if right else Qt.AlignmentFlag.AlignLeft
            shown = painter.fontMetrics().elidedText(
                text, Qt.TextElideMode.ElideRight, room.width()
            )
            painter.drawText(room, side | Qt.AlignmentFlag.AlignVCenter, shown)
            edge = min(edge, start)
        return edge

    def _paint_name(self, area: QRect, label: str, count: int, edge: int) -> None:
        painter = self._painter
        number = self._view.number_text(count)
        small = theme.font(12, QFont.Weight.Medium, tabular=True)
        painter.setFont(small)
        pill = painter.fontMetrics().horizontalAdvance(number) + 16
        left = area.left() + mark_width()
        painter.setFont(theme.font(13, QFont.Weight.DemiBold))
        painter.setPen(theme.color("text"))
        room = max(edge - left - pill - 3 * _PAD, 24)
        shown = painter.fontMetrics().elidedText(label, Qt.TextElideMode.ElideRight, room)
        painter.drawText(
            QRect(left, area.top(), room, area.height()), Qt.AlignmentFlag.AlignVCenter, shown
        )
        left += painter.fontMetrics().horizontalAdvance(shown) + _PAD
        tall = theme.scaled(20)
        box = QRectF(left, area.top() + (area.height() - tall) / 2, pill, tall)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.color("neutral_bg"))
        painter.drawRoundedRect(box, tall / 2, tall / 2)
        painter.restore()
        painter.setFont(small)
        painter.setPen(theme.color("neutral"))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, number)
