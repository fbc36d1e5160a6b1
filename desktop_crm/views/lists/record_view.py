"""The table of a list: a stock QTableView with its own header, delegate and selection by id."""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from typing import Final

from PySide6.QtCore import (
    QAbstractItemModel,
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
from PySide6.QtGui import QContextMenuEvent, QFocusEvent, QGuiApplication, QKeyEvent
from PySide6.QtWidgets import QTableView, QWidget

from desktop_crm.views.lists import group_band
from desktop_crm.views.lists.column_view import ColumnView
from desktop_crm.views.lists.group_map import HEAD, GroupMap
from desktop_crm.views.lists.record_model import RecordModel

_REMEMBERED: Final = 1_000


def _spans(selection: QItemSelection) -> list[QItemSelectionRange]:
    """Ranges of a selection; never its single rows."""
    return [selection.at(i) for i in range(selection.size())]


_Index = QModelIndex | QPersistentModelIndex


class RecordView(ColumnView):
    """Shows a record model; everything about the selection goes by ranges and keys.

    Attributes:
        opened: Enter or a double click on a record; carries its key.
        current_changed: Another record is current; carries its key or None.
        selection_told: Number of selected rows.
        typed: Letters typed while the table has the focus: they belong into the filter.
    """

    opened = Signal(object)
    current_changed = Signal(object)
    selection_told = Signal(object)
    typed = Signal(str)

    def __init__(self, name: str, accessible_name: str, parent: QWidget | None = None) -> None:
        self._restore: tuple[int | None, list[int]] = (None, [])
        self._restore_path = ""
        self._near = -1
        self._follows_heads = False
        super().__init__(name, accessible_name, parent)
        self._own_header_selection: QItemSelectionModel | None = None
        self.doubleClicked.connect(self._double_clicked)

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

    @Slot()
    def _after_reset(self) -> None:
        self.hover_row = -1
        self.current_row = -1
        self._in_order()
        self._first = self._header.logicalIndex(0)
        self.fit_columns()
        if self._restore[0] is None:
            self._begin()

    # --- selection -------------------------------------------------------------------------

    def _intervals(self) -> list[tuple[int, int]]:
        """Positions of the selected records, as few disjoint spans in order, ends not included."""
        model = self.selectionModel()
        if self.rows_of is None:
            return []
        found: list[tuple[int, int]] = []
        for span in sorted(_spans(model.selection()), key=QItemSelectionRange.top):
            start, end = self.rows_of.positions(span.top(), span.bottom())
            if found and start <= found[-1][1]:
                found[-1] = (found[-1][0], max(found[-1][1], end))
            else:
                found.append((start, end))
        return found

    def selected_count(self) -> int:
        """Number of selected records; costs one step per range, not per row.

        The head of a group stands for all of its records.
        """
        return sum(end - start for start, end in self._intervals())

    def selected_ids(self) -> array[int]:
        """Keys of the selected records in the order of the list."""
        ids: array[int] = array("q")
        for start, end in self._intervals():
            ids.extend(self.record_model.ids_between(start, end - 1))
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
        self._restore_path = self.record_model.columns[self.currentIndex().column()].path

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
        paths = [column.path for column in model.columns]
        path = self._restore_path if self.is_grid else ""
        index = model.index(row, paths.index(path) if path in paths else 0)
        # Whoever hears of the selection asks at once what is current.
        flags = QItemSelectionModel.SelectionFlag
        self.selectionModel().setCurrentIndex(index, flags.NoUpdate)
        if self.is_grid:  # the next key may be typed into it
            self.selectionModel().select(index, flags.ClearAndSelect)
        else:
            self._select_rows([model.row_of(i) for i in ids] if len(ids) > 1 else [row])
        self.scrollTo(index)

    def stay_near(self) -> None:
        """Should the current record be gone after the next reset, take the one in its place."""
        self._near = self.currentIndex().row()

    def _begin(self, row: int = 0) -> None:
        """Make a record current when none is: beside a list there is always a record."""
        count = self.model().rowCount()
        if not self.currentIndex().isValid() and count:
            heads = self.rows_of is not None and self.rows_of.group_at(row) >= 0
            self.setCurrentIndex(self.model().index(min(row + heads, count - 1), 0))

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
        if self._follows_heads:
            return
        if self.rows_of is not None and self.rows_of.groups is not None:
            self._select_with_heads(self.rows_of.groups, selected, deselected)
        self.selection_told.emit(self.selected_count())

    # --- groups ----------------------------------------------------------------------------

    def _select_with_heads(
        self, groups: GroupMap, selected: QItemSelection, deselected: QItemSelection
    ) -> None:
        """Let the records of a group follow its head into the selection and out of it."""
        flags = QItemSelectionModel.SelectionFlag
        held = QGuiApplication.keyboardModifiers() & Qt.KeyboardModifier.ControlModifier
        changes = [(span, flags.Select) for span in _spans(selected)]
        changes += [(span, flags.Deselect) for span in _spans(deselected)] if held else []
        self._follows_heads = True
        for span, way in changes:
            group, _place = groups.at(span.bottom())
            head = groups.head(group)
            if head >= span.top() and groups.last(group) > span.bottom():
                rows = self._rows(head, groups.last(group))
                self.selectionModel().select(rows, way)
        self._follows_heads = False

    def _rows(self, first: int, last: int) -> QItemSelection:
        model = self.record_model
        return QItemSelection(model.index(first, 0), model.index(last, model.columnCount() - 1))

    def set_open(self, group: int, *, is_open: bool) -> None:
        """Show or hide the records of a group; its head is current afterwards."""
        model = self.record_model
        if model.groups is not None:
            self.setCurrentIndex(model.index(model.groups.head(group), 0))
            model.set_open(group, is_open=is_open)

    def set_all_open(self, *, is_open: bool) -> None:
        """Show or hide the records of every group."""
        self.record_model.set_all_open(is_open=is_open)

    def press_group(self, row: int, x: int) -> bool:
        model = self.rows_of
        if model is None or model.groups is None or x > group_band.mark_width():
            return False
        group = model.group_at(row)
        if group < 0:
            return False
        self.set_open(group, is_open=not model.groups.is_open(group))
        return True

    def paint_groups(self, view: QTableView) -> None:
        if self.rows_of is not None and self.rows_of.groups is not None:
            group_band.paint(self, view, self.rows_of)

    def _group_key(self, event: QKeyEvent, groups: GroupMap) -> bool:
        """Keys of a grouped list; False for those that mean what they mean elsewhere."""
        row = self.currentIndex().row()
        ways = {Qt.Key.Key_Left: False, Qt.Key.Key_Right: True}
        is_open = ways.get(Qt.Key(event.key()))
        if row < 0 or is_open is None:
            return False
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.set_all_open(is_open=is_open)
            return True
        group, place = groups.at(row)
        if place != HEAD:
            if is_open:
                return False
            self.setCurrentIndex(self.record_model.index(groups.head(group), 0))
        elif groups.is_open(group) != is_open:
            self.set_open(group, is_open=is_open)
        elif is_open:
            self.setCurrentIndex(self.record_model.index(row + 1, 0))
        return True

    # --- mouse and keyboard ----------------------------------------------------------------

    def focusInEvent(self, event: QFocusEvent) -> None:
        self.shows_focus = True
        super().focusInEvent(event)
        self._begin()
        for view in self._views():
            view.viewport().update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        self.shows_focus = False
        super().focusOutEvent(event)
        for view in self._views():
            view.viewport().update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        groups = self.rows_of.groups if self.rows_of is not None else None
        if event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter}:
            self._double_clicked(self.currentIndex())
            return
        if groups is not None and self._group_key(event, groups):
            return
        super().keyPressEvent(event)

    def keyboardSearch(self, search: str) -> None:
        # Qt would walk through every row of the model; the filter asks the database instead.
        self.typed.emit(search)

    @Slot(QModelIndex)
    def _double_clicked(self, index: QModelIndex) -> None:
        model = self.record_model
        record_id = model.id_at(index.row())
        group = model.group_at(index.row())
        if record_id is not None:
            self.opened.emit(record_id)
        elif group >= 0 and model.groups is not None:
            self.set_open(group, is_open=not model.groups.is_open(group))

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        if event.reason() == QContextMenuEvent.Reason.Keyboard:
            place = self.visualRect(self.currentIndex()).bottomLeft()
            self.menu_wanted.emit(self.viewport().mapToGlobal(place + QPoint(40, 0)))
        else:
            self.menu_wanted.emit(event.globalPos())
