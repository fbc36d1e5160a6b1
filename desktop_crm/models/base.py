"""Base of the mapped classes and the columns that records share."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar, Final

from sqlalchemy import Index, Integer, MetaData, String, Text
from sqlalchemy.orm import DeclarativeBase, Mapped, MappedColumn, declared_attr, mapped_column

from desktop_crm.core.i18n import N_
from desktop_crm.meta import kinds
from desktop_crm.meta.columns import (
    INFO_KEY,
    NAME_LENGTH,
    integer,
    link,
    loose_link,
    moment,
    tags,
    text,
)
from desktop_crm.meta.field import EntityMeta, Field
from desktop_crm.meta.types import folded

NAMING: Final = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """Every mapped class; ``__entity__`` says what it means."""

    metadata = MetaData(naming_convention=NAMING)
    __entity__: ClassVar[EntityMeta]

    id: Mapped[int] = mapped_column(
        Integer,
        primary_key=True,
        autoincrement=True,
        sort_order=-100,
        info={INFO_KEY: Field(kinds.INTEGER, N_("Key"), audited=False, hidden=True)},
    )


class Tracked:
    """Identity, version, time stamps and soft deletion, on every row a person can change."""

    uid: Mapped[str] = mapped_column(
        String(36),
        unique=True,
        sort_order=-99,
        info={INFO_KEY: Field(kinds.TEXT, N_("Unique id"), audited=False, hidden=True)},
    )
    version: Mapped[int] = integer(N_("Version"), default=1, audited=False, hidden=True)
    created_at: Mapped[datetime] = moment(N_("Created"), audited=False)
    modified_at: Mapped[datetime] = moment(N_("Modified"), audited=False)
    deleted_at: Mapped[datetime | None] = moment(N_("Deleted"), audited=False, hidden=True)

    @declared_attr
    def created_by_id(self) -> Mapped[int | None]:
        """User who made the row."""
        return loose_link(N_("Created by"), "user", audited=False)

    @declared_attr
    def modified_by_id(self) -> Mapped[int | None]:
        """User who changed it last."""
        return loose_link(N_("Modified by"), "user", audited=False)


def searched() -> MappedColumn[Any]:
    """Column of the folded text that search looks through."""
    field = Field(kinds.MULTILINE, N_("Search text"), audited=False, hidden=True)
    return mapped_column(Text, default="", info={INFO_KEY: field})


class Titled(Tracked):
    """A record of its own: found by title, searched, imported.

    ``title_key`` is the folded title: it sorts lists without regard to case and accents, answers
    prefix searches and matches names in files. ``search_text`` is what substring search reads.
    """

    title_key: Mapped[str] = mapped_column(
        folded(NAME_LENGTH),
        default="",
        info={INFO_KEY: Field(kinds.TEXT, N_("Sort key"), audited=False, hidden=True)},
    )
    search_text: Mapped[str] = searched()
    source_system: Mapped[str | None] = text(N_("Source system"), length=60)
    external_id: Mapped[str | None] = text(
        N_("External id"), length=120, help=N_("The record's key in the system it came from.")
    )

    merged_into: Mapped[int | None] = integer(
        N_("Merged into"), hidden=True, read_only=True, importable=False
    )

    @declared_attr
    def import_batch_id(self) -> Mapped[int | None]:
        """Import that made the record."""
        return loose_link(N_("Import"), "import_batch", audited=False, hidden=True)


def sought_by(label: str) -> Any:  # noqa: ANN401  a mapped column of text
    """Column with a form of a name that duplicates are sought by; the writer fills it (R51)."""
    meaning = Field(kinds.TEXT, label, audited=False, hidden=True, read_only=True)
    return mapped_column(folded(NAME_LENGTH), nullable=True, info={INFO_KEY: meaning})


class Tagged:
    """Words people put on a record to find it again; :class:`~.marking.Tag` proposes them."""

    tags: Mapped[str | None] = tags(N_("Tags"), searchable=True)


class Owned:
    """The user responsible; rights "own" and "team" look here."""

    @declared_attr
    def owner_id(self) -> Mapped[int | None]:
        """Responsible user."""
        return link(N_("Owner"), "user.id")


def live(table: str, *columns: str) -> Index:
    """Index over rows that are not deleted; lists read nothing else.

    Args:
        table: Table name, part of the index name.
        *columns: Columns in order; the primary key follows by itself on SQLite and is named last
            so that PostgreSQL can answer key snapshots from the index alone.
    """
    return _partial(f"ix_{table}_live_{'_'.join(columns)}", "deleted_at IS NULL", *columns)


def gone(table: str, *columns: str) -> Index:
    """Index over deleted rows, for the recycle bin and for lists sorted by a deleted link."""
    return _partial(f"ix_{table}_gone_{'_'.join(columns)}", "deleted_at IS NOT NULL", *columns)


def sparse(table: str, *columns: str) -> tuple[Index, ...]:
    """Index behind each of some links that most records leave empty.

    Deleting a record for good and merging records look for whatever points there.
    """
    from sqlalchemy import text as sql

    found: list[Index] = []
    for column in columns:
        condition: Any = sql(f"{column} IS NOT NULL")
        found.append(
            Index(
                f"ix_{table}_{column}", column,
                sqlite_where=condition, postgresql_where=condition,
            )
        )  # fmt: skip
    return tuple(found)


def _partial(name: str, rows: str, *columns: str) -> Index:
    from sqlalchemy import text as sql

    condition: Any = sql(rows)
    return Index(name, *columns, "id", sqlite_where=condition, postgresql_where=condition)


def unique_live(table: str, *columns: str) -> Index:
    """Unique index over rows that are not deleted."""
    from sqlalchemy import text as sql

    condition: Any = sql("deleted_at IS NULL")
    return Index(
        f"uq_{table}_live_{'_'.join(columns)}",
        *columns,
        unique=True,
        sqlite_where=condition,
        postgresql_where=condition,
    )


def titled(table: str, *sorts: str) -> tuple[Index, ...]:
    """Indexes of a titled record without an owner: by title, by external id and by more sorts.

    Deleted records are found by title too; there are few, so that their index costs next to
    nothing.
    """
    return (
        live(table, "title_key"),
        gone(table, "title_key"),
        Index(f"ix_{table}_external_id", "external_id"),
        *(live(table, column) for column in sorts),
    )


def owned(table: str, *sorts: str) -> tuple[Index, ...]:
    """Indexes of an owned record: each sort alone and behind the owner."""
    return (
        *titled(table, *sorts),
        *(live(table, "owner_id", column) for column in ("title_key", *sorts)),
    )
