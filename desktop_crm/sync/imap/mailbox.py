"""A mailbox on open standards: mail over IMAP, sent over SMTP, calendars and contacts over DAV.

What stands behind a folder is told by its key. Nothing here retries: waiting is the caller's, who
can be stopped.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from typing import Final

from desktop_crm.core.errors import CrmError
from desktop_crm.core.i18n import tr
from desktop_crm.sync.dav.busy import busy_times
from desktop_crm.sync.dav.client import DavClient
from desktop_crm.sync.dav.places import PREFIX as DAV
from desktop_crm.sync.dav.store import DavStore
from desktop_crm.sync.dav.writes import DavWriter
from desktop_crm.sync.deed_form import refuse_unable
from desktop_crm.sync.imap.changes import Reader
from desktop_crm.sync.imap.folders import mail_folders, name_of
from desktop_crm.sync.imap.session import Gone, Session
from desktop_crm.sync.imap.smtp import Postman
from desktop_crm.sync.imap.writes import MailWriter
from desktop_crm.sync.port import BATCH_LIMIT, Batch, Folder, FolderRole, Step
from desktop_crm.sync.refusals import no_folder
from desktop_crm.sync.writes import (
    Ability,
    Answer,
    BusyTime,
    Deed,
    Delete,
    Image,
    MakeFolder,
    Mark,
    Move,
    PutBack,
    Ref,
    Save,
    SaveDraft,
    Send,
    Written,
)

_READ: Final = (FolderRole.INBOX, FolderRole.SENT)
_MAIL: Final = frozenset(
    {
        Ability.DRAFTS,
        Ability.READ_MARK,
        Ability.FLAG,
        Ability.CATEGORIES,
        Ability.MOVE,
        Ability.DELETE,
    }
)
_ITEMS: Final = frozenset(
    {
        Ability.MEETINGS, Ability.TASKS, Ability.CONTACTS, Ability.FREE_BUSY, Ability.FOLDERS,
        Ability.QUIET,
    }
)  # fmt: skip


class ImapMailbox:
    """One person's mailbox.

    Args:
        server: written form of the IMAP server.
        address: the person's own address.
        login: what to sign in with, everywhere.
        password: in memory only.
        smtp_server: written form of the SMTP server; empty for a mailbox that cannot send.
        dav_server: addresses of the CalDAV and CardDAV servers, parted by blanks; empty for none.
        ca_file: certificates of the authority to trust; empty trusts the system's.
        zone: clock of calendar times that name no zone.
        timeout_s: seconds to wait for one answer.
    """

    def __init__(
        self,
        server: str,
        address: str,
        *,
        login: str,
        password: str,
        smtp_server: str = "",
        dav_server: str = "",
        ca_file: str = "",
        zone: tzinfo = UTC,
        timeout_s: float = 60.0,
    ) -> None:
        self._session = Session(server, login, password, ca_file=ca_file, timeout_s=timeout_s)
        self._reader = Reader(self._session)
        self._postman: Postman | None = None
        if smtp_server:
            self._postman = Postman(
                smtp_server, login, password, ca_file=ca_file, timeout_s=timeout_s
            )
        self._mail = MailWriter(self._session, self._postman)
        clients = [
            DavClient(url, login, password, ca_file=ca_file, timeout_s=timeout_s)
            for url in dav_server.split()
        ]
        self._dav = DavStore(clients, address, zone)
        self._items = DavWriter(self._dav, address, self._send_once)

    @property
    def abilities(self) -> frozenset[Ability]:
        """What the servers the mailbox names can do."""
        found = _MAIL
        if self._postman is not None:
            found |= {Ability.SEND}
        if self._dav.clients:
            found |= _ITEMS
        if self._postman is not None and self._dav.clients:
            found |= {Ability.INVITE}
        return found

    # --- reading ----------------------------------------------------------------------------

    def folders(self) -> Sequence[Folder]:
        """Inbox, sent mail and the calendars."""
        mail = [f for f in mail_folders(self._session) if f.role in _READ]
        places = [place.folder for place in self._dav.places]
        return (*mail, *(f for f in places if f.role is FolderRole.CALENDAR))

    def all_folders(self) -> Sequence[Folder]:
        """Every folder of mail, calendar, task list and address book."""
        return (*mail_folders(self._session), *(place.folder for place in self._dav.places))

    def changes(self, folder: Folder, token: str | None, limit: int = BATCH_LIMIT) -> Batch:
        """Changes since the token, the newest mail first.

        Raises:
            TokenInvalid: the folder was made anew, or the token is none.
            UserError: login or password is refused.
            EnvironmentProblem: the server cannot be reached or does not answer properly.
        """
        if _is_dav(folder.key):
            return self._dav.changes(folder, token, limit)
        try:
            return self._reader.changes(name_of(folder.key), token, limit)
        except Gone as error:
            raise no_folder(folder.name, self._session.host) from error

    def test(self) -> Sequence[Step]:
        """Sign in to each server and look at what it has; stops at the first that fails."""
        steps: list[Step] = []
        tries: list[tuple[str, Callable[[], str]]] = [(tr("Mail server"), self._test_mail)]
        if self._postman is not None:
            tries.append((tr("Server for sending"), self._test_sending))
        if self._dav.clients:
            tries.append((tr("Calendars and contacts"), self._test_items))
        for name, attempt in tries:
            try:
                steps.append(Step(name, ok=True, message=attempt()))
            except CrmError as problem:
                steps.append(Step(name, ok=False, message=str(problem)))
                break
        return tuple(steps)

    def _test_mail(self) -> str:
        counts = []
        for folder in mail_folders(self._session):
            if folder.role in _READ:
                state = self._session.open(name_of(folder.key))
                counts.append(f"{folder.name}: {state.get(b'EXISTS', 0)}")
        return ", ".join(counts)

    def _test_sending(self) -> str:
        if self._postman is None:
            return ""
        self._postman.test()
        return self._postman.host

    def _test_items(self) -> str:
        return ", ".join(place.name for place in self._dav.places)

    def close(self) -> None:
        """Close the connections."""
        self._session.close()
        self._reader.forget()
        self._mail.forget()
        self._dav.close()

    # --- writing ----------------------------------------------------------------------------

    def find(self, deed: Deed) -> Written | None:
        """What an earlier try of a deed left behind.

        Raises:
            UserError: nobody knows whether a message went out.
        """
        match deed:
            case Send():
                return self._mail.find_sent(deed)
            case SaveDraft():
                return self._mail.find_draft(deed)
            case Save():
                return self._items.find(deed)
            case Move():
                return None if _is_dav(deed.ref.folder) else self._mail.find_move(deed)
            case PutBack():
                dav = _is_dav(deed.image.ref.folder)
                return self._items.find(deed) if dav else self._mail.find_put_back(deed)
            case MakeFolder():
                return self._dav.like(deed)
        return None

    def image(self, ref: Ref) -> Image:
        """The item as it stands now.

        Raises:
            Vanished: it is not there.
        """
        return self._items.image(ref) if _is_dav(ref.folder) else self._mail.image(ref)

    def do(self, deed: Deed) -> Written:
        """Do it once.

        Raises:
            Stale: the item is newer than the deed knew; nothing was changed.
            Vanished: it is not there; nothing was changed.
            UserError: it is refused for good.
            EnvironmentProblem: as everywhere.
        """
        refuse_unable(self.abilities, deed)
        match deed:
            case Send():
                return self._mail.send(deed)
            case SaveDraft():
                return self._mail.save_draft(deed)
            case Save():
                return self._items.save(deed)
            case Answer():
                return self._items.answer(deed)
            case Mark():
                return self._items.mark(deed) if _is_dav(deed.ref.folder) else self._mail.mark(deed)
            case Move():
                return self._items.move(deed) if _is_dav(deed.ref.folder) else self._mail.move(deed)
            case Delete():
                dav = _is_dav(deed.ref.folder)
                return self._items.delete(deed) if dav else self._mail.delete(deed)
            case PutBack():
                dav = _is_dav(deed.image.ref.folder)
                return self._items.put_back(deed) if dav else self._mail.put_back(deed)
            case MakeFolder():
                return self._dav.make(deed)

    def free_busy(
        self, addresses: Sequence[str], start: datetime, end: datetime
    ) -> Mapping[str, tuple[BusyTime, ...] | None]:
        """Busy times of people, as far as the calendar server tells."""
        return busy_times(self._dav, addresses, start, end)

    def _send_once(self, deed: Send) -> Written:
        return self._mail.find_sent(deed) or self._mail.send(deed)


def _is_dav(folder_key: str) -> bool:
    return folder_key.startswith(DAV)
