"""Keeps folded titles, keys of sameness and search texts true while records are written."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from desktop_crm.core.errors import UserError
from desktop_crm.core.text import fold
from desktop_crm.db import search_text
from desktop_crm.meta import registry
from desktop_crm.meta.bound import BoundField
from desktop_crm.meta.columns import NAME_LENGTH
from desktop_crm.models.activity import FOR_ITS_WRITER
from desktop_crm.services.drafts import Draft, Work
from desktop_crm.services.duplicates.declared import KEYS
from desktop_crm.services.values import checked

ReadLines = Callable[[Work, str, Sequence[Draft]], dict[int, list[dict[str, Any]]]]


def derive(work: Work, drafts: Sequence[Draft], read_lines: ReadLines) -> None:
    """Set the folded title, the keys of sameness and the search text of drafts.

    Costs one statement for the region of numbers and one for each kind of child rows that is not
    being written itself; none where nothing searched changes.
    """
    entity = work.entity
    if "title_key" in entity.fields:
        for draft in drafts:
            if draft.is_new or draft.changes(entity.title):
                draft.new["title_key"] = fold(str(draft.get(entity.title) or ""))[:NAME_LENGTH]
    for name, (source, key_of) in KEYS.get(entity.key, {}).items():
        for draft in drafts:
            if draft.is_new or draft.changes(source):
                value = draft.get(source)
                draft.new[name] = key_of(str(value)) if value else None
    if not search_text.is_searched(entity):
        return
    names = dict.fromkeys((entity.title, *(field.name for field in entity.search_fields)))
    collections = [lines.name for lines in search_text.searched_lines(entity)]
    moved = [
        draft
        for draft in drafts
        if draft.is_new
        or any(draft.changes(name) for name in names)
        or any(name in draft.lines for name in collections)
    ]
    if not moved:
        return
    stored = {
        name: read_lines(work, name, [d for d in moved if not d.is_new and _is_partial(d, name)])
        for name in collections
    }
    region = search_text.phone_region(work.connection) if search_text.has_numbers(entity) else ""
    for draft in moved:
        lines = {name: _rows(work, draft, name, stored[name]) for name in collections}
        values = {name: draft.get(name) for name in names}
        draft.set("search_text", search_text.text_of(entity, values, lines, region))


def _is_partial(draft: Draft, name: str) -> bool:
    """Whether the child rows, or fields of them, stay as they are stored."""
    return name not in draft.lines or any(row.get("id") for row in draft.lines[name])


def _rows(
    work: Work, draft: Draft, name: str, stored: Mapping[int, Sequence[Mapping[str, Any]]]
) -> list[Mapping[str, Any]]:
    """Child rows as they will be, with the values that will be stored."""
    known = stored.get(draft.id or 0, ())
    if name not in draft.lines:
        return list(draft.beside.get(name, known))
    lines = work.entity.fields[name].lines
    assert lines is not None  # noqa: S101  the name of a child collection
    child = registry.get(lines.entity)
    told, _code = FOR_ITS_WRITER.get(child.key, ("", ""))
    searched = [*child.search_fields, *([child.fields[told]] if told else ())]
    by_key = {row["id"]: row for row in known}
    found: list[Mapping[str, Any]] = []
    for row in draft.lines[name]:
        values = dict(by_key.get(row.get("id") or 0, {}))
        for field in searched:
            if field.name in row:
                values[field.name] = _checked(work, field, row[field.name])
        found.append(values)
    return found


def _checked(work: Work, field: BoundField, value: object) -> object:
    try:
        return checked(field, value, work.actor.formats)
    except UserError:
        return None  # reported with the child row itself


def of_parents(work: Work, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write anew the search texts of records whose child rows changed on their own.

    Args:
        work: The operation on the child rows.
        rows: Values of the rows by field name, those before and those after.
    """
    for field, parent in search_text.parents_of(work.entity):
        ids = {row[field] for row in rows if row.get(field)}
        if ids:
            search_text.refold(work.connection, registry.get(parent.key), sorted(ids))
