"""No record stands above itself: accounts over accounts, cases over cases."""

from __future__ import annotations

from collections.abc import Sequence
from zlib import crc32

from sqlalchemy import func, select

from desktop_crm.services.drafts import Draft, Rule, Work
from desktop_crm.services.query import key_clause


def no_circle(alone: str, over_others: str) -> Rule:
    """The rule that refuses a record above itself, directly or over others; one statement.

    Args:
        alone: What is said when its parent is the record itself, marked for translation.
        over_others: What is said when the parent chosen belongs to it.
    """

    def rule(work: Work, drafts: Sequence[Draft]) -> None:
        moved = [d for d in drafts if d.id is not None and d.changes("parent") and d.get("parent")]
        if not moved:
            return
        if work.connection.dialect.name != "sqlite":
            # One at a time: two people could close a circle together that neither of them sees.
            lock = crc32(work.entity.key.encode())
            work.connection.execute(select(func.pg_advisory_xact_lock(lock)))
        above = _parents(work, [d.get("parent") for d in moved])
        above |= {d.id: d.get("parent") for d in moved if d.id is not None}
        for draft in moved:
            seen: set[int] = set()
            step = draft.get("parent")
            while step is not None and step not in seen and step != draft.id:
                seen.add(step)
                step = above.get(step)
            if draft.get("parent") == draft.id:
                draft.fail("parent", alone)
            elif step == draft.id:
                draft.fail("parent", over_others)

    return rule


def _parents(work: Work, ids: Sequence[int]) -> dict[int, int | None]:
    """Parent of some records and of all above them."""
    table = work.entity.table
    first = select(table.c.id, table.c.parent_id).where(
        key_clause(work.connection, table.c.id, ids)
    )
    chain = first.cte("chain", recursive=True)
    # UNION, not UNION ALL: it ends where an older circle closes.
    chain = chain.union(
        select(table.c.id, table.c.parent_id).where(table.c.id == chain.c.parent_id)
    )
    return {row[0]: row[1] for row in work.connection.execute(select(chain))}
