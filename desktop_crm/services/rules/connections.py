"""Rules of connections: two different records that are there, one role of each to the other."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Final

from sqlalchemy import select

from desktop_crm.core.i18n import N_, tr
from desktop_crm.meta import registry
from desktop_crm.services.drafts import Draft, Work
from desktop_crm.services.permissions import row_clause
from desktop_crm.services.query import key_clause

ENDS: Final = ("from", "to")


def two_records(work: Work, drafts: Sequence[Draft]) -> None:
    """Refuse an end that is not there and a record connected with itself.

    One statement for each kind of record among the ends that change.
    """
    asked: dict[str, set[int]] = defaultdict(set)
    moved: list[tuple[Draft, str, str, int]] = []
    for draft in drafts:
        _check_days(draft)
        for end in ENDS:
            if draft.changes(f"{end}_type") or draft.changes(f"{end}_id"):
                kind, key = str(draft.get(f"{end}_type") or ""), draft.get(f"{end}_id")
                if key is not None:
                    asked[kind].add(key)
                    moved.append((draft, end, kind, key))
    known = {kind: _known(work, kind, keys) for kind, keys in asked.items()}
    for draft, end, kind, key in moved:
        if key not in known[kind]:
            draft.fail(
                f"{end}_id",
                N_("The {record} chosen does not exist, or you may not use it."),
                record=tr(work.entity.fields[f"{end}_id"].label),
            )
        elif end == "to" and (kind, key) == (draft.get("from_type"), draft.get("from_id")):
            draft.fail("to_id", N_("A record cannot be connected with itself. Choose another one."))


def _check_days(draft: Draft) -> None:
    first, last = draft.get("valid_from"), draft.get("valid_to")
    if first is not None and last is not None and last < first:
        draft.fail("valid_to", N_("The connection ends before it begins. Correct one of the days."))


def _known(work: Work, kind: str, keys: set[int]) -> frozenset[int]:
    entity = registry.find(kind)
    if entity is None or not entity.is_record or entity.parent:
        return frozenset()
    table = entity.table
    statement = select(table.c.id).where(
        key_clause(work.connection, table.c.id, sorted(keys)), table.c.deleted_at.is_(None)
    )
    rights = row_clause(work.actor, entity, table, "read")
    if rights is not None:
        statement = statement.where(rights)
    return frozenset(work.connection.execute(statement).scalars())
