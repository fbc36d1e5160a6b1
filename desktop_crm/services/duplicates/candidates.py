"""Records that may be the one being typed: indexed look-ups alone, so that a form can ask often."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from rapidfuzz import fuzz, process
from sqlalchemy import ColumnElement, Connection, Select, select

from desktop_crm.core.sameness import tax_key
from desktop_crm.db.engine import Cancel
from desktop_crm.meta import registry
from desktop_crm.meta.bound import Entity
from desktop_crm.models import Account, DuplicatePair, EmailAddress, Phone
from desktop_crm.models.duplicate import DuplicateState
from desktop_crm.services.context import Actor
from desktop_crm.services.duplicates import traits as read
from desktop_crm.services.duplicates.declared import LOOKS, Identity, looks_of
from desktop_crm.services.duplicates.evidence import (
    SHOWN,
    Likeness,
    Reason,
    Traits,
    compare,
    said,
)
from desktop_crm.services.duplicates.tax_ids import tax_holders
from desktop_crm.services.list_words import LAST

_MANY: Final = 60
"""Records of one key that are looked at; a number that more share says nothing."""
_IN_RANGE: Final = 3_000
_NEAR: Final = 30
_ALIKE: Final = 75
_FEW_OF_NAME: Final = 3
"""A name alone is worth showing while no more than so many bear it."""
_STEM: Final = 4


@dataclass(frozen=True, slots=True)
class Candidate:
    """A record that may be the same.

    Attributes:
        entity: Its entity; a lead may stand as a contact already.
        id: Its key; None when it lies out of the user's reach.
        title: What it is called; empty out of reach.
        subtitle: What it does and where.
        score: 0 to 100.
        reasons: Codes of :class:`~.evidence.Reason`, the strongest first.
        blocks: The record cannot be saved beside it: it has the same tax id.
    """

    entity: str
    id: int | None
    title: str
    subtitle: str
    score: int
    reasons: tuple[str, ...]
    blocks: bool = False

    @property
    def why(self) -> str:
        """The reasons in words."""
        return said(self.entity, self.reasons)


def candidates(
    actor: Actor,
    entity: str,
    values: Mapping[str, Any],
    exclude_id: int | None = None,
    limit: int = 10,
    cancel: Cancel | None = None,
) -> list[Candidate]:
    """Find records that may be the one with these values, the likeliest first.

    About ten indexed statements whatever the size of the table; tens of milliseconds at a million
    contacts. Records out of sight are never named; of one with the same tax id it is said that it
    exists. Pairs a person found to be different are left out.

    Args:
        actor: Who types.
        entity: Key of the record's entity.
        values: By field name as a form holds them: texts, keys of links, child rows as mappings.
        exclude_id: The record itself when it is saved already.
        limit: Most candidates to return.
        cancel: Stops the statements.
    """
    found: list[Candidate] = []
    with actor.db.reading(cancel) as connection:
        different = _different(connection, entity, exclude_id)
        region = read.region_of(connection)
        for looked_at, sought in looks_of(entity):
            if not actor.can(sought.entity, "read"):
                continue
            company = _company_of(connection, looked_at, values)
            typed = read.of_values(looked_at, values, company, region)
            keys = _blocks(connection, typed, sought)
            if sought.entity == entity:
                keys -= {*different, exclude_id or 0}
            known = read.load(connection, actor, sought, keys)
            found += _scored(typed, known.values(), looked_at, sought)
            if sought.tax_id and looked_at.tax_id:
                found += _out_of_reach(connection, typed, sought, known, exclude_id)
    best = _best_each(_without_common_names(found))
    return sorted(best, key=lambda c: (-c.score, c.title, c.id or 0))[:limit]


def _scored(
    typed: Traits, known: Iterable[read.Stored], looked_at: Identity, sought: Identity
) -> Iterator[Candidate]:
    within_one = looked_at.entity == sought.entity
    for record in known:
        likeness = compare(typed, record.traits, sought)
        if likeness.score >= SHOWN:
            blocks = within_one and Reason.TAX_ID in likeness.reasons
            yield _candidate(sought.entity, record, likeness, blocks=blocks)


def _candidate(entity: str, record: read.Stored, likeness: Likeness, *, blocks: bool) -> Candidate:
    return Candidate(
        entity,
        record.id,
        record.title,
        record.subtitle,
        likeness.score,
        likeness.reasons,
        blocks=blocks,
    )


def _without_common_names(found: list[Candidate]) -> list[Candidate]:
    """Leave out those that share nothing but a name which many bear."""
    named = [c for c in found if set(c.reasons) <= {Reason.NAME}]
    if len(named) <= _FEW_OF_NAME:
        return found
    return [c for c in found if c not in named]


def _best_each(found: Iterable[Candidate]) -> list[Candidate]:
    """One entry for each record: a lead may be found as a person and as a company."""
    best: dict[tuple[str, int | None], Candidate] = {}
    for one in found:
        known = best.get((one.entity, one.id))
        if known is None or known.score < one.score:
            best[one.entity, one.id] = one
    return list(best.values())


def _different(connection: Connection, entity: str, record_id: int | None) -> set[int]:
    """Records a person said are not the same as this one."""
    if record_id is None:
        return set()
    pair = DuplicatePair
    decided = (pair.entity == entity, pair.state == DuplicateState.DIFFERENT)
    ahead = select(pair.second_id).where(*decided, pair.first_id == record_id)
    behind = select(pair.first_id).where(*decided, pair.second_id == record_id)
    return {key for each in (ahead, behind) for key in connection.execute(each).scalars()}


def _company_of(connection: Connection, identity: Identity, values: Mapping[str, Any]) -> str:
    linked = values.get(identity.company) if identity.company else None
    if not isinstance(linked, int):
        return ""
    statement = select(Account.name_key).where(Account.id == linked)
    return connection.execute(statement).scalar() or ""


# --- blocking keys ---------------------------------------------------------------------------


def _blocks(connection: Connection, typed: Traits, sought: Identity) -> set[int]:
    """Keys of records that share something with what is typed."""
    entity = registry.get(sought.entity)
    found: set[int] = set()
    if sought.via:
        found |= _by_reach(connection, typed, sought)
    if sought.tax_id and (number := tax_key(typed.tax)):
        found |= _keys(connection, entity, entity.table.c.tax_key == number)
    if "domain" in sought.domains and typed.domains:
        found |= _keys(connection, entity, entity.table.c.domain.in_(sorted(typed.domains)))
    for name, value in typed.keys:
        if name in sought.natural:
            found |= _by_natural_key(connection, entity, name, value)
    if typed.words:
        found |= _by_name(connection, typed, sought)
    return found


def _keys(connection: Connection, entity: Entity, condition: ColumnElement[bool]) -> set[int]:
    table = entity.table
    statement = select(table.c.id).where(condition, table.c.deleted_at.is_(None)).limit(_MANY)
    return set(connection.execute(statement).scalars())


def _by_reach(connection: Connection, typed: Traits, sought: Identity) -> set[int]:
    found: set[int] = set()
    asked = ((EmailAddress, "address", typed.emails), (Phone, "canonical", typed.phones))
    for model, name, texts in asked:
        table: Any = model.__table__
        for text in sorted(texts):
            via = table.c[sought.via]
            statement = select(via).where(
                table.c[name] == text, via.is_not(None), table.c.deleted_at.is_(None)
            )
            found.update(connection.execute(statement.limit(_MANY)).scalars())
    return found


def _by_natural_key(connection: Connection, entity: Entity, name: str, folded: str) -> set[int]:
    column = entity.table.c[name]
    indexed = any(index.columns[0].name == name for index in entity.table.indexes)
    if entity.key in LOOKS and not indexed:
        return set()  # a table with many rows: the other keys find the record
    # No index holds it folded; people write such keys in capitals.
    wanted = {folded, folded.upper(), folded.capitalize()}
    return _keys(connection, entity, column.in_(sorted(wanted)))


def _by_name(connection: Connection, typed: Traits, sought: Identity) -> set[int]:
    """Records with a name that is alike: by both ends of it, index entries alone."""
    entity = registry.get(sought.entity)
    found: dict[int, str] = {}
    for column, start in _starts(typed.words, sought):
        key = entity.table.c[column]
        statement: Select[Any] = select(entity.table.c.id, key).where(
            key >= start, key < start + LAST, entity.table.c.deleted_at.is_(None)
        )
        found.update((row[0], row[1]) for row in connection.execute(statement.limit(_IN_RANGE)))
    if not found:
        return set()
    near = process.extract(
        " ".join(sorted(typed.words)),
        found,
        scorer=fuzz.token_sort_ratio,
        score_cutoff=_ALIKE,
        limit=_NEAR * (3 if typed.account is not None or typed.domains else 1),
    )
    return {key for _name, _score, key in near}


def _starts(words: tuple[str, ...], sought: Identity) -> Iterator[tuple[str, str]]:
    """Column and prefix of each range of names worth looking at."""
    if not sought.is_person:
        whole = " ".join(words)
        yield sought.key, words[0] if len(words[0]) > _STEM else whole
        if len(words[0]) > _STEM:
            yield sought.key, words[0][:_STEM]
        return
    if len(words) == 1:
        yield from ((sought.key, words[0]), ("title_key", words[0]))
        return
    first, last = words[0], words[-1]
    # A slip may be in either word, and the words may be swapped.
    columns = (sought.key, "title_key") if sought.entity != "lead" else (sought.key,)
    for start in (f"{last} ", f"{first} {last[0]}"):
        yield from ((column, start) for column in columns)
    yield columns[-1], f"{first} {last[:2]}"
    yield sought.key, f"{first} "


# --- the tax id --------------------------------------------------------------------------------


def _out_of_reach(
    connection: Connection,
    typed: Traits,
    sought: Identity,
    known: Mapping[int, read.Stored],
    exclude_id: int | None,
) -> list[Candidate]:
    """Say that a record with the same tax id exists that the actor may not see."""
    holders = tax_holders(connection, {typed.tax}).get(typed.tax, {})
    hidden = holders.keys() - known.keys() - {exclude_id}
    if not hidden:
        return []
    return [Candidate(sought.entity, None, "", "", 100, (Reason.TAX_ID,), blocks=True)]
