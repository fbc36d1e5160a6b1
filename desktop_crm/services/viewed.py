"""Records looked at lately: a mark of the user's own that nobody else sees and nothing audits."""

from __future__ import annotations

from typing import Final

from sqlalchemy import and_

from desktop_crm.core import clock
from desktop_crm.models import RecordMark
from desktop_crm.models.marking import MarkKind
from desktop_crm.services import records_kept
from desktop_crm.services.changes import NOTHING, Changed, ChangeKind, ChangeSet
from desktop_crm.services.context import Actor

KEPT: Final = 50
"""So many of each entity are remembered."""


def note(actor: Actor, entity_key: str, record_id: int) -> ChangeSet:
    """Remember that the actor looked at a record now; three statements.

    A mark on a record that cannot be seen later stays without effect: lists ask for rights.
    """
    if actor.user_id is None:
        return NOTHING
    kind = MarkKind.VIEWED.value
    with actor.db.writing() as connection:
        records_kept.mark(connection, actor.user_id, kind, entity_key, [record_id], clock.now())
        records_kept.keep_latest_marks(connection, actor.user_id, kind, entity_key, KEPT)
        # News of a followed record are what others did since it was looked at.
        mark = RecordMark.__table__.c
        followed = and_(
            mark.user_id == actor.user_id,
            mark.kind == MarkKind.FOLLOW.value,
            mark.record_type == entity_key,
            mark.record_id == record_id,
        )
        records_kept.set_where(connection, RecordMark, followed, {"marked_at": clock.now()})
    changed = Changed("record_mark", frozenset((record_id,)), ChangeKind.UPDATED, frozenset({kind}))
    return ChangeSet("", (changed,))
