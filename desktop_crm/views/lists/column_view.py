"""A table whose columns are shared out, frozen, moved and sorted by; rows are the subclass's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import (
    QEvent,
    QItemSelectionModel,
    QModelIndex,
    QPersistentModelIndex,
    Qt,
    Signal,
    Slot,
)
from PySide6.QtGui import QMouseEvent, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QFrame, QHeaderView, QTableView, QWidget

from desktop_crm.services.list_layout import Density, Format
from desktop_crm.services.record_query import Order
from desktop_crm.views import theme
from desktop_crm.views.lists import column_widths
from desktop_crm.views.lists.columns import ListColumn, Look
from desktop_crm.views.lists.frozen import FrozenColumns
from desktop_crm.views.lists.header import RecordHeader
from desktop_crm.views.lists.row_delegate import HEIGHTS, RowDelegate

if TYPE_CHECKING:
    from desktop_crm.views.lists.record_model import RecordModel

_Index = QModelIndex | QPersistentModelIndex
_SCROLLING_ROOM: Final = 160


class ColumnView(QTableView):
    """What is common to every row of a list: its columns, their header and how cells are painted.

    Attributes:
        sort_wanted: A header was clicked; carries the column's path and whether as one more sort.
        header_menu_wanted: Menu of a column: its number and a global position.
        columns_placed: Columns stand elsewhere or have other widths.
        widths_changed: The person resized or moved a column.
        menu_wanted: Context menu at a global position.
        rows_of: The model, where it is a record model.
        hover_row: Row under the mouse, -1 for none; ``current_row`` likewise.
        is_grid: Single cells are selected, not rows.
        header_column: Column at which the keyboard stands in the header.
        formats: Conditional formats, by the mark of a row.
        number_text: Shows a count.
    """

    sort_wanted = Signal(str, bool)
    header_menu_wanted = Signal(int, object)
    columns_placed = Signal()
    widths_changed = Signal()
    menu_wanted = Signal(object)

    def __init__(self, name: str, accessible_name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self.setAccessibleName(accessible_name)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.rows_of: RecordModel | None = None
        self.hover_row = -1
        self.current_row = -1
        self.is_grid = False
        self.shows_focus = False
        self.header_column = -1
        self.density = Density.NORMAL
        self.formats: tuple[Format, ...] = ()
        self.number_text: Callable[[int], str] = str
        self.drops_columns = True
        self._looks: tuple[Look, ...] = ()
        self._widths: dict[str, int] = {}
        self._columns: tuple[ListColumn, ...] = ()
        self._fitting = False
        self._frozen: FrozenColumns | None = None
        self._frozen_wanted = 0
        self._first = 0
        self._header = RecordHeader(self)
        self.setHorizontalHeader(self._header)
        self._connect_header(self._header)
        self._header.left.connect(lambda: self.setFocus(Qt.FocusReason.TabFocusReason))
        self.verticalHeader().hide()
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self._restyle()
        self._delegate = RowDelegate(self)
        self.setItemDelegate(self._delegate)
        self.setMouseTracking(True)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setCornerButtonEnabled(False)
        self.setTabKeyNavigation(False)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        theme.changed.connect(self._restyle)

    @Slot()
    def _restyle(self) -> None:
        height = theme.scaled(HEIGHTS[self.density])
        for view in self._views():
            view.verticalHeader().setMinimumSectionSize(height)
            view.verticalHeader().setDefaultSectionSize(height)

    def set_density(self, density: Density) -> None:
        """Choose how high the rows are."""
        if density != self.density:
            self.density = density
            self._restyle()

    def set_grid(self, is_grid: bool) -> None:
        """Select single cells, or whole rows again; the current record stays current."""
        behaviour = QAbstractItemView.SelectionBehavior
        self.is_grid = is_grid
        for view in self._views():
            view.setSelectionBehavior(behaviour.SelectItems if is_grid else behaviour.SelectRows)
        if self.currentIndex().isValid():
            way = QItemSelectionModel.SelectionFlag.ClearAndSelect
            if not is_grid:
                way |= QItemSelectionModel.SelectionFlag.Rows
            self.selectionModel().select(self.currentIndex(), way)
        for view in self._views():
            view.viewport().update()

    def _views(self) -> tuple[QTableView, ...]:
        return (self,) if self._frozen is None else (self, self._frozen)

    def show_columns(
        self, columns: tuple[ListColumn, ...], widths: dict[str, int], frozen: int = 0
    ) -> None:
        """Say how the model's columns are painted.

        Args:
            columns: The model's columns in order.
            widths: Widths the person chose at the usual text size, by path.
            frozen: So many columns at the left stay while the others scroll.
        """
        same = tuple(column.path for column in columns) == self.column_state()[0]
        self._looks = tuple(column.look for column in columns)
        self._widths = {path: theme.scaled(width) for path, width in widths.items()}
        self._columns = columns
        self._frozen_wanted = frozen
        if same:
            self.fit_columns()

    def _in_order(self) -> None:
        """Columns that were dragged stand in the model's order once the model has taken it."""
        self._fitting = True
        for view in self._views():
            header = view.horizontalHeader()
            for place in range(header.count()):
                header.moveSection(header.visualIndex(place), place)
        self._fitting = False

    def look_of(self, column: int) -> Look:
        """How cells of a column are painted."""
        return self._looks[column] if column < len(self._looks) else Look.PLAIN

    def is_first(self, column: int) -> bool:
        """Whether a column stands at the left edge."""
        return column == self._first

    # --- columns ---------------------------------------------------------------------------

    def fit_columns(self) -> None:
        """Share the room among the columns.

        Columns the person chose all stay and scroll; of the entity's own columns the last ones
        give way when there is no room.
        """
        if not self._looks or self._header.count() != len(self._looks):
            return
        order = [self._header.logicalIndex(place) for place in range(len(self._looks))]
        made = column_widths.widths(
            [self._columns[column] for column in order],
            self._widths,
            self.viewport().width(),
            self._header.room_of,
            drops=self.drops_columns,
        )
        self._fitting = True
        for place, column in enumerate(order):
            self._header.setSectionHidden(column, place >= len(made))
            if place < len(made):
                self._header.resizeSection(column, made[place])
        self._fitting = False
        self._freeze(order, made)
        self.columns_placed.emit()

    def _freeze(self, order: list[int], made: list[int]) -> None:
        """Lay the frozen columns over the left, as many of those wanted as leave some room."""
        count = min(self._frozen_wanted, len(made) - 1)
        while count > 0 and sum(made[:count]) > self.viewport().width() - _SCROLLING_ROOM:
            count -= 1
        if count <= 0:
            if self._frozen is not None:
                self._frozen.hide()
            return
        if self._frozen is None:
            self._frozen = FrozenColumns(self)
            self._connect_header(self._frozen.header)
            self._restyle()
        self._fitting = True
        for place, column in enumerate(order):
            header = self._frozen.header
            header.moveSection(header.visualIndex(column), place)
            header.setSectionHidden(column, place >= count)
            if place < count:
                header.resizeSection(column, made[place])
        self._fitting = False
        frame = self.frameWidth()
        height = self.viewport().y() - frame + self.viewport().height()
        self._frozen.setGeometry(frame, frame, sum(made[:count]), height)
        self._frozen.verticalScrollBar().setValue(self.verticalScrollBar().value())
        self._frozen.show()
        self._frozen.raise_()

    @property
    def frozen_width(self) -> int:
        """Pixels at the left that do not scroll sideways."""
        frozen = self._frozen
        return 0 if frozen is None or frozen.isHidden() else frozen.width()

    @property
    def frozen_columns(self) -> FrozenColumns | None:
        """The view over the frozen columns; None while none are."""
        return self._frozen if self.frozen_width else None

    def is_frozen(self, column: int) -> bool:
        """Whether a column stays while the others scroll."""
        frozen = self.frozen_columns
        return frozen is not None and not frozen.isColumnHidden(column)

    def scrollTo(
        self,
        index: _Index,
        hint: QAbstractItemView.ScrollHint = QAbstractItemView.ScrollHint.EnsureVisible,
    ) -> None:
        bar = self.horizontalScrollBar()
        before = bar.value()
        super().scrollTo(index, hint)
        covered = self.frozen_width
        if not covered:
            return
        if self.is_frozen(index.column()):
            bar.setValue(before)
        elif (left := self.columnViewportPosition(index.column())) < covered:
            bar.setValue(bar.value() - (covered - left))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.fit_columns()

    # --- header ----------------------------------------------------------------------------

    def _connect_header(self, header: RecordHeader) -> None:
        header.sort_wanted.connect(self._header_clicked)
        header.menu_wanted.connect(self.header_menu_wanted)
        header.sectionResized.connect(self._section_resized)
        header.sectionMoved.connect(self._section_moved)

    @Slot(int, int, int)
    def _section_resized(self, section: int, old: int, new: int) -> None:
        if self._fitting or section >= len(self._looks):
            return
        self._widths[self._columns[section].path] = new
        if self._frozen is not None:
            self.fit_columns()
        self.columns_placed.emit()
        self.widths_changed.emit()

    @Slot(int, int, int)
    def _section_moved(self, logical: int, old: int, new: int) -> None:
        if self._fitting:
            return
        if self._frozen is not None and self.sender() is self._frozen.header:
            self._header.moveSection(self._header.visualIndex(logical), new)
            return
        self._first = self._header.logicalIndex(0)
        self.fit_columns()
        self.viewport().update()
        self.widths_changed.emit()

    def column_state(self) -> tuple[tuple[str, ...], dict[str, int]]:
        """Paths in the order on the screen, and the widths the person chose (usual text size)."""
        order = [self._header.logicalIndex(i) for i in range(self._header.count())]
        scale = theme.scaled(100) / 100
        widths = {path: round(width / scale) for path, width in self._widths.items()}
        return tuple(self._columns[i].path for i in order if i < len(self._columns)), widths

    @Slot(int, bool)
    def _header_clicked(self, section: int, adds: bool) -> None:
        if 0 <= section < len(self._looks):
            self.sort_wanted.emit(self._columns[section].path, adds)

    def show_order(self, order: Sequence[Order]) -> None:
        """Show by which columns the list is sorted."""
        places = {column.path: place for place, column in enumerate(self._columns)}
        several = len(order) > 1
        marks = {
            places[sort.field]: (rank if several else 0, sort.descending)
            for rank, sort in enumerate(order, 1)
            if sort.field in places
        }
        for header in self._headers():
            header.show_sorts(marks)

    def _headers(self) -> tuple[RecordHeader, ...]:
        frozen = self._frozen
        return (self._header,) if frozen is None else (self._header, frozen.header)

    def repaint_headers(self) -> None:
        """Paint the headers again."""
        for header in self._headers():
            header.viewport().update()

    @property
    def header_has_focus(self) -> bool:
        """Whether the keyboard is in the header."""
        return self._header.hasFocus()

    def shown_order(self) -> list[int]:
        """Columns that are shown, from the left."""
        header = self._header
        order = (header.logicalIndex(place) for place in range(header.count()))
        return [column for column in order if not header.isSectionHidden(column)]

    def column_path(self, column: int) -> str:
        """Path of a column; empty where there is none."""
        return self._columns[column].path if 0 <= column < len(self._columns) else ""

    def place_of(self, column: int) -> tuple[int, int]:
        """Left edge and width of a column within this widget; frozen ones do not scroll."""
        if column < 0:
            return 0, 0
        frozen = self.frozen_columns
        is_frozen = frozen is not None and not frozen.isColumnHidden(column)
        header = frozen.header if frozen is not None and is_frozen else self._header
        return header.sectionViewportPosition(column), header.sectionSize(column)

    def go_to_header(self, columns: Sequence[int]) -> None:
        """Put the keyboard's place in the header on the first of some columns."""
        if not columns:
            return
        self.header_column = columns[0]
        left, width = self.place_of(columns[0])
        frozen, bar = self.frozen_width, self.horizontalScrollBar()
        if not self.is_frozen(columns[0]) and left < frozen:
            bar.setValue(bar.value() + left - frozen)
        elif left + width > self.viewport().width():
            bar.setValue(bar.value() + left + width - self.viewport().width())
        self._header.setAccessibleDescription(self._columns[columns[0]].label)
        self.repaint_headers()

    def move_column(self, column: int, step: int) -> None:
        """Move a column to the left (-1) or right (1)."""
        order = self.shown_order()
        if column in order and 0 <= order.index(column) + step < len(order):
            place = self._header.visualIndex(column)
            self._header.moveSection(place, place + step)

    def widen_column(self, column: int, pixels: int) -> None:
        """Make a column wider, or narrower with a negative number."""
        if column >= 0:
            size = max(self._header.sectionSize(column) + pixels, self._header.minimumSectionSize())
            self._header.resizeSection(column, size)

    @property
    def header(self) -> RecordHeader:
        """The header."""
        return self._header

    # --- what a grouped list adds ----------------------------------------------------------

    def press_group(self, row: int, x: int) -> bool:
        """Open or close the group whose mark was hit; False where there is none."""
        return False

    def paint_groups(self, view: QTableView) -> None:
        """Paint the heads of groups over the rows of a view that shows them."""

    # --- rows under the mouse --------------------------------------------------------------

    def _repaint_row(self, row: int) -> None:
        if row >= 0:
            top, height = self.rowViewportPosition(row), self.rowHeight(row)
            for view in self._views():
                view.viewport().update(0, top, view.viewport().width(), height)

    def hover(self, row: int) -> None:
        """Show that the mouse is over a row; -1 over none."""
        before, self.hover_row = self.hover_row, row
        if before != row:
            self._repaint_row(before)
            self._repaint_row(row)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        place = event.position().toPoint()
        if not self.press_group(self.rowAt(place.y()), place.x()):
            super().mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self.hover(self.rowAt(event.position().toPoint().y()))
        super().mouseMoveEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        self._delegate.begin_frame()
        super().paintEvent(event)
        self.paint_groups(self)

    def leaveEvent(self, event: QEvent) -> None:
        self.hover(-1)
        super().leaveEvent(event)
