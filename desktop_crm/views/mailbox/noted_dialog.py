"""What of the mailboxes could not be read, or not taken over as it is written, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QStackedWidget

from desktop_crm.core.i18n import tr
from desktop_crm.models.mail import ItemState
from desktop_crm.services.mail import noted_items
from desktop_crm.services.mail.noted_items import NotedItem
from desktop_crm.sync.folder_names import folder_name
from desktop_crm.views import theme
from desktop_crm.views.dialogs.dialog import Dialog
from desktop_crm.views.widgets.buttons import push_button
from desktop_crm.views.widgets.cards import EmptyState
from desktop_crm.views.widgets.fact_table import Fact, FactTable, Heading
from desktop_crm.views.widgets.labels import label

if TYPE_CHECKING:
    from desktop_crm.views.workbench import Workbench


class NotedDialog(Dialog):
    """The items, the latest first; Enter opens the record of the chosen one.

    Attributes:
        table: the items.
    """

    def __init__(self, bench: Workbench) -> None:
        super().__init__(
            bench.shell.window_widget(), "noted", tr("What could not be taken over"),
            subtitle=tr("Everything else was read. An item that changes is read anew."), width=820,
        )  # fmt: skip
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._bench = bench
        self.table = FactTable(
            "noted.table",
            tr("What could not be taken over"),
            (
                Heading(tr("Item"), 190),
                Heading(tr("Folder"), 220),
                Heading(tr("State"), 150),
                Heading(tr("Why")),
            ),
        )
        self.table.opened.connect(lambda _row: self._open())
        self.table.chosen.connect(self._update)
        empty = EmptyState(
            "checkmark_circle", tr("Nothing is missing"),
            tr("Everything your mailboxes told so far was taken over as it is."),
            name="noted.empty",
        )  # fmt: skip
        self._pages = QStackedWidget()
        self._pages.addWidget(empty)
        self._pages.addWidget(self.table)
        self._pages.setMinimumHeight(theme.scaled(280))
        self._detail = label("", "dim", wrap=True, name="noted.detail")
        self._record = push_button("noted.open", tr("Open it"), self._open, kind="primary")
        self.body.addWidget(self._pages, 1)
        self.body.addWidget(self._detail)
        self.set_foot(None, self.cancel_button(tr("Close")), self._record)
        self._show(())
        self._bench.tasks.read(
            noted_items.noted, bench.actor, done=self._show, failed=self.show_error, owner=self,
            lane="noted",
        )  # fmt: skip

    def _show(self, found: tuple[NotedItem, ...]) -> None:
        self.table.show_facts(
            [
                Fact(
                    (
                        one.title or tr("(no subject)"),
                        f"{one.mailbox}, {folder_name(one.folder)}",
                        tr(one.state.label),
                        one.reason,
                    ),
                    one,
                    pill=2,
                    tone="bad" if one.state is ItemState.QUARANTINED else "warn",
                )
                for one in found
            ]
        )
        self._pages.setCurrentIndex(1 if found else 0)
        if found:
            self.table.setFocus()
        self._update()

    def _current(self) -> NotedItem | None:
        found = self.table.selected()
        return found[0] if found and isinstance(found[0], NotedItem) else None

    def _update(self) -> None:
        one = self._current()
        when = self._bench.formats.datetime(one.at) if one is not None else ""
        self._detail.setText(f"{when} · {one.reason}" if one is not None else "")
        self._record.setEnabled(one is not None and bool(one.entity))

    def _open(self) -> None:
        one = self._current()
        if one is not None and one.entity:
            self._bench.shell.open_record(one.entity, one.record)
            self.accept()
