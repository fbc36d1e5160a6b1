"""An Exchange server as a mailbox, over EWS: mail, meetings, tasks and contacts.

One call of :meth:`ExchangeMailbox.changes` is one page of SyncFolderItems and the GetItem calls
for what it names, so that the caller can store page and token together. Nothing here retries:
waiting is the caller's, who can be stopped.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, tzinfo
from typing import Final

from exchangelib.errors import (
    ErrorInvalidChangeKey,
    ErrorInvalidSyncStateData,
    ErrorIrresolvableConflict,
    ErrorItemNotFound,
    ErrorStaleObject,
    EWSError,
    ResponseMessageError,
)

from desktop_crm.core.errors import CrmError, EnvironmentProblem
from desktop_crm.core.i18n import N_, tr
from desktop_crm.services.mail.mailboxes import server_address
from desktop_crm.sync.exchange import availability, calls, pages, signin
from desktop_crm.sync.exchange.deeds import Deeds
from desktop_crm.sync.exchange.folders import CALENDAR, INBOX, READ, SENT, Folders
from desktop_crm.sync.exchange.problems import problem_of
from desktop_crm.sync.exchange.xml import Element
from desktop_crm.sync.port import (
    BATCH_LIMIT,
    Batch,
    Change,
    ChangeKind,
    Folder,
    FolderRole,
    Step,
    TokenInvalid,
)
from desktop_crm.sync.writes import (
    Ability,
    BusyTime,
    Deed,
    Image,
    MakeFolder,
    Ref,
    Stale,
    Vanished,
    Written,
)

__all__ = ["CALENDAR", "INBOX", "SENT", "ExchangeMailbox"]

_log = logging.getLogger(__name__)

NEWEST: Final = "newest"
"""Token after the newest messages were handed over and before the enumeration began."""

_DATED: Final = frozenset({FolderRole.CALENDAR, FolderRole.TASKS, FolderRole.CONTACTS})


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
        certificate: PEM file of the person's certificate and key, for servers that ask for one.
        key_password: opens that key.
        by_system: sign in as who is signed in to this computer, without a password.
        folders: keys of folders to read beyond the usual ones.
        zone: where days begin, for what lasts all day.
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
        certificate: str = "",
        key_password: str = "",
        by_system: bool = False,
        folders: Sequence[str] = (),
        zone: tzinfo = UTC,
    ) -> None:
        self._url = server_address(server)
        self._login = login
        self._chosen = tuple(folders)
        sign_in = signin.SignIn(login, password, ca_file, certificate, key_password, by_system)
        self._protocol = signin.Endpoint(self._url, sign_in, timeout_s=timeout_s)
        self._account = calls.Account(self._protocol, address, self._protocol.version)
        self._folders = Folders(self._account)
        self._addresses: dict[str, str] = {}
        self._ahead: dict[str, dict[str, str]] = {}
        self._deeds = Deeds(self._account, self._folders, self._resolve, zone)

    def folders(self) -> Sequence[Folder]:
        """Those of Inbox, Sent Items and Calendar that the mailbox has, and the chosen ones."""
        with self._translated():
            usual = self._folders.standard()
            chosen = self._folders.chosen(self._chosen)
        found = [folder for folder in READ if folder in usual]
        if not found:
            raise EnvironmentProblem(
                N_("The server {server} shows no mail folder of {login}. Nothing was changed."),
                server=signin.host_of(self._url),
                login=self._login,
            )
        return (*found, *(folder for folder in chosen if folder not in found))

    def changes(self, folder: Folder, token: str | None, limit: int = BATCH_LIMIT) -> Batch:
        """One page of changes with their items; of a large mail folder the newest come first.

        Raises:
            TokenInvalid: the server forgot the state.
            UserError: login or password is refused.
            EnvironmentProblem: the server cannot be reached or does not answer properly;
                its parameter `retry_after` holds the seconds the server asked for, or None.
        """
        with self._translated():
            place = self._id_node(folder)
            if token is None and folder.role not in _DATED:
                ahead, more = pages.newest(self._account, place, limit)
                if more:
                    return self._newest(folder, ahead)
            return self._page(folder, place, None if token == NEWEST else token, limit)

    def _newest(self, folder: Folder, ahead: dict[str, str]) -> Batch:
        self._ahead[folder.key] = ahead
        page = pages.Page(self._account, folder, self._resolve)
        page.want(ahead)
        page.fetch()
        return Batch(tuple(page.changes), NEWEST, more=True, quarantined=tuple(page.quarantined))

    def _page(self, folder: Folder, place: Element, token: str | None, limit: int) -> Batch:
        service = calls.SyncPage(account=self._account)
        elements = service.page(place, token, limit)
        state = service.sync_state or ""
        ahead = self._ahead.get(folder.key, {})
        page = pages.Page(self._account, folder, self._resolve, ahead)
        for element in elements:
            page.take(element)
        page.fetch()
        for item_id in page.seen:
            ahead.pop(item_id, None)
        # A server that repeats its state without a change would be asked for ever.
        stuck = state == token and not elements
        more = not service.includes_last_item_in_range and not stuck
        if not more:
            # What was handed over ahead and is not in the enumeration went meanwhile.
            gone = self._ahead.pop(folder.key, {})
            page.changes += [Change(ChangeKind.DELETE, item_id) for item_id in gone]
        return Batch(tuple(page.changes), state, more, tuple(page.quarantined))

    def test(self) -> Sequence[Step]:
        """Reach the server, sign in, look at each folder."""
        steps: list[Step] = []
        try:
            with self._translated():
                kind = self._protocol.auth_type
            message = f"{signin.host_of(self._url)} ({kind})"
            steps.append(Step(tr("Server"), ok=True, message=message))
            with self._translated():
                usual = self._folders.standard()
            for folder in READ:
                there = folder in usual
                missing = tr("The mailbox has no such folder.")
                message = str(self._folders.count(folder)) if there else missing
                steps.append(Step(tr(folder.name), ok=there, message=message))
        except CrmError as problem:
            name = tr("Sign-in") if steps else tr("Server")
            steps.append(Step(name, ok=False, message=str(problem)))
        return tuple(steps)

    def close(self) -> None:
        """Close the connection."""
        self._protocol.close()
        self._folders.forget()

    @property
    def abilities(self) -> frozenset[Ability]:
        """Everything: Exchange holds mail, meetings, tasks, contacts and free times."""
        return frozenset(Ability)

    def find(self, deed: Deed) -> Written | None:
        """What an earlier try of this deed left behind, by its own key."""
        with self._translated():
            if isinstance(deed, MakeFolder):
                return self._folders.like(deed)
            return self._deeds.find(deed)

    def image(self, ref: Ref) -> Image:
        """The item as it stands now.

        Raises:
            Vanished: it is not there.
        """
        with self._translated():
            return self._deeds.image(ref)

    def do(self, deed: Deed) -> Written:
        """Do it once; see :class:`~desktop_crm.sync.writes.WritableMailbox`."""
        with self._translated():
            return (
                self._folders.make(deed) if isinstance(deed, MakeFolder) else self._deeds.do(deed)
            )

    def all_folders(self) -> Sequence[Folder]:
        """Every folder of mail, meetings, tasks and contacts."""
        with self._translated():
            return self._folders.all()

    def free_busy(
        self, addresses: Sequence[str], start: datetime, end: datetime
    ) -> Mapping[str, tuple[BusyTime, ...] | None]:
        """Busy times of people by their addresses; None for those the server does not know."""
        with self._translated():
            return availability.free_busy(self._account, addresses, start, end)

    def _id_node(self, folder: Folder) -> Element:
        try:
            return self._folders.id_node(folder.key)
        except KeyError as error:
            raise EnvironmentProblem(
                N_('The mailbox of {login} no longer has the folder "{folder}".'),
                login=self._login,
                folder=folder.name,
            ) from error

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
        except (ErrorIrresolvableConflict, ErrorStaleObject, ErrorInvalidChangeKey) as error:
            raise Stale(str(error)) from error
        except ErrorItemNotFound as error:
            raise Vanished(str(error)) from error
        except (EWSError, signin.NoSignIn, signin.NoTicket, signin.BadCertificate) as error:
            server = signin.host_of(self._url)
            _log.warning("%s: %s: %s", server, type(error).__name__, error)
            raise problem_of(error, server, self._login) from error
