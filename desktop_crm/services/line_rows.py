"""Child rows as plain mappings, on their way from a form into their parent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from desktop_crm.core.formats import Formats
from desktop_crm.meta import kinds
from desktop_crm.meta.bound import Entity
from desktop_crm.meta.field import Lines
from desktop_crm.services import privacy
from desktop_crm.services.values import checked, same

KEPT: Final = frozenset(
    {"id", "uid", "version", "created_at", "created_by", "modified_at", "modified_by", "deleted_at"}
)
"""Fields of a child row that a form hands back but never sets."""

_SUMMARY_LENGTH: Final = 400
_TEXTS: Final = (kinds.TEXT, kinds.MULTILINE, kinds.EMAIL, kinds.PHONE)


def wanted_values(child: Entity, row: Mapping[str, Any]) -> dict[str, Any]:
    """What a row wants to set: its fields, without those the product keeps itself."""
    return {k: v for k, v in row.items() if k in child.fields and k not in KEPT}


def ordered(child: Entity, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Number the rows in their order and make exactly one of them the primary."""
    found = [dict(row) for row in rows]
    if "position" in child.fields:
        for position, row in enumerate(found, 1):
            row["position"] = position
    if "is_primary" in child.fields and found:
        chosen = primary(found)
        for row in found:
            row["is_primary"] = row is chosen
    return found


def primary(rows: Sequence[dict[str, Any]]) -> dict[str, Any] | None:
    """The row marked as primary, else the first."""
    marked = next((row for row in rows if row.get("is_primary")), None)
    return marked or (rows[0] if rows else None)


def with_primary(
    child: Entity,
    lines: Lines,
    existing: Sequence[Mapping[str, Any]],
    wanted: Mapping[str, Any],
) -> list[dict[str, Any]]:
    """Put values into the primary row; a row that holds nothing any more goes."""
    rows = [dict(row) for row in existing]
    chosen = primary(rows)
    if chosen is None:
        chosen = {"is_primary": True}
        rows.append(chosen)
    chosen.update(wanted)
    if not any(_says_something(child, name, chosen) for name in lines.columns):
        rows.remove(chosen)
    return rows


def _says_something(child: Entity, name: str, row: Mapping[str, Any]) -> bool:
    field = child.fields[name]
    given = field.default is None and field.kind is not kinds.BOOLEAN
    return given and row.get(name) not in (None, "")


def equal(
    child: Entity,
    wanted: Sequence[Mapping[str, Any]],
    existing: Sequence[Mapping[str, Any]],
    formats: Formats,
) -> bool:
    """Whether rows say the same as other rows: the same keys in order, and no value differs."""
    if [row.get("id") for row in wanted] != [row.get("id") for row in existing]:
        return False
    return all(
        same(checked(child.fields[name], value, formats), old.get(name))
        for row, old in zip(wanted, existing, strict=True)
        for name, value in wanted_values(child, row).items()
        if name in old
    )


def summary(child: Entity, lines: Lines, rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows in a few words, for the history of their parent; without what only some may see."""
    names = [n for n in lines.columns if child.fields[n].kind in _TEXTS]
    told = (row for row in rows if not privacy.is_untold(child.key, row))
    found = (next((str(row[n]) for n in names if row.get(n)), "…") for row in told)
    return ", ".join(found)[:_SUMMARY_LENGTH]
