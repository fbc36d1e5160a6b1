"""What was written to the mailbox about a record; each change can be put back as it was."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QStackedWidget

from desktop_crm.core.i18n import tr
from desktop_crm.models.outbox import OutboxState
from desktop_crm.services.mail.outbox import OutboxRow
from desktop_crm.sync import scheduler
from desktop_crm.sync.outbox import restore
from desktop_crm.sync.twoway import written_history
from desktop_crm.views import theme
from desktop_crm.views.dialogs.dialog import Dialog
from desktop_crm.views.widgets.buttons import push_button
from desktop_crm.views.widgets.cards import EmptyState
from desktop_crm.views.widgets.fact_table import Fact, FactTable, Heading
from desktop_crm.views.widgets.labels import label

if TYPE_CHECKING:
    from desktop_crm.db.engine import Cancel
    from desktop_crm.services.context import Actor
    from desktop_crm.sync.results import SyncResult
    from desktop_crm.views.workbench import Workbench

_TONES: Final = {
    OutboxState.DONE: "ok",
    OutboxState.FAILED: "bad",
    OutboxState.STALE: "warn",
    OutboxState.HELD: "warn",
    OutboxState.WAITING: "info",
    OutboxState.RUNNING: "info",
    OutboxState.CANCELLED: "neutral",
}


def put_back(actor: Actor, row: OutboxRow, cancel: Cancel) -> SyncResult:
    """Order what takes a change back, and do it at once."""
    restore(actor, row.id)
    return scheduler.send_due(actor, row.mailbox_id, cancel=cancel)


class WrittenDialog(Dialog):
    """Changes of the mailbox, the latest first; Enter puts the chosen one back.

    Attributes:
        table: the changes.
    """

    def __init__(self, bench: Workbench, entity: str, record: int, title: str) -> None:
        super().__init__(
            bench.shell.window_widget(),
            "written",
            tr("Written to the mailbox"),
            subtitle=title,
            width=860,
        )
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._bench, self._entity, self._record = bench, entity, record
        self.table = FactTable(
            "written.table",
            tr("Changes"),
            (
                Heading(tr("What"), 170),
                Heading(tr("When"), 150),
                Heading(tr("State"), 190),
                Heading(tr("Why")),
            ),
        )
        self.table.opened.connect(lambda _row: self.restore())
        self.table.chosen.connect(self._update)
        empty = EmptyState(
            "mail", tr("Nothing was written"),
            tr("What this program changes in your mailbox stands here, with its reason."),
            name="written.empty",
        )  # fmt: skip
        self._pages = QStackedWidget()
        self._pages.addWidget(empty)
        self._pages.addWidget(self.table)
        self._pages.setMinimumHeight(theme.scaled(280))
        self._detail = label("", "dim", wrap=True, name="written.detail")
        self._back = push_button(
            "written.restore", tr("Put back as it was"), self.restore, kind="primary"
        )
        self.body.addWidget(self._pages, 1)
        self.body.addWidget(self._detail)
        self.set_foot(None, self.cancel_button(tr("Close")), self._back)
        self._show([])
        self.load()

    def load(self) -> None:
        """Read the changes again."""
        self._bench.tasks.read(
            written_history.of_record, self._bench.actor, self._entity, self._record,
            done=self._show, failed=self.show_error, owner=self, lane="written",
        )  # fmt: skip

    def _show(self, found: list[OutboxRow]) -> None:
        formats = self._bench.formats
        self.table.show_facts(
            [
                Fact(
                    (
                        tr(row.deed.label),
                        formats.datetime(row.done_at or row.ordered_at),
                        tr(row.state.label),
                        row.message or row.why,
                    ),
                    row,
                    pill=2,
                    tone=_TONES[row.state],
                )
                for row in found
            ]
        )
        self._pages.setCurrentIndex(1 if found else 0)
        if found:
            self.table.setFocus()
        self._update()

    def _current(self) -> OutboxRow | None:
        found = self.table.selected()
        return found[0] if found and isinstance(found[0], OutboxRow) else None

    def _update(self) -> None:
        row = self._current()
        words = [] if row is None else [row.title, row.why, row.message]
        self._detail.setText(" · ".join(word for word in words if word))
        self._back.setEnabled(row is not None and written_history.restorable(row))

    def restore(self) -> None:
        """Put the item back as it stood before the chosen change."""
        row = self._current()
        if row is None or not written_history.restorable(row):
            return
        self._back.setEnabled(False)
        self._bench.tasks.background(
            partial(put_back, self._bench.actor, row),
            done=self._done, failed=self.show_error, owner=self,
            label=tr("Synchronising"), cancellable=True,
        )  # fmt: skip

    def _done(self, result: SyncResult) -> None:
        self._bench.bus.publish(result.changes)
        if result.problem is not None:
            self.show_error(result.problem)
        else:
            self.notice.say(tr("The mailbox has it again as it was before this change."))
        self.load()
