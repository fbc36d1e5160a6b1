"""HTTP to Microsoft Graph: one request, one answer, and what an error means in a sentence.

Nothing here retries: waiting is the caller's, who can be stopped. Only a token the service no
longer takes is renewed, silently and once.
"""

from __future__ import annotations

import base64
import json
import logging
from binascii import Error as Base64Error
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Any, Final, Protocol
from urllib.parse import quote, urlencode, urlsplit

import requests
from requests.auth import AuthBase

from desktop_crm.core import clock
from desktop_crm.sync.answer_limit import ANSWER_LIMIT
from desktop_crm.sync.graph.problems import GraphError

_log = logging.getLogger(__name__)

SERVICE: Final = "https://graph.microsoft.com/v1.0"
"""Where Microsoft Graph answers."""

BATCH_SIZE: Final = 20
"""Requests in one `$batch`: the most the service takes."""

TOO_LARGE: Final = "TooLarge"
"""Code of the error of an answer that is larger than what is read."""

_IDS: Final = 'IdType="ImmutableId"'
_TEXT: Final = 'outlook.body-content-type="text"'
_DONE: Final = 200
_ZONE: Final = 'outlook.timezone="UTC"'


class Tokens(Protocol):
    """Where access tokens come from."""

    def token(self, *, renew: bool = False) -> str:
        """A token for the next request; `renew` asks for a new one because one was refused.

        Raises:
            UserError: the person has to sign in again.
            EnvironmentProblem: the sign-in service cannot be reached or refuses for good.
        """
        ...


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; `body` is decoded JSON, bytes for everything else, None for nothing."""

    status: int
    body: Any = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def retry_after(self) -> float | None:
        """Seconds the service asked to wait."""
        return _seconds(self.headers.get("Retry-After", ""))

    @property
    def json(self) -> dict[str, Any]:
        """The body as an object.

        Raises:
            GraphError: it is none.
        """
        if not isinstance(self.body, dict):
            raise GraphError(0, "NotJson", "the answer is no JSON object")
        return self.body

    @property
    def raw(self) -> bytes:
        """The body as bytes; empty when there is none."""
        return self.body if isinstance(self.body, bytes) else b""

    def understood(self) -> Answer:
        """The same answer, which says that something was done.

        The service answers a change with the item as JSON, or with nothing and a status of its
        own. Anything else may come from a line that broke, and says nothing of what was done.

        Raises:
            GraphError: its status is an error, or it is neither of these.
        """
        self.checked()
        if self.status == _DONE and not isinstance(self.body, dict):
            raise GraphError(0, "NotJson", "the answer says nothing of what was done")
        return self

    def checked(self) -> Answer:
        """The same answer.

        Raises:
            GraphError: its status is an error.
        """
        if self.status >= 300:
            raise error_of(self)
        return self


class _Bearer(AuthBase):
    """Sets the token; given as `auth`, so that no .netrc puts something else in its place."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


class Graph:
    """One person's connection to the service.

    Args:
        tokens: where access tokens come from.
        login: for messages.
        service: address of the service; another one for tests only.
        ca_file: certificates of the authority to trust; empty trusts the usual ones.
        timeout_s: seconds to wait for one answer.
    """

    def __init__(
        self,
        tokens: Tokens,
        login: str,
        *,
        service: str = SERVICE,
        ca_file: str = "",
        timeout_s: float = 60.0,
    ) -> None:
        self._tokens = tokens
        self._login = login
        self._service = service.rstrip("/")
        self._timeout = (min(15.0, timeout_s), timeout_s)
        self._verify: bool | str = ca_file or True
        self._session: requests.Session | None = None
        self._refused: Answer | None = None

    @property
    def host(self) -> str:
        """Host name of the service, for messages."""
        return urlsplit(self._service).hostname or self._service

    def close(self) -> None:
        """Close the connection."""
        if self._session is not None:
            self._session.close()
        self._session = None

    def get(
        self,
        path: str,
        params: Mapping[str, str] | None = None,
        *,
        page: int | None = None,
    ) -> dict[str, Any]:
        """JSON of a path, or of a link the service gave.

        Raises:
            CrmError: see :meth:`call`.
        """
        return self.call("GET", path, params=params, page=page).json

    def call(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        page: int | None = None,
        body: Mapping[str, Any] | None = None,
        mime: bytes | None = None,
        if_match: str = "",
    ) -> Answer:
        """One request; a refused token is renewed once, and nothing is asked once that is refused.

        Args:
            method: HTTP method.
            path: below the service, or a link the service gave.
            params: query of the address.
            page: the most items in one page.
            body: sent as JSON.
            mime: a message, sent as the service wants it.
            if_match: change key the item must have.

        Raises:
            GraphError: the answer is an error.
            requests.RequestException: there is no answer.
            CrmError: signing in failed.
        """
        headers = {"Prefer": _prefer(page), "Accept": "application/json"}
        data: bytes | None = None
        if body is not None:
            headers["Content-Type"] = "application/json"
            data = json.dumps(body).encode()
        elif mime is not None:
            headers["Content-Type"] = "text/plain"
            data = base64.b64encode(mime)
        if if_match:
            headers["If-Match"] = etag_of(if_match)
        if self._refused is not None:
            return self._refused.checked()
        for renew in (False, True):
            answer = self._once(method, path, params, headers, data, renew=renew)
            if answer.status != 401 or renew:
                break
        if answer.status == 401:
            self._refused = answer
        return answer.checked() if method == "GET" else answer.understood()

    def _once(
        self,
        method: str,
        path: str,
        params: Mapping[str, str] | None,
        headers: Mapping[str, str],
        data: bytes | None,
        *,
        renew: bool,
    ) -> Answer:
        token = self._tokens.token(renew=renew)
        if self._session is None:
            self._session = requests.Session()
            self._session.headers["User-Agent"] = "desktop-crm"
        with self._session.request(
            method,
            self.link(path),
            params=dict(params) if params else None,
            headers=dict(headers),
            data=data,
            auth=_Bearer(token),
            timeout=self._timeout,
            verify=self._verify,
            allow_redirects=False,
            stream=True,
        ) as response:
            content = _read(response)
            kind = response.headers.get("Content-Type", "")
            return Answer(response.status_code, _decoded(content, kind), response.headers)

    def upload(self, link: str, piece: bytes, start: int, total: int) -> None:
        """Hand over a piece of a file by the link the service gave for it; no token goes there.

        Raises:
            GraphError: the link is none, or the answer is an error.
            requests.RequestException: there is no answer.
        """
        parts = urlsplit(link)
        if parts.scheme != "https" and not self.owns(link):
            raise GraphError(0, "ForeignLink", "a link that is not protected")
        headers = {"Content-Range": f"bytes {start}-{start + len(piece) - 1}/{total}"}
        with requests.put(
            link,
            data=piece,
            headers=headers,
            timeout=self._timeout,
            verify=self._verify,
            allow_redirects=False,
        ) as response:
            kind = response.headers.get("Content-Type", "")
            body = _decoded(response.content, kind)
            Answer(response.status_code, body, response.headers).understood()

    def batch(self, paths: Sequence[str]) -> list[Answer]:
        """What several GETs answered, in their order; twenty of them a request.

        Raises:
            GraphError: the service is busy or the request as a whole failed; errors of single
                answers are left in them.
            requests.RequestException: there is no answer.
        """
        found: list[Answer] = []
        for part in chunks(paths, BATCH_SIZE):
            found += self._batch(part)
        return found

    def _batch(self, paths: Sequence[str]) -> list[Answer]:
        if not paths:
            return []
        wanted = [
            {"id": str(n), "method": "GET", "url": path, "headers": {"Prefer": _prefer()}}
            for n, path in enumerate(paths)
        ]
        answers = self.call("POST", "/$batch", body={"requests": wanted}).json.get("responses")
        by_id = {str(one.get("id")): _part(one) for one in answers or () if isinstance(one, dict)}
        if set(by_id) != {one["id"] for one in wanted}:
            raise GraphError(0, "ShortBatch", f"{len(by_id)} answers to {len(wanted)} requests")
        found = [by_id[str(n)] for n in range(len(paths))]
        busy = [error for error in map(error_of, found) if error.is_busy]
        if busy:
            # The wait that satisfies all of them.
            raise max(busy, key=lambda error: error.retry_after or 0.0)
        return found

    def link(self, path: str) -> str:
        """The whole address of a path or a link.

        Raises:
            GraphError: the link leads away from the service, so the token must not go there.
        """
        if path.startswith("/"):
            return self._service + path
        if not self.owns(path):
            raise GraphError(0, "ForeignLink", f"a link to {urlsplit(path).hostname or path!r}")
        return path

    def owns(self, link: str) -> bool:
        """Whether a link leads to this service."""
        try:
            here, there = urlsplit(self._service), urlsplit(link)
            same = (there.scheme, there.netloc) == (here.scheme, here.netloc)
        except ValueError:
            return False
        return same and there.path.startswith(here.path + "/") and "/../" not in there.path


def _prefer(page: int | None = None) -> str:
    wanted = [_IDS, _TEXT, _ZONE]
    if page is not None:
        wanted.append(f"odata.maxpagesize={page}")
    return ", ".join(wanted)


def _read(response: requests.Response) -> bytes:
    found = bytearray()
    for piece in response.iter_content(1 << 16):
        found += piece
        if len(found) > ANSWER_LIMIT:
            raise GraphError(0, TOO_LARGE, f"an answer of more than {ANSWER_LIMIT} bytes")
    return bytes(found)


def _decoded(content: bytes, kind: str) -> Any:  # noqa: ANN401  JSON
    if "json" not in kind.lower():
        return content or None
    try:
        return json.loads(content) if content else None
    except (ValueError, RecursionError) as error:
        raise GraphError(0, "NotJson", "the answer is cut off or damaged") from error


def _part(one: Mapping[str, Any]) -> Answer:
    """One answer of a batch; what is no JSON comes in base64."""
    headers = requests.structures.CaseInsensitiveDict[str](one.get("headers") or {})
    told, status = one.get("body"), one.get("status")
    body: Any = told
    if isinstance(told, str):
        try:
            body = decoded(told)
        except (Base64Error, ValueError):
            body = told.encode()
    return Answer(status if isinstance(status, int) else 0, body, headers)


def decoded(text: str) -> bytes:
    """Bytes of base64 in either alphabet, with or without its end."""
    plain = text.translate({ord("-"): "+", ord("_"): "/"})
    return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)


def error_of(answer: Answer) -> GraphError:
    """The error an answer is."""
    said = answer.body.get("error") if isinstance(answer.body, dict) else None
    said = said if isinstance(said, dict) else {}
    inner = said.get("innerError") or said.get("innererror")
    code = str(said.get("code") or "")
    if isinstance(inner, dict) and not code:
        code = str(inner.get("code") or "")
    if "claims" in answer.headers.get("WWW-Authenticate", ""):
        code = "InsufficientClaims"
    return GraphError(
        answer.status, code or "-", str(said.get("message") or ""), answer.retry_after
    )


def _seconds(text: str) -> float | None:
    """Seconds of a Retry-After header, which holds a number or a date."""
    if text.strip().isdigit():
        return float(text)
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, TypeError):
        return None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return max(0.0, (at - clock.now()).total_seconds())


def chunks(values: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    """Cut a list into pieces."""
    for start in range(0, len(values), size):
        yield values[start : start + size]


def segment(key: str) -> str:
    """An id as one piece of a path, whatever it is made of."""
    return quote(key, safe="")


def with_query(path: str, **query: str) -> str:
    """A path with its query, as a batch wants it; a name gets its $ here."""
    names = ("select", "expand", "filter", "top", "orderby")
    pairs = {f"${name}" if name in names else name: value for name, value in query.items()}
    return f"{path}?{urlencode(pairs, quote_via=quote, safe='$,')}"


def etag_of(change_key: str) -> str:
    """The header's form of a change key."""
    return f'W/"{change_key}"'
