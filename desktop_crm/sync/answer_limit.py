"""How much of one answer of a server is read: a server that sends without end fills no memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter

from desktop_crm.core.errors import EnvironmentProblem
from desktop_crm.core.i18n import N_

ANSWER_LIMIT: Final = 200 * 1024 * 1024
"""Bytes of one answer, unpacked: a mail of Exchange has at most 150 MB, in base64 a third more."""

MEGABYTE: Final = 1024 * 1024

ITEM_TOO_LARGE: Final = N_("The item is larger than {limit} MB.")
"""Why an item is set aside that does not come within an answer of its own."""


class TooLarge(EnvironmentProblem):
    """An answer is larger than what is read; the connection it came over is closed."""

    def __init__(self, server: str) -> None:
        super().__init__(
            N_(
                "The server {server} sent an answer of more than {limit} MB, so it was not read to "
                "its end. What was read so far is kept; look for an unusually large item there."
            ),
            server=server,
            limit=ANSWER_LIMIT // MEGABYTE,
        )


class LimitedAdapter(HTTPAdapter):
    """Transport of a session that stops reading an answer at :data:`ANSWER_LIMIT`."""

    def build_response(self, req: requests.PreparedRequest, resp: Any) -> requests.Response:  # noqa: ANN401  urllib3's
        """Count the bytes of the answer while they are read.

        The answer's content raises :class:`TooLarge`.
        """
        resp.stream = _counted(resp, urlsplit(req.url or "").hostname or "")
        return super().build_response(req, resp)


def _counted(raw: Any, server: str) -> Callable[..., Iterator[bytes]]:  # noqa: ANN401  urllib3's
    whole: Callable[..., Iterator[bytes]] = raw.stream

    def stream(*args: Any, **kwargs: Any) -> Iterator[bytes]:  # noqa: ANN401  urllib3's
        read = 0
        for piece in whole(*args, **kwargs):
            read += len(piece)
            if read > ANSWER_LIMIT:
                raw.close()
                raise TooLarge(str(server))
            yield piece

    return stream
