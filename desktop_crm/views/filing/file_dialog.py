"""Choose the record a message is filed to, and how much goes there with it."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox

from desktop_crm.core.i18n import ntr, tr
from desktop_crm.models.filing import FilingKind
from desktop_crm.views.dialogs.dialog import Labelled
from desktop_crm.views.dialogs.find_record import FILED_TO, FindRecordDialog
from desktop_crm.views.forms.editor import QuietCombo

if TYPE_CHECKING:
    from desktop_crm.services.mail.filing_subject import Subject
    from desktop_crm.views.workbench import Workbench


class Reach(StrEnum):
    """How much a choice files."""

    THREAD = "thread"
    MESSAGE = "message"
    ALWAYS_THREAD = "always thread"
    ALWAYS_SENDER = "always sender"
    ALWAYS_DOMAIN = "always domain"

    @property
    def kind(self) -> FilingKind | None:
        """Kind of the rule it makes, if it makes one."""
        return _KINDS.get(self)


_KINDS = {
    Reach.ALWAYS_THREAD: FilingKind.THREAD,
    Reach.ALWAYS_SENDER: FilingKind.SENDER,
    Reach.ALWAYS_DOMAIN: FilingKind.DOMAIN,
}


class FileDialog(FindRecordDialog):
    """Choose one record, and what goes there.

    Attributes:
        filed: entity, key and title of the record, the reach, and whether it replaces records.
    """

    filed = Signal(str, object, str, object, bool)

    def __init__(self, bench: Workbench, about: Subject, *, instead: bool) -> None:
        """Build the dialog.

        Args:
            bench: The workbench.
            about: The message, and what a decision about it can reach.
            instead: Whether the message stands on records that the choice may replace.
        """
        super().__init__(
            bench.shell.window_widget(), bench, tr("File to a record"), FILED_TO,
            subtitle=about.subject, choose=tr("File here"),
        )  # fmt: skip
        self.reach = QuietCombo()
        self.reach.setObjectName("fileDialog.reach")
        for reach, text in _offered(about):
            self.reach.addItem(text, reach.value)
        self.body.addWidget(Labelled(tr("What goes there"), self.reach))
        self.instead = QCheckBox(tr("Instead of the records of that kind it stands on now"))
        self.instead.setObjectName("fileDialog.instead")
        self.instead.setAccessibleName(self.instead.text())
        self.instead.setChecked(True)
        self.instead.setVisible(instead)
        self.body.addWidget(self.instead)
        self.chosen.connect(self._file)

    def _file(self, entity: str, record_id: object, title: str) -> None:
        reach = Reach(str(self.reach.currentData()))
        self.filed.emit(entity, record_id, title, reach, self.instead.isChecked())


def _offered(about: Subject) -> list[tuple[Reach, str]]:
    found: list[tuple[Reach, str]] = []
    count = len(about.thread)
    if count > 1:
        text = ntr("The whole thread: {n} message", "The whole thread: {n} messages", count)
        found.append((Reach.THREAD, text))
    found.append((Reach.MESSAGE, tr("Only this message")))
    if about.mailbox is None:
        return found
    found.append((Reach.ALWAYS_THREAD, tr("This thread, and what is still to come in it")))
    if about.address:
        text = tr("All mail of {address}, now and later", address=about.address)
        found.append((Reach.ALWAYS_SENDER, text))
    if about.domain:
        text = tr("All mail of @{domain}, now and later", domain=about.domain)
        found.append((Reach.ALWAYS_DOMAIN, text))
    return found
