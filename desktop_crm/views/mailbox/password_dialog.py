"""Enter the password of a mailbox again."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QLineEdit, QWidget

from desktop_crm.core.i18n import tr
from desktop_crm.services.mail import mailboxes
from desktop_crm.services.mail.mailboxes import MailboxRow
from desktop_crm.views.dialogs.dialog import Dialog, Labelled
from desktop_crm.views.widgets.buttons import push_button

if TYPE_CHECKING:
    from desktop_crm.views.workbench import Workbench


class PasswordDialog(Dialog):
    """Enter the password of a mailbox again, after the server refused it or on a new computer.

    Attributes:
        kept: it was kept.
    """

    kept = Signal()

    def __init__(self, parent: QWidget | None, bench: Workbench, box: MailboxRow) -> None:
        super().__init__(
            parent, "mailboxPassword", tr("Password of {mailbox}", mailbox=box.name),
            subtitle=box.message or box.login, width=460,
        )  # fmt: skip
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._bench = bench
        self._box = box
        self.password = QLineEdit()
        self.password.setObjectName("mailboxPassword.password")
        self.password.setEchoMode(QLineEdit.EchoMode.Password)
        self._field = Labelled(
            tr("Password"), self.password, required=True,
            help_text=tr("Kept in the system's keyring, never in the database."),
        )  # fmt: skip
        self.body.addWidget(self._field)
        self._save = push_button("mailboxPassword.save", tr("Keep"), self._keep, kind="primary")
        self._save.setDefault(True)
        self.set_foot(None, self.cancel_button(), self._save)
        self.password.setFocus()

    def _keep(self) -> None:
        if not self.password.text():
            self._field.show_error(tr("Enter the password."))
            return
        self._save.setEnabled(False)
        self._bench.tasks.background(
            partial(
                mailboxes.set_password, self._bench.actor, self._box.id, self.password.text()
            ),
            done=self._done, failed=self._failed, owner=self,
        )  # fmt: skip

    def _done(self, place: object) -> None:
        self.kept.emit()
        self.accept()

    def _failed(self, error: Exception) -> None:
        self._save.setEnabled(True)
        self.show_error(error)
