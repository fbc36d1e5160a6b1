"""Answers that were stored before the message they answer (M3).

Folders are read one after the other, the newest first, so that an answer in the inbox is often
there before the sent message it answers. When that one arrives, its records are the answer's too.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import Connection, select

from desktop_crm.models import Activity, Link, MailMessage
from desktop_crm.models.activity import LinkRule, LinkState
from desktop_crm.services.changes import Changed, ChangeKind
from desktop_crm.services.query import key_clause
from desktop_crm.services.records_kept import insert_rows, update_rows

SURE: Final = Decimal(95)
_EVIDENCE: Final = "In-Reply-To / References"
_DEPTH: Final = 50
"""Answers to answers are followed so far; a longer chain goes on with the next pass."""

Records = tuple[tuple[str, int], ...]


def file_answers(
    connection: Connection, arrived: Mapping[str, tuple[str, Records]], by: int | None
) -> tuple[Changed, ...]:
    """Link stored answers to the records of the messages that have just arrived.

    Args:
        connection: the open transaction in which they were stored.
        arrived: message id to thread key and the records it is linked to for sure.
        by: the acting user.

    People stay out of it: a thread is about a deal or customer, a person belongs where they take
    part. An answer about which a person decided anything is left alone, and so is one that was
    filed by the message it answers. Three statements for each step of the chain; one when there
    is no such answer.
    """
    made: set[int] = set()
    changed: set[int] = set()
    seen: set[int] = set()
    for _ in range(_DEPTH):
        answers = [row for row in _answers(connection, arrived) if row.activity_id not in seen]
        if not answers:
            break
        seen |= {row.activity_id for row in answers}
        known = _links(connection, [row.activity_id for row in answers])
        missing: list[dict[str, Any]] = []
        following: dict[str, tuple[str, Records]] = {}
        better: list[tuple[int, dict[str, Any]]] = []
        for answer in answers:
            links = known[answer.activity_id]
            if any(_is_settled(link) for link in links.values()):
                continue
            records = tuple(r for r in arrived[answer.in_reply_to][1] if r[0] != "contact")
            for entity, key in records:
                link = links.get((entity, key))
                if link is None:
                    missing.append(_row(answer, entity, key))
                elif link.state == LinkState.SUGGESTED.value:
                    better.append((link.id, _values()))
            if records:
                following[answer.message_id] = (answer.thread_key or "", records)
        made |= set(insert_rows(connection, Link, missing, by))
        update_rows(connection, Link, better, by)
        changed |= {key for key, _ in better}
        arrived = following
        if not arrived:
            break
    return (
        *((Changed("link", frozenset(made), ChangeKind.CREATED),) if made else ()),
        *((Changed("link", frozenset(changed), ChangeKind.UPDATED),) if changed else ()),
    )


def _answers(connection: Connection, arrived: Mapping[str, tuple[str, Records]]) -> list[Any]:
    """Stored messages that answer one of these; by the index of threads."""
    threads = sorted({*arrived, *(key for key, _ in arrived.values() if key)})
    found: list[Any] = []
    for start in range(0, len(threads), 400):
        rows = connection.execute(
            select(
                MailMessage.message_id,
                MailMessage.thread_key,
                MailMessage.in_reply_to,
                MailMessage.activity_id,
                Activity.occurred_at,
            )
            .join(Activity, Activity.id == MailMessage.activity_id)
            .where(
                MailMessage.thread_key.in_(threads[start : start + 400]),
                MailMessage.in_reply_to.is_not(None),
                Activity.deleted_at.is_(None),
            )
        )
        found += [row for row in rows if row.in_reply_to in arrived]
    return found


def _links(connection: Connection, activities: list[int]) -> dict[int, dict[tuple[str, int], Any]]:
    table = Link.__table__
    rows = connection.execute(
        select(
            table.c.id,
            table.c.activity_id,
            table.c.record_type,
            table.c.record_id,
            table.c.state,
            table.c.rule,
            table.c.linked_by_id,
        ).where(key_clause(connection, table.c.activity_id, activities))
    )
    found: dict[int, dict[tuple[str, int], Any]] = defaultdict(dict)
    for row in rows:
        found[row.activity_id][row.record_type, row.record_id] = row
    return found


def _is_settled(link: Any) -> bool:  # noqa: ANN401  a row
    """Whether a person or the thread has decided about the message already."""
    by_person = link.linked_by_id is not None or link.rule == LinkRule.MANUAL.value
    return by_person or link.rule == LinkRule.REPLY.value


def _values() -> dict[str, Any]:
    return {
        "rule": LinkRule.REPLY.value,
        "evidence": _EVIDENCE,
        "confidence": SURE,
        "state": LinkState.LINKED.value,
    }


def _row(answer: Any, entity: str, key: int) -> dict[str, Any]:  # noqa: ANN401  a row
    return {
        "activity_id": answer.activity_id,
        "record_type": entity,
        "record_id": key,
        "is_regarding": False,
        "linked_by_id": None,
        "occurred_at": answer.occurred_at,
        **_values(),
    }
