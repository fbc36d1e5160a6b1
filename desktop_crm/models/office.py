"""Documents, saved views, import batches and the audit trail."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index, Integer, LargeBinary

from desktop_crm.core.i18n import N_
from desktop_crm.meta.columns import (
    Stored,
    boolean,
    choice,
    integer,
    json,
    link,
    loose_link,
    moment,
    text,
)
from desktop_crm.meta.field import Choice, EntityMeta, Level, Private, Section, Tone
from desktop_crm.models.base import STAYS, Base, Owned, Tagged, Titled, owned, sparse, titled


class ViewScope(Choice):
    """Who sees a saved view."""

    PERSONAL = "personal", N_("Personal")
    TEAM = "team", N_("Team")
    PUBLIC = "public", N_("Everybody")


class BatchState(Choice):
    """Where an import stands."""

    RUNNING = "running", N_("Running"), Tone.INFO
    APPLIED = "applied", N_("Applied"), Tone.OK
    STOPPED = "stopped", N_("Stopped"), Tone.WARN
    UNDONE = "undone", N_("Undone"), Tone.NEUTRAL


class AuditAction(Choice):
    """What happened to a record."""

    CREATE = "create", N_("Created"), Tone.OK
    UPDATE = "update", N_("Changed"), Tone.INFO
    DELETE = "delete", N_("Deleted"), Tone.BAD
    RESTORE = "restore", N_("Restored"), Tone.WARN
    PURGE = "purge", N_("Deleted for good"), Tone.BAD


class Document(Titled, Tagged, Owned, Base):
    """Stored file, kept once by its hash: attachment or printed quote."""

    __tablename__ = "document"
    __table_args__ = (
        *owned("document", "modified_at"),
        Index("ix_document_sha256", "sha256"),
        Index("ix_document_activity_id", "activity_id"),
        Index("ix_document_quote_id", "quote_id"),
        Index("ix_document_record", "record_type", "record_id"),
        *sparse("document", "merged_into", "account_id"),
    )
    __entity__ = EntityMeta(
        key="document",
        label=N_("Document"),
        plural=N_("Documents"),
        icon="attach",
        title="name",
        columns=("name", "media_type", "size_bytes", "account", "created_at", "owner"),
        form=(
            Section(
                N_("Document"),
                (
                    "name",
                    ("media_type", "size_bytes"),
                    ("account", "quote"),
                    ("activity", "owner"),
                    "tags",
                ),
            ),
        ),
    )
    name: Stored[str] = text(N_("Name"), length=255, searchable=True)
    media_type: Stored[str | None] = text(N_("Type"), length=120)
    size_bytes: Stored[int | None] = integer(N_("Size"), read_only=True)
    sha256: Stored[str | None] = text(N_("Fingerprint"), length=64, read_only=True)
    content_id: Stored[str | None] = text(N_("Content id"), length=255, hidden=True)
    language: Stored[str | None] = text(N_("Language"), length=8)
    template_version: Stored[str | None] = text(N_("Template"), length=40, read_only=True)
    activity_id: Stored[int | None] = link(N_("Activity"), "activity.id")
    account_id: Stored[int | None] = link(N_("Account"), "account.id")
    quote_id: Stored[int | None] = link(N_("Quote"), "quote.id")
    record_type: Stored[str | None] = text(
        N_("Record kind"), length=40, read_only=True, help=N_("What the file is attached to.")
    )
    record_id: Stored[int | None] = integer(N_("Record"), read_only=True)


class DocumentContent(Base):
    """Bytes of documents, once by hash; apart so that lists of documents stay light."""

    __tablename__ = "document_content"
    __entity__ = EntityMeta(
        key="document_content",
        label=N_("Content"),
        plural=N_("Contents"),
        icon="attach",
        title="sha256",
        columns=("sha256", "size_bytes"),
    )
    sha256: Stored[str] = text(N_("Fingerprint"), length=64, unique=True)
    size_bytes: Stored[int] = integer(N_("Size"))
    content: Stored[bytes] = Stored(LargeBinary)


class SavedView(Titled, Owned, Base):
    """List settings under a name."""

    __tablename__ = "saved_view"
    __table_args__ = owned("saved_view")
    __entity__ = EntityMeta(
        key="saved_view",
        label=N_("View"),
        plural=N_("Views"),
        icon="column_triple",
        title="name",
        columns=("name", "entity", "scope", "is_default", "owner"),
        form=(Section(N_("View"), ("name", ("entity", "scope"), ("is_default", "owner"))),),
        private=Private("scope", "personal", frozenset({*STAYS, "entity", "scope"})),
    )
    name: Stored[str] = text(N_("Name"), length=120, searchable=True)
    entity: Stored[str] = text(N_("Entity"), length=60)
    scope: Stored[str] = choice(N_("Who sees it"), ViewScope, default=ViewScope.PERSONAL)
    definition: Stored[dict[str, Any] | None] = json(N_("Definition"), hidden=True)
    is_default: Stored[bool] = boolean(N_("Default"))
    position: Stored[int] = integer(N_("Position"), default=0)


class ImportBatch(Titled, Base):
    """One import, undone as a whole (R57)."""

    __tablename__ = "import_batch"
    __table_args__ = titled("import_batch")
    __entity__ = EntityMeta(
        key="import_batch",
        label=N_("Import"),
        plural=N_("Imports"),
        icon="arrow_download",
        title="name",
        columns=("name", "entity", "state", "created_count", "updated_count", "rejected_count"),
        form=(
            Section(
                N_("Import"),
                (
                    "name",
                    ("entity", "state"),
                    ("created_count", "updated_count"),
                    ("same_count", "rejected_count"),
                ),
            ),
        ),
    )
    name: Stored[str] = text(N_("Name"), length=255, searchable=True)
    entity: Stored[str] = text(N_("Entity"), length=60)
    state: Stored[str] = choice(N_("State"), BatchState, default=BatchState.RUNNING)
    created_count: Stored[int] = integer(N_("Created"), default=0)
    updated_count: Stored[int] = integer(N_("Updated"), default=0)
    same_count: Stored[int] = integer(N_("Unchanged"), default=0)
    rejected_count: Stored[int] = integer(N_("Rejected"), default=0)
    details: Stored[dict[str, Any] | None] = json(N_("Details"), hidden=True, audited=False)


class AuditEntry(Base):
    """What was done to one record in one operation; never changed, and gone with its record only.

    ``changes`` maps field names to ``[old, new]`` in stored form; a creation has None as old, a
    deletion as new. The same entry explains, and undoes. A record deleted for good leaves one entry
    that tells its title alone.
    """

    __tablename__ = "audit_entry"
    __table_args__ = (
        Index("ix_audit_entry_record", "entity", "record_id", "id"),
        Index("ix_audit_entry_operation", "operation"),
        Index("ix_audit_entry_by", "by_id", "id"),
        Index("ix_audit_entry_batch", "batch_id"),
        # Whether an operation was taken back is asked for every step of undo; few entries are.
        *sparse("audit_entry", "undoes"),
    )
    __entity__ = EntityMeta(
        key="audit_entry",
        label=N_("Audit entry"),
        plural=N_("Audit trail"),
        icon="clock",
        title="at",
        columns=("at", "by", "entity", "record_id", "action", "source"),
        order="-at",
    )
    at: Stored[datetime] = moment(N_("At"))
    by_id: Stored[int | None] = loose_link(N_("By"), "user")
    operation: Stored[str] = text(N_("Operation"), length=36, hidden=True)
    batch_id: Stored[int | None] = loose_link(N_("Import"), "import_batch", hidden=True)
    entity: Stored[str] = text(N_("Entity"), length=60)
    record_id: Stored[int] = integer(N_("Record"))
    version: Stored[int | None] = Stored(Integer)
    action: Stored[str] = choice(N_("Action"), AuditAction)
    source: Stored[str | None] = text(N_("Through"), length=40)
    undoes: Stored[str | None] = text(N_("Takes back"), length=36, hidden=True)
    changes: Stored[dict[str, Any] | None] = json(N_("Changes"), level=Level.CONFIDENTIAL)
