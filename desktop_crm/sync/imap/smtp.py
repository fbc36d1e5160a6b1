"""Handing a message to an SMTP server, so that it is known what became of it.

A message leaves in one step, the answer to its last byte. Everything before that is refused or
broken off without anything having been sent; only when the connection breaks while that one answer
is waited for is it unknown, and said to be (:class:`Unsure`).
"""

from __future__ import annotations

import base64
import contextlib
import logging
import re
import smtplib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from email import message_from_bytes, policy
from typing import Final

from desktop_crm.core.errors import CrmError, EnvironmentProblem, UserError
from desktop_crm.core.i18n import N_
from desktop_crm.services.mail.servers import mail_server
from desktop_crm.sync.imap.session import problem_of, tls_context, unprotected
from desktop_crm.sync.refusals import busy, refused

_log = logging.getLogger(__name__)
_BREAK: Final = re.compile(rb"\r\n|\n|\r")
_DOT: Final = re.compile(rb"(?m)^\.")
_BLIND: Final = re.compile(rb"(?im)^(?:resent-)?bcc[ \t]*:.*\r\n(?:[ \t].*\r\n)*")


class Unsure(Exception):
    """The connection broke after the whole message was handed over and before it was confirmed."""


class Postman:
    """One SMTP server and one login; each message has a connection of its own.

    Args:
        address: written form of the server, see :mod:`desktop_crm.services.mail.servers`.
        login: what to sign in with.
        password: in memory only.
        ca_file: certificates of the authority to trust; empty trusts the system's.
        timeout_s: seconds to wait for one answer.
    """

    def __init__(
        self, address: str, login: str, password: str, *, ca_file: str = "", timeout_s: float = 60.0
    ) -> None:
        self._server = mail_server(address)
        self._login = login
        self._password = password
        self._ca_file = ca_file
        self._timeout = timeout_s
        self._refused: UserError | None = None

    @property
    def host(self) -> str:
        """Name of the server, for sentences."""
        return self._server.host

    def test(self) -> None:
        """Sign in and leave.

        Raises:
            UserError: login or password is refused.
            EnvironmentProblem: the server cannot be reached, or offers no protection.
        """
        with self._connected():
            pass

    def submit(
        self,
        sender: str,
        recipients: Sequence[str],
        mime: bytes,
        handing_over: Callable[[], None],
    ) -> None:
        """Send a message to all recipients or to none.

        Args:
            sender: address errors go back to.
            recipients: addresses, those in blind copy among them.
            mime: the message; who is in blind copy is taken out of its header.
            handing_over: called when everybody was accepted, before the message itself goes.

        Raises:
            UserError: the server refuses login, sender, a recipient or the message; nothing left.
            EnvironmentProblem: it could not be sent now; nothing left.
            Unsure: nobody knows whether it left.
        """
        data = blinded(mime)
        with self._connected() as smtp:
            options = self._options(smtp, (sender, *recipients), data)
            if "body=8bitmime" not in options:
                data = _seven_bit(data)
            self._answered(*smtp.mail(sender, options), sender)
            for recipient in dict.fromkeys(recipients):
                self._answered(*smtp.rcpt(recipient), recipient)
            self._answered(*smtp.docmd("DATA"), sender, good=354)
            handing_over()
            body = data if data.endswith(b"\r\n") else data + b"\r\n"
            smtp.send(_DOT.sub(b"..", body) + b".\r\n")
            try:
                code, words = smtp.getreply()
            except OSError as error:
                raise Unsure(str(error)) from error
            if not 200 <= code < 600 or 300 <= code < 400:
                # Half an answer, or none of this protocol: it may have been taken.
                raise Unsure(f"{code} {_bytes(words)[:100]!r}")
            self._answered(code, words, sender)

    @contextmanager
    def _connected(self) -> Iterator[smtplib.SMTP]:
        """A signed-in connection, and the library's errors as sentences."""
        if self._refused is not None:
            raise self._refused
        try:
            with contextlib.closing(self._connect()) as smtp:
                self._protect(smtp)
                self._sign_in(smtp)
                yield smtp
                with contextlib.suppress(OSError):
                    smtp.quit()
        except (CrmError, Unsure):
            raise
        except smtplib.SMTPResponseException as error:
            self._answered(error.smtp_code, _bytes(error.smtp_error), self._login)
            raise
        except OSError as error:  # the library's own errors are of this kind, too
            _log.warning("%s: %s: %s", self.host, type(error).__name__, str(error)[:300])
            raise problem_of(error, self.host) from error

    def _connect(self) -> smtplib.SMTP:
        server = self._server
        if server.tls:
            context = tls_context(self._ca_file)
            return smtplib.SMTP_SSL(
                server.host, server.port, timeout=self._timeout, context=context
            )
        return smtplib.SMTP(server.host, server.port, timeout=self._timeout)

    def _protect(self, smtp: smtplib.SMTP) -> None:
        if self._server.tls:
            return
        self._greet(smtp)
        if smtp.has_extn("starttls"):
            smtp.starttls(context=tls_context(self._ca_file))
        elif not self._server.is_loopback:
            raise unprotected(self.host)

    def _greet(self, smtp: smtplib.SMTP) -> None:
        """Ask what the server offers; one that has no time now does not offer nothing."""
        code, _ = smtp.ehlo()
        if 400 <= code < 500:
            raise busy(self.host)

    def _sign_in(self, smtp: smtplib.SMTP) -> None:
        self._greet(smtp)
        if not smtp.has_extn("auth"):
            return  # a relay of one's own network asks for nothing
        try:
            if "PLAIN" in smtp.esmtp_features["auth"].upper():
                secret = f"\0{self._login}\0{self._password}".encode()
                code, words = smtp.docmd("AUTH", "PLAIN " + base64.b64encode(secret).decode())
                if code not in (235, 503):
                    raise smtplib.SMTPAuthenticationError(code, words)
            else:
                smtp.login(self._login, self._password)
        except (smtplib.SMTPAuthenticationError, UnicodeEncodeError) as error:
            if isinstance(error, smtplib.SMTPAuthenticationError) and error.smtp_code < 500:
                raise busy(self.host) from error
            self._refused = refused(self.host, self._login)
            raise self._refused from error

    def _options(self, smtp: smtplib.SMTP, addresses: Sequence[str], data: bytes) -> list[str]:
        options: list[str] = []
        if not data.isascii() and smtp.has_extn("8bitmime"):
            options.append("body=8bitmime")
        foreign = next((one for one in addresses if not one.isascii()), None)
        if foreign is not None:
            if not smtp.has_extn("smtputf8"):
                raise UserError(
                    N_(
                        "The server {server} takes no address with letters such as those of "
                        "{address}. Nothing was sent; use an address in plain letters."
                    ),
                    server=self.host,
                    address=foreign,
                )
            options.append("SMTPUTF8")
            smtp.command_encoding = "utf-8"
        return options

    def _answered(self, code: int, words: bytes | str, about: str, *, good: int = 250) -> None:
        """Raise what an answer means; one of the kind of the good one passes."""
        if code // 100 == good // 100:
            return
        said = f"{code} {_bytes(words).decode('utf-8', 'replace')}"[:300]
        if not 500 <= code < 600:
            raise EnvironmentProblem(
                N_(
                    "The server {server} does not take the message now ({problem}). Nothing was "
                    "sent; it is tried again later."
                ),
                retryable=True,
                server=self.host,
                problem=said,
            )
        raise UserError(
            N_("The server {server} refuses {address}: {problem} Nothing was sent to anybody."),
            server=self.host,
            address=about,
            problem=said,
        )


def blinded(mime: bytes) -> bytes:
    """The message as it goes over the wire: with CRLF, and nobody in blind copy in its header."""
    head, gap, body = crlf(mime).partition(b"\r\n\r\n")
    return _BLIND.sub(b"", head + b"\r\n") + gap[2:] + body


def crlf(mime: bytes) -> bytes:
    """The message with the line ends that mail has on the wire."""
    return _BREAK.sub(b"\r\n", mime)


def _seven_bit(data: bytes) -> bytes:
    if data.isascii():
        return data
    plain = policy.compat32.clone(cte_type="7bit", linesep="\r\n")
    return message_from_bytes(data, policy=plain).as_bytes(policy=plain)


def _bytes(words: bytes | str) -> bytes:
    return words if isinstance(words, bytes) else words.encode("utf-8", "replace")
