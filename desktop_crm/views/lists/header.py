"""Header of a record table: sort marks stand beside the text, never over it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QPoint, QPointF, QRect, Qt, Signal
from PySide6.QtGui import (
    QContextMenuEvent,
    QFocusEvent,
    QFont,
    QFontMetrics,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPen,
)
from PySide6.QtWidgets import QHeaderView

from desktop_crm.core.i18n import tr
from desktop_crm.views import theme
from desktop_crm.views.lists.columns import Look

if TYPE_CHECKING:
    from desktop_crm.views.lists.column_view import ColumnView

HEIGHT: Final = 34
_PAD: Final = 8
_FIRST_PAD: Final = 14
_STEP: Final = 16
_ENTER: Final = frozenset({Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space})


class RecordHeader(QHeaderView):
    """Paints itself; works by mouse and by keyboard.

    A click or Enter sorts, with Shift as one more sort; a drag or Alt+Left and Alt+Right move,
    Ctrl+Left and Ctrl+Right change the width; the context menu, Alt+Down and the menu key ask for
    what else can be done with a column.

    Attributes:
        sort_wanted: Column to sort by, and whether as one more sort.
        menu_wanted: Column and global position of the menu that was asked for.
        left: The keyboard goes down into the rows.
    """

    sort_wanted = Signal(int, bool)
    menu_wanted = Signal(int, object)
    left = Signal()

    def __init__(self, view: ColumnView, *, name: str = "list.header") -> None:
        super().__init__(Qt.Orientation.Horizontal, view)
        self._view = view
        self.setObjectName(name)
        self.setAccessibleName(tr("Column headers"))
        self.setSectionsClickable(True)
        self.setSectionsMovable(True)
        self.setHighlightSections(False)
        self.setMinimumSectionSize(60)
        self.setFixedHeight(theme.scaled(HEIGHT))
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._marks: Mapping[int, tuple[int, bool]] = {}
        self._adds = False
        self.sectionClicked.connect(lambda column: self.sort_wanted.emit(column, self._adds))

    def room_of(self, text: str) -> int:
        """Width at which a header is not cut, with the mark of the sort."""
        metrics = QFontMetrics(theme.font(12, QFont.Weight.DemiBold))
        return metrics.horizontalAdvance(text) + 2 * _PAD + 20

    def show_sorts(self, marks: Mapping[int, tuple[int, bool]]) -> None:
        """Show by which columns the list is sorted.

        Args:
            marks: By column: its rank, 0 for the only one, and whether it descends.
        """
        self._marks = marks
        self.viewport().update()

    # --- mouse and keyboard ----------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._adds = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        super().mousePressEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        if event.reason() == QContextMenuEvent.Reason.Keyboard:
            self._ask_menu()
        else:
            column = self.logicalIndexAt(event.pos())
            self.menu_wanted.emit(column, event.globalPos())

    def _ask_menu(self) -> None:
        column = self._view.header_column
        place = QPoint(self._view.place_of(column)[0] + 8, self.height())
        self.menu_wanted.emit(column, self._view.mapToGlobal(place))

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        if self._view.header_column < 0:
            self._view.go_to_header(self._view.shown_order()[:1])
        self._view.repaint_headers()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self._view.repaint_headers()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key, held = event.key(), event.modifiers()
        steps = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}
        if key in steps:
            self._step(steps[Qt.Key(key)], held)
        elif key in _ENTER:
            adds = bool(held & Qt.KeyboardModifier.ShiftModifier)
            self.sort_wanted.emit(self._view.header_column, adds)
        elif key == Qt.Key.Key_Down and held & Qt.KeyboardModifier.AltModifier:
            self._ask_menu()
        elif key == Qt.Key.Key_Down:
            self.left.emit()
        elif key in {Qt.Key.Key_Home, Qt.Key.Key_End}:
            order = self._view.shown_order()
            self._view.go_to_header(order[:1] if key == Qt.Key.Key_Home else order[-1:])
        else:
            event.ignore()

    def _step(self, step: int, held: Qt.KeyboardModifier) -> None:
        if held & Qt.KeyboardModifier.AltModifier:
            self._view.move_column(self._view.header_column, step)
        elif held & Qt.KeyboardModifier.ControlModifier:
            self._view.widen_column(self._view.header_column, step * _STEP)
        else:
            order = self._view.shown_order()
            place = order.index(self._view.header_column) + step
            self._view.go_to_header(order[max(place, 0) : max(place, 0) + 1])

    # --- painting --------------------------------------------------------------------------

    def paintSection(self, painter: QPainter, rect: QRect, logicalIndex: int) -> None:  # noqa: N803
        painter.save()
        painter.fillRect(rect, theme.color("surface"))
        painter.fillRect(QRect(rect.left(), rect.bottom(), rect.width(), 1), theme.color("stroke2"))
        mark = self._marks.get(logicalIndex)
        painter.setFont(theme.font(12, QFont.Weight.DemiBold))
        painter.setPen(theme.color("text2" if mark is None else "text"))
        model = self.model()
        text = str(model.headerData(logicalIndex, Qt.Orientation.Horizontal) or "")
        first = self.visualIndex(logicalIndex) == 0
        area = rect.adjusted(_FIRST_PAD if first else _PAD, 0, -_PAD, 0)
        right = self._view.look_of(logicalIndex) == Look.NUMBER
        mark_room = 0 if mark is None else 28 if mark[0] else 18
        metrics = painter.fontMetrics()
        shown = metrics.elidedText(text, Qt.TextElideMode.ElideRight, area.width() - mark_room)
        side = Qt.AlignmentFlag.AlignRight if right else Qt.AlignmentFlag.AlignLeft
        painter.drawText(area, side | Qt.AlignmentFlag.AlignVCenter, shown)
        if mark is not None:
            width = metrics.horizontalAdvance(shown)
            x = area.right() - width - 11 if right else area.left() + width + 10
            self._paint_mark(painter, x, rect, mark, right=right)
        if self._view.header_column == logicalIndex and self._view.header_has_focus:
            painter.setPen(QPen(theme.color("focus"), 1))
            painter.drawRect(rect.adjusted(1, 1, -2, -3))
        painter.restore()

    def _paint_mark(
        self, painter: QPainter, x: int, rect: QRect, mark: tuple[int, bool], *, right: bool
    ) -> None:
        """Chevron, and among several sorts its rank beside it."""
        rank, descending = mark
        if rank:
            painter.setFont(theme.font(11, QFont.Weight.DemiBold, tabular=True))
            painter.setPen(theme.color("accent_text"))
            left = x - 20 if right else x + 6
            side = Qt.AlignmentFlag.AlignRight if right else Qt.AlignmentFlag.AlignLeft
            place = QRect(left, rect.top(), 13, rect.height())
            painter.drawText(place, side | Qt.AlignmentFlag.AlignVCenter, str(rank))
        y = rect.center().y()
        rise = -2 if descending else 2
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(theme.color("line"), 1.6))
        painter.drawPolyline(
            [QPointF(x - 4, y + rise), QPointF(x, y - rise), QPointF(x + 4, y + rise)]
        )
