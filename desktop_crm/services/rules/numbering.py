"""Numbers of documents: drawn inside the transaction that uses them, never twice."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, Final

from sqlalchemy import Connection, func, select

from desktop_crm.core.errors import UserError
from desktop_crm.core.i18n import N_
from desktop_crm.core.text import search_text
from desktop_crm.models.company import NumberSequence
from desktop_crm.services import records_kept

_PATTERNS: Final = {"quote": "Q-{year}-{number}", "case": "C-{year}-{number}"}
"""Patterns of sequences that nobody has set up."""
_FIRST_USE: Final = 7_305_802_104
"""Advisory lock of PostgreSQL under which a sequence is made."""


def draw(
    connection: Connection,
    entity: str,
    on: date,
    is_taken: Callable[[str], bool] = lambda _number: False,
) -> str:
    """Take the next number of an entity.

    The sequence's row is locked until the transaction ends (on SQLite the whole file is), so two
    people never get the same number, and a transaction that fails gives its number back.

    Args:
        connection: Of a writing transaction.
        entity: Key of the entity.
        on: Day of the document; it decides the year.
        is_taken: Tells numbers that came from elsewhere, such as an import; they are skipped.

    Raises:
        UserError: The pattern of the sequence cannot be filled in.
    """
    sequence = _locked(connection, entity)
    following = 1 if _starts_anew(sequence, on) else sequence["next_number"]
    number = _formatted(sequence, following, on)
    while is_taken(number):
        following += 1
        number = _formatted(sequence, following, on)
    drawn = {"next_number": following + 1, "last_year": on.year}
    records_kept.update_rows(connection, NumberSequence, [(sequence["id"], drawn)], by=None)
    return number


def keep(connection: Connection, entity: str) -> None:
    """Let nobody draw a number of an entity until the transaction ends.

    Called where numbers are given that came from elsewhere, before they are looked up: whoever
    draws meanwhile would be given one of them, and be refused for what is not theirs.
    """
    _locked(connection, entity)


def _starts_anew(sequence: Mapping[str, Any], on: date) -> bool:
    return bool(sequence["resets_yearly"]) and sequence["last_year"] != on.year


def _locked(connection: Connection, entity: str) -> Mapping[str, Any]:
    found = _existing(connection, entity)
    if found is None:
        # There is no row to lock yet: on a server two people could make it at the same time.
        if connection.dialect.name == "postgresql":
            connection.execute(select(func.pg_advisory_xact_lock(_FIRST_USE)))
        found = _existing(connection, entity)
    if found is None:
        records_kept.insert_rows(connection, NumberSequence, [_new(entity)], by=None)
        found = _existing(connection, entity)
    assert found is not None  # noqa: S101  it was made above
    return found


def _existing(connection: Connection, entity: str) -> Mapping[str, Any] | None:
    own = NumberSequence
    found = connection.execute(
        select(own.id, own.pattern, own.next_number, own.padding, own.resets_yearly, own.last_year)
        .where(own.entity == entity, own.deleted_at.is_(None))
        .order_by(own.id)
        .limit(1)
        .with_for_update()
    )
    row = found.mappings().one_or_none()
    return None if row is None else dict(row)


def _new(entity: str) -> dict[str, Any]:
    return {
        "entity": entity,
        "pattern": _PATTERNS.get(entity, "{number}"),
        "next_number": 1,
        "padding": 4,
        "resets_yearly": True,
        "title_key": entity,
        "search_text": search_text((entity,)),
    }


def _formatted(sequence: Mapping[str, Any], number: int, on: date) -> str:
    pattern: str = sequence["pattern"]
    digits = str(number).zfill(sequence["padding"])
    if "{number}" not in pattern:
        raise _bad_pattern(pattern)
    try:
        return pattern.format(year=on.year, number=digits)
    except (KeyError, IndexError, ValueError):
        raise _bad_pattern(pattern) from None


def _bad_pattern(pattern: str) -> UserError:
    return UserError(
        N_(
            "The number pattern “{pattern}” cannot be used. Write {{number}}, and {{year}} where "
            "the year goes. No number was given."
        ),
        field="pattern",
        pattern=pattern,
    )
