"""The one writer: drafts become rows, child rows, audit rows and a report, in few statements.

Inserts, updates and audit rows are each one ``executemany``; nothing here loops over statements.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import bindparam, insert, select, update

from desktop_crm.core import clock
from desktop_crm.core.errors import FieldError, UserError, ValidationFailed
from desktop_crm.core.i18n import N_, tr
from desktop_crm.core.identity import new_uid
from desktop_crm.core.text import fold
from desktop_crm.meta import kinds, registry
from desktop_crm.meta.bound import BoundField, Entity
from desktop_crm.meta.columns import NAME_LENGTH
from desktop_crm.models.office import AuditAction
from desktop_crm.services import audit
from desktop_crm.services.changes import NOTHING, Changed, ChangeKind, ChangeSet
from desktop_crm.services.drafts import Draft, Work
from desktop_crm.services.query import key_clause
from desktop_crm.services.rules.registry import rules_of
from desktop_crm.services.values import checked, required_error, same

_CHUNK: Final = 5000


def load(work: Work, ids: Iterable[int]) -> dict[int, dict[str, Any]]:
    """Read stored records by key, by field name; one statement, rows locked on PostgreSQL."""
    wanted = list(ids)
    if not wanted:
        return {}
    table = work.entity.table
    statement = select(table).where(key_clause(work.connection, table.c.id, wanted))
    found = work.connection.execute(statement.with_for_update()).mappings()
    names = {f.column.name: n for n, f in work.entity.fields.items() if f.column is not None}
    return {
        row["id"]: {names[key]: value for key, value in row.items() if key in names}
        for row in found
    }


def fill(work: Work, draft: Draft, values: Mapping[str, Any]) -> None:
    """Take wanted values into a draft, checked; what equals the stored value is dropped."""
    for name, value in values.items():
        field = work.entity.fields.get(name)
        if field is None:
            draft.fail(name, N_("There is no field “{name}”."), name=name)
        elif field.kind is kinds.LINES:
            draft.lines[name] = list(value or ())
        else:
            try:
                clean = checked(field, value, work.actor.formats)
            except UserError as error:
                draft.fail(name, error.template, **error.params)
                continue
            if draft.is_new or not same(draft.old.get(name), clean):
                draft.new[name] = clean


def write(work: Work, drafts: Sequence[Draft]) -> ChangeSet:
    """Write drafts with their lines.

    Raises:
        ValidationFailed: Something is missing or wrong in any draft; nothing was written.
    """
    entity = work.entity
    touched = [d for d in drafts if d.is_new or d.new or d.lines]
    _defaults(entity, [d for d in touched if d.is_new])
    _primaries_from_copies(work, touched)
    rules = rules_of(entity.key)
    for rule in rules.before:
        rule(work, touched)
    _validate(work, touched)
    _derive(entity, touched)
    changes = _insert(work, [d for d in touched if d.is_new])
    changes = changes.merge(_update(work, [d for d in touched if not d.is_new and d.new]))
    changes = changes.merge(_write_lines(work, touched))
    for rule in rules.after:
        rule(work, touched)
    return changes


def put_back(work: Work, drafts: Sequence[Draft]) -> ChangeSet:
    """Write stored values as they once were: no rules, but title, search text and audit."""
    _derive(work.entity, drafts)
    return _update(work, [draft for draft in drafts if draft.new])


def _defaults(entity: Entity, drafts: Sequence[Draft]) -> None:
    defaults = {
        name: field.default
        for name, field in entity.fields.items()
        if field.column is not None and field.default is not None
    }
    for draft in drafts:
        for name, value in defaults.items():
            if draft.new.get(name) is None:
                draft.new[name] = value


def _primaries_from_copies(work: Work, drafts: Sequence[Draft]) -> None:
    """Keep the stored copies of primary child rows and the child rows themselves in step."""
    for lines, copies in work.entity.copies.items():
        column = {field.name: (field.declared.copy_of or ("", ""))[1] for field in copies}
        by_copy = [
            d for d in drafts if lines not in d.lines and any(d.changes(name) for name in column)
        ]
        existing = _existing_lines(work, lines, [d for d in by_copy if not d.is_new])
        for draft in by_copy:
            wanted = {column[n]: draft.get(n) for n in column if draft.changes(n) or draft.is_new}
            draft.lines[lines] = _with_primary(existing.get(draft.id or 0, []), wanted)
        for draft in drafts:
            if lines in draft.lines:
                primary = _primary(draft.lines[lines])
                for name, child in column.items():
                    draft.set(name, _copy_value(work, lines, child, primary))


def _copy_value(work: Work, lines: str, child: str, primary: Mapping[str, Any] | None) -> Any:  # noqa: ANN401  any kind
    if primary is None:
        return None
    bound = work.entity.fields[lines].lines
    assert bound is not None  # noqa: S101  copies name a lines field
    field = registry.get(bound.entity).fields[child]
    try:
        return checked(field, primary.get(child), work.actor.formats)
    except UserError:
        return None  # reported with the child row itself


def _with_primary(
    existing: Sequence[Mapping[str, Any]], wanted: Mapping[str, Any]
) -> list[dict[str, Any]]:
    rows = [dict(row) for row in existing]
    primary = _primary(rows)
    if primary is None:
        if all(value in (None, "") for value in wanted.values()):
            return rows
        primary = {"is_primary": True}
        rows.append(primary)
    primary.update(wanted)
    if all(value in (None, "") for n, value in primary.items() if n in wanted) and len(wanted) == 1:
        rows.remove(primary)
    return rows


def _primary(rows: Sequence[dict[str, Any]]) -> dict[str, Any] | None:
    marked = next((row for row in rows if row.get("is_primary")), None)
    return marked or (rows[0] if rows else None)


def _existing_lines(
    work: Work, name: str, drafts: Sequence[Draft]
) -> dict[int, list[dict[str, Any]]]:
    lines = work.entity.fields[name].lines
    if lines is None or not drafts:
        return {}
    child = registry.get(lines.entity)
    via = child.table.c[lines.via]
    rows = work.connection.execute(
        select(child.table)
        .where(
            key_clause(work.connection, via, [d.id for d in drafts if d.id is not None]),
            child.table.c.deleted_at.is_(None),
        )
        .order_by(child.table.c.id)
    ).mappings()
    names = {f.column.name: n for n, f in child.fields.items() if f.column is not None}
    found: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        found[row[lines.via]].append(
            {names[key]: value for key, value in row.items() if key in names}
        )
    return found


def _validate(work: Work, drafts: Sequence[Draft]) -> None:
    required = [f for f in work.entity.fields.values() if f.required and f.column is not None]
    for draft in drafts:
        for field in required:
            missing = draft.get(field.name) in (None, "")
            if missing and (draft.is_new or draft.changes(field.name)):
                error = required_error(field)
                draft.fail(field.name, error.template, **dict(error.params))
    _check_links(work, drafts)
    errors = tuple(error for draft in drafts for error in draft.errors)
    if errors:
        raise ValidationFailed(errors)


def _check_links(work: Work, drafts: Sequence[Draft]) -> None:
    for field in work.entity.fields.values():
        if field.kind is not kinds.LINK or field.name in {"created_by", "modified_by"}:
            continue
        wanted = {d.new[field.name] for d in drafts if d.new.get(field.name) is not None}
        if not wanted:
            continue
        target = registry.get(field.target).table
        known = set(
            work.connection.execute(
                select(target.c.id).where(key_clause(work.connection, target.c.id, sorted(wanted)))
            ).scalars()
        )
        for draft in drafts:
            value = draft.new.get(field.name)
            if value is not None and value not in known:
                draft.fail(
                    field.name, N_("The {record} chosen no longer exists."), record=tr(field.label)
                )


def _derive(entity: Entity, drafts: Sequence[Draft]) -> None:
    """Set the folded title and the search text of titled records."""
    if "title_key" not in entity.fields:
        return
    searched = entity.search_fields
    title = entity.title_field
    for draft in drafts:
        if draft.is_new or draft.changes(title):
            draft.new["title_key"] = fold(str(draft.get(title) or ""))[:NAME_LENGTH]
        if draft.is_new or any(draft.changes(f.name) for f in searched):
            texts = (draft.get(f.name) for f in searched)
            draft.new["search_text"] = fold("\n".join(str(t) for t in texts if t))


def _insert(work: Work, drafts: Sequence[Draft]) -> ChangeSet:
    if not drafts:
        return NOTHING
    now = clock.now()
    entity = work.entity
    stamp = {
        "version": 1,
        "created_at": now,
        "created_by_id": work.actor.user_id,
        "modified_at": now,
        "modified_by_id": work.actor.user_id,
    }
    if "import_batch" in entity.fields:
        stamp["import_batch_id"] = work.batch
    columns = [f for f in entity.fields.values() if f.column is not None and f.name != "id"]
    if "owner" in entity.fields:
        for draft in drafts:
            if "owner" not in draft.new:
                draft.new["owner"] = work.actor.user_id
    rows = []
    for draft in drafts:
        row = {c.column.name: draft.new.get(c.name) for c in columns if c.column is not None}
        row.update(stamp)
        row["uid"] = draft.new.get("uid") or new_uid()
        rows.append(row)
    statement = insert(entity.table).returning(entity.table.c.id, sort_by_parameter_order=True)
    ids = list(work.connection.execute(statement, rows).scalars())
    entries = []
    for draft, key in zip(drafts, ids, strict=True):
        draft.id = key
        filled = {n: (None, v) for n, v in draft.new.items() if v not in (None, "")}
        entries.append(audit.entry(work, AuditAction.CREATE, key, 1, filled))
    audit.write(work, entries)
    return ChangeSet(work.operation, (Changed(entity.key, frozenset(ids), ChangeKind.CREATED),))


def _update(work: Work, drafts: Sequence[Draft]) -> ChangeSet:
    if not drafts:
        return NOTHING
    table = work.entity.table
    now = clock.now()
    grouped: dict[frozenset[str], list[Draft]] = defaultdict(list)
    for draft in drafts:
        grouped[frozenset(draft.new)].append(draft)
    for names, members in grouped.items():
        fields = [work.entity.fields[name] for name in sorted(names)]
        columns = {_column(f): bindparam(f"n_{_column(f)}") for f in fields}
        statement = (
            update(table)
            .where(table.c.id == bindparam("k"))
            .values(
                **columns,
                version=table.c.version + 1,
                modified_at=now,
                modified_by_id=work.actor.user_id,
            )
        )
        for start in range(0, len(members), _CHUNK):
            work.connection.execute(
                statement,
                [
                    {"k": d.id, **{f"n_{_column(f)}": d.new[f.name] for f in fields}}
                    for d in members[start : start + _CHUNK]
                ],
            )
    entries = []
    for draft in drafts:
        changes = {name: (draft.old.get(name), value) for name, value in draft.new.items()}
        draft.version += 1
        entries.append(audit.entry(work, AuditAction.UPDATE, draft.id or 0, draft.version, changes))
    audit.write(work, entries)
    ids = frozenset(d.id for d in drafts if d.id is not None)
    fields_changed = frozenset(name for d in drafts for name in d.new)
    return ChangeSet(
        work.operation,
        (Changed(work.entity.key, ids, ChangeKind.UPDATED, fields_changed),),
    )


def _column(field: BoundField) -> str:
    assert field.column is not None  # noqa: S101  lines never reach an UPDATE
    return str(field.column.name)


def _write_lines(work: Work, drafts: Sequence[Draft]) -> ChangeSet:
    changes = NOTHING
    names = {name for draft in drafts for name in draft.lines}
    for name in sorted(names):
        parents = [d for d in drafts if name in d.lines]
        changes = changes.merge(_write_one_kind(work, name, parents))
    return changes


def _write_one_kind(work: Work, name: str, parents: Sequence[Draft]) -> ChangeSet:
    lines = work.entity.fields[name].lines
    assert lines is not None  # noqa: S101  only lines fields are put into drafts
    child = registry.get(lines.entity)
    inner = Work(work.actor, work.connection, child, work.operation, work.batch, work.source)
    existing = _existing_lines(work, name, [d for d in parents if not d.is_new])
    via = lines.via.removesuffix("_id")
    drafts: list[Draft] = []
    gone: list[int] = []
    for parent in parents:
        known = {row["id"]: row for row in existing.get(parent.id or 0, [])}
        wanted = _ordered_lines(child, parent.lines[name])
        for position, row in enumerate(wanted):
            old = known.pop(row["id"], {}) if row.get("id") else {}
            draft = Draft(old.get("id"), old.get("version", 0), old, {}, line_of=(name, position))
            values = {k: v for k, v in row.items() if k in child.fields and k not in _KEPT}
            fill(inner, draft, {**values, via: parent.id})
            drafts.append(draft)
        gone += known
    changes = remove(inner, gone)
    return changes.merge(write(inner, drafts))


_KEPT: Final = frozenset(
    {"id", "uid", "version", "created_at", "created_by", "modified_at", "modified_by", "deleted_at"}
)


def _ordered_lines(child: Entity, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    found = [dict(row) for row in rows]
    if "position" in child.fields:
        for position, row in enumerate(found, 1):
            row["position"] = position
    if "is_primary" in child.fields and found:
        primary = _primary(found)
        for row in found:
            row["is_primary"] = row is primary
    return found


def remove(work: Work, ids: Sequence[int], *, restore: bool = False) -> ChangeSet:
    """Mark rows as deleted, or living again; the audit row of a deletion keeps the values."""
    if not ids:
        return NOTHING
    table = work.entity.table
    now = clock.now()
    stored = load(work, ids)
    chosen = {k: v for k, v in stored.items() if (v["deleted_at"] is not None) is restore}
    if not chosen:
        return NOTHING
    work.connection.execute(
        update(table)
        .where(key_clause(work.connection, table.c.id, list(chosen)))
        .values(
            deleted_at=None if restore else now,
            version=table.c.version + 1,
            modified_at=now,
            modified_by_id=work.actor.user_id,
        )
    )
    action = AuditAction.RESTORE if restore else AuditAction.DELETE
    audit.write(
        work,
        [audit.entry(work, action, key, row["version"] + 1, {}) for key, row in chosen.items()],
    )
    kind = ChangeKind.RESTORED if restore else ChangeKind.DELETED
    return ChangeSet(work.operation, (Changed(work.entity.key, frozenset(chosen), kind),))


def errors_of(drafts: Sequence[Draft]) -> tuple[FieldError, ...]:
    """Everything that is wrong with some drafts."""
    return tuple(error for draft in drafts for error in draft.errors)
