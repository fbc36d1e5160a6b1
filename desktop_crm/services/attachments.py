"""Files on records: stored once by hash in the database, seen and changed with their record."""

from __future__ import annotations

import hashlib
import mimetypes
import stat
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, and_, exists, or_, select

from desktop_crm.core.errors import EnvironmentProblem, NotFound, UserError
from desktop_crm.core.i18n import N_, ntr, tr
from desktop_crm.core.identity import new_uid
from desktop_crm.core.text import clean
from desktop_crm.db.engine import Cancel
from desktop_crm.meta import registry
from desktop_crm.models import Document, DocumentContent, OwnCompany, User
from desktop_crm.services import records, records_kept
from desktop_crm.services.changes import ChangeSet
from desktop_crm.services.context import Actor
from desktop_crm.services.operation import operation
from desktop_crm.services.permissions import row_clause
from desktop_crm.services.records import Change
from desktop_crm.services.rules.documents import ATTACHED as SOURCE

DEFAULT_LIMIT_MB: Final = 25
MOST: Final = 200
_MB: Final = 1 << 20
_PIECE: Final = 1 << 20
_FILE: Final = Document.__table__
_CONTENT: Final = DocumentContent.__table__
_BY_LINK: Final = {"activity": "activity_id", "quote": "quote_id", "account": "account_id"}
"""Records whose printed files and mail attachments are shown beside what was attached by hand."""


@dataclass(frozen=True, slots=True)
class Attachment:
    """One file of a record.

    Attributes:
        id: Key of the document.
        version: Its version.
        name: File name.
        media_type: Media type, empty when unknown.
        size_bytes: Size.
        added_at: When it was added.
        by: Who added it, empty for the program.
        is_stored: Its bytes are in the database; those of large mail attachments are not.
        is_attached: Put on the record by hand, so that it is renamed and deleted there.
        can_edit: The user may rename and delete it.
    """

    id: int
    version: int
    name: str
    media_type: str
    size_bytes: int
    added_at: datetime
    by: str
    is_stored: bool
    is_attached: bool
    can_edit: bool


class _Found(NamedTuple):
    """A file on its way in; without content when the database holds its bytes already."""

    name: str
    digest: str
    size: int
    content: bytes | None


class _BytesGone(Exception):
    """The bytes were deleted for good after they were looked for."""


class FileContent(NamedTuple):
    """A stored file with its bytes."""

    name: str
    media_type: str
    content: bytes


def files(
    actor: Actor, entity_key: str, record_id: int, cancel: Cancel | None = None
) -> list[Attachment]:
    """Files of a record, the latest first; one statement.

    Printed quotes and attachments of mail come along where they belong to the record.
    """
    document = registry.get("document")
    attached = and_(_FILE.c.record_type == entity_key, _FILE.c.record_id == record_id)
    link = _BY_LINK.get(entity_key)
    places = attached if link is None else or_(attached, _FILE.c[link] == record_id)
    stored = exists().where(_CONTENT.c.sha256 == _FILE.c.sha256)
    edit = row_clause(actor, document, _FILE, "edit")
    person = User.__table__.alias("person")
    statement = (
        select(
            _FILE.c.id, _FILE.c.version, _FILE.c.name, _FILE.c.media_type, _FILE.c.size_bytes,
            _FILE.c.created_at, person.c.name.label("by_name"), stored.label("is_stored"),
            attached.label("is_attached"),
            *(() if edit is None else (edit.label("can_edit"),)),
        )
        .select_from(_FILE.outerjoin(person, person.c.id == _FILE.c.created_by_id))
        .where(places, _FILE.c.deleted_at.is_(None))
        .order_by(_FILE.c.id.desc())
        .limit(MOST)
    )  # fmt: skip
    rights = row_clause(actor, document, _FILE, "read")
    if rights is not None:
        statement = statement.where(rights)
    may = actor.can(document, "edit")
    with actor.db.reading(cancel) as connection:
        rows = connection.execute(statement).mappings().all()
    return [
        Attachment(
            row["id"], row["version"], row["name"], row["media_type"] or "",
            row["size_bytes"] or 0, row["created_at"], row["by_name"] or "",
            bool(row["is_stored"]), bool(row["is_attached"]),
            bool(may and row["is_attached"] and row.get("can_edit", True)),
        )
        for row in rows
    ]  # fmt: skip


def limit_mb(actor: Actor) -> int:
    """Largest file in megabytes, from the settings of the own company; one statement."""
    own = OwnCompany.__table__.c
    statement = select(own.attachment_limit_mb).where(own.deleted_at.is_(None)).order_by(own.id)
    with actor.db.reading() as connection:
        found = connection.execute(statement.limit(1)).scalar()
    return found if found is not None and found > 0 else DEFAULT_LIMIT_MB


def add_files(
    actor: Actor,
    entity_key: str,
    record_id: int,
    paths: Sequence[Path],
    progress: Callable[[int, int], None] | None = None,
    cancel: Cancel | None = None,
) -> ChangeSet:
    """Attach files to a record as one step of undo; a short transaction for each file.

    Every size is looked at before anything is read. A file is hashed in pieces, and read as a
    whole only when its bytes are not in the database yet.

    Raises:
        UserError: A file is too large or empty of name; no file was attached.
        EnvironmentProblem: A file cannot be read; those before it stay attached.
        PermissionDenied: The user may not change the record.
    """
    limit = limit_mb(actor)
    for path in paths:
        _require_size(path.name, _size(path), limit)
    step = new_uid()
    report = ChangeSet()
    for number, path in enumerate(paths):
        if cancel is not None and cancel.is_cancelled:
            break
        digest, size = _hash(path, limit)
        file = _Found(path.name, digest, size, None)
        if not _is_known(actor, digest):
            file = _whole(path, limit)
        try:
            report = report.merge(_attach(actor, entity_key, record_id, file, step))
        except _BytesGone:
            file = _whole(path, limit)
            report = report.merge(_attach(actor, entity_key, record_id, file, step))
        if progress is not None:
            progress(number + 1, len(paths))
    return report


def add_bytes(
    actor: Actor, entity_key: str, record_id: int, name: str, content: bytes
) -> ChangeSet:
    """Attach what was pasted; one transaction.

    Raises:
        UserError: It is too large; nothing was attached.
        PermissionDenied: The user may not change the record.
    """
    _require_size(name, len(content), limit_mb(actor))
    digest = hashlib.sha256(content).hexdigest()
    file = _Found(name, digest, len(content), content)
    return _attach(actor, entity_key, record_id, file, new_uid())


def _attach(actor: Actor, entity_key: str, record_id: int, file: _Found, step: str) -> ChangeSet:
    shown = clean(file.name)[-255:] or tr("attachment")
    values: dict[str, Any] = {
        "name": shown,
        "media_type": mimetypes.guess_type(shown)[0],
        "size_bytes": file.size,
        "sha256": file.digest,
        "record_type": entity_key,
        "record_id": record_id,
        "owner": actor.user_id,
    }
    with operation(actor, SOURCE, uid=step) as work:
        _require_record(actor, work.connection, entity_key, record_id)
        if file.content is not None:
            records_kept.keep_content(work.connection, file.digest, file.content)
        if not records_kept.hold_contents(work.connection, [file.digest]):
            raise _BytesGone
        work.save_many("document", [Change(None, None, values)])
        return work.report


def _require_record(actor: Actor, connection: Connection, entity_key: str, record_id: int) -> None:
    """Refuse to attach to what is not there any more; rights are asked when the row stands."""
    table = registry.get(entity_key).table
    found = connection.execute(
        select(table.c.id).where(table.c.id == record_id, table.c.deleted_at.is_(None))
    ).first()
    if found is None:
        raise NotFound(
            N_("This {entity} was deleted meanwhile. The file was not attached."),
            entity=tr(registry.get(entity_key).label).lower(),
        )


def content(actor: Actor, document_id: int) -> FileContent:
    """Bytes of a file whose record the user may see; one statement.

    Raises:
        NotFound: It is gone, may not be seen, or its bytes were not stored.
    """
    statement = (
        select(_FILE.c.name, _FILE.c.media_type, _CONTENT.c.content)
        .join(_CONTENT, _CONTENT.c.sha256 == _FILE.c.sha256)
        .where(_FILE.c.id == document_id, _FILE.c.deleted_at.is_(None))
    )
    rights = row_clause(actor, registry.get("document"), _FILE, "read")
    if rights is not None:
        statement = statement.where(rights)
    with actor.db.reading() as connection:
        row = connection.execute(statement).one_or_none()
    if row is None:
        raise NotFound(N_("This file does not exist, or you may not see it."))
    return FileContent(row.name, row.media_type or "", row.content)


def rename(actor: Actor, document_id: int, version: int, name: str) -> records.Saved:
    """Give a file another name; its ending stays when the new name has none.

    Raises:
        UserError: The name is empty.
        PermissionDenied: The user may not change the record it is attached to.
    """
    wanted = clean(name)
    if not wanted:
        raise UserError(N_("A file needs a name. Nothing was changed."), field="name")
    before = str(records.get(actor, "document", document_id).values["name"])
    if not any(map(str.isalpha, Path(wanted).suffix)):  # the end of “Version 1.2” is none
        wanted += Path(before).suffix
    values = {"name": wanted, "media_type": mimetypes.guess_type(wanted)[0]}
    return records.save(actor, "document", document_id, version, values)


def delete(actor: Actor, ids: Sequence[int]) -> ChangeSet:
    """Put files into the bin; their bytes stay until they are deleted for good."""
    return records.delete(actor, "document", ids)


# --- bytes ----------------------------------------------------------------------------------


def _size(path: Path) -> int:
    try:
        if path.is_dir():
            raise UserError(N_("“{name}” is a folder. Attach the files in it."), name=path.name)
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            # A pipe may never end, and waiting for it would keep everything else waiting.
            raise UserError(N_("“{name}” is no file. Nothing was attached."), name=path.name)
        return found.st_size
    except OSError as error:
        raise _unreadable(path, error) from error


def _require_size(name: str, size: int, limit: int) -> None:
    if size > limit * _MB:
        raise UserError(
            N_(
                "“{name}” has {size} MB; a file may have at most {limit} MB. Nothing was "
                "attached. An administrator can change the limit in the settings, under “My "
                "company”."
            ),
            name=name,
            size=-(-size // _MB),
            limit=limit,
        )


def _hash(path: Path, limit: int) -> tuple[str, int]:
    """Fingerprint and size of what a file holds now."""
    found, seen = hashlib.sha256(), 0
    try:
        with path.open("rb") as stream:
            while piece := stream.read(_PIECE):
                seen += len(piece)
                _require_size(path.name, seen, limit)  # it may grow while it is read
                found.update(piece)
    except OSError as error:
        raise _unreadable(path, error) from error
    return found.hexdigest(), seen


def _whole(path: Path, limit: int) -> _Found:
    """A file with its bytes; it may have changed since it was hashed, so that is done anew."""
    content = _read(path, limit)
    return _Found(path.name, hashlib.sha256(content).hexdigest(), len(content), content)


def _read(path: Path, limit: int) -> bytes:
    try:
        with path.open("rb") as stream:
            read = stream.read(limit * _MB + 1)
    except OSError as error:
        raise _unreadable(path, error) from error
    _require_size(path.name, len(read), limit)
    return read


def _unreadable(path: Path, error: OSError) -> EnvironmentProblem:
    return EnvironmentProblem(
        N_("“{name}” could not be read: {reason}. It was not attached."),
        name=path.name,
        reason=error.strerror or error,
    )


def _is_known(actor: Actor, digest: str) -> bool:
    with actor.db.reading() as connection:
        known = select(_CONTENT.c.id).where(_CONTENT.c.sha256 == digest)
        return connection.execute(known).first() is not None


def described(count: int) -> str:
    """Say in words that files were attached."""
    return ntr("{n} file attached", "{n} files attached", count)
