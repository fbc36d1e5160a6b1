"""A page of the settings that lists records of one kind: stages, taxes, users and the like."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt

from desktop_crm.core.i18n import ntr, tr
from desktop_crm.meta import registry
from desktop_crm.services import records
from desktop_crm.views.lists import views as list_views
from desktop_crm.views.lists.list_panel import ListPanel
from desktop_crm.views.new_texts import new_record
from desktop_crm.views.panes.settings_pages import SettingsPage, move
from desktop_crm.views.widgets.buttons import push_button, tool_button

if TYPE_CHECKING:
    from desktop_crm.services.changes import ChangeSet
    from desktop_crm.views.workbench import Workbench


class ListPage(SettingsPage):
    """A list with buttons to add, edit, delete, and to move where the order matters."""

    def __init__(self, bench: Workbench, entity_key: str, text: str) -> None:
        self._entity = registry.get(entity_key)
        super().__init__(bench, entity_key, tr(self._entity.plural), text)
        self.list = ListPanel(entity_key, bench)
        self.list.setObjectName(f"settings.{entity_key}.list")
        self.list.opened.connect(self._open)
        self.list.told.connect(self._update)
        self.list.current_changed.connect(lambda _key: self._update())
        self.list.new_wanted.connect(self._new)
        self._started = False
        actor = bench.actor
        top = Qt.AlignmentFlag.AlignTop
        self._ordered = "position" in self._entity.fields
        self._up = tool_button(
            f"settings.{entity_key}.up", tr("Move up"), "chevron_up", partial(self._move, -1)
        )
        self._down = tool_button(
            f"settings.{entity_key}.down", tr("Move down"), "chevron_down", partial(self._move, 1)
        )
        self._edit = push_button(f"settings.{entity_key}.edit", tr("Edit…"), self._edit_current)
        self._delete = push_button(
            f"settings.{entity_key}.delete", tr("Delete"), self._remove, kind="danger"
        )
        label = new_record(self._entity)
        self._add = push_button(f"settings.{entity_key}.new", label, self._new, kind="primary")
        for button in (self._up, self._down, self._edit, self._delete, self._add):
            self.head.addWidget(button, 0, top)
        self._up.setVisible(self._ordered and actor.can(entity_key, "edit"))
        self._down.setVisible(self._up.isVisibleTo(self))
        self._delete.setVisible(actor.can(entity_key, "remove"))
        self._add.setVisible(actor.can(entity_key, "create"))
        self.column.addWidget(self.list, 1)
        bench.bus.changed.connect(self._changed)
        self._update()

    def load(self) -> None:
        if self._started:
            self.list.reload()
            return
        self._started = True
        self.list.show_view(list_views.fixed(self.bench.actor, self._entity).first())

    def _changed(self, changes: ChangeSet) -> None:
        if self._started:
            self.list.take_changes(changes)

    def _update(self) -> None:
        has = self.list.table.current_id() is not None
        for button in (self._up, self._down, self._edit, self._delete):
            button.setEnabled(has)

    def _new(self) -> None:
        self.bench.shell.new_record(self._entity.key)

    def _open(self, record_id: object) -> None:
        if isinstance(record_id, int):
            self.bench.shell.open_record(self._entity.key, record_id)

    def _edit_current(self) -> None:
        self._open(self.list.table.current_id())

    def _remove(self) -> None:
        ids = list(self.list.selected_ids())
        if ids:
            self.bench.tasks.write(
                records.delete, self.bench.actor, self._entity.key, ids,
                done=partial(self._removed, len(ids)), owner=self,
                failed=self.bench.shell.show_error,
            )  # fmt: skip

    def _removed(self, count: int, changes: ChangeSet) -> None:
        self.bench.bus.publish(changes)
        text = ntr("{n} record deleted", "{n} records deleted", count)
        self.bench.shell.toast(text, undo=True)

    def _move(self, step: int) -> None:
        current = self.list.table.current_id()
        if current is None:
            return
        self.bench.tasks.write(
            move, self.bench.actor, self._entity.key, current, step,
            done=self._moved, failed=self.bench.shell.show_error, owner=self,
        )  # fmt: skip

    def _moved(self, changes: ChangeSet) -> None:
        self.bench.bus.publish(changes)
        self.list.reload()
