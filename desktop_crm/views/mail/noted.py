"""Noting a letter on the records it goes to: the box in its window, and what is said afterwards."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QSize
from PySide6.QtWidgets import QCheckBox

from desktop_crm.core.i18n import ntr, tr
from desktop_crm.services import undo
from desktop_crm.services.mail import noting

if TYPE_CHECKING:
    from desktop_crm.services.bulk.job import BulkReport
    from desktop_crm.services.changes import ChangeSet
    from desktop_crm.services.mail.noting import Notes
    from desktop_crm.views.workbench import Workbench


class NoteBox(QCheckBox):
    """Says on how many records the letter will be noted; there only where that was asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("compose.note")
        self._notes: Notes | None = None
        self.hide()

    def sizeHint(self) -> QSize:
        # The ring that shows the focus takes the last letter's room.
        return super().sizeHint() + QSize(4, 0)

    def set_notes(self, notes: Notes | None) -> None:
        """Take the records that wait for the letter; None for none."""
        self._notes = notes
        self.setChecked(notes is not None)

    def count(self, recipients: Iterable[str]) -> None:
        """Say how many of them are among those it is written to now."""
        left = self._notes and self._notes.among(recipients)
        count = len(left.addresses) if left else 0
        self.setText(
            ntr(
                "Note it on {n} record once it has left",
                "Note it on {n} records once it has left",
                count,
            )
        )
        self.setAccessibleName(self.text())
        self.setVisible(bool(count))

    @property
    def wanted(self) -> Notes | None:
        """The records, unless the person wants no note any more."""
        return self._notes if self.isChecked() else None


def say(bench: Workbench, reports: Iterable[BulkReport]) -> None:
    """Say of letters that have left where they were noted; one step back takes a letter's notes."""
    for report in reports:
        take_back = partial(_take_back, bench, report.operation) if report.done else None
        bench.shell.toast(
            tr("The message has left"),
            noting.text(report),
            take_back=take_back,
            bad=bool(report.failures),
        )


def _take_back(bench: Workbench, operation: str) -> None:
    def done(changes: ChangeSet) -> None:
        bench.bus.publish(changes)
        bench.shell.toast(tr("The notes are taken back"), tr("The message itself stays sent."))

    bench.tasks.write(
        undo.undo, bench.actor, operation,
        done=done, failed=bench.shell.show_error, label=tr("Undo"),
    )  # fmt: skip
