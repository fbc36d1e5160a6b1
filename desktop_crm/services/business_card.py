"""A business card on the desk: account, contact, opportunity and next activity in one step.

Each part is optional. A record that is there already is used instead of a new one; it only gets
its empty fields filled, and numbers and addresses it did not have. One operation, one undo.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final

from desktop_crm.core.errors import UserError, ValidationFailed
from desktop_crm.core.i18n import N_
from desktop_crm.core.text import canonical_email, canonical_phone, fold
from desktop_crm.meta import registry
from desktop_crm.models.activity import ActivityKind
from desktop_crm.services import records
from desktop_crm.services.changes import ChangeSet
from desktop_crm.services.context import Actor
from desktop_crm.services.operation import Operation, operation

PARTS: Final = ("account", "contact", "opportunity", "activity")
MEETING: Final = timedelta(hours=1)

_SAME: Final[Mapping[str, tuple[str, Callable[[str], object]]]] = {
    "emails": ("address", canonical_email),
    "phones": ("number", canonical_phone),
    "addresses": ("street", fold),
}
"""By what two child rows are the same: the field, and how it is compared."""
_COPIES: Final = {"email": ("emails", "address"), "phone": ("phones", "number")}


@dataclass(frozen=True, slots=True)
class Part:
    """What one record of the card is to be.

    Attributes:
        values: By field name, as a form holds them.
        existing: Key of a record that is used instead of a new one.
    """

    values: Mapping[str, Any]
    existing: int | None = None


@dataclass(frozen=True, slots=True)
class Card:
    """What a person wants of a business card; None leaves a part out."""

    account: Part | None = None
    contact: Part | None = None
    opportunity: Part | None = None
    activity: Part | None = None


@dataclass(frozen=True, slots=True)
class Made:
    """What became of a card: keys of the records, by part, and what was changed."""

    keys: Mapping[str, int]
    changes: ChangeSet


def make(actor: Actor, card: Card) -> Made:
    """Make the records of a card in one transaction; undone as one step.

    Each record is linked to those before it: the contact to the account, the opportunity to both,
    the activity to all three. Links that are given are kept.

    Raises:
        UserError: No part is wanted.
        ValidationFailed: A part holds what cannot be saved; its fields carry the part's name in
            front, such as ``contact.email``. Nothing was saved.
        PermissionDenied: The user may not create or change one of the records.
        NotFound: A record to be used is gone.
    """
    wanted = {name: part for name in PARTS if (part := getattr(card, name)) is not None}
    if not wanted:
        raise UserError(
            N_("Fill in a company, a person, an opportunity or an activity. Nothing was saved.")
        )
    # Read before the transaction, which keeps others waiting.
    stands = {
        name: records.get(actor, name, part.existing)
        for name, part in wanted.items()
        if part.existing is not None
    }
    keys: dict[str, int] = {}
    with operation(actor) as work:
        for name, part in wanted.items():
            try:
                keys[name] = _write(work, name, part, stands.get(name), keys)
            except ValidationFailed as failure:
                raise _of_part(name, failure) from failure
    return Made(keys, work.report)


def _write(
    work: Operation,
    name: str,
    part: Part,
    stands: records.RecordValues | None,
    before: Mapping[str, int],
) -> int:
    fields = registry.get(name).fields
    links = {link: key for link, key in before.items() if link in fields}
    values = {k: v for k, v in {**links, **part.values}.items() if v not in (None, "", [])}
    if name == "activity":
        values = _timed(values)
    if stands is None or stands.id is None:
        return work.create(name, {"owner": work.actor.user_id, **values})
    missing = _missing(stands, values)
    if missing:
        work.change(name, stands.id, missing)
    return stands.id


def _missing(stands: records.RecordValues, values: Mapping[str, Any]) -> dict[str, Any]:
    """What a record does not have yet: empty fields, and child rows with other numbers."""
    found: dict[str, Any] = {}
    rows = {name: list(values[name]) for name in _SAME if name in values}
    for name, value in values.items():
        if name in _COPIES:
            lines, column = _COPIES[name]
            rows.setdefault(lines, []).append({column: value})
        elif name not in _SAME and stands.values.get(name) in (None, ""):
            found[name] = value
    for name, wanted in rows.items():
        kept = stands.lines.get(name)
        if kept is None:
            continue
        column, comparable = _SAME[name]
        known = {comparable(str(row.get(column) or "")) for row in kept}
        more = [
            {**row, "is_primary": not kept and place == 0}
            for place, row in enumerate(wanted)
            if row.get(column) and comparable(str(row[column])) not in known
        ]
        if more:
            found[name] = [*_stored(stands.entity, name, kept), *more]
    return found


def _stored(entity: str, lines: str, rows: tuple[Mapping[str, Any], ...]) -> list[dict[str, Any]]:
    """Child rows as they stand, in the form in which they are saved again."""
    declared = registry.get(entity).fields[lines].lines
    assert declared is not None  # noqa: S101  the names are those of lines
    return [{name: row.get(name) for name in ("id", *declared.columns)} for row in rows]


def _timed(values: Mapping[str, Any]) -> dict[str, Any]:
    """A meeting has a beginning and an end; the card only says when."""
    when = values.get("due_at")
    if values.get("kind") != ActivityKind.APPOINTMENT or when is None:
        return dict(values)
    rest = {name: value for name, value in values.items() if name != "due_at"}
    return {"start_at": when, "end_at": when + MEETING, **rest}


def _of_part(name: str, failure: ValidationFailed) -> ValidationFailed:
    errors = tuple(replace(error, field=f"{name}.{error.field}") for error in failure.errors)
    return ValidationFailed(errors)
