"""Shows what a paste would change, cell by cell, before it does."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt, Signal
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QWidget

from desktop_crm.core.i18n import ntr, tr
from desktop_crm.meta import registry
from desktop_crm.services.bulk.job import Targets
from desktop_crm.services.grid import pasting
from desktop_crm.views import theme
from desktop_crm.views.bulk.dialog import BulkDialog
from desktop_crm.views.widgets.labels import label

if TYPE_CHECKING:
    from desktop_crm.services.grid.pasting import PastedCell, PastePlan
    from desktop_crm.views.workbench import Workbench

_Index = QModelIndex | QPersistentModelIndex
_ROOT: Final = QModelIndex()
_ROWS: Final = 10
_WIDTHS: Final = (180, 130, 150)
_DISPLAY: Final = int(Qt.ItemDataRole.DisplayRole)
_CHECK: Final = int(Qt.ItemDataRole.CheckStateRole)
_INK: Final = int(Qt.ItemDataRole.ForegroundRole)
_TIP: Final = int(Qt.ItemDataRole.ToolTipRole)


class CellChanges(QAbstractTableModel):
    """Planned cells: those that cannot change first; the others can be struck out.

    Attributes:
        struck_out: Another cell was struck out or taken back in.
    """

    struck_out = Signal()

    def __init__(self, plan: PastePlan) -> None:
        super().__init__()
        self._plan = plan
        self._cells: tuple[PastedCell, ...] = (*plan.bad, *plan.good)
        self._fields = registry.get(plan.entity).fields
        self.struck: set[tuple[int, str]] = set()

    def rowCount(self, parent: _Index = _ROOT) -> int:
        return 0 if parent.isValid() else len(self._cells)

    def columnCount(self, parent: _Index = _ROOT) -> int:
        return 0 if parent.isValid() else 4

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = _DISPLAY) -> object:
        if role != _DISPLAY or orientation != Qt.Orientation.Horizontal:
            return None
        return (tr("Record"), tr("Field"), tr("Now"), tr("Then"))[section]

    def flags(self, index: _Index) -> Qt.ItemFlag:
        usual = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        cell = self._cells[index.row()]
        if index.column() == 0 and not cell.problem:
            return usual | Qt.ItemFlag.ItemIsUserCheckable
        return usual

    def data(self, index: _Index, role: int = _DISPLAY) -> object:
        cell = self._cells[index.row()]
        column = index.column()
        if role in {_DISPLAY, _TIP}:
            return self._text(cell, column)
        if role == _CHECK and column == 0 and not cell.problem:
            kept = (cell.record_id, cell.field) not in self.struck
            return Qt.CheckState.Checked if kept else Qt.CheckState.Unchecked
        if role == _INK and cell.problem and column == 3:
            return theme.color("bad")
        return None

    def problem(self, row: int) -> str:
        """Why the cell of a row cannot change; empty where it can."""
        return self._cells[row].problem if 0 <= row < len(self._cells) else ""

    def _text(self, cell: PastedCell, column: int) -> str:
        if column == 0:
            return self._plan.titles.get(cell.record_id, "")
        if column == 1:
            field = self._fields.get(cell.field)
            return tr(field.label) if field is not None else cell.field
        if column == 2:
            return cell.old
        return cell.problem or cell.new or tr("(empty)")

    def setData(self, index: _Index, value: object, role: int = _CHECK) -> bool:
        cell = self._cells[index.row()]
        if role != _CHECK or cell.problem:
            return False
        name = (cell.record_id, cell.field)
        if Qt.CheckState(value) == Qt.CheckState.Checked:
            self.struck.discard(name)
        else:
            self.struck.add(name)
        self.dataChanged.emit(index, index)
        self.struck_out.emit()
        return True


class PasteDialog(BulkDialog):
    """The plan of a paste, with a way to strike single cells out."""

    def __init__(self, bench: Workbench, plan: PastePlan) -> None:
        super().__init__(
            bench,
            Targets(plan.entity, list(plan.titles)),
            len(plan.titles),
            "pasteDialog",
            tr("Change cells"),
            tr("Change"),
        )
        self._plan = plan
        self._changes = CellChanges(plan)
        self._changes.struck_out.connect(self._count)
        self.table = QTableView()
        self.table.setWordWrap(False)
        self.table.setObjectName("pasteDialog.cells")
        self.table.setAccessibleName(tr("What would change"))
        self.table.setModel(self._changes)
        self.table.setProperty("boxed", True)
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setShowGrid(False)
        self.table.setTabKeyNavigation(False)
        self.table.verticalHeader().hide()
        self.table.verticalHeader().setDefaultSectionSize(theme.scaled(30))
        header = self.table.horizontalHeader()
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        header.setSectionResizeMode(3, QHeaderView.ResizeMode.Stretch)
        for column, width in enumerate(_WIDTHS):
            header.resizeSection(column, theme.scaled(width))
        self.table.setMinimumHeight(theme.scaled(34 + 30 * min(_ROWS, self._changes.rowCount())))
        self._said = label("", wrap=True)
        self._reason = label("", "dim", wrap=True, name="pasteDialog.reason")
        self._reason.setVisible(bool(plan.bad))
        self.table.selectionModel().currentRowChanged.connect(self._tell_reason)
        self.body.addWidget(self._said)
        self.body.addWidget(self.table, 1)
        self.body.addWidget(self._reason)
        self.setMinimumWidth(theme.scaled(760))
        self.finish_building()
        self._count()
        self.table.selectRow(0)
        self.go.setFocus()

    def _tell_reason(self, current: QModelIndex, _before: QModelIndex) -> None:
        """A reason is often longer than its cell."""
        self._reason.setText(self._changes.problem(current.row()))

    def _count(self) -> None:
        number = self.bench.formats.number
        good = len(self._plan.good) - len(self._changes.struck)
        parts = [
            ntr("{number} cell changes.", "{number} cells change.", good, number=number(good, 0))
        ]
        if self._plan.bad:
            bad = len(self._plan.bad)
            parts.append(
                ntr(
                    "{number} cannot be changed and stays as it is.",
                    "{number} cannot be changed and stay as they are.",
                    bad,
                    number=number(bad, 0),
                )
            )
        if self._plan.same:
            equal = self._plan.same
            parts.append(
                ntr(
                    "{number} holds the value already.",
                    "{number} hold the value already.",
                    equal,
                    number=number(equal, 0),
                )
            )
        self._said.setText(" ".join(parts))
        self.go.setEnabled(good > 0)

    def inputs(self) -> Sequence[QWidget]:
        return (self.table, self._said)

    def begin(self) -> None:
        """Write what was not struck out."""
        plan = self._plan.without(frozenset(self._changes.struck))
        self.start(partial(pasting.apply, self.bench.actor, plan), tr("Changing records"))
