"""Taking operations back: the audit trail read backwards, where nothing moved since."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from sqlalchemy import Connection, RowMapping, func, select

from desktop_crm.core.errors import UserError
from desktop_crm.core.i18n import N_, ntr, tr
from desktop_crm.core.identity import new_uid
from desktop_crm.meta import registry
from desktop_crm.models import AuditEntry, ImportBatch
from desktop_crm.models.office import AuditAction, BatchState
from desktop_crm.services import records_kept, standing, steps, writer
from desktop_crm.services.changes import NOTHING, ChangeSet
from desktop_crm.services.checks import reachable
from desktop_crm.services.context import Actor
from desktop_crm.services.customizing import definitions
from desktop_crm.services.drafts import Draft, Work
from desktop_crm.services.permissions import denial, knows
from desktop_crm.services.query import key_clause
from desktop_crm.services.steps import REDO, SOURCE
from desktop_crm.services.values import decode

_MARKS: Final = frozenset({AuditAction.DELETE, AuditAction.RESTORE})
_TABLE: Final = AuditEntry.__table__
LONG: Final = 2_000
"""More entries than this are taken back in several transactions."""
PART: Final = 500


def undo(actor: Actor, operation: str | None = None) -> ChangeSet:
    """Take an operation back, the user's latest when none is named.

    One transaction; a change of very many records is taken back in several short ones, after all
    of them were looked at, so that nobody waits long for the lock. Where the program ended between
    two of them, the same call goes on with the rest. What somebody changes meanwhile is left as it
    is and counted in the report.

    Raises:
        UserError: There is nothing to undo, or somebody changed a record since; nothing was done.
        PermissionDenied: The user may no longer change one of the records.
    """
    if operation is None:
        step = steps.last(actor)
        if step is None:
            raise UserError(N_("There is nothing to undo."))
        operation = step.operation
    report = _whole(actor, operation)
    definitions.follow(actor.db, report)
    return report


def redo(actor: Actor, undoing: str | None = None) -> ChangeSet:
    """Do again what an undo took back, the user's latest when none is named.

    Raises:
        UserError: Nothing was taken back, or something was changed since.
    """
    if undoing is None:
        step = steps.last_undone(actor)
        if step is None:
            raise UserError(N_("There is nothing to redo."))
        undoing = step.operation
    report = _whole(actor, undoing, redo=True)
    definitions.follow(actor.db, report)
    return report


def undo_batch(actor: Actor, batch_id: int) -> ChangeSet:
    """Take a whole import back: what it created and what it changed (R57).

    Raises:
        UserError: It was taken back already, or records changed since; nothing was done.
    """
    report = NOTHING
    with actor.db.writing() as connection:
        batches = registry.get("import_batch")
        if not reachable(Work(actor, connection, batches, "", None, SOURCE), [batch_id], "edit"):
            raise denial(actor, batches, "edit")
        state = connection.execute(
            select(ImportBatch.state).where(ImportBatch.id == batch_id)
        ).scalar()
        if state == BatchState.UNDONE:
            raise UserError(N_("This import was undone already. Nothing was changed."))
        operations = connection.execute(
            select(_TABLE.c.operation)
            .where(_TABLE.c.batch_id == batch_id)
            .group_by(_TABLE.c.operation)
            .order_by(func.max(_TABLE.c.id).desc())
        ).scalars()
        for operation in list(operations):
            if not standing.is_effective(connection, operation):
                continue
            mark = new_uid()
            for part in _parts(connection, operation):
                taken = _take_back(actor, connection, operation, mark=mark, part=part)
                report = report.merge(taken)
        _set_state(actor, connection, batch_id, BatchState.UNDONE)
    definitions.follow(actor.db, report)
    return report


def _parts(connection: Connection, operation: str) -> Sequence[tuple[str, Sequence[int]] | None]:
    """What is left of an operation by entity; None for all of it."""
    if not standing.takers(connection, operation):
        return [None]
    left = standing.records(connection, operation)
    found: dict[str, list[int]] = defaultdict(list)
    for entity, key in sorted(left):
        found[entity].append(key)
    return list(found.items())


def _set_state(actor: Actor, connection: Connection, batch_id: int, state: BatchState) -> None:
    values = {"state": state.value}
    records_kept.update_rows(connection, ImportBatch, [(batch_id, values)], actor.user_id)


def _settle_batch(actor: Actor, connection: Connection, operation: str) -> None:
    """Say of the import an operation belongs to whether any of it still stands."""
    root: str | None = operation
    batch: int | None = None
    while root is not None:
        root, batch = connection.execute(
            select(_TABLE.c.undoes, _TABLE.c.batch_id).where(_TABLE.c.operation == root).limit(1)
        ).one()
    if batch is None:
        return
    operations = connection.execute(
        select(_TABLE.c.operation).where(_TABLE.c.batch_id == batch).distinct()
    ).scalars()
    stands = any(standing.is_effective(connection, found) for found in list(operations))
    _set_state(actor, connection, batch, BatchState.APPLIED if stands else BatchState.UNDONE)


def _whole(actor: Actor, operation: str, *, redo: bool = False) -> ChangeSet:
    """Take an operation back, in parts where it touched very many records."""
    with actor.db.reading() as connection:
        touched: list[standing.Touched] = [
            (entity, key)
            for entity, key in connection.execute(
                select(_TABLE.c.entity, _TABLE.c.record_id)
                .where(_TABLE.c.operation == operation)
                .order_by(_TABLE.c.id.desc())
            )
        ]
        merges = [key for entity, key in touched if entity == standing.MERGE]
        rest, mark = touched, ""
        if len(touched) > LONG and not merges:
            rest, mark = _rest(connection, operation, touched)
            if len(rest) == len(touched):
                _check_long(actor, connection, operation, redo=redo)
    if merges:
        # More than the trail holds moved along: facts, and rows that became one.
        from desktop_crm.services.duplicates import unmerge

        source = REDO if redo else SOURCE
        with actor.db.writing() as connection:
            return unmerge.take_back(actor, connection, operation, merges[-1], new_uid(), source)
    if len(touched) <= LONG:
        with actor.db.writing() as connection:
            return _take_back(actor, connection, operation, redo=redo)
    return _in_parts(actor, operation, rest, mark or new_uid(), redo=redo)


def _rest(
    connection: Connection, operation: str, touched: list[standing.Touched]
) -> tuple[list[standing.Touched], str]:
    """What is left of an operation whose undo ended in the middle, and the undo that goes on.

    Everything, and no undo, where none was begun.
    """
    takers = standing.takers(connection, operation)
    stands_in = standing.records(connection, operation) if takers else set()
    if not stands_in:
        return touched, ""
    # An undo that was itself taken back has its place in the trail; another one begins.
    goes_on = not standing.takers(connection, takers[0])
    return [one for one in touched if one in stands_in], takers[0] if goes_on else ""


def _in_parts(
    actor: Actor, operation: str, touched: Sequence[standing.Touched], mark: str, *, redo: bool
) -> ChangeSet:
    report, left = NOTHING, 0
    for entity in dict.fromkeys(entity for entity, _ in touched):
        ids = list(dict.fromkeys(key for found, key in touched if found == entity))
        for start in range(0, len(ids), PART):
            part = (entity, ids[start : start + PART])
            try:
                with actor.db.writing() as connection:
                    taken = _take_back(
                        actor, connection, operation, redo=redo, mark=mark, part=part
                    )
            except UserError:
                # Somebody changed a record since the first part: the others are put back.
                taken, moved = _what_stands(actor, operation, part, mark, redo=redo)
                left += 0 if registry.get(entity).parent else moved
            report = report.merge(taken)
    with actor.db.writing() as connection:
        _settle_batch(actor, connection, operation)
    if left and not report:
        raise UserError(
            N_("The records that are left were changed by somebody since. Nothing was changed.")
        )
    return replace(report, left=left)


def _what_stands(
    actor: Actor, operation: str, part: tuple[str, Sequence[int]], mark: str, *, redo: bool
) -> tuple[ChangeSet, int]:
    """Take back the records of a part that nobody changed since; and how many were changed."""
    entity, ids = part
    with actor.db.writing() as connection:
        work = Work(actor, connection, registry.get(entity), "", None, SOURCE)
        stored, found = writer.load(work, ids), trails(work, ids)
        standing = [key for key in ids if stands(found[key], operation, stored.get(key))]
        if not standing:
            return NOTHING, len(ids)
        taken = _take_back(
            actor, connection, operation, redo=redo, mark=mark, part=(entity, standing)
        )
    return taken, len(ids) - len(standing)


def _check_long(actor: Actor, connection: Connection, operation: str, *, redo: bool) -> None:
    """Refuse a long operation before its first part is taken back, as a short one is as a whole."""
    statement = select(_TABLE.c.entity, _TABLE.c.record_id, _TABLE.c.action, _TABLE.c.source,
                       _TABLE.c.operation).where(_TABLE.c.operation == operation)  # fmt: skip
    entries = connection.execute(statement).mappings().all()
    for entity_key in dict.fromkeys(entry["entity"] for entry in entries):
        of_entity = [e for e in entries if e["entity"] == entity_key]
        source = REDO if redo else SOURCE
        work = Work(actor, connection, registry.get(entity_key), "", None, source)
        table = work.entity.table
        keys = key_clause(connection, table.c.id, [e["record_id"] for e in of_entity])
        versions = connection.execute(select(table.c.id, table.c.version).where(keys))
        stored = {key: {"version": version} for key, version in versions}
        _check_untouched(work, of_entity, stored)


def _take_back(
    actor: Actor,
    connection: Connection,
    operation: str,
    *,
    redo: bool = False,
    mark: str = "",
    part: tuple[str, Sequence[int]] | None = None,
) -> ChangeSet:
    statement = select(_TABLE).where(_TABLE.c.operation == operation)
    if part is not None:
        entity, ids = part
        among = key_clause(connection, _TABLE.c.record_id, ids)
        statement = statement.where(_TABLE.c.entity == entity, among)
    entries = connection.execute(statement.order_by(_TABLE.c.id.desc())).mappings().all()
    if not entries:
        raise UserError(N_("There is nothing to undo."))
    mark = mark or new_uid()
    report = NOTHING
    for entity_key in dict.fromkeys(entry["entity"] for entry in entries):
        of_entity = [e for e in entries if e["entity"] == entity_key]
        source = REDO if redo else SOURCE
        work = Work(
            actor, connection, registry.get(entity_key), mark, None, source, undoes=operation
        )
        report = report.merge(_reverse(work, of_entity))
    if part is None:
        _settle_batch(actor, connection, operation)
    return report


def _reverse(work: Work, entries: Sequence[RowMapping]) -> ChangeSet:
    ids = list(dict.fromkeys(e["record_id"] for e in entries))
    stored = writer.load(work, ids)
    _check_untouched(work, entries, stored)
    _check_known(work, entries)
    report = NOTHING
    for action, restore in ((AuditAction.CREATE, False), (AuditAction.DELETE, True),
                            (AuditAction.RESTORE, False)):  # fmt: skip
        chosen = [e["record_id"] for e in entries if e["action"] == action]
        changed = writer.remove(work, chosen, restore=restore)
        report = report.merge(changed)
    report = report.merge(
        _set_back(work, [e for e in entries if e["action"] == AuditAction.UPDATE])
    )
    return report


def _check_untouched(
    work: Work, entries: Sequence[RowMapping], stored: dict[int, dict[str, Any]]
) -> None:
    ids = list(dict.fromkeys(entry["record_id"] for entry in entries))
    found = trails(work, ids)
    operation = entries[0]["operation"]
    if not all(stands(found[key], operation, stored.get(key)) for key in ids):
        raise UserError(
            N_(
                "It cannot be undone: {entity} records were changed since. Nothing was changed; "
                "change the values by hand."
            ),
            entity=tr(work.entity.label).lower(),
        )
    marked = {
        entry["record_id"]
        for entry in entries
        if entry["action"] in _MARKS and entry["source"] not in {SOURCE, REDO}
    }
    for action, wanted in (("remove", marked), ("edit", set(ids) - marked)):
        if len(reachable(work, list(wanted), action)) != len(wanted):
            raise denial(work.actor, work.entity, action)


def _check_known(work: Work, entries: Sequence[RowMapping]) -> None:
    """Refuse to put back what somebody else wrote into fields the user may not know."""
    fields = work.entity.stored
    for entry in entries:
        if entry["by_id"] != work.actor.user_id and any(
            name in fields and not knows(work.actor, fields[name])
            for name in entry["changes"] or {}
        ):
            raise denial(work.actor, work.entity, "edit")


def may_take_back(work: Work, ids: Sequence[int]) -> frozenset[int]:
    """Records whose changes the user may take back; at most two statements."""
    return reachable(work, ids, "edit") | reachable(work, ids, "remove")


def trails(work: Work, ids: Sequence[int]) -> dict[int, list[RowMapping]]:
    """Everything that was ever done to some records, in order; one statement."""
    found: dict[int, list[RowMapping]] = defaultdict(list)
    statement = (
        select(_TABLE.c.record_id, _TABLE.c.operation, _TABLE.c.version, _TABLE.c.undoes)
        .where(
            _TABLE.c.entity == work.entity.key,
            _TABLE.c.action != AuditAction.PURGE,
            key_clause(work.connection, _TABLE.c.record_id, ids),
        )
        .order_by(_TABLE.c.id)
    )
    for row in work.connection.execute(statement).mappings():
        found[row["record_id"]].append(row)
    return found


def stands(trail: Sequence[RowMapping], operation: str, row: Mapping[str, Any] | None) -> bool:
    """Whether a record is as the operation left it.

    Later operations do not matter when they were taken back themselves, so that several steps can
    be undone and done again one after the other.
    """
    takes: dict[str, str | None] = {entry["operation"]: entry["undoes"] for entry in trail}
    # What was deleted for good has no trail, even where another record has its key now.
    if row is None or operation not in takes or row["version"] != trail[-1]["version"]:
        return False
    takers: dict[str, list[str]] = defaultdict(list)
    for taker, taken in takes.items():
        if taken is not None:
            takers[taken].append(taker)

    def effective(name: str) -> bool:
        return not any(effective(taker) for taker in takers[name])

    root: str = operation
    while (above := takes[root]) is not None:
        root = above
    deeds = [name for name, taken in takes.items() if taken is None]
    later = deeds[deeds.index(root) + 1 :]
    return effective(operation) and not any(effective(name) for name in later)


def _set_back(work: Work, entries: Sequence[RowMapping]) -> ChangeSet:
    wanted: dict[int, Draft] = {}
    stored = writer.load(work, dict.fromkeys(entry["record_id"] for entry in entries))
    for entry in entries:  # the latest first, so the oldest value wins
        key = entry["record_id"]
        if key not in wanted:
            wanted[key] = Draft(key, stored[key]["version"], stored[key], {})
        for name, (old, new) in (entry["changes"] or {}).items():
            field = work.entity.stored.get(name)
            if field is not None:
                wanted[key].new[name] = decode(field, old)
            elif name in work.entity.fields:
                wanted[key].line_changes[name] = (new, old)
    return writer.put_back(work, list(wanted.values()))


def describe(report: ChangeSet) -> str:
    """Say in words what an undo did, and what it left as it is."""
    records: set[tuple[str, int]] = set()
    for change in report.changes:
        if not registry.get(change.entity).parent:
            records |= {(change.entity, key) for key in change.ids}
    # A decision about a record's children alone, such as the links of a message, counts no record.
    said = (
        ntr("{n} record was put back.", "{n} records were put back.", len(records))
        if records or not report.changes
        else tr("It is as it was before.")
    )
    if not report.left:
        return said
    stays = ntr(
        "{n} record was changed by somebody meanwhile and stays as it is.",
        "{n} records were changed by somebody meanwhile and stay as they are.",
        report.left,
    )
    return f"{said} {stays}"
