"""The row of totals under a list: what its cells say follows the columns above."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QEvent, QPoint, QRect, Qt, Signal
from PySide6.QtGui import (
    QContextMenuEvent,
    QFocusEvent,
    QFont,
    QFontMetrics,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
)
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from desktop_crm.core.i18n import tr
from desktop_crm.services.list_layout import Summary
from desktop_crm.views import theme
from desktop_crm.views.lists.columns import Look
from desktop_crm.views.lists.total_texts import NAMES

if TYPE_CHECKING:
    from desktop_crm.views.lists.column_view import ColumnView

HEIGHT: Final = 34
WAITING: Final = "…"
_PAD: Final = 8
_FIRST_PAD: Final = 14
_ENTER: Final = frozenset({Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space})


class TotalsRow(QWidget):
    """One cell below each column; a click, Enter or Alt+Down offers other totals.

    Attributes:
        menu_wanted: Path of a column and a global position.
    """

    menu_wanted = Signal(str, object)

    def __init__(self, name: str, view: ColumnView) -> None:
        super().__init__()
        self.setObjectName(name)
        self.setAccessibleName(tr("Totals"))
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFixedHeight(theme.scaled(HEIGHT))
        self._view = view
        self._wanted: Mapping[str, Summary] = {}
        self._texts: Mapping[str, str] = {}
        self._at = -1
        self._hover = -1
        view.columns_placed.connect(self.update)
        view.horizontalScrollBar().valueChanged.connect(lambda _value: self.update())

    def show_texts(self, wanted: Mapping[str, Summary], texts: Mapping[str, str]) -> None:
        """Show totals; those that are not known yet are missing."""
        self._wanted = wanted
        self._texts = texts
        self._tell()
        self.update()

    def text_of(self, path: str) -> str:
        """What the cell of a column says, empty where nothing is asked."""
        summary = self._wanted.get(path)
        if summary is None:
            return ""
        return f"{tr(NAMES[summary])} {self._texts.get(path, WAITING)}"

    def _tell(self) -> None:
        path = self._view.column_path(self._at)
        self.setAccessibleDescription(self.text_of(path) or tr("No total"))

    # --- mouse and keyboard ----------------------------------------------------------------

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        if self._at not in self._view.shown_order():
            self._go(0)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        order = self._view.shown_order()
        here = order.index(self._at) if self._at in order else 0
        steps = {
            Qt.Key.Key_Left: here - 1,
            Qt.Key.Key_Right: here + 1,
            Qt.Key.Key_Home: 0,
            Qt.Key.Key_End: len(order) - 1,
        }
        key = Qt.Key(event.key())
        if key in steps:
            self._go(steps[key])
        elif key in _ENTER or key == Qt.Key.Key_Down:
            self._ask(self._at)
        else:
            super().keyPressEvent(event)

    def _go(self, place: int) -> None:
        order = self._view.shown_order()
        if order:
            self._at = order[min(max(place, 0), len(order) - 1)]
            self._view.go_to_header([self._at])
            self._tell()
            self.update()

    def _ask(self, column: int) -> None:
        path = self._view.column_path(column)
        if path:
            left, _width = self._view.place_of(column)
            self.menu_wanted.emit(path, self.mapToGlobal(QPoint(left + _PAD, self.height())))

    def _column_at(self, x: int) -> int:
        for column in self._view.shown_order():
            left, width = self._view.place_of(column)
            if left <= x < left + width:
                return column
        return -1

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._at = self._column_at(event.position().toPoint().x())
        self._ask(self._at)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        by_key = event.reason() == QContextMenuEvent.Reason.Keyboard
        self._ask(self._at if by_key else self._column_at(event.pos().x()))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        column = self._column_at(event.position().toPoint().x())
        if column != self._hover:
            self._hover = column
            self.update()

    def leaveEvent(self, event: QEvent) -> None:
        self._hover = -1
        self.update()

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent):
            column = self._column_at(event.pos().x())
            QToolTip.showText(event.globalPos(), self.text_of(self._view.column_path(column)), self)
            return True
        return super().event(event)

    # --- painting --------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), theme.color("surface2"))
        frozen = self._view.frozen_width
        order = self._view.shown_order()
        for still in (False, True):
            if still and not frozen:
                continue
            left = 0 if still else frozen
            painter.setClipRect(left, 0, (frozen if still else self.width()) - left, self.height())
            if still:
                painter.fillRect(0, 0, frozen, self.height(), theme.color("surface2"))
            free = left
            for column in order:
                if self._view.is_frozen(column) is still:
                    free = self._paint_cell(painter, column, free, first=column == order[0])
        painter.setClipping(False)
        painter.fillRect(0, 0, self.width(), 1, theme.color("stroke2"))
        if frozen:
            painter.fillRect(frozen - 1, 0, 1, self.height(), theme.color("stroke2"))
        painter.end()

    def _paint_cell(self, painter: QPainter, column: int, free: int, *, first: bool) -> int:
        """Paint one cell; a long total reaches over the empty cells at its left from ``free``."""
        left, width = self._view.place_of(column)
        area = QRect(left, 1, width, self.height() - 1)
        if column == self._hover:
            painter.fillRect(area, theme.color("press"))
        path = self._view.column_path(column)
        summary = self._wanted.get(path)
        begin = left + (_FIRST_PAD if first else _PAD)
        end = left + width - _PAD
        if summary is not None:
            right = self._view.look_of(column) == Look.NUMBER
            begin = max(free, 0) + _PAD if right else begin
            self._paint_total(painter, QRect(begin, 1, end - begin, self.height() - 1), path,
                              tr(NAMES[summary]), right=right)  # fmt: skip
            free = left + width
        if column == self._at and self.hasFocus():
            painter.setPen(QPen(theme.color("focus"), 1))
            painter.drawRect(area.adjusted(1, 1, -2, -2))
        return free

    def _paint_total(
        self, painter: QPainter, room: QRect, path: str, name: str, *, right: bool
    ) -> None:
        value = self._texts.get(path, WAITING)
        caption, figure = theme.font(12), theme.font(13, QFont.Weight.DemiBold, tabular=True)
        name_width = QFontMetrics(caption).horizontalAdvance(name) + 6
        needed = QFontMetrics(figure).horizontalAdvance(value)
        fits = name_width + needed <= room.width()
        shown = QFontMetrics(figure).elidedText(
            value, Qt.TextElideMode.ElideRight, room.width() - (name_width if fits else 0)
        )
        needed = QFontMetrics(figure).horizontalAdvance(shown)
        begin = room.right() - needed + 1 if right else room.left() + (name_width if fits else 0)
        middle = Qt.AlignmentFlag.AlignVCenter
        if fits:
            painter.setFont(caption)
            painter.setPen(theme.color("text2"))
            painter.drawText(QRect(begin - name_width, 1, name_width, room.height()), middle, name)
        painter.setFont(figure)
        painter.setPen(theme.color("text"))
        painter.drawText(QRect(begin, 1, needed + 2, room.height()), middle, shown)
