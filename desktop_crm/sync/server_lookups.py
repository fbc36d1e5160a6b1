"""Questions about servers, put to the network; a missing answer is no problem."""

from __future__ import annotations

import logging
import re
import socket
from typing import Any, Final, Literal

import requests
from dns.exception import DNSException
from dns.resolver import Resolver

_log = logging.getLogger(__name__)
PATIENCE_S: Final = 5.0
"""Seconds to wait for each answer."""

_LARGEST: Final = 1_000_000

CLOUD_SIGN_IN: Final = "https://login.microsoftonline.com"
"""Tells which directory a domain belongs to, without a sign-in."""

_DIRECTORY: Final = re.compile(r"/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})/")


class NetworkLookups:
    """Asks the name service, the web and the hosts themselves."""

    def services(self, name: str) -> list[tuple[str, int]]:
        """Hosts and ports of a service record, the preferred one first."""
        answers = sorted(_records(name, "SRV"), key=lambda one: (one.priority, -one.weight))
        found = [(one.target.to_text(omit_final_dot=True), int(one.port)) for one in answers]
        # A single dot says that there is no such service.
        return [(host, port) for host, port in found if host and host != "."]

    def mail_hosts(self, domain: str) -> list[str]:
        """Hosts that take in a domain's mail, the preferred one first, in lower case."""
        found = sorted(_records(domain, "MX"), key=lambda one: one.preference)
        return [one.exchange.to_text(omit_final_dot=True).lower() for one in found]

    def alias(self, name: str) -> str:
        """The name another name stands for, in lower case; empty when it stands for itself."""
        found = [one.target.to_text(omit_final_dot=True) for one in _records(name, "CNAME")]
        return found[0].lower() if found else ""

    def directory(self, domain: str) -> str:
        """Id of a domain's directory in Microsoft 365; empty when it has none.

        Only the domain is told, not the person's address.
        """
        data = self.file(f"{CLOUD_SIGN_IN}/{domain}/v2.0/.well-known/openid-configuration")
        found = _DIRECTORY.search(data.decode("utf-8", "replace")) if data else None
        return found[1] if found else ""

    def challenges(self, url: str) -> bool:
        """Whether an address asks for a sign-in; it is asked without one."""
        try:
            answer = requests.get(url, timeout=PATIENCE_S, stream=True, allow_redirects=False)
        except (requests.RequestException, OSError) as error:
            _log.info("%s: %s", url, error)
            return False
        with answer:
            return answer.status_code == 401 and "WWW-Authenticate" in answer.headers

    def file(self, url: str) -> bytes | None:
        """A file of the web; None when it is not there."""
        try:
            with requests.get(url, timeout=PATIENCE_S, stream=True) as response:
                way = (*response.history, response)
                if response.status_code != 200 or not all(
                    one.url.startswith("https://") for one in way
                ):
                    # A file that came unprotected for a part of its way may be anybody's.
                    return None
                return response.raw.read(_LARGEST, decode_content=True)
        except (requests.RequestException, OSError) as error:
            _log.info("%s: %s", url, error)
            return None

    def listens(self, host: str, port: int) -> bool:
        """Whether something takes connections there."""
        try:
            socket.create_connection((host, port), timeout=PATIENCE_S).close()
        except (OSError, UnicodeError):
            return False
        return True


def _records(name: str, kind: Literal["SRV", "MX", "CNAME"]) -> list[Any]:
    """Records of a name; none when the name service does not answer in time."""
    try:
        resolver = Resolver()
        resolver.lifetime = PATIENCE_S
        return list(resolver.resolve(name, kind))
    except (DNSException, OSError) as error:
        _log.info("%s: %s", name, error)
        return []
