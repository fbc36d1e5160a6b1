"""Starts a mail to many records: a letter here, or in another mail program."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from email.message import EmailMessage
from email.policy import SMTP
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QDesktopServices, QGuiApplication
from PySide6.QtWidgets import QCheckBox, QLineEdit

from desktop_crm.core.i18n import ntr, tr
from desktop_crm.meta import registry
from desktop_crm.models.activity import REGARDING
from desktop_crm.services.bulk import deeds, mail
from desktop_crm.services.bulk.job import Targets
from desktop_crm.services.mail import noting
from desktop_crm.services.mail.noting import Notes
from desktop_crm.sync import writing
from desktop_crm.views.bulk.dialog import FailureTable
from desktop_crm.views.dialogs.dialog import Dialog, Labelled
from desktop_crm.views.theme import set_property
from desktop_crm.views.widgets.buttons import push_button
from desktop_crm.views.widgets.labels import label
from desktop_crm.views.widgets.layout import column

if TYPE_CHECKING:
    from desktop_crm.db.engine import Cancel
    from desktop_crm.services.bulk.job import BulkReport
    from desktop_crm.services.bulk.mail import Recipients
    from desktop_crm.services.context import Actor
    from desktop_crm.views.workbench import Workbench

_LONGEST_LINK: Final = 1_800
"""Characters of an address that every system's shell still takes."""
DRAFT: Final = "mail.eml"


class BulkMailDialog(Dialog):
    """Who gets the mail and who does not; nobody sees the other addresses."""

    def __init__(self, bench: Workbench, targets: Targets) -> None:
        entity = registry.get(targets.entity)
        super().__init__(
            bench.shell.window_widget(),
            "bulkMail",
            tr("Mail to {records}", records=tr(entity.plural).lower()),
            width=700,
            subtitle=tr("Reading the addresses…"),
        )
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._bench = bench
        self._targets = targets
        self._found: Recipients | None = None
        self._can_send = False
        self.subject = QLineEdit()
        self.subject.setObjectName("bulkMail.subject")
        self.note = QCheckBox(tr("Note the mail as an activity on each record"))
        self.note.setObjectName("bulkMail.note")
        self.note.setAccessibleName(self.note.text())
        may_note = targets.entity in REGARDING and bench.actor.can("activity", "create")
        self.note.setVisible(may_note)
        self._says_when = label("", "cap", wrap=True, name="bulkMail.noteWhen")
        self._says_when.hide()
        self.failures = FailureTable("bulkMail.leftOut")
        self.failures.hide()
        self.body.addWidget(Labelled(tr("Subject"), self.subject))
        self.body.addWidget(column(self.note, self._says_when, spacing=4))
        self.body.addWidget(self.failures, 1)
        self._copy = push_button("bulkMail.copy", tr("Copy the addresses"), self._copy_addresses)
        self._go = push_button("bulkMail.go", tr("Open in the mail program"), self._open)
        self._write = push_button(
            "bulkMail.write", tr("Write the message"), self._write_here, kind="primary"
        )
        self._write.setDefault(True)
        self._write.hide()
        for button in (self._copy, self._go, self._write):
            button.setEnabled(False)
        self.set_foot(self._copy, None, self.cancel_button(), self._go, self._write)
        bench.tasks.read(
            partial(_recipients, bench.actor, targets),
            done=self._take, failed=self.show_error, owner=self,
            label=tr("Reading addresses"), cancellable=True, lane="recipients",
        )  # fmt: skip
        self.subject.setFocus()

    def _take(self, answer: tuple[Recipients, bool]) -> None:
        found, self._can_send = answer
        self._found = found
        number = self._bench.formats.number
        count = len(found.included)
        text = ntr(
            "{number} address, as a blind copy.", "{number} addresses, as blind copies.", count,
            number=number(count, 0),
        )  # fmt: skip
        if found.left_out:
            left = len(found.left_out)
            text += " " + ntr(
                "{number} record is left out; the reason stands below.",
                "{number} records are left out; the reasons stand below.",
                left,
                number=number(left, 0),
            )
        self.subtitle.setText(text)
        self.failures.show_failures(found.left_out)
        self.failures.setVisible(bool(found.left_out))
        for button in (self._copy, self._go, self._write):
            button.setEnabled(bool(count))
        self._write.setVisible(self._can_send and count <= writing.MANY)
        self._say_when(here=not self._write.isHidden())
        if self._write.isHidden():
            self._go.setDefault(True)
            set_property(self._go, "primary", True)
        if self._can_send and count > writing.MANY:
            self.notice.say(
                tr(
                    "A message here goes to {n} addresses at most; for more, use the mail program.",
                    n=number(writing.MANY, 0),
                )
            )

    def _say_when(self, *, here: bool) -> None:
        """Say what a note will mean: of another program nobody knows whether it sent the mail."""
        text = tr(
            "It is noted when the mail program opens, whether the mail is sent from there or not: "
            "that cannot be known here."
        )
        if here:
            text = tr(
                "A message written here is noted once it has left, as it was sent. From the mail "
                "program it is noted when that opens, sent or not: that cannot be known here."
            )
        self._says_when.setText(text)
        self._says_when.setVisible(not self.note.isHidden())
        self.note.setAccessibleDescription(text)

    @property
    def _notes(self) -> bool:
        return not self.note.isHidden() and self.note.isChecked()

    def _addresses(self) -> list[str]:
        return [r.address for r in self._found.included] if self._found is not None else []

    def _copy_addresses(self) -> None:
        QGuiApplication.clipboard().setText("; ".join(self._addresses()))
        self.notice.say(tr("The addresses are on the clipboard."))

    def _write_here(self) -> None:
        if self._found is None:
            return
        included = self._found.included
        addresses = tuple((one.record_id, one.address) for one in included)
        self._bench.shell.new_record(
            "mail_message",
            bcc=[(one.title, one.address) for one in included],
            subject=self.subject.text().strip(),
            notes=Notes(self._targets.entity, addresses) if self._notes else None,
        )
        self.accept()

    def _open(self) -> None:
        link = mail_link(self._addresses(), self.subject.text().strip())
        if len(link) > _LONGEST_LINK:
            path = write_draft(self._addresses(), self.subject.text().strip())
            opened = QDesktopServices.openUrl(QUrl.fromLocalFile(str(path)))
        else:
            opened = QDesktopServices.openUrl(QUrl(link))
        if not opened:
            self.notice.say(
                tr("No mail program answered. Copy the addresses and paste them there."), "warn"
            )
            return
        if self._notes:
            self._note_activities()
        self.accept()

    def _note_activities(self) -> None:
        if self._found is None:
            return
        values = {
            "subject": self.subject.text().strip() or tr("E-mail"),
            "kind": "email",
            "state": "completed",
            "direction": "outgoing",
        }
        chosen = Targets(self._targets.entity, [r.record_id for r in self._found.included])
        bench = self._bench

        def noted(report: BulkReport) -> None:
            bench.bus.publish(report.changes)
            count = len(report.changes.ids("activity"))
            text = ntr("{n} activity was created.", "{n} activities were created.", count)
            bench.shell.toast(text, noting.missing_text(report), undo=True)

        # The window that asked is gone when the answer comes; the shell outlives it.
        bench.tasks.write(
            partial(deeds.add_activities, bench.actor, chosen, values),
            done=noted,
            owner=bench.shell.window_widget(),
            label=tr("Creating activities"),
        )


def _recipients(
    actor: Actor, targets: Targets, *, cancel: Cancel | None = None
) -> tuple[Recipients, bool]:
    """Who is written to, and whether the user has a mailbox that sends; for a reader thread."""
    own = writing.senders(actor) if actor.can("mailbox", "read") else ()
    return mail.recipients(actor, targets, cancel), any(one.can_send for one in own)


def mail_link(addresses: Sequence[str], subject: str) -> str:
    """Link that opens a new mail with blind copies."""
    from urllib.parse import quote

    blind = ",".join(quote(address, safe="@") for address in addresses)
    return f"mailto:?bcc={blind}&subject={quote(subject)}"


def write_draft(addresses: Sequence[str], subject: str) -> Path:
    """Write a mail as an unsent draft that mail programs open for editing."""
    message = EmailMessage(policy=SMTP)
    message["Subject"] = subject
    message["Bcc"] = ", ".join(addresses)
    message["X-Unsent"] = "1"
    message.set_content("\n")
    folder = Path(tempfile.mkdtemp(prefix="desktop-crm-mail-"))
    path = folder / DRAFT
    path.write_bytes(message.as_bytes())
    return path
