"""The history of a record: who changed what when, old and new; one value is put back alone."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QVBoxLayout, QWidget

from desktop_crm.core.errors import Conflict
from desktop_crm.core.i18n import N_, tr
from desktop_crm.models.office import AuditAction
from desktop_crm.services import history, undo
from desktop_crm.services.history import HistoryLine
from desktop_crm.views.charts.line_list import Line, LineList
from desktop_crm.views.dialogs.dialog import Dialog
from desktop_crm.views.forms.editor import QuietCombo
from desktop_crm.views.widgets.buttons import push_button
from desktop_crm.views.widgets.labels import label
from desktop_crm.views.widgets.layout import row

if TYPE_CHECKING:
    from desktop_crm.services.changes import ChangeSet
    from desktop_crm.services.records import RecordValues, Saved
    from desktop_crm.views.workbench import Workbench

_ICONS: Final = {
    AuditAction.CREATE: "add",
    AuditAction.UPDATE: "edit",
    AuditAction.DELETE: "delete",
    AuditAction.RESTORE: "arrow_reply",
}
SOURCES: Final = {
    "import": N_("import"),
    "sync": N_("mailbox"),
    "undo": N_("undo"),
    "redo": N_("redo"),
    "bulk": N_("many at once"),
    "tags": N_("renaming of a tag"),
    "restore": N_("from the history"),
    "print": N_("printing"),
    "attachment": N_("attaching a file"),
    "setup": N_("setting up"),
    "cli": N_("command line"),
}
"""Ways in other than a form, in words."""


def change_text(line: HistoryLine) -> str:
    """Old and new in one line."""
    if not line.field:
        return tr(line.action.label)
    if line.action is AuditAction.CREATE:
        return line.new
    return f"{line.old or '–'} → {line.new or '–'}"


class HistoryPage(QWidget):
    """The tab "History" of a record.

    Attributes:
        list: One entry for each field that changed, the latest first.
        field: Leaves one field.
    """

    def __init__(self, entity_key: str, bench: Workbench) -> None:
        super().__init__()
        name = f"history.{entity_key}"
        self.setObjectName(name)
        self.setAccessibleName(tr("History"))
        self._entity = entity_key
        self._bench = bench
        self._record: RecordValues | None = None
        self._found: list[HistoryLine] = []
        self.field = QuietCombo()
        self.field.setObjectName(f"{name}.field")
        self.field.setAccessibleName(tr("Show one field"))
        self.field.addItem(tr("All fields"), "")
        self.field.currentIndexChanged.connect(lambda _index: self._fill())
        self.list = LineList(f"{name}.list", tr("Changes"))
        self.list.opens_on_click = False
        self.list.shows_current = True
        self.list.selectionModel().currentChanged.connect(lambda _now, _old: self._update())
        self._whole = label("", "cap", wrap=True, name=f"{name}.whole")
        self._restore = push_button(
            f"{name}.restore", tr("Put this value back"), self.restore, drawing="arrow_reply"
        )
        self._undo = push_button(f"{name}.undo", tr("Undo whole step"), self.undo_step)
        self._undo.setToolTip(tr("Undoes everything that was changed together with this."))
        self._written = push_button(f"{name}.written", tr("In the mailbox…"), self.show_written)
        self._written.setToolTip(tr("What was written to your mailbox about this, and why."))
        self._written.setVisible(entity_key in ("activity", "contact"))
        self._nothing = label(tr("Nothing was changed yet."), "dim", name=f"{name}.empty")
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 10, 20, 12)
        column.setSpacing(6)
        column.addWidget(self.field)
        column.addWidget(self._nothing)
        column.addWidget(self.list, 1)
        column.addWidget(self._whole)
        column.addWidget(row(self._restore, self._undo, self._written, None, spacing=8))
        self._take([])

    def show_record(self, record: RecordValues) -> None:
        """Load and show the history of a record."""
        if self._record is None or record.id != self._record.id:
            self._take([])
        self._record = record
        if record.id is not None:
            self._bench.tasks.read(
                history.lines, self._bench.actor, self._entity, record.id,
                done=self._take, owner=self, lane="history", cancellable=True,
            )  # fmt: skip

    def show_written(self) -> None:
        """Show what was written to the mailbox about the record."""
        from desktop_crm.views.twoway.written_dialog import WrittenDialog

        record = self._record
        if record is not None and record.id is not None:
            WrittenDialog(self._bench, self._entity, record.id, record.title).open()

    def concerns(self, changes: ChangeSet) -> bool:
        """Whether a child row of the record may have changed."""
        return self._record is not None and bool(changes.ids(self._entity) & {self._record.id or 0})

    def _take(self, found: list[HistoryLine]) -> None:
        self._found = found
        chosen = self.field.currentData()
        labels = {line.field: line.label for line in found if line.field}
        self.field.blockSignals(True)
        self.field.clear()
        self.field.addItem(tr("All fields"), "")
        for name, text in sorted(labels.items(), key=lambda one: one[1].casefold()):
            self.field.addItem(text, name)
        self.field.setCurrentIndex(max(0, self.field.findData(chosen)))
        self.field.blockSignals(False)
        self._fill()

    def _fill(self) -> None:
        wanted = self.field.currentData()
        formats = self._bench.formats
        lines: list[Line] = []
        last = None
        for number, line in enumerate(self._found):
            if wanted and line.field != wanted:
                continue
            if line.entry != last:
                source = tr(SOURCES[line.source]) if line.source in SOURCES else ""
                parts = (formats.datetime(line.at), line.by or tr("Program"), source)
                lines.append(Line(None, title=" · ".join(part for part in parts if part)))
                last = line.entry
            lines.append(
                Line(
                    number,
                    title=line.label,
                    subtitle=change_text(line),
                    icon=_ICONS.get(line.action, "edit"),
                    data=line,
                )
            )
        self.list.show_lines(lines)
        self._nothing.setVisible(not lines)
        self.list.setVisible(bool(lines))
        self._update()

    def current(self) -> HistoryLine | None:
        """The change chosen in the list."""
        line = self.list.current_line()
        data = line.data if line is not None else None
        return data if isinstance(data, HistoryLine) else None

    def _update(self) -> None:
        line = self.current()
        may = self._record is not None and self._record.can_edit
        self._restore.setEnabled(line is not None and line.can_restore and may)
        self._undo.setEnabled(line is not None)
        long = "" if line is None or not line.field else change_text(line)
        self._whole.setText(long)
        self._whole.setVisible(len(long) > 40)

    def restore(self) -> None:
        """Put the old value of the chosen field back."""
        line, record = self.current(), self._record
        if line is None or record is None or record.id is None or not line.can_restore:
            return
        self._bench.tasks.write(
            history.restore_value, self._bench.actor, self._entity, record.id, line.entry,
            line.field, record.version,
            done=partial(self._restored, line.label), owner=self, failed=self._failed,
            label=tr("Saving"),
        )  # fmt: skip

    def _restored(self, text: str, saved: Saved) -> None:
        self._bench.bus.publish(saved.changes)
        if saved.changes:
            self._bench.shell.toast(tr("{field} was put back", field=text), undo=True)
        else:
            self._bench.shell.toast(tr("{field} has this value already", field=text))

    def _failed(self, error: Exception) -> None:
        self._bench.shell.show_error(error)
        if isinstance(error, Conflict) and self._record is not None:
            self.show_record(self._record)

    def undo_step(self) -> None:
        """Take back the whole operation of the chosen change."""
        line = self.current()
        if line is not None:
            self._bench.tasks.write(
                undo.undo, self._bench.actor, line.operation,
                done=self._undone, owner=self, failed=self._bench.shell.show_error,
                label=tr("Undo"),
            )  # fmt: skip

    def _undone(self, changes: ChangeSet) -> None:
        self._bench.bus.publish(changes)
        self._bench.shell.toast(tr("The change was undone"), undo.describe(changes), undo=True)


class HistoryDialog(Dialog):
    """The history of one record in a window of its own."""

    def __init__(self, bench: Workbench, record: RecordValues) -> None:
        super().__init__(
            bench.shell.window_widget(), "historyDialog", tr("History"), subtitle=record.title,
            width=680,
        )  # fmt: skip
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._bench = bench
        self._record = record
        self.page = HistoryPage(record.entity, bench)
        self.page.setMinimumHeight(420)
        layout = self.page.layout()
        if layout is not None:
            layout.setContentsMargins(0, 0, 0, 0)
        self.body.addWidget(self.page, 1)
        self.set_foot(None, self.cancel_button(tr("Close")))
        bench.bus.changed.connect(self._changed)
        self.page.show_record(record)

    def _changed(self, changes: ChangeSet) -> None:
        if self._record.id in changes.ids(self._record.entity) and self._record.id is not None:
            from desktop_crm.services import records

            self._bench.tasks.read(
                records.get, self._bench.actor, self._record.entity, self._record.id,
                done=self._take, owner=self, lane="record",
            )  # fmt: skip

    def _take(self, record: RecordValues) -> None:
        self._record = record
        self.page.show_record(record)
