"""The designer's first tab: fields of one's own of an entity."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QVBoxLayout, QWidget

from desktop_crm.core.i18n import N_, tr
from desktop_crm.meta import registry
from desktop_crm.services.customizing import fields
from desktop_crm.views.designer.field_dialog import FieldDialog
from desktop_crm.views.designer.ordered_list import Entry, OrderedList, move_buttons
from desktop_crm.views.widgets.buttons import push_button
from desktop_crm.views.widgets.cards import EmptyState
from desktop_crm.views.widgets.layout import row

if TYPE_CHECKING:
    from desktop_crm.services.changes import ChangeSet
    from desktop_crm.services.customizing.fields import OwnField
    from desktop_crm.views.workbench import Workbench

_FLAGS = (
    ("is_required", N_("required")),
    ("is_searchable", N_("searched")),
    ("is_confidential", N_("confidential")),
)


class FieldsPage(QWidget):
    """Lists the fields, in the order in which forms offer them."""

    def __init__(self, bench: Workbench) -> None:
        super().__init__()
        self._bench = bench
        self._entity = ""
        self._fields: dict[Hashable, OwnField] = {}
        self.list = OrderedList("designer.fields", tr("Fields of your own"), movable=True)
        self.list.opened.connect(lambda _key: self._change())
        self.list.current_changed.connect(lambda _key: self._update())
        self.list.reordered.connect(self._reorder)
        self.empty = EmptyState(
            "edit",
            tr("No fields of your own yet"),
            tr("Added fields are at once in lists, forms, filters, search and Excel."),
            tr("Add a field"),
            self.add,
            name="designer.fields.empty",
        )
        self._add = push_button("designer.field.add", tr("Add a field"), self.add, kind="primary")
        self._edit = push_button("designer.field.change", tr("Change…"), self._change)
        self._retire = push_button("designer.field.retire", tr("Retire"), self._toggle)
        self._up, self._down = move_buttons(self.list, "designer.field")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 10, 16, 12)
        layout.setSpacing(8)
        layout.addWidget(
            row(self._up, self._down, self._edit, self._retire, None, self._add, spacing=6)
        )
        layout.addWidget(self.list, 1)
        layout.addWidget(self.empty, 1)

    def show_entity(self, key: str) -> None:
        """Show the fields of an entity."""
        self._entity = key
        self.load()

    def load(self) -> None:
        """Read the fields again."""
        self._bench.tasks.read(
            fields.of_entity, self._bench.actor, self._entity,
            done=self._take, owner=self, lane="fields",
        )  # fmt: skip

    def _take(self, found: Sequence[OwnField]) -> None:
        self._fields = {field.id: field for field in found}
        self.list.show_entries([_entry(field) for field in found])
        self.list.setVisible(bool(found))
        self.empty.setVisible(not found)
        self._update()

    def _current(self) -> OwnField | None:
        return self._fields.get(self.list.current_key())

    def _update(self) -> None:
        field = self._current()
        for button in (self._up, self._down, self._edit, self._retire):
            button.setEnabled(field is not None)
        active = field is None or field.is_active
        self._retire.setText(tr("Retire") if active else tr("Bring back"))
        self._retire.setAccessibleName(self._retire.text())

    def add(self) -> None:
        """Ask for a new field."""
        FieldDialog(self.window(), self._bench, self._entity, None, self._publish).open()

    def _change(self) -> None:
        field = self._current()
        if field is not None:
            FieldDialog(self.window(), self._bench, self._entity, field, self._publish).open()

    def _toggle(self) -> None:
        field = self._current()
        if field is None:
            return
        self._bench.tasks.write(
            fields.retire if field.is_active else fields.bring_back, self._bench.actor, field,
            done=self._publish, failed=self._bench.shell.show_error, owner=self,
            label=tr("Saving"),
        )  # fmt: skip

    def _reorder(self, keys: list[int]) -> None:
        self._bench.tasks.write(
            fields.reorder, self._bench.actor, keys,
            done=self._publish, failed=self._bench.shell.show_error, owner=self,
        )  # fmt: skip

    def _publish(self, changes: ChangeSet) -> None:
        self._bench.bus.publish(changes)


def _entry(field: OwnField) -> Entry:
    kind = tr(field.kind.label)
    target = registry.find(field.target) if field.target else None
    if target is not None:
        kind = f"{kind}: {tr(target.label)}"
    flags = [tr(word) for flag, word in _FLAGS if getattr(field, flag)]
    return Entry(
        field.id,
        field.label,
        " · ".join((kind, *flags)),
        "" if field.is_active else tr("Retired"),
        dim=not field.is_active,
    )
