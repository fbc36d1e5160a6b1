"""Numbers of documents: drawn inside the transaction that uses them, never twice."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Final

from sqlalchemy import Connection, func, select
from sqlalchemy.orm import Session

from desktop_crm.core import clock
from desktop_crm.core.errors import UserError
from desktop_crm.core.i18n import N_
from desktop_crm.core.identity import new_uid
from desktop_crm.core.text import search_text
from desktop_crm.models.company import NumberSequence

_PATTERNS: Final = {"quote": "Q-{year}-{number}"}
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
    with Session(bind=connection, join_transaction_mode="rollback_only") as session:
        sequence = _locked(session, entity)
        if sequence.resets_yearly and sequence.last_year != on.year:
            sequence.next_number = 1
        sequence.last_year = on.year
        number = _formatted(sequence, on)
        while is_taken(number):
            sequence.next_number += 1
            number = _formatted(sequence, on)
        sequence.next_number += 1
        sequence.version += 1
        sequence.modified_at = clock.now()
        session.flush()
    return number


def _locked(session: Session, entity: str) -> NumberSequence:
    found = _existing(session, entity)
    if found is None:
        # There is no row to lock yet: on a server two people could make it at the same time.
        if session.connection().dialect.name == "postgresql":
            session.execute(select(func.pg_advisory_xact_lock(_FIRST_USE)))
        found = _existing(session, entity)
    if found is None:
        found = _new(entity)
        session.add(found)
    return found


def _existing(session: Session, entity: str) -> NumberSequence | None:
    return session.scalar(
        select(NumberSequence)
        .where(NumberSequence.entity == entity, NumberSequence.deleted_at.is_(None))
        .order_by(NumberSequence.id)
        .limit(1)
        .with_for_update()
    )


def _new(entity: str) -> NumberSequence:
    return NumberSequence(
        uid=new_uid(),
        entity=entity,
        pattern=_PATTERNS.get(entity, "{number}"),
        next_number=1,
        padding=4,
        resets_yearly=True,
        version=1,
        title_key=entity,
        search_text=search_text((entity,)),
        created_at=clock.now(),
        modified_at=clock.now(),
    )


def _formatted(sequence: NumberSequence, on: date) -> str:
    digits = str(sequence.next_number).zfill(sequence.padding)
    if "{number}" not in sequence.pattern:
        raise _bad_pattern(sequence.pattern)
    try:
        return sequence.pattern.format(year=on.year, number=digits)
    except (KeyError, IndexError, ValueError):
        raise _bad_pattern(sequence.pattern) from None


def _bad_pattern(pattern: str) -> UserError:
    return UserError(
        N_(
            "The number pattern “{pattern}” cannot be used. Write {{number}}, and {{year}} where "
            "the year goes. No number was given."
        ),
        field="pattern",
        pattern=pattern,
    )
