"""Getting, saving, deleting and restoring records: optimistic locking and three-way merge.

``save`` is ``save_many`` of one: form, grid, import, merge and sync all write the same way, with
the same rights, rules and audit.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import Connection

from desktop_crm.core import turns
from desktop_crm.core.errors import NotFound, UserError
from desktop_crm.core.i18n import N_, tr
from desktop_crm.core.identity import new_uid
from desktop_crm.meta import registry
from desktop_crm.meta.bound import Entity
from desktop_crm.services import writer
from desktop_crm.services.changes import NOTHING, ChangeSet
from desktop_crm.services.checks import reachable
from desktop_crm.services.context import Actor
from desktop_crm.services.customizing import definitions
from desktop_crm.services.drafts import Draft, Work, refuse_wrong
from desktop_crm.services.merging import merge
from desktop_crm.services.permissions import (
    denial,
    knows,
    require,
)
from desktop_crm.services.record_statements import RecordStatements
from desktop_crm.services.rules.registry import rules_of
from desktop_crm.services.values import LARGEST_INTEGER


@dataclass(frozen=True, slots=True)
class RecordValues:
    """One record as plain values, the base of a form.

    Attributes:
        entity: Key of the entity.
        id: Key; None for a new record.
        version: Version read; 0 for a new record.
        values: By field name; links hold the id.
        titles: Shown title by link field.
        lines: Child rows by lines field, each a mapping with its ``id`` and link titles under
            ``<field>.title``.
        can_edit: The user may change it.
        can_delete: The user may delete it.
        merged_from: Key that was asked for, when that record was merged into this one.
    """

    entity: str
    id: int | None
    version: int
    values: Mapping[str, Any]
    titles: Mapping[str, str] = field(default_factory=dict)
    lines: Mapping[str, tuple[Mapping[str, Any], ...]] = field(default_factory=dict)
    can_edit: bool = True
    can_delete: bool = False
    merged_from: int | None = None

    @property
    def title(self) -> str:
        """What the record is called."""
        name = registry.get(self.entity).title
        return self.titles.get(name) or str(self.values.get(name) or "")


@dataclass(frozen=True, slots=True)
class Change:
    """One record to write.

    Attributes:
        id: Key, None to create.
        version: Version the change is based on; None writes on top of whatever stands.
        values: Wanted values by field name.
        base: Values the change started from, for the three-way merge; None takes the audit trail.
    """

    id: int | None
    version: int | None
    values: Mapping[str, Any]
    base: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Saved:
    """Result of saving one record; ``merged`` are fields somebody else changed meanwhile."""

    id: int
    version: int
    changes: ChangeSet
    merged: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class SavedMany:
    """Result of saving several records; ids in the order of the changes."""

    ids: tuple[int, ...]
    changes: ChangeSet


def get(actor: Actor, entity_key: str, record_id: int) -> RecordValues:
    """Read one record with its child rows; one statement and one for each kind of child.

    The key of a record that was merged into another gives that other one.

    Raises:
        NotFound: It does not exist, or this user may not see it.
    """
    entity = registry.get(entity_key)
    require(actor, entity, "read")
    if not 0 < record_id <= LARGEST_INTEGER:
        raise _unseen(entity)
    read = RecordStatements.of(actor, entity)
    with actor.db.reading() as connection:
        found = read.record.inside(connection, key=record_id)
        if not found:
            raise _unseen(entity)
        lines = {
            name: tuple(
                dict(zip(names, row, strict=True))
                for row in statement.inside(connection, key=record_id)
            )
            for name, (names, statement) in read.lines.items()
        }
    row, shown = found[0], read.shown
    values = dict(zip(shown, row[: len(shown)], strict=True))
    if values.get("merged_into") is not None and values.get("deleted_at") is not None:
        # Old keys lead to the record that is left (R52).
        return replace(get(actor, entity_key, values["merged_into"]), merged_from=record_id)
    named = zip(read.links, row[len(shown) : -2], strict=True)
    can_edit, can_delete = row[-2:]
    return RecordValues(
        entity=entity_key,
        id=record_id,
        version=values.get("version", 0),
        values=values,
        titles={name: str(title) for name, title in named if title is not None},
        lines=lines,
        can_edit=bool(can_edit) and values.get("deleted_at") is None,
        can_delete=bool(can_delete),
    )


def _unseen(entity: Entity) -> NotFound:
    return NotFound(
        N_("This {entity} does not exist, or you may not see it."), entity=tr(entity.label).lower()
    )


def new(actor: Actor, entity_key: str, **defaults: Any) -> RecordValues:  # noqa: ANN401  any field
    """Return an unsaved record with its defaults; no statement.

    Raises:
        PermissionDenied: The user may not create such records.
    """
    entity = registry.get(entity_key)
    require(actor, entity, "create")
    values: dict[str, Any] = {
        name: field.default
        for name, field in entity.fields.items()
        if field.column is not None and not field.hidden and knows(actor, field)
    }
    titles: dict[str, str] = {}
    if "owner" in entity.fields and actor.user_id is not None:
        values["owner"] = actor.user_id
        titles["owner"] = actor.name
    values.update(defaults)
    lines = {line.name: () for line in entity.lines}
    return RecordValues(entity_key, None, 0, values, titles, lines)


def save(
    actor: Actor,
    entity_key: str,
    record_id: int | None,
    version: int | None,
    changes: Mapping[str, Any],
    base: Mapping[str, Any] | None = None,
    *,
    source: str = "window",
) -> Saved:
    """Save one record.

    Raises:
        ValidationFailed: Values are missing or wrong.
        Conflict: Somebody changed the same fields to other values since ``version``.
        PermissionDenied: The user may not create or change it.
        NotFound: It no longer exists.
    """
    change = Change(record_id, version, changes, base)
    drafts, merged, report = _save(actor, entity_key, [change], batch=None, source=source)
    draft = drafts[0]
    assert draft.id is not None  # noqa: S101  written drafts have keys
    return Saved(draft.id, draft.version, report, merged.get(draft.id, frozenset()))


def save_within(
    connection: Connection,
    actor: Actor,
    entity_key: str,
    change: Change,
    *,
    source: str,
) -> Saved:
    """Save one record inside its caller's transaction: it lasts with what else is written there.

    Raises:
        ValidationFailed: Values are missing or wrong.
        Conflict: Somebody changed the same fields to other values meanwhile.
        PermissionDenied: The user may not create or change it.
        NotFound: It no longer exists.
    """
    work = Work(actor, connection, registry.get(entity_key), new_uid(), None, source)
    (draft,), merged, report = _written(work, [change])
    assert draft.id is not None  # noqa: S101  written drafts have keys
    return Saved(draft.id, draft.version, report, merged.get(draft.id, frozenset()))


def save_many(
    actor: Actor,
    entity_key: str,
    changes: Sequence[Change],
    batch: int | None = None,
    *,
    source: str = "window",
    operation: str | None = None,
    within: Connection | None = None,
) -> SavedMany:
    """Save several records in one transaction; a fixed number of statements.

    Args:
        actor: Who acts.
        entity_key: Entity of all of them.
        changes: What to write; several changes of one record are written as one.
        batch: Import the rows belong to.
        source: Way in, kept in the audit trail.
        operation: Operation to join, so that several calls are undone as one.
        within: Transaction to join, so that they last with what else is written there; an error
            leaves that as it was before the call.

    Raises:
        ValidationFailed: Any record has wrong values; none was written.
        Conflict: A record was changed meanwhile.
        PermissionDenied: The user may not write one of them.
    """
    if not changes:
        return SavedMany((), NOTHING)
    drafts, _, report = _save(
        actor, entity_key, changes, batch=batch, source=source, operation=operation, within=within
    )
    return SavedMany(tuple(d.id for d in drafts if d.id is not None), report)


def _save(
    actor: Actor,
    entity_key: str,
    changes: Sequence[Change],
    *,
    batch: int | None,
    source: str,
    operation: str | None = None,
    within: Connection | None = None,
) -> tuple[list[Draft], dict[int, frozenset[str]], ChangeSet]:
    entity = registry.get(entity_key)
    if not entity.is_record:
        raise UserError(
            N_("{records} are written by the program alone."), records=tr(entity.plural)
        )
    with _transaction(actor, within) as connection:
        work = Work(actor, connection, entity, operation or new_uid(), batch, source)
        drafts, merged, report = _written(work, changes)
    definitions.follow(actor.db, report)
    return drafts, merged, report


@contextmanager
def _transaction(actor: Actor, within: Connection | None) -> Iterator[Connection]:
    if within is None:
        with actor.db.writing() as connection:
            yield connection
    else:
        with within.begin_nested():
            yield within


def _written(
    work: Work, changes: Sequence[Change]
) -> tuple[list[Draft], dict[int, frozenset[str]], ChangeSet]:
    drafts, merged = prepare(work, changes)
    report = writer.write(work, drafts)
    if len(drafts) == 1 and rules_of(work.entity.key).after:
        # What follows from a record may write it once more.
        drafts[0].version = writer.versions(work, [drafts[0].id or 0])[0]
    return drafts, merged, report


def prepare(work: Work, changes: Sequence[Change]) -> tuple[list[Draft], dict[int, frozenset[str]]]:
    """Turn changes into checked drafts inside an open transaction."""
    actor, entity = work.actor, work.entity
    _refuse_unknown(actor, entity, changes)
    stored = writer.load(work, [c.id for c in changes if c.id is not None])
    reached = reachable(work, list(stored), "edit")
    drafts: list[Draft] = []
    by_key: dict[int, Draft] = {}
    merged: dict[int, frozenset[str]] = {}
    for change in changes:
        turns.give_way()
        if change.id is None:
            require(actor, entity, "create")
            draft = Draft(None, 0, {}, {})
            writer.fill(work, draft, change.values)
        else:
            draft = by_key.get(change.id) or _stored_draft(work, change.id, stored, reached)
            by_key[change.id] = draft
            writer.fill(work, draft, change.values)
            if change.version is not None and change.version != draft.version:
                merged[change.id] = merge(work, draft, change.version, change.base)
        drafts.append(draft)
    refuse_wrong(drafts)
    return drafts, merged


def _stored_draft(
    work: Work,
    record_id: int,
    stored: Mapping[int, dict[str, Any]],
    reached: frozenset[int],
) -> Draft:
    row = stored.get(record_id)
    if row is not None and row.get("merged_into") is not None:
        raise NotFound(
            N_("This {entity} was merged into another one meanwhile. Nothing was saved."),
            entity=tr(work.entity.label).lower(),
        )
    if row is None or row["deleted_at"] is not None:
        raise NotFound(
            N_("This {entity} was deleted meanwhile. Nothing was saved."),
            entity=tr(work.entity.label).lower(),
        )
    if record_id not in reached:
        raise denial(work.actor, work.entity, "edit")
    return Draft(record_id, row["version"], row, {})


def _refuse_unknown(actor: Actor, entity: Entity, changes: Sequence[Change]) -> None:
    """Refuse fields the user may not know, in the records and in their lines."""
    if actor.sees_confidential:
        return
    secret = {name for name, field in entity.fields.items() if not knows(actor, field)}
    lines = {line.name: registry.get(line.entity) for line in entity.lines}
    for change in changes:
        if secret & change.values.keys():
            raise denial(actor, entity, "edit")
        for name in lines.keys() & change.values.keys():
            child = lines[name]
            rows = change.values[name] or ()
            if any(
                k in child.fields and not knows(actor, child.fields[k]) for r in rows for k in r
            ):
                raise denial(actor, child, "edit")


def delete(
    actor: Actor,
    entity_key: str,
    ids: Sequence[int],
    source: str = "window",
    *,
    operation: str | None = None,
) -> ChangeSet:
    """Put records into the recycle bin; ``operation`` is one to join, to be undone with it.

    Raises:
        PermissionDenied: One of them is out of reach; none was deleted.
        ValidationFailed: A rule keeps one of them; none was deleted.
    """
    return _mark(actor, entity_key, ids, source, restore=False, operation=operation)


def restore(
    actor: Actor,
    entity_key: str,
    ids: Sequence[int],
    source: str = "window",
    *,
    operation: str | None = None,
) -> ChangeSet:
    """Take records back from the recycle bin; ``operation`` joins several calls into one step.

    Raises:
        PermissionDenied: One of them is out of reach; none was restored.
    """
    return _mark(actor, entity_key, ids, source, restore=True, operation=operation)


def _mark(
    actor: Actor,
    entity_key: str,
    ids: Sequence[int],
    source: str,
    *,
    restore: bool,
    operation: str | None = None,
) -> ChangeSet:
    entity = registry.get(entity_key)
    if not entity.is_record:
        raise UserError(
            N_("{records} are written by the program alone."), records=tr(entity.plural)
        )
    require(actor, entity, "remove")
    with actor.db.writing() as connection:
        work = Work(actor, connection, entity, operation or new_uid(), None, source)
        report = remove(work, ids, restore=restore)
    definitions.follow(actor.db, report)
    return report


def remove(work: Work, ids: Sequence[int], *, restore: bool = False) -> ChangeSet:
    """Put records into the bin, or take them back, inside an open transaction."""
    if len(reachable(work, ids, "remove")) != len(set(ids)):
        raise denial(work.actor, work.entity, "remove")
    if restore:
        _refuse_merged(work, ids)
    else:
        _check_removal(work, ids)
    report = writer.remove(work, list(ids), restore=restore)
    if rules := rules_of(work.entity.key).after_remove:
        rows = writer.load(work, ids).values()
        for rule in rules:
            drafts = [Draft(row["id"], row["version"], row, {}) for row in rows]
            report = report.merge(rule(work, drafts) or NOTHING)
    return report


def _refuse_merged(work: Work, ids: Sequence[int]) -> None:
    if "merged_into" not in work.entity.fields:
        return
    for row in writer.load(work, ids).values():
        if row["merged_into"] is not None:
            raise UserError(
                N_("“{title}” was merged into another record. Take the merge apart instead."),
                title=str(row.get(work.entity.title) or ""),
            )


def _check_removal(work: Work, ids: Sequence[int]) -> None:
    rules = rules_of(work.entity.key).before_remove
    if not rules:
        return
    rows = writer.load(work, ids).values()
    drafts = [Draft(row["id"], row["version"], row, {}) for row in rows]
    for rule in rules:
        rule(work, drafts)
    refuse_wrong(drafts)
