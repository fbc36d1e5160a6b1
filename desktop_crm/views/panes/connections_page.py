"""Connections of a record, grouped by what the others are to it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from desktop_crm.core.i18n import tr
from desktop_crm.services import connections, records
from desktop_crm.services.connections import Connected
from desktop_crm.views import icons
from desktop_crm.views.charts.line_list import Line, LineList
from desktop_crm.views.dialogs.connection_dialog import ConnectionDialog
from desktop_crm.views.widgets.buttons import push_button, tool_button
from desktop_crm.views.widgets.cards import EmptyState
from desktop_crm.views.widgets.layout import row

if TYPE_CHECKING:
    from desktop_crm.core.formats import Formats
    from desktop_crm.services.changes import ChangeSet
    from desktop_crm.services.records import RecordValues
    from desktop_crm.views.workbench import Workbench


def days_text(connected: Connected, formats: Formats) -> str:
    """From when to when, in words; empty when it is always."""
    first, last = connected.valid_from, connected.valid_to
    if first is not None and last is not None:
        return f"{formats.date(first)} – {formats.date(last)}"
    if first is not None:
        return tr("since {day}", day=formats.date(first))
    return tr("until {day}", day=formats.date(last)) if last is not None else ""


class ConnectionsPage(QWidget):
    """The tab "Connections" of a record: Enter opens the other record, F2 changes the connection.

    Attributes:
        list: Connections below the heading of their role.
    """

    def __init__(self, entity_key: str, bench: Workbench) -> None:
        super().__init__()
        name = f"connections.{entity_key}"
        self.setObjectName(name)
        self.setAccessibleName(tr("Connections"))
        self._entity = entity_key
        self._bench = bench
        self._record: RecordValues | None = None
        self._add = push_button(f"{name}.add", tr("Add connection…"), self.add, drawing="add")
        self._open = tool_button(
            f"{name}.open", tr("Open the record (Enter)"), "chevron_right", self.open
        )
        self._edit = tool_button(f"{name}.edit", tr("Change… (F2)"), "edit", self.edit)
        self._delete = tool_button(f"{name}.delete", tr("Delete (Del)"), "delete", self.delete)
        self.list = LineList(f"{name}.list", tr("Connections"))
        self.list.opens_on_click = False
        self.list.shows_current = True
        self.list.opened.connect(lambda _line: self.open())
        self.list.selectionModel().currentChanged.connect(lambda _now, _old: self._update())
        self.empty = EmptyState(
            "link",
            tr("No connections yet"),
            tr("Say who else matters here: a decision maker, a partner, who referred them."),
            tr("Add connection…"),
            self.add,
            name=f"{name}.empty",
        )
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 10, 20, 12)
        column.setSpacing(6)
        column.addWidget(row(self._add, None, self._open, self._edit, self._delete, spacing=2))
        column.addWidget(self.empty, 1)
        column.addWidget(self.list, 1)
        self._show([])

    def show_record(self, record: RecordValues) -> None:
        """Load and show the connections of a record."""
        if self._record is None or record.id != self._record.id:
            self._show([])
        self._record = record
        self._bench.tasks.read(
            connections.of_record, self._bench.actor, self._entity, record.id,
            done=self._show, owner=self, lane="connections", cancellable=True,
        )  # fmt: skip

    def concerns(self, changes: ChangeSet) -> bool:
        """Whether connections changed, or a record at the other end."""
        others = {self._data(line).entity for line in self.list.lines if line.id is not None}
        return changes.touches("connection", "connection_role", *others)

    @staticmethod
    def _data(line: Line) -> Connected:
        assert isinstance(line.data, Connected)  # noqa: S101  put there by this page
        return line.data

    def _show(self, found: list[Connected]) -> None:
        lines: list[Line] = []
        last = ""
        for one in found:
            if one.role != last:
                lines.append(Line(None, title=one.role))
                last = one.role
            lines.append(
                Line(
                    one.id,
                    entity=one.entity,
                    title=one.title or "–",
                    subtitle=" ".join(one.note.split()),
                    right=days_text(one, self._bench.formats),
                    icon=icons.entity_icon(one.entity),
                    data=one,
                )
            )
        self.list.show_lines(lines)
        self.list.setVisible(bool(lines))
        self.empty.setVisible(not lines)
        self._update()

    def current(self) -> Connected | None:
        """The connection chosen in the list."""
        line = self.list.current_line()
        return self._data(line) if line is not None and line.id is not None else None

    def _update(self) -> None:
        one = self.current()
        self._open.setEnabled(one is not None)
        for button in (self._edit, self._delete):
            button.setEnabled(one is not None and one.can_edit)
        self._add.setEnabled(
            self._record is not None and self._bench.actor.can("connection", "create")
        )

    def keyPressEvent(self, event: QKeyEvent) -> None:
        keys = {
            Qt.Key.Key_F2: self.edit,
            Qt.Key.Key_Delete: self.delete,
            Qt.Key.Key_Insert: self.add,
        }
        if event.key() in keys:
            keys[Qt.Key(event.key())]()
        else:
            super().keyPressEvent(event)

    def add(self) -> None:
        """Ask for another record and its role."""
        if self._record is not None and self._record.id is not None:
            here = (self._entity, self._record.id)
            ConnectionDialog(self._bench, here, self._record.title).open()

    def edit(self) -> None:
        """Ask for another role, other days or another note."""
        one = self.current()
        if one is not None and one.can_edit and self._record is not None and self._record.id:
            here = (self._entity, self._record.id)
            ConnectionDialog(self._bench, here, self._record.title, one).open()

    def open(self) -> None:
        """Open the record at the other end."""
        one = self.current()
        if one is not None:
            self._bench.shell.open_record(one.entity, one.record_id)

    def delete(self) -> None:
        """Put the connection into the bin; both records stay."""
        one = self.current()
        if one is not None and one.can_edit:
            self._bench.tasks.write(
                records.delete, self._bench.actor, "connection", [one.id],
                done=partial(self._deleted, one.title), owner=self,
                failed=self._bench.shell.show_error,
            )  # fmt: skip

    def _deleted(self, title: str, changes: ChangeSet) -> None:
        self._bench.bus.publish(changes)
        self._bench.shell.toast(tr("No longer connected with {title}", title=title), undo=True)
