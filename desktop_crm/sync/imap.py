"""A mailbox on open standards: mail over IMAP, sent over SMTP, calendars and contacts over DAV.

What stands behind a folder is told by its key. Nothing here retries: waiting is the caller's, who
can be stopped.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from desktop_crm.core.errors import CrmError
from desktop_crm.core.i18n import tr
from desktop_crm.sync.imap_changes import Reader, no_folder
from desktop_crm.sync.imap_folders import mail_folders, name_of
from desktop_crm.sync.imap_session import Gone, Session
from desktop_crm.sync.port import BATCH_LIMIT, Batch, Folder, FolderRole, Step

_READ: Final = (FolderRole.INBOX, FolderRole.SENT)


class ImapMailbox:
    """One person's mailbox.

    Args:
        server: written form of the IMAP server.
        address: the person's own address.
        login: what to sign in with, everywhere.
        password: in memory only.
        ca_file: certificates of the authority to trust; empty trusts the system's.
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
        self._address = address
        self._session = Session(server, login, password, ca_file=ca_file, timeout_s=timeout_s)
        self._reader = Reader(self._session)

    def folders(self) -> Sequence[Folder]:
        """Inbox and sent mail."""
        return tuple(f for f in mail_folders(self._session) if f.role in _READ)

    def all_folders(self) -> Sequence[Folder]:
        """Every folder of mail."""
        return tuple(mail_folders(self._session))

    def changes(self, folder: Folder, token: str | None, limit: int = BATCH_LIMIT) -> Batch:
        """Changes since the token, the newest first.

        Raises:
            TokenInvalid: the folder was made anew, or the token is none.
            UserError: login or password is refused.
            EnvironmentProblem: the server cannot be reached or does not answer properly.
        """
        try:
            return self._reader.changes(name_of(folder.key), token, limit)
        except Gone as error:
            raise no_folder(folder.name, self._session.host) from error

    def test(self) -> Sequence[Step]:
        """Sign in and look at each folder."""
        steps: list[Step] = []
        try:
            folders = self.folders()
            steps.append(Step(tr("Mail server"), ok=True, message=self._session.host))
            for folder in folders:
                state = self._session.open(name_of(folder.key))
                steps.append(Step(folder.name, ok=True, message=str(state.get(b"EXISTS", 0))))
        except CrmError as problem:
            steps.append(Step(tr("Mail server"), ok=False, message=str(problem)))
        return tuple(steps)

    def close(self) -> None:
        """Close the connections."""
        self._session.close()
        self._reader.forget()
