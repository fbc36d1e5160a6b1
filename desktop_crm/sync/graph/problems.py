"""What can go wrong with Microsoft Graph, and the one sentence for each."""

from __future__ import annotations

import logging
import re
import ssl
from typing import Final

import requests

from desktop_crm.core.errors import CrmError, EnvironmentProblem, UserError
from desktop_crm.core.i18n import N_
from desktop_crm.sync.port import TokenInvalid

_log = logging.getLogger(__name__)

_BUSY: Final = (429, 502, 503, 504, 509)
_NO_MAILBOX: Final = (
    "mailboxnotenabledforrestapi", "mailboxnothostedinexchangeonline", "errornonexistentmailbox",
    "resourcenotfound", "request_resourcenotfound",
)  # fmt: skip
_FORGOTTEN: Final = re.compile(r"sync_?state|resync_?required|delta_?token", re.IGNORECASE)


class GraphError(Exception):
    """An answer that is an error; status 0 is an answer that cannot be understood."""

    def __init__(
        self, status: int, code: str, message: str = "", retry_after: float | None = None
    ) -> None:
        super().__init__(f"HTTP {status} {code}: {message}"[:400])
        self.status = status
        self.code = code
        self.message = message
        self.retry_after = retry_after

    @property
    def is_busy(self) -> bool:
        """Whether the service asked to come back later."""
        return self.status in _BUSY or self.code in ("TooManyRequests", "ApplicationThrottled")

    @property
    def is_gone(self) -> bool:
        """Whether the item asked for is not there, in a mailbox that is."""
        return self.status == 404 and self.code.lower() not in _NO_MAILBOX

    @property
    def is_forgotten(self) -> bool:
        """Whether the service no longer knows the position of the last pass."""
        return self.status == 410 or bool(_FORGOTTEN.search(self.code))


def is_certificate_problem(error: BaseException) -> bool:
    """Whether an error, or one it came from, is a certificate that is not trusted."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, ssl.SSLError | requests.exceptions.SSLError):
            return True
        seen = seen.__cause__ or seen.__context__
    return False


def problem_of(error: Exception, host: str, login: str) -> Exception:
    """What happened, what was kept and what to do."""
    _log.warning("%s: %s: %s", host, type(error).__name__, str(error)[:300])
    if not isinstance(error, GraphError):
        return _unreachable(error, host)
    if error.is_forgotten:
        return TokenInvalid(error.code)
    if error.status == 401 and error.code != "InsufficientClaims":
        return UserError(
            N_(
                "Microsoft 365 no longer accepts the sign-in of {login}. Nothing was changed and "
                "it will not be tried again; sign in anew."
            ),
            field="password",
            login=login,
        )
    template, retryable = _sentence(error)
    return EnvironmentProblem(
        template,
        retryable=retryable,
        server=host,
        login=login,
        problem=f"{error.code}: {error.message}"[:200] if error.message else error.code,
        retry_after=error.retry_after,
    )


def _unreachable(error: Exception, host: str) -> CrmError:
    if is_certificate_problem(error):
        return EnvironmentProblem(
            N_(
                "The certificate of {server} is not signed by an authority this computer knows. "
                "Nothing was changed; give the file of your own authority in the settings of the "
                "mailbox."
            ),
            server=host,
            retry_after=None,
        )
    return EnvironmentProblem(
        N_("The server {server} cannot be reached. What was read so far is kept; try later."),
        retryable=True,
        server=host,
        retry_after=None,
    )


def _sentence(error: GraphError) -> tuple[str, bool]:
    if error.is_busy:
        return N_(
            "The server {server} is busy. What was read so far is kept; try again later."
        ), True
    if error.code in ("InsufficientClaims", "ConditionalAccessDenied"):
        return N_(
            "Your organisation asks for more before {login} may open this mailbox here, such as a "
            "second factor or a managed computer. Nothing was changed; sign in anew, or ask your "
            "administrator."
        ), False
    if error.status == 403:
        return N_(
            "Your organisation does not let this program do that in the mailbox of {login} "
            "({problem}). Nothing was changed; ask your administrator to grant its permissions."
        ), False
    if error.is_gone:
        return N_(
            "What was asked for is no longer in the mailbox of {login} ({problem}). What was read "
            "so far is kept."
        ), False
    if error.status == 404:
        return N_(
            "Microsoft 365 has no mailbox of {login} ({problem}). It may lie on an Exchange "
            "server of your own; then add it as Exchange Server."
        ), False
    if error.status >= 500:
        return N_(
            "The server {server} answered with an error ({problem}). What was read so far is "
            "kept; try again later."
        ), True
    if error.status == 0 or 300 <= error.status < 400:
        return N_(
            "The server {server} answered with something that is not Microsoft 365 ({problem}). "
            "What was read so far is kept; try again later."
        ), True
    return N_(
        "The server {server} answered with an error ({problem}). What was read so far is kept."
    ), False
