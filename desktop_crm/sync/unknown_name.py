"""A server whose name nobody knows: it is misspelt, or this computer is offline."""

from __future__ import annotations

import socket
from typing import Final

from desktop_crm.core.i18n import N_

UNKNOWN_NAME: Final = N_(
    "The name {server} is not found: it is misspelt, or this computer is offline. What was read so "
    "far is kept; check the name, or try again later."
)
_SAID: Final = ("NameResolutionError", "Failed to resolve", "getaddrinfo failed")
"""How the libraries for HTTP put it into words of their own."""


def is_unknown_name(error: BaseException) -> bool:
    """Whether an error, or one it came from, is a name that cannot be resolved."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, socket.gaierror) or any(word in str(seen) for word in _SAID):
            return True
        seen = seen.__cause__ or seen.__context__
    return False
