"""Base of the declared classes and the columns that records share."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar, Final

from sqlalchemy import Column, Index, Integer, MetaData, String, Table, Text

from desktop_crm.core.i18n import N_
from desktop_crm.meta import kinds
from desktop_crm.meta.columns import (
    INFO_KEY,
    NAME_LENGTH,
    Stored,
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
_FIRST: Final = ("id", "uid")
"""Columns that lead every table."""


class Base:
    """Every declared class makes its table; ``__entity__`` says what it means.

    The columns come from the class and from what it shares with others; a column may be empty
    where its annotation says so. There is no mapper behind it: nobody makes objects of these
    classes, and mapping fifty of them would take a quarter of the time until the first rows.
    """

    metadata: ClassVar[MetaData] = MetaData(naming_convention=NAMING)
    __tablename__: ClassVar[str]
    __table_args__: ClassVar[tuple[Any, ...]] = ()
    __table__: ClassVar[Table]
    __entity__: ClassVar[EntityMeta]

    id: Stored[int] = Stored(
        Integer,
        primary_key=True,
        autoincrement=True,
        info={INFO_KEY: Field(kinds.INTEGER, N_("Key"), audited=False, hidden=True)},
    )

    def __init_subclass__(cls) -> None:
        """Make the table; called for each class as it is declared."""
        super().__init_subclass__()
        found = _columns(cls)
        for name, column in found.items():
            setattr(cls, name, column)
        cls.__table__ = Table(cls.__tablename__, cls.metadata, *found.values(), *cls.__table_args__)

    @classmethod
    def __clause_element__(cls) -> Table:
        """Stand for the table in statements, as SQLAlchemy asks."""
        return cls.__table__


def _columns(declared: type[Base]) -> dict[str, Column[Any]]:
    """Columns by name: key and unique id, then the class's own, then the shared ones."""
    found: dict[str, Column[Any]] = {}
    for owner in declared.__mro__:
        for name, column in vars(owner).items():
            if not isinstance(column, Column) or name in found:
                continue
            # A shared column belongs to many tables; each has its own copy.
            made = column if owner is declared else column._copy()
            made.name = made.key = name
            if not made.primary_key:
                made.nullable = owner.__annotations__[name].endswith("| None]")
            found[name] = made
    return {name: found[name] for name in (*_FIRST, *found) if name in found}


class Tracked:
    """Identity, version, time stamps and soft deletion, on every row a person can change."""

    uid: Stored[str] = Stored(
        String(36),
        unique=True,
        info={INFO_KEY: Field(kinds.TEXT, N_("Unique id"), audited=False, hidden=True)},
    )
    version: Stored[int] = integer(N_("Version"), default=1, audited=False, hidden=True)
    created_at: Stored[datetime] = moment(N_("Created"), audited=False)
    modified_at: Stored[datetime] = moment(N_("Modified"), audited=False)
    deleted_at: Stored[datetime | None] = moment(N_("Deleted"), audited=False, hidden=True)
    created_by_id: Stored[int | None] = loose_link(N_("Created by"), "user", audited=False)
    modified_by_id: Stored[int | None] = loose_link(N_("Modified by"), "user", audited=False)


STAYS: Final = frozenset(
    {"id", "uid", "version", "owner", "created_at", "created_by", "modified_at", "modified_by",
     "deleted_at"}
)  # fmt: skip
"""Fields everybody sees of a record that is private: that it is there, since when, and whose."""


def searched() -> Stored[Any]:
    """Column of the folded text that search looks through."""
    field = Field(kinds.MULTILINE, N_("Search text"), audited=False, hidden=True)
    return Stored(Text, default="", info={INFO_KEY: field})


class Titled(Tracked):
    """A record of its own: found by title, searched, imported.

    ``title_key`` is the folded title: it sorts lists without regard to case and accents, answers
    prefix searches and matches names in files. ``search_text`` is what substring search reads.
    """

    title_key: Stored[str] = Stored(
        folded(NAME_LENGTH),
        default="",
        info={INFO_KEY: Field(kinds.TEXT, N_("Sort key"), audited=False, hidden=True)},
    )
    search_text: Stored[str] = searched()
    source_system: Stored[str | None] = text(N_("Source system"), length=60)
    external_id: Stored[str | None] = text(
        N_("External id"), length=120, help=N_("The record's key in the system it came from.")
    )

    merged_into: Stored[int | None] = integer(
        N_("Merged into"), hidden=True, read_only=True, importable=False
    )
    import_batch_id: Stored[int | None] = loose_link(
        N_("Import"), "import_batch", audited=False, hidden=True
    )


def sought_by(label: str) -> Any:  # noqa: ANN401  a column of text
    """Column with a form of a name that duplicates are sought by; the writer fills it (R51)."""
    meaning = Field(kinds.TEXT, label, audited=False, hidden=True, read_only=True)
    return Stored(folded(NAME_LENGTH), info={INFO_KEY: meaning})


class Tagged:
    """Words people put on a record to find it again; :class:`~.marking.Tag` proposes them."""

    tags: Stored[str | None] = tags(N_("Tags"), searchable=True)


class Owned:
    """The user responsible; rights "own" and "team" look here."""

    owner_id: Stored[int | None] = link(N_("Owner"), "user.id")


class PartialIndex(Index):
    """Index over some rows, on every database that can have one.

    Given as ``sqlite_where`` and ``postgresql_where``, the condition would have each dialect
    imported with the declarations; here a dialect takes it when it makes or compares the index.
    """

    inherit_cache = True

    def __init__(self, name: str, *columns: str, rows: str, unique: bool = False) -> None:
        super().__init__(name, *columns, unique=unique)
        self.dialect_options = _Options(rows)


class _Options(dict[str, Any]):
    """Options of an index by dialect, made when a dialect asks for its own."""

    def __init__(self, rows: str) -> None:
        super().__init__()
        self._rows = rows

    def __missing__(self, dialect: str) -> Any:  # noqa: ANN401  the library's own kind of mapping
        from sqlalchemy import text as sql

        made: Any = Index(None).dialect_options[dialect]
        made["where"] = sql(self._rows)
        self[dialect] = made
        return made


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
    return tuple(
        PartialIndex(f"ix_{table}_{column}", column, rows=f"{column} IS NOT NULL")
        for column in columns
    )


def private(table: str, field: str, code: str) -> Index:
    """Index over the records that owners keep private: few, and listed by themselves."""
    return PartialIndex(f"ix_{table}_private", field, "owner_id", rows=f"{field} = '{code}'")


def _partial(name: str, rows: str, *columns: str) -> Index:
    return PartialIndex(name, *columns, "id", rows=rows)


def unique_live(table: str, *columns: str) -> Index:
    """Unique index over rows that are not deleted."""
    name = f"uq_{table}_live_{'_'.join(columns)}"
    return PartialIndex(name, *columns, rows="deleted_at IS NULL", unique=True)


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
