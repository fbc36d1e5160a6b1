"""Making several records one: the master's key stays, the others lead to it (R52)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from sqlalchemy import Connection, and_, or_, select

from desktop_crm.core import clock
from desktop_crm.core.errors import NotFound, UserError
from desktop_crm.core.i18n import N_, tr
from desktop_crm.core.identity import new_uid
from desktop_crm.meta import kinds, registry
from desktop_crm.meta.bound import Entity
from desktop_crm.models import DuplicatePair, MergeLog
from desktop_crm.models.duplicate import DuplicateState, MergeState
from desktop_crm.models.office import AuditAction
from desktop_crm.services import audit, records_kept, writer
from desktop_crm.services.changes import ChangeSet
from desktop_crm.services.checks import reachable
from desktop_crm.services.context import Actor
from desktop_crm.services.drafts import Draft, Work, refuse_wrong
from desktop_crm.services.duplicates.merge_values import rows_of, values_of
from desktop_crm.services.duplicates.references import may_merge
from desktop_crm.services.duplicates.repoint import Moved, repoint
from desktop_crm.services.permissions import denial, knows
from desktop_crm.services.query import key_clause
from desktop_crm.services.values import encode

MOST: Final = 5
"""Records that can be made one at a time."""
SOURCE: Final = "merge"
LOG: Final = "merge_log"
_STEPS: Final = 50


@dataclass(frozen=True, slots=True)
class MergeWish:
    """What shall become one record.

    Attributes:
        entity: Entity of all of them.
        master: The record that stays.
        losers: The records that go into it, in the order in which they fill what it lacks.
        versions: Version a person saw, by key; records changed since are not merged.
        picks: Field to the key of the record whose value stays; a lines field to the record whose
            primary row stays the primary one.
    """

    entity: str
    master: int
    losers: tuple[int, ...]
    versions: Mapping[int, int] = field(default_factory=dict)
    picks: Mapping[str, int] = field(default_factory=dict)

    @property
    def keys(self) -> tuple[int, ...]:
        """Keys of all records, the master first."""
        return (self.master, *self.losers)


@dataclass(frozen=True, slots=True)
class Merged:
    """Result of a merge.

    Attributes:
        entity: Entity of the record.
        master: The record that is left.
        operation: Its uid in the audit trail, by which it is taken apart again.
        count: Records that went into it.
        changes: What changed.
    """

    entity: str
    master: int
    operation: str
    count: int
    changes: ChangeSet


def merge(actor: Actor, wish: MergeWish) -> Merged:
    """Make several records one, in one transaction and one step of undo.

    Every link, connection, mark, file and child row of the losers is the master's afterwards;
    rows that say the same become one; refusals of any of them stand. The losers go into the bin
    and their keys lead to the master.

    Raises:
        UserError: Records were changed or merged meanwhile, or cannot be merged; nothing was.
        PermissionDenied: The user may not change the master or delete one of the others.
        NotFound: One of them is gone.
    """
    with actor.db.writing() as connection:
        entity = registry.get(wish.entity)
        work = Work(actor, connection, entity, new_uid(), None, SOURCE)
        report = merge_within(work, wish)
    return Merged(wish.entity, wish.master, work.operation, len(wish.losers), report)


def merge_within(work: Work, wish: MergeWish) -> ChangeSet:
    """Merge inside an open transaction; see :func:`merge`."""
    stored = _checked(work, wish)
    logs = _open_logs(work, wish)
    order = _line_order(work, wish)
    moved = repoint(work, wish.master, wish.losers)
    report = moved.report.merge(_retire(work, wish, stored))
    report = report.merge(_write_master(work, wish, stored, order))
    pairs = _settle_pairs(work, wish)
    _close_logs(work, wish, logs, moved, pairs)
    # The report names the operation even where nothing but the records themselves changed.
    return ChangeSet(work.operation, report.changes)


# --- what must hold ---------------------------------------------------------------------------


def _checked(work: Work, wish: MergeWish) -> dict[int, dict[str, Any]]:
    entity = work.entity
    if not may_merge(entity):
        raise UserError(
            N_("{records} cannot be merged. Nothing was changed."), records=tr(entity.plural)
        )
    if len(set(wish.keys)) != len(wish.keys) or not 2 <= len(wish.keys) <= MOST:
        raise UserError(N_("Choose two to {most} different records to merge."), most=MOST)
    if set(wish.picks.values()) - set(wish.keys):
        raise UserError(
            N_(
                "A value was chosen from a record that is not merged. Choose again; "
                "nothing was merged."
            )
        )
    for name in wish.picks:
        if name not in entity.fields or not knows(work.actor, entity.fields[name]):
            raise denial(work.actor, entity, "edit")
    stored = writer.load(work, wish.keys)
    for key in wish.keys:
        row = stored.get(key)
        if row is None:
            raise NotFound(_GONE, entity=tr(entity.label).lower())
        _check_row(entity, wish, row)
    if len(reachable(work, [wish.master], "edit")) != 1:
        raise denial(work.actor, entity, "edit")
    if len(reachable(work, wish.losers, "remove")) != len(wish.losers):
        raise denial(work.actor, entity, "remove")
    _check_leads(entity, wish, stored)
    return stored


_GONE: Final = N_("One of the records, a {entity}, is gone. Nothing was merged.")
_MOVED: Final = N_(
    "“{title}” was changed meanwhile. Nothing was merged; look at the records again and merge "
    "them then."
)


def _check_row(entity: Entity, wish: MergeWish, row: Mapping[str, Any]) -> None:
    title = str(row.get(entity.title) or "")
    if row["merged_into"] is not None:
        raise UserError(
            N_("“{title}” was merged into another record meanwhile. Nothing was merged."),
            title=title,
        )
    if row["deleted_at"] is not None:
        raise UserError(N_("“{title}” was deleted meanwhile. Nothing was merged."), title=title)
    seen = wish.versions.get(row["id"])
    if seen is not None and seen != row["version"]:
        raise UserError(_MOVED, title=title)


def _check_leads(entity: Entity, wish: MergeWish, stored: Mapping[int, Mapping[str, Any]]) -> None:
    if "converted_at" not in entity.fields or stored[wish.master]["converted_at"] is not None:
        return
    converted = [row for key, row in stored.items() if row["converted_at"] is not None]
    if converted:
        raise UserError(
            N_("“{title}” was converted already; keep that lead. Nothing was merged."),
            title=str(converted[0].get(entity.title) or ""),
        )


# --- the losers -------------------------------------------------------------------------------


def _retire(work: Work, wish: MergeWish, stored: Mapping[int, dict[str, Any]]) -> ChangeSet:
    """Let the losers lead to the master and put them into the bin."""
    now = writer.load(work, wish.losers)
    drafts = [
        Draft(key, now[key]["version"], now[key], {"merged_into": wish.master})
        for key in wish.losers
    ]
    report = writer.rewrite(work, drafts)
    return report.merge(writer.remove(work, wish.losers))


# --- the master -------------------------------------------------------------------------------


def _line_order(work: Work, wish: MergeWish) -> dict[str, list[tuple[int, dict[str, Any]]]]:
    """Living child rows by collection with the record they belong to, before they move."""
    found: dict[str, list[tuple[int, dict[str, Any]]]] = {}
    drafts = [Draft(key, 0, {"id": key}, {}) for key in wish.keys]
    for line in work.entity.lines:
        rows = writer.existing_lines(work, line.name, drafts)
        found[line.name] = [(key, row) for key in wish.keys for row in rows.get(key, ())]
    return found


def _write_master(
    work: Work,
    wish: MergeWish,
    stored: Mapping[int, dict[str, Any]],
    order: Mapping[str, Sequence[tuple[int, dict[str, Any]]]],
) -> ChangeSet:
    entity = work.entity
    losers = [stored[key] for key in wish.losers]
    now = writer.load(work, [wish.master])[wish.master]
    draft = Draft(wish.master, now["version"], now, {})
    values = values_of(entity, stored[wish.master], losers, wish.picks)
    for name, value in values.items():
        link = entity.fields[name].kind is kinds.LINK and entity.fields[name].target == entity.key
        draft.set(name, None if link and value in wish.keys else value)
    _break_circles(work, wish, draft, stored)
    for line in entity.lines:
        before = order[line.name]
        if any(key != wish.master for key, _row in before):
            rows = writer.existing_lines(work, line.name, [draft]).get(wish.master, [])
            owner = wish.picks.get(line.name)
            primary = next((r["id"] for k, r in before if k == owner and r.get("is_primary")), None)
            via = line.via.removesuffix("_id")
            keys = [row["id"] for _key, row in before]
            draft.lines[line.name] = rows_of(line.name, line.entity, rows, keys, primary, via)
    refuse_wrong([draft])
    return writer.write(work, [draft])


def _break_circles(
    work: Work, wish: MergeWish, draft: Draft, stored: Mapping[int, Mapping[str, Any]]
) -> None:
    """Do not let a record stand above itself because two of its ancestors became one."""
    for name, field_ in work.entity.fields.items():
        if field_.kind is not kinds.LINK or field_.target != work.entity.key:
            continue
        if name in wish.picks and draft.get(name) is None:
            continue
        # A master below one of the losers takes that one's place.
        wanted = [draft.get(name), *(stored[key][name] for key in wish.losers)]
        free = (k for k in wanted if k is not None and not _leads_back(work, wish, name, k))
        draft.set(name, next(free, None))


def _leads_back(work: Work, wish: MergeWish, name: str, start: int) -> bool:
    column = work.entity.fields[name].column
    assert column is not None  # noqa: S101  links have columns
    table, step = work.entity.table, start
    for _ in range(_STEPS):
        if step in wish.keys:
            return True
        found = work.connection.execute(select(column).where(table.c.id == step)).scalar()
        if found is None:
            return False
        step = found
    return False


# --- bookkeeping ------------------------------------------------------------------------------


def _open_logs(work: Work, wish: MergeWish) -> list[int]:
    """Write one log row for each loser, and say it in the trail before everything else."""
    rows = [
        {
            "entity": wish.entity,
            "master_id": wish.master,
            "loser_id": loser,
            "operation": work.operation,
            "state": MergeState.MERGED.value,
            "merged_at": clock.now(),
            "merged_by_id": work.actor.user_id,
        }
        for loser in wish.losers
    ]
    logs = records_kept.insert_facts(work.connection, MergeLog, rows)
    log_work = replace(work, entity=registry.get(LOG))
    audit.write(log_work, [audit.entry(log_work, AuditAction.CREATE, key, 1, {}) for key in logs])
    return logs


def _close_logs(
    work: Work,
    wish: MergeWish,
    logs: Sequence[int],
    moved: Moved,
    pairs: list[dict[str, Any]],
) -> None:
    details = {
        "losers": list(wish.losers),
        "picks": dict(wish.picks),
        "facts": moved.facts,
        "dropped": moved.dropped,
        "pairs": pairs,
    }
    table = MergeLog.__table__
    first = table.c.id == logs[0]
    records_kept.set_where(work.connection, MergeLog, first, {"details": details})


def _settle_pairs(work: Work, wish: MergeWish) -> list[dict[str, Any]]:
    """Close the pairs that became one, and let the others' pairs be the master's.

    Returns:
        Rows as they were before, to be put back when the merge is taken apart.
    """
    connection, pair = work.connection, DuplicatePair.__table__
    keys = list(wish.keys)
    ends = (key_clause(connection, end, keys) for end in (pair.c.first_id, pair.c.second_id))
    touched = or_(*ends)
    rows = [
        dict(row)
        for row in connection.execute(
            select(pair).where(and_(pair.c.entity == wish.entity, touched)).order_by(pair.c.id)
        ).mappings()
    ]
    inside, outside = set(wish.keys), set(wish.losers)
    ours = [row for row in rows if {row["first_id"], row["second_id"]} & outside]
    standing = {
        (row["first_id"], row["second_id"])
        for row in rows
        if not {row["first_id"], row["second_id"]} & outside
    }
    gone: list[int] = []
    for row in ours:
        if {row["first_id"], row["second_id"]} <= inside:
            _decide(work, row["id"], {"state": DuplicateState.MERGED.value})
            continue
        first, second = sorted(wish.master if k in outside else k for k in _ends(row))
        if (first, second) in standing:
            gone.append(row["id"])
        else:
            standing.add((first, second))
            _decide(work, row["id"], {"first_id": first, "second_id": second})
    records_kept.delete_rows(connection, DuplicatePair, "id", gone)
    return [_plain(row) for row in ours]


def _ends(row: Mapping[str, Any]) -> tuple[int, int]:
    return row["first_id"], row["second_id"]


def _decide(work: Work, key: int, values: Mapping[str, Any]) -> None:
    decided = {"decided_by_id": work.actor.user_id, "decided_at": clock.now()}
    stamp = decided if "state" in values else {}
    own = DuplicatePair.__table__.c.id == key
    records_kept.set_where(work.connection, DuplicatePair, own, {**values, **stamp})


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: encode(value) for name, value in row.items()}


def current_key(connection: Connection, entity: Entity, key: int) -> int:
    """Key of the record that one leads to since it was merged; its own when it was not."""
    if "merged_into" not in entity.fields:
        return key
    table = entity.table
    statement = select(table.c.merged_into).where(
        table.c.id == key, table.c.deleted_at.is_not(None)
    )
    found = connection.execute(statement).scalar()
    return key if found is None else int(found)
