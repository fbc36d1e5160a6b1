"""Finding the Exchange server of an address, as Outlook does it, and more carefully.

A host is asked without a password first; one that answers with anything but a challenge never
sees it. A password goes only over TLS to the address's own domain: where an answer leads to
another one, that host is named and a person decides. A password that was refused is not tried at
the next host. Nothing is kept on disk: what is found becomes the address of the mailbox.

Source: the plain-XML protocol of [MS-OXDSCLI], which every version on premises answers.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import urljoin, urlsplit

import requests
from exchangelib.errors import EWSError, UnauthorizedError
from lxml import etree

from desktop_crm.core.errors import CrmError, EnvironmentProblem, UserError
from desktop_crm.core.i18n import N_
from desktop_crm.services.mail.servers import is_loopback
from desktop_crm.sync.exchange import signin
from desktop_crm.sync.exchange.problems import problem_of

_log = logging.getLogger(__name__)

_PATH: Final = "/autodiscover/autodiscover.xml"
_REQUEST: Final = "http://schemas.microsoft.com/exchange/autodiscover/outlook/requestschema/2006"
_ANSWER: Final = "{http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a}"
_KINDS: Final = ("EXPR", "EXHTTP", "WEB", "EXCH")
"""Protocols in the order in which their address is likely to be reachable from outside."""

_HOPS: Final = 4
TIMEOUT_S: Final = (5.0, 10.0)
_SILENT: Final = (requests.RequestException, EWSError, etree.XMLSyntaxError, signin.NoSignIn)
_PARSER: Final = etree.XMLParser(resolve_entities=False, no_network=True)


class _Elsewhere(Exception):
    """The answer leads to a host of another domain; holds that host."""


def places(domain: str) -> Sequence[str]:
    """Where the servers of a domain answer."""
    return (f"https://autodiscover.{domain}{_PATH}", f"https://{domain}{_PATH}")


def signpost(domain: str) -> str:
    """Where a domain says without protection who answers for it; never gets a password."""
    return f"http://autodiscover.{domain}{_PATH}"


def find_server(address: str, sign_in: signin.SignIn) -> str:
    """URL of the web services of the server that holds an address's mailbox.

    Cost: at most three hosts, and fifteen seconds for each that does not answer.

    Raises:
        UserError: login or password is refused, or the answer leads to another domain.
        EnvironmentProblem: no host of the domain answers as an Exchange server.
    """
    domain = address.rpartition("@")[2].encode("idna").decode("ascii").lower()
    elsewhere = ""
    asked: list[str] = [*places(domain), ""]
    for place in asked:
        try:
            with signin.raw_session(sign_in) as session:
                start = place or _pointed(session, domain)
                found = _ask(session, start, address, domain, sign_in)
        except UnauthorizedError as error:
            raise problem_of(error, signin.host_of(place), sign_in.login) from error
        except _Elsewhere as error:
            elsewhere = elsewhere or str(error)
        except (
            requests.RequestException,
            EWSError,
            etree.XMLSyntaxError,
            signin.NoSignIn,
        ) as error:
            _log.info("%s does not tell of %s: %s", signin.host_of(place), domain, error)
        except (signin.NoTicket, signin.BadCertificate) as error:
            raise problem_of(error, signin.host_of(place), sign_in.login) from error
        else:
            if found:
                return found
    raise _nothing(address, domain, elsewhere)


def _nothing(address: str, domain: str, elsewhere: str) -> CrmError:
    if elsewhere:
        return UserError(
            N_(
                "The domain {domain} says that {host} holds the mailbox. Your password was not "
                "sent there; if that is right, enter it as the server."
            ),
            field="server",
            domain=domain,
            host=elsewhere,
        )
    return EnvironmentProblem(
        N_(
            "No Exchange server was found for {address}. Nothing was changed; enter the address "
            "of the server, its administrator knows it."
        ),
        address=address,
    )


def _ask(
    session: requests.Session, place: str, address: str, domain: str, sign_in: signin.SignIn
) -> str:
    """URL that a host tells, following it where it may; empty when it tells none."""
    for _ in range(_HOPS):
        answer = _sent(session, place, address, sign_in)
        if answer.is_redirect:
            place = _allowed(urljoin(place, answer.headers["Location"]), domain)
            continue
        if answer.status_code != 200:
            return ""
        root = etree.fromstring(answer.content, parser=_PARSER)
        onward = root.findtext(f".//{_ANSWER}RedirectUrl")
        other = root.findtext(f".//{_ANSWER}RedirectAddr")
        if onward:
            place = _allowed(onward, domain)
        elif other and "@" in other:
            address = other
            place = _allowed(places(other.rpartition("@")[2].lower())[0], domain)
        else:
            return _told(root)
    return ""


def _pointed(session: requests.Session, domain: str) -> str:
    """Where the domain's unprotected signpost leads; it is asked without any sign-in.

    Raises:
        _Elsewhere: a person must say first whether it is right.
        RequestException: there is none.
    """
    answer = session.get(signpost(domain), allow_redirects=False, timeout=TIMEOUT_S)
    if not answer.is_redirect:
        raise requests.RequestException(f"HTTP {answer.status_code}")
    return _allowed(urljoin(answer.url, answer.headers["Location"]), domain)


def _sent(
    session: requests.Session, place: str, address: str, sign_in: signin.SignIn
) -> requests.Response:
    """Answer of a host, signed in to where it asks for that."""
    options: dict[str, Any] = {"allow_redirects": False, "timeout": TIMEOUT_S}
    body = (
        f'<Autodiscover xmlns="{_REQUEST}"><Request><EMailAddress>{address}</EMailAddress>'
        f"<AcceptableResponseSchema>{_ANSWER[1:-1]}</AcceptableResponseSchema></Request>"
        "</Autodiscover>"
    )
    bare = session.post(place, data=body.encode(), **options)
    if bare.status_code != 401:
        return bare
    session.auth = signin.auth_of(signin.auth_type_of(bare, sign_in), sign_in)
    answer = session.post(place, data=body.encode(), **options)
    if answer.status_code in (401, 403):
        raise UnauthorizedError(f"HTTP {answer.status_code}")
    return answer


def _protected(place: str) -> bool:
    parts = urlsplit(place)
    return parts.scheme == "https" or is_loopback(parts.hostname or "")


def _allowed(place: str, domain: str) -> str:
    """The place, if it is a protected one of the domain.

    Raises:
        _Elsewhere: a person must say first whether it is right.
    """
    host = (urlsplit(place).hostname or "").lower()
    own = host == domain or host.endswith(f".{domain}") or is_loopback(host)
    if not own or not _protected(place):
        raise _Elsewhere(host or place)
    return place


def _told(root: etree._Element) -> str:
    found = {
        protocol.findtext(f"{_ANSWER}Type", "").upper(): protocol.findtext(f"{_ANSWER}EwsUrl", "")
        for protocol in root.iter(f"{_ANSWER}Protocol")
    }
    return next((found[kind].strip() for kind in _KINDS if found.get(kind)), "")
