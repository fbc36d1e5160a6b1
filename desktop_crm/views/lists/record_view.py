"""The table of a list: a stock QTableView with its own header, delegate and selection by id."""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from typing import Final

from PySide6.QtCore import (
    QAbstractItemModel,
    QEvent,
    QItemSelection,
    QItemSelectionModel,
    QItemSelectionRange,
    QModelIndex,
    QPersistentModelIndex,
    QPoint,
    Qt,
    Signal,
    Slot,
)
from PySide6.QtGui import (
    QContextMenuEvent,
    QFocusEvent,
    QKeyEvent,
    QMouseEvent,
    QPaintEvent,
    QResizeEvent,
)
from PySide6.QtWidgets import QAbstractItemView, QFrame, QHeaderView, QTableView, QWidget

from desktop_crm.views import theme
from desktop_crm.views.lists.columns import ListColumn, Look
from desktop_crm.views.lists.header import RecordHeader
from desktop_crm.views.lists.record_model import RecordModel
from desktop_crm.views.lists.row_delegate import ROW_HEIGHT, RowDelegate

_Index = QModelIndex | QPersistentModelIndex
_LEAST_COLUMNS: Final = 2
_REMEMBERED: Final = 1_000


def _spans(selection: QItemSelection) -> list[QItemSelectionRange]:
    """Ranges of a selection; never its single rows."""
    return [selection.at(i) for i in range(selection.size())]


def _shared(room: int, wanted: list[int], least: list[int], grows: list[bool]) -> list[int]:
    """Widths between least and more than wanted that fill the room when they can."""
    spare = room - sum(wanted)
    if spare < 0:
        give = sum(w - low for w, low in zip(wanted, least, strict=True))
        part = min(1.0, -spare / give) if give else 0.0
        made = [w - int((w - low) * part) for w, low in zip(wanted, least, strict=True)]
    else:
        share = sum(w for w, grow in zip(wanted, grows, strict=False) if grow)
        made = [
            w + (spare * w // share if grow and share else 0)
            for w, grow in zip(wanted, grows, strict=False)
        ]
    rest = room - sum(made)
    if abs(rest) <= len(made) and made:
        made[0] += rest  # what rounding left over
    return made


class RecordView(QTableView):
    """Shows a record model; everything about the selection goes by ranges and keys.

    Attributes:
        opened: Enter or a double click on a record; carries its key.
        current_changed: Another record is current; carries its key or None.
        selection_told: Number of selected rows.
        sort_wanted: A header was clicked; carries the column's path.
        widths_changed: The person resized or moved a column.
        typed: Letters typed while the table has the focus: they belong into the filter.
        menu_wanted: Context menu at a global position.
    """

    opened = Signal(object)
    current_changed = Signal(object)
    selection_told = Signal(object)
    sort_wanted = Signal(str)
    widths_changed = Signal()
    typed = Signal(str)
    menu_wanted = Signal(object)

    def __init__(self, name: str, accessible_name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self.setAccessibleName(accessible_name)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.hover_row = -1
        self.current_row = -1
        self.shows_focus = False
        self.rows_of: RecordModel | None = None
        self.drops_columns = True
        self._looks: tuple[Look, ...] = ()
        self._widths: dict[str, int] = {}
        self._fitting = False
        self._first = 0
        self._restore: tuple[int | None, list[int]] = (None, [])
        self._near = -1
        self._header = RecordHeader(self)
        self.setHorizontalHeader(self._header)
        self._header.sectionClicked.connect(self._header_clicked)
        self._header.sectionResized.connect(self._section_resized)
        self._header.sectionMoved.connect(self._section_moved)
        self._own_header_selection: QItemSelectionModel | None = None
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
        self.doubleClicked.connect(self._double_clicked)
        theme.changed.connect(self._restyle)

    @Slot()
    def _restyle(self) -> None:
        self.verticalHeader().setDefaultSectionSize(theme.scaled(ROW_HEIGHT))
        self.verticalHeader().setMinimumSectionSize(theme.scaled(ROW_HEIGHT))

    # --- model -----------------------------------------------------------------------------

    def setModel(self, model: QAbstractItemModel | None) -> None:
        super().setModel(model)
        self.rows_of = model if isinstance(model, RecordModel) else None
        if model is None:
            return
        # With the shared selection model the header asks of each column whether every row of it
        # is selected: select all would freeze a long list for half a minute.
        self._own_header_selection = QItemSelectionModel(model, self)
        self._header.setSelectionModel(self._own_header_selection)
        if isinstance(model, RecordModel):
            model.modelAboutToBeReset.connect(self._remember_selection)
            model.modelReset.connect(self._after_reset)
            model.keys_known.connect(self._restore_selection)

    @property
    def record_model(self) -> RecordModel:
        """The model, as what it is."""
        model = self.model()
        if not isinstance(model, RecordModel):
            raise TypeError("the table shows no record model")
        return model

    def show_columns(self, columns: tuple[ListColumn, ...], widths: dict[str, int]) -> None:
        """Say how the model's columns are painted.

        Args:
            columns: The model's columns in order.
            widths: Widths the person chose, by path.
        """
        self._looks = tuple(column.look for column in columns)
        self._widths = dict(widths)
        self._columns = columns

    @Slot()
    def _after_reset(self) -> None:
        self.hover_row = -1
        self.current_row = -1
        self._first = self._header.logicalIndex(0)
        self.fit_columns()
        if self._restore[0] is None:
            self._begin()

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
        scale = theme.scaled(100) / 100
        usual = [
            self._widths.get(column.path, round(column.width * scale)) for column in self._columns
        ]
        least = [
            width if column.path in self._widths else round(width * column.shrinks)
            for column, width in zip(self._columns, usual, strict=True)
        ]
        wanted = [
            width if column.path in self._widths else max(width, self._header.room_of(column.label))
            for column, width in zip(self._columns, usual, strict=True)
        ]
        room = self.viewport().width()
        shown = len(wanted)
        while self.drops_columns and shown > _LEAST_COLUMNS and sum(least[:shown]) > room:
            shown -= 1
        widths = _shared(room, wanted[:shown], least[:shown], [c.grows for c in self._columns])
        self._fitting = True
        for place, width in enumerate(widths):
            self._header.setSectionHidden(place, False)
            self._header.resizeSection(place, width)
        for place in range(shown, len(wanted)):
            self._header.setSectionHidden(place, True)
        self._fitting = False

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.fit_columns()

    @Slot(int, int, int)
    def _section_resized(self, section: int, old: int, new: int) -> None:
        if self._fitting or section >= len(self._looks):
            return
        self._widths[self._columns[section].path] = new
        self.widths_changed.emit()

    @Slot(int, int, int)
    def _section_moved(self, logical: int, old: int, new: int) -> None:
        self._first = self._header.logicalIndex(0)
        self.viewport().update()
        self.widths_changed.emit()

    def column_state(self) -> tuple[tuple[str, ...], dict[str, int]]:
        """Paths in the order on the screen, and the widths the person chose."""
        order = [self._header.logicalIndex(i) for i in range(self._header.count())]
        order = [i for i in order if i < len(self._columns)]
        return tuple(self._columns[i].path for i in order), dict(self._widths)

    @Slot(int)
    def _header_clicked(self, section: int) -> None:
        if section < len(self._looks):
            self.sort_wanted.emit(self._columns[section].path)

    def show_sort(self, path: str, *, descending: bool) -> None:
        """Show by which column the list is sorted."""
        paths = [column.path for column in self._columns]
        column = paths.index(path) if path in paths else -1
        self._header.show_sort(column, descending=descending)

    @property
    def header(self) -> RecordHeader:
        """The header."""
        return self._header

    # --- selection -------------------------------------------------------------------------

    def selected_count(self) -> int:
        """Number of selected rows; costs one step per range, not per row."""
        model = self.selectionModel()
        if model is None:
            return 0
        return sum(span.height() for span in _spans(model.selection()))

    def selected_ids(self) -> array[int]:
        """Keys of the selected records in the order of the list."""
        ids: array[int] = array("q")
        model = self.selectionModel()
        if model is None:
            return ids
        for span in sorted(_spans(model.selection()), key=QItemSelectionRange.top):
            ids.extend(self.record_model.ids_between(span.top(), span.bottom()))
        return ids

    def current_id(self) -> int | None:
        """Key of the current record."""
        return self.record_model.id_at(self.currentIndex().row())

    def select_id(self, record_id: int) -> bool:
        """Make a record current; False when it is not in the list."""
        row = self.record_model.row_of(record_id)
        if row < 0:
            return False
        self.selectRow(row)
        return True

    def restore_after_reset(self, current: int | None) -> None:
        """Make a record current as soon as the list that is being loaded knows it."""
        self._restore = (current, [])

    @Slot()
    def _remember_selection(self) -> None:
        current = self.current_id()
        if current is None:
            return
        ids = list(self.selected_ids()) if self.selected_count() <= _REMEMBERED else []
        self._restore = (current, ids)

    @Slot()
    def _restore_selection(self) -> None:
        (current, ids), self._restore = self._restore, (None, [])
        if current is None or self.currentIndex().isValid():
            return
        model = self.record_model
        row = model.row_of(current)
        near, self._near = self._near, -1
        if row < 0:
            self.current_changed.emit(None)
            self._begin(min(max(near, 0), model.rowCount() - 1))
            return
        self._select_rows([model.row_of(i) for i in ids] if len(ids) > 1 else [row])
        self.selectionModel().setCurrentIndex(
            model.index(row, 0), QItemSelectionModel.SelectionFlag.NoUpdate
        )
        self.scrollTo(model.index(row, 0))

    def stay_near(self) -> None:
        """Should the current record be gone after the next reset, take the one in its place."""
        self._near = self.currentIndex().row()

    def _begin(self, row: int = 0) -> None:
        """Make a record current when none is: beside a list there is always a record."""
        if not self.currentIndex().isValid() and self.model().rowCount():
            self.setCurrentIndex(self.model().index(row, 0))

    def _select_rows(self, rows: Iterable[int]) -> None:
        model = self.record_model
        last = model.columnCount() - 1
        selection = QItemSelection()
        for row in rows:
            if row >= 0:
                selection.select(model.index(row, 0), model.index(row, last))
        self.selectionModel().select(selection, QItemSelectionModel.SelectionFlag.ClearAndSelect)

    def currentChanged(self, current: _Index, previous: _Index) -> None:
        super().currentChanged(current, previous)
        before, self.current_row = self.current_row, current.row()
        for row in (before, self.current_row):
            self._repaint_row(row)
        model = self.model()
        if isinstance(model, RecordModel):
            self.current_changed.emit(model.id_at(current.row()))

    def selectionChanged(self, selected: QItemSelection, deselected: QItemSelection) -> None:
        super().selectionChanged(selected, deselected)
        self.selection_told.emit(self.selected_count())

    # --- mouse and keyboard ----------------------------------------------------------------

    def _repaint_row(self, row: int) -> None:
        if row >= 0:
            top = self.rowViewportPosition(row)
            self.viewport().update(0, top, self.viewport().width(), self.rowHeight(row))

    def _hover(self, row: int) -> None:
        before, self.hover_row = self.hover_row, row
        if before != row:
            self._repaint_row(before)
            self._repaint_row(row)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._hover(self.rowAt(event.position().toPoint().y()))
        super().mouseMoveEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        self._delegate.begin_frame()
        super().paintEvent(event)

    def leaveEvent(self, event: QEvent) -> None:
        self._hover(-1)
        super().leaveEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        self.shows_focus = True
        super().focusInEvent(event)
        self._begin()
        self.viewport().update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        self.shows_focus = False
        super().focusOutEvent(event)
        self.viewport().update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter}:
            current = self.current_id()
            if current is not None:
                self.opened.emit(current)
            return
        super().keyPressEvent(event)

    def keyboardSearch(self, search: str) -> None:
        # Qt would walk through every row of the model; the filter asks the database instead.
        self.typed.emit(search)

    @Slot(QModelIndex)
    def _double_clicked(self, index: QModelIndex) -> None:
        record_id = self.record_model.id_at(index.row())
        if record_id is not None:
            self.opened.emit(record_id)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        if event.reason() == QContextMenuEvent.Reason.Keyboard:
            place = self.visualRect(self.currentIndex()).bottomLeft()
            self.menu_wanted.emit(self.viewport().mapToGlobal(place + QPoint(40, 0)))
        else:
            self.menu_wanted.emit(event.globalPos())
