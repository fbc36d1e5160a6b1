"""What must hold before and after records are written, whoever writes them."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from desktop_crm.core.errors import FieldError, UserError, ValidationFailed
from desktop_crm.core.i18n import N_, tr
from desktop_crm.db.problems import unique_columns
from desktop_crm.meta import kinds, registry
from desktop_crm.meta.bound import SYSTEM_FIELDS, BoundField
from desktop_crm.services.drafts import Draft, Work, refuse_wrong
from desktop_crm.services.permissions import denial, row_clause
from desktop_crm.services.query import key_clause
from desktop_crm.services.values import LENGTH, required_error, same, too_long

SYNC = "sync"
"""Way in of the mailbox passes: they link what rules find, whoever may see it."""

_ENDS = ("from_type", "from_id", "to_type", "to_id", "record_type", "record_id")
"""Fields that name a record of any kind, whose rights decide."""


def system_field(draft: Draft, field: BoundField, value: object) -> None:
    """Refuse to set what the product keeps itself; the uid of a new record may come along."""
    stands = field.default if draft.is_new else draft.old.get(field.name)
    if same(stands, value):
        return
    if draft.is_new and field.name == "uid":
        draft.new["uid"] = str(value)
    else:
        draft.fail(field.name, N_("{label} is set by the program."), label=tr(field.label))


def validate(work: Work, drafts: Sequence[Draft]) -> None:
    """Check that nothing is missing or too long, and that links lead somewhere.

    Raises:
        ValidationFailed: With every fault of every draft; nothing was written.
    """
    columns = [
        f
        for f in work.entity.fields.values()
        if f.column is not None and f.name not in SYSTEM_FIELDS
    ]
    by_name = {field.name: field for field in columns}
    for draft in drafts:
        # What does not change was checked when it was saved.
        for field in columns if draft.is_new else [by_name[n] for n in draft.new if n in by_name]:
            _check_field(draft, field)
    _check_links(work, drafts)
    refuse_wrong(drafts)


def _check_field(draft: Draft, field: BoundField) -> None:
    name = field.name
    value = draft.get(name)
    if value in (None, "") and (field.needed or not field.nullable):
        if all(error.field.rpartition(".")[2] != name for error in draft.errors):
            error = required_error(field)
            draft.fail(name, error.template, **dict(error.params))
    elif too_long(field, value):
        draft.fail(
            name,
            LENGTH,
            label=tr(field.label),
            limit=field.max_length,
            length=len(str(value)),
        )


def _check_links(work: Work, drafts: Sequence[Draft]) -> None:
    for field in work.entity.fields.values():
        if field.kind is not kinds.LINK or field.name in SYSTEM_FIELDS:
            continue
        wanted = {d.new[field.name] for d in drafts if d.new.get(field.name) is not None}
        if not wanted:
            continue
        known = _choosable(work, field, wanted)
        for draft in drafts:
            value = draft.new.get(field.name)
            if value is not None and value not in known:
                draft.fail(
                    field.name,
                    N_("The {record} chosen does not exist, or you may not use it."),
                    record=tr(field.label),
                )


def _choosable(work: Work, field: BoundField, wanted: Collection[int]) -> frozenset[int]:
    """Records a link may point to: living, and seen by the actor; a parent must be his to edit."""
    target = registry.get(field.target)
    key = target.table.c.id
    statement = select(key).where(key_clause(work.connection, key, sorted(wanted)))
    if target.is_record:
        statement = statement.where(target.table.c.deleted_at.is_(None))
    action = "edit" if field.name in work.entity.parent else "read"
    rights = None
    if work.source != SYNC:
        rights = row_clause(work.actor, target, target.table, action)
    if rights is not None:
        statement = statement.where(rights)
    return frozenset(work.connection.execute(statement).scalars())


def reach(work: Work, drafts: Sequence[Draft]) -> None:
    """Refuse to make or move records out of one's own reach.

    The rights are asked again after writing: a record made for a stranger, given away or put
    under another's record would be out of sight of the one who did it.

    Raises:
        PermissionDenied: The caller's transaction takes everything back.
    """
    if work.source == SYNC:
        return
    # Lines stand under a parent that was asked about already.
    own = [d for d in drafts if d.line_of is None and d.id is not None]
    decisive = {"owner", "user", *_ENDS, *work.entity.parent}
    moved = [d for d in own if not d.is_new and any(d.changes(name) for name in decisive)]
    for action, chosen in (("create", [d for d in own if d.is_new]), ("edit", moved)):
        ids = [d.id for d in chosen if d.id is not None]
        if len(reachable(work, ids, action)) != len(set(ids)):
            raise denial(work.actor, work.entity, action)


def reachable(work: Work, ids: Sequence[int], action: str) -> frozenset[int]:
    """Which of these records an action reaches; at most one statement."""
    if not ids or not work.actor.can(work.entity, action):
        return frozenset()
    table = work.entity.table
    rights = row_clause(work.actor, work.entity, table, action)
    if rights is None:
        return frozenset(ids)
    statement = select(table.c.id).where(key_clause(work.connection, table.c.id, ids), rights)
    return frozenset(work.connection.execute(statement).scalars())


def taken(work: Work, drafts: Sequence[Draft], error: IntegrityError) -> UserError | None:
    """The sentence for a value that may stand only once; None when that is not the fault."""
    by_column = {f.column.name: f for f in work.entity.fields.values() if f.column is not None}
    fields = [by_column[name] for name in unique_columns(error) if name in by_column]
    if not fields:
        return None
    lines = next((d.line_of for d in drafts if d.line_of is not None), None)
    prefix = f"{lines[0]}." if lines else ""
    row = lines[1] if lines and len(drafts) == 1 else None
    template = N_("Another record has this already: {labels}. Choose another value.")
    labels = ", ".join(tr(field.label) for field in fields)
    field = fields[-1] if lines else fields[0]
    return ValidationFailed(
        (FieldError(f"{prefix}{field.name}", template, (("labels", labels),), row),)
    )
