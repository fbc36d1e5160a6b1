"""Outlook data files (.pst), read message after message: memory does not grow with the file.

The library that reads them comes with the extra ``pst`` of this project.
"""

from __future__ import annotations

import codecs
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import formataddr
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from desktop_crm.core.i18n import N_
from desktop_crm.sync.exclusion import UNWANTED
from desktop_crm.sync.folder_names import role_of
from desktop_crm.sync.formats import outlook_mime as kept
from desktop_crm.sync.formats.mime import Unusable
from desktop_crm.sync.port import FolderRole

MISSING: Final = N_(
    "Outlook data files are read by an extra part of the program; it comes with "
    'pip install "desktop-crm[pst]".'
)
NO_STORE: Final = N_("It is no Outlook data file, or a damaged one.")
PROTECTED: Final = N_(
    "It is protected by a password. Take the password off in Outlook and try again."
)
NO_MESSAGE: Final = N_("It is an appointment, contact, task or note.")
DAMAGED: Final = N_("It is damaged.")
TOO_LARGE: Final = N_("It is too large.")

_MAGIC: Final = b"!BDN"
_PASSWORD: Final = 0x67FF
_SUBMITTED: Final = 0x0039
_DELIVERED: Final = 0x0E06
_CODE_PAGE: Final = 0x3FFD
_UNSENT: Final = 0x08
_BY_VALUE: Final = 1
_SEARCH_FOLDER: Final = 0x03
"""Kind of node in the lowest five bits: what such a folder shows lies elsewhere."""
_UNICODE: Final = 0x001F
_EPOCH: Final = datetime(1601, 1, 1, tzinfo=UTC)
_PAGES: Final = {20127: "cp1252", 65001: "utf-8", 54936: "gb18030", 50220: "iso2022_jp"}
_OUT: Final = (FolderRole.DRAFTS, FolderRole.JUNK, FolderRole.DELETED)
_READING: Final = (OSError, ValueError, LookupError, TypeError, OverflowError, MemoryError)
"""What the library raises over damaged places."""


class OutlookStore:
    """An open file; use it in a ``with``.

    Args:
        path: the file.
        most_bytes: largest message that is read; the one being read is all that is in memory.

    Attributes:
        count: how many items its folders hold, of every kind.
        left: reasons why some were passed over, translatable, with their number.

    Raises:
        Unusable: it cannot be read, is protected, or the extra part is missing.
        OSError: it cannot be opened.
    """

    def __init__(self, path: Path, most_bytes: int) -> None:
        try:
            import pypff
        except ImportError as error:
            raise Unusable(MISSING) from error
        with path.open("rb") as file:
            if file.read(len(_MAGIC)) != _MAGIC:
                raise Unusable(NO_STORE)
        self._most_bytes = most_bytes
        self.left: Counter[str] = Counter()
        self._file = pypff.file()
        try:
            self._file.open(str(path))
            if _Values(self._file.message_store).number(_PASSWORD):
                raise Unusable(PROTECTED)
            self._folders = self._all_folders()
        except _READING as error:
            raise Unusable(NO_STORE) from error
        self.count = sum(number for _folder, number, _role in self._folders)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._folders.clear()
        self._file.close()

    def _all_folders(self) -> list[tuple[Any, int, FolderRole]]:
        """Each folder with the number of its items and what it is for."""
        found = []
        pending = [(self._file.root_folder, "")]
        while pending:
            folder, path = pending.pop()
            try:
                if folder.identifier & 0x1F == _SEARCH_FOLDER:
                    continue
                found.append((folder, folder.number_of_sub_messages, role_of(path)))
                below = [folder.get_sub_folder(n) for n in range(folder.number_of_sub_folders)]
                named = [(one, f"{path}/{one.name or ''}".lstrip("/")) for one in below]
            except _READING:
                self.left[DAMAGED] += 1
            else:
                pending += reversed(named)
        return found

    def messages(self) -> Iterator[bytes | None]:
        """The messages, folder by folder; None for each passed over, which `left` counts."""
        for folder, number, role in self._folders:
            for place in range(number):
                made: bytes | None = None
                try:
                    made = self._message(folder.get_sub_message(place), role)
                except Unusable as error:
                    self.left[error.reason] += 1
                except _READING:
                    self.left[DAMAGED] += 1
                yield made

    def _message(self, message: Any, role: FolderRole) -> bytes:  # noqa: ANN401  the library has no types
        values = _Values(message)
        if not values.text(kept.MESSAGE_CLASS).upper().startswith(kept.MAIL):
            raise Unusable(NO_MESSAGE)
        if role in _OUT or values.number(kept.MESSAGE_FLAGS) & _UNSENT:
            raise Unusable(UNWANTED)
        room = self._most_bytes - values.number(kept.MESSAGE_SIZE)
        if room < 0:
            raise Unusable(TOO_LARGE)
        subject = values.text(kept.SUBJECT)
        return kept.written(
            kept.KeptMessage(
                headers=values.text(kept.HEADERS),
                # Its prefix is marked by a control character and its length.
                subject=subject[2:] if subject[:1] < " " else subject,
                message_id=values.text(kept.MESSAGE_ID),
                in_reply_to=values.text(kept.IN_REPLY_TO),
                references=values.text(kept.REFERENCES),
                sender=_sender(values),
                sent_at=values.moment(_SUBMITTED) or values.moment(_DELIVERED),
                people=_people(message),
                text=values.text(kept.BODY),
                html=values.html(),
                files=self._files(message, values),
            )
        )

    def _files(self, message: Any, values: _Values) -> tuple[kept.KeptFile, ...]:  # noqa: ANN401  as above
        found = []
        room = self._most_bytes
        for place in range(message.number_of_attachments):
            file = message.get_attachment(place)
            its = _Values(file)
            # Others are messages within the message, or files that only Outlook can find.
            if its.number(kept.ATTACH_METHOD) != _BY_VALUE:
                continue
            room -= file.size
            if room < 0:
                raise Unusable(TOO_LARGE)
            name = its.text(kept.FILE_NAME) or its.text(kept.SHORT_NAME)
            content = file.read_buffer(file.size) if file.size else b""
            cid = its.text(kept.CONTENT_ID).strip("<>")
            found.append(kept.KeptFile(name, its.text(kept.MIME_TYPE), content, cid))
        if not values.text(kept.BODY) and not values.html() and message.rtf_body:
            found.append(kept.KeptFile("message.rtf", "application/rtf", message.rtf_body))
        return tuple(found)


class _Values:
    """The properties of an item by their number; what is missing is empty."""

    def __init__(self, item: Any) -> None:  # noqa: ANN401  as above
        sets = [item.get_record_set(0)] if item is not None and item.number_of_record_sets else []
        self._entries = {one.entry_type: one for row in sets for one in row.entries}

    @classmethod
    def of_row(cls, row: Any) -> _Values:  # noqa: ANN401  as above
        """Those of a row in a table."""
        made = cls(None)
        made._entries = {one.entry_type: one for one in row.entries}
        return made

    def data(self, tag: int) -> bytes:
        """As they stand in the file."""
        entry = self._entries.get(tag)
        return (entry.data or b"") if entry is not None else b""

    def text(self, tag: int) -> str:
        """A text; what its code page does not know is replaced by a mark."""
        entry = self._entries.get(tag)
        if entry is None:
            return ""
        is_wide = entry.value_type == _UNICODE
        codec = "utf-16-le" if is_wide else _codec(self.number(_CODE_PAGE))
        return self.data(tag).decode(codec, "replace").partition("\0")[0]

    def html(self) -> str:
        """The HTML, which is kept as bytes of a code page or as a text."""
        entry = self._entries.get(kept.HTML)
        if entry is None or entry.value_type == _UNICODE:
            return self.text(kept.HTML)
        codec = _codec(self.number(kept.CODE_PAGE))
        return self.data(kept.HTML).decode(codec, "replace").rstrip("\0")

    def number(self, tag: int) -> int:
        """A whole number, 0 when it is missing."""
        return int.from_bytes(self.data(tag)[:4], "little")

    def moment(self, tag: int) -> datetime | None:
        """A moment, counted in tenths of microseconds since 1601."""
        ticks = int.from_bytes(self.data(tag)[:8], "little")
        return _EPOCH + timedelta(microseconds=ticks // 10) if ticks else None


def _codec(page: int) -> str:
    """Python's name of a code page; Western European for none and for unknown ones."""
    iso = f"iso8859_{page - 28590}" if 28591 <= page <= 28605 else f"cp{page}"
    name = _PAGES.get(page, iso)
    try:
        codecs.lookup(name)
    except LookupError:
        return "cp1252"
    return name


def _address(values: _Values, *tags: int) -> str:
    """The first that is an address of the internet; Exchange's own ones name no mailbox."""
    return next((text for tag in tags if "@" in (text := values.text(tag))), "")


def _sender(values: _Values) -> str:
    name = values.text(kept.SENDER_NAME)
    address = _address(values, kept.SENDER_SMTP, kept.SENDER)
    return formataddr((name, address), "utf-8") if address else name


def _people(message: Any) -> tuple[kept.KeptPerson, ...]:  # noqa: ANN401  as above
    table = message.recipients
    count = 0 if table is None else table.number_of_recipients
    rows = [table.get_recipient(place) for place in range(count)]
    return tuple(
        kept.KeptPerson(
            its.number(kept.RECIPIENT_TYPE),
            its.text(kept.DISPLAY_NAME),
            _address(its, kept.SMTP, kept.EMAIL),
        )
        for its in map(_Values.of_row, rows)
    )
