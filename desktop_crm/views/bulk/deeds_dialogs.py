"""Deletes many records, or adds one activity to each."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from PySide6.QtWidgets import QWidget

from desktop_crm.core import clock
from desktop_crm.core.errors import UserError
from desktop_crm.core.i18n import ntr, tr
from desktop_crm.meta import registry
from desktop_crm.services.bulk import deeds
from desktop_crm.views.bulk.dialog import BulkDialog
from desktop_crm.views.dialogs.dialog import Labelled
from desktop_crm.views.forms.editor import Editor
from desktop_crm.views.forms.editors import make_editor
from desktop_crm.views.widgets.labels import label
from desktop_crm.views.widgets.layout import column, row

if TYPE_CHECKING:
    from desktop_crm.services.bulk.job import BulkReport, Targets
    from desktop_crm.views.workbench import Workbench

_FIELDS: Final = (("subject",), ("kind", "priority"), ("due_at", "owner"), ("description",))
_TIMED: Final = frozenset({"phone_call", "appointment"})
_MINUTES: Final = {"phone_call": 15, "appointment": 60}


class BulkDeleteDialog(BulkDialog):
    """Asks before many records go into the recycle bin."""

    def __init__(self, bench: Workbench, targets: Targets, count: int) -> None:
        super().__init__(bench, targets, count, "bulkDelete", tr("Delete records"), tr("Delete"))
        self._text = label(
            tr("They go into the recycle bin. One undo brings all of them back."), wrap=True
        )
        self.body.addWidget(self._text)
        self.finish_building()

    def inputs(self) -> Sequence[QWidget]:
        return (self._text,)

    def begin(self) -> None:
        """Start."""
        run = partial(deeds.delete, self.bench.actor, self.targets)
        self.start(run, tr("Deleting"))

    def said(self, report: BulkReport) -> str:
        """How many were deleted."""
        return ntr("{n} record deleted", "{n} records deleted", report.done) + "."


class BulkActivityDialog(BulkDialog):
    """What activity each record gets."""

    def __init__(self, bench: Workbench, targets: Targets, count: int) -> None:
        super().__init__(
            bench, targets, count, "bulkActivity", tr("One activity for each record"), tr("Create")
        )
        fields = registry.get("activity").fields
        self._editors: dict[str, Editor] = {}
        self._labelled: dict[str, Labelled] = {}
        lines: list[QWidget] = []
        for names in _FIELDS:
            cells: list[QWidget] = []
            for name in names:
                field = fields[name]
                editor = make_editor(field, f"bulkActivity.{name}", bench)
                self._editors[name] = editor
                box = Labelled(tr(field.label), editor, required=name == "subject")
                self._labelled[name] = box
                cells.append(box)
            lines.append(row(*cells, spacing=16))
        self._form = column(*lines, spacing=12)
        self.body.addWidget(self._form)
        self.finish_building()
        self._fill()
        self._editors["subject"].setFocus()

    def _fill(self) -> None:
        actor = self.bench.actor
        local = clock.now().astimezone(actor.zone) + timedelta(days=1)
        due = local.replace(hour=17, minute=0, second=0, microsecond=0)
        self._editors["kind"].load("task")
        self._editors["priority"].load("normal")
        self._editors["due_at"].load(due)
        self._editors["owner"].load(actor.user_id, actor.name)

    def inputs(self) -> Sequence[QWidget]:
        return (self._form,)

    def begin(self) -> None:
        """Read the form and start."""
        values: dict[str, Any] = {}
        for name, editor in self._editors.items():
            self._labelled[name].show_error("")
            try:
                values[name] = editor.value()
            except UserError as error:
                self._labelled[name].show_error(str(error))
                editor.setFocus()
                return
        if not values["subject"]:
            self._labelled["subject"].show_error(tr("Say what it is about."))
            self._editors["subject"].setFocus()
            return
        if values["kind"] in _TIMED and values["due_at"] is not None:
            minutes = _MINUTES[str(values["kind"])]
            values["start_at"] = values["due_at"]
            values["end_at"] = values["due_at"] + timedelta(minutes=minutes)
        run = partial(deeds.add_activities, self.bench.actor, self.targets, values)
        self.start(run, tr("Creating activities"))

    def said(self, report: BulkReport) -> str:
        """How many were made."""
        count = len(report.changes.ids("activity"))
        return ntr("{n} activity was created.", "{n} activities were created.", count)
