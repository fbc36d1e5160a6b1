"""One condition of a filter: field, operator and value on a line."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QStandardItemModel
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from desktop_crm.core.errors import UserError
from desktop_crm.core.i18n import N_, tr
from desktop_crm.services.filters import Node, Rule, resolve
from desktop_crm.views import theme
from desktop_crm.views.filters import offering
from desktop_crm.views.filters.offering import FindBox
from desktop_crm.views.filters.values import make_value
from desktop_crm.views.filters.words import operator_text
from desktop_crm.views.forms.editor import QuietCombo
from desktop_crm.views.widgets.buttons import tool_button
from desktop_crm.views.widgets.labels import label

if TYPE_CHECKING:
    from desktop_crm.meta.bound import Entity
    from desktop_crm.services.filters import Value
    from desktop_crm.views.filters.value_edit import ValueEdit
    from desktop_crm.views.workbench import Workbench

MISSING: Final = N_("A value is missing here.")
NO_FIELD: Final = N_("Choose a field.")


@dataclass(slots=True)
class Site:
    """What the parts of one filter editor share.

    Attributes:
        bench: The tools of the pane.
        owner: Parent of the models.
        titles: Titles of linked records, by entity and key.
    """

    bench: Workbench
    owner: QObject
    titles: dict[tuple[str, int], str] = field(default_factory=dict)
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))
    _models: dict[tuple[str, str], QStandardItemModel] = field(default_factory=dict)

    def name(self) -> str:
        """Object name of a new part."""
        return f"filter.{next(self._numbers)}"

    def restart(self) -> None:
        """Count the parts again; 1 is the outermost group, which stays."""
        self._numbers = itertools.count(2)

    def fields(self, entity: Entity) -> QStandardItemModel:
        """Fields of an entity, for a box."""
        return self._model("fields", entity)

    def relations(self, entity: Entity) -> QStandardItemModel:
        """Relations of an entity, for a box."""
        return self._model("relations", entity)

    def _model(self, what: str, entity: Entity) -> QStandardItemModel:
        found = self._models.get((what, entity.key))
        if found is None:
            offered = offering.fields if what == "fields" else offering.related
            found = offering.model_of(offered(self.bench.actor, entity), self.owner)
            self._models[what, entity.key] = found
        return found


class Member(QFrame):
    """One member of a group: a condition, a group, or a condition on related records.

    Attributes:
        changed: The person changed something.
        remove_wanted: It shall be taken out of its group.
    """

    changed = Signal()
    remove_wanted = Signal()

    def __init__(self, site: Site, entity: Entity) -> None:
        super().__init__()
        self.site = site
        self.entity = entity
        self._name = site.name()
        self.setObjectName(self._name)

    def read(self, problems: list[QWidget]) -> Node | None:
        """The filter as edited; what is incomplete is left out and its control reported."""
        raise NotImplementedError

    def begin(self) -> None:
        """Give the keyboard to the first control."""
        raise NotImplementedError

    def controls(self) -> list[QWidget]:
        """What the keyboard reaches, in order."""
        raise NotImplementedError

    def _remover(self, text: str) -> QWidget:
        return tool_button(f"{self._name}.remove", text, "dismiss", self.remove_wanted.emit)


class ConditionRow(Member):
    """A condition on one field."""

    def __init__(self, site: Site, entity: Entity, rule: Rule | None = None) -> None:
        super().__init__(site, entity)
        self.field_box = FindBox(f"{self._name}.field", tr("Field"), site.fields(entity))
        self.operator = QuietCombo()
        self.operator.setObjectName(f"{self._name}.operator")
        self.operator.setAccessibleName(tr("Operator"))
        self.operator.setMaxVisibleItems(14)
        self._value: ValueEdit | None = None
        self._holder = QHBoxLayout()
        self._holder.setContentsMargins(0, 0, 0, 0)
        line = QHBoxLayout()
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(6)
        line.addWidget(self.field_box, 3, Qt.AlignmentFlag.AlignTop)
        line.addWidget(self.operator, 2, Qt.AlignmentFlag.AlignTop)
        line.addLayout(self._holder, 4)
        self._remove = self._remover(tr("Remove the condition"))
        line.addWidget(self._remove, 0, Qt.AlignmentFlag.AlignTop)
        self.note = label("", "error", wrap=True, name=f"{self._name}.note")
        self.note.hide()
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(2)
        box.addLayout(line)
        box.addWidget(self.note)
        self.field_box.activated.connect(self._field_chosen)
        self.field_box.entered.connect(self._go_on)
        self.operator.activated.connect(self._operator_chosen)
        if rule is not None:
            self._load(rule)
        else:
            self._show_operators("")
            self._show_value(None)

    def begin(self) -> None:
        self.field_box.begin()

    def controls(self) -> list[QWidget]:
        of_value = self._value.controls() if self._value is not None else []
        return [self.field_box, self.operator, *of_value, self._remove]

    def _load(self, rule: Rule) -> None:
        self.field_box.choose(rule.field)
        self._show_operators(rule.operator)
        self._show_value(rule.value)

    def _field_chosen(self) -> None:
        kept = str(self.operator.currentData() or "")
        self._show_operators(kept)
        self._show_value(None)
        self._tell()

    def _go_on(self) -> None:
        if self.field_box.code():
            self.operator.setFocus(Qt.FocusReason.TabFocusReason)

    def _operator_chosen(self) -> None:
        before = self._plain_value()
        self._show_value(before)
        self._tell()

    def _plain_value(self) -> Value:
        """The value to carry over to another operator."""
        try:
            return self._value.value() if self._value is not None else None
        except UserError:
            return None

    def _show_operators(self, chosen: str) -> None:
        self.operator.clear()
        try:
            field_ = resolve(self.entity, self.field_box.code())
        except UserError:
            return
        for operator in field_.kind.operators:
            self.operator.addItem(operator_text(operator, field_.kind), operator)
        self.operator.setCurrentIndex(max(0, self.operator.findData(chosen)))

    def _show_value(self, value: Value) -> None:
        if self._value is not None:
            self._holder.removeWidget(self._value)
            self._value.hide()
            self._value.deleteLater()
        self._value = None
        operator = str(self.operator.currentData() or "")
        if operator:
            field_ = resolve(self.entity, self.field_box.code())
            site = self.site
            self._value = make_value(
                field_, operator, f"{self._name}.value", site.bench, site.titles
            )
        if self._value is None:
            self._holder.addStretch(1)
            return
        while self._holder.count():
            self._holder.takeAt(0)
        self._value.load(value)
        self._value.changed.connect(self._tell)
        self._holder.addWidget(self._value, 1, Qt.AlignmentFlag.AlignTop)
        if self.isVisible():
            self._value.show()  # at once: the next Tab goes there

    def _tell(self) -> None:
        self._say("")
        self.changed.emit()

    def _say(self, text: str) -> None:
        self.note.setText(text)
        self.note.setVisible(bool(text))

    def read(self, problems: list[QWidget]) -> Node | None:
        path, operator = self.field_box.code(), str(self.operator.currentData() or "")
        if not path or not operator:
            problems.append(self)
            return None
        if self._value is None:
            return Rule(path, operator)
        try:
            value = self._value.value()
        except UserError:
            problems.append(self)
            return None
        if value is None:
            problems.append(self)
            return None
        return Rule(path, operator, value)

    def show_problem(self) -> None:
        """Say what is missing or wrong in this condition."""
        if not self.operator.currentData():
            theme.set_property(self.field_box, "error", True)
            self._say(tr(NO_FIELD))
            return
        text = tr(MISSING)
        if self._value is not None:
            self._value.mark_error(wrong=True)
            try:
                self._value.value()
            except UserError as error:
                text = str(error)
        self._say(text)
