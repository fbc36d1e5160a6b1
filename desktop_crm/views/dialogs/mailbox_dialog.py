"""Add a mailbox of any kind; it is tried before it is kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QFileDialog,
    QGridLayout,
    QLineEdit,
    QRadioButton,
    QVBoxLayout,
    QWidget,
)

from desktop_crm.core.errors import Cancelled, UserError
from desktop_crm.core.i18n import tr
from desktop_crm.models.mail import MailboxKind, SignInBy
from desktop_crm.services import mailboxes
from desktop_crm.services.mailboxes import Added, MailboxRow, NewMailbox
from desktop_crm.sync import scheduler
from desktop_crm.sync.find_servers import Servers, find_servers
from desktop_crm.sync.port import Step
from desktop_crm.views.dialogs.dialog import Dialog, Labelled
from desktop_crm.views.widgets.buttons import push_button
from desktop_crm.views.widgets.cards import Glyph
from desktop_crm.views.widgets.labels import label
from desktop_crm.views.widgets.layout import clear, row

if TYPE_CHECKING:
    from desktop_crm.db.engine import Cancel
    from desktop_crm.services.context import Actor
    from desktop_crm.views.workbench import Workbench


_SIGNED_IN: Final = ("name", "address", "server", "login", "password", "ca_file")
_FIELDS: Final = {
    MailboxKind.EXCHANGE: (*_SIGNED_IN, "sign_in", "certificate"),
    MailboxKind.GRAPH: ("name", "address", "client_id", "tenant"),
    MailboxKind.IMAP: (*_SIGNED_IN, "smtp_server", "dav_server"),
    MailboxKind.FOLDER: ("name", "address", "path"),
}


@dataclass(frozen=True, slots=True)
class Tried:
    """How a mailbox did; `secret` is its password, or what signing in left behind.

    `new` is the mailbox with the server that was found for it.
    """

    new: NewMailbox
    steps: tuple[Step, ...]
    secret: str = field(repr=False)
    added: Added | None = None


def tried(actor: Actor, new: NewMailbox, secret: str, cancel: Cancel) -> Tried:
    """Try a mailbox; one of Microsoft 365 opens the browser when nobody is signed in yet.

    The server of an Exchange mailbox is looked for when none was entered.
    """
    if new.kind == MailboxKind.GRAPH.value and not secret:
        secret = scheduler.sign_in(new, cancel=cancel)
    with_server = scheduler.find_server(new, secret)
    steps = scheduler.try_mailbox(actor, with_server, secret)
    if with_server.server != new.server:
        steps = (Step(tr("Server found"), ok=True, message=with_server.server), *steps)
    return Tried(with_server, steps, secret)


def add_tried(actor: Actor, new: NewMailbox, secret: str, cancel: Cancel) -> Tried:
    """Try a mailbox and add it when every step went well."""
    found = tried(actor, new, secret, cancel)
    if not all(step.ok for step in found.steps):
        return found
    return replace(found, added=mailboxes.add(actor, found.new, found.secret or None))


class StepList(QWidget):
    """The steps of a test with their outcome."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("mailboxSteps")
        self.setAccessibleName(tr("Steps of the test"))
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(4)

    def show_steps(self, steps: Sequence[Step]) -> None:
        """Show steps; a failed one says why in one sentence."""
        clear(self._column)
        for step in steps:
            drawing, tint = ("checkmark_circle", "ok") if step.ok else ("dismiss", "bad")
            text = step.name if not step.message else f"{step.name}: {step.message}"
            shown = label(text, "" if step.ok else "error", wrap=True)
            line = row(Glyph(drawing, tint, 18), shown, spacing=8)
            line.setAccessibleName(text)
            inner = line.layout()
            if inner is not None:
                inner.setAlignment(Qt.AlignmentFlag.AlignTop)
            shown.setMinimumWidth(300)
            self._column.addWidget(line)


class AddMailboxDialog(Dialog):
    """Asks for a mailbox, tries it step by step, and adds it.

    Attributes:
        added: it was added; carries the :class:`Added`.
    """

    added = Signal(object)

    def __init__(self, parent: QWidget | None, bench: Workbench) -> None:
        super().__init__(
            parent, "addMailbox", tr("Add a mailbox"), width=680,
            subtitle=tr(
                "Mail and meetings are read and linked; nothing is sent or changed there without "
                "you. Private and internal mail stays out."
            ),
        )  # fmt: skip
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._bench = bench
        self.exchange = _radio("mailbox.exchange", tr("Exchange Server"))
        self.graph = _radio("mailbox.graph", tr("Microsoft 365"))
        self.imap = _radio("mailbox.imap", tr("IMAP"))
        self.folder = _radio("mailbox.folder", tr("Folder of files"))
        self.exchange.setChecked(True)
        self.name = _line("mailbox.name")
        self.address = _line("mailbox.address", "name@company.com")
        self.server = _line("mailbox.server", "mail.company.com")
        self.login = _line("mailbox.login")
        self.password = _line("mailbox.password")
        self.password.setEchoMode(QLineEdit.EchoMode.Password)
        self.ca_file = _line("mailbox.ca")
        self.smtp_server = _line("mailbox.smtp", "smtp.company.com")
        self.dav_server = _line("mailbox.dav", "https://dav.company.com")
        self.sign_in = QComboBox()
        self.sign_in.setObjectName("mailbox.signIn")
        for option in SignInBy.options():
            self.sign_in.addItem(tr(option.label), option.code)
        self.certificate = _line("mailbox.certificate")
        self.client_id = _line("mailbox.client", "00000000-0000-0000-0000-000000000000")
        self.tenant = _line("mailbox.tenant", "company.com")
        self.path = _line("mailbox.path")
        # What signing in left behind and for which account; never shown, kept once it is added.
        self._signed: tuple[NewMailbox, str] | None = None
        browse_path = push_button("mailbox.browse", tr("Browse…"), self._browse_folder)
        browse_ca = push_button("mailbox.browseCa", tr("Browse…"), self._browse_authority)
        browse_own = push_button("mailbox.browseOwn", tr("Browse…"), self._browse_certificate)
        for control, text in (
            (self.certificate, tr("Your certificate")),
            (self.ca_file, tr("Certificate authority file")),
            (self.path, tr("Folder with the messages")),
        ):
            control.setAccessibleName(text)
        self._fields = {
            "name": Labelled(tr("Name"), self.name, required=True),
            "address": Labelled(tr("Your address"), self.address, required=True),
            "server": Labelled(
                tr("Server"), self.server,
                help_text=tr("Exchange: leave it empty to have it found by your address."),
            ),
            "login": Labelled(tr("Login"), self.login),
            "password": Labelled(
                tr("Password"), self.password, required=True,
                help_text=tr(
                    "Kept in the system's keyring, never in the database. With a certificate: "
                    "of its key."
                ),
            ),
            "ca_file": Labelled(
                tr("Certificate authority file"), row(self.ca_file, browse_ca, spacing=8),
                help_text=tr("Only for a server with a certificate of its own."),
            ),
            "smtp_server": Labelled(
                tr("Server for sending"), self.smtp_server,
                help_text=tr("SMTP; without it nothing can be sent."),
            ),
            "dav_server": Labelled(
                tr("Calendar server"), self.dav_server,
                help_text=tr("CalDAV and CardDAV; without it only mail is read."),
            ),
            "sign_in": Labelled(tr("Sign-in"), self.sign_in),
            "certificate": Labelled(
                tr("Your certificate"), row(self.certificate, browse_own, spacing=8),
                required=True, help_text=tr("PEM file with your certificate and its key."),
            ),
            "client_id": Labelled(
                tr("Client id"), self.client_id, required=True,
                help_text=tr("Your administrator registers this program once and knows it."),
            ),
            "tenant": Labelled(
                tr("Tenant"), self.tenant,
                help_text=tr("Your organisation's domain or id in Microsoft 365."),
            ),
            "path": Labelled(
                tr("Folder with the messages"), row(self.path, browse_path, spacing=8),
                required=True,
                help_text=tr("Holds .eml and .ics files; its sub-folders are mail folders."),
            ),
        }  # fmt: skip
        self.steps = StepList()
        self._find = push_button("mailbox.find", tr("Find the servers"), self._find_servers)
        self._test = push_button("mailbox.test", tr("Test"), self._try)
        self._add = push_button("mailbox.add", tr("Add"), self._try_and_add, kind="primary")
        self._add.setDefault(True)
        self._lay_out()
        self.set_foot(self._test, self._find, None, self.cancel_button(), self._add)
        for button in (self.exchange, self.graph, self.imap, self.folder):
            button.toggled.connect(lambda _on: self._show_kind())
        self.sign_in.currentIndexChanged.connect(lambda _index: self._show_kind())
        self._show_kind()
        bench.tasks.read(
            mailboxes.list_mailboxes, bench.actor, done=self._propose, owner=self, lane="boxes"
        )
        self.name.setFocus()

    def _lay_out(self) -> None:
        choices = (self.exchange, self.graph, self.imap, self.folder)
        self.body.addWidget(row(*choices, None, spacing=20))
        grid = QGridLayout()
        grid.setHorizontalSpacing(16)
        grid.setVerticalSpacing(12)
        top = Qt.AlignmentFlag.AlignTop
        for place, names in enumerate((("name", "address"), ("server", "login"))):
            for column, name in enumerate(names):
                grid.addWidget(self._fields[name], place, column, top)
        grid.addWidget(self._fields["password"], 2, 0, top)
        grid.addWidget(self._fields["ca_file"], 2, 1, top)
        grid.addWidget(self._fields["smtp_server"], 3, 0, top)
        grid.addWidget(self._fields["dav_server"], 3, 1, top)
        grid.addWidget(self._fields["sign_in"], 3, 0, top)
        grid.addWidget(self._fields["certificate"], 3, 1, top)
        grid.addWidget(self._fields["client_id"], 4, 0, top)
        grid.addWidget(self._fields["tenant"], 4, 1, top)
        grid.addWidget(self._fields["path"], 5, 0, 1, 2)
        for column in (0, 1):
            grid.setColumnStretch(column, 1)
        self.body.addLayout(grid)
        self.body.addWidget(self.steps)
        self.body.addStretch(1)

    def _propose(self, boxes: tuple[MailboxRow, ...]) -> None:
        """The organisation's client id and tenant are the same for every mailbox of it."""
        known = next((box for box in boxes if box.kind == MailboxKind.GRAPH.value), None)
        if known is not None and not self.client_id.text() and not self.tenant.text():
            self.client_id.setText(known.client_id)
            self.tenant.setText(known.tenant)

    @property
    def _kind(self) -> MailboxKind:
        if self.folder.isChecked():
            return MailboxKind.FOLDER
        if self.graph.isChecked():
            return MailboxKind.GRAPH
        return MailboxKind.IMAP if self.imap.isChecked() else MailboxKind.EXCHANGE

    @property
    def _shown(self) -> frozenset[str]:
        """Fields that the kind and the way to sign in ask for."""
        left_out = set()
        if self._kind is MailboxKind.EXCHANGE:
            way = self.sign_in.currentData()
            if way != SignInBy.CERTIFICATE.value:
                left_out.add("certificate")
            if way == SignInBy.SYSTEM.value:
                left_out.add("password")
        return frozenset(_FIELDS[self._kind]) - left_out

    def _show_kind(self) -> None:
        shown_here = self._shown
        for name, shown in self._fields.items():
            shown.setVisible(name in shown_here)
        imap = self._kind is MailboxKind.IMAP
        self.login.setPlaceholderText(
            tr("The address") if imap else tr("The address, or DOMAIN\\user")
        )
        self._find.setVisible(imap)
        self._wait(False)
        self.steps.show_steps(())
        self.notice.say("")
        # Fields that came need their room; those that went give theirs back.
        self.body.activate()
        self.adjustSize()

    def said(self) -> NewMailbox:
        """What was entered."""
        entered = {
            "login": self.login.text(),
            "server": self.server.text(),
            "ca_file": self.ca_file.text(),
            "smtp_server": self.smtp_server.text(),
            "dav_server": self.dav_server.text(),
            "sign_in": str(self.sign_in.currentData()),
            "certificate": self.certificate.text(),
            "client_id": self.client_id.text(),
            "tenant": self.tenant.text(),
            "path": self.path.text(),
        }
        return NewMailbox(
            name=self.name.text(),
            kind=self._kind.value,
            address=self.address.text(),
            **{name: text for name, text in entered.items() if name in self._shown},
        )

    def _secret(self, new: NewMailbox) -> str:
        """The password, or the sign-in of the same account in the same organisation."""
        if self._kind is not MailboxKind.GRAPH:
            return self.password.text() if "password" in self._shown else ""
        if self._signed is None:
            return ""
        before, secret = self._signed
        return secret if replace(before, name=new.name) == new else ""

    def _clear(self) -> None:
        for shown in self._fields.values():
            shown.show_error("")
        self.notice.say("")
        self.steps.show_steps(())

    def _wait(self, waiting: bool) -> None:
        self._test.setEnabled(not waiting)
        self._add.setEnabled(not waiting)
        self._find.setEnabled(not waiting)
        graph = self._kind is MailboxKind.GRAPH
        ready = tr("Sign in and add") if graph else tr("Add")
        busy = tr("Waiting for the browser…") if graph else tr("Testing…")
        self._add.setText(busy if waiting else ready)

    def _find_servers(self) -> None:
        """Fill in the servers the address leads to; what a person entered is not replaced."""
        self._clear()
        self._wait(True)
        self._bench.tasks.background(
            find_servers, self.address.text(),
            done=self._found, failed=self._failed, owner=self, label=tr("Searching"),
        )  # fmt: skip

    def _found(self, servers: Servers) -> None:
        self._wait(False)
        for line, text in (
            (self.server, servers.imap),
            (self.smtp_server, servers.smtp),
            (self.dav_server, servers.dav),
            (self.login, servers.login),
        ):
            if not line.text():
                line.setText(text)
        self.notice.say(tr("Found by {source}.", source=servers.source), "info")

    def _try(self) -> None:
        self._clear()
        self._wait(True)
        new = self.said()
        self._bench.tasks.background(
            tried, self._bench.actor, new, self._secret(new),
            done=partial(self._tried, new), failed=self._failed, owner=self, label=tr("Testing"),
            cancellable=True,
        )  # fmt: skip

    def _tried(self, new: NewMailbox, found: Tried) -> None:
        self._wait(False)
        well = all(step.ok for step in found.steps)
        self._signed = (new, found.secret) if well else None
        self.server.setText(found.new.server)
        self.steps.show_steps(found.steps)

    def _try_and_add(self) -> None:
        self._clear()
        self._wait(True)
        new = self.said()
        self._bench.tasks.background(
            add_tried, self._bench.actor, new, self._secret(new),
            done=partial(self._maybe_added, new), failed=self._failed, owner=self,
            label=tr("Testing"), cancellable=True,
        )  # fmt: skip

    def _maybe_added(self, new: NewMailbox, found: Tried) -> None:
        self._tried(new, found)
        added = found.added
        if added is None:
            return
        self._bench.bus.publish(added.changes)
        if added.notice:
            self._bench.shell.toast(tr("Mailbox added"), added.notice)
        self.added.emit(added)
        self.accept()

    def _failed(self, error: Exception) -> None:
        self._wait(False)
        if isinstance(error, Cancelled):
            return
        shown = self._fields.get(error.field or "") if isinstance(error, UserError) else None
        if shown is not None and not shown.isHidden():
            shown.show_error(str(error))
            shown.control.setFocus()
        else:
            self.show_error(error)

    def _browse_folder(self) -> None:
        name = QFileDialog.getExistingDirectory(
            self, tr("Folder with the messages"), self.path.text() or str(Path.home())
        )
        if name:
            self.path.setText(name)

    def _browse_authority(self) -> None:
        name, _kind = QFileDialog.getOpenFileName(
            self, tr("Certificate authority file"), self.ca_file.text(),
            tr("Certificates (*.pem *.crt *.cer);;All files (*)"),
        )  # fmt: skip
        if name:
            self.ca_file.setText(name)

    def _browse_certificate(self) -> None:
        name, _kind = QFileDialog.getOpenFileName(
            self, tr("Your certificate"), self.certificate.text(),
            tr("Certificates (*.pem *.crt *.cer);;All files (*)"),
        )  # fmt: skip
        if name:
            self.certificate.setText(name)


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
        self.password = _line("mailboxPassword.password")
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


def _line(name: str, placeholder: str = "") -> QLineEdit:
    made = QLineEdit()
    made.setObjectName(name)
    made.setPlaceholderText(placeholder)
    return made


def _radio(name: str, text: str) -> QRadioButton:
    made = QRadioButton(text)
    made.setObjectName(name)
    made.setAccessibleName(text)
    return made
