"""Pictures of a message that lie on the network: fetched only when a person asks for them.

Each request carries nothing but its address: no cookies, no referrer, and never one to a machine
of the own network.
"""

from __future__ import annotations

import ipaddress
import logging
import re
import socket
from collections.abc import Mapping
from html import unescape
from typing import Final
from urllib.parse import urljoin, urlsplit

from desktop_crm.db.engine import Cancel
from desktop_crm.sync.formats.mail_body import PICTURE_LIMIT, REMOTE

_log = logging.getLogger(__name__)

MOST: Final = 40
_TIMEOUT_S: Final = 8
_MOVES: Final = 3
_SOURCE: Final = re.compile(rf'\bsrc="{REMOTE}([^"]+)"')


def addresses(html: str) -> list[str]:
    """Addresses of the remote pictures of a message, each once."""
    return list(dict.fromkeys(unescape(found) for found in _SOURCE.findall(html)))[:MOST]


def fetch(html: str, *, cancel: Cancel | None = None) -> Mapping[str, bytes]:
    """Pictures by address; those that cannot be had are left out."""
    found: dict[str, bytes] = {}
    for address in addresses(html):
        if cancel is not None:
            cancel.check()
        content = _one(address)
        if content is not None:
            found[address] = content
    return found


def _one(address: str) -> bytes | None:
    import requests  # not needed before somebody asks for a picture

    try:
        for _move in range(_MOVES):
            if not is_public(address):
                return None
            with requests.get(
                address, timeout=_TIMEOUT_S, stream=True, allow_redirects=False,
                headers={"User-Agent": "Mozilla/5.0", "Accept": "image/*"},
            ) as answer:  # fmt: skip
                if answer.is_redirect:
                    address = urljoin(address, answer.headers["Location"])
                    continue
                answer.raise_for_status()
                if not answer.headers.get("Content-Type", "").lower().startswith("image/"):
                    return None
                content = answer.raw.read(PICTURE_LIMIT + 1, decode_content=True)
                return content if len(content) <= PICTURE_LIMIT else None
    except (requests.RequestException, OSError, ValueError) as error:
        _log.info("a picture could not be fetched: %s", type(error).__name__)
    return None


def is_public(address: str) -> bool:
    """Whether an address leads to the public network, so that mail reaches no machine inside."""
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return False
    found = socket.getaddrinfo(parts.hostname, parts.port or 443, proto=socket.IPPROTO_TCP)
    return all(ipaddress.ip_address(place[4][0]).is_global for place in found)
