"""A layout that breaks into lines like words."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtWidgets import QLayout, QLayoutItem, QWidget, QWidgetItem


class Flow(QLayout):
    """Widgets side by side, on as many lines as they need.

    Args:
        parent: whose layout it becomes.
        spacing: pixels between two widgets and between two lines.
        fill: whether the last widget takes the rest of its line.
    """

    def __init__(
        self, parent: QWidget | None = None, *, spacing: int = 6, fill: bool = False
    ) -> None:
        super().__init__(parent)
        self._fill = fill
        self._items: list[QLayoutItem] = []
        self.setContentsMargins(0, 0, 0, 0)
        self.setSpacing(spacing)

    def addWidget(self, widget: QWidget) -> None:
        """Put a widget behind the others.

        The item is made here: of one that Qt makes, Python is not told when it is deleted, and the
        next one at its address would be taken for it.
        """
        self.addChildWidget(widget)
        self.addItem(QWidgetItem(widget))

    def addItem(self, item: QLayoutItem) -> None:
        self._items.append(item)

    def count(self) -> int:
        return len(self._items)

    def itemAt(self, index: int) -> QLayoutItem | None:
        return self._items[index] if 0 <= index < len(self._items) else None

    def takeAt(self, index: int) -> QLayoutItem | None:
        return self._items.pop(index) if 0 <= index < len(self._items) else None

    def expandingDirections(self) -> Qt.Orientation:
        return Qt.Orientation(0)

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        return self._arrange(QRect(0, 0, width, 0), place=False)

    def setGeometry(self, rect: QRect) -> None:
        super().setGeometry(rect)
        self._arrange(rect, place=True)

    def sizeHint(self) -> QSize:
        return self.minimumSize()

    def minimumSize(self) -> QSize:
        size = QSize()
        for item in self._items:
            size = size.expandedTo(item.minimumSize())
        edge = self.contentsMargins()
        return size + QSize(edge.left() + edge.right(), edge.top() + edge.bottom())

    def _arrange(self, rect: QRect, *, place: bool) -> int:
        """Place the items into lines, each in the middle of its line; return the height."""
        edge = self.contentsMargins()
        room = rect.adjusted(edge.left(), edge.top(), -edge.right(), -edge.bottom())
        y, line = room.y(), list[QLayoutItem]()
        x = room.x()
        for item in self._items:
            widget = item.widget()
            if widget is not None and widget.isHidden():
                continue
            width = min(item.sizeHint().width(), room.width())
            if line and x + width > room.right() + 1:
                y += self._line(line, room, y, place=place) + self.spacing()
                x, line = room.x(), []
            line.append(item)
            x += width + self.spacing()
        if line:
            y += self._line(line, room, y, place=place)
        return y + edge.bottom() - rect.y()

    def _line(self, items: list[QLayoutItem], room: QRect, y: int, *, place: bool) -> int:
        """Place one line; return its height."""
        height = max(item.sizeHint().height() for item in items)
        x = room.x()
        for item in items:
            hint = item.sizeHint()
            size = QSize(min(hint.width(), room.width()), hint.height())
            if self._fill and item is self._items[-1]:
                size.setWidth(room.right() + 1 - x)
            if place:
                item.setGeometry(QRect(QPoint(x, y + (height - hint.height()) // 2), size))
            x += size.width() + self.spacing()
        return height
