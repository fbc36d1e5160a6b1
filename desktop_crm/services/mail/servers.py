"""Addresses of mail and calendar servers: from what a person types to one written form.

The scheme says how a connection is protected: `imaps` and `smtps` by TLS from the first byte,
`imap` and `smtp` by STARTTLS, which is then demanded. Nothing here asks the network.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from desktop_crm.core.errors import UserError
from desktop_crm.core.i18n import N_

_PORTS: Final = {"imaps": 993, "imap": 143, "smtps": 465, "smtp": 587}
# A host alone means what nearly every provider offers and RFC 8314 asks for.
_USUAL: Final = {"imap": "imaps", "smtp": "smtps"}


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where a mail server listens; `tls` means TLS from the first byte, else STARTTLS."""

    host: str
    port: int
    tls: bool

    @property
    def is_loopback(self) -> bool:
        """Whether it runs on this computer, where a connection may be unprotected."""
        return is_loopback(self.host)


def imap_address(text: str) -> str:
    """Written form of an IMAP server: `imaps://host:port`, or `imap://` for STARTTLS.

    Raises:
        UserError: it is no address of an IMAP server.
    """
    return _address(text, "imap", "server")


def smtp_address(text: str) -> str:
    """Written form of an SMTP server: `smtps://host:port`, or `smtp://` for STARTTLS.

    Raises:
        UserError: it is no address of an SMTP server.
    """
    return _address(text, "smtp", "smtp_server")


def _address(text: str, protocol: str, field: str) -> str:
    written = text.strip()
    bare = "://" not in written
    try:
        parts = urlsplit(f"{_USUAL[protocol]}://{written}" if bare else written)
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
        parts = urlsplit("")
    schemes = (protocol, f"{protocol}s")
    nonsense = parts.username or parts.path.strip("/") or parts.query or " " in written
    if not host or nonsense or parts.scheme not in schemes:
        raise UserError(
            N_(
                '"{server}" is no server address; write a host name, or {scheme}://host:port '
                "(without the s for STARTTLS)."
            ),
            field=field,
            server=text,
            scheme=f"{protocol}s",
        )
    scheme = parts.scheme
    if bare and port == _PORTS[protocol]:
        scheme = protocol
    name = f"[{host}]" if ":" in host else host
    return f"{scheme}://{name}:{port or _PORTS[scheme]}"


def mail_server(address: str) -> MailServer:
    """Host, port and protection of a written form."""
    parts = urlsplit(address)
    port = parts.port or _PORTS[parts.scheme]
    return MailServer(parts.hostname or "", port, tls=parts.scheme in ("imaps", "smtps"))


def web_address(text: str, field: str) -> str:
    """Address of a web service: https, or plain http on this computer only.

    Raises:
        UserError: it is no address, or plain http to another machine.
    """
    written = text.strip()
    url = written if "://" in written else f"https://{written}"
    try:
        parts = urlsplit(url)
        host = parts.hostname
        _ = parts.port
    except ValueError:
        host = None
    if not host or " " in url or parts.scheme not in ("https", "http") or parts.username:
        raise UserError(
            N_('"{server}" is no server address; write a host name or an https URL.'),
            field=field,
            server=text,
        )
    if parts.scheme == "http" and not is_loopback(host):
        raise UserError(
            N_(
                'The address "{server}" would send the password unprotected; write https. '
                "Plain http is for servers on this computer only."
            ),
            field=field,
            server=text,
        )
    return f"{parts.scheme}://{parts.netloc}{parts.path}"


def is_loopback(host: str) -> bool:
    """Whether a host name or address is this computer."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
