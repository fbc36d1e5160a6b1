"""What the database holds about the records that a file names: read in batches, never per row."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final

from sqlalchemy import Column, ColumnElement, Connection, Select, Table, select

from desktop_crm.core.text import fold
from desktop_crm.meta import registry
from desktop_crm.meta.bound import BoundField, Entity
from desktop_crm.meta.columns import NAME_LENGTH
from desktop_crm.services import permissions, privacy
from desktop_crm.services.context import Actor

_CHUNK: Final = 500
_NEAR_LIMIT: Final = 50_000


@dataclass(slots=True)
class Existing:
    """One record as it stands.

    Attributes:
        id: Its key.
        uid: Its identity outside.
        version: Its version.
        values: Field to value; links are ids.
        lines: Child rows by field name, each a mapping with its ``id``.
    """

    id: int
    uid: str
    version: int
    values: dict[str, Any]
    lines: dict[str, list[dict[str, Any]]] = field(default_factory=dict)


def title_key(text: str) -> str:
    """Form in which titles are stored for comparison."""
    return fold(text)[:NAME_LENGTH]


def find_by(
    connection: Connection, actor: Actor, entity: Entity, name: str, texts: Iterable[str]
) -> dict[str, set[int]]:
    """Find live records by one key.

    Args:
        connection: An open transaction.
        actor: Who asks; only records they may read are found.
        entity: Where to look.
        name: Field, or ``title_key`` for the folded title.
        texts: Wanted values; folded already when the key is ``title_key``.

    Returns:
        Value to the keys of the records that hold it; values not found are absent.
        One query for 500 values.
    """
    table = entity.table
    column = table.c[name]
    found: dict[str, set[int]] = {}
    for chunk in _chunks(texts):
        query = _readable(select(column, table.c.id).where(column.in_(chunk)), actor, entity)
        for value, record in connection.execute(query):
            found.setdefault(str(value), set()).add(record)
    return found


def find_folded(
    connection: Connection, actor: Actor, entity: Entity, name: str, folded: set[str]
) -> dict[str, set[int]]:
    """Find live records by a text field, compared folded.

    Reads the column of every record that has a value once, since no index holds it folded; keys
    such as external ids and codes are short and one statement reads 100,000 of them at once.
    """
    column = _column(entity.fields[name])
    query = _readable(select(column, entity.table.c.id).where(column.is_not(None)), actor, entity)
    found: dict[str, set[int]] = {}
    for value, record in connection.execute(query):
        key = fold(str(value))
        if key in folded:
            found.setdefault(key, set()).add(record)
    return found


def find_by_email(
    connection: Connection, actor: Actor, entity: Entity, addresses: Iterable[str]
) -> dict[str, set[int]]:
    """Find records by any of their e-mail addresses, not only the primary one."""
    child = registry.get("email_address").table
    parent = child.c[f"{entity.key}_id"]
    found: dict[str, set[int]] = {}
    for chunk in _chunks(addresses):
        query = (
            select(child.c.address, parent)
            .join_from(child, entity.table, parent == entity.table.c.id)
            .where(child.c.address.in_(chunk), child.c.deleted_at.is_(None))
        )
        for address, record in connection.execute(_readable(query, actor, entity)):
            found.setdefault(address, set()).add(record)
    return found


def titles(connection: Connection, actor: Actor, entity: Entity) -> list[tuple[int, str]]:
    """Keys and titles for suggesting near matches; at most 50,000."""
    title = _column(entity.fields[entity.title])
    query = _readable(select(entity.table.c.id, title), actor, entity).limit(_NEAR_LIMIT)
    return [(key, str(text)) for key, text in connection.execute(query) if text]


def load(
    connection: Connection,
    actor: Actor,
    entity: Entity,
    keys: Iterable[int],
    fields: Sequence[str],
) -> dict[int, Existing]:
    """Read records and their child rows.

    Args:
        connection: An open transaction.
        actor: Who asks.
        entity: What they are.
        keys: Wanted records.
        fields: Wanted fields, lines among them.
    """
    plain = [entity.fields[name] for name in fields if entity.fields[name].column is not None]
    child = [entity.fields[name] for name in fields if entity.fields[name].lines is not None]
    table = entity.table
    columns = [table.c.id, table.c.uid, table.c.version, *(_column(f) for f in plain)]
    found: dict[int, Existing] = {}
    for chunk in _chunks(keys):
        query = _readable(select(*columns).where(table.c.id.in_(chunk)), actor, entity)
        for key, uid, version, *values in connection.execute(query):
            named = {f.name: value for f, value in zip(plain, values, strict=True)}
            found[key] = Existing(key, uid, version, named)
    for lines in child:
        _add_lines(connection, lines, found)
    return found


def keys_of_uids(
    connection: Connection, actor: Actor, entity: Entity, uids: Iterable[str]
) -> dict[str, int]:
    """Find live records by their identity; one that was merged leads to the record it became."""
    wanted = list(uids)
    found = find_by(connection, actor, entity, "uid", wanted)
    missing = [uid for uid in wanted if uid not in found]
    found |= merged_by(connection, actor, entity, "uid", missing)
    return {uid: min(ids) for uid, ids in found.items()}


def merged_by(
    connection: Connection, actor: Actor, entity: Entity, name: str, texts: Iterable[str]
) -> dict[str, set[int]]:
    """Records that those of some keys were merged into (R52); one query for 500 values.

    Args:
        connection: An open transaction.
        actor: Who asks; only records they may read are found.
        entity: Where to look.
        name: Field with the key: ``uid`` or ``external_id``.
        texts: Wanted values.
    """
    if "merged_into" not in entity.fields:
        return {}
    master, loser = entity.table, entity.table.alias("loser")
    found: dict[str, set[int]] = {}
    for chunk in _chunks(texts):
        query = (
            select(loser.c[name], master.c.id)
            .join_from(master, loser, loser.c.merged_into == master.c.id)
            .where(loser.c[name].in_(chunk), loser.c.deleted_at.is_not(None))
        )
        for value, record in connection.execute(_readable(query, actor, entity)):
            found.setdefault(str(value), set()).add(record)
    return found


def titles_of(
    connection: Connection, actor: Actor, entity: Entity, keys: Iterable[int]
) -> dict[int, str]:
    """Titles of records by key, also of deleted ones: they may still be pointed to."""
    title = privacy.title(actor, entity, entity.table)
    found: dict[int, str] = {}
    for chunk in _chunks(keys):
        query = select(entity.table.c.id, title).where(entity.table.c.id.in_(chunk))
        found.update(
            (key, "" if text is None else str(text)) for key, text in connection.execute(query)
        )
    return found


def stages_by_state(connection: Connection) -> list[tuple[int, str]]:
    """Key and state of every stage in use, in their order."""
    table = registry.get("stage").table
    query = (
        select(table.c.id, table.c.state)
        .where(table.c.deleted_at.is_(None))
        .order_by(table.c.position, table.c.id)
    )
    return [(key, state) for key, state in connection.execute(query)]


def _add_lines(connection: Connection, lines: BoundField, found: Mapping[int, Existing]) -> None:
    assert lines.lines is not None  # noqa: S101  only fields of kind lines come here
    child = registry.get(lines.lines.entity)
    table = child.table
    via = table.c[lines.lines.via]
    fields = [child.fields[name] for name in lines.lines.columns]
    for record in found.values():
        record.lines[lines.name] = []
    for chunk in _chunks(found):
        query = (
            select(via, table.c.id, *(_column(f) for f in fields))
            .where(via.in_(chunk), table.c.deleted_at.is_(None))
            .order_by(table.c.id)
        )
        for parent, key, *values in connection.execute(query):
            row = {f.name: value for f, value in zip(fields, values, strict=True)}
            found[parent].lines[lines.name].append({"id": key, **row})


def _column(bound: BoundField) -> Column[Any]:
    assert bound.column is not None  # noqa: S101  lines are read apart
    return bound.column


def _readable(query: Select[Any], actor: Actor, entity: Entity) -> Select[Any]:
    table: Table = entity.table
    clause: ColumnElement[bool] | None = permissions.content_clause(actor, entity, table)
    if "deleted_at" in table.c:
        query = query.where(table.c.deleted_at.is_(None))
    return query if clause is None else query.where(clause)


def _chunks(values: Iterable[Any]) -> Iterator[list[Any]]:
    iterator = iter(dict.fromkeys(values))
    while chunk := list(islice(iterator, _CHUNK)):
        yield chunk
