"""An SMTP server that keeps what it is given, with faults on demand."""

from __future__ import annotations

import asyncio
import ssl
import tempfile
from pathlib import Path
from shutil import rmtree
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tests.ews_server.certificates import make_certificates
from tests.mail_servers.dovecot import PASSWORD, free_port


class SmtpServer:
    """One running server; STARTTLS and a login are demanded.

    Attributes:
        delivered: every message that was taken: recipients and bytes.
        refuse: answers to RCPT TO by address.
        data_answer: answer to the message itself, in place of taking it.
        dies: the connection is cut after the message was taken, before that is confirmed.
        logins: how often somebody tried to sign in.
    """

    def __init__(self) -> None:
        self.top = Path(tempfile.mkdtemp(prefix="smtp-"))
        certificates = make_certificates(self.top)
        self.ca_file = str(certificates.authority)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificates.server, certificates.key)
        self.forget()
        self.port = free_port()
        self._controller = Controller(
            self,
            hostname="127.0.0.1",
            port=self.port,
            tls_context=context,
            require_starttls=True,
            auth_required=True,
            authenticator=self._authenticate,
            enable_SMTPUTF8=False,
        )
        self._controller.start()

    def forget(self) -> None:
        """Begin anew: nothing was delivered, nothing is refused."""
        self.delivered: list[tuple[frozenset[str], bytes]] = []
        self.refuse: dict[str, str] = {}
        self.data_answer = ""
        self.dies = False
        self.logins = 0

    @property
    def url(self) -> str:
        """Written form of its address."""
        return f"smtp://127.0.0.1:{self.port}"

    def close(self) -> None:
        """End the server."""
        self._controller.stop()
        rmtree(self.top, ignore_errors=True)

    def _authenticate(
        self, _server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, data: Any
    ) -> AuthResult:
        self.logins += 1
        right = isinstance(data, LoginPassword) and data.password == PASSWORD.encode()
        return AuthResult(success=right, handled=False)

    async def handle_RCPT(  # noqa: N802  aiosmtpd's word
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: Any
    ) -> str:
        """Take or refuse a recipient."""
        if address in self.refuse:
            return self.refuse[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802  aiosmtpd's word
        self, server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        """Take a message."""
        if self.data_answer:
            return self.data_answer
        content = envelope.content
        assert isinstance(content, bytes)
        self.delivered.append((frozenset(envelope.rcpt_tos), content))
        if self.dies:
            assert isinstance(server.transport, asyncio.Transport)
            server.transport.abort()
        return "250 OK"
