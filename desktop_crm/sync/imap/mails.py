"""Single messages on an IMAP server: found, laid down, marked, moved and deleted.

Servers differ in what they can: where one cannot say under which number a message was stored, or
delete one message alone, the same is reached by steps every server knows.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from desktop_crm.core.errors import UserError
from desktop_crm.core.i18n import N_
from desktop_crm.sync.formats import mime
from desktop_crm.sync.imap.changes import item_id, uid_of
from desktop_crm.sync.imap.folders import PREFIX, mail_folders, name_of
from desktop_crm.sync.imap.items import (
    COMPLETED,
    DRAFT,
    FLAGGED,
    SEEN,
    Marks,
    category_of,
    keyword_of,
    read_mail,
)
from desktop_crm.sync.imap.session import Gone, Session
from desktop_crm.sync.imap.smtp import crlf
from desktop_crm.sync.port import Flag, FolderRole
from desktop_crm.sync.writes import Image, Ref, Vanished

_APPENDED: Final = re.compile(rb"\[APPENDUID (\d+) (\d+)\]", re.IGNORECASE)
_ANY: Final = b"\\*"
_DELETED: Final = b"\\Deleted"
_RECENT: Final = b"\\Recent"
_NEW_NAMES: Final = {FolderRole.DRAFTS: "Drafts", FolderRole.SENT: "Sent"}


@dataclass(frozen=True, slots=True)
class Opened:
    """A folder open for writing."""

    name: str
    validity: int
    permanent: tuple[bytes, ...]

    @property
    def takes_keywords(self) -> bool:
        """Whether messages can be given words of one's own."""
        return _ANY in self.permanent

    def ref(self, uid: int) -> Ref:
        """Where a message of this folder lies."""
        return Ref(PREFIX + self.name, item_id(self.validity, uid))


class Mails:
    """What is done to messages of one mailbox."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._roles: dict[FolderRole, str] = {}

    @property
    def session(self) -> Session:
        """The connection."""
        return self._session

    def forget(self) -> None:
        """Forget which folder is for what."""
        self._roles.clear()

    def open(self, name: str) -> Opened:
        """Open a folder for writing.

        Raises:
            Vanished: there is no such folder.
        """
        try:
            state = self._session.open(name, writable=True)
        except Gone as error:
            raise Vanished(name) from error
        permanent = state.get(b"PERMANENTFLAGS", state.get(b"FLAGS", ()))
        return Opened(name, int(state.get(b"UIDVALIDITY", 0)), tuple(permanent))

    def at(self, ref: Ref) -> tuple[Opened, int]:
        """The open folder of a message, and its number.

        Raises:
            Vanished: the message is not there.
        """
        folder = self.open(name_of(ref.folder))
        validity, uid = uid_of(ref.item_id)
        if validity != folder.validity or not self.search("UID", str(uid)):
            raise Vanished(ref.item_id)
        return folder, uid

    def of_role(self, role: FolderRole) -> str:
        """Name of the drafts or of the sent mail; made when the mailbox has none."""
        if role not in self._roles:
            found = {f.role: name_of(f.key) for f in mail_folders(self._session)}
            if role not in found:
                found[role] = self._make(_NEW_NAMES[role])
            self._roles = found
        return self._roles[role]

    def _make(self, name: str) -> str:
        with self._session.translated():
            client = self._session.client
            prefix = ""
            if client.has_capability("NAMESPACE"):
                personal = client.namespace().personal
                prefix = personal[0][0] if personal else ""
            made = f"{prefix}{name}"
            client.create_folder(made)
            client.subscribe_folder(made)
            return made

    def search(self, *criteria: str) -> list[int]:
        """Numbers in the open folder that answer to something, ascending."""
        with self._session.translated():
            return sorted(int(uid) for uid in self._session.client.search(list(criteria)))

    def by_header(self, folder: str, name: str, value: str) -> list[Ref]:
        """Messages of a folder with that in a header line; the folder is open afterwards.

        Raises:
            Vanished: there is no such folder.
        """
        opened = self.open(folder)
        plain = value.encode("ascii", "ignore").decode("ascii")
        return [opened.ref(uid) for uid in self.search("HEADER", name, plain)] if plain else []

    def flags(self, uid: int) -> tuple[bytes, ...]:
        """Flags of a message of the open folder; nothing for one that is gone."""
        with self._session.translated():
            found = self._session.client.fetch([uid], ["FLAGS"])
            return tuple(found.get(uid, {}).get(b"FLAGS", ()))

    def store(self, uid: int, *, add: Sequence[bytes] = (), remove: Sequence[bytes] = ()) -> None:
        """Add and remove flags of a message of the open folder."""
        with self._session.translated():
            if remove:
                self._session.client.remove_flags([uid], list(remove), silent=True)
            if add:
                self._session.client.add_flags([uid], list(add), silent=True)

    def append(
        self, folder: str, data: bytes, flags: Sequence[bytes], at: datetime | None = None
    ) -> Ref:
        """Lay a message in a folder.

        Raises:
            Vanished: there is no such folder.
        """
        opened = self.open(folder)
        with self._session.translated():
            client = self._session.client
            before = self._next_uid(folder)
            said = client.append(folder, crlf(data), list(flags), at)
        match = _APPENDED.search(said if isinstance(said, bytes) else b"")
        if match and int(match[1]) == opened.validity:
            return opened.ref(int(match[2]))
        return self._newest(folder, before)

    def move(self, folder: Opened, uid: int, target: str) -> Ref:
        """Move a message of the open folder.

        Raises:
            Vanished: there is no such target.
        """
        with self._session.translated():
            client = self._session.client
            if not client.folder_exists(target):
                raise Vanished(target)
            before = self._next_uid(target)
            if self._session.offers("MOVE"):
                client.move([uid], target)
            else:
                client.copy([uid], target)
                self.delete(uid)
        return self._newest(target, before)

    def copy_of(self, uid: int, target: str) -> Ref | None:
        """The copy of a message of the open folder in another one, which is open afterwards.

        It has the same bytes, was received at the same moment and lacks no mark of the message:
        what is taken for the copy is all that stays. No id is trusted here; two messages may have
        the same one, and some have none.

        Raises:
            Vanished: there is no such target.
        """
        wanted = self._whole(uid)
        if not wanted:
            return None
        opened = self.open(target)
        size = int(wanted[b"RFC822.SIZE"])
        for other in reversed(self.search("LARGER", str(size - 1), "SMALLER", str(size + 1))):
            if _is_copy(self._whole(other), wanted):
                return opened.ref(other)
        return None

    def delete(self, uid: int) -> None:
        """Delete one message of the open folder for good, and no other."""
        with self._session.translated():
            client = self._session.client
            if self._session.offers("UIDPLUS"):
                client.delete_messages([uid], silent=True)
                client.uid_expunge([uid])
                return
            # EXPUNGE takes everything marked so: what others marked is spared for a moment.
            others = [one for one in client.search("DELETED") if one != uid]
            if others:
                client.remove_flags(others, [_DELETED], silent=True)
            client.delete_messages([uid], silent=True)
            client.expunge()
            if others:
                client.add_flags(others, [_DELETED], silent=True)

    def image(self, ref: Ref) -> Image:
        """A message as it stands.

        Raises:
            Vanished: it is not there.
            UserError: it cannot be read.
        """
        _, uid = self.at(ref)
        answer = self._whole(uid)
        if not answer:
            raise Vanished(ref.item_id)
        marks = Marks.of(answer.get(b"FLAGS", ()))
        raw = bytes(answer[b"BODY[]"] or b"")
        try:
            item = read_mail(raw, answer.get(b"INTERNALDATE"))
        except mime.Unusable as error:
            raise UserError(error.reason) from error
        return Image(ref, item, raw, marks.is_read, marks.flag, marks.categories)

    def _whole(self, uid: int) -> Mapping[bytes, Any]:
        with self._session.translated():
            what = ["FLAGS", "INTERNALDATE", "RFC822.SIZE", "BODY.PEEK[]"]
            found = self._session.client.fetch([uid], what).get(uid, {})
        return found if b"BODY[]" in found else {}

    def _next_uid(self, folder: str) -> int:
        found = self._session.client.folder_status(folder, ["UIDNEXT"])
        return int(found.get(b"UIDNEXT", 0))

    def _newest(self, folder: str, before: int) -> Ref:
        """The message that was stored under the number that was the next one."""
        opened = self.open(folder)
        found = [uid for uid in self.search("UID", f"{max(before, 1)}:*") if uid >= before]
        if not found:
            raise Vanished(folder)
        return opened.ref(found[-1] if not before else found[0])


def _is_copy(one: Mapping[bytes, Any], message: Mapping[bytes, Any]) -> bool:
    same = all(one.get(part) == message[part] for part in (b"INTERNALDATE", b"BODY[]"))
    # The earlier try may have marked it as deleted already.
    return same and set(message[b"FLAGS"]) - {_DELETED, _RECENT} <= set(one[b"FLAGS"])


def flags_of(
    folder: Opened, *, is_read: bool, flag: Flag, categories: Sequence[str], draft: bool = False
) -> list[bytes]:
    """Flags for a message that is laid down, as far as the folder keeps them."""
    found = [SEEN] if is_read else []
    found += [DRAFT] if draft else []
    found += [FLAGGED] if flag is Flag.FLAGGED else []
    if folder.takes_keywords:
        found += [COMPLETED] if flag is Flag.COMPLETE else []
        found += [keyword_of(name) for name in categories]
    return found


def categories_to_change(
    flags: Sequence[bytes], wanted: Sequence[str]
) -> tuple[list[bytes], list[bytes]]:
    """Keywords to add and to remove so that a message has exactly these categories."""
    names = {name.casefold() for name in wanted}
    stand = {category_of(flag).casefold(): flag for flag in flags if category_of(flag)}
    add = [keyword_of(name) for name in wanted if name.casefold() not in stand]
    return add, [flag for name, flag in stand.items() if name not in names]


def no_keywords(server: str) -> UserError:
    """The sentence about a server that keeps no words of one's own."""
    return UserError(
        N_("The server {server} keeps no categories in this folder. Nothing was changed there."),
        server=server,
    )
