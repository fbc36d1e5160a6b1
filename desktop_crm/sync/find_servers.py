"""Which servers a mail address leads to: the provider's own words first, then names that answer.

Source: the autoconfiguration file of Mozilla's mail programs, RFC 6186 and 8314 (service records
of mail), RFC 6764 (of calendars and contacts). Nothing is signed in to and no password is used.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Protocol
from urllib.parse import quote

from lxml import etree

from desktop_crm.core.i18n import tr

_PARSER: Final = etree.XMLParser(resolve_entities=False, no_network=True)
_GUESSES: Final = (
    ("imap", (("imaps", "imap", 993), ("imaps", "mail", 993), ("imap", "imap", 143))),
    (
        "smtp",
        (
            ("smtps", "smtp", 465), ("smtps", "mail", 465),
            ("smtp", "smtp", 587), ("smtp", "mail", 587),
        ),
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Servers:
    """What was found: written forms of the addresses, empty where there is none.

    `login` is empty when it is the address; `source` says who named the servers.
    """

    imap: str
    smtp: str = ""
    dav: str = ""
    login: str = ""
    source: str = ""

    @property
    def addresses(self) -> tuple[str, ...]:
        """Addresses of all of them."""
        return tuple(one for one in (self.imap, self.smtp, *self.dav.split()) if one)


class Lookups(Protocol):
    """The questions that are put to the network; each may take seconds."""

    def services(self, name: str) -> list[tuple[str, int]]:
        """Hosts and ports of a service record, the preferred one first."""
        ...

    def file(self, url: str) -> bytes | None:
        """A file of the web; None when it is not there."""
        ...

    def listens(self, host: str, port: int) -> bool:
        """Whether something takes connections there."""
        ...


def by_file(address: str, domain: str, lookups: Lookups) -> Servers | None:
    """What the domain itself says, over TLS, in the file mail programs ask for."""
    asked = quote(address)
    for url in (
        f"https://autoconfig.{domain}/mail/config-v1.1.xml?emailaddress={asked}",
        f"https://{domain}/.well-known/autoconfig/mail/config-v1.1.xml?emailaddress={asked}",
    ):
        data = lookups.file(url)
        found = _read_file(data, address) if data else None
        if found is not None:
            return Servers(
                found.imap, found.smtp, found.dav or _dav(domain, lookups), found.login,
                tr("the provider's settings file"),
            )  # fmt: skip
    return None


def _read_file(data: bytes, address: str) -> Servers | None:
    try:
        root = etree.fromstring(data, _PARSER)
    except (etree.XMLSyntaxError, ValueError):
        return None
    imap = next(_servers(root.iterfind(".//incomingServer[@type='imap']"), "imap"), None)
    if imap is None:
        return None
    smtp = next(_servers(root.iterfind(".//outgoingServer[@type='smtp']"), "smtp"), ("", ""))
    places = [
        (one.findtext("serverURL") or "").strip()
        for kind in ("calendar", "addressBook")
        for one in root.iterfind(f".//{kind}")
    ]
    dav = " ".join(dict.fromkeys(url for url in places if url.startswith("https://")))
    return Servers(imap[0], smtp[0], dav, _login(imap[1], address))


def _servers(elements: Iterable[etree._Element], protocol: str) -> Iterator[tuple[str, str]]:
    """Protected servers with the form of their login, in the provider's order."""
    for one in elements:
        host = (one.findtext("hostname") or "").strip()
        port = (one.findtext("port") or "").strip()
        kind = (one.findtext("socketType") or "").strip().upper()
        if host and port.isdigit() and kind in ("SSL", "STARTTLS"):
            scheme = f"{protocol}s" if kind == "SSL" else protocol
            yield f"{scheme}://{host}:{port}", (one.findtext("username") or "").strip()


def _login(form: str, address: str) -> str:
    local, _, domain = address.partition("@")
    login = form.replace("%EMAILADDRESS%", address).replace("%EMAILLOCALPART%", local)
    login = login.replace("%EMAILDOMAIN%", domain)
    return "" if login == address or "%" in login else login


def by_records(domain: str, lookups: Lookups) -> Servers | None:
    """What the domain's service records say; without DNSSEC anybody on the way may have."""
    imap = _record(lookups, domain, ("imaps", "imaps"), ("imap", "imap"))
    if not imap:
        return None
    smtp = _record(lookups, domain, ("submissions", "smtps"), ("submission", "smtp"))
    return Servers(imap, smtp, _dav(domain, lookups), "", tr("the domain's service records"))


def _record(lookups: Lookups, domain: str, *kinds: tuple[str, str]) -> str:
    for service, scheme in kinds:
        for host, port in lookups.services(f"_{service}._tcp.{domain}"):
            return f"{scheme}://{host}:{port}"
    return ""


def _dav(domain: str, lookups: Lookups) -> str:
    found: list[str] = []
    for service in ("caldavs", "carddavs"):
        for host, port in lookups.services(f"_{service}._tcp.{domain}")[:1]:
            found.append(f"https://{host}" if port == 443 else f"https://{host}:{port}")
    return " ".join(dict.fromkeys(found))


def by_guess(domain: str, lookups: Lookups) -> Servers | None:
    """Names under which most providers answer."""
    found: dict[str, str] = {}
    for protocol, guesses in _GUESSES:
        for scheme, name, port in guesses:
            if lookups.listens(f"{name}.{domain}", port):
                found[protocol] = f"{scheme}://{name}.{domain}:{port}"
                break
    if "imap" not in found:
        return None
    dav = _dav(domain, lookups)
    return Servers(found["imap"], found.get("smtp", ""), dav, "", tr("usual names"))
