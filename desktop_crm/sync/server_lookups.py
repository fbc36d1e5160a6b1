"""Questions about servers, put to the network; a missing answer is no problem."""

from __future__ import annotations

import logging
import socket
from typing import Final

import requests
from dns.exception import DNSException
from dns.resolver import Resolver

_log = logging.getLogger(__name__)
PATIENCE_S: Final = 5.0
"""Seconds to wait for each answer."""

_LARGEST: Final = 1_000_000


class NetworkLookups:
    """Asks the name service, the web and the hosts themselves."""

    def services(self, name: str) -> list[tuple[str, int]]:
        """Hosts and ports of a service record, the preferred one first."""
        try:
            resolver = Resolver()
            resolver.lifetime = PATIENCE_S
            answers = sorted(
                resolver.resolve(name, "SRV"), key=lambda one: (one.priority, -one.weight)
            )
        except (DNSException, OSError) as error:
            _log.info("%s: %s", name, error)
            return []
        found = [(one.target.to_text(omit_final_dot=True), int(one.port)) for one in answers]
        # A single dot says that there is no such service.
        return [(host, port) for host, port in found if host and host != "."]

    def file(self, url: str) -> bytes | None:
        """A file of the web; None when it is not there."""
        try:
            with requests.get(url, timeout=PATIENCE_S, stream=True) as response:
                if response.status_code != 200:
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
