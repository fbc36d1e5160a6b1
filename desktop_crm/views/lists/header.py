"""Header of a record table: the sort chevron stands beside the text, never over it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QPointF, QRect, Qt, Signal
from PySide6.QtGui import QContextMenuEvent, QFont, QFontMetrics, QPainter, QPen
from PySide6.QtWidgets import QHeaderView

from desktop_crm.core.i18n import tr
from desktop_crm.views import theme
from desktop_crm.views.lists.columns import Look

if TYPE_CHECKING:
    from desktop_crm.views.lists.record_view import RecordView

HEIGHT: Final = 34
_PAD: Final = 8
_FIRST_PAD: Final = 14


class RecordHeader(QHeaderView):
    """Paints itself; a click sorts, a drag moves or resizes, the context menu asks for columns.

    Attributes:
        menu_wanted: The context menu was asked for.
    """

    menu_wanted = Signal(object)

    def __init__(self, view: RecordView) -> None:
        super().__init__(Qt.Orientation.Horizontal, view)
        self._view = view
        self.setObjectName("list.header")
        self.setAccessibleName(tr("Column headers"))
        self.setSectionsClickable(True)
        self.setSectionsMovable(True)
        self.setHighlightSections(False)
        self.setMinimumSectionSize(60)
        self.setFixedHeight(theme.scaled(HEIGHT))
        self.sorted_column = -1
        self.descending = False

    def room_of(self, text: str) -> int:
        """Width at which a header is not cut, with the mark of the sort."""
        metrics = QFontMetrics(theme.font(12, QFont.Weight.DemiBold))
        return metrics.horizontalAdvance(text) + 2 * _PAD + 20

    def show_sort(self, column: int, *, descending: bool) -> None:
        """Show by which column the list is sorted; -1 by none that is shown."""
        self.sorted_column = column
        self.descending = descending
        self.viewport().update()

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        self.menu_wanted.emit(event.globalPos())

    def paintSection(self, painter: QPainter, rect: QRect, logicalIndex: int) -> None:  # noqa: N803
        painter.save()
        painter.fillRect(rect, theme.color("surface"))
        painter.fillRect(QRect(rect.left(), rect.bottom(), rect.width(), 1), theme.color("stroke2"))
        on = self.sorted_column == logicalIndex
        painter.setFont(theme.font(12, QFont.Weight.DemiBold))
        painter.setPen(theme.color("text" if on else "text2"))
        model = self.model()
        text = str(model.headerData(logicalIndex, Qt.Orientation.Horizontal) or "")
        first = self.visualIndex(logicalIndex) == 0
        area = rect.adjusted(_FIRST_PAD if first else _PAD, 0, -_PAD, 0)
        right = self._view.look_of(logicalIndex) == Look.NUMBER
        room = area.width() - (18 if on else 0)
        metrics = painter.fontMetrics()
        shown = metrics.elidedText(text, Qt.TextElideMode.ElideRight, room)
        side = Qt.AlignmentFlag.AlignRight if right else Qt.AlignmentFlag.AlignLeft
        painter.drawText(area, side | Qt.AlignmentFlag.AlignVCenter, shown)
        if on:
            width = metrics.horizontalAdvance(shown)
            x = area.right() - width - 11 if right else area.left() + width + 10
            self._paint_chevron(painter, x, rect.center().y())
        painter.restore()

    def _paint_chevron(self, painter: QPainter, x: int, y: int) -> None:
        rise = -2 if self.descending else 2
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(theme.color("line"), 1.6))
        painter.drawPolyline(
            [QPointF(x - 4, y + rise), QPointF(x, y - rise), QPointF(x + 4, y + rise)]
        )
