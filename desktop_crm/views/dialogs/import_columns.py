"""Which column of the file is which field: found by itself, changed by a person."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QGridLayout, QScrollArea, QVBoxLayout, QWidget

from desktop_crm.core.i18n import N_, tr
from desktop_crm.meta import registry
from desktop_crm.services.imports.matching import WHOLE_NAME, ColumnMatch, How, targets
from desktop_crm.services.imports.values import as_text
from desktop_crm.views import theme
from desktop_crm.views.forms.editor import QuietCombo
from desktop_crm.views.widgets.labels import Elide, Pill, label
from desktop_crm.views.widgets.layout import row

if TYPE_CHECKING:
    from desktop_crm.services.imports.service import ImportPlan

_HOW = {
    How.MAP: (N_("Chosen"), "info"),
    How.NAME: (N_("By name"), "ok"),
    How.LABEL: (N_("By name"), "ok"),
    How.SYNONYM: (N_("By synonym"), "ok"),
    How.CONTENT: (N_("By content"), "warn"),
    How.NONE: (N_("Left out"), "neutral"),
}
_SAMPLES = 3


class ColumnsPage(QWidget):
    """One line for each column, and the field that identifies records.

    Attributes:
        changed: a person chose another field.
    """

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("importColumns")
        self._combos: list[tuple[ColumnMatch, QuietCombo]] = []
        self.match = QuietCombo()
        self.match.setObjectName("import.match")
        self.match.setAccessibleName(tr("Recognise records by"))
        self._inside = QWidget()
        self._inside.setObjectName("scrollbody")
        self._grid = QGridLayout(self._inside)
        self._grid.setContentsMargins(0, 4, 8, 4)
        self._grid.setHorizontalSpacing(16)
        self._grid.setVerticalSpacing(6)
        area = QScrollArea()
        area.setObjectName("importColumnsScroll")
        area.setWidget(self._inside)
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._match_row = row(
            label(tr("Recognise records by"), "dim"), self.match, None, spacing=10
        )
        self.match.setMinimumWidth(theme.scaled(240))
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(10)
        box.addWidget(area, 1)
        box.addWidget(self._match_row)

    def show_plan(self, plan: ImportPlan) -> None:
        """Show the columns of a file as they were matched."""
        while (item := self._grid.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        self._combos = []
        entity = registry.get(plan.entity)
        fields = sorted(
            ((name, tr(field.label)) for name, field in targets(entity).items()),
            key=lambda pair: pair[1].casefold(),
        )
        own_workbook = bool(plan.table.meta)
        captions = (tr("Column of the file"), tr("First values"), tr("Field"), "")
        for place, text in enumerate(captions):
            self._grid.addWidget(label(text, "h3"), 0, place)
        for line, column in enumerate(plan.columns, start=1):
            self._add_line(line, column, fields, plan, fixed=own_workbook)
        for place, stretch in enumerate((3, 4, 4, 0)):
            self._grid.setColumnStretch(place, stretch)
        self._grid.setRowStretch(len(plan.columns) + 1, 1)
        self._show_match(fields, plan, fixed=own_workbook)

    def _add_line(
        self,
        line: int,
        column: ColumnMatch,
        fields: list[tuple[str, str]],
        plan: ImportPlan,
        *,
        fixed: bool,
    ) -> None:
        samples = [
            text
            for one in plan.table.rows[:40]
            if column.index < len(one.cells) and (text := as_text(one.cells[column.index]))
        ]
        combo = QuietCombo()
        combo.setObjectName(f"import.column.{column.index}")
        combo.setAccessibleName(tr("Field of column {column}", column=column.header))
        combo.addItem(tr("Leave out"), "")
        if column.child:
            combo.addItem(tr("Further {kind}", kind=column.child), column.field)
        for name, text in fields:
            combo.addItem(text, name)
        combo.setCurrentIndex(max(0, combo.findData(column.field)))
        combo.setEnabled(not fixed and not column.child)
        text, tone = _HOW[column.how]
        pill = Pill(tr(text), tone)
        combo.currentIndexChanged.connect(lambda _index: self._chosen(pill))
        self._grid.addWidget(Elide(column.header, "strong"), line, 0)
        sample = Elide(" · ".join(dict.fromkeys(samples[:_SAMPLES])), "dim")
        self._grid.addWidget(sample, line, 1)
        self._grid.addWidget(combo, line, 2)
        self._grid.addWidget(pill, line, 3)
        self._combos.append((column, combo))

    def _chosen(self, pill: Pill) -> None:
        text, tone = _HOW[How.MAP]
        pill.show_text(tr(text), tone)
        self.changed.emit()

    def _show_match(self, fields: list[tuple[str, str]], plan: ImportPlan, *, fixed: bool) -> None:
        before = self.match.currentData()
        self.match.clear()
        self.match.addItem(tr("Its usual keys"), "")
        taken = set(plan.mapping.values())
        for name, text in fields:
            if name in taken and name != WHOLE_NAME:
                self.match.addItem(text, name)
        self.match.setCurrentIndex(max(0, self.match.findData(before)))
        self._match_row.setVisible(not fixed)

    def mapping(self) -> dict[str, str]:
        """Column to field where a person chose something else than was found."""
        return {
            column.header: str(combo.currentData() or "")
            for column, combo in self._combos
            if combo.isEnabled() and str(combo.currentData() or "") != column.field
        }

    def match_field(self) -> str:
        """The field that identifies records; empty for the entity's own keys."""
        return str(self.match.currentData() or "")
