"""A folder tree of .eml and .ics files as a mailbox: samples, archives, dragged-in mail.

Subfolders are mail folders, files in the root are its inbox, and the .ics files of the whole tree
are one calendar. The token is a snapshot of what was taken over: per file its size, time, hash
and the items it held; a folder that did not change gives no change.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import zlib
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Final

from desktop_crm.core.errors import EnvironmentProblem
from desktop_crm.core.i18n import N_, tr
from desktop_crm.sync.folder.writes import ABILITIES, FolderWriter
from desktop_crm.sync.folder_names import role_of
from desktop_crm.sync.formats import ical, mime
from desktop_crm.sync.port import (
    BATCH_LIMIT,
    Batch,
    Change,
    ChangeKind,
    Folder,
    FolderRole,
    MeetingItem,
    Quarantined,
    Step,
    TokenInvalid,
)
from desktop_crm.sync.writes import Ability, BusyTime, Deed, Image, Ref, Written

_log = logging.getLogger(__name__)

CALENDAR: Final = Folder("Calendar", "Calendar", FolderRole.CALENDAR)
INBOX: Final = Folder("Inbox", "Inbox", FolderRole.INBOX)
FILE_LIMIT: Final = 100_000_000
"""Bytes of the biggest file that is read; a mail server would refuse it too."""

_UNREADABLE: Final = N_("The file cannot be read ({problem}).")
_TOO_BIG: Final = N_("The file is larger than {limit} MB.")


@dataclass(frozen=True, slots=True)
class _Seen:
    """What is remembered of one file."""

    size: int
    mtime_ns: int
    digest: str = ""
    items: tuple[str, ...] = ()


@dataclass(slots=True)
class _Scan:
    """The files of one folder now, and the places that could not be looked into."""

    files: dict[str, _Seen] = field(default_factory=dict)
    problems: list[Quarantined] = field(default_factory=list)


class FolderMailbox:
    """Files below a folder; its messages can be moved and deleted, drafts laid into it."""

    def __init__(self, root: Path, zone: tzinfo = UTC) -> None:
        self._root = root
        self._zone = zone
        self._writer = FolderWriter(root, self._directory)

    def folders(self) -> Sequence[Folder]:
        """Inbox, subfolders by name, and the calendar when the tree holds any .ics file.

        Raises:
            EnvironmentProblem: the root folder is missing or cannot be listed.
        """
        self._check()
        mail: dict[str, Folder] = {}
        has_calendar = False
        for path, _ in self._walk([]):
            suffix = path.suffix.lower()
            has_calendar = has_calendar or suffix == ".ics"
            if suffix == ".eml":
                key = self._folder_key(path)
                mail.setdefault(key, Folder(key, key, role_of(key)))
        order = {FolderRole.INBOX: 0, FolderRole.SENT: 1}
        found = sorted(mail.values(), key=lambda f: (order.get(f.role, 2), f.name.lower()))
        return (*(found or [INBOX]), *((CALENDAR,) if has_calendar else ()))

    def changes(self, folder: Folder, token: str | None, limit: int = BATCH_LIMIT) -> Batch:
        """Files that came, changed or went since the token; one file may hold several meetings.

        A file whose content is unchanged is never a change, whatever its time stamp says.
        """
        self._check()
        seen = _unpack(token)
        scan = self._scan(folder)
        batch = _Batch(self, folder, dict(seen))
        more = False
        for name, now in scan.files.items():
            before = seen.get(name)
            if before and (before.size, before.mtime_ns) == (now.size, now.mtime_ns):
                continue
            if batch.size >= limit:
                more = True
                break
            batch.read(name, now, before)
        if not more:
            batch.forget(name for name in seen if name not in scan.files)
        quarantined = (*batch.quarantined, *(() if more else scan.problems))
        return Batch(tuple(batch.changes), _pack(batch.seen), more, quarantined)

    def test(self) -> Sequence[Step]:
        """Look whether the folder can be listed and what it holds."""
        name = tr("Folder")
        try:
            folders = self.folders()
        except EnvironmentProblem as problem:
            return (Step(name, ok=False, message=str(problem)),)
        counts = ", ".join(f"{f.name}: {len(self._scan(f).files)}" for f in folders)
        return (Step(name, ok=True, message=counts),)

    def close(self) -> None:
        """Nothing is held open."""

    @property
    def abilities(self) -> frozenset[Ability]:
        """Drafts, moving and deleting mail: files deliver nothing and carry no marks."""
        return ABILITIES

    def all_folders(self) -> Sequence[Folder]:
        """What is read, and every other folder below; the drafts are there once one is laid."""
        read = self.folders()
        keys = {folder.key for folder in read}
        below = [
            path.relative_to(self._root).as_posix()
            for path in sorted(self._root.rglob("*"))
            if path.is_dir() and not path.is_symlink() and not _hidden(path, self._root)
        ]
        return (*read, *(Folder(key, key, role_of(key)) for key in below if key not in keys))

    def find(self, deed: Deed) -> Written | None:
        """The file an earlier try left."""
        return self._writer.find(deed)

    def image(self, ref: Ref) -> Image:
        """The message as its file stands."""
        return self._writer.image(ref)

    def do(self, deed: Deed) -> Written:
        """Change a file, whole or not at all."""
        self._check()
        return self._writer.do(deed)

    def free_busy(
        self, addresses: Sequence[str], start: datetime, end: datetime
    ) -> Mapping[str, tuple[BusyTime, ...] | None]:
        """Nobody's times are known to files."""
        return dict.fromkeys(addresses)

    def _directory(self, key: str) -> Path:
        path = self._root / key
        return self._root if key == INBOX.key and not path.is_dir() else path

    def load(self, name: str) -> bytes:
        """Bytes of one file, by its path below the root."""
        path = self._root / name
        if path.stat().st_size > FILE_LIMIT:
            raise mime.Unusable(_TOO_BIG.replace("{limit}", str(FILE_LIMIT // 1_000_000)))
        return path.read_bytes()

    @property
    def zone(self) -> tzinfo:
        """Clock of calendar times that name no zone."""
        return self._zone

    def _check(self) -> None:
        try:
            with os.scandir(self._root) as entries:
                next(entries, None)
        except OSError as error:
            raise EnvironmentProblem(
                N_(
                    'The mail folder "{path}" cannot be read ({problem}). Nothing was changed; '
                    "check that it exists and that you may open it."
                ),
                path=self._root,
                problem=error.strerror or error,
            ) from error

    def _scan(self, folder: Folder) -> _Scan:
        scan = _Scan()
        calendar = folder.role is FolderRole.CALENDAR
        wanted = ".ics" if calendar else ".eml"
        for path, stat in self._walk(scan.problems):
            if path.suffix.lower() != wanted:
                continue
            if calendar or self._folder_key(path) == folder.key:
                name = path.relative_to(self._root).as_posix()
                scan.files[name] = _Seen(stat.st_size, stat.st_mtime_ns)
        if folder.role is not FolderRole.INBOX:
            scan.problems.clear()  # told once, with the inbox
        return scan

    def _walk(self, problems: list[Quarantined]) -> Iterator[tuple[Path, os.stat_result]]:
        pending = [self._root]
        while pending:
            current = pending.pop(0)
            try:
                entries = sorted(os.scandir(current), key=lambda entry: entry.name)
            except OSError as error:
                name = current.relative_to(self._root).as_posix()
                problems.append(
                    Quarantined(
                        f"{name}/",
                        name,
                        N_("The folder cannot be opened ({problem})."),
                        (("problem", error.strerror or str(error)),),
                    )
                )
                continue
            for entry in entries:
                yield from _entry(entry, pending)

    def _folder_key(self, path: Path) -> str:
        parent = path.parent.relative_to(self._root).as_posix()
        return INBOX.key if parent == "." else parent


def _hidden(path: Path, root: Path) -> bool:
    return any(part.startswith(".") for part in path.relative_to(root).parts)


def _entry(entry: os.DirEntry[str], pending: list[Path]) -> Iterator[tuple[Path, os.stat_result]]:
    try:
        # Links to folders are not followed: a link upwards would never end.
        if entry.is_dir(follow_symlinks=False):
            if not entry.name.startswith("."):
                pending.append(Path(entry.path))
        elif entry.is_file():
            yield Path(entry.path), entry.stat()
    except OSError as error:
        _log.info("%s passed over: %s", entry.path, error)


class _Batch:
    """Changes collected so far, and the snapshot they lead to."""

    def __init__(self, mailbox: FolderMailbox, folder: Folder, seen: dict[str, _Seen]) -> None:
        self._mailbox = mailbox
        self._calendar = folder.role is FolderRole.CALENDAR
        self.seen = seen
        self.changes: list[Change] = []
        self.quarantined: list[Quarantined] = []

    @property
    def size(self) -> int:
        """How much of the batch is filled."""
        return len(self.changes) + len(self.quarantined)

    def read(self, name: str, now: _Seen, before: _Seen | None) -> None:
        """Take over one file that is new or looks changed."""
        try:
            data = self._mailbox.load(name)
        except OSError as error:
            params = (("problem", error.strerror or str(error)),)
            self._set_aside(name, now, before, Quarantined(name, name, _UNREADABLE, params))
            return
        except mime.Unusable as error:
            self._set_aside(name, now, before, Quarantined(name, name, error.reason))
            return
        digest = hashlib.sha256(data).hexdigest()[:24]
        if before and before.digest == digest:
            self.seen[name] = _Seen(now.size, now.mtime_ns, digest, before.items)
            return
        if self._calendar:
            self._calendar_file(name, data, _Seen(now.size, now.mtime_ns, digest), before)
        else:
            self._message(name, data, _Seen(now.size, now.mtime_ns, digest), before)

    def forget(self, names: Iterable[str]) -> None:
        """Files that are gone: every item they held is."""
        for name in names:
            self._gone(self.seen.pop(name).items)

    def _gone(self, items: Iterable[str]) -> None:
        self.changes += [Change(ChangeKind.DELETE, item) for item in items]

    def _set_aside(self, name: str, now: _Seen, before: _Seen | None, problem: Quarantined) -> None:
        self.quarantined.append(problem)
        items = before.items if before else ()
        self.seen[name] = _Seen(now.size, now.mtime_ns, "", items)

    def _message(self, name: str, data: bytes, now: _Seen, before: _Seen | None) -> None:
        try:
            item = mime.read_message(data)
        except mime.Unusable as error:
            self._set_aside(name, now, before, Quarantined(name, name, error.reason))
            return
        kind = ChangeKind.UPDATE if before and before.items else ChangeKind.CREATE
        self.changes.append(Change(kind, name, item))
        self.seen[name] = _Seen(now.size, now.mtime_ns, now.digest, (name,))

    def _calendar_file(self, name: str, data: bytes, now: _Seen, before: _Seen | None) -> None:
        found = ical.read_calendar(data, self._mailbox.zone)
        known = before.items if before else ()
        # Of several versions of one event in a file the last one counts.
        items = {_event_key(name, item): item for item in found.items}
        for key, item in items.items():
            kind = ChangeKind.UPDATE if key in known else ChangeKind.CREATE
            self.changes.append(Change(kind, key, item))
        self._gone(key for key in known if key not in items)
        self.quarantined += [
            Quarantined(
                f"{name}#{number}:{problem.item_id}",
                f"{name}: {problem.name}" if problem.name else name,
                problem.reason,
                problem.params,
            )
            for number, problem in enumerate(found.quarantined)
        ]
        self.seen[name] = _Seen(now.size, now.mtime_ns, now.digest, tuple(items))


def _event_key(name: str, item: MeetingItem) -> str:
    occurrence = f"@{item.recurrence_id.isoformat()}" if item.recurrence_id else ""
    return f"{name}#{item.uid}{occurrence}"


def _pack(seen: Mapping[str, _Seen]) -> str:
    rows = [[n, s.size, s.mtime_ns, s.digest, list(s.items)] for n, s in sorted(seen.items())]
    data = json.dumps({"v": 1, "files": rows}, separators=(",", ":")).encode()
    return b64encode(zlib.compress(data)).decode("ascii")


def _unpack(token: str | None) -> dict[str, _Seen]:
    if not token:
        return {}
    try:
        content = json.loads(zlib.decompress(b64decode(token, validate=True)))
        return {
            str(name): _Seen(int(size), int(mtime), str(digest), tuple(items))
            for name, size, mtime, digest, items in content["files"]
        }
    except (Base64Error, zlib.error, ValueError, KeyError, TypeError) as error:
        raise TokenInvalid(str(error)) from error
