"""Editing in a list: one cell, and ranges through the clipboard."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from PySide6.QtCore import QEvent, QItemSelectionModel, QMimeData, QModelIndex, QObject, Qt
from PySide6.QtGui import QGuiApplication, QKeyEvent, QKeySequence

from desktop_crm.core.errors import Conflict, CrmError, UserError, ValidationFailed
from desktop_crm.core.i18n import ntr, tr
from desktop_crm.views.grid import ranges
from desktop_crm.views.lists.columns import Look
from desktop_crm.views.lists.rows import QuerySource

if TYPE_CHECKING:
    from desktop_crm.db.engine import Cancel
    from desktop_crm.services.grid.clipboard import Copied
    from desktop_crm.services.grid.pasting import PastePlan
    from desktop_crm.services.records import Saved
    from desktop_crm.views.grid.cell_editor import CellEditor, CellValue
    from desktop_crm.views.lists.list_panel import ListPanel
    from desktop_crm.views.workbench import Workbench

MOST_COPIED: Final = 500_000
"""Cells of one copy; a clipboard with more stalls the programs that take it."""
_CHUNK: Final = 1_000
_OF_CELLS: Final = frozenset({Qt.Key.Key_Delete, Qt.Key.Key_Return})
_NEXT: Final = {Qt.Key.Key_Tab: 1, Qt.Key.Key_Backtab: -1}


class GridEditing(QObject):
    """What a list does beyond looking: F2 edits a cell, ranges are copied, pasted, filled down.

    In the edit mode of the list single cells are selected and typing replaces the current one;
    outside it rows are selected and typing filters, as everywhere.
    """

    def __init__(self, panel: ListPanel, bench: Workbench) -> None:
        super().__init__(panel)
        self._panel = panel
        self._bench = bench
        self._table = panel.table
        self._editor: CellEditor | None = None
        self._table.installEventFilter(self)
        panel.model.keys_known.connect(self._after_reset)
        for bar in (self._table.verticalScrollBar(), self._table.horizontalScrollBar()):
            bar.valueChanged.connect(self._follow)

    @property
    def may_edit(self) -> bool:
        """Whether the role may change records of the list."""
        return self._bench.actor.can(self._panel.entity.key, "edit")

    def toggle(self) -> None:
        """Enter or leave the edit mode."""
        self._table.set_grid(not self._table.is_grid)
        self._say(
            tr("Edit mode: type to change a cell, Tab to go on, Ctrl+V to paste, Esc to end.")
            if self._table.is_grid
            else ""
        )
        self._table.setFocus()

    def _say(self, text: str, kind: str = "info") -> None:
        self._panel.notice.say(text, kind)

    def _refuse(self, error: Exception) -> None:
        if isinstance(error, ValidationFailed):
            self._say(" ".join(one.message for one in error.errors), "warn")
        elif isinstance(error, CrmError):
            self._say(str(error), "warn")
        else:
            self._bench.shell.show_error(error)

    # --- keys ------------------------------------------------------------------------------

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent):
            if self._table.is_grid and (event.key() in _OF_CELLS or _fills(event)):
                event.accept()  # in the edit mode these mean the cells, not the record
                return True
            return False
        if event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            return self._pressed(event)
        return super().eventFilter(watched, event)

    def _pressed(self, event: QKeyEvent) -> bool:
        for sequence, run in (
            (QKeySequence.StandardKey.Copy, self.copy),
            (QKeySequence.StandardKey.Paste, self.paste),
        ):
            if event.matches(sequence):
                run()
                return True
        if self._table.is_grid and _fills(event):
            self.fill_down()
            return True
        if event.key() == Qt.Key.Key_F2:
            self.edit()
            return True
        return self._table.is_grid and self._pressed_in_grid(event)

    def _pressed_in_grid(self, event: QKeyEvent) -> bool:
        key = Qt.Key(event.key())
        plain = not event.modifiers() & ~Qt.KeyboardModifier.ShiftModifier
        if key in _NEXT:
            self._step(_NEXT[key], edit=False)
        elif key in {Qt.Key.Key_Return, Qt.Key.Key_Enter}:
            self.edit()
        elif key == Qt.Key.Key_Escape:
            self.toggle()
        elif key == Qt.Key.Key_Delete:
            self._clear()
        elif plain and event.text() and event.text().isprintable() and not event.text().isspace():
            self.edit(event.text())
        else:
            return False
        return True

    # --- one cell --------------------------------------------------------------------------

    def edit(self, typed: str = "") -> None:
        """Open the editor over the current cell; says why when it cannot be edited there."""
        from desktop_crm.services.grid import pasting
        from desktop_crm.views.grid.cell_editor import read_cell

        index = self._table.currentIndex()
        record_id = self._panel.model.id_at(index.row())
        if record_id is None:
            return
        path = self._panel.model.columns[index.column()].path
        entity = self._panel.entity
        if not self.may_edit:
            self._say(tr("You may look at these records but not change them."), "warn")
            return
        problem = pasting.why_not(self._bench.actor, entity, path)
        if problem:
            self._say(problem, "warn")
            return
        self._say("")
        row, column = index.row(), index.column()
        self._bench.tasks.read(
            read_cell, self._bench.actor, entity.key, record_id, path,
            done=lambda cell: self._open(row, column, cell, typed),
            owner=self, lane="cell", cancellable=True,
        )  # fmt: skip

    def _open(self, row: int, column: int, cell: CellValue | None, typed: str) -> None:
        from desktop_crm.views.grid.cell_editor import CellEditor

        self._close()
        if cell is None:
            self._say(tr("This record was deleted meanwhile."), "warn")
            return
        if self._panel.model.id_at(row) != cell.record_id:
            return
        index = self._panel.model.index(row, column)
        self._table.scrollTo(index)
        editor = CellEditor(self._table.viewport(), self._bench, self._panel.entity.key, cell)
        editor.taken.connect(self._save)
        editor.left.connect(self._leave)
        self._editor = editor
        editor.place(self._table.visualRect(index))
        editor.begin_with(typed)

    def _follow(self) -> None:
        """Keep the editor over its cell while the list is scrolled."""
        index = self._index_of_editor()
        if self._editor is not None and index.isValid():
            self._editor.move(self._table.visualRect(index).topLeft())

    def _index_of_editor(self) -> QModelIndex:
        """Where the cell that is edited stands now; invalid when the list does not show it."""
        if self._editor is None:
            return QModelIndex()
        cell, model = self._editor.cell, self._panel.model
        row = model.row_of(cell.record_id)
        paths = [column.path for column in model.columns]
        if cell.field not in paths or model.id_at(row) != cell.record_id:
            return QModelIndex()
        return model.index(row, paths.index(cell.field))

    def _after_reset(self) -> None:
        """Keep what is being typed when the list is read anew; save it where its cell is gone."""
        if self._editor is None:
            return
        index = self._index_of_editor()
        if index.isValid():
            # Tab goes on from the current cell.
            self._table.selectionModel().setCurrentIndex(
                index, QItemSelectionModel.SelectionFlag.NoUpdate
            )
            self._table.scrollTo(index)
            self._follow()
        else:
            self._editor.take(Qt.Key.Key_unknown)

    def _leave(self) -> None:
        self._close()
        self._table.setFocus()

    def _close(self) -> None:
        editor, self._editor = self._editor, None
        if editor is not None:
            editor.finish()

    def may_leave(self) -> bool:
        """Save what is typed into a cell; False when it cannot be read and would be lost."""
        return self._editor is None or self._editor.take(Qt.Key.Key_unknown)

    def _save(self, value: Any, key: int) -> None:  # noqa: ANN401  any kind of field
        from desktop_crm.services import records
        from desktop_crm.services.values import same

        editor = self._editor
        if editor is None:
            return
        cell = editor.cell
        if same(cell.value, value):
            self._saved(key)
            return
        self._bench.tasks.write(
            partial(
                records.save, self._bench.actor, self._panel.entity.key, cell.record_id,
                cell.version, {cell.field: value}, {cell.field: cell.value},
            ),
            done=lambda saved: self._written(saved, key),
            failed=self._not_written,
            owner=self,
            label=tr("Saving"),
        )  # fmt: skip

    def _written(self, saved: Saved, key: int) -> None:
        self._bench.bus.publish(saved.changes)
        self._saved(key)

    def _saved(self, key: int) -> None:
        moved = key != int(Qt.Key.Key_unknown)
        self._close()
        if not moved:
            return
        self._table.setFocus()
        if Qt.Key(key) in _NEXT:
            self._step(_NEXT[Qt.Key(key)], edit=True)
        elif self._table.is_grid:
            below = self._table.currentIndex().siblingAtRow(self._table.currentIndex().row() + 1)
            if below.isValid():
                self._table.setCurrentIndex(below)

    def _not_written(self, error: Exception) -> None:
        if self._editor is None:
            self._refuse(error)
        elif isinstance(error, Conflict):
            theirs = next(iter(error.fields.values())).theirs
            shown = self._editor.editor.field.display(theirs, self._bench.formats)
            self._editor.show_problem(
                tr(
                    "Somebody else changed it to “{value}” meanwhile. Press Esc to see it.",
                    value=shown,
                )
            )
        elif isinstance(error, ValidationFailed):
            self._editor.show_problem(" ".join(one.message for one in error.errors))
        elif isinstance(error, CrmError):
            self._editor.show_problem(str(error))
        else:
            self._close()
            self._bench.shell.show_error(error)

    def _step(self, by: int, *, edit: bool) -> None:
        """Go to the next cell at the right or left that can be edited, over the row's end."""
        from desktop_crm.services.grid import pasting

        order = ranges.visual_columns(self._table)
        current = self._table.currentIndex()
        row = current.row()
        place = order.index(current.column()) if current.column() in order else 0
        for _ in range(2 * len(order)):
            place += by
            if not 0 <= place < len(order):
                row, place = row + by, 0 if by > 0 else len(order) - 1
            index = self._panel.model.index(row, order[place])
            if not index.isValid():
                return
            path = self._panel.model.columns[order[place]].path
            if not pasting.why_not(self._bench.actor, self._panel.entity, path):
                self._table.setCurrentIndex(index)
                if edit:
                    self.edit()
                return

    # --- ranges ----------------------------------------------------------------------------

    def copy(self) -> None:
        """Put the selected cells, or all columns of the selected rows, onto the clipboard."""
        try:
            chosen = ranges.selected(self._table, MOST_COPIED)
        except UserError as error:
            self._refuse(error)
            return
        columns = tuple(self._panel.model.columns[column] for column in chosen.columns)
        source = QuerySource(self._bench.actor, self._panel.query(), columns, self._bench.formats)
        numbers = [column.look is Look.NUMBER for column in columns]
        headings = [column.label for column in columns] if not self._table.is_grid else []
        self._bench.tasks.read(
            _copied, source, array("q", chosen.ids), numbers, headings,
            done=lambda made: self._take_copy(made, len(chosen.ids)),
            failed=self._refuse, owner=self, lane="copy",
            label=tr("Copying"), cancellable=True,
        )  # fmt: skip

    def _take_copy(self, made: Copied, rows: int) -> None:
        data = QMimeData()
        data.setText(made.text)
        data.setHtml(made.html)
        QGuiApplication.clipboard().setMimeData(data)
        number = self._bench.formats.number(rows, 0)
        # A note of the list would stay, and stand where the edit mode says its keys.
        self._bench.shell.toast(ntr("{number} row copied", "{number} rows copied", rows,
                                    number=number))  # fmt: skip

    def paste(self) -> None:
        """Compare what is on the clipboard with the cells from the current one on."""
        from desktop_crm.services.grid import clipboard, pasting

        if not self.may_edit:
            self._say(tr("You may look at these records but not change them."), "warn")
            return
        try:
            cells = clipboard.parse(QGuiApplication.clipboard().text())
            chosen = ranges.selected(self._table, MOST_COPIED)
        except UserError as error:
            self._refuse(error)
            return
        if not chosen.ids:
            return
        columns: Sequence[int] = chosen.columns
        if self._table.is_grid:
            cells = clipboard.spread(cells, len(chosen.ids), len(chosen.columns))
            columns = ranges.rightwards(self._table, chosen.columns[0])
        ids = ranges.below(self._table, chosen.top, len(cells))
        paths = [self._panel.model.columns[column].path for column in columns]
        self._plan(
            partial(pasting.plan, self._bench.actor, self._panel.entity.key, ids, paths, cells)
        )

    def fill_down(self) -> None:
        """Plan to give the first selected row's values to the rows below it."""
        from desktop_crm.services.grid import pasting

        try:
            chosen = ranges.selected(self._table, MOST_COPIED)
        except UserError as error:
            self._refuse(error)
            return
        paths = [self._panel.model.columns[column].path for column in chosen.columns]
        self._plan(
            partial(
                pasting.fill_down, self._bench.actor, self._panel.entity.key,
                list(chosen.ids), paths,
            )
        )  # fmt: skip

    def _clear(self) -> None:
        """Plan to empty the selected cells."""
        from desktop_crm.services.grid import pasting

        try:
            chosen = ranges.selected(self._table, MOST_COPIED)
        except UserError as error:
            self._refuse(error)
            return
        paths = [self._panel.model.columns[column].path for column in chosen.columns]
        cells = (("",) * len(paths),) * len(chosen.ids)
        self._plan(
            partial(
                pasting.plan, self._bench.actor, self._panel.entity.key,
                list(chosen.ids), paths, cells,
            )
        )  # fmt: skip

    def _plan(self, make: partial[PastePlan]) -> None:
        self._say("")
        self._bench.tasks.read(
            make, done=self._show_plan, failed=self._refuse, owner=self, lane="paste",
            label=tr("Comparing"), cancellable=True,
        )  # fmt: skip

    def _show_plan(self, plan: PastePlan) -> None:
        from desktop_crm.views.grid.paste_dialog import PasteDialog

        if not plan.cells:
            self._say(tr("Nothing would change: every cell holds this already."))
            return
        PasteDialog(self._bench, plan).open()


def _fills(event: QKeyEvent) -> bool:
    """Whether a key fills cells down."""
    is_control = event.modifiers() == Qt.KeyboardModifier.ControlModifier
    return is_control and event.key() == Qt.Key.Key_D


def _copied(
    source: QuerySource,
    ids: array[int],
    is_number: list[bool],
    headings: list[str],
    cancel: Cancel | None = None,
) -> Copied:
    """Read the texts of a range; runs on a reader thread."""
    from desktop_crm.services.grid.clipboard import copied

    cells: list[Sequence[str]] = [headings] if headings else []
    for start in range(0, len(ids), _CHUNK):
        cells += [row.texts for row in source.rows(ids[start : start + _CHUNK], cancel=cancel)]
    return copied(cells, is_number)
