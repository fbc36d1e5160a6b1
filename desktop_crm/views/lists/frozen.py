"""The columns at the left that stay where they are while the others scroll."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QItemSelectionModel, Qt
from PySide6.QtGui import QContextMenuEvent, QMouseEvent, QPainter, QPaintEvent, QWheelEvent
from PySide6.QtWidgets import QAbstractItemView, QFrame, QHeaderView, QTableView

from desktop_crm.core.i18n import tr
from desktop_crm.views import theme
from desktop_crm.views.lists.header import RecordHeader
from desktop_crm.views.lists.row_delegate import RowDelegate

if TYPE_CHECKING:
    from desktop_crm.views.lists.column_view import ColumnView


class FrozenColumns(QTableView):
    """A second view over the left part of the first.

    It shares model and selection, scrolls up and down with it and never takes the focus, so that
    every key goes to the list itself.
    """

    def __init__(self, view: ColumnView) -> None:
        super().__init__(view)
        self._view = view
        self.setObjectName(f"{view.objectName()}.frozen")
        self.setAccessibleName(tr("Frozen columns"))
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setModel(view.model())
        own = self.selectionModel()
        self.setSelectionModel(view.selectionModel())
        own.deleteLater()
        self.header = RecordHeader(view, name="list.frozen_header")
        self.header.setParent(self)
        self.header.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setHorizontalHeader(self.header)
        # As in the list: with the shared one, select all would ask for every row.
        self.header.setSelectionModel(QItemSelectionModel(view.model(), self))
        self.verticalHeader().hide()
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self._delegate = RowDelegate(view)
        self.setItemDelegate(self._delegate)
        self.setMouseTracking(True)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setSelectionBehavior(view.selectionBehavior())
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        view.verticalScrollBar().valueChanged.connect(self.verticalScrollBar().setValue)
        self.verticalScrollBar().valueChanged.connect(view.verticalScrollBar().setValue)
        self.doubleClicked.connect(view.doubleClicked)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._view.setFocus(Qt.FocusReason.MouseFocusReason)
        place = event.position().toPoint()
        if not self._view.press_group(self.rowAt(place.y()), place.x()):
            super().mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._view.hover(self.rowAt(event.position().toPoint().y()))
        super().mouseMoveEvent(event)

    def leaveEvent(self, event: QEvent) -> None:
        self._view.hover(-1)
        super().leaveEvent(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        self._view.wheelEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        self._view.menu_wanted.emit(event.globalPos())

    def paintEvent(self, event: QPaintEvent) -> None:
        self._delegate.begin_frame()
        super().paintEvent(event)
        self._view.paint_groups(self)
        painter = QPainter(self.viewport())
        edge = self.viewport().rect()
        painter.fillRect(edge.right(), 0, 1, edge.height(), theme.color("stroke2"))
        painter.end()
