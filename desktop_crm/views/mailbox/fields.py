"""What is asked about a mailbox: other fields, other words for each kind."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QFileDialog,
    QGridLayout,
    QLineEdit,
    QPushButton,
    QRadioButton,
    QVBoxLayout,
    QWidget,
)

from desktop_crm.core.errors import UserError
from desktop_crm.core.i18n import N_, tr
from desktop_crm.models.mail import MailboxKind, SignInBy
from desktop_crm.services.mail.mailboxes import NewMailbox
from desktop_crm.views.dialogs.dialog import Labelled
from desktop_crm.views.widgets.buttons import push_button
from desktop_crm.views.widgets.layout import row

if TYPE_CHECKING:
    from collections.abc import Sequence

    from desktop_crm.services.mail.mailboxes import MailboxRow

_NAMES: Final = ("name", "address")
_ALL: Final = {
    MailboxKind.EXCHANGE: (
        _NAMES, ("login", "password"), ("sign_in", "certificate"), ("server", "ca_file"),
    ),
    MailboxKind.GRAPH: (_NAMES, ("client_id", "tenant")),
    MailboxKind.IMAP: (
        _NAMES, ("login", "password"), ("server", "smtp_server"), ("dav_server", "ca_file"),
    ),
    MailboxKind.FOLDER: (_NAMES, ("path",)),
}  # fmt: skip
"""Fields of a kind, two in a line."""

_FEW: Final = {
    MailboxKind.EXCHANGE: (("name", "login"), ("sign_in", "password"), ("certificate",)),
    MailboxKind.GRAPH: (("name",), ("client_id",)),
    MailboxKind.IMAP: (("name", "login"), ("password",)),
    MailboxKind.FOLDER: (_NAMES, ("path",)),
}
"""Of a mailbox that was found: what only the person knows."""

_ENTERED: Final = (
    "login", "server", "ca_file", "smtp_server", "dav_server", "certificate", "client_id",
    "tenant", "path",
)  # fmt: skip
_NEEDED: Final = ("name", "address", "password", "client_id", "path")
_KINDS: Final = (
    (MailboxKind.EXCHANGE, "exchange", N_("Exchange Server")),
    (MailboxKind.GRAPH, "graph", N_("Microsoft 365")),
    (MailboxKind.IMAP, "imap", N_("IMAP")),
    (MailboxKind.FOLDER, "folder", N_("Folder of files")),
)


class MailboxFields(QWidget):
    """The fields of a new mailbox.

    Attributes:
        kind_changed: another kind was chosen.
        fields: what is asked, by the name :class:`NewMailbox` has for it.
    """

    kind_changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("mailboxFields")
        self._whole = True
        self.kinds = {kind: _radio(f"mailbox.{key}", tr(text)) for kind, key, text in _KINDS}
        self.kinds[MailboxKind.EXCHANGE].setChecked(True)
        self._lines = {
            "name": typed_line("mailbox.name"),
            "address": typed_line("mailbox.address", "name@company.com"),
            "server": typed_line("mailbox.server"),
            "login": typed_line("mailbox.login"),
            "password": typed_line("mailbox.password"),
            "ca_file": typed_line("mailbox.ca"),
            "smtp_server": typed_line("mailbox.smtp", "smtp.company.com"),
            "dav_server": typed_line("mailbox.dav", "https://dav.company.com"),
            "certificate": typed_line("mailbox.certificate"),
            "client_id": typed_line("mailbox.client", "00000000-0000-0000-0000-000000000000"),
            "tenant": typed_line("mailbox.tenant", "company.com"),
            "path": typed_line("mailbox.path"),
        }
        self._lines["password"].setEchoMode(QLineEdit.EchoMode.Password)
        self.sign_in = QComboBox()
        self.sign_in.setObjectName("mailbox.signIn")
        for option in SignInBy.options():
            self.sign_in.addItem(tr(option.label), option.code)
        self.fields = self._made()
        for field in self.fields.values():
            field.setParent(self)
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(16)
        self._grid.setVerticalSpacing(12)
        for column in (0, 1):
            self._grid.setColumnStretch(column, 1)
        self._kind_line = row(*self.kinds.values(), None, spacing=20)
        self._kind_line.setAccessibleName(tr("Kind"))
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(14)
        outer.addWidget(self._kind_line)
        outer.addLayout(self._grid)
        for button in self.kinds.values():
            button.toggled.connect(self._chosen)
        self.sign_in.currentIndexChanged.connect(lambda _index: self._arrange())
        self._arrange()

    def line(self, name: str) -> QLineEdit:
        """The control of a field that is typed."""
        return self._lines[name]

    @property
    def kind(self) -> MailboxKind:
        """The kind that is chosen."""
        return next(kind for kind, button in self.kinds.items() if button.isChecked())

    @property
    def is_whole(self) -> bool:
        """Whether everything is asked, or only what the search could not find."""
        return self._whole

    def show_whole(self, whole: bool) -> None:
        """Ask everything, or only what the search could not find."""
        self._whole = whole
        self._arrange()

    def fill(self, new: NewMailbox) -> None:
        """Show what is known of a mailbox; what is not known of it is emptied."""
        self.kinds[MailboxKind(new.kind)].setChecked(True)
        for name in ("name", "address", *_ENTERED):
            if name == "client_id" and not new.client_id:
                continue  # of the organisation, not of the address
            self._lines[name].setText(getattr(new, name))
        self.sign_in.setCurrentIndex(max(0, self.sign_in.findData(new.sign_in)))
        self._arrange()

    def propose(self, boxes: Sequence[MailboxRow]) -> None:
        """The organisation's client id and tenant are the same for every mailbox of it."""
        known = next((box for box in boxes if box.kind == MailboxKind.GRAPH.value), None)
        if known is None:
            return
        for name, value in (("client_id", known.client_id), ("tenant", known.tenant)):
            if not self._lines[name].text():
                self._lines[name].setText(value)

    def said(self) -> NewMailbox:
        """What was entered; fields that another kind asks for are left out."""
        asked = self._asked(_ALL[self.kind])
        entered: dict[str, str] = {
            name: self._lines[name].text() for name in _ENTERED if name in asked
        }
        if "sign_in" in asked:
            entered["sign_in"] = str(self.sign_in.currentData())
        return NewMailbox(
            self._lines["name"].text(), self.kind.value, self._lines["address"].text(), **entered
        )

    def password(self) -> str:
        """The password, empty where none is asked for."""
        asked = "password" in self._asked(_ALL[self.kind])
        return self._lines["password"].text() if asked else ""

    def clear_errors(self) -> None:
        """Take away what is said to be wrong."""
        for field in self.fields.values():
            field.show_error("")

    def show_error(self, error: Exception) -> bool:
        """Say an error beside its field, shown for that; whether it is one of a field."""
        name = (error.field or "") if isinstance(error, UserError) else ""
        if name not in self._asked(_ALL[self.kind]):
            return False
        if self.fields[name].isHidden():
            self.show_whole(True)
        self.fields[name].show_error(str(error))
        self.focus(name)
        return True

    def focus(self, name: str = "") -> None:
        """Put the cursor into a field; by default into the first that is empty."""
        asked = [one for line in self._rows for one in line if one in self._lines]
        empty = (one for one in asked if one in _NEEDED and not self._lines[one].text())
        target = name or next(empty, asked[0])
        (self.sign_in if target == "sign_in" else self._lines[target]).setFocus()

    # --- building ------------------------------------------------------------------------

    def _made(self) -> dict[str, Labelled]:
        lines = self._lines
        for name, text in (
            ("certificate", tr("Your certificate")),
            ("ca_file", tr("Certificate authority file")),
            ("path", tr("Folder with the messages")),
        ):
            lines[name].setAccessibleName(text)
        browse_path = push_button("mailbox.browse", tr("Browse…"), self._browse_folder)
        browse_ca = push_button("mailbox.browseCa", tr("Browse…"), partial(self._browse, "ca_file"))
        browse_own = push_button(
            "mailbox.browseOwn", tr("Browse…"), partial(self._browse, "certificate")
        )
        return {
            "name": Labelled(tr("Name"), lines["name"], required=True),
            "address": Labelled(tr("Your address"), lines["address"], required=True),
            "server": Labelled(tr("Server"), lines["server"]),
            "login": Labelled(tr("Login"), lines["login"]),
            "password": Labelled(tr("Password"), lines["password"], required=True),
            "ca_file": Labelled(
                tr("Certificate authority file"), row(lines["ca_file"], browse_ca, spacing=8),
                help_text=tr("Only for a server with a certificate of its own."),
            ),
            "smtp_server": Labelled(
                tr("Server for sending"), lines["smtp_server"],
                help_text=tr("SMTP; without it nothing can be sent."),
            ),
            "dav_server": Labelled(
                tr("Calendar server"), lines["dav_server"],
                help_text=tr("CalDAV and CardDAV; without it only mail is read."),
            ),
            "sign_in": Labelled(tr("Sign-in"), self.sign_in),
            "certificate": Labelled(
                tr("Your certificate"), row(lines["certificate"], browse_own, spacing=8),
                required=True, help_text=tr("PEM file with your certificate and its key."),
            ),
            "client_id": Labelled(
                tr("Client id"), lines["client_id"], required=True,
                help_text=tr("Your administrator registers this program once and knows it."),
            ),
            "tenant": Labelled(
                tr("Tenant"), lines["tenant"],
                help_text=tr("Your organisation's domain or id in Microsoft 365."),
            ),
            "path": Labelled(
                tr("Folder with the messages"), row(lines["path"], browse_path, spacing=8),
                required=True,
                help_text=tr("Holds .eml and .ics files; its sub-folders are mail folders."),
            ),
        }  # fmt: skip

    @property
    def _rows(self) -> tuple[tuple[str, ...], ...]:
        return (_ALL if self._whole else _FEW)[self.kind]

    def _asked(self, rows: tuple[tuple[str, ...], ...]) -> frozenset[str]:
        """Fields that the kind and the way to sign in ask for."""
        left_out = set()
        if self.kind is MailboxKind.EXCHANGE:
            way = self.sign_in.currentData()
            if way != SignInBy.CERTIFICATE.value:
                left_out.add("certificate")
            if way == SignInBy.SYSTEM.value:
                left_out.add("password")
        return frozenset(name for line in rows for name in line) - left_out

    def _chosen(self, on: bool) -> None:
        if on:
            server = self._lines["server"]
            if server.text().startswith("imap") is not (self.kind is MailboxKind.IMAP):
                server.clear()  # the address of another kind of server
            self._arrange()
            self.kind_changed.emit()

    def _arrange(self) -> None:
        self._speak()
        self._kind_line.setVisible(self._whole)
        asked = self._asked(self._rows)
        for name, field in self.fields.items():
            if name not in asked:
                field.hide()
        before: QWidget = self.kinds[MailboxKind.FOLDER]
        for place, names in enumerate(self._rows):
            shown = [name for name in names if name in asked]
            for column, name in enumerate(shown):
                field = self.fields[name]
                span = 2 if len(shown) == 1 and name == "path" else 1
                self._grid.addWidget(field, place, column, 1, span, Qt.AlignmentFlag.AlignTop)
                field.show()
                control: QWidget = self.sign_in if name == "sign_in" else self._lines[name]
                for part in (control, *field.findChildren(QPushButton)):
                    QWidget.setTabOrder(before, part)
                    before = part
        self.updateGeometry()

    def _speak(self) -> None:
        """Each kind has its own words: what helps with one would puzzle with another."""
        imap = self.kind is MailboxKind.IMAP
        self.fields["server"].show_help(
            tr("Where your mail is read.")
            if imap
            else tr("Leave it empty to have it found by your address.")
        )
        example = "imap.company.com" if imap else "mail.company.com"
        self._lines["server"].setPlaceholderText(example)
        self._lines["login"].setPlaceholderText(
            tr("The address") if imap else tr("The address, or DOMAIN\\user")
        )
        by_certificate = not imap and self.sign_in.currentData() == SignInBy.CERTIFICATE.value
        kept = tr("Kept in the system's keyring, never in the database.")
        self.fields["password"].show_help(
            tr("Of the key of your certificate.") + " " + kept if by_certificate else kept
        )

    def _browse_folder(self) -> None:
        line = self._lines["path"]
        name = QFileDialog.getExistingDirectory(
            self, tr("Folder with the messages"), line.text() or str(Path.home())
        )
        if name:
            line.setText(name)

    def _browse(self, field: str) -> None:
        line = self._lines[field]
        name, _kind = QFileDialog.getOpenFileName(
            self, line.accessibleName(), line.text(),
            tr("Certificates (*.pem *.crt *.cer);;All files (*)"),
        )  # fmt: skip
        if name:
            line.setText(name)


def typed_line(name: str, placeholder: str = "") -> QLineEdit:
    """A line to type into; the example shows its form and is the same in every language."""
    made = QLineEdit()
    made.setObjectName(name)
    made.setPlaceholderText(placeholder)
    return made


def _radio(name: str, text: str) -> QRadioButton:
    made = QRadioButton(text)
    made.setObjectName(name)
    made.setAccessibleName(text)
    return made
