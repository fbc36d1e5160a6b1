"""What an import would do, before it does it: counts, notices, unknown values, conflicts, rows."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt, Signal
from PySide6.QtWidgets import (
    QAbstractItemView,
    QCheckBox,
    QFrame,
    QHBoxLayout,
    QHeaderView,
    QScrollArea,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from desktop_crm.core.i18n import N_, ntr, tr
from desktop_crm.meta import registry
from desktop_crm.services.imports.draft import REJECTED, NoticeKind, Outcome, PlannedRow
from desktop_crm.services.imports.draft import Notice as PlanNotice
from desktop_crm.services.imports.report import OUTCOMES
from desktop_crm.views import theme
from desktop_crm.views.forms.editor import QuietCombo
from desktop_crm.views.widgets.cards import Glyph
from desktop_crm.views.widgets.labels import Pill, label
from desktop_crm.views.widgets.layout import clear, row

if TYPE_CHECKING:
    from desktop_crm.services.imports.service import ImportPlan

SHOWN_ROWS = 500
"""Rows of the table; the rejected ones first, so that they are among them."""

_TONES = {
    Outcome.CREATE: "ok",
    Outcome.UPDATE: "info",
    Outcome.SAME: "neutral",
    Outcome.CONFLICT: "warn",
    Outcome.ERROR: "bad",
    Outcome.MISSING: "bad",
}
_COUNTS = {
    Outcome.CREATE: (N_("{n} new"), N_("{n} new")),
    Outcome.UPDATE: (N_("{n} changed"), N_("{n} changed")),
    Outcome.SAME: (N_("{n} unchanged"), N_("{n} unchanged")),
    Outcome.CONFLICT: (N_("{n} conflict"), N_("{n} conflicts")),
    Outcome.ERROR: (N_("{n} rejected"), N_("{n} rejected")),
    Outcome.MISSING: (N_("{n} deleted meanwhile"), N_("{n} deleted meanwhile")),
}
Index = QModelIndex | QPersistentModelIndex


class PlanRows(QAbstractTableModel):
    """Rows of a plan; a box to tick says that the file wins, or that a new row is a record."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[PlannedRow] = []
        self.file_wins: set[int] = set()
        self._entity = ""

    def show(self, plan: ImportPlan) -> None:
        """Show the rows of a plan, those that need attention first."""
        self.beginResetModel()
        self._entity = plan.entity
        urgent = [one for one in plan.rows if one.outcome in REJECTED or one.alike]
        rest = (one for one in plan.rows if one.outcome not in REJECTED and not one.alike)
        self.rows = urgent[:SHOWN_ROWS]
        for one in rest:
            if len(self.rows) >= SHOWN_ROWS:
                break
            self.rows.append(one)
        self.file_wins = set()
        self.endResetModel()

    def rowCount(self, parent: Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self.rows)

    def columnCount(self, parent: Index | None = None) -> int:
        return 4

    def headerData(
        self,
        section: int,
        orientation: Qt.Orientation,
        role: int = Qt.ItemDataRole.DisplayRole,
    ) -> object:
        if role == Qt.ItemDataRole.DisplayRole and orientation == Qt.Orientation.Horizontal:
            return (tr("Row"), tr("Outcome"), tr("Record"), tr("Reason"))[section]
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        found = self.rows[index.row()]
        if role == Qt.ItemDataRole.CheckStateRole and index.column() == 1:
            if not _is_asked(found):
                return None
            on = index.row() in self.file_wins
            return Qt.CheckState.Checked if on else Qt.CheckState.Unchecked
        if role == Qt.ItemDataRole.ForegroundRole:
            if index.column() == 1:
                return theme.color(_TONES[found.outcome])
            return theme.color("text2") if index.column() in {0, 3} else None
        if role not in {Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole}:
            return None
        outcome = tr(OUTCOMES[found.outcome])
        if found.conflicts and index.row() in self.file_wins:
            outcome = tr("The file wins")
        elif found.instead is not None and index.row() in self.file_wins:
            outcome = tr("The same record")
        texts = (str(found.number), outcome, found.title, self._reason(found))
        return texts[index.column()]

    def _reason(self, found: PlannedRow) -> str:
        if not found.conflicts:
            return found.reason
        fields = registry.get(self._entity).fields
        return "; ".join(
            tr(
                "{field}: file “{mine}”, database “{theirs}”",
                field=tr(fields[name].label),
                mine=_plain(conflict.mine),
                theirs=_plain(conflict.theirs),
            )
            for name, conflict in found.conflicts.items()
        )

    def flags(self, index: Index) -> Qt.ItemFlag:
        flags = super().flags(index)
        if index.column() == 1 and _is_asked(self.rows[index.row()]):
            flags |= Qt.ItemFlag.ItemIsUserCheckable
        return flags

    def setData(self, index: Index, value: object, role: int = Qt.ItemDataRole.EditRole) -> bool:
        if role != Qt.ItemDataRole.CheckStateRole:
            return False
        if Qt.CheckState(value) == Qt.CheckState.Checked:
            self.file_wins.add(index.row())
        else:
            self.file_wins.discard(index.row())
        self.dataChanged.emit(index, index)
        return True


def _is_asked(found: PlannedRow) -> bool:
    """Whether a row has a box to tick."""
    return bool(found.conflicts) or found.instead is not None


def _plain(value: object) -> str:
    return "" if value is None else str(value)


class CheckPage(QWidget):
    """The plan.

    Attributes:
        settled: the person said what a value means, so the file is to be planned again.
        values: (field, text in the file) to the title that is meant.
        create_missing: link fields whose missing records shall be made.
    """

    settled = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("importCheck")
        self.values: dict[tuple[str, str], str] = {}
        self.create_missing: set[str] = set()
        self._counts = QVBoxLayout()
        self._notices = QVBoxLayout()
        self._notices.setSpacing(6)
        self.model = PlanRows()
        self.table = QTableView()
        self.table.setObjectName("import.rows")
        self.table.setAccessibleName(tr("Rows of the file"))
        self.table.setModel(self.model)
        self.table.setShowGrid(False)
        self.table.setWordWrap(False)
        self.table.verticalHeader().hide()
        self.table.verticalHeader().setDefaultSectionSize(theme.scaled(30))
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setTabKeyNavigation(False)
        head = self.table.horizontalHeader()
        head.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        head.setHighlightSections(False)
        head.setStretchLastSection(True)
        for column, width in enumerate((60, 140, 220)):
            head.setSectionResizeMode(column, QHeaderView.ResizeMode.Interactive)
            self.table.setColumnWidth(column, theme.scaled(width))
        self.conflicts = QuietCombo()
        self.conflicts.setObjectName("import.conflicts")
        self.conflicts.setAccessibleName(tr("Conflicts"))
        for text, code in (
            (tr("Leave conflicts out and report them"), "ask"),
            (tr("In conflicts, the file wins"), "mine"),
            (tr("In conflicts, the database wins"), "theirs"),
            (tr("Decide one by one: tick where the file wins"), "each"),
        ):
            self.conflicts.addItem(text, code)
        self._conflict_row = row(label(tr("Conflicts"), "dim"), self.conflicts, None, spacing=10)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(10)
        box.addLayout(self._counts)
        box.addWidget(self._notice_area())
        box.addWidget(self._conflict_row)
        box.addWidget(self.table, 1)

    def _notice_area(self) -> QWidget:
        inside = QWidget()
        inside.setObjectName("scrollbody")
        column = QVBoxLayout(inside)
        column.setContentsMargins(0, 0, 8, 0)
        column.addLayout(self._notices)
        column.addStretch(1)
        self._area = QScrollArea()
        self._area.setObjectName("importNoticesScroll")
        self._area.setWidget(inside)
        self._area.setWidgetResizable(True)
        self._area.setFrameShape(QFrame.Shape.NoFrame)
        self._area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._area.setMaximumHeight(theme.scaled(190))
        return self._area

    def forget(self) -> None:
        """Forget what was settled: another file."""
        self.values.clear()
        self.create_missing.clear()

    def show_plan(self, plan: ImportPlan) -> None:
        """Show a plan."""
        clear(self._counts)
        pills: list[QWidget | None] = []
        for outcome, (one, many) in _COUNTS.items():
            count = plan.counts[outcome.value]
            if count:
                pills.append(Pill(ntr(one, many, count), _TONES[outcome]))
        self._counts.addWidget(row(*pills, None, spacing=6))
        clear(self._notices)
        for notice in plan.notices:
            self._notices.addWidget(self._notice(plan, notice))
        self._area.setVisible(bool(plan.notices))
        has_conflicts = any(one.conflicts for one in plan.rows)
        self._conflict_row.setVisible(has_conflicts)
        self.model.show(plan)

    def _notice(self, plan: ImportPlan, notice: PlanNotice) -> QWidget:
        unsettled = notice.kind in {NoticeKind.NOT_FOUND, NoticeKind.AMBIGUOUS}
        text = label(notice.message, wrap=True)
        tint = "warn" if unsettled else "info"
        line = row(Glyph("alert", tint, 16), text, spacing=8)
        inner = line.layout()
        assert isinstance(inner, QHBoxLayout)  # noqa: S101  made by row()
        text.setMinimumWidth(200)
        if unsettled and notice.field and notice.text:
            inner.addWidget(self._settler(plan, notice))
        inner.setStretch(1, 1)
        return line

    def _settler(self, plan: ImportPlan, notice: PlanNotice) -> QWidget:
        field = registry.get(plan.entity).fields[notice.field]
        combo = QuietCombo()
        combo.setObjectName(f"import.value.{notice.field}.{notice.text}")
        combo.setAccessibleName(
            tr("What “{text}” means in {field}", text=notice.text, field=tr(field.label))
        )
        combo.setEditable(not field.choices)
        combo.setMinimumWidth(theme.scaled(220))
        combo.addItem(tr("Leave empty"), "")
        if notice.suggestion:
            combo.addItem(notice.suggestion, notice.suggestion)
        for _code, text in field.choices:
            if tr(text) != notice.suggestion:
                combo.addItem(tr(text), tr(text))
        combo.activated.connect(lambda _index: self._settle(notice, combo.currentText(), combo))
        edit = combo.lineEdit()
        if edit is not None:
            edit.setPlaceholderText(tr("Type its name"))
            edit.returnPressed.connect(lambda: self._settle(notice, combo.currentText(), combo))
        if not field.target:
            return combo
        create = QCheckBox(tr("Create missing ones"))
        create.setObjectName(f"import.create.{notice.field}.{notice.text}")
        create.setAccessibleName(tr("Create missing {field}", field=tr(field.label)))
        create.setChecked(notice.field in self.create_missing)
        create.toggled.connect(partial(self._create, notice.field))
        return row(combo, create, spacing=8)

    def _settle(self, notice: PlanNotice, text: str, combo: QuietCombo) -> None:
        key = (notice.field, notice.text)
        if (combo.currentIndex() == 0 and text == combo.itemText(0)) or not text.strip():
            self.values.pop(key, None)
        else:
            self.values[key] = text.strip()
        self.settled.emit()

    def _create(self, field: str, create: bool) -> None:
        (self.create_missing.add if create else self.create_missing.discard)(field)
        self.settled.emit()

    def settle_conflicts(self, plan: ImportPlan) -> None:
        """Decide the conflicts of a plan as the person chose."""
        same = [self.model.rows[place] for place in self.model.file_wins]
        plan.take_as_same([one for one in same if one.instead is not None])
        choice = self.conflicts.currentData()
        if choice in {"mine", "theirs"}:
            plan.settle(mine=choice == "mine")
        elif choice == "each":
            rows: Sequence[PlannedRow] = [one for one in self.model.rows if one.conflicts]
            wins = {id(self.model.rows[place]) for place in self.model.file_wins}
            plan.settle([one for one in rows if id(one) in wins], mine=True)
            plan.settle([one for one in rows if id(one) not in wins], mine=False)
