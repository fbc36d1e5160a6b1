"""What was typed into forms and not saved yet, kept in files so that a crash loses nothing.

One file for each open form, in a folder of this machine's user that nobody else reads. Fields only
some may know are left out; a file goes as soon as its form is saved or given up.
"""

from __future__ import annotations

import json
import logging
import os
import threading
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from desktop_crm.core.identity import new_uid
from desktop_crm.meta import registry
from desktop_crm.meta.bound import BoundField, Entity
from desktop_crm.meta.field import Level

log = logging.getLogger(__name__)

_OWN_ONLY: Final = 0o600


@dataclass(frozen=True, slots=True)
class FormDraft:
    """One form that was not saved.

    Attributes:
        key: Unique name of the form; also of its file.
        session: Run of the program it was open in.
        database: Address of the database, without a password.
        user: Login it was typed under.
        entity: Key of the entity.
        record: Key of the record, None for a new one.
        version: Version the typing started from; 0 for a new record.
        title: What the record was called, for the person who is asked about it.
        kept_at: Moment of the last change, as ISO text in UTC.
        typed: What was changed, by field name, as the editors keep it.
    """

    key: str
    session: str
    database: str
    user: str
    entity: str
    record: int | None
    version: int
    title: str
    kept_at: str
    typed: Mapping[str, Any]

    @property
    def moment(self) -> datetime:
        """Moment of the last change, in UTC."""
        return datetime.fromisoformat(self.kept_at)


def storable(entity: Entity, typed: Mapping[str, Any]) -> dict[str, Any]:
    """What of the typed fields may lie in a file: nothing that only some may know."""
    return {
        name: _lines(entity.fields[name], value)
        for name, value in typed.items()
        if name in entity.fields and entity.fields[name].level is not Level.CONFIDENTIAL
    }


def _lines(field: BoundField, value: Any) -> Any:  # noqa: ANN401  as an editor keeps it
    """Child rows without their confidential values; any other value as it is."""
    if field.lines is None or not isinstance(value, list | tuple):
        return value
    child = registry.get(field.lines.entity)
    secret = {n for n, f in child.fields.items() if f.level is Level.CONFIDENTIAL}
    return [
        {name: held for name, held in row.items() if name not in secret}
        if isinstance(row, Mapping)
        else row
        for row in value
    ]


class DraftFiles:
    """The draft files of one run of the program; every method may be called from any thread.

    Args:
        folder: Where the files lie; made when the first one is written.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.session = new_uid()
        self._gone: set[str] = set()
        self._turn = threading.Lock()

    def write(self, draft: FormDraft) -> None:
        """Write a draft, whole or not at all; a removed one stays away.

        A disk that takes nothing is logged: the form itself is not touched by it.
        """
        text = json.dumps(asdict(draft), ensure_ascii=False)
        path = self._path(draft.key)
        half = path.with_suffix(".tmp")
        with self._turn:
            if draft.key in self._gone:
                return
            try:
                self.folder.mkdir(parents=True, exist_ok=True)
                with os.fdopen(
                    os.open(half, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _OWN_ONLY), "wb"
                ) as file:
                    file.write(text.encode())
                half.replace(path)
            except OSError:
                log.warning("A draft could not be kept", exc_info=True)

    def remove(self, key: str) -> None:
        """Take a draft away for good; no error when there is none."""
        with self._turn:
            self._gone.add(key)
            try:
                self._path(key).unlink(missing_ok=True)
            except OSError:
                log.warning("A draft could not be removed", exc_info=True)

    def left_behind(
        self, database: str, user: str, is_running: Callable[[str], bool]
    ) -> list[FormDraft]:
        """Drafts of runs that ended without saving or asking, the latest first.

        Args:
            database: Address of the database.
            user: Login.
            is_running: Whether a run of the program, by its session, still goes on.

        Returns:
            Only drafts of this database and user; files that cannot be read are left alone.
        """
        if not self.folder.is_dir():
            return []
        found = [self._read(path) for path in self.folder.glob("*.json")]
        running: dict[str, bool] = {self.session: True}
        left = []
        for draft in found:
            if draft is None or (draft.database, draft.user) != (database, user):
                continue
            if draft.session not in running:
                running[draft.session] = is_running(draft.session)
            if not running[draft.session]:
                left.append(draft)
        return sorted(left, key=lambda draft: draft.kept_at, reverse=True)

    @staticmethod
    def _read(path: Path) -> FormDraft | None:
        try:
            return FormDraft(**json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            log.warning("A draft cannot be read: %s", path.name, exc_info=True)
            return None

    def _path(self, key: str) -> Path:
        return self.folder / f"{key}.json"
