"""Writing to a folder of files: drafts, moves and deletions of .eml files, whole or not at all.

A folder delivers nothing and knows no marks, so it says it cannot; calendar files are only read,
because one file may hold many meetings. New files are named by the own key of their deed, which
makes doing it twice the same as doing it once.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

from desktop_crm.core.errors import EnvironmentProblem, UserError
from desktop_crm.core.i18n import N_
from desktop_crm.sync.deed_form import refuse_unable
from desktop_crm.sync.formats import mime
from desktop_crm.sync.writes import (
    Ability,
    Deed,
    Delete,
    Image,
    MakeFolder,
    Move,
    PutBack,
    Ref,
    SaveDraft,
    Stale,
    Vanished,
    Written,
)

ABILITIES: Final = frozenset({Ability.DRAFTS, Ability.MOVE, Ability.DELETE, Ability.FOLDERS})
DRAFTS: Final = "Drafts"
_MAIL: Final = ".eml"


class FolderWriter:
    """Changes the files below a folder.

    Args:
        root: the folder.
        place: the directory of a folder by its key.
    """

    def __init__(self, root: Path, place: Callable[[str], Path]) -> None:
        self._root = root
        self._place = place

    def find(self, deed: Deed) -> Written | None:
        """The file an earlier try of a draft or of putting back left."""
        if isinstance(deed, MakeFolder):
            made = self._place(deed.name)
            return Written(Ref(deed.name, "")) if made.is_dir() else None
        try:
            if isinstance(deed, PutBack):
                return self._written(self._new(deed.image.ref.folder, deed.own_key))
            if isinstance(deed, SaveDraft):
                path = self._draft(deed)
                if path.is_file() and mime.read_message(path.read_bytes()).own_key == deed.own_key:
                    return self._written(path)
        except (Vanished, mime.Unusable):
            return None
        except OSError as error:
            raise _problem(self._root, error) from error
        return None

    def image(self, ref: Ref) -> Image:
        """The message as its file stands."""
        data = self._read(self._path(ref))
        place = Ref(ref.folder, ref.item_id, _digest(data))
        return Image(place, mime.read_message(data), data)

    def do(self, deed: Deed) -> Written:
        """Do it once."""
        refuse_unable(ABILITIES, deed)
        try:
            match deed:
                case SaveDraft():
                    if deed.ref is not None:
                        self._read(self._path(deed.ref))
                    return self._write(self._draft(deed), deed.mime)
                case PutBack():
                    path = self._new(deed.image.ref.folder, deed.own_key)
                    return self._write(path, deed.image.raw)
                case Move():
                    return self._move(self._path(deed.ref), deed.folder)
                case Delete():
                    return self._delete(self._path(deed.ref), deed.ref)
                case MakeFolder():
                    return self._make_folder(deed)
        except OSError as error:
            raise _problem(self._root, error) from error
        raise TypeError(type(deed).__name__)

    def _draft(self, deed: SaveDraft) -> Path:
        return self._path(deed.ref) if deed.ref else self._new(DRAFTS, deed.own_key)

    def _new(self, folder: str, own_key: str) -> Path:
        return self._place(folder) / f"{own_key}{_MAIL}"

    def _path(self, ref: Ref) -> Path:
        path = self._root / ref.item_id
        if not path.resolve().is_relative_to(self._root.resolve()):
            raise Vanished(ref.item_id)
        if path.suffix.lower() != _MAIL:
            raise UserError(
                N_(
                    "Calendar files of a folder are only read; nothing was changed in “{file}”. "
                    "Change it in the program it comes from."
                ),
                file=ref.item_id,
            )
        return path

    def _read(self, path: Path) -> bytes:
        try:
            return path.read_bytes()
        except FileNotFoundError as error:
            raise Vanished(path.name) from error
        except OSError as error:
            raise _problem(path, error) from error

    def _write(self, path: Path, data: bytes) -> Written:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(".tmp")
        draft.write_bytes(data)
        draft.replace(path)
        return self._written(path)

    def _move(self, path: Path, folder: str) -> Written:
        target = self._place(folder)
        if not target.is_dir() or not target.resolve().is_relative_to(self._root.resolve()):
            raise Vanished(folder)
        self._read(path)
        aim, number = target / path.name, 1
        while aim.exists():
            number += 1
            aim = target / f"{path.stem} ({number}){path.suffix}"
        path.rename(aim)
        return self._written(aim)

    def _make_folder(self, deed: MakeFolder) -> Written:
        path = self._place(deed.name)
        if not path.resolve().is_relative_to(self._root.resolve()):
            raise UserError(
                N_("“{name}” is no name of a folder. Nothing was made."), name=deed.name
            )
        path.mkdir(exist_ok=True)
        return Written(Ref(deed.name, ""))

    def _delete(self, path: Path, ref: Ref) -> Written:
        if ref.change_key and ref.change_key != _digest(self._read(path)):
            raise Stale(ref.item_id)
        try:
            os.unlink(path)
        except FileNotFoundError as error:
            raise Vanished(ref.item_id) from error
        return Written(None)

    def _written(self, path: Path) -> Written:
        data = self._read(path)
        name = path.relative_to(self._root).as_posix()
        parent = path.parent.relative_to(self._root).as_posix()
        folder = "Inbox" if parent == "." else parent
        return Written(Ref(folder, name, _digest(data)), mime.read_message(data))


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:24]


def _problem(path: Path, error: OSError) -> EnvironmentProblem:
    return EnvironmentProblem(
        N_(
            'The mail folder "{path}" cannot be written ({problem}). Nothing was changed; check '
            "the disk and that you may change it."
        ),
        path=path,
        problem=error.strerror or error,
    )
