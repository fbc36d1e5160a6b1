"""The grid of a quote's lines inside the form: table, buttons, keyboard."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from PySide6.QtCore import QModelIndex, QPoint, Qt, Signal, Slot
from PySide6.QtGui import QAction, QContextMenuEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QMenu,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from desktop_crm.core.i18n import N_, tr
from desktop_crm.meta import registry
from desktop_crm.services.rules.pricing import LineKind
from desktop_crm.services.values import decode, encode
from desktop_crm.views import theme
from desktop_crm.views.custom.line_cells import CellDelegate
from desktop_crm.views.custom.line_model import COLUMNS, NAMES, LineModel
from desktop_crm.views.forms.editor import Editor
from desktop_crm.views.widgets.buttons import push_button, tool_button
from desktop_crm.views.widgets.layout import row

if TYPE_CHECKING:
    from desktop_crm.core.formats import Formats
    from desktop_crm.meta.bound import BoundField
    from desktop_crm.views.workbench import Workbench

_ROW_HEIGHT: Final = 36
_FEWEST_ROWS: Final = 4
_MOST_ROWS: Final = 12
_KINDS: Final = (
    (LineKind.ITEM, N_("In the total")),
    (LineKind.OPTIONAL, N_("Optional, not in the total")),
    (LineKind.ALTERNATIVE, N_("Alternative, not in the total")),
)


class LinesTable(QTableView):
    """The table; Tab goes from cell to cell and leaves behind the last one.

    Its context menu is asked for by signal.

    Attributes:
        menu_wanted: The context menu was asked for at a global position.
    """

    menu_wanted = Signal(object)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        self.menu_wanted.emit(event.globalPos())

    def focusNextPrevChild(self, next: bool) -> bool:
        last = self.model().index(self.model().rowCount() - 1, self.model().columnCount() - 1)
        edge = last if next else self.model().index(0, 0)
        leaves = not edge.isValid() or self.currentIndex() == edge
        self.setTabKeyNavigation(not leaves)
        moved = super().focusNextPrevChild(next)
        self.setTabKeyNavigation(True)
        return moved


class QuoteLinesEditor(Editor):
    """Edits the lines of a quote; the value is the list that is saved.

    Attributes:
        told: Something the person should read; carries the sentence.
    """

    told = Signal(str)

    def __init__(self, field: BoundField, formats: Formats, name: str, bench: Workbench) -> None:
        super().__init__(field, formats, name)
        self.model = LineModel(formats)
        self.model.edited.connect(self._told)
        self.model.refused.connect(self.told)
        self.model.rowsInserted.connect(self._fit)
        self.model.rowsRemoved.connect(self._fit)
        self.model.modelReset.connect(self._fit)
        self.table = LinesTable()
        self.table.setModel(self.model)
        self.table.setItemDelegate(CellDelegate(self.table, bench, self._unresolved))
        self._arrange_table()
        self._buttons = self._make_buttons(name)
        box = QWidget()
        layout = QVBoxLayout(box)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        layout.addWidget(self.table)
        layout.addWidget(self._buttons)
        self._layout.addWidget(box, 1)
        self._adopt(self.table)
        self._fit()

    def _arrange_table(self) -> None:
        table = self.table
        table.setProperty("boxed", True)
        table.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectItems)
        table.setEditTriggers(
            QAbstractItemView.EditTrigger.AnyKeyPressed
            | QAbstractItemView.EditTrigger.DoubleClicked
            | QAbstractItemView.EditTrigger.SelectedClicked
            | QAbstractItemView.EditTrigger.EditKeyPressed
        )
        table.setTabKeyNavigation(True)
        table.setWordWrap(False)
        table.setShowGrid(True)
        table.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        table.verticalHeader().setDefaultSectionSize(theme.scaled(_ROW_HEIGHT))
        table.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        table.verticalHeader().setDefaultAlignment(Qt.AlignmentFlag.AlignCenter)
        header = table.horizontalHeader()
        header.setHighlightSections(False)
        header.setMinimumSectionSize(60)
        for place, column in enumerate(COLUMNS):
            table.setColumnWidth(place, theme.scaled(column.width))
        header.setSectionResizeMode(NAMES.index("description"), QHeaderView.ResizeMode.Stretch)
        table.menu_wanted.connect(self._menu)
        for keys, run in (
            ("Ctrl+Delete", self.remove),
            ("Alt+Up", self._up),
            ("Alt+Down", self._down),
        ):
            shortcut = QShortcut(QKeySequence(keys), table)
            shortcut.setContext(Qt.ShortcutContext.WidgetShortcut)
            shortcut.activated.connect(run)

    def _make_buttons(self, name: str) -> QWidget:
        return row(
            push_button(f"{name}.add", tr("Add line"), self.add_item, kind="flat", drawing="add"),
            push_button(f"{name}.add_text", tr("Add text"), self._add_text, kind="flat"),
            push_button(
                f"{name}.add_subtotal", tr("Add subtotal"), self._add_subtotal, kind="flat"
            ),
            None,
            tool_button(f"{name}.up", tr("Move up"), "chevron_up", self._up),
            tool_button(f"{name}.down", tr("Move down"), "chevron_down", self._down),
            tool_button(f"{name}.remove", tr("Remove lines"), "delete", self.remove),
            spacing=6,
        )

    # --- editor ----------------------------------------------------------------------------

    def _show(self, value: object, title: str) -> None:
        self.model.load(value if isinstance(value, list | tuple) else [])

    def value(self) -> object:
        return self.model.values()

    def kept(self) -> Any:  # noqa: ANN401  JSON
        return [{name: encode(value) for name, value in line.items()} for line in self.model.lines]

    def bring(self, kept: Any) -> None:  # noqa: ANN401  JSON
        fields = registry.get(self.field.target).fields
        self.load(
            [
                {n: decode(fields[n], v) if n in fields else v for n, v in row.items()}
                for row in kept
            ]
        )

    def is_empty(self) -> bool:
        return not self.model.lines

    def set_read_only(self, read_only: bool) -> None:
        self.model.beginResetModel()
        self.model.read_only = read_only
        self.model.endResetModel()
        self._buttons.setVisible(not read_only)

    def mark_error(self, wrong: bool) -> None:
        theme.set_property(self.table, "error", wrong)
        if not wrong:
            self.model.clear_errors()

    @Slot()
    def _fit(self) -> None:
        """As high as its lines, within reason; further lines scroll."""
        fewest = 1 if self.model.read_only else _FEWEST_ROWS
        rows = min(max(self.model.rowCount(), fewest), _MOST_ROWS)
        header = self.table.horizontalHeader().sizeHint().height()
        self.table.setFixedHeight(header + rows * theme.scaled(_ROW_HEIGHT) + 4)

    def _unresolved(self, text: str) -> None:
        self.told.emit(
            tr(
                "“{text}” was not chosen from the list. Choose an entry or clear the field.",
                text=text,
            )
        )

    # --- rows ------------------------------------------------------------------------------

    def _rows(self) -> Sequence[int]:
        chosen = {index.row() for index in self.table.selectionModel().selectedIndexes()}
        current = self.table.currentIndex()
        return sorted(chosen or ({current.row()} if current.isValid() else set()))

    def add_item(self) -> None:
        """Add an item below the others and begin to type its product."""
        self._edit(self.model.add(), "product")

    def _add_text(self) -> None:
        self._edit(self.model.add(LineKind.TEXT, self._after()), "description")

    def _add_subtotal(self) -> None:
        self._edit(self.model.add(LineKind.SUBTOTAL, self._after()), "description")

    def _after(self) -> int | None:
        rows = self._rows()
        return rows[-1] if rows else None

    def _edit(self, line: int, name: str) -> None:
        index = self.model.index(line, NAMES.index(name))
        self.table.setFocus()
        self.table.setCurrentIndex(index)
        self.table.scrollTo(index)
        self.table.edit(index)

    @Slot()
    def remove(self) -> None:
        """Take the selected lines away."""
        if not self.model.read_only:
            self.model.remove(self._rows())

    @Slot()
    def _up(self) -> None:
        self._move(-1)

    @Slot()
    def _down(self) -> None:
        self._move(1)

    def _move(self, by: int) -> None:
        current = self.table.currentIndex()
        if current.isValid() and not self.model.read_only:
            target = self.model.move(current.row(), by)
            self.table.setCurrentIndex(self.model.index(target, current.column()))

    @Slot(object)
    def _menu(self, place: QPoint) -> None:
        rows = [number for number in self._rows() if number < len(self.model.lines)]
        if self.model.read_only or not rows:
            return
        menu = QMenu(self.table)
        menu.setObjectName("quote.lines.menu")
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for kind, text in _KINDS:
            action = menu.addAction(tr(text))
            action.setCheckable(True)
            action.setChecked(self.model.kind(rows[0]) is kind)
            action.setEnabled(
                all(self.model.kind(number) in {k for k, _ in _KINDS} for number in rows)
            )
            action.triggered.connect(self._kind_setter(rows, kind))
        menu.addSeparator()
        remove = QAction(tr("Remove lines"), menu)
        remove.triggered.connect(self.remove)
        menu.addAction(remove)
        menu.popup(place)

    def _kind_setter(self, rows: Sequence[int], kind: LineKind) -> object:
        def set_kind(_checked: bool = False) -> None:
            for number in rows:
                self.model.set_kind(number, kind)

        return set_kind

    def show_row_error(self, line: int, name: str, message: str) -> None:
        """Mark a cell that the rules refused and go there."""
        column = NAMES.index(name) if name in NAMES else NAMES.index("description")
        self.model.show_error(line, NAMES[column], message)
        if line < len(self.model.lines):
            index: QModelIndex = self.model.index(line, column)
            self.table.setCurrentIndex(index)
            self.table.scrollTo(index)
