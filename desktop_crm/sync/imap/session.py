"""One connection to an IMAP server: protected, signed in once, its errors told in sentences.

A refused password is asked with once and remembered: every further call says the same without
the network, because trying again would lock the account.
"""

from __future__ import annotations

import contextlib
import imaplib
import logging
import re
import ssl
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from imapclient import IMAPClient, SocketTimeout
from imapclient.exceptions import (
    CapabilityError,
    IMAPClientAbortError,
    IMAPClientError,
    LoginError,
    ProtocolError,
)

from desktop_crm.core.errors import CrmError, EnvironmentProblem, UserError
from desktop_crm.core.i18n import N_
from desktop_crm.services.mail.servers import mail_server
from desktop_crm.sync.refusals import busy, refused
from desktop_crm.sync.unknown_name import UNKNOWN_NAME, is_unknown_name

_log = logging.getLogger(__name__)
# Its debug lines hold what goes over the wire, the password among it.
logging.getLogger("imapclient").setLevel(logging.WARNING)

# Refusals that say nothing about the password (RFC 5530, and words servers use without a code).
_PASSING: Final = re.compile(
    r"\[(UNAVAILABLE|INUSE|LIMIT|SERVERBUG)\]|too many|try again|temporar", re.IGNORECASE
)
_ITSELF: Final = re.compile(r"\[(UNAVAILABLE|INUSE|LIMIT)\]", re.IGNORECASE)

LOOKED_S: Final = 5.0
"""How long what a server said of a folder is trusted while it tells of no change."""


@dataclass(frozen=True, slots=True)
class _Looked:
    """What the server said of the folder that is open to be read, and when."""

    name: str
    state: dict[bytes, Any]
    at: float


class Gone(Exception):
    """The folder is not on the server (any more); holds its name."""


class Session:
    """A connection that is made when it is first needed, and again after it broke.

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
        self._timeout = SocketTimeout(min(15.0, timeout_s), timeout_s)
        self._client: IMAPClient | None = None
        self._refused: UserError | None = None
        self._looked: _Looked | None = None

    @property
    def host(self) -> str:
        """Name of the server, for sentences."""
        return self._server.host

    @property
    def client(self) -> IMAPClient:
        """The signed-in connection; made now when there is none.

        Raises:
            UserError: login or password is refused.
            EnvironmentProblem: the server cannot be reached, or offers no protection.
        """
        if self._refused is not None:
            raise self._refused
        if self._client is None:
            with self.translated():
                self._client = self._connect()
        return self._client

    def offers(self, *capabilities: str) -> bool:
        """Whether the server offers one of these extensions."""
        with self.translated():
            return any(self.client.has_capability(name) for name in capabilities)

    def look(self, name: str) -> dict[bytes, Any]:
        """Open a folder to read it, or go on with it while the server tells of no change.

        Opening costs a server time that grows with the folder; asking for news does not.

        Raises:
            Gone: there is no such folder.
        """
        looked = self._looked
        if looked and looked.name == name and time.monotonic() - looked.at < LOOKED_S:
            try:
                _, news = self.client.noop()
            except (imaplib.IMAP4.abort, OSError):
                # Some servers hang up on whoever looks at a folder that was taken away.
                self.drop()
            else:
                if not news:
                    return looked.state
        return self.open(name)

    def open(self, name: str, *, writable: bool = False) -> dict[bytes, Any]:
        """Select a folder and return what the server says of it.

        Raises:
            Gone: there is no such folder.
        """
        self._looked = None
        with self.translated():
            try:
                state: dict[bytes, Any] = self.client.select_folder(name, readonly=not writable)
            except (IMAPClientAbortError, LoginError, ProtocolError):
                raise
            except IMAPClientError as error:
                if self._exists(name):
                    raise
                raise Gone(name) from error
        if not writable:
            self._looked = _Looked(name, state, time.monotonic())
        return state

    def _exists(self, name: str) -> bool:
        pattern = name.replace("*", "%")  # of the two wildcards only this one stays on its level
        return any(found == name for _, _, found in self.client.list_folders(pattern=pattern))

    def close(self) -> None:
        """Say goodbye; the next use connects anew."""
        if self._client is not None:
            with contextlib.suppress(OSError, imaplib.IMAP4.error, ValueError):
                self._client.logout()
            self.drop()

    def drop(self) -> None:
        """Forget a connection, whether it is in order or not."""
        client, self._client = self._client, None
        self._looked = None
        if client is not None:
            _shut(client)

    def _connect(self) -> IMAPClient:
        server = self._server
        context = tls_context(self._ca_file)
        client = IMAPClient(
            server.host,
            server.port,
            ssl=server.tls,
            ssl_context=context if server.tls else None,
            timeout=self._timeout,
        )
        try:
            client.normalise_times = False
            if not server.tls:
                self._protect(client, context)
            self._sign_in(client)
            if client.has_capability("ENABLE") and client.has_capability("CONDSTORE"):
                # Some servers begin to count changes of a folder when they are first asked to.
                client.enable("CONDSTORE")
        except BaseException:
            _shut(client)
            raise
        return client

    def _protect(self, client: IMAPClient, context: ssl.SSLContext) -> None:
        if client.has_capability("STARTTLS"):
            client.starttls(context)
        elif not self._server.is_loopback:
            raise unprotected(self.host)

    def _sign_in(self, client: IMAPClient) -> None:
        try:
            if client.has_capability("AUTH=PLAIN"):
                client.plain_login(self._login, self._password)
            elif client.has_capability("LOGINDISABLED"):
                raise EnvironmentProblem(
                    N_(
                        "The server {server} takes no password over this connection. Nothing was "
                        "changed; ask its administrator for a login with a password."
                    ),
                    server=self.host,
                )
            else:
                client.login(self._login, self._password)
        except (LoginError, UnicodeEncodeError) as error:
            if isinstance(error.__context__, imaplib.IMAP4.abort):
                # The library calls a connection that ends here a refusal, too.
                raise error.__context__ from error
            if _PASSING.search(str(error)):
                raise busy(self.host) from error
            self._refused = refused(self.host, self._login)
            raise self._refused from error

    @contextmanager
    def translated(self) -> Iterator[None]:
        """Turn the library's and the network's errors into sentences; a broken line is dropped."""
        try:
            yield
        except CrmError:
            raise
        except (imaplib.IMAP4.error, OSError, ProtocolError, CapabilityError) as error:
            _log.warning("%s: %s: %s", self.host, type(error).__name__, str(error)[:300])
            if isinstance(error, imaplib.IMAP4.abort | OSError | ProtocolError):
                self.drop()
            raise problem_of(error, self.host) from error


def passes(error: Exception) -> bool:
    """Whether a server refuses something for now and not for good."""
    return isinstance(error, IMAPClientError) and _PASSING.search(str(error)) is not None


def is_of_server(error: Exception) -> bool:
    """Whether a refusal tells of the whole server (RFC 5530), whatever it was asked for."""
    return isinstance(error, IMAPClientError) and _ITSELF.search(str(error)) is not None


def _shut(client: IMAPClient) -> None:
    with contextlib.suppress(OSError, imaplib.IMAP4.error, ValueError):
        client.shutdown()


def tls_context(ca_file: str) -> ssl.SSLContext:
    """Context that checks certificate and host name; by the file alone where one is given."""
    return ssl.create_default_context(cafile=ca_file or None)


def unprotected(server: str) -> EnvironmentProblem:
    """The sentence about a server that would read the password without TLS."""
    return EnvironmentProblem(
        N_(
            "The server {server} offers no protected connection, so the password was not sent. "
            "Nothing was changed; use its port for TLS."
        ),
        server=server,
    )


def problem_of(error: Exception, server: str) -> EnvironmentProblem:
    """What happened, what was kept and what to do, for an error of a connection."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return EnvironmentProblem(
            N_(
                "The certificate of {server} is not signed by an authority this computer knows, or "
                "is for another name ({problem}). Nothing was changed; give the file of your own "
                "authority in the settings of the mailbox."
            ),
            server=server,
            problem=error.verify_message,
        )
    if isinstance(error, ssl.SSLError) and error.reason in (
        "WRONG_VERSION_NUMBER",
        "RECORD_LAYER_FAILURE",
    ):
        return EnvironmentProblem(
            N_(
                "The server {server} does not speak TLS on this port. Nothing was changed; check "
                "the port, or write the address for STARTTLS."
            ),
            server=server,
        )
    if isinstance(error, FileNotFoundError):
        return EnvironmentProblem(
            N_(
                "The certificate authority file of the mailbox is no longer there. What was read "
                "so far is kept; choose it again in the settings of the mailbox."
            ),
            server=server,
        )
    if is_unknown_name(error):
        return EnvironmentProblem(UNKNOWN_NAME, retryable=True, server=server)
    if isinstance(error, OSError | imaplib.IMAP4.abort):
        return EnvironmentProblem(
            N_(
                "The server {server} cannot be reached or did not answer in time. What was read so "
                "far is kept; try again later."
            ),
            retryable=True,
            server=server,
        )
    if passes(error):
        return busy(server)
    return EnvironmentProblem(
        N_("The server {server} answered with an error ({problem}). What was read so far is kept."),
        retryable=isinstance(error, ProtocolError),
        server=server,
        problem=str(error)[:200],
    )


def in_steps(numbers: Sequence[int], size: int) -> Iterator[Sequence[int]]:
    """Numbers in pieces of at most `size`."""
    for start in range(0, len(numbers), size):
        yield numbers[start : start + size]
