"""The form inside the record pane, with its own save line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QVBoxLayout, QWidget

from desktop_crm.core.i18n import tr
from desktop_crm.views.forms.draft_keeper import DraftBar
from desktop_crm.views.forms.editing import RecordEditing
from desktop_crm.views.forms.record_form import RecordForm
from desktop_crm.views.widgets.buttons import push_button
from desktop_crm.views.widgets.cards import Notice
from desktop_crm.views.widgets.layout import column, frame, row

if TYPE_CHECKING:
    from desktop_crm.services.records import RecordValues
    from desktop_crm.views.workbench import Workbench


class DetailsPage(QWidget):
    """One column of fields; the line with "Save" shows while something is changed.

    The form is built when it is first needed.
    """

    def __init__(self, entity_key: str, bench: Workbench) -> None:
        super().__init__()
        self._key = entity_key
        self._bench = bench
        self.form: RecordForm | None = None
        self.editing: RecordEditing | None = None
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(0)

    def _build(self) -> RecordEditing:
        notice = Notice()
        self.form = RecordForm(self._key, self._bench, columns=1)
        self.form.setObjectName(f"details.{self._key}")
        editing = RecordEditing(self.form, notice, self._bench)
        discard = push_button(f"details.{self._key}.discard", tr("Discard"), self._discard)
        save = push_button(f"details.{self._key}.save", tr("Save"), self.save, kind="primary")
        self._foot = frame(
            "dialogfoot", row(None, discard, save, spacing=8, margins=(20, 8, 20, 8))
        )
        self._foot.hide()
        self.form.dirty_changed.connect(self._foot.setVisible)
        editing.busy_changed.connect(lambda busy: save.setEnabled(not busy))
        drafts = DraftBar(editing, self._bench)
        self._column.addWidget(column(drafts, notice, margins=(20, 6, 20, 0)))
        self._column.addWidget(self.form, 1)
        self._column.addWidget(self._foot)
        shortcut = QShortcut(QKeySequence("Ctrl+S"), self)
        shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        shortcut.activated.connect(self.save)
        return editing

    def show_record(self, record: RecordValues) -> None:
        """Show a record; unsaved changes of the same record are left as they are."""
        if self.editing is None:
            self.editing = self._build()
        dirty = self.form is not None and self.form.is_dirty
        if not (dirty and self.editing.record_id == record.id):
            self.editing.show(record)

    def save(self) -> None:
        """Save what was changed."""
        if self.editing is not None and self.form is not None and self.form.is_dirty:
            self.editing.save(self._saved)

    def _saved(self, record_id: int) -> None:
        self._bench.shell.toast(tr("Saved"), undo=True)

    def _discard(self) -> None:
        if self.editing is not None and self.editing.record is not None:
            self.editing.show(self.editing.record)

    def may_leave(self) -> bool:
        """Whether nothing would be lost; asks when something would."""
        return self.editing is None or self.editing.may_leave()
