"""A table of a few hundred facts in dialogs: full-row hover and selection, an icon, one pill."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from PySide6.QtCore import (
    QAbstractTableModel,
    QItemSelectionModel,
    QModelIndex,
    QPersistentModelIndex,
    QRect,
    QRectF,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QFont, QKeyEvent, QMouseEvent, QPainter, QPen
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
)

from desktop_crm.views import theme
from desktop_crm.views.icons import paint_icon

_ROW: Final = 36
_PAD: Final = 10
_ICON: Final = 18
_TICK: Final = 16
_Index = QModelIndex | QPersistentModelIndex
_ROOT: Final = QModelIndex()


@dataclass(frozen=True, slots=True)
class Heading:
    """One column.

    Attributes:
        title: Shown above it.
        width: Pixels at the normal text size; 0 takes what is left.
        is_number: Stands at the right.
    """

    title: str
    width: int = 0
    is_number: bool = False


@dataclass(frozen=True, slots=True)
class Fact:
    """One row.

    Attributes:
        cells: Texts, one for each column.
        data: What the owner needs back.
        icon: Drawing in front of the first cell.
        pill: Column shown as a pill; -1: none.
        tone: Colour of the pill.
        is_dim: Shown in the colour of what no longer counts.
        ticked: Whether the box in front of the first cell is ticked; None: there is no box.
    """

    cells: tuple[str, ...]
    data: object
    icon: str = ""
    pill: int = -1
    tone: str = "neutral"
    is_dim: bool = False
    ticked: bool | None = None


class FactModel(QAbstractTableModel):
    """The rows as given."""

    def __init__(self, headings: Sequence[Heading]) -> None:
        super().__init__()
        self.headings = tuple(headings)
        self.facts: tuple[Fact, ...] = ()
        self._boxed = False

    def show(self, facts: Sequence[Fact]) -> None:
        """Show other rows."""
        self.beginResetModel()
        self.facts = tuple(facts)
        self._boxed = any(fact.ticked is not None for fact in self.facts)
        self.endResetModel()

    def add(self, facts: Sequence[Fact]) -> None:
        """Show more rows below those that are there."""
        if not facts:
            return
        first = len(self.facts)
        self.beginInsertRows(QModelIndex(), first, first + len(facts) - 1)
        self.facts = (*self.facts, *facts)
        self._boxed = self._boxed or any(fact.ticked is not None for fact in facts)
        self.endInsertRows()

    def change(self, facts: Mapping[int, Fact]) -> None:
        """Show other facts in some rows."""
        if not facts:
            return
        self.facts = tuple(facts.get(row, fact) for row, fact in enumerate(self.facts))
        first, last = min(facts), max(facts)
        self.dataChanged.emit(self.index(first, 0), self.index(last, len(self.headings) - 1))

    @property
    def has_boxes(self) -> bool:
        """Whether any row has a box to tick."""
        return self._boxed

    def rowCount(self, parent: _Index = _ROOT) -> int:
        return 0 if parent.isValid() else len(self.facts)

    def columnCount(self, parent: _Index = _ROOT) -> int:
        return 0 if parent.isValid() else len(self.headings)

    def data(self, index: _Index, role: int = int(Qt.ItemDataRole.DisplayRole)) -> object:
        fact = self.facts[index.row()]
        if role in {Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole}:
            return fact.cells[index.column()]
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return ", ".join(cell for cell in fact.cells if cell)
        if role == Qt.ItemDataRole.CheckStateRole and not index.column():
            states = {True: Qt.CheckState.Checked, False: Qt.CheckState.Unchecked, None: None}
            return states[fact.ticked]
        return None

    def headerData(
        self,
        section: int,
        orientation: Qt.Orientation,
        role: int = int(Qt.ItemDataRole.DisplayRole),
    ) -> object:
        if orientation is Qt.Orientation.Horizontal:
            heading = self.headings[section]
            if role == Qt.ItemDataRole.DisplayRole:
                return heading.title
            if role == Qt.ItemDataRole.TextAlignmentRole:
                side = (
                    Qt.AlignmentFlag.AlignRight if heading.is_number else Qt.AlignmentFlag.AlignLeft
                )
                return side | Qt.AlignmentFlag.AlignVCenter
        return None


class _Delegate(QStyledItemDelegate):
    """Paints a cell."""

    def __init__(self, table: FactTable) -> None:
        super().__init__(table)
        self._table = table

    def sizeHint(self, option: QStyleOptionViewItem, index: _Index) -> QSize:
        return QSize(60, theme.scaled(_ROW))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        table, column = self._table, index.column()
        fact = table.facts.facts[index.row()]
        area: QRect = option.rect
        painter.save()
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        if selected:
            painter.fillRect(area, theme.color("sel" if table.hasFocus() else "sel_inactive"))
        elif index.row() == table.hover_row:
            painter.fillRect(area, theme.color("hover"))
        painter.fillRect(area.left(), area.bottom(), area.width(), 1, theme.color("stroke"))
        if table.hasFocus() and index.row() == table.currentIndex().row():
            painter.fillRect(area.left(), area.top(), area.width(), 1, theme.color("line"))
            painter.fillRect(area.left(), area.bottom(), area.width(), 1, theme.color("line"))
        left = area.left() + _PAD
        if column == 0 and table.facts.has_boxes:
            if fact.ticked is not None:
                paint_tick(painter, self._table.tick_area(area), ticked=fact.ticked)
            # Rows without a box stand in line with those that have one.
            left += theme.scaled(_TICK) + 10
        if column == 0 and fact.icon:
            size = theme.scaled(_ICON)
            top = area.top() + (area.height() - size) // 2
            paint_icon(painter, QRect(left, top, size, size), fact.icon, "text2")
            left += size + 10
        room = QRect(left, area.top(), area.right() - _PAD - left, area.height() - 1)
        if column == fact.pill:
            self._pill(painter, room, fact)
        else:
            self._text(painter, room, fact, column)
        painter.restore()

    def _text(self, painter: QPainter, room: QRect, fact: Fact, column: int) -> None:
        heading = self._table.facts.headings[column]
        weight = QFont.Weight.Medium if column == 0 else QFont.Weight.Normal
        painter.setFont(theme.font(13, weight, tabular=heading.is_number))
        painter.setPen(theme.color("text3" if fact.is_dim else "text" if column == 0 else "text2"))
        shown = painter.fontMetrics().elidedText(
            fact.cells[column], Qt.TextElideMode.ElideRight, room.width()
        )
        side = Qt.AlignmentFlag.AlignRight if heading.is_number else Qt.AlignmentFlag.AlignLeft
        painter.drawText(room, side | Qt.AlignmentFlag.AlignVCenter, shown)

    def _pill(self, painter: QPainter, room: QRect, fact: Fact) -> None:
        text = fact.cells[fact.pill]
        if not text:
            return
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(theme.font(12, QFont.Weight.Medium))
        metrics = painter.fontMetrics()
        shown = metrics.elidedText(text, Qt.TextElideMode.ElideRight, room.width() - 18)
        tall = theme.scaled(21)
        box = QRectF(
            room.left(), room.top() + (room.height() - tall) / 2,
            metrics.horizontalAdvance(shown) + 18, tall,
        )  # fmt: skip
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.color(f"{fact.tone}_bg"))
        painter.drawRoundedRect(box, tall / 2, tall / 2)
        painter.setPen(theme.color(fact.tone))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, shown)


def paint_tick(painter: QPainter, box: QRect, *, ticked: bool) -> None:
    """Draw a box to tick as the forms show it."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(theme.color("accent" if ticked else "control"), 1))
    painter.setBrush(theme.color("accent" if ticked else "surface"))
    painter.drawRoundedRect(QRectF(box).adjusted(0.5, 0.5, -0.5, -0.5), 3, 3)
    painter.restore()
    if ticked:
        paint_icon(painter, box.adjusted(2, 2, -2, -2), "checkmark", "on_accent")


class FactTable(QTableView):
    """The table; Enter or a double click opens a row, Del is told to the owner.

    Where rows have a box, Space and a click on it tell the owner; with several rows selected Space
    is told for each of them.

    Attributes:
        ticked: Data of the rows whose box was pressed.
        opened: Data of the row to open.
        chosen: Other rows are selected now.
        removed: Del was pressed.
        facts: The model.
        hover_row: Row under the mouse, -1 for none.
    """

    ticked = Signal(list)
    opened = Signal(object)
    chosen = Signal()
    removed = Signal()

    def __init__(
        self, name: str, accessible_name: str, headings: Sequence[Heading], *, many: bool = False
    ) -> None:
        super().__init__()
        self.setObjectName(name)
        self.setAccessibleName(accessible_name)
        self.facts = FactModel(headings)
        self.hover_row = -1
        self.setModel(self.facts)
        self.setItemDelegate(_Delegate(self))
        self.setShowGrid(False)
        self.setMouseTracking(True)
        self.setTabKeyNavigation(False)
        self.setWordWrap(False)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(
            QAbstractItemView.SelectionMode.ExtendedSelection
            if many
            else QAbstractItemView.SelectionMode.SingleSelection
        )
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.verticalHeader().hide()
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.verticalHeader().setDefaultSectionSize(theme.scaled(_ROW))
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        header.setSectionsClickable(False)
        for number, heading in enumerate(headings):
            if heading.width:
                header.resizeSection(number, theme.scaled(heading.width))
            else:
                header.setSectionResizeMode(number, QHeaderView.ResizeMode.Stretch)
        self.selectionModel().selectionChanged.connect(lambda _new, _old: self.chosen.emit())
        self.facts.modelReset.connect(self.chosen)

    def add_facts(self, facts: Sequence[Fact]) -> None:
        """Show more rows below; selection and scrolling stay."""
        self.facts.add(facts)
        if not self.currentIndex().isValid():
            self._go_to(0)

    def show_facts(self, facts: Sequence[Fact]) -> None:
        """Show other rows; the current place stays."""
        row = max(0, self.currentIndex().row())
        self.facts.show(facts)
        self._go_to(row)

    def _go_to(self, row: int) -> None:
        if self.facts.facts:
            index = self.facts.index(min(row, len(self.facts.facts) - 1), 0)
            self.selectionModel().setCurrentIndex(
                index,
                QItemSelectionModel.SelectionFlag.ClearAndSelect
                | QItemSelectionModel.SelectionFlag.Rows,
            )

    def selected(self) -> list[object]:
        """Data of the selected rows, from top to bottom."""
        rows = sorted({index.row() for index in self.selectionModel().selectedRows()})
        return [self.facts.facts[row].data for row in rows]

    def keyPressEvent(self, event: QKeyEvent) -> None:
        row = self.currentIndex().row()
        if event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter} and row >= 0:
            self.opened.emit(self.facts.facts[row].data)
        elif event.key() == Qt.Key.Key_Delete:
            self.removed.emit()
        elif event.key() == Qt.Key.Key_Space and self._boxes(row):
            self.ticked.emit(self.selected())
        else:
            super().keyPressEvent(event)

    def _boxes(self, row: int) -> bool:
        return 0 <= row < len(self.facts.facts) and self.facts.facts[row].ticked is not None

    @staticmethod
    def tick_area(area: QRect) -> QRect:
        """Where the box of a row stands, in the first cell."""
        size = theme.scaled(_TICK)
        top = area.top() + (area.height() - size) // 2
        return QRect(area.left() + _PAD, top, size, size)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        point = event.position().toPoint()
        index = self.indexAt(point)
        if index.isValid() and not index.column() and self._boxes(index.row()):
            box = self.tick_area(self.visualRect(index)).adjusted(-8, -10, 6, 10)
            if box.contains(point):
                self.ticked.emit([self.facts.facts[index.row()].data])
                return
        super().mousePressEvent(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        index = self.indexAt(event.position().toPoint())
        if index.isValid():
            self.opened.emit(self.facts.facts[index.row()].data)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        row = self.indexAt(event.position().toPoint()).row()
        if row != self.hover_row:
            self.hover_row = row
            self.viewport().update()
        super().mouseMoveEvent(event)
