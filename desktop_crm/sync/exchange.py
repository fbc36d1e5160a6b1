"""An Exchange server as a mailbox: Inbox, Sent Items and Calendar, read only, over EWS.

One call of :meth:`ExchangeMailbox.changes` is one page of SyncFolderItems and the GetItem calls
for what it names, so that the caller can store page and token together. Nothing here retries:
waiting is the caller's, who can be stopped.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from exchangelib.errors import (
    ErrorAccessDenied,
    ErrorAccountDisabled,
    ErrorFolderNotFound,
    ErrorInvalidSyncStateData,
    ErrorItemNotFound,
    ErrorMailboxMoveInProgress,
    ErrorNonExistentMailbox,
    ErrorTimeoutExpired,
    EWSError,
    RedirectError,
    ResponseMessageError,
    TransportError,
    UnauthorizedError,
)

from desktop_crm.core.errors import CrmError, EnvironmentProblem, UserError
from desktop_crm.core.i18n import N_, tr
from desktop_crm.services.mailboxes import server_address
from desktop_crm.sync import exchange_calls as calls
from desktop_crm.sync import exchange_items as items
from desktop_crm.sync.port import (
    BATCH_LIMIT,
    Batch,
    Change,
    ChangeKind,
    Folder,
    FolderRole,
    Item,
    Quarantined,
    Step,
    TokenInvalid,
)

_log = logging.getLogger(__name__)

INBOX: Final = Folder("Inbox", "Inbox", FolderRole.INBOX)
SENT: Final = Folder("Sent Items", "Sent Items", FolderRole.SENT)
CALENDAR: Final = Folder("Calendar", "Calendar", FolderRole.CALENDAR)
_DISTINGUISHED: Final = {"Inbox": "inbox", "Sent Items": "sentitems", "Calendar": "calendar"}
_KINDS: Final = {"Create": ChangeKind.CREATE, "Update": ChangeKind.UPDATE}
_UNKNOWN: Final = N_('The item is of the class "{kind}", which is no message and no meeting.')
_REFUSED: Final = N_("The server could not hand the item over ({problem}).")
_DAMAGED: Final = N_("The item cannot be understood ({problem}).")


class ExchangeMailbox:
    r"""One person's mailbox on an Exchange server.

    Args:
        server: host name or URL.
        address: SMTP address of the mailbox.
        login: what to sign in with; `DOMAIN\user`, `user@domain` or a plain name.
        password: in memory only.
        ca_file: certificates of the authority to trust; empty trusts the usual ones, or those
            of REQUESTS_CA_BUNDLE.
        timeout_s: seconds to wait for one answer.
    """

    def __init__(
        self,
        server: str,
        address: str,
        *,
        login: str,
        password: str,
        ca_file: str = "",
        timeout_s: float = 60.0,
    ) -> None:
        self._url = server_address(server)
        self._login = login
        self._protocol = calls.Endpoint(
            self._url, login, password, ca_file=ca_file, timeout_s=timeout_s
        )
        self._account = calls.Account(self._protocol, address, self._protocol.version)
        self._found: dict[str, Any] = {}
        self._addresses: dict[str, str] = {}

    def folders(self) -> Sequence[Folder]:
        """Those of Inbox, Sent Items and Calendar that the mailbox has."""
        found = [folder for folder in (INBOX, SENT, CALENDAR) if self._count(folder) is not None]
        if not found:
            raise EnvironmentProblem(
                N_("The server {server} shows no mail folder of {login}. Nothing was changed."),
                server=calls.host_of(self._url),
                login=self._login,
            )
        return tuple(found)

    def changes(self, folder: Folder, token: str | None, limit: int = BATCH_LIMIT) -> Batch:
        """One page of changes with their items.

        Raises:
            TokenInvalid: the server forgot the state.
            UserError: login or password is refused.
            EnvironmentProblem: the server cannot be reached or does not answer properly;
                its parameter `retry_after` holds the seconds the server asked for, or None.
        """
        with self._translated():
            service = calls.SyncPage(account=self._account)
            elements = service.page(self._folder_id(folder), token, limit)
            state = service.sync_state or ""
            page = _Page(self._account, folder, self._resolve)
            for element in elements:
                page.take(element)
            page.fetch()
        # A server that repeats its state without a change would be asked for ever.
        stuck = state == token and not elements
        more = not service.includes_last_item_in_range and not stuck
        return Batch(tuple(page.changes), state, more, tuple(page.quarantined))

    def test(self) -> Sequence[Step]:
        """Reach the server, sign in, look at each folder."""
        steps: list[Step] = []
        try:
            with self._translated():
                kind = self._protocol.auth_type
            message = f"{calls.host_of(self._url)} ({kind})"
            steps.append(Step(tr("Server"), ok=True, message=message))
            for folder in (INBOX, SENT, CALENDAR):
                count = self._count(folder)
                missing = tr("The mailbox has no such folder.")
                message = missing if count is None else str(count)
                steps.append(Step(tr(folder.name), ok=count is not None, message=message))
        except CrmError as problem:
            name = tr("Sign-in") if steps else tr("Server")
            steps.append(Step(name, ok=False, message=str(problem)))
        return tuple(steps)

    def close(self) -> None:
        """Close the connection."""
        self._protocol.close()
        self._found.clear()

    def _count(self, folder: Folder) -> int | None:
        """How many items a folder holds; None when the mailbox has no such folder."""
        with self._translated():
            try:
                found, count = calls.FindFolderId(account=self._account).find(
                    _DISTINGUISHED[folder.key]
                )
            except (ErrorFolderNotFound, ErrorItemNotFound) as error:
                _log.info("the mailbox has no %s: %s", folder.name, error)
                return None
            self._found[folder.key] = found
            return count

    def _folder_id(self, folder: Folder) -> Any:  # noqa: ANN401  exchangelib carries no types
        if folder.key not in self._found and self._count(folder) is None:
            raise EnvironmentProblem(
                N_('The mailbox of {login} no longer has the folder "{folder}".'),
                login=self._login,
                folder=folder.name,
            )
        return self._found[folder.key]

    def _resolve(self, name: str) -> str:
        if name not in self._addresses:
            try:
                found = calls.FindAddress(protocol=self._protocol).find(name)
            except ResponseMessageError as error:
                if calls.is_busy(error):
                    raise
                _log.info("%s is not in the directory: %s", name, error)
                found = ""
            self._addresses[name] = found
        return self._addresses[name]

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """Turn the library's errors into sentences, once, here."""
        try:
            yield
        except ErrorInvalidSyncStateData as error:
            raise TokenInvalid(str(error)) from error
        except (EWSError, calls.NoSignIn) as error:
            _log.warning("%s: %s: %s", calls.host_of(self._url), type(error).__name__, error)
            raise problem_of(error, calls.host_of(self._url), self._login) from error


def problem_of(error: Exception, server: str, login: str) -> CrmError:
    """What happened, what was kept and what to do, for an error of the library."""
    if isinstance(error, UnauthorizedError):
        return UserError(
            N_(
                "The server {server} refused the login or password of {login}. Nothing was "
                "changed and it will not be tried again; enter the password anew."
            ),
            field="password",
            server=server,
            login=login,
        )
    template, retryable = _sentence(error)
    return EnvironmentProblem(
        template,
        retryable=retryable,
        server=server,
        login=login,
        problem=str(error)[:200],
        retry_after=getattr(error, "back_off", None),
    )


def _sentence(error: Exception) -> tuple[str, bool]:
    if calls.is_certificate_problem(error):
        return N_(
            "The certificate of {server} is not signed by an authority this computer knows. "
            "Nothing was changed; give the file of your own authority with the mailbox (--ca)."
        ), False
    if calls.is_busy(error):
        return N_(
            "The server {server} is busy. What was read so far is kept; try again later."
        ), True
    for kinds, template, retryable in _SENTENCES:
        if isinstance(error, kinds):
            return template, retryable
    return N_(
        "The server {server} answered with an error ({problem}). What was read so far is kept."
    ), False


_SENTENCES: Final[tuple[tuple[Any, str, bool], ...]] = (
    (
        calls.NoSignIn,
        N_(
            "The server {server} asks for a way of signing in that is not supported "
            "({problem}). Nothing was changed; ask its administrator for NTLM or Basic."
        ),
        False,
    ),
    (
        RedirectError,
        N_(
            "The server {server} sends the request elsewhere ({problem}). Nothing was changed; "
            "enter the address of the mailbox's own server."
        ),
        False,
    ),
    (
        ErrorMailboxMoveInProgress,
        N_("The mailbox of {login} is being moved. What was read so far is kept; try later."),
        True,
    ),
    (
        (ErrorNonExistentMailbox, ErrorAccessDenied, ErrorAccountDisabled),
        N_(
            "The server {server} does not let {login} open this mailbox ({problem}). Nothing was "
            "changed; check the address and the login."
        ),
        False,
    ),
    (
        ErrorTimeoutExpired,
        N_(
            "The server {server} cannot be reached or did not answer in time. What was read so "
            "far is kept; try again later."
        ),
        True,
    ),
    (
        calls.BadAnswer,
        N_(
            "The server {server} answered with something that is not Exchange ({problem}). What "
            "was read so far is kept; check the address, or try again later."
        ),
        True,
    ),
    (
        ResponseMessageError,
        N_("The server {server} answered with an error ({problem}). What was read so far is kept."),
        False,
    ),
    (
        TransportError,
        N_("The server {server} cannot be reached. What was read so far is kept; try later."),
        True,
    ),
)


class _Page:
    """What one page of changes becomes: items are fetched, unusable ones set aside one by one."""

    def __init__(
        self, account: calls.Account, folder: Folder, resolve: Callable[[str], str]
    ) -> None:
        self._account = account
        self._calendar = folder.role is FolderRole.CALENDAR
        self._resolve = resolve
        self._wanted: dict[str, ChangeKind] = {}
        self.changes: list[Change] = []
        self.quarantined: list[Quarantined] = []

    def take(self, element: Any) -> None:  # noqa: ANN401  an lxml element
        """One change element of the page."""
        name = items.tag_of(element)
        if name in _KINDS and len(element):
            self._changed(element[0], _KINDS[name])
            return
        item_id = items.id_of(element)
        if name == "Delete" and item_id:
            self._wanted.pop(item_id, None)
            self.changes.append(Change(ChangeKind.DELETE, item_id))
        elif name == "ReadFlagChange" and item_id:
            is_read = (element.findtext(f"{items.T}IsRead") or "").lower() in ("true", "1")
            self.changes.append(Change(ChangeKind.MARKS, item_id, is_read=is_read))
        else:
            params = (("problem", name),)
            self.quarantined.append(Quarantined(item_id or name, name, _DAMAGED, params))

    def _changed(self, element: Any, kind: ChangeKind) -> None:  # noqa: ANN401  an lxml element
        name, item_id = items.tag_of(element), items.id_of(element)
        known = name == "CalendarItem" if self._calendar else name in items.MAIL_TAGS
        if item_id and known:
            self._wanted[item_id] = kind
        else:
            self._set_aside(item_id or name, name, _UNKNOWN, kind=name)

    def fetch(self) -> None:
        """Get what the page named; ten items a request."""
        fields = items.MEETING_FIELDS if self._calendar else items.MAIL_FIELDS
        occurrences: list[str] = []
        for ids in calls.chunks(list(self._wanted)):
            for item_id, answer in zip(ids, self._answers(ids, fields), strict=True):
                self._keep(item_id, answer, self._wanted[item_id])
                if self._calendar and not isinstance(answer, Exception):
                    occurrences += items.changed_occurrences(answer)
        for ids in calls.chunks(occurrences):
            for item_id, answer in zip(ids, self._answers(ids, fields), strict=True):
                self._keep(item_id, answer, ChangeKind.UPDATE)

    def _answers(self, ids: Sequence[str], fields: Sequence[str]) -> list[Any]:
        service = calls.FetchItems(account=self._account)
        try:
            return service.fetch(ids, fields, mime=not self._calendar)
        except (ResponseMessageError, calls.ShortAnswer) as error:
            if calls.is_busy(error) or isinstance(error, ErrorTimeoutExpired):
                raise
            if len(ids) == 1:
                return [error]
            # One item spoils the request: ask for each, so that only that one is lost.
            return [answer for item_id in ids for answer in self._answers([item_id], fields)]

    def _keep(self, item_id: str, answer: Any, kind: ChangeKind) -> None:  # noqa: ANN401
        if isinstance(answer, ErrorItemNotFound):
            _log.info("an item went before it could be read")
            return
        if isinstance(answer, Exception) or answer is True:
            self._set_aside(item_id, item_id[-12:], _REFUSED, problem=str(answer)[:200])
            return
        try:
            item = self._item(answer)
        except (items.Unreadable, ValueError, TypeError, AttributeError) as error:
            _log.warning("item %s: %s", item_id[-12:], error, exc_info=True)
            name = (answer.findtext(f"{items.T}Subject") or item_id[-12:])[:200]
            self._set_aside(item_id, name, _DAMAGED, problem=str(error)[:200])
            return
        if item is None:
            name = items.tag_of(answer)
            self._set_aside(item_id, name, _UNKNOWN, kind=name)
        else:
            self.changes.append(Change(kind, item_id, item))

    def _item(self, element: Any) -> Item | None:  # noqa: ANN401  an lxml element
        name = items.tag_of(element)
        if self._calendar:
            is_meeting = name == "CalendarItem"
            return items.meeting_item(element, self._resolve) if is_meeting else None
        return items.mail_item(element, self._resolve) if name in items.MAIL_TAGS else None

    def _set_aside(self, item_id: str, name: str, reason: str, **params: object) -> None:
        self.quarantined.append(Quarantined(item_id, name, reason, tuple(params.items())))
