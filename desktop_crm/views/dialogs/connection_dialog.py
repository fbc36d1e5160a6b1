"""Connects two records: which one, what it is to the first, from when to when, and a note."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPlainTextEdit, QVBoxLayout, QWidget

from desktop_crm.core.errors import UserError
from desktop_crm.core.i18n import N_, tr
from desktop_crm.meta import registry
from desktop_crm.meta.field import Menu
from desktop_crm.services import connections
from desktop_crm.views import theme
from desktop_crm.views.dialogs.dialog import Dialog, Labelled
from desktop_crm.views.forms.editor import DateEditor, QuietCombo
from desktop_crm.views.forms.link_editor import LinkEditor
from desktop_crm.views.icons import entity_icon, icon
from desktop_crm.views.widgets.buttons import push_button
from desktop_crm.views.widgets.layout import clear, row

if TYPE_CHECKING:
    from desktop_crm.meta.bound import Entity
    from desktop_crm.services.connections import Connected, RoleChoice
    from desktop_crm.services.records import Saved
    from desktop_crm.views.workbench import Workbench

_FIRST = ("contact", "account")


class ConnectionDialog(Dialog):
    """Makes a connection, or changes the one given; the records of an old one stay."""

    def __init__(
        self,
        bench: Workbench,
        here: tuple[str, int],
        title: str,
        connected: Connected | None = None,
    ) -> None:
        heading = tr("Change the connection") if connected else tr("Add a connection")
        super().__init__(
            bench.shell.window_widget(), "connectionDialog", heading, subtitle=title, width=480
        )
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._bench = bench
        self._here = here
        self._connected = connected
        self._roles: list[RoleChoice] = []
        fields = registry.get("connection").fields
        self.kind = QuietCombo()
        self.kind.setObjectName("connectionDialog.kind")
        self.kind.setAccessibleName(tr("Kind of record"))
        self.kind.setMinimumWidth(theme.scaled(160))
        for entity in self._kinds():
            self.kind.addItem(icon(entity_icon(entity.key), fill_on=False), tr(entity.label),
                              entity.key)  # fmt: skip
        self._link_holder = QVBoxLayout()
        self._link_holder.setContentsMargins(0, 0, 0, 0)
        holder = QWidget()
        holder.setLayout(self._link_holder)
        self.link = self._make_link()
        self.role = QuietCombo()
        self.role.setObjectName("connectionDialog.role")
        self.role.addItem("", None)
        formats = bench.formats
        self.first = DateEditor(fields["valid_from"], formats, "connectionDialog.from")
        self.last = DateEditor(fields["valid_to"], formats, "connectionDialog.to")
        self.note = QPlainTextEdit()
        self.note.setObjectName("connectionDialog.note")
        self.note.setTabChangesFocus(True)
        self.note.setFixedHeight(theme.scaled(72))
        self._record = Labelled(tr("Record"), row(self.kind, holder, spacing=8), required=True)
        layout = self._record.control.layout()
        if layout is not None:
            layout.setAlignment(self.kind, Qt.AlignmentFlag.AlignTop)
        self.body.addWidget(self._record)
        self.body.addWidget(Labelled(tr("Its role here"), self.role))
        self._to = Labelled(tr("Valid to"), self.last)
        self.body.addWidget(row(Labelled(tr("Valid from"), self.first), self._to, spacing=16))
        self.body.addWidget(Labelled(tr("Note"), self.note))
        self._save = push_button("connectionDialog.save", tr("Save"), self.save, kind="primary")
        self._save.setDefault(True)
        self.set_foot(None, self.cancel_button(), self._save)
        self.kind.currentIndexChanged.connect(lambda _index: self._change_kind())
        if connected is not None:
            self._fill(connected)
        else:
            self.kind.setFocus()
        bench.tasks.read(
            connections.roles, bench.actor, done=self._take_roles, owner=self,
            failed=self.show_error,
        )  # fmt: skip

    def _kinds(self) -> list[Entity]:
        """Main kinds of record that the user may see, people and firms first."""
        shown = [
            e for e in registry.all()
            if e.menu is Menu.MAIN and self._bench.actor.can(e, "read")
        ]  # fmt: skip
        if self._connected is not None and self._connected.entity not in {e.key for e in shown}:
            shown.append(registry.get(self._connected.entity))
        return sorted(shown, key=lambda e: e.key not in _FIRST)

    def _make_link(self) -> LinkEditor:
        target = str(self.kind.currentData() or "contact")
        role = registry.get("connection").fields["role"]
        field = replace(role, target=target, label=N_("Record"), help="")
        made = LinkEditor(field, self._bench.formats, "connectionDialog.record", self._bench)
        clear(self._link_holder)
        self._link_holder.addWidget(made)
        return made

    def _change_kind(self) -> None:
        self.link = self._make_link()

    def _fill(self, connected: Connected) -> None:
        self.kind.setCurrentIndex(self.kind.findData(connected.entity))
        self.link.load(connected.record_id, connected.title)
        self.link.set_read_only(True)
        self.kind.setEnabled(False)
        self.first.load(connected.valid_from)
        self.last.load(connected.valid_to)
        self.note.setPlainText(connected.note)
        self.role.setFocus()

    def _take_roles(self, roles: list[RoleChoice]) -> None:
        self._roles = roles
        for number, one in enumerate(roles):
            self.role.addItem(one.label, number)
        old = self._connected
        if old is not None and old.role_id is not None:
            found = [
                number
                for number, one in enumerate(roles)
                if one.role_id == old.role_id
                and (one.is_reversed == old.is_reversed or one.label == old.role)
            ]
            if found:
                self.role.setCurrentIndex(self.role.findData(found[0]))

    def save(self) -> None:
        """Check what was filled in, and save."""
        try:
            key = self.link.value()
            if not isinstance(key, int):
                raise UserError(N_("Choose the other record."))
        except UserError as error:
            self._record.show_error(str(error))
            self.link.setFocus()
            return
        self._record.show_error("")
        chosen = self.role.currentData()
        role = self._roles[chosen] if isinstance(chosen, int) else None
        try:
            days = [self.first.value(), self.last.value()]
        except UserError as error:
            self.show_error(error)
            return
        first, last = (day if isinstance(day, date) else None for day in days)
        note = self.note.toPlainText()
        actor = self._bench.actor
        if self._connected is None:
            other = (str(self.kind.currentData()), key)
            work = partial(connections.connect, actor, self._here, other, role)
        else:
            work = partial(connections.change, actor, self._connected, self._here, role)
        self._save.setEnabled(False)
        self._bench.tasks.write(
            partial(work, valid_from=first, valid_to=last, note=note),
            done=self._saved, owner=self, failed=self._failed, label=tr("Saving"),
        )  # fmt: skip

    def _failed(self, error: Exception) -> None:
        self._save.setEnabled(True)
        self.show_error(error)

    def _saved(self, saved: Saved) -> None:
        self._bench.bus.publish(saved.changes)
        if saved.changes:
            self._bench.shell.toast(tr("Connection saved"), undo=True)
        self.accept()
