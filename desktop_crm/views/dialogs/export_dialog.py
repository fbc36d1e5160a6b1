"""Export records to a workbook that can come back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QFileDialog, QLineEdit, QProgressBar, QRadioButton, QWidget

from desktop_crm.core.errors import Cancelled
from desktop_crm.core.i18n import ntr, tr
from desktop_crm.meta import registry
from desktop_crm.services.excel.writing import ExportResult, export, exportable
from desktop_crm.services.filters import Rule
from desktop_crm.services.query import RecordQuery
from desktop_crm.views.dialogs.dialog import Dialog, Labelled
from desktop_crm.views.widgets.buttons import push_button
from desktop_crm.views.widgets.layout import column, row

if TYPE_CHECKING:
    from desktop_crm.views.tasks import Task
    from desktop_crm.views.workbench import Workbench


class ExportDialog(Dialog):
    """What to export, which columns, and where to; the workbook can be imported again."""

    def __init__(
        self,
        parent: QWidget | None,
        bench: Workbench,
        shown: RecordQuery,
        selected: Sequence[int] = (),
    ) -> None:
        entity = registry.get(shown.entity)
        title = tr("Export {records}", records=tr(entity.plural).lower())
        super().__init__(
            parent, "exportDialog", title, width=560,
            subtitle=tr("The workbook can be changed and imported again; only changes count."),
        )  # fmt: skip
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._bench = bench
        self._shown = shown
        self._selected = tuple(selected)
        self._task: Task | None = None
        self._path: Path | None = None
        self.what_selected = _radio(
            "export.selected",
            ntr("The {n} selected record", "The {n} selected records", len(self._selected)),
        )
        self.what_view = _radio("export.view", tr("All records of this view"))
        self.what_all = _radio("export.all", tr("All records"))
        self.columns_shown = _radio("export.columnsShown", tr("The columns of the list"))
        self.columns_all = _radio("export.columnsAll", tr("Every column"))
        self.what_selected.setVisible(len(self._selected) > 1)
        (self.what_selected if len(self._selected) > 1 else self.what_view).setChecked(True)
        self.columns_all.setChecked(True)
        self.path = QLineEdit(str(Path.home() / f"{tr(entity.plural)}.xlsx"))
        self.path.setObjectName("export.path")
        self.path.setAccessibleName(tr("File"))
        browse = push_button("export.browse", tr("Browse…"), self._browse)
        self._bar = QProgressBar()
        self._bar.setObjectName("export.progress")
        self._bar.setAccessibleName(tr("Progress"))
        self._bar.setTextVisible(False)
        self._bar.hide()
        records = _group(self.what_selected, self.what_view, self.what_all)
        fields = _group(self.columns_all, self.columns_shown)
        self.body.addWidget(Labelled(tr("Records"), records))
        self.body.addWidget(Labelled(tr("Columns"), fields))
        self._where = Labelled(tr("File"), row(self.path, browse, spacing=8), required=True)
        self.body.addWidget(self._where)
        self.body.addWidget(self._bar)
        self._show = push_button("export.show", tr("Open the workbook"), self._open_file)
        self._show.hide()
        self._cancel = push_button("export.cancel", tr("Cancel"), self._stop_or_close)
        self._save = push_button("export.save", tr("Export"), self._export, kind="primary")
        self._save.setDefault(True)
        self.set_foot(self._show, None, self._cancel, self._save)
        self.path.setFocus()

    def _query(self) -> RecordQuery:
        columns = (
            self._shown.columns
            if self.columns_shown.isChecked()
            else exportable(self._bench.actor, self._shown.entity)
        )
        if self.what_selected.isChecked():
            chosen = Rule("id", "in", self._selected)
            return replace(self._shown, columns=columns, filter=chosen, search="")
        if self.what_all.isChecked():
            return RecordQuery(self._shown.entity, columns)
        return replace(self._shown, columns=columns)

    def _browse(self) -> None:
        name, _kind = QFileDialog.getSaveFileName(
            self, tr("Export"), self.path.text(), tr("Workbooks (*.xlsx)")
        )
        if name:
            self.path.setText(name)

    def _export(self) -> None:
        text = self.path.text().strip()
        if not text:
            self._where.show_error(tr("Say where the workbook shall be."))
            return
        self._where.show_error("")
        self.notice.say("")
        self._path = Path(text).expanduser().with_suffix(".xlsx")
        self._save.setEnabled(False)
        self._show.hide()
        self._bar.setRange(0, 0)
        self._bar.show()
        self._cancel.setText(tr("Stop"))
        self._task = self._bench.tasks.background(
            partial(export, self._bench.actor, self._query(), self._path),
            done=self._exported, failed=self._failed, owner=self,
            label=tr("Exporting"), cancellable=True, progressing=True,
        )  # fmt: skip

    def _settle(self) -> None:
        self._task = None
        self._bar.hide()
        self._save.setEnabled(True)
        self._cancel.setText(tr("Close"))

    def _exported(self, result: ExportResult) -> None:
        self._settle()
        text = ntr(
            "{n} record was written to {path}.",
            "{n} records were written to {path}.",
            result.rows,
            path=result.path,
        )
        self.notice.say(text)
        self._show.show()
        self._show.setFocus()

    def _failed(self, error: Exception) -> None:
        self._settle()
        if isinstance(error, Cancelled):
            self.notice.say(tr("Stopped; nothing was written."), "warn")
        else:
            self.show_error(error)

    def _open_file(self) -> None:
        if self._path is not None:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._path)))

    def _stop_or_close(self) -> None:
        if self._task is not None:
            self._task.cancel()
        else:
            self.reject()

    def reject(self) -> None:
        if self._task is not None:
            self._task.cancel()
        super().reject()


def _radio(name: str, text: str) -> QRadioButton:
    made = QRadioButton(text)
    made.setObjectName(name)
    made.setAccessibleName(text)
    return made


def _group(*buttons: QRadioButton) -> QWidget:

    return column(*buttons, spacing=2)


def open_export(bench: Workbench, shown: RecordQuery, selected: Sequence[int] = ()) -> ExportDialog:
    """Open the dialog above the window."""
    dialog = ExportDialog(bench.shell.window_widget(), bench, shown, selected)
    dialog.open()
    return dialog
