"""A short list of two-line entries with an icon or a box to tick; rows are records to open."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import (
    QAbstractListModel,
    QEvent,
    QModelIndex,
    QPersistentModelIndex,
    QPointF,
    QRect,
    QRectF,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QFont, QFontMetricsF, QKeyEvent, QMouseEvent, QPainter, QPen, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from desktop_crm.views import icons, theme

ROW = 46
HEADING = 30
TICK = 18
Index = QModelIndex | QPersistentModelIndex


@dataclass(frozen=True, slots=True)
class Line:
    """One entry; a heading has no id.

    Attributes:
        id: the record, None for a heading.
        entity: its kind.
        title: first line.
        subtitle: second line.
        right: at the right end.
        note: at the right end of the second line.
        bad: whether `right` is a warning.
        icon: drawing at the left.
        tickable: whether a box to tick stands at the left.
        data: what the owner needs back.
    """

    id: int | None
    entity: str = ""
    title: str = ""
    subtitle: str = ""
    right: str = ""
    note: str = ""
    bad: bool = False
    icon: str = ""
    tickable: bool = False
    data: object = None


class LineModel(QAbstractListModel):
    """The lines."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: tuple[Line, ...] = ()

    def show(self, lines: Sequence[Line]) -> None:
        """Show other lines."""
        self.beginResetModel()
        self.lines = tuple(lines)
        self.endResetModel()

    def rowCount(self, parent: Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self.lines)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        line = self.lines[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return line.title
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return ", ".join(t for t in (line.title, line.subtitle, line.right, line.note) if t)
        if role == Qt.ItemDataRole.CheckStateRole and line.tickable:
            return Qt.CheckState.Unchecked
        return None

    def flags(self, index: Index) -> Qt.ItemFlag:
        if self.lines[index.row()].id is None:
            return Qt.ItemFlag.NoItemFlags
        return Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable


class LineDelegate(QStyledItemDelegate):
    """Paints a line."""

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        model = index.model()
        heading = isinstance(model, LineModel) and model.lines[index.row()].id is None
        return QSize(200, theme.scaled(HEADING if heading else ROW))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        model = index.model()
        view = self.parent()
        if not isinstance(model, LineModel) or not isinstance(view, LineList):
            return
        line = model.lines[index.row()]
        rect = QRectF(option.rect)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if line.id is None:
            self._paint_heading(painter, rect, line)
        else:
            state = option.state
            self._paint_back(painter, rect, state, focused=view.hasFocus() or view.shows_current)
            self._paint_line(painter, rect, line, hovered=view.hovered_tick == index.row())
        painter.restore()

    def _paint_heading(self, painter: QPainter, rect: QRectF, line: Line) -> None:
        painter.setFont(theme.font(12, QFont.Weight.DemiBold))
        painter.setPen(theme.color("bad" if line.bad else "text2"))
        box = rect.adjusted(8, 6, -8, 0)
        painter.drawText(
            box, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, line.title
        )

    def _paint_back(
        self, painter: QPainter, rect: QRectF, state: QStyle.StateFlag, *, focused: bool
    ) -> None:
        selected = bool(state & QStyle.StateFlag.State_Selected) and focused
        hovered = bool(state & QStyle.StateFlag.State_MouseOver)
        if selected or hovered:
            painter.setPen(QPen(theme.color("focus"), 1) if selected else Qt.PenStyle.NoPen)
            painter.setBrush(theme.color("sel" if selected else "hover"))
            painter.drawRoundedRect(rect.adjusted(0.5, 1.5, -0.5, -1.5), 5, 5)

    def _paint_line(self, painter: QPainter, rect: QRectF, line: Line, *, hovered: bool) -> None:
        lead = lead_rect(rect)
        if line.tickable:
            painter.setPen(QPen(theme.color("focus" if hovered else "control"), 1.2))
            painter.setBrush(theme.color("surface"))
            painter.drawEllipse(QRectF(lead).adjusted(1, 1, -1, -1))
            if hovered:
                icons.paint_icon(painter, lead.adjusted(2, 2, -2, -2), "checkmark", "accent_text")
        elif line.icon:
            icons.paint_icon(painter, lead, line.icon, "text2")
        left = lead.right() + 11
        right_font = theme.font(12, QFont.Weight.Medium if line.bad else QFont.Weight.Normal)
        metrics = QFontMetricsF(right_font)
        right_width = max(
            metrics.horizontalAdvance(line.right), metrics.horizontalAdvance(line.note)
        )
        text_width = max(20.0, rect.right() - 10 - left - right_width - 10)
        half = rect.height() / 2
        top = QRectF(left, rect.top() + 5, text_width, half - 4)
        bottom = QRectF(left, rect.top() + half - 1, text_width, half - 5)
        if not line.subtitle and not line.note:
            top = QRectF(left, rect.top(), text_width, rect.height())
        _draw(painter, top, line.title, theme.font(13, QFont.Weight.Medium), "text")
        _draw(painter, bottom, line.subtitle, theme.font(12), "text2")
        side = QRectF(rect.right() - 10 - right_width, top.top(), right_width + 2, top.height())
        _draw(painter, side, line.right, right_font, "bad" if line.bad else "text2", right=True)
        side = QRectF(side.left(), bottom.top(), side.width(), bottom.height())
        _draw(painter, side, line.note, theme.font(12), "text2", right=True)


def _draw(
    painter: QPainter, box: QRectF, text: str, font: QFont, token: str, *, right: bool = False
) -> None:
    if text:
        painter.setFont(font)
        painter.setPen(theme.color(token))
        side = Qt.AlignmentFlag.AlignRight if right else Qt.AlignmentFlag.AlignLeft
        shown = QFontMetricsF(font).elidedText(text, Qt.TextElideMode.ElideRight, box.width())
        painter.drawText(box, side | Qt.AlignmentFlag.AlignVCenter, shown)


def lead_rect(rect: QRectF) -> QRect:
    """Where the icon or the box to tick stands."""
    size = theme.scaled(TICK)
    return QRect(round(rect.left()) + 9, round(rect.center().y() - size / 2), size, size)


class LineList(QListView):
    """Lines; Enter or a click opens one, Space or its box ticks it.

    Attributes:
        opened: the line to open.
        ticked: the line that was ticked.
        opens_on_click: A click opens; otherwise a double click does, and a click only chooses.
        shows_current: The current line is marked without the focus too, e.g. below a text field
            whose Enter takes it.
    """

    opened = Signal(object)
    ticked = Signal(object)

    def __init__(self, name: str, accessible_name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self.setAccessibleName(accessible_name)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setMouseTracking(True)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.hovered_tick = -1
        self.shows_current = False
        self.opens_on_click = True
        self._model = LineModel()
        self.setModel(self._model)
        self.setItemDelegate(LineDelegate(self))
        theme.changed.connect(self.scheduleDelayedItemsLayout)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self.shows_current:
            # What is chosen stays in sight when something below it takes room.
            self.scrollTo(self.currentIndex())

    @property
    def lines(self) -> tuple[Line, ...]:
        """The lines shown."""
        return self._model.lines

    def show_lines(self, lines: Sequence[Line]) -> None:
        """Show other lines; the current record stays current when it is among them."""
        current = self.current_line()
        row = self.currentIndex().row()
        self._model.show(lines)
        ids = [line.id for line in lines]
        if current is not None and current.id in ids:
            row = ids.index(current.id)
        selectable = [n for n, one in enumerate(ids) if one is not None]
        if selectable:
            nearest = min(selectable, key=lambda n: abs(n - max(row, 0)))
            self.setCurrentIndex(self._model.index(nearest))

    def current_line(self) -> Line | None:
        """The current line."""
        row = self.currentIndex().row()
        return self._model.lines[row] if 0 <= row < len(self._model.lines) else None

    def _tick_at(self, point: QPointF) -> int:
        index = self.indexAt(point.toPoint())
        if not index.isValid() or not self._model.lines[index.row()].tickable:
            return -1
        lead = lead_rect(QRectF(self.visualRect(index))).adjusted(-7, -9, 5, 9)
        return index.row() if lead.contains(point.toPoint()) else -1

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        tick = self._tick_at(event.position())
        if tick != self.hovered_tick:
            self.hovered_tick = tick
            self.viewport().update()
        super().mouseMoveEvent(event)

    def leaveEvent(self, event: QEvent) -> None:
        self.hovered_tick = -1
        super().leaveEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        super().mouseReleaseEvent(event)
        if event.button() != Qt.MouseButton.LeftButton:
            return
        index = self.indexAt(event.position().toPoint())
        if not index.isValid() or self._model.lines[index.row()].id is None:
            return
        line = self._model.lines[index.row()]
        if self._tick_at(event.position()) >= 0:
            self.ticked.emit(line)
        elif self.opens_on_click:
            self.opened.emit(line)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        super().mouseDoubleClickEvent(event)
        line = self.current_line()
        if line is not None and line.id is not None and not self.opens_on_click:
            self.opened.emit(line)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        line = self.current_line()
        key = event.key()
        if line is not None and key in {Qt.Key.Key_Return, Qt.Key.Key_Enter}:
            self.opened.emit(line)
        elif line is not None and key == Qt.Key.Key_Space and line.tickable:
            self.ticked.emit(line)
        else:
            super().keyPressEvent(event)
