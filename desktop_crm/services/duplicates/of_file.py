"""Records that new rows of a file may be: the same keys as while typing, asked for in batches."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Final

from sqlalchemy import Connection, select

from desktop_crm.core.sameness import person_key, tax_key
from desktop_crm.core.text import fold
from desktop_crm.meta import registry
from desktop_crm.models import EmailAddress, Phone
from desktop_crm.services.context import Actor
from desktop_crm.services.duplicates import traits as read
from desktop_crm.services.duplicates.candidates import Candidate
from desktop_crm.services.duplicates.declared import Identity, identity_of
from desktop_crm.services.duplicates.evidence import QUEUED, Traits, compare

_CHUNK: Final = 500
_MANY: Final = 40
"""Records of one key that are compared; what more share says nothing."""


def alike(
    connection: Connection, actor: Actor, entity_key: str, rows: Mapping[int, Mapping[str, Any]]
) -> dict[int, Candidate]:
    """The likeliest record each row may be, where one is likely enough to be reviewed.

    Some statements for 500 rows, and one comparison for each pair that shares a key.

    Args:
        connection: An open transaction.
        actor: Who imports; records out of sight are not found.
        entity_key: What the rows are.
        rows: Values by the place of the row, as a form would hold them.
    """
    identity = identity_of(entity_key)
    if identity is None or not rows:
        return {}
    region = read.region_of(connection)
    typed = {
        place: read.of_values(identity, values, region=region) for place, values in rows.items()
    }
    near = _near(connection, identity, typed)
    wanted = sorted({key for keys in near.values() for key in keys})
    known: dict[int, read.Stored] = {}
    for chunk in _chunks(wanted):
        known |= read.load(connection, actor, identity, chunk)
    found: dict[int, Candidate] = {}
    for place, keys in near.items():
        for key in keys & known.keys():
            one = known[key]
            likeness = compare(typed[place], one.traits, identity)
            best = found.get(place)
            if likeness.score >= QUEUED and (best is None or best.score < likeness.score):
                found[place] = Candidate(
                    entity_key, key, one.title, one.subtitle, likeness.score, likeness.reasons
                )
    return found


def _near(
    connection: Connection, identity: Identity, typed: Mapping[int, Traits]
) -> dict[int, set[int]]:
    """Keys of records that share an address, a number, a tax id or a name with each row."""
    found: dict[int, set[int]] = defaultdict(set)
    table = registry.get(identity.entity).table
    if identity.via:
        for model, name, part in (
            (EmailAddress, "address", "emails"), (Phone, "canonical", "phones"),
        ):  # fmt: skip
            reach: Any = model.__table__
            via = reach.c[identity.via]
            texts = {place: getattr(traits, part) for place, traits in typed.items()}
            living = [via.is_not(None), reach.c.deleted_at.is_(None)]
            _look(connection, reach.c[name], via, [*living], texts, found)
    living = [table.c.deleted_at.is_(None)]
    names = {place: _names(identity, traits.words) for place, traits in typed.items()}
    _look(connection, table.c[identity.key], table.c.id, living, names, found)
    if identity.tax_id:
        numbers = {place: {tax_key(traits.tax)} - {""} for place, traits in typed.items()}
        _look(connection, table.c.tax_key, table.c.id, living, numbers, found)
    return found


def _names(identity: Identity, words: Sequence[str]) -> set[str]:
    """Stored forms of a name, with its words in either order."""
    if not words:
        return set()
    if not identity.is_person:
        return {" ".join(words)}
    return {person_key(" ".join(words)), fold(" ".join(words))}


def _look(
    connection: Connection,
    column: Any,  # noqa: ANN401  a column of any table
    key: Any,  # noqa: ANN401  a column of any table
    living: Iterable[Any],
    texts: Mapping[int, Iterable[str]],
    found: dict[int, set[int]],
) -> None:
    places: dict[str, list[int]] = defaultdict(list)
    for place, several in texts.items():
        for text in several:
            places[text].append(place)
    for chunk in _chunks(sorted(places)):
        by_text: dict[str, list[int]] = defaultdict(list)
        for text, record in connection.execute(
            select(column, key).where(column.in_(chunk), *living)
        ):
            by_text[text].append(record)
        for text, records in by_text.items():
            if len(records) <= _MANY:
                for place in places[text]:
                    found[place].update(records)


def _chunks(values: Iterable[Any]) -> Iterator[list[Any]]:
    iterator = iter(values)
    while chunk := list(islice(iterator, _CHUNK)):
        yield chunk
