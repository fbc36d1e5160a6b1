"""The three servers of a mailbox on open standards, with one user at a time."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

from desktop_crm.sync.imap.mailbox import ImapMailbox
from tests.mail_servers import dovecot
from tests.mail_servers.dovecot import PASSWORD, Dovecot
from tests.mail_servers.radicale import Radicale
from tests.mail_servers.smtp_server import SmtpServer

ADDRESS = "ana@firma.example"


def missing() -> str:
    """Why the three cannot be started here; empty when they can."""
    if dovecot.BINARY is None:
        return dovecot.MISSING
    return "" if find_spec("radicale") else "radicale is not installed"


class Servers:
    """Dovecot, an SMTP server and Radicale."""

    def __init__(self, **options: Any) -> None:
        self.dovecot = Dovecot(**options)
        self.smtp = SmtpServer()
        self.radicale = Radicale()
        files = (self.dovecot.ca_file, self.smtp.ca_file, self.radicale.ca_file)
        self.ca_file = self.smtp.top / "bundle.pem"
        self.ca_file.write_bytes(b"".join(Path(name).read_bytes() for name in files))
        self.next_user()

    @property
    def login(self) -> str:
        """What the user signs in with."""
        return self.dovecot.login

    def next_user(self) -> None:
        """Go on with a user who has nothing yet."""
        self.smtp.forget()
        self.radicale.user(self.dovecot.next_user())

    def mailbox(self, **changed: Any) -> ImapMailbox:
        """The adapter of the user's mailbox."""
        options = {
            "login": self.login,
            "password": PASSWORD,
            "smtp_server": self.smtp.url,
            "dav_server": self.radicale.url,
            "ca_file": str(self.ca_file),
            **changed,
        }
        server = options.pop("server", self.dovecot.url)
        return ImapMailbox(server, ADDRESS, **options)

    def close(self) -> None:
        """End all three."""
        self.dovecot.close()
        self.smtp.close()
        self.radicale.close()
