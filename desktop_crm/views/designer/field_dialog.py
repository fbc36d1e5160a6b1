"""Asks for a new field, or for what may change about one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox, QLineEdit, QPlainTextEdit, QWidget

from desktop_crm.core.errors import ValidationFailed
from desktop_crm.core.i18n import N_, tr
from desktop_crm.meta import registry
from desktop_crm.models.customizing import FieldKind
from desktop_crm.services.customizing import columns, fields
from desktop_crm.views import theme
from desktop_crm.views.dialogs.dialog import Dialog, Labelled
from desktop_crm.views.forms.editor import QuietCombo
from desktop_crm.views.widgets.buttons import push_button

if TYPE_CHECKING:
    from desktop_crm.services.changes import ChangeSet
    from desktop_crm.services.customizing.fields import OwnField
    from desktop_crm.views.workbench import Workbench

_FLAGS = (
    ("is_required", N_("Required"), N_("New records must fill it in.")),
    ("is_searchable", N_("Searched"), N_("Search looks through it; for fields with a text.")),
    ("is_confidential", N_("Confidential"), N_("Only roles that see confidential fields see it.")),
)


class FieldDialog(Dialog):
    """One field of an entity; Return saves.

    Args:
        parent: The designer.
        bench: The workbench.
        entity_key: Whose field.
        field: The field to change; None adds one.
        saved: Called with what changed.
    """

    def __init__(
        self,
        parent: QWidget,
        bench: Workbench,
        entity_key: str,
        field: OwnField | None,
        saved: Callable[[ChangeSet], object],
    ) -> None:
        entity = registry.get(entity_key)
        title = tr("Add a field") if field is None else tr("Change the field")
        super().__init__(parent, "field", title, subtitle=tr(entity.plural), width=520)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._bench = bench
        self._entity = entity_key
        self._field = field
        self._saved = saved
        self.label = QLineEdit()
        self.label.setObjectName("field.label")
        self.kind = self._kind_combo()
        self.target = self._target_combo()
        self.values = QPlainTextEdit()
        self.values.setObjectName("field.values")
        self.values.setTabChangesFocus(True)
        self.values.setMaximumHeight(theme.scaled(110))
        self.help = QLineEdit()
        self.help.setObjectName("field.help")
        self._labelled = {
            "label": Labelled(tr("Label"), self.label, required=True),
            "kind": Labelled(
                tr("Kind"), self.kind, help_text=tr("It cannot be changed afterwards.")
            ),
            "target": Labelled(tr("Links to"), self.target, required=True),
            "values": Labelled(tr("Values, one in a line"), self.values),
            "help_text": Labelled(
                tr("Help"), self.help, help_text=tr("Explanation shown beside the field.")
            ),
        }
        for box in self._labelled.values():
            self.body.addWidget(box)
        self.flags = {name: self._flag(name, text, tip) for name, text, tip in _FLAGS}
        for check in self.flags.values():
            self.body.addWidget(check)
        text = tr("Add") if field is None else tr("Save")
        self._save = push_button("field.save", text, self._write, kind="primary")
        self._save.setDefault(True)
        self.set_foot(None, self.cancel_button(), self._save)
        self.kind.currentIndexChanged.connect(lambda _index: self._show_kind())
        if field is not None:
            self._load(field)
        self._show_kind()
        self.label.setFocus()

    def _kind_combo(self) -> QuietCombo:
        combo = QuietCombo()
        combo.setObjectName("field.kind")
        for kind in FieldKind:
            combo.addItem(tr(kind.label), kind.value)
        return combo

    def _target_combo(self) -> QuietCombo:
        combo = QuietCombo()
        combo.setObjectName("field.target")
        combo.addItem("", "")
        for entity in registry.all():
            if entity.is_record and entity.form and "title_key" in entity.fields:
                combo.addItem(tr(entity.label), entity.key)
        return combo

    def _flag(self, name: str, text: str, tip: str) -> QCheckBox:
        check = QCheckBox(f"{tr(text)}: {tr(tip)}")
        check.setObjectName(f"field.{name}")
        check.setAccessibleName(tr(text))
        return check

    def _load(self, field: OwnField) -> None:
        self.label.setText(field.label)
        self.kind.setCurrentIndex(self.kind.findData(field.kind.value))
        self.target.setCurrentIndex(max(0, self.target.findData(field.target)))
        self.help.setText(field.help)
        for name, check in self.flags.items():
            check.setChecked(bool(getattr(field, name)))

    def _show_kind(self) -> None:
        kind = FieldKind(str(self.kind.currentData()))
        new = self._field is None
        self.kind.setEnabled(new)
        self.target.setEnabled(new)
        self._labelled["target"].setVisible(kind is FieldKind.LINK)
        self._labelled["values"].setVisible(kind is FieldKind.CHOICE and new)
        self.flags["is_searchable"].setEnabled(kind in columns.SEARCHABLE)
        if kind not in columns.SEARCHABLE:
            self.flags["is_searchable"].setChecked(False)
        self.flags["is_required"].setEnabled(kind is not FieldKind.BOOLEAN)

    def _wanted(self) -> dict[str, Any]:
        flags = {name: check.isChecked() for name, check in self.flags.items()}
        return {"help_text": self.help.text().strip() or None, **flags}

    def _write(self) -> None:
        self._save.setEnabled(False)
        for box in self._labelled.values():
            box.show_error("")
        wanted = self._wanted()
        self._bench.tasks.write(
            self._run, self.label.text(), wanted, str(self.kind.currentData()),
            self.target.currentData() or None,
            tuple(text for text in map(str.strip, self.values.toPlainText().splitlines()) if text),
            done=self._done, failed=self._failed, owner=self, label=tr("Saving"),
        )  # fmt: skip

    def _run(
        self, label: str, wanted: Mapping[str, Any], kind: str, target: str | None,
        values: tuple[str, ...],
    ) -> ChangeSet:  # fmt: skip
        """Write; runs on the writer's thread, so it touches no widget."""
        actor = self._bench.actor
        if self._field is not None:
            return fields.change(actor, self._field, {"label": label, **wanted})
        chosen = values if kind == FieldKind.CHOICE else ()
        return fields.add(actor, self._entity, kind, label, values=chosen, target=target, **wanted)

    def _done(self, changes: ChangeSet) -> None:
        self._saved(changes)
        self.accept()

    def _failed(self, error: Exception) -> None:
        self._save.setEnabled(True)
        others = []
        if isinstance(error, ValidationFailed):
            for one in error.errors:
                box = self._labelled.get(one.field)
                if box is not None and box.isVisible():
                    box.show_error(one.message)
                    box.control.setFocus()
                else:
                    others.append(one.message)
            self.notice.say(" ".join(others), "bad")
        else:
            self.show_error(error)
