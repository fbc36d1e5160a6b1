"""Which record of the database a row of a file is: by the entity's keys, in batches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection

from desktop_crm.core.text import fold
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


Identity = Mapping[str, str]


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
        row.position: _identity(entity, row, chain, links)
        for row in rows
        if not row.uid and not row.problems
    }
    found = Found()
    _repetitions(rows, chain, wanted, found)
    for fields in chain:
        lacking = () if match else recipes.must_lack(entity, fields)
        open_rows = {
            position: own
            for position, own in wanted.items()
            if position not in found.matched and all(own[name] for name in fields)
        }
        if open_rows:
            _by_key(connection, actor, entity, fields, open_rows, lacking=lacking, found=found)
    _claim_once(rows, found)
    return found


def _identity(
    entity: Entity, row: Draft, chain: Sequence[KeyFields], links: Links
) -> dict[str, str]:
    """The folded value of every field that occurs in a key; empty where the row has none."""
    resolved = {
        name: links.of(name, value.text)
        for name, value in row.values.items()
        if isinstance(value, LinkText)
    }
    names = dict.fromkeys(name for fields in chain for name in fields)
    return {name: recipes.key_value(entity, row, name, resolved) for name in names}


def _repetitions(
    rows: Sequence[Draft],
    chain: Sequence[KeyFields],
    wanted: Mapping[int, Identity],
    found: Found,
) -> None:
    """Mark rows that are the same record as an earlier row of the file."""
    first: dict[tuple[str, ...], int] = {}
    for row in rows:
        own = wanted.get(row.position, {})
        fields = next((f for f in chain if own and all(own[name] for name in f)), ())
        key = ("uid", row.uid) if row.uid else (*fields, *(own[name] for name in fields))
        if not key:
            continue
        if key in first:
            found.repeated[row.position] = first[key]
        first.setdefault(key, row.number)


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
    rows: Mapping[int, Identity],
    *,
    lacking: Sequence[str],
    found: Found,
) -> None:
    values = {own[fields[0]] for own in rows.values()}
    candidates = _candidates(connection, actor, entity, fields[0], values)
    ids = {key for several in candidates.values() for key in several}
    if not ids:
        return
    needed = [name for name in (*fields[1:], *lacking) if name in entity.fields]
    records = existing.load(connection, actor, entity, ids, needed)
    for position, own in rows.items():
        fitting = [
            key
            for key in sorted(candidates.get(own[fields[0]], ()))
            if key in records and _fits(records[key], own, fields[1:], lacking)
        ]
        if fitting:
            found.matched[position] = fitting


def _candidates(
    connection: Connection, actor: Actor, entity: Entity, name: str, folded: set[str]
) -> dict[str, set[int]]:
    """Records by the folded value of the leading field of a key."""
    if name == "email" and "emails" in entity.fields:
        return existing.find_by_email(connection, actor, entity, folded)
    if name == entity.title:
        cut = {existing.title_key(text): text for text in folded}
        found = existing.find_by(connection, actor, entity, "title_key", cut)
        return {cut[text]: ids for text, ids in found.items()}
    found = existing.find_folded(connection, actor, entity, name, folded)
    if name == "external_id":
        # Another program knows nothing of a merge: its key leads to the record that is left.
        spelled = {spelling: text for text in folded - found.keys() for spelling in _spelled(text)}
        merged = existing.merged_by(connection, actor, entity, name, spelled)
        for spelling, keys in merged.items():
            found.setdefault(spelled[spelling], set()).update(keys)
    return found


def _spelled(folded: str) -> set[str]:
    """Ways in which another program may have written a key."""
    return {folded, folded.upper(), folded.capitalize()}


def _fits(record: Existing, own: Identity, equal: Sequence[str], lacking: Sequence[str]) -> bool:
    return all(_stored_key(record, name) == own[name] for name in equal) and not any(
        own[name] and _stored_key(record, name) for name in lacking
    )


def _stored_key(record: Existing, name: str) -> str:
    value = record.values.get(name)
    if value is None:
        return ""
    if isinstance(value, int) and not isinstance(value, bool):
        return f"→{value}"
    return fold(value.isoformat() if hasattr(value, "isoformat") else str(value))
