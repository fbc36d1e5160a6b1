"""The one writer: drafts become rows, child rows, audit rows and a report, in few statements.

Inserts, updates and audit rows are each one ``executemany``; nothing here loops over statements.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

from sqlalchemy import bindparam, select, update
from sqlalchemy.exc import IntegrityError

from desktop_crm.core import clock
from desktop_crm.core.errors import UserError
from desktop_crm.core.i18n import N_
from desktop_crm.core.identity import new_uid
from desktop_crm.db import search_text
from desktop_crm.db.many_rows import insert_many
from desktop_crm.meta import kinds, registry
from desktop_crm.meta.bound import SYSTEM_FIELDS, BoundField, Entity
from desktop_crm.models.activity import FOR_ITS_WRITER
from desktop_crm.models.office import AuditAction
from desktop_crm.services import audit, checks, line_rows, privacy, search_texts
from desktop_crm.services.changes import NOTHING, Changed, ChangeKind, ChangeSet
from desktop_crm.services.drafts import Draft, Work
from desktop_crm.services.query import key_clause
from desktop_crm.services.rules.registry import rules_of
from desktop_crm.services.values import checked, same

_CHUNK: Final = 5000
_QUOTED: Final = 60


def load(work: Work, ids: Iterable[int], *, lock: bool = True) -> dict[int, dict[str, Any]]:
    """Read stored records by key, by field name; one statement.

    With ``lock`` nobody else changes the rows on PostgreSQL before the transaction ends.
    """
    wanted = list(ids)
    if not wanted:
        return {}
    table = work.entity.table
    columns = [f.column for f in work.entity.stored.values() if f.column is not None]
    statement = select(*columns).where(key_clause(work.connection, table.c.id, wanted))
    # Always in the same order, so that two writers wait for each other instead of for ever.
    statement = statement.order_by(table.c.id)
    found = work.connection.execute(statement.with_for_update() if lock else statement)
    names = tuple(work.entity.stored)
    rows = (dict(zip(names, row, strict=True)) for row in found)
    return {row["id"]: row for row in rows}


def versions(work: Work, ids: Sequence[int]) -> list[int]:
    """Versions that stand, by key; one statement."""
    table = work.entity.table
    statement = select(table.c.version).where(key_clause(work.connection, table.c.id, ids))
    return list(work.connection.execute(statement.order_by(table.c.id)).scalars())


def fill(work: Work, draft: Draft, values: Mapping[str, Any]) -> None:
    """Take wanted values into a draft, checked; what equals the stored value is dropped."""
    for name, value in values.items():
        field = work.entity.fields.get(name)
        if field is None:
            _fail_unknown(work.entity, draft, name, value)
        elif name in SYSTEM_FIELDS:
            checks.system_field(draft, field, value)
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
            else:
                draft.new.pop(name, None)


def _fail_unknown(entity: Entity, draft: Draft, name: str, value: object) -> None:
    """Say that a field is not there; a person may have typed into it before it was retired."""
    retired = entity.retired.get(name)
    if retired is None:
        draft.fail(name, N_("There is no field “{name}”."), name=name)
        return
    draft.fail(
        name,
        N_(
            "The field “{label}” was retired meanwhile, so “{value}” cannot be saved in it. Take "
            "the value out, or ask an administrator to bring the field back."
        ),
        label=retired.label,
        value="" if value is None else str(value)[:_QUOTED],
    )


def write(work: Work, drafts: Sequence[Draft]) -> ChangeSet:
    """Write drafts with their lines.

    Raises:
        ValidationFailed: Something is missing or wrong in any draft; nothing was written.
        PermissionDenied: A record would end up out of the actor's reach.
    """
    entity = work.entity
    different = {id(d): d for d in drafts}.values()
    touched = [d for d in different if d.is_new or d.new or d.lines]
    _leave_unseen(work, touched)
    _defaults(entity, [d for d in touched if d.is_new])
    _primaries_from_copies(work, touched)
    rules = rules_of(entity.key)
    for rule in rules.before:
        rule(work, touched)
    checks.validate(work, touched)
    search_texts.derive(work, touched, existing_lines)
    changes = _insert(work, [d for d in touched if d.is_new])
    lines = _write_lines(work, touched)
    # A parent's version moves with its lines, so that two people editing them notice.
    moved = [d for d in touched if not d.is_new and (d.new or d.line_changes)]
    changes = changes.merge(_update(work, moved)).merge(lines)
    search_texts.of_parents(
        work, [row for d in touched if d.line_of is None for row in (d.old, {**d.old, **d.new})]
    )
    for rule in rules.after:
        changes = changes.merge(rule(work, touched) or NOTHING)
    checks.reach(work, touched)
    return changes


def rewrite(work: Work, drafts: Sequence[Draft]) -> ChangeSet:
    """Write values as they are given: no checks and no rules, but title, search text and audit.

    For what follows from a decision about another record, whoever may see the rows.
    """
    search_texts.derive(work, drafts, existing_lines)
    changes = _update(work, drafts)
    search_texts.of_parents(work, [row for d in drafts for row in (d.old, {**d.old, **d.new})])
    return changes


def put_back(work: Work, drafts: Sequence[Draft]) -> ChangeSet:
    """Write stored values as they once were, and what is kept in step with them."""
    changes = rewrite(work, drafts)
    for rule in rules_of(work.entity.key).put_back:
        rule(work, drafts)
    return changes


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
        column = {field.name: (field.copy_of or ("", ""))[1] for field in copies}
        by_copy = [
            d for d in drafts if lines not in d.lines and any(d.changes(name) for name in column)
        ]
        bound = work.entity.fields[lines].lines
        assert bound is not None  # noqa: S101  copies name a lines field
        child = registry.get(bound.entity)
        existing = existing_lines(work, lines, [d for d in by_copy if not d.is_new])
        for draft in by_copy:
            wanted = {column[n]: draft.get(n) for n in column if draft.changes(n) or draft.is_new}
            rows = existing.get(draft.id or 0, [])
            draft.lines[lines] = line_rows.with_primary(child, bound, rows, wanted)
        for draft in drafts:
            if lines in draft.lines:
                primary = line_rows.primary(draft.lines[lines])
                for name, copied in column.items():
                    draft.set(name, _copy_value(work, lines, copied, primary))


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


def existing_lines(
    work: Work, name: str, drafts: Sequence[Draft]
) -> dict[int, list[dict[str, Any]]]:
    """Living child rows by parent, in their order; one statement."""
    lines = work.entity.fields[name].lines
    if lines is None or not drafts:
        return {}
    child = registry.get(lines.entity)
    via = child.table.c[lines.via]
    names = {name: f.column for name, f in child.fields.items() if f.column is not None}
    rows = work.connection.execute(
        select(via, *names.values())
        .where(
            key_clause(work.connection, via, [d.id for d in drafts if d.id is not None]),
            child.table.c.deleted_at.is_(None),
        )
        .order_by(*_line_order(child))
    )
    found: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for parent, *values in rows:
        found[parent].append(dict(zip(names, values, strict=True)))
    return found


def seen_lines(work: Work, name: str, drafts: Sequence[Draft]) -> dict[int, list[dict[str, Any]]]:
    """As :func:`existing_lines`, without rows that only somebody else sees."""
    found = existing_lines(work, name, drafts)
    lines = work.entity.fields[name].lines
    if lines is None or lines.entity not in FOR_ITS_WRITER:
        return found
    child = registry.get(lines.entity)
    return {
        key: [row for row in rows if not privacy.is_unseen_row(work.actor, child, row)]
        for key, rows in found.items()
    }


def _leave_unseen(work: Work, drafts: Sequence[Draft]) -> None:
    """Let child rows the actor does not see stay, whatever a form or a file says of them."""
    for name in {name for draft in drafts for name in draft.lines}:
        lines = work.entity.fields[name].lines
        if lines is None or lines.entity not in FOR_ITS_WRITER:
            continue
        parents = [d for d in drafts if name in d.lines and not d.is_new]
        seen = seen_lines(work, name, parents)
        for draft in parents:
            ids = {row["id"] for row in seen.get(draft.id or 0, ())}
            draft.lines[name] = [r for r in draft.lines[name] if not r.get("id") or r["id"] in ids]


def _line_order(child: Entity) -> tuple[Any, ...]:
    names = ("position", "id") if "position" in child.fields else ("id",)
    return tuple(child.table.c[name] for name in names)


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
    # Keys come back by uid: asked for in order, SQLite would insert row by row.
    with _said(work, drafts):
        keys = dict(insert_many(work.connection, entity.table, rows, "uid", "id"))
    ids = [keys[row["uid"]] for row in rows]
    entries = []
    for draft, key in zip(drafts, ids, strict=True):
        draft.id, draft.version = key, 1
        filled = {n: (None, v) for n, v in draft.new.items() if v not in (None, "")}
        entries.append(audit.entry(work, AuditAction.CREATE, key, 1, filled))
    audit.write(work, entries)
    return ChangeSet(work.operation, (Changed(entity.key, frozenset(ids), ChangeKind.CREATED),))


@contextmanager
def _said(work: Work, drafts: Sequence[Draft]) -> Iterator[None]:
    """Say beside its field which value stands already in another record."""
    try:
        yield
    except IntegrityError as error:
        problem = checks.taken(work, drafts, error)
        if problem is None:
            raise
        raise problem from error


def _update(work: Work, drafts: Sequence[Draft]) -> ChangeSet:
    if not drafts:
        return NOTHING
    table = work.entity.table
    now = clock.now()
    grouped: dict[frozenset[str], list[Draft]] = defaultdict(list)
    for draft in drafts:
        grouped[frozenset(draft.new)].append(draft)
    for names, members in grouped.items():
        fields = [work.entity.stored[name] for name in sorted(names)]
        columns: dict[str, Any] = {_column(f): bindparam(f"n_{_column(f)}") for f in fields}
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
        with _said(work, members):
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
        changes |= draft.line_changes
        draft.version += 1
        entries.append(audit.entry(work, AuditAction.UPDATE, draft.id or 0, draft.version, changes))
    audit.write(work, entries)
    ids = frozenset(d.id for d in drafts if d.id is not None)
    fields_changed = frozenset(name for d in drafts for name in (*d.new, *d.line_changes))
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
    existing = seen_lines(work, name, [d for d in parents if not d.is_new])
    found: dict[int, list[Draft]] = {}
    via = lines.via.removesuffix("_id")
    drafts: list[Draft] = []
    gone: list[int] = []
    for parent in parents:
        known = {row["id"]: row for row in existing.get(parent.id or 0, [])}
        wanted = line_rows.ordered(child, parent.lines[name])
        own = found.setdefault(id(parent), [])
        for position, row in enumerate(wanted):
            old = known.pop(row["id"], {}) if row.get("id") else {}
            draft = Draft(old.get("id"), old.get("version", 0), old, {}, line_of=(name, position))
            fill(inner, draft, {**line_rows.wanted_values(child, row), via: parent.id})
            own.append(draft)
        drafts += own
        gone += known
    changes = _marked(inner, gone, restore=False)
    changes = changes.merge(write(inner, drafts))
    left = set(gone)
    for parent in parents:
        rows, after = existing.get(parent.id or 0, []), found[id(parent)]
        if any(d.is_new or d.new for d in after) or any(row["id"] in left for row in rows):
            now = [{**d.old, **d.new} for d in after]
            parent.line_changes[name] = (
                line_rows.summary(child, lines, rows),
                line_rows.summary(child, lines, now),
            )
    return changes


def remove(work: Work, ids: Sequence[int], *, restore: bool = False) -> ChangeSet:
    """Mark rows as deleted, or living again; their values stay in the table."""
    changes = _marked(work, ids, restore=restore)
    if changes and search_text.parents_of(work.entity):
        search_texts.of_parents(work, list(load(work, ids).values()))
    return changes


def _marked(work: Work, ids: Sequence[int], *, restore: bool) -> ChangeSet:
    if not ids:
        return NOTHING
    table = work.entity.table
    now = clock.now()
    stored = load(work, ids)
    chosen = {k: v for k, v in stored.items() if (v["deleted_at"] is not None) is restore}
    if not chosen:
        return NOTHING
    statement = (
        update(table)
        .where(key_clause(work.connection, table.c.id, list(chosen)))
        .values(
            deleted_at=None if restore else now,
            version=table.c.version + 1,
            modified_at=now,
            modified_by_id=work.actor.user_id,
        )
    )
    with _said(work, ()):
        work.connection.execute(statement)
    action = AuditAction.RESTORE if restore else AuditAction.DELETE
    audit.write(
        work,
        [audit.entry(work, action, key, row["version"] + 1, {}) for key, row in chosen.items()],
    )
    kind = ChangeKind.RESTORED if restore else ChangeKind.DELETED
    return ChangeSet(work.operation, (Changed(work.entity.key, frozenset(chosen), kind),))
