"""Which record of the database a row of a file is: by the entity's keys, in batches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection

from desktop_crm.core.text import fold
from desktop_crm.meta import kinds
from desktop_crm.meta.bound import Entity
from desktop_crm.services.context import Actor
from desktop_crm.services.imports import existing, recipes
from desktop_crm.services.imports.draft import Draft, LinkText
from desktop_crm.services.imports.existing import Existing
from desktop_crm.services.imports.lookups import Links
from desktop_crm.services.imports.recipes import KeyFields


@dataclass(slots=True)
class Found:
    """Where the rows of a file belong.

    Attributes:
        matched: Position to the records that a row may be.
        repeated: Position to the number of the earlier row that is the same record.
    """

    matched: dict[int, list[int]] = field(default_factory=dict)
    repeated: dict[int, int] = field(default_factory=dict)


Key = tuple[str, ...]


def find(
    connection: Connection,
    actor: Actor,
    entity: Entity,
    rows: Sequence[Draft],
    links: Links,
    match: str = "",
) -> Found:
    """Find the record of every row without an identity of its own.

    Args:
        connection: An open transaction.
        actor: Who imports.
        entity: What the rows are.
        rows: Drafts; those with problems and those of our own workbooks are passed over.
        links: What their links lead to.
        match: Field that a person chose; empty uses the entity's keys.
    """
    chain = ((match,),) if match else recipes.keys_of(entity)
    wanted = {
        row.position: _keys(entity, row, chain, links)
        for row in rows
        if not row.uid and not row.problems
    }
    found = Found()
    _repetitions(rows, wanted, found)
    for fields in chain:
        keys = {position: own[fields] for position, own in wanted.items() if fields in own}
        if keys:
            _by_key(connection, actor, entity, fields, keys, found)
        wanted = {
            position: own
            for position, own in wanted.items()
            if position not in found.matched and not _decided(own, fields, match)
        }
    _claim_once(rows, found)
    return found


def _keys(
    entity: Entity, row: Draft, chain: Sequence[KeyFields], links: Links
) -> dict[KeyFields, Key]:
    """Every key of the chain that the row has whole."""
    resolved = {
        name: links.of(name, value.text)
        for name, value in row.values.items()
        if isinstance(value, LinkText)
    }
    found: dict[KeyFields, Key] = {}
    for fields in chain:
        key = tuple(recipes.key_value(entity, row, name, resolved) for name in fields)
        if all(key):
            found[fields] = key
    return found


def _decided(own: Mapping[KeyFields, Key], fields: KeyFields, match: str) -> bool:
    """Say whether a key that found nothing settles that the record is new.

    An external id, a tax id or a product code does; a name behind it would find somebody else.
    An e-mail address together with a name does not: the person may have changed either.
    """
    if match:
        return True
    return fields in own and fields[0] not in {"email"} and len(own) > 0 and _is_strong(fields)


def _is_strong(fields: KeyFields) -> bool:
    return fields[0] in {"external_id", "tax_id", "code", "login"} and len(fields) == 1


def _repetitions(
    rows: Sequence[Draft], wanted: Mapping[int, Mapping[KeyFields, Key]], found: Found
) -> None:
    """Mark rows that are the same record as an earlier row of the file."""
    first: dict[tuple[KeyFields, Key], int] = {}
    uids: dict[str, int] = {}
    for row in rows:
        if row.uid:
            if row.uid in uids:
                found.repeated[row.position] = uids[row.uid]
            uids.setdefault(row.uid, row.number)
            continue
        own = wanted.get(row.position)
        if not own:
            continue
        fields, key = next(iter(own.items()))
        if (fields, key) in first:
            found.repeated[row.position] = first[fields, key]
        first.setdefault((fields, key), row.number)


def _claim_once(rows: Sequence[Draft], found: Found) -> None:
    """Let a record belong to one row only; a second row that shares its address is someone else."""
    claimed: set[int] = set()
    for row in rows:
        keys = found.matched.get(row.position, [])
        if len(keys) == 1 and row.position not in found.repeated:
            if keys[0] in claimed:
                del found.matched[row.position]
            claimed.update(keys)


def _by_key(
    connection: Connection,
    actor: Actor,
    entity: Entity,
    fields: KeyFields,
    keys: Mapping[int, Key],
    found: Found,
) -> None:
    candidates = _candidates(connection, actor, entity, fields[0], keys)
    ids = {key for several in candidates.values() for key in several}
    if not ids:
        return
    needed = [name for name in fields if name in entity.fields]
    records = existing.load(connection, actor, entity, ids, needed) if len(fields) > 1 else {}
    for position, key in keys.items():
        fitting = [
            record
            for record in sorted(candidates.get(key[0], ()))
            if len(fields) == 1 or _fits(records.get(record), fields[1:], key[1:])
        ]
        if fitting and position not in found.matched:
            found.matched[position] = fitting


def _candidates(
    connection: Connection,
    actor: Actor,
    entity: Entity,
    name: str,
    keys: Mapping[int, Key],
) -> dict[str, set[int]]:
    """Records by the folded value of the leading field of a key."""
    folded = {key[0] for key in keys.values()}
    if name == "email" and "emails" in entity.fields:
        return existing.find_by_email(connection, actor, entity, folded)
    if name == entity.title_field:
        cut = {existing.title_key(text): text for text in folded}
        found = existing.find_by(connection, actor, entity, "title_key", cut)
        return {cut[text]: ids for text, ids in found.items()}
    return existing.find_folded(connection, actor, entity, name, folded)


def _fits(record: Existing | None, fields: KeyFields, key: Key) -> bool:
    return record is not None and all(
        _stored_key(record, name) == part for name, part in zip(fields, key, strict=True)
    )


def _stored_key(record: Existing, name: str) -> str:
    value = record.values.get(name)
    if value is None:
        return ""
    if isinstance(value, int) and not isinstance(value, bool):
        return f"→{value}"
    return fold(value.isoformat() if hasattr(value, "isoformat") else str(value))


def is_key_kind(entity: Entity, name: str) -> bool:
    """Say whether a field can identify records."""
    kind = entity.fields[name].kind
    return kind in {kinds.TEXT, kinds.EMAIL, kinds.PHONE, kinds.URL, kinds.INTEGER}
