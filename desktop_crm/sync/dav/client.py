"""Requests to a CalDAV or CardDAV server, its answers as values and its errors as sentences.

A refused password is asked with once and remembered. A password goes only where the address says
and to other hosts of the same domain, over TLS or on this computer.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote, unquote, urljoin, urlsplit

import requests
from lxml import etree
from requests.auth import HTTPBasicAuth, HTTPDigestAuth

from desktop_crm.core.errors import EnvironmentProblem, UserError
from desktop_crm.core.i18n import N_
from desktop_crm.services.mail.servers import is_loopback
from desktop_crm.sync.answer_limit import LimitedAdapter, TooLarge
from desktop_crm.sync.refusals import busy, refused
from desktop_crm.sync.unknown_name import UNKNOWN_NAME, is_unknown_name

_log = logging.getLogger(__name__)

DAV: Final = "{DAV:}"
CAL: Final = "{urn:ietf:params:xml:ns:caldav}"
CARD: Final = "{urn:ietf:params:xml:ns:carddav}"
CS: Final = "{http://calendarserver.org/ns/}"
_NAMESPACES: Final = {"d": DAV[1:-1], "c": CAL[1:-1], "r": CARD[1:-1], "s": CS[1:-1]}
_PARSER: Final = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True)
_REDIRECTS: Final = 5
_SAFE: Final = "/@:~!$&'()*+,;=-._"


class Missing(Exception):
    """There is nothing at the address (any more)."""


class Newer(Exception):
    """What is there is not what the condition of the request names."""


class Denied(Exception):
    """The server refuses the request for good; holds its words."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server said of one resource: its path, and what it gave of what was asked for."""

    path: str
    status: int
    properties: dict[str, Any] = field(default_factory=dict)

    def text(self, name: str) -> str:
        """Text of a property; empty when it was not given."""
        element = self.properties.get(name)
        return (element.text or "").strip() if element is not None else ""

    def paths(self, name: str) -> list[str]:
        """The addresses a property holds, as written."""
        element = self.properties.get(name)
        found = element.iter(f"{DAV}href") if element is not None else ()
        return [href.text.strip() for href in found if href.text]


class DavClient:
    """One server and one login.

    Args:
        url: where to begin.
        login: what to sign in with.
        password: in memory only.
        ca_file: certificates of the authority to trust; empty trusts the usual ones.
        timeout_s: seconds to wait for one answer.
    """

    def __init__(
        self, url: str, login: str, password: str, *, ca_file: str = "", timeout_s: float = 60.0
    ) -> None:
        self.url = url
        self._login = login
        self._password = password
        self._ca_file = ca_file
        self._timeout = (min(15.0, timeout_s), timeout_s)
        self._session: requests.Session | None = None
        self._refused: UserError | None = None

    @property
    def host(self) -> str:
        """Name of the server, for sentences."""
        return urlsplit(self.url).hostname or self.url

    def close(self) -> None:
        """Close the connection; the next request opens another."""
        session, self._session = self._session, None
        if session is not None:
            session.close()

    def at(self, path: str) -> str:
        """URL of a path on the server."""
        return urljoin(self.url, path)

    def send(
        self,
        method: str,
        url: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """Send one request and return its answer, which is a success.

        Raises:
            UserError: login or password is refused.
            EnvironmentProblem: the server cannot be reached or does not answer properly.
            TooLarge: the answer is larger than what is read.
            Missing: there is nothing at the address.
            Newer: a condition of the request does not hold.
            Denied: the server does not do this.
        """
        if self._refused is not None:
            raise self._refused
        for _ in range(_REDIRECTS):
            response = self._once(method, url, body, headers or {})
            if response.status_code not in (301, 302, 307, 308):
                self._check(response)
                return response
            url = self._elsewhere(url, response.headers.get("Location", ""))
        raise self._odd("too many redirects")

    def ask(
        self, method: str, path: str, body: bytes, depth: str = "0"
    ) -> tuple[list[Answer], Any]:
        """Send a PROPFIND or REPORT; the answers, and the whole document.

        Raises:
            EnvironmentProblem: the answer is none of this protocol.
        """
        headers = {"Depth": depth, "Content-Type": "application/xml; charset=utf-8"}
        response = self.send(method, self.at(path), body, headers)
        try:
            root = etree.fromstring(self.content(response), _PARSER)
        except (etree.XMLSyntaxError, ValueError) as error:
            raise self._odd(str(error)) from error
        if root.tag != f"{DAV}multistatus":
            raise self._odd(str(root.tag))
        return [_answer(element) for element in root.findall(f"{DAV}response")], root

    def find(self, path: str, *names: str, depth: str = "0") -> list[Answer]:
        """Ask for properties of a resource, or with depth 1 of those in it, too."""
        wanted = xml("d:propfind", "d:prop", names)
        return self.ask("PROPFIND", path, wanted, depth)[0]

    def _once(
        self, method: str, url: str, body: bytes | None, headers: Mapping[str, str]
    ) -> requests.Response:
        if self._session is None:
            self._session = requests.Session()
            self._session.mount("https://", LimitedAdapter())
            self._session.mount("http://", LimitedAdapter())
            self._session.headers["User-Agent"] = "desktop-crm"
            self._session.auth = HTTPBasicAuth(self._login.encode(), self._password.encode())
        response = self._request(method, url, body, headers)
        asked = response.headers.get("WWW-Authenticate", "").lower()
        basic = isinstance(self._session.auth, HTTPBasicAuth)
        if response.status_code == 401 and basic and "digest" in asked and "basic" not in asked:
            self._session.auth = HTTPDigestAuth(self._login, self._password)
            response = self._request(method, url, body, headers)
        return response

    def _request(
        self, method: str, url: str, body: bytes | None, headers: Mapping[str, str]
    ) -> requests.Response:
        assert self._session is not None  # noqa: S101  made by the caller
        try:
            return self._session.request(
                method,
                url,
                data=body,
                headers=dict(headers),
                timeout=self._timeout,
                verify=self._ca_file or True,
                allow_redirects=False,
            )
        except TooLarge:
            self.close()
            raise
        except (requests.RequestException, UnicodeError) as error:
            _log.warning("%s: %s: %s", self.host, type(error).__name__, str(error)[:300])
            self.close()
            if "CERTIFICATE_VERIFY_FAILED" in str(error):
                raise EnvironmentProblem(
                    N_(
                        "The certificate of {server} is not signed by an authority this computer "
                        "knows. Nothing was changed; give the file of your own authority in the "
                        "settings of the mailbox."
                    ),
                    server=self.host,
                ) from error
            if is_unknown_name(error):
                problem = EnvironmentProblem(UNKNOWN_NAME, retryable=True, server=self.host)
                raise problem from error
            raise self._unanswered() from error

    def content(self, response: requests.Response) -> bytes:
        """What an answer holds that must hold something.

        Raises:
            EnvironmentProblem: it holds nothing: the connection broke before its content, which
                the library takes for the end of one without.
        """
        if not response.content:
            self.close()
            raise self._unanswered()
        return response.content

    def _unanswered(self) -> EnvironmentProblem:
        return EnvironmentProblem(
            N_(
                "The server {server} cannot be reached or did not answer in time. What was read "
                "so far is kept; try again later."
            ),
            retryable=True,
            server=self.host,
        )

    def _check(self, response: requests.Response) -> None:
        status = response.status_code
        if status < 400:
            return
        _log.info("%s: %s", self.host, status)
        if status == 401:
            self._refused = refused(self.host, self._login)
            raise self._refused
        if status in (404, 410):
            raise Missing(response.url)
        if status == 412:
            raise Newer(response.url)
        if status in (429, 503):
            problem = busy(self.host)
            waits = response.headers.get("Retry-After", "")
            seconds = float(waits) if waits.isdigit() else None
            problem.params = {**problem.params, "retry_after": seconds}
            raise problem
        if status in (403, 405, 409, 415, 501):
            raise Denied(f"{status} {_words(response)}".strip())
        raise EnvironmentProblem(
            N_(
                "The server {server} answered with an error ({problem}). What was read so far is "
                "kept."
            ),
            retryable=status >= 500,
            server=self.host,
            problem=f"HTTP {status}",
        )

    def _elsewhere(self, url: str, location: str) -> str:
        target = urljoin(url, location)
        old, new = urlsplit(url), urlsplit(target)
        if new.hostname is None or not location:
            raise self._odd("redirect without an address")
        protected = new.scheme == "https" or is_loopback(new.hostname)
        if not protected or _domain(old.hostname or "") != _domain(new.hostname):
            raise EnvironmentProblem(
                N_(
                    "The server {server} sends the request elsewhere ({problem}). Nothing was "
                    "changed; enter that address if it is yours."
                ),
                server=self.host,
                problem=f"{new.scheme}://{new.netloc}",
            )
        return target

    def _odd(self, problem: str) -> EnvironmentProblem:
        return EnvironmentProblem(
            N_(
                "The server {server} answered with something that is no calendar or address book "
                "({problem}). What was read so far is kept; check the address."
            ),
            server=self.host,
            problem=problem[:200],
        )


def path_of(href: str) -> str:
    """The path of an address in one spelling, whatever letters the server escapes."""
    return quote(unquote(urlsplit(href).path), safe=_SAFE)


def xml(root: str, inner: str, names: tuple[str, ...] | list[str], *more: Any) -> bytes:  # noqa: ANN401  lxml elements
    """A request's body: a root with an element that names properties, and other elements."""
    top = etree.Element(tag(root), nsmap=_NAMESPACES)
    properties = etree.SubElement(top, tag(inner))
    for name in names:
        etree.SubElement(properties, name)
    for element in more:
        top.append(element)
    return bytes(etree.tostring(top, xml_declaration=True, encoding="utf-8"))


def node(name: str, text: str = "", **attributes: str) -> Any:  # noqa: ANN401  an lxml element
    """An element with a text."""
    made = etree.Element(tag(name), dict(attributes))
    made.text = text or None
    return made


def tag(name: str) -> str:
    """Full name of an element written as `d:prop`."""
    prefix, _, local = name.partition(":")
    return f"{{{_NAMESPACES[prefix]}}}{local}"


def _answer(element: Any) -> Answer:  # noqa: ANN401  an lxml element
    path = path_of((element.findtext(f"{DAV}href") or "").strip())
    status = _status(element.findtext(f"{DAV}status"))
    found: dict[str, Any] = {}
    for part in element.findall(f"{DAV}propstat"):
        if _status(part.findtext(f"{DAV}status")) in (0, 200):
            found |= {one.tag: one for one in _properties(part)}
    return Answer(path, status or 200, found)


def _properties(part: Any) -> Iterator[Any]:  # noqa: ANN401  lxml elements
    for holder in part.findall(f"{DAV}prop"):
        yield from holder


def _status(line: str | None) -> int:
    words = (line or "").split()
    return int(words[1]) if len(words) > 1 and words[1].isdigit() else 0


def _words(response: requests.Response) -> str:
    """What a server says of its refusal: the names of the conditions that do not hold."""
    try:
        root = etree.fromstring(response.content, _PARSER)
    except (etree.XMLSyntaxError, ValueError):
        return ""
    names = [etree.QName(one).localname for one in root if isinstance(one.tag, str)]
    return ", ".join(names)[:200]


def _domain(host: str) -> str:
    return host if is_loopback(host) else ".".join(host.split(".")[-2:])
