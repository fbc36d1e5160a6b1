"""What the one record holds that is left of several: field by field, and all their rows (R52)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from desktop_crm.core.text import canonical_phone, fold, join_tags, split_tags
from desktop_crm.meta import kinds, registry
from desktop_crm.meta.bound import SYSTEM_FIELDS, BoundField, Entity
from desktop_crm.models.party import Consents
from desktop_crm.services.duplicates.declared import KEYS
from desktop_crm.services.duplicates.references import comparable
from desktop_crm.services.duplicates.traits import street_key
from desktop_crm.services.line_rows import KEPT

CONSENTS: Final = frozenset(Consents.__annotations__)
"""Refusals: one of any record stands (R46, R52)."""
_DERIVED: Final = frozenset({"full_name", "merged_into"})
_TOGETHER: Final = {"source_system": "external_id", "status_reason": "state"}
"""Fields that mean nothing without another one, and come from the same record."""

Row = Mapping[str, Any]


def chosen_fields(entity: Entity) -> dict[str, BoundField]:
    """Fields of which a person may choose one record's value, in the order of the form."""
    return {
        name: field
        for name, field in entity.fields.items()
        if is_merged(entity, field) and not field.hidden and not field.read_only
        if name not in CONSENTS and field.kind is not kinds.TAGS
    }


def is_merged(entity: Entity, field: BoundField) -> bool:
    """Whether a field's value comes from one of the records, and not from rules or child rows."""
    if field.column is None or field.name in SYSTEM_FIELDS | _DERIVED:
        return False
    return field.copy_of is None and field.name not in KEYS.get(entity.key, {})


def values_of(
    entity: Entity, master: Row, losers: Sequence[Row], picks: Mapping[str, int]
) -> dict[str, Any]:
    """Values the master gets; those that stay are left out.

    Args:
        entity: What the records are.
        master: Stored values of the record that stays.
        losers: Stored values of the others, in order.
        picks: Field to the key of the record whose value was chosen. Other fields keep the
            master's value, and take the first one of the others where it is empty.
    """
    by_key = {row["id"]: row for row in (master, *losers)}
    found: dict[str, Any] = {}
    for name, field in entity.fields.items():
        if not is_merged(entity, field):
            continue
        if name in CONSENTS:
            value: Any = any(row[name] for row in by_key.values())
        elif field.kind is kinds.TAGS:
            value = _joined_tags(name, by_key.values())
        else:
            value = by_key[source_of(entity, field, master, losers, picks)][name]
        if value != master[name]:
            found[name] = value
    return found


def _joined_tags(name: str, rows: Any) -> str | None:  # noqa: ANN401  values of a dict
    return join_tags(split_tags("|".join(row[name] or "" for row in rows)))


def source_of(
    entity: Entity, field: BoundField, master: Row, losers: Sequence[Row], picks: Mapping[str, int]
) -> int:
    """Key of the record a field's value comes from; see :func:`values_of`."""
    name = field.name
    leading = _TOGETHER.get(name, "")
    if name in picks:
        return picks[name]
    if leading in entity.fields:
        return source_of(entity, entity.fields[leading], master, losers, picks)
    money = [f for f in entity.fields.values() if f.currency == name]
    picked = next((picks[f.name] for f in money if f.name in picks), None)
    if picked is not None:  # an amount never goes without its currency
        return picked
    if not _is_empty(master[name]) or field.read_only or field.hidden:
        return int(master["id"])
    giver = next((row for row in losers if not _is_empty(row[name])), master)
    if field.currency and not _same_currency(field.currency, master, giver):
        return int(master["id"])
    return int(giver["id"])


def _is_empty(value: object) -> bool:
    return value is None or value == ""


def _same_currency(name: str, master: Row, giver: Row) -> bool:
    return master.get(name) is None or master.get(name) == giver.get(name)


def rows_of(
    lines: str, child: str, rows: Sequence[Row], order: Sequence[int], primary: int | None, via: str
) -> list[dict[str, Any]]:
    """Child rows of the one record: each address and number once, the master's first.

    Args:
        lines: Name of the collection.
        child: Entity of the rows.
        rows: Living rows of all records; they point to the master already.
        order: Keys of the rows as they belonged, the master's first.
        primary: Row chosen as the primary one; None keeps the first record's.
        via: Field that points to the parent.
    """
    place = {key: n for n, key in enumerate(order)}
    ordered = sorted(rows, key=lambda row: (row["id"] != primary, place.get(row["id"], 0)))
    entity = registry.get(child)
    kept: dict[object, dict[str, Any]] = {}
    for row in ordered:
        same = kept.setdefault(_said(entity, lines, row, via), dict(row))
        if row.get("is_invalid"):
            same["is_invalid"] = True
    found = list(kept.values())
    if primary is not None and found and "is_primary" in entity.fields:
        for row in found:
            row["is_primary"] = row["id"] == primary
    return found


def _said(entity: Entity, lines: str, row: Row, via: str) -> object:
    if lines == "emails":
        return fold(str(row.get("address") or ""))
    if lines == "phones":
        number = str(row.get("number") or "")
        return row.get("canonical") or canonical_phone(number) or fold(number)
    if lines == "addresses":
        city = tuple(fold(str(row.get(n) or "")) for n in ("postal_code", "city", "country"))
        return (street_key(str(row.get("street") or "")), *city)
    left_out = KEPT | {"position", "is_primary", via}
    return tuple(comparable(row.get(n)) for n in entity.fields if n not in left_out)
