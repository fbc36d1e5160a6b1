"""Import in four steps: file, columns, check, result. Nothing is written before the last click."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import (
    QFileDialog,
    QLineEdit,
    QProgressBar,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from desktop_crm.core.errors import Cancelled
from desktop_crm.core.i18n import ntr, tr
from desktop_crm.meta import registry
from desktop_crm.services import undo
from desktop_crm.services.imports.applying import ImportResult, apply
from desktop_crm.services.imports.draft import Outcome
from desktop_crm.services.imports.options import ImportOptions
from desktop_crm.services.imports.report import write_report
from desktop_crm.services.imports.service import ImportPlan, plan_file
from desktop_crm.views import theme
from desktop_crm.views.dialogs.dialog import Dialog, Labelled
from desktop_crm.views.dialogs.import_check import CheckPage
from desktop_crm.views.dialogs.import_columns import ColumnsPage
from desktop_crm.views.forms.editor import QuietCombo
from desktop_crm.views.widgets.buttons import push_button
from desktop_crm.views.widgets.cards import EmptyState
from desktop_crm.views.widgets.labels import label
from desktop_crm.views.widgets.layout import row

if TYPE_CHECKING:
    from desktop_crm.services.changes import ChangeSet
    from desktop_crm.views.tasks import Task
    from desktop_crm.views.workbench import Workbench

FILE, COLUMNS, CHECK, WORK, RESULT = range(5)
ENDINGS = (".csv", ".tsv", ".txt", ".xlsx", ".vcf")


class ImportWizard(Dialog):
    """Brings rows of a .csv, .xlsx or .vcf file into the records of one entity."""

    def __init__(self, parent: QWidget | None, bench: Workbench, entity_key: str = "") -> None:
        super().__init__(parent, "importWizard", tr("Import"), width=840)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setAcceptDrops(True)
        self._bench = bench
        self._plan: ImportPlan | None = None
        self._result: ImportResult | None = None
        self._task: Task | None = None
        self._step = FILE
        self.entity = QuietCombo()
        self.entity.setObjectName("import.entity")
        self.entity.setAccessibleName(tr("What the rows are"))
        for found in registry.all():
            if found.is_record and not found.parent and found.form:
                can = bench.actor.can(found, "create") or bench.actor.can(found, "edit")
                if can and found.key != "own_company":
                    self.entity.addItem(tr(found.plural), found.key)
        self.entity.setCurrentIndex(max(0, self.entity.findData(entity_key)))
        self.path = QLineEdit()
        self.path.setObjectName("import.path")
        self.path.setAccessibleName(tr("File"))
        self.path.setPlaceholderText(tr("A .csv, .xlsx or .vcf file; drop it here"))
        self.path.textChanged.connect(lambda _text: self._update())
        self.columns = ColumnsPage()
        self.check = CheckPage()
        self.check.settled.connect(self._plan_again)
        self._done = EmptyState("checkmark_circle", "", "", name="importDone")
        self._bar = QProgressBar()
        self._bar.setObjectName("import.progress")
        self._bar.setAccessibleName(tr("Progress"))
        self._bar.setTextVisible(False)
        self._work_text = label("", "dim")
        self.pages = QStackedWidget()
        for page in (self._file_page(), self.columns, self.check, self._work_page(), self._done):
            self.pages.addWidget(page)
        self.pages.setMinimumHeight(theme.scaled(380))
        self.body.addWidget(self.pages, 1)
        self._build_foot()
        self._go(FILE)

    # --- building ------------------------------------------------------------------------

    def _file_page(self) -> QWidget:
        page = QWidget()
        browse = push_button("import.browse", tr("Browse…"), self._browse)
        choose = row(self.path, browse, spacing=8)
        column = QVBoxLayout(page)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(16)
        column.addWidget(Labelled(tr("What the rows are"), self.entity))
        column.addWidget(
            Labelled(
                tr("File"),
                choose,
                help_text=tr(
                    "Separators, encoding and the order of dates are found out from the file. "
                    "A workbook that was exported here brings back what was changed in it."
                ),
            )
        )
        column.addStretch(1)
        return page

    def _work_page(self) -> QWidget:
        page = QWidget()
        column = QVBoxLayout(page)
        column.addStretch(1)
        column.addWidget(self._work_text, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addWidget(self._bar)
        column.addStretch(1)
        return page

    def _build_foot(self) -> None:
        self._undo = push_button("import.undo", tr("Undo this import"), self._take_back)
        self._report = push_button("import.report", tr("Save report…"), self._save_report)
        self._cancel = push_button("import.cancel", tr("Cancel"), self._stop_or_close)
        self._back = push_button("import.back", tr("Back"), self._go_back)
        self._next = push_button("import.next", tr("Next"), self._forward, kind="primary")
        self._next.setDefault(True)
        self.set_foot(self._undo, self._report, None, self._cancel, self._back, self._next)

    # --- steps ---------------------------------------------------------------------------

    def _go(self, step: int) -> None:
        self._step = step
        self.pages.setCurrentIndex(step)
        subtitles = {
            FILE: tr("Step 1 of 3: the file"),
            COLUMNS: tr("Step 2 of 3: which column is which field"),
            CHECK: tr("Step 3 of 3: check; nothing is written yet"),
            WORK: "",
            RESULT: "",
        }
        self.subtitle.setText(subtitles[step])
        self.subtitle.setVisible(bool(subtitles[step]))
        self._update()
        focus = {FILE: self.path, COLUMNS: self._next, CHECK: self._next, RESULT: self._next}
        if step in focus:
            focus[step].setFocus()

    def _update(self) -> None:
        step, busy = self._step, self._task is not None
        self._back.setVisible(step in {COLUMNS, CHECK})
        self._back.setEnabled(not busy)
        self._cancel.setVisible(step != RESULT)
        self._cancel.setText(tr("Stop") if step == WORK else tr("Cancel"))
        self._next.setVisible(step != WORK)
        texts = {FILE: tr("Next"), COLUMNS: tr("Next"), CHECK: tr("Import"), RESULT: tr("Close")}
        reading = busy and step in {FILE, COLUMNS, CHECK}
        self._next.setText(tr("Reading the file…") if reading else texts.get(step, ""))
        self._next.setAccessibleName(self._next.text())
        ready = bool(self.path.text().strip()) if step == FILE else True
        if step == CHECK:
            ready = self._would_write()
        self._next.setEnabled(ready and not busy)
        written = self._result is not None and self._result.batch is not None
        self._undo.setVisible(step == RESULT and written)
        has_rejected = self._plan is not None and bool(self._plan.rejected)
        self._report.setVisible(step == RESULT or (step == CHECK and has_rejected))

    def _would_write(self) -> bool:
        if self._plan is None:
            return False
        has_conflicts = any(one.conflicts for one in self._plan.rows)
        return self._plan.changes_anything or has_conflicts

    def _forward(self) -> None:
        if self._step == FILE:
            self.check.forget()
            self._ask_plan(ImportOptions(), COLUMNS)
        elif self._step == COLUMNS:
            self._ask_plan(self._options(), CHECK)
        elif self._step == CHECK:
            self._import()
        else:
            self.accept()

    def _go_back(self) -> None:
        self.notice.say("")
        self._go(FILE if self._step == COLUMNS else COLUMNS)

    def _options(self) -> ImportOptions:
        return ImportOptions(
            mapping=self.columns.mapping(),
            values=dict(self.check.values),
            match=self.columns.match_field(),
            create_missing=frozenset(self.check.create_missing),
        )

    def _plan_again(self) -> None:
        self._ask_plan(self._options(), CHECK)

    def _ask_plan(self, options: ImportOptions, step: int) -> None:
        self.notice.say("")
        path = Path(self.path.text().strip().strip('"')).expanduser()
        self._task = self._bench.tasks.read(
            partial(plan_file, self._bench.actor, str(self.entity.currentData()), path, options),
            done=partial(self._take_plan, step), failed=self._no_plan, owner=self,
            lane="plan", label=tr("Reading the file"),
        )  # fmt: skip
        self._update()

    def _take_plan(self, step: int, plan: ImportPlan) -> None:
        self._task = None
        self._plan = plan
        if step == COLUMNS:
            self.columns.show_plan(plan)
        else:
            self.check.show_plan(plan)
            if not self._would_write():
                self.notice.say(tr("Importing this file would change nothing."))
        self._go(step)

    def _no_plan(self, error: Exception) -> None:
        self._task = None
        self._update()
        self.show_error(error)

    # --- writing -------------------------------------------------------------------------

    def _import(self) -> None:
        if self._plan is None:
            return
        self.check.settle_conflicts(self._plan)
        total = sum(1 for one in self._plan.rows if one.outcome in {Outcome.CREATE, Outcome.UPDATE})
        self._work_text.setText(ntr("Importing {n} row…", "Importing {n} rows…", total))
        self._bar.setRange(0, total)
        self._bar.setValue(0)
        self._task = self._bench.tasks.background(
            partial(apply, self._bench.actor, self._plan),
            done=self._imported, failed=self._not_imported, owner=self,
            label=tr("Importing"), cancellable=True, progressing=True,
        )  # fmt: skip
        self._timer = self.startTimer(150)
        self._go(WORK)

    def timerEvent(self, event: object) -> None:
        if self._task is not None:
            done, total = self._task.progress
            if total:
                self._bar.setMaximum(total)
                self._bar.setValue(done)

    def _imported(self, result: ImportResult) -> None:
        self._end_work()
        self._result = result
        self._bench.bus.publish(result.changes)
        rejected = len(result.rejected)
        lines = [
            ntr("{n} new", "{n} new", result.created),
            ntr("{n} changed", "{n} changed", result.updated),
            ntr("{n} unchanged", "{n} unchanged", result.same),
        ]
        if rejected:
            lines.append(ntr("{n} rejected", "{n} rejected", rejected))
        title = tr("The import was stopped") if result.was_cancelled else tr("Imported")
        text = " · ".join(lines)
        for entity, count in result.also_created.items():
            found = registry.get(entity)
            name = tr(found.label if count == 1 else found.plural)
            text += "\n" + tr("Also created: {n} {records}", n=count, records=name)
        if result.was_cancelled:
            text += "\n" + tr("What was written before stays and can be undone.")
        self._done.say(title, text, drawing="flag" if rejected else "checkmark_circle")
        self._go(RESULT)

    def _not_imported(self, error: Exception) -> None:
        self._end_work()
        self._go(CHECK)
        if not isinstance(error, Cancelled):
            self.show_error(error)

    def _end_work(self) -> None:
        self.killTimer(self._timer)
        self._task = None

    def _take_back(self) -> None:
        if self._result is None or self._result.batch is None:
            return
        self._undo.setEnabled(False)
        self._bench.tasks.write(
            undo.undo_batch, self._bench.actor, self._result.batch,
            done=self._taken_back, failed=self.show_error, owner=self, label=tr("Undo"),
        )  # fmt: skip

    def _taken_back(self, changes: ChangeSet) -> None:
        self._bench.bus.publish(changes)
        self._undo.hide()
        self._done.say(
            tr("The import was undone"),
            tr("The records are as they were before."),
            drawing="arrow_reply",
        )

    def _save_report(self) -> None:
        if self._plan is None:
            return
        wanted = Path(self.path.text()).with_suffix("").name + "-report.xlsx"
        name, _kind = QFileDialog.getSaveFileName(
            self, tr("Save report"), str(Path.home() / wanted), tr("Workbooks (*.xlsx)")
        )
        if not name:
            return
        path = Path(name).with_suffix(".xlsx")
        self._bench.tasks.background(
            partial(write_report, self._plan, path),
            done=lambda _none: self.notice.say(tr("The report was saved: {path}", path=path)),
            failed=self.show_error, owner=self, label=tr("Writing the report"),
        )  # fmt: skip

    # --- file ----------------------------------------------------------------------------

    def _browse(self) -> None:
        name, _kind = QFileDialog.getOpenFileName(
            self,
            tr("Choose a file"),
            self.path.text() or str(Path.home()),
            tr("Files with records (*.csv *.tsv *.txt *.xlsx *.vcf);;All files (*)"),
        )
        if name:
            self.path.setText(name)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if self._step == FILE and _dropped(event):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        path = _dropped(event)
        if path:
            self.path.setText(path)

    # --- closing -------------------------------------------------------------------------

    def _stop_or_close(self) -> None:
        if self._step == WORK and self._task is not None:
            self._task.cancel()
            self._work_text.setText(tr("Stopping after the rows under way…"))
        else:
            self.reject()

    def reject(self) -> None:
        if self._step != WORK:
            super().reject()

    def closeEvent(self, event: QCloseEvent) -> None:
        if self._step == WORK:
            event.ignore()
        else:
            super().closeEvent(event)


def _dropped(event: QDropEvent) -> str:
    urls = event.mimeData().urls()
    path = urls[0].toLocalFile() if len(urls) == 1 else ""
    return path if path.lower().endswith(ENDINGS) else ""


def open_import(bench: Workbench, entity_key: str = "") -> ImportWizard:
    """Open the wizard above the window."""
    dialog = ImportWizard(bench.shell.window_widget(), bench, entity_key)
    dialog.open()
    return dialog
