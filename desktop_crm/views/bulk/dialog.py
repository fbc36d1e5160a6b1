"""What every change of many records shows: how far it is, a way to stop, and what came of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt, QTimerEvent
from PySide6.QtGui import QGuiApplication, QStandardItem, QStandardItemModel
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QProgressBar, QTableView, QWidget

from desktop_crm.core.i18n import ntr, tr
from desktop_crm.meta import registry
from desktop_crm.views import theme
from desktop_crm.views.dialogs.dialog import Dialog
from desktop_crm.views.widgets.buttons import push_button

if TYPE_CHECKING:
    from desktop_crm.services.bulk.job import BulkReport, Failure, Targets
    from desktop_crm.services.changes import ChangeSet
    from desktop_crm.views.tasks import Task
    from desktop_crm.views.workbench import Workbench

_ROWS_SHOWN: Final = 6
_REASON_WIDTH: Final = 200


class FailureTable(QTableView):
    """Records that were left out, each with its reason."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setObjectName(name)
        self.setAccessibleName(tr("Records left as they are"))
        self._items = QStandardItemModel(0, 2, self)
        self._items.setHorizontalHeaderLabels([tr("Record"), tr("Why")])
        self.setModel(self._items)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setShowGrid(False)
        self.setProperty("boxed", True)
        self.setTabKeyNavigation(False)
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(theme.scaled(30))
        header = self.horizontalHeader()
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Interactive)
        header.setSectionResizeMode(1, QHeaderView.ResizeMode.Stretch)
        header.resizeSection(0, theme.scaled(_REASON_WIDTH))
        self.setMinimumHeight(theme.scaled(34 + 30 * _ROWS_SHOWN))

    def show_failures(self, failures: Sequence[Failure]) -> None:
        """Show other records."""
        self._items.removeRows(0, self._items.rowCount())
        for failure in failures:
            title = failure.title or tr("Record {number}", number=failure.record_id)
            cells = [QStandardItem(title), QStandardItem(failure.reason)]
            for cell in cells:
                cell.setToolTip(cell.text())
            self._items.appendRow(cells)


class BulkDialog(Dialog):
    """A dialog that starts a change of many records and then tells what came of it.

    Subclasses fill :attr:`body` and call :meth:`start`.

    Attributes:
        go: Starts the change.
    """

    def __init__(
        self, bench: Workbench, targets: Targets, count: int, name: str, title: str, action: str
    ) -> None:
        super().__init__(bench.shell.window_widget(), name, title, width=600)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.bench = bench
        self.targets = targets
        self.entity = registry.get(targets.entity)
        number = bench.formats.number(count, 0)
        listed = targets.query is not None
        shown = ntr(
            "{number} record of the list", "{number} records of the list", count, number=number
        ) if listed else ntr(
            "{number} selected record", "{number} selected records", count, number=number
        )  # fmt: skip
        if listed and not count:
            shown = tr("All records of the list")
        self.subtitle.setText(f"{tr(self.entity.plural)}: {shown}")
        self.subtitle.show()
        self._task: Task | None = None
        self._watch = 0
        self._report: BulkReport | None = None
        self._bar = QProgressBar()
        self._bar.setObjectName(f"{name}.progress")
        self._bar.setAccessibleName(tr("Progress"))
        self._bar.setTextVisible(False)
        self._bar.hide()
        self.failures = FailureTable(f"{name}.failures")
        self.failures.hide()
        self._copy = push_button(f"{name}.copy", tr("Copy the list"), self._copy_failures)
        self._copy.hide()
        self._undo = push_button(f"{name}.undo", tr("Undo"), self._take_back)
        self._undo.hide()
        self._cancel = push_button(f"{name}.cancel", tr("Cancel"), self._stop_or_close)
        self.go = push_button(f"{name}.go", action, self.begin, kind="primary")
        self.go.setDefault(True)

    def finish_building(self, *extra: QWidget) -> None:
        """Put progress, report and buttons below what a subclass added."""
        self.body.addWidget(self._bar)
        self.body.addWidget(self.failures, 1)
        self.set_foot(self._undo, self._copy, *extra, None, self._cancel, self.go)

    def begin(self) -> None:
        """Read what was asked for and start; for subclasses."""

    def inputs(self) -> Sequence[QWidget]:
        """Widgets that make room for the report; for subclasses."""
        return ()

    def start(self, function: Callable[..., BulkReport], label: str) -> None:
        """Run a change on the background thread; it is handed ``cancel`` and ``progress``."""
        self.notice.say("")
        self.go.setEnabled(False)
        for widget in self.inputs():
            widget.setEnabled(False)
        self._bar.setRange(0, 0)
        self._bar.show()
        self._cancel.setText(tr("Stop"))
        self._task = self.bench.tasks.background(
            function, done=self._done, failed=self._failed, owner=self,
            label=label, cancellable=True, progressing=True,
        )  # fmt: skip
        self._watch = self.startTimer(100)

    def timerEvent(self, event: QTimerEvent) -> None:
        if self._task is None:
            return
        done, total = self._task.progress
        if total:
            self._bar.setRange(0, total)
            self._bar.setValue(done)

    def _settle(self) -> None:
        self.killTimer(self._watch)
        self._task = None
        self._bar.hide()
        self._cancel.setText(tr("Close"))

    def _done(self, report: BulkReport) -> None:
        self._settle()
        self._report = report
        self.bench.bus.publish(report.changes)
        self.go.hide()
        for widget in self.inputs():
            widget.hide()
        good = not report.failures and not report.stopped
        self.notice.say(self.words(report), "info" if good else "warn")
        self._undo.setVisible(bool(report.changes))
        self._copy.setVisible(bool(report.failures))
        self.failures.setVisible(bool(report.failures))
        self.failures.show_failures(report.failures)
        if good:
            self.bench.shell.toast(self.words(report), undo=bool(report.changes))
            self.accept()
        else:
            self._cancel.setFocus()

    def words(self, report: BulkReport) -> str:
        """What came of it, in one or two sentences."""
        number = self.bench.formats.number
        parts = [self.said(report)]
        if report.failures:
            count = len(report.failures)
            parts.append(
                ntr(
                    "{number} record was left as it is; the reason stands below.",
                    "{number} records were left as they are; the reasons stand below.",
                    count,
                    number=number(count, 0),
                )
            )
        if report.stopped:
            parts.append(tr("You stopped it; what was done until then stands."))
        return " ".join(parts)

    def said(self, report: BulkReport) -> str:
        """What was done, in one sentence; subclasses with other deeds say it in other words."""
        count = len(report.changes.ids(self.targets.entity))
        return ntr(
            "{number} record was changed.",
            "{number} records were changed.",
            count,
            number=self.bench.formats.number(count, 0),
        )

    def _failed(self, error: Exception) -> None:
        self._settle()
        self._cancel.setText(tr("Cancel"))
        self.go.setEnabled(True)
        for widget in self.inputs():
            widget.setEnabled(True)
        self.show_error(error)

    def _copy_failures(self) -> None:
        if self._report is not None:
            lines = [f"{f.title}\t{f.reason}" for f in self._report.failures]
            QGuiApplication.clipboard().setText("\n".join(lines))

    def _take_back(self) -> None:
        from desktop_crm.services import undo

        if self._report is None:
            return
        self._undo.setEnabled(False)
        self.bench.tasks.write(
            undo.undo,
            self.bench.actor,
            self._report.operation,
            done=self._taken_back,
            failed=self.show_error,
            owner=self,
            label=tr("Undo"),
        )

    def _taken_back(self, changes: ChangeSet) -> None:
        from desktop_crm.services import undo

        self.bench.bus.publish(changes)
        if changes.left:
            self.notice.say(undo.describe(changes), "warn")
        else:
            self.notice.say(tr("Everything was put back."))

    def _stop_or_close(self) -> None:
        if self._task is not None:
            self._task.stop()
        else:
            self.reject()

    def reject(self) -> None:
        if self._task is not None:
            self._task.stop()
        else:
            super().reject()
