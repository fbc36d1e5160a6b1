"""Deleting for good: a record of the bin, what belongs to it, and every trace of its values.

One short transaction for each chunk, so that nobody waits for a long one. What stays is one entry
in the audit trail: who deleted what for good, by its title, and when.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import Connection, and_, exists, select

from desktop_crm.core.errors import FieldError
from desktop_crm.core.i18n import N_, tr
from desktop_crm.core.identity import new_uid
from desktop_crm.db.engine import Cancel
from desktop_crm.meta import kinds, registry
from desktop_crm.meta.bound import BoundField, Entity
from desktop_crm.meta.field import Level
from desktop_crm.models import AuditEntry, Base, Document, DocumentContent
from desktop_crm.models.office import AuditAction
from desktop_crm.services import audit, records_kept, writer
from desktop_crm.services.changes import NOTHING, Changed, ChangeKind, ChangeSet
from desktop_crm.services.checks import reachable
from desktop_crm.services.context import Actor
from desktop_crm.services.drafts import Draft, Work
from desktop_crm.services.mail.withdrawn_items import withdraw_items
from desktop_crm.services.permissions import denial
from desktop_crm.services.query import key_clause
from desktop_crm.services.rules.registry import rules_of
from desktop_crm.services.titles import grouped

CHUNK: Final = 100
SOURCE: Final = "purge"
Rows = Sequence[tuple[str, Sequence[int]]]
_BY_KIND_AND_KEY: Final = (
    ("record_mark", "record_type", "record_id"),
    ("link", "record_type", "record_id"),
    ("filing_rule", "record_type", "record_id"),
    ("connection", "from_type", "from_id"),
    ("connection", "to_type", "to_id"),
    ("document", "record_type", "record_id"),
    ("duplicate_pair", "entity", "first_id"),
    ("duplicate_pair", "entity", "second_id"),
    ("merge_log", "entity", "master_id"),
    ("merge_log", "entity", "loser_id"),
)
"""Rows that name a record by its entity and key."""
_ALONG: Final = frozenset({("document", "activity"), ("document", "quote")})
"""Links, empty or not, whose rows go with the record they lead to."""
_BY_WHOM: Final = frozenset({"created_by", "modified_by"})
_SILENT: Final = frozenset(
    {"record_mark", "duplicate_pair", "merge_log", "outbox_content", "outbox_item"}
)
"""Rows nobody counts when told what goes along."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A record that stays in the bin, and why."""

    entity: str
    id: int
    reason: str


@dataclass(frozen=True, slots=True)
class PurgePlan:
    """What deleting for good would do.

    Attributes:
        count: Records that would go.
        along: Entity and number of the rows that would go with them, the most first.
        emptied: Links in other records that would be emptied.
        refused: Records that would stay.
    """

    count: int
    along: tuple[tuple[str, int], ...]
    emptied: int
    refused: tuple[Refusal, ...]


@dataclass(frozen=True, slots=True)
class Purged:
    """What deleting for good did; ``was_stopped`` when a person broke it off."""

    count: int
    refused: tuple[Refusal, ...]
    changes: ChangeSet
    was_stopped: bool = False


@dataclass(slots=True)
class _Scope:
    """Every row that goes, by entity and in the order found, and the links to empty."""

    rows: dict[str, set[int]] = field(default_factory=dict)
    emptied: list[tuple[Entity, BoundField, list[int]]] = field(default_factory=list)
    refused: dict[int, str] = field(default_factory=dict)


def plan(
    actor: Actor, chosen: Iterable[tuple[str, int]], cancel: Cancel | None = None
) -> PurgePlan:
    """Tell what deleting for good would do; reads only.

    Raises:
        PermissionDenied: One of the records is out of the user's reach.
    """
    count, emptied = 0, 0
    along: Counter[str] = Counter()
    refused: list[Refusal] = []
    for entity, ids in _chunks(chosen):
        with actor.db.reading(cancel) as connection:
            work = _work(actor, connection, entity, "")
            going, kept, scope = _scope(work, ids, lock=False)
        refused += kept
        count += len(going)
        emptied += sum(len(keys) for _entity, _field, keys in scope.emptied)
        for key, rows in scope.rows.items():
            if key not in _SILENT:
                along[key] += len(rows) - (len(going) if key == entity.key else 0)
    counted = tuple((key, n) for key, n in along.most_common() if n)
    return PurgePlan(count, counted, emptied, tuple(refused))


def purge(
    actor: Actor,
    chosen: Iterable[tuple[str, int]],
    progress: Callable[[int, int], None] | None = None,
    cancel: Cancel | None = None,
) -> Purged:
    """Delete records of the bin for good, with all that belongs to them.

    Child rows, links, connections, attached files, marks and their entries in search and audit
    trail go along; links of other records to them are emptied. What a rule keeps stays in the bin.

    Args:
        actor: Who does it; needs the right to remove each of them.
        chosen: Entity and key of each.
        progress: Told after each chunk how many of how many are done.
        cancel: Stops between two chunks; what is done stays done.

    Raises:
        PermissionDenied: A record of the chunk is out of reach; earlier chunks stay done.
    """
    pairs = list(chosen)
    operation = new_uid()
    report, refused, done, seen = NOTHING, list[Refusal](), 0, 0
    for entity, ids in _chunks(pairs):
        if cancel is not None and cancel.is_cancelled:
            return Purged(done, tuple(refused), report, was_stopped=True)
        with actor.db.writing() as connection:
            work = _work(actor, connection, entity, operation)
            going, kept, scope = _scope(work, ids, lock=True)
            report = report.merge(_delete(work, going, scope))
        refused += kept
        done += len(going)
        seen += len(ids)
        if progress is not None:
            progress(seen, len(pairs))
    return Purged(done, tuple(refused), report)


def erase(
    work: Work, ids: Sequence[int], beside: Rows = ()
) -> tuple[int, list[Refusal], ChangeSet]:
    """Delete records for good that nobody put into the bin, without a word of what they said.

    Args:
        work: the open transaction and who acts; who may do it was asked before.
        ids: keys of the records.
        beside: entity and keys of rows that go along though they do not name the records.

    Returns:
        How many went, which stay and why, and what changed.
    """
    rows = writer.load(work, ids, lock=True)
    refused = _ruled_out(work, rows)
    going = {key: row for key, row in rows.items() if key not in refused}
    scope = _reach(work.connection, work.entity, list(going))
    for key, more in beside:
        for other, found in _reach(work.connection, registry.get(key), list(more)).rows.items():
            scope.rows.setdefault(other, set()).update(found)
    changes = _delete(work, going, scope, told=False)
    kept = [Refusal(work.entity.key, key, reason) for key, reason in refused.items()]
    return len(going), kept, changes


def _chunks(chosen: Iterable[tuple[str, int]]) -> Iterable[tuple[Entity, list[int]]]:
    for key, ids in grouped(chosen).items():
        ordered = sorted(ids)
        for start in range(0, len(ordered), CHUNK):
            yield registry.get(key), ordered[start : start + CHUNK]


def _work(actor: Actor, connection: Connection, entity: Entity, operation: str) -> Work:
    return Work(actor, connection, entity, operation, None, SOURCE)


def _scope(
    work: Work, ids: Sequence[int], *, lock: bool
) -> tuple[dict[int, dict[str, Any]], list[Refusal], _Scope]:
    """Records that go by key, records that stay, and everything the first take along."""
    stored = writer.load(work, ids, lock=lock)
    if len(reachable(work, list(stored), "remove")) != len(stored):
        raise denial(work.actor, work.entity, "remove")
    going = {
        key: row
        for key, row in stored.items()
        # Taken back meanwhile, or merged: it lives, here or in another record.
        if row["deleted_at"] is not None and row.get("merged_into") is None
    }
    refused = _ruled_out(work, going)
    scope = _reach(work.connection, work.entity, [key for key in going if key not in refused])
    refused |= scope.refused
    if scope.refused:
        left = [key for key in going if key not in refused]
        scope = _reach(work.connection, work.entity, left)
    kept = [Refusal(work.entity.key, key, reason) for key, reason in refused.items()]
    return {key: row for key, row in going.items() if key not in refused}, kept, scope


def _ruled_out(work: Work, rows: dict[int, dict[str, Any]]) -> dict[int, str]:
    drafts = [Draft(key, row["version"], row, {}) for key, row in rows.items()]
    for rule in rules_of(work.entity.key).before_purge:
        rule(work, drafts)
    return {d.id: d.errors[0].message for d in drafts if d.errors and d.id is not None}


# --- what goes along ------------------------------------------------------------------------


def _reach(connection: Connection, entity: Entity, ids: Sequence[int]) -> _Scope:
    """Follow every link to the records, and every link to what goes with them."""
    scope = _Scope()
    queue: list[tuple[Entity, list[int]]] = [(entity, list(ids))]
    while queue:
        target, keys = queue.pop()
        known = scope.rows.setdefault(target.key, set())
        new = [key for key in keys if key not in known]
        known |= set(new)
        if new:
            queue += [(other, found) for other, found in _below(connection, target, new) if found]
    for key, rows in list(scope.rows.items()):
        for other, link in _links_to(key):
            if (other.key, link.name) not in _ALONG and not _goes_along(other, link):
                _find_others(connection, scope, other, link, sorted(rows))
    return scope


def _links_to(key: str) -> list[tuple[Entity, BoundField]]:
    return [
        (other, link)
        for other in registry.all()
        for link in other.stored.values()
        if link.kind is kinds.LINK and link.target == key and link.column is not None
        if link.name not in _BY_WHOM
    ]


def _goes_along(other: Entity, link: BoundField) -> bool:
    """Whether rows of an entity belong to the record their link leads to."""
    assert link.column is not None  # noqa: S101  links have columns
    cascades = any(key.ondelete == "CASCADE" for key in link.column.foreign_keys)
    return cascades or link.name in other.parent or (other.key, link.name) in _ALONG


def _below(
    connection: Connection, target: Entity, ids: Sequence[int]
) -> list[tuple[Entity, list[int]]]:
    found: list[tuple[Entity, list[int]]] = []
    for other, link in _links_to(target.key):
        if _goes_along(other, link) and link.column is not None:
            found.append((other, _keys(connection, other, link.column.name, ids)))
    for key, kind, record in _BY_KIND_AND_KEY:
        other = registry.get(key)
        table = other.table
        named = and_(table.c[kind] == target.key, key_clause(connection, table.c[record], ids))
        rows = connection.execute(select(table.c.id).where(named)).scalars()
        found.append((other, list(rows)))
    if "merged_into" in target.fields:
        found.append((target, _keys(connection, target, "merged_into", ids)))
    return found


def _keys(connection: Connection, other: Entity, column: str, ids: Sequence[int]) -> list[int]:
    table = other.table
    statement = select(table.c.id).where(key_clause(connection, table.c[column], ids))
    return list(connection.execute(statement).scalars())


def _find_others(
    connection: Connection, scope: _Scope, other: Entity, link: BoundField, ids: Sequence[int]
) -> None:
    """Links of records that stay: emptied, or a reason to stay where they cannot be empty."""
    assert link.column is not None  # noqa: S101  links have columns
    table, column = other.table, other.table.c[link.column.name]
    statement = select(table.c.id, column).where(key_clause(connection, column, ids))
    going = scope.rows.get(other.key, set())
    staying = [row for row in connection.execute(statement) if row[0] not in going]
    if not staying:
        return
    if link.nullable:
        scope.emptied.append((other, link, [row[0] for row in staying]))
        return
    counted = Counter(row[1] for row in staying)
    for key, count in counted.items():
        error = FieldError(
            link.name,
            N_("It is still used: {records} ({count}). Change those first."),
            (("records", tr(other.plural)), ("count", count)),
        )
        scope.refused.setdefault(key, error.message)


# --- deleting -------------------------------------------------------------------------------


def _delete(
    work: Work, going: dict[int, dict[str, Any]], scope: _Scope, *, told: bool = True
) -> ChangeSet:
    if not going:
        return NOTHING
    connection = work.connection
    for other, link, keys in scope.emptied:
        assert link.column is not None  # noqa: S101  links have columns
        _empty(connection, other, link.column.name, keys)
    contents = _fingerprints(connection, scope.rows.get("document", set()))
    # What was found last hangs on what was found first.
    for key in sorted(scope.rows, key=_depth, reverse=True):
        rows = sorted(scope.rows[key])
        entity = registry.get(key)
        records_kept.delete_rows(connection, _model(entity), "id", rows)
        entries = AuditEntry.__table__.c
        records_kept.delete_where(
            connection,
            AuditEntry,
            and_(entries.entity == key, key_clause(connection, entries.record_id, rows)),
        )
    _drop_contents(connection, contents)
    audit.write(work, [_entry(work, key, row, told=told) for key, row in going.items()])
    return ChangeSet(
        work.operation, (Changed(work.entity.key, frozenset(going), ChangeKind.DELETED),)
    )


def _depth(key: str) -> int:
    """How far an entity hangs below others; children are deleted before what they hang on."""
    entity = registry.get(key)
    above = [registry.get(entity.fields[name].target).key for name in entity.parent]
    owners = {"document": 3, "record_mark": 3, "connection": 2}.get(key, 0)
    return max([owners, *(1 + _depth(one) for one in above)])


def _empty(connection: Connection, other: Entity, column: str, keys: Sequence[int]) -> None:
    if other.key == "mailbox_item" and column == "activity_id":
        # The message stays in the mailbox; a later pass must not store it again.
        withdraw_items(connection, keys, tr("Deleted for good"))
        return
    these = key_clause(connection, other.table.c.id, keys)
    records_kept.set_where(connection, _model(other), these, {column: None})


def _model(entity: Entity) -> type[Base]:
    assert issubclass(entity.model, Base)  # noqa: S101  every entity is declared
    return entity.model


def _fingerprints(connection: Connection, documents: set[int]) -> list[str]:
    table = Document.__table__
    if not documents:
        return []
    named = key_clause(connection, table.c.id, sorted(documents))
    found = connection.execute(select(table.c.sha256).where(named).distinct()).scalars()
    return [digest for digest in found if digest]


def _drop_contents(connection: Connection, digests: Sequence[str]) -> None:
    """Remove the bytes that no document names any more."""
    if digests:
        # Whoever attaches the same bytes just now holds them until his document stands.
        records_kept.hold_contents(connection, digests)
        content, document = DocumentContent.__table__, Document.__table__
        used = exists().where(document.c.sha256 == content.c.sha256)
        records_kept.delete_where(
            connection, DocumentContent, and_(content.c.sha256.in_(digests), ~used)
        )


def _entry(work: Work, key: int, row: dict[str, Any], *, told: bool) -> dict[str, Any]:
    """The one entry that stays: the title, and nothing else of its values."""
    name = work.entity.title
    title = work.entity.fields[name]
    told = told and title.kind is not kinds.LINK and title.level is Level.NORMAL
    private = work.entity.private
    told = told and (private is None or row.get(private.field) != private.code)
    changes = {name: (row.get(name), None)} if told else {}
    return audit.entry(work, AuditAction.PURGE, key, row["version"], changes)
