"""Groups of conditions, and conditions on related records, each within the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from desktop_crm.core.errors import UserError
from desktop_crm.core.i18n import N_, tr
from desktop_crm.meta import registry
from desktop_crm.services.filters import Group, Node, Related, Rule, relations
from desktop_crm.views import theme
from desktop_crm.views.filters import offering
from desktop_crm.views.filters.condition import ConditionRow, Member, Site
from desktop_crm.views.filters.offering import FindBox
from desktop_crm.views.filters.words import COMPARISONS, MODES, QUANTITIES
from desktop_crm.views.forms.editor import QuietCombo
from desktop_crm.views.widgets.buttons import tool_button
from desktop_crm.views.widgets.labels import label
from desktop_crm.views.widgets.layout import row

if TYPE_CHECKING:
    from desktop_crm.meta.bound import Entity

_INDENT: Final = 14
_MISSING: Final = N_("Choose what is related and, for a number, with what it is compared.")


class GroupEdit(Member):
    """Conditions of which all, any or none must hold."""

    def __init__(
        self, site: Site, entity: Entity, group: Group | None = None, *, is_root: bool = False
    ) -> None:
        super().__init__(site, entity)
        self.is_root = is_root
        self.setProperty("filtergroup", True)
        self.mode = QuietCombo()
        self.mode.setObjectName(f"{self._name}.mode")
        self.mode.setAccessibleName(tr("How the conditions are joined"))
        self.mode.setSizeAdjustPolicy(QuietCombo.SizeAdjustPolicy.AdjustToContents)
        for mode, text in MODES.items():
            self.mode.addItem(tr(text), mode)
        self.mode.activated.connect(lambda _index: self.changed.emit())
        self._remove_button = self._remover(tr("Remove the group"))
        if is_root:
            self._remove_button.hide()
        self._rows = QVBoxLayout()
        self._rows.setContentsMargins(0, 0, 0, 0)
        self._rows.setSpacing(8)
        self._add_condition = tool_button(
            f"{self._name}.add", tr("Condition"), "add", self.add_condition, show_text=True
        )
        self._add_group = tool_button(
            f"{self._name}.add_group", tr("Group"), "add", self.add_group, show_text=True
        )
        self._add_related = tool_button(
            f"{self._name}.add_related",
            tr("Related records"),
            "add",
            self.add_related,
            show_text=True,
        )
        adders = row(self._add_condition, self._add_group, self._add_related, None, spacing=2)
        box = QVBoxLayout(self)
        box.setContentsMargins(_INDENT, 2, 0, 2)
        box.setSpacing(8)
        box.addWidget(row(self.mode, None, self._remove_button))
        box.addLayout(self._rows)
        box.addWidget(adders)
        self.load(group)

    def load(self, node: Node | None) -> None:
        """Show a group; any other node as its only member."""
        group = node if isinstance(node, Group) else Group("all", () if node is None else (node,))
        for member in self.members():
            self._drop(member)
        self.mode.setCurrentIndex(self.mode.findData(group.mode))
        for one in group.members:
            self._take(self._member(one))

    def _member(self, node: Node) -> Member:
        if isinstance(node, Rule):
            return ConditionRow(self.site, self.entity, node)
        if isinstance(node, Related):
            return RelatedEdit(self.site, self.entity, node)
        return GroupEdit(self.site, self.entity, node)

    def members(self) -> list[Member]:
        """Its members in order."""
        items = (self._rows.itemAt(place) for place in range(self._rows.count()))
        return [w for item in items if item and isinstance(w := item.widget(), Member)]

    def controls(self) -> list[QWidget]:
        inner = [control for member in self.members() for control in member.controls()]
        adders = (self._add_condition, self._add_group, self._add_related)
        return [self.mode, self._remove_button, *inner, *adders]

    def _take(self, member: Member, place: int = -1) -> None:
        self._rows.insertWidget(place, member)
        if self.isVisible():
            member.show()  # at once: it may get the keyboard
        member.changed.connect(self.changed)
        member.remove_wanted.connect(lambda: self._remove(member))

    def _drop(self, member: Member) -> None:
        self._rows.removeWidget(member)
        member.hide()
        member.deleteLater()

    def _remove(self, member: Member) -> None:
        here = self.members()
        place = here.index(member)
        self._drop(member)
        rest = self.members()
        if rest:
            rest[min(place, len(rest) - 1)].begin()
        else:
            self._add_condition.setFocus(Qt.FocusReason.TabFocusReason)
        self.changed.emit()

    def add_condition(self) -> None:
        """Add an empty condition and begin with it."""
        self._begin(ConditionRow(self.site, self.entity))

    def add_group(self) -> None:
        """Add a group with an empty condition in it."""
        made = GroupEdit(self.site, self.entity, Group("any", ()))
        self._begin(made)
        made.add_condition()

    def add_related(self) -> None:
        """Add a condition on related records."""
        self._begin(RelatedEdit(self.site, self.entity))

    def _begin(self, member: Member) -> None:
        self._take(member)
        member.begin()
        self.changed.emit()

    def shift(self, member: Member, step: int) -> None:
        """Move a member up or down within the group."""
        here = self.members()
        there = here.index(member) + step
        if not 0 <= there < len(here):
            return
        focused = self.window().focusWidget()
        self._rows.removeWidget(member)
        self._rows.insertWidget(there, member)
        focused.setFocus()
        self.changed.emit()

    def begin(self) -> None:
        members = self.members()
        if members:
            members[0].begin()
        else:
            self._add_condition.setFocus(Qt.FocusReason.TabFocusReason)

    def read(self, problems: list[QWidget]) -> Node | None:
        found = [member.read(problems) for member in self.members()]
        kept = tuple(node for node in found if node is not None)
        return Group(str(self.mode.currentData()), kept) if kept else None


class RelatedEdit(Member):
    """A condition on related records: which, how many, and what they must meet."""

    def __init__(self, site: Site, entity: Entity, node: Related | None = None) -> None:
        super().__init__(site, entity)
        self.setProperty("filterrelated", True)
        self.quantity = QuietCombo()
        self.quantity.setObjectName(f"{self._name}.quantity")
        self.quantity.setAccessibleName(tr("What is asked of related records"))
        self.quantity.setSizeAdjustPolicy(QuietCombo.SizeAdjustPolicy.AdjustToContents)
        for code, text in QUANTITIES.items():
            self.quantity.addItem(tr(text), code)
        self.relation = FindBox(
            f"{self._name}.relation", tr("Related records"), site.relations(entity)
        )
        self.summed = QuietCombo()
        self.summed.setObjectName(f"{self._name}.summed")
        self.summed.setAccessibleName(tr("What is added up"))
        self.sign = QuietCombo()
        self.sign.setObjectName(f"{self._name}.sign")
        self.sign.setAccessibleName(tr("Operator"))
        for code, sign in COMPARISONS:
            self.sign.addItem(sign, code)
        self.number = QLineEdit()
        self.number.setObjectName(f"{self._name}.number")
        self.number.setAccessibleName(tr("Number"))
        self.number.setMaximumWidth(theme.scaled(110))
        self.sign.setMaximumWidth(theme.scaled(70))
        self.note = label("", "error", wrap=True, name=f"{self._name}.note")
        self.note.hide()
        line = QHBoxLayout()
        line.setSpacing(6)
        line.addWidget(self.quantity)
        line.addWidget(self.relation, 3)
        line.addWidget(self.summed, 2)
        line.addWidget(self.sign)
        line.addWidget(self.number)
        line.addStretch(1)
        self._remove = self._remover(tr("Remove the condition"))
        line.addWidget(self._remove)
        self._inner_box = QVBoxLayout()
        self._inner_box.setContentsMargins(0, 0, 0, 0)
        self._inner: GroupEdit | None = None
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 2, 0, 2)
        box.setSpacing(6)
        box.addLayout(line)
        box.addWidget(self.note)
        box.addLayout(self._inner_box)
        self._load(node or Related(""))
        self.quantity.activated.connect(self._quantity_chosen)
        self.relation.activated.connect(self._relation_chosen)
        for combo in (self.summed, self.sign):
            combo.activated.connect(self._tell)
        self.number.textEdited.connect(self._tell)

    def begin(self) -> None:
        self.relation.begin()

    def controls(self) -> list[QWidget]:
        inner = self._inner.controls() if self._inner is not None else []
        head = [self.quantity, self.relation, self.summed, self.sign, self.number, self._remove]
        return [*head, *inner]

    def _load(self, node: Related) -> None:
        self.quantity.setCurrentIndex(self.quantity.findData(node.quantity))
        self.relation.choose(node.relation)
        self.sign.setCurrentIndex(max(0, self.sign.findData(node.operator or ">=")))
        self.number.setText(node.value)
        self._show_target(node.filter)
        if node.field and self.summed.findData(node.field) < 0:
            self.summed.addItem(node.field, node.field)
        self.summed.setCurrentIndex(max(0, self.summed.findData(node.field)))
        self._show_quantity()

    def _target(self) -> Entity | None:
        try:
            name = self.relation.code()
            return registry.get(relations.find(self.entity, name).entity) if name else None
        except UserError:
            return None

    def _show_target(self, inner: Node | None) -> None:
        """Build the conditions of the related records anew: another kind has other fields."""
        if self._inner is not None:
            self._inner_box.removeWidget(self._inner)
            self._inner.hide()
            self._inner.deleteLater()
            self._inner = None
        self.summed.clear()
        target = self._target()
        if target is None:
            return
        for choice in offering.numbers(self.site.bench.actor, target):
            self.summed.addItem(choice.label, choice.code)
        self._inner = GroupEdit(self.site, target, is_root=True)
        self._inner.load(inner)
        self._inner.changed.connect(self.changed)
        self._inner_box.addWidget(self._inner)
        if self.isVisible():
            self._inner.show()

    def _show_quantity(self) -> None:
        quantity = self.quantity.currentData()
        self.summed.setVisible(quantity == "sum")
        for control in (self.sign, self.number):
            control.setVisible(quantity in {"count", "sum"})

    def _quantity_chosen(self) -> None:
        self._show_quantity()
        self._tell()

    def _relation_chosen(self) -> None:
        self._show_target(None)
        self._tell()

    def _tell(self) -> None:
        self.note.hide()
        theme.set_property(self.number, "error", False)
        self.changed.emit()

    def read(self, problems: list[QWidget]) -> Node | None:
        name, quantity = self.relation.code(), str(self.quantity.currentData())
        inner = self._inner.read(problems) if self._inner is not None else None
        if not name:
            problems.append(self)
            return None
        if quantity in {"has", "no"}:
            return Related(name, quantity, inner)
        field = str(self.summed.currentData() or "") if quantity == "sum" else ""
        number = self._number()
        if not number or (quantity == "sum" and not field):
            problems.append(self)
            return None
        return Related(name, quantity, inner, str(self.sign.currentData()), number, field)

    def _number(self) -> str:
        from desktop_crm.views.filters.values import plain_number

        try:
            text = self.number.text().strip()
            return plain_number(self.site.bench.formats.parse_decimal(text)) if text else ""
        except UserError:
            return ""

    def show_problem(self) -> None:
        """Say what is missing or wrong in this condition."""
        if not self.relation.code():
            theme.set_property(self.relation, "error", True)
        else:
            theme.set_property(self.number, "error", True)
        self.note.setText(tr(_MISSING))
        self.note.show()
