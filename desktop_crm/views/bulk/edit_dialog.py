"""Sets, clears or reckons fields of many records."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QStackedWidget, QVBoxLayout, QWidget

from desktop_crm.core.errors import UserError
from desktop_crm.core.i18n import N_, tr
from desktop_crm.services.bulk import edits
from desktop_crm.services.bulk.edits import FieldEdit, Mode
from desktop_crm.views import theme
from desktop_crm.views.bulk.dialog import BulkDialog
from desktop_crm.views.forms.editor import Editor, QuietCombo
from desktop_crm.views.forms.editors import make_editor
from desktop_crm.views.widgets.buttons import push_button, tool_button
from desktop_crm.views.widgets.labels import label
from desktop_crm.views.widgets.layout import row as side_by_side
from desktop_crm.views.widgets.tab_order import put_behind

if TYPE_CHECKING:
    from desktop_crm.meta.bound import BoundField
    from desktop_crm.services.bulk.job import Targets
    from desktop_crm.views.workbench import Workbench

_WORDS: Final = {
    Mode.SET: N_("Set to"),
    Mode.CLEAR: N_("Clear"),
    Mode.ADD: N_("Add"),
    Mode.REMOVE: N_("Remove"),
    Mode.PERCENT: N_("Change by percent"),
}
_FIELD_WIDTH: Final = 190
_MODE_WIDTH: Final = 148
_MOST: Final = 8


class EditRow(QWidget):
    """One field: which, what is done with it, and the value.

    Attributes:
        dropped: The person does not want it any more.
        last: The control that Tab reaches last.
    """

    dropped = Signal()

    def __init__(
        self, bench: Workbench, fields: Sequence[BoundField], name: str, chosen: str = ""
    ) -> None:
        super().__init__()
        self.setObjectName(name)
        self._bench = bench
        self._fields = {field.name: field for field in fields}
        self.field = QuietCombo()
        self.field.setObjectName(f"{name}.field")
        self.field.setAccessibleName(tr("Field"))
        self.field.setFixedWidth(theme.scaled(_FIELD_WIDTH))
        self.field.addItem(tr("Choose a field"), "")
        for text, key in sorted((tr(f.label), f.name) for f in fields):
            self.field.addItem(text, key)
        self.mode = QuietCombo()
        self.mode.setObjectName(f"{name}.mode")
        self.mode.setAccessibleName(tr("What is done"))
        self.mode.setFixedWidth(theme.scaled(_MODE_WIDTH))
        self._place = QStackedWidget()
        self._editor: Editor | None = None
        self._amount = QLineEdit()
        self._amount.setObjectName(f"{name}.amount")
        self._amount.setAccessibleName(tr("Amount"))
        self._nothing = QWidget()
        for widget in (self._nothing, self._amount):
            self._place.addWidget(widget)
        self.note = label("", "error", wrap=True)
        self.note.hide()
        self.last = tool_button(
            f"{name}.drop", tr("Leave this field out"), "dismiss", self.dropped.emit
        )
        line = QHBoxLayout()
        line.setSpacing(8)
        for widget in (self.field, self.mode):
            line.addWidget(widget)
        line.addWidget(self._place, 1)
        line.addWidget(self.last)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addLayout(line)
        layout.addWidget(self.note)
        self.field.currentIndexChanged.connect(self._field_chosen)
        self.mode.currentIndexChanged.connect(self._mode_chosen)
        self.field.setCurrentIndex(max(0, self.field.findData(chosen)))
        self._field_chosen()

    @Slot()
    def _field_chosen(self) -> None:
        field = self._fields.get(str(self.field.currentData() or ""))
        if self._editor is not None:
            self._place.removeWidget(self._editor)
            self._editor.deleteLater()
            self._editor = None
        self.mode.blockSignals(True)
        self.mode.clear()
        if field is not None:
            for mode in edits.modes(field):
                self.mode.addItem(tr(_WORDS[mode]), mode.value)
            self._editor = make_editor(field, f"{self.objectName()}.value", self._bench)
            self._place.addWidget(self._editor)
            put_behind(self.mode, self._editor)
        self.mode.blockSignals(False)
        self.mode.setEnabled(field is not None and self.mode.count() > 1)
        self._mode_chosen()

    @Slot()
    def _mode_chosen(self) -> None:
        self.show_error("")
        mode = self.mode.currentData()
        field = self._fields.get(str(self.field.currentData() or ""))
        shown: QWidget = self._nothing
        if mode == Mode.SET or (
            field is not None and field.kind.name == "tags" and mode != "clear"
        ):
            shown = self._editor or self._nothing
        elif mode in {Mode.ADD, Mode.PERCENT}:
            hint = (
                tr("for example 10 or -5") if mode == Mode.PERCENT else tr("for example 100 or -5")
            )
            self._amount.setPlaceholderText(hint)
            shown = self._amount
        self._place.setCurrentWidget(shown)

    @property
    def chosen(self) -> str:
        """Name of the field, empty while none is chosen."""
        return str(self.field.currentData() or "")

    def wish(self) -> FieldEdit:
        """What the person wants.

        Raises:
            UserError: The value cannot be read, or there is none: fields are emptied by word only.
        """
        mode = Mode(str(self.mode.currentData()))
        value: Any = None
        if self._place.currentWidget() is self._amount:
            value = self._amount.text()
        elif self._editor is not None and self._place.currentWidget() is self._editor:
            value = self._editor.value()
            if mode is Mode.SET and value in (None, "", (), []):
                raise UserError(
                    N_("Enter the value, or choose “{clear}” to empty the field."),
                    clear=tr(_WORDS[Mode.CLEAR]),
                )
        return FieldEdit(self.chosen, mode, value)

    def take_focus(self) -> None:
        """Put the cursor where one goes on: into the value once a field is chosen."""
        shown = self._place.currentWidget()
        here = shown if shown is not None and shown is not self._nothing else self.field
        here.setFocus()

    def show_error(self, text: str) -> None:
        """Say below the row what is wrong with it."""
        self.note.setText(text)
        self.note.setVisible(bool(text))
        if text:
            (self._place.currentWidget() or self.field).setFocus()


class BulkEditDialog(BulkDialog):
    """Which fields of the records are changed, and how."""

    def __init__(
        self, bench: Workbench, targets: Targets, count: int, *, first: str = "", title: str = ""
    ) -> None:
        super().__init__(
            bench, targets, count, "bulkEdit", title or tr("Change records"), tr("Change")
        )
        self._offered = edits.editable(bench.actor, targets.entity)
        self._rows: list[EditRow] = []
        self._numbers = 0
        self._holder = QWidget()
        self._list = QVBoxLayout(self._holder)
        self._list.setContentsMargins(0, 0, 0, 0)
        self._list.setSpacing(8)
        self.body.addWidget(self._holder)
        self._more = push_button(
            "bulkEdit.more", tr("Another field"), self.add_row, kind="flat", drawing="add"
        )
        self.add_row(first)  # Tab goes through what stands in the window in the order it came
        self.body.addWidget(side_by_side(self._more, None))
        self.finish_building()

    @Slot()
    def add_row(self, chosen: str = "") -> None:
        """Offer another field."""
        self._numbers += 1
        row = EditRow(self.bench, self._offered, f"bulkEdit.row{self._numbers}", chosen)
        row.dropped.connect(lambda: self._drop(row))
        self._list.addWidget(row)
        if self._rows:
            put_behind(self._rows[-1].last, row)
        self._rows.append(row)
        self._more.setEnabled(len(self._rows) < min(_MOST, len(self._offered)))
        row.take_focus()

    def _drop(self, row: EditRow) -> None:
        if len(self._rows) == 1:
            row.field.setCurrentIndex(0)
            return
        self._rows.remove(row)
        row.setParent(None)
        row.deleteLater()
        self._more.setEnabled(True)
        self._rows[-1].field.setFocus()

    def inputs(self) -> Sequence[QWidget]:
        return (self._holder, self._more)

    def begin(self) -> None:
        """Check what was chosen and start."""
        wishes: list[FieldEdit] = []
        for row in self._rows:
            row.show_error("")
        for row in self._rows:
            if not row.chosen:
                continue
            if any(wish.field == row.chosen for wish in wishes):
                row.show_error(tr("This field stands above already. Choose another one."))
                return
            try:
                wishes.append(row.wish())
            except UserError as error:
                row.show_error(str(error))
                return
        if not wishes:
            self._rows[0].show_error(tr("Choose a field to change."))
            return
        self.start(
            partial(edits.edit, self.bench.actor, self.targets, wishes), tr("Changing records")
        )

    def show_error(self, error: Exception) -> None:
        """Say a wrong value beside its field."""
        named = getattr(error, "field", None)
        for row in self._rows:
            if named and row.chosen == named:
                row.show_error(str(error))
                return
        super().show_error(error)
