"""Signing in to Microsoft 365: in the system's browser, or by a code on another device.

The office registers the program in its own directory as a public client, so there is no secret
of the program to keep. What signing in leaves behind (refresh token and access token) is one
text that the caller keeps in the keyring; it is never written to the database, a log or a
command line. Facts: Microsoft's documentation of MSAL for Python.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from queue import Empty, Queue
from typing import TYPE_CHECKING, Any, Final

import requests

from desktop_crm.core.errors import CrmError, EnvironmentProblem, UserError
from desktop_crm.core.i18n import N_
from desktop_crm.db.engine import Cancel
from desktop_crm.sync.graph.problems import is_certificate_problem

if TYPE_CHECKING:
    import msal

# Its lines name accounts and tenants; they are of no use in a log file.
logging.getLogger("msal").setLevel(logging.WARNING)
_log = logging.getLogger(__name__)

AUTHORITY: Final = "https://login.microsoftonline.com"
"""Where people sign in."""

PERMISSIONS: Final = (
    "Mail.ReadWrite",
    "Mail.Send",
    "Calendars.ReadWrite",
    "Contacts.ReadWrite",
    "Tasks.ReadWrite",
    "User.Read",
)
"""Delegated permissions the registered program needs; the least that reads and writes."""

BROWSER_PATIENCE_S: Final = 300
"""Seconds a person has for signing in in the browser."""

_TIMEOUT_S: Final = 30.0
_MARGIN_S: Final = 300
"""Seconds before its end at which a token is renewed."""

Show = Callable[[str, str], None]
"""Told the address to open and the code to enter there."""


class MsalTokens:
    """Access tokens of one account, renewed silently.

    Args:
        client_id: the program as the office registered it.
        tenant: directory the person belongs to.
        login: for messages, and to suggest the account.
        kept: what an earlier sign-in left behind; empty before the first.
        keep: called with what to keep instead whenever it changed.
        authority: where people sign in; another one for tests only.
        ca_file: certificates of the authority to trust; empty trusts the usual ones.
    """

    def __init__(
        self,
        client_id: str,
        tenant: str,
        login: str,
        *,
        kept: str = "",
        keep: Callable[[str], None] | None = None,
        authority: str = "",
        ca_file: str = "",
    ) -> None:
        self._client_id = client_id
        self._tenant = tenant
        self._login = login
        self._kept = kept
        self._keep = keep
        self._authority = authority or AUTHORITY
        self._ca_file = ca_file
        self._current: tuple[str, float] | None = None
        self._made: tuple[msal.PublicClientApplication, msal.SerializableTokenCache] | None = None

    def token(self, *, renew: bool = False) -> str:
        """A token for the next request; `renew` asks for a new one because one was refused.

        Raises:
            UserError: the person has to sign in again.
            EnvironmentProblem: the sign-in service cannot be reached or refuses for good.
        """
        if self._current is not None and not renew and time.monotonic() < self._current[1]:
            return self._current[0]
        app, cache = self._app()
        accounts = app.get_accounts()
        if not accounts:
            raise self._again()
        answer = self._ask(
            lambda: app.acquire_token_silent_with_error(
                list(PERMISSIONS), accounts[0], force_refresh=renew
            )
        )
        if self._keep is not None and cache.has_state_changed:
            self._keep(str(cache.serialize()))
            cache.has_state_changed = False
        token = self._token_of(answer)
        # Not asked for again with each request, whatever permissions the service names in it.
        self._current = token, time.monotonic() + int(answer.get("expires_in", 0)) - _MARGIN_S
        return token

    def sign_in(self, show: Show | None = None, cancel: Cancel | None = None) -> str:
        """Let the person sign in; returns what has to be kept.

        Args:
            show: signs in by a code that this is told; without it the browser opens here.
            cancel: stops waiting for the person.

        Raises:
            Cancelled: nobody waits any more.
            UserError: the person did not, or may not.
            EnvironmentProblem: the sign-in service cannot be reached or refuses for good.
        """
        app, cache = self._app()
        if show is None:
            answer = self._ask(
                lambda: _waiting(
                    lambda: app.acquire_token_interactive(
                        list(PERMISSIONS),
                        prompt="select_account",
                        login_hint=self._login,
                        timeout=BROWSER_PATIENCE_S,
                    ),
                    cancel or Cancel(),
                )
            )
        else:
            flow = self._ask(lambda: app.initiate_device_flow(list(PERMISSIONS)))
            if "user_code" not in flow:
                raise problem_of(flow, self._login)
            show(str(flow["verification_uri"]), str(flow["user_code"]))
            answer = self._ask(lambda: app.acquire_token_by_device_flow(flow))
        self._token_of(answer)
        return str(cache.serialize())

    def _app(self) -> tuple[msal.PublicClientApplication, msal.SerializableTokenCache]:
        if self._made is None:
            import msal

            cache = msal.SerializableTokenCache()
            if self._kept:
                try:
                    cache.deserialize(self._kept)
                except ValueError as error:
                    raise self._again() from error
            client = _Client(self._ca_file)
            app = self._ask(
                lambda: msal.PublicClientApplication(
                    self._client_id,
                    authority=f"{self._authority}/{self._tenant}",
                    token_cache=cache,
                    http_client=client,
                    # The tenant is the office's own word; who serves it is known already.
                    instance_discovery=False,
                )
            )
            self._made = (app, cache)
        return self._made

    def _ask(self, work: Callable[[], Any]) -> Any:  # noqa: ANN401  msal's answers
        from msal.exceptions import MsalError

        try:
            return work()
        except (requests.RequestException, MsalError) as error:
            _log.warning("sign-in: %s", type(error).__name__)
            raise _unreachable(error) from error
        except (ValueError, KeyError) as error:
            # msal raises a bare ValueError for a directory that does not exist.
            _log.warning("sign-in: %s", type(error).__name__)
            raise EnvironmentProblem(
                N_(
                    'Microsoft knows no directory "{tenant}", or its sign-in does not answer as '
                    "it should. Nothing was changed; check the tenant of the mailbox."
                ),
                tenant=self._tenant,
                retry_after=None,
            ) from error
        except RuntimeError as error:
            # No browser could be opened, or its window was left alone.
            _log.warning("sign-in: %s", type(error).__name__)
            raise UserError(
                N_("The sign-in in the browser was not finished; nothing was changed."),
                field="password",
            ) from error

    def _token_of(self, answer: object) -> str:
        if isinstance(answer, dict) and answer.get("access_token"):
            return str(answer["access_token"])
        if not isinstance(answer, dict):
            raise self._again()
        raise problem_of(answer, self._login)

    def _again(self) -> UserError:
        return UserError(
            N_(
                "Nobody is signed in to Microsoft 365 as {login} on this computer. Nothing was "
                "changed; sign in once here."
            ),
            field="password",
            login=self._login,
        )


def _waiting(work: Callable[[], object], cancel: Cancel) -> object:
    """Do work that cannot be stopped, and stop waiting for it: the window must be able to close."""
    ended: Queue[tuple[object, Exception | None]] = Queue()

    def run() -> None:
        try:
            ended.put((work(), None))
        except Exception as error:  # raised again where somebody waits for it
            ended.put((None, error))

    threading.Thread(target=run, name="sign-in", daemon=True).start()
    while True:
        cancel.check()
        try:
            answer, error = ended.get(timeout=0.1)
        except Empty:
            continue
        if error is not None:
            raise error
        return answer


class _Client:
    """The HTTP of msal, with a limit of time for each answer."""

    def __init__(self, ca_file: str) -> None:
        self._session = requests.Session()
        # With each request: the session's own word gives way to REQUESTS_CA_BUNDLE.
        self._options: dict[str, Any] = {"timeout": _TIMEOUT_S, "verify": ca_file or True}

    def get(self, url: str, **options: Any) -> requests.Response:  # noqa: ANN401  msal's own
        """One GET."""
        return self._session.get(url, **self._options, **options)

    def post(self, url: str, **options: Any) -> requests.Response:  # noqa: ANN401  msal's own
        """One POST."""
        return self._session.post(url, **self._options, **options)

    def close(self) -> None:
        """Close the connection."""
        self._session.close()


def _unreachable(error: Exception) -> EnvironmentProblem:
    if is_certificate_problem(error):
        return EnvironmentProblem(
            N_(
                "The certificate of {server} is not signed by an authority this computer knows. "
                "Nothing was changed; give the file of your own authority in the settings of the "
                "mailbox."
            ),
            server=AUTHORITY.removeprefix("https://"),
            retry_after=None,
        )
    return EnvironmentProblem(
        N_("The server {server} cannot be reached. What was read so far is kept; try later."),
        retryable=True,
        server=AUTHORITY.removeprefix("https://"),
        retry_after=None,
    )


_CODES: Final = (
    (
        (700016, 90009),
        N_(
            "The directory of {login} knows no program with this client id ({problem}). Nothing "
            "was changed; check the client id and the tenant of the mailbox."
        ),
    ),
    (
        (90002, 50020, 50034, 500208, 90072),
        N_(
            "{login} does not belong to this tenant ({problem}). Nothing was changed; check the "
            "tenant of the mailbox and the account you chose."
        ),
    ),
    (
        (65001, 90094, 90008, 65004),
        N_(
            "Your organisation has not agreed yet that this program opens mailboxes ({problem}). "
            "Nothing was changed; ask your administrator to grant its permissions."
        ),
    ),
    (
        (53000, 53001, 53002, 53003, 53004, 50158, 530032, 50097, 50105),
        N_(
            "The rules of your organisation do not let {login} sign in here ({problem}). Nothing "
            "was changed; ask your administrator."
        ),
    ),
    (
        (7000218, 7000215, 700025),
        N_(
            "The program is registered so that it needs a secret ({problem}). Nothing was "
            "changed; let your administrator allow public client flows for it."
        ),
    ),
    (
        (50011, 500113),
        N_(
            "The program is registered without the address http://localhost ({problem}). Nothing "
            "was changed; let your administrator add it as a redirect address for desktop "
            "programs."
        ),
    ),
)
"""Numbers of Microsoft's sign-in errors and what they mean here (AADSTS error code reference)."""

_REFUSED: Final = (
    "invalid_grant", "interaction_required", "login_required", "consent_required",
    "expired_token", "code_expired",
)  # fmt: skip
_LEFT: Final = ("access_denied", "authorization_declined", "user_cancelled")


def problem_of(answer: dict[str, Any], login: str) -> CrmError:
    """What a refusal of the sign-in service means."""
    said = str(answer.get("error_description") or answer.get("error") or "")
    # The description goes on with trace ids and the time; its first line is the reason.
    problem = said.splitlines()[0][:200] if said else "-"
    numbers = [n for n in answer.get("error_codes") or () if isinstance(n, int)]
    numbers += [n for codes, _ in _CODES for n in codes if f"AADSTS{n}:" in said]
    for codes, template in _CODES:
        if set(numbers) & set(codes):
            return EnvironmentProblem(template, login=login, problem=problem, retry_after=None)
    word = str(answer.get("error") or "")
    if word in _LEFT:
        return UserError(
            N_("The sign-in was refused or left ({problem}); nothing was changed."),
            field="password",
            problem=problem,
        )
    if word in _REFUSED:
        return UserError(
            N_(
                "Microsoft 365 no longer accepts the sign-in of {login}. Nothing was changed and "
                "it will not be tried again; sign in anew."
            ),
            field="password",
            login=login,
        )
    return EnvironmentProblem(
        N_("Signing in to Microsoft 365 failed ({problem}). Nothing was changed; try again later."),
        retryable=word in ("temporarily_unavailable", "server_error"),
        problem=problem,
        retry_after=None,
    )
