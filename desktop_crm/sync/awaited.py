"""Messages whose writer waits for an answer: a task reminds of them when none came in time."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlalchemy import exists, select

from desktop_crm.core import clock
from desktop_crm.core.i18n import N_, tr
from desktop_crm.models import Activity, MailMessage
from desktop_crm.models.activity import REGARDING, ActivityKind, ActivityReason, Direction, Priority
from desktop_crm.services.changes import NOTHING, ChangeSet
from desktop_crm.services.context import Actor
from desktop_crm.services.mail.withdrawing import reminder_of
from desktop_crm.services.operation import operation
from desktop_crm.services.records_kept import set_where

SOURCE: Final = "reminder"
_NO_ANSWER: Final = N_("No answer yet: {subject}")
_MESSAGE: Final = MailMessage.__table__


def expect(actor: Actor, activity: int, by: datetime | None) -> None:
    """Wait for an answer to one's own message until a moment; None waits no longer."""
    mine = select(Activity.id).where(Activity.id == activity)
    if actor.user_id is not None:
        mine = mine.where(Activity.owner_id == actor.user_id)
    own = _MESSAGE.c.activity_id.in_(mine)
    with actor.db.writing() as connection:
        set_where(connection, MailMessage, own, {"answer_by": by})


def remind(actor: Actor) -> ChangeSet:
    """Make a task of each of the user's messages whose time is over without an answer.

    A message that was not sent yet, or that was called back, reminds of nothing. Each message is
    done with in the same transaction as its task, so that there is one task however often it runs.
    """
    activity = Activity.__table__
    answer = MailMessage.__table__.alias("answer")
    heard = activity.alias("heard")
    came = exists().where(
        answer.c.thread_key == _MESSAGE.c.thread_key,
        answer.c.sent_at > _MESSAGE.c.sent_at,
        answer.c.is_automatic.is_(False),
        heard.c.id == answer.c.activity_id,
        heard.c.direction == Direction.INCOMING.value,
        heard.c.deleted_at.is_(None),
    )
    due = (
        select(
            _MESSAGE.c.activity_id,
            _MESSAGE.c.uid,
            activity.c.subject,
            activity.c.sensitivity,
            came.label("came"),
            activity.c.deleted_at,
        )
        .join(activity, activity.c.id == _MESSAGE.c.activity_id)
        .add_columns(*(activity.c[f"{name}_id"].label(name) for name in REGARDING))
        .where(
            _MESSAGE.c.answer_by <= clock.now(),
            activity.c.owner_id == actor.user_id,
            activity.c.status_reason != ActivityReason.SENDING.value,
        )
    )
    with actor.db.reading() as connection:
        rows = connection.execute(due).mappings().all()
    changes = NOTHING
    for row in rows:
        with operation(actor, SOURCE) as work:
            own = _MESSAGE.c.activity_id == row["activity_id"]
            waits = select(_MESSAGE.c.id).where(own, _MESSAGE.c.answer_by.is_not(None))
            if work.connection.execute(waits.with_for_update()).scalar() is None:
                continue
            set_where(work.connection, MailMessage, own, {"answer_by": None})
            if not row["came"] and row["deleted_at"] is None:
                subject = tr(_NO_ANSWER, subject=row["subject"])[:400]
                values = {name: row[name] for name in REGARDING if row[name] is not None}
                values |= {
                    "kind": ActivityKind.TASK.value,
                    "subject": subject,
                    "due_at": clock.now(),
                    "priority": Priority.NORMAL.value,
                    "owner": actor.user_id,
                    # It says what the message is about, so it is seen by whom that is seen.
                    "sensitivity": row["sensitivity"],
                    "external_id": reminder_of(row["uid"]),
                }
                work.create("activity", values)
            changes = changes.merge(work.report)
    return changes


def next_reminder(actor: Actor) -> datetime | None:
    """When the next of the user's messages reminds; None when none waits."""
    activity = Activity.__table__
    asked = (
        select(_MESSAGE.c.answer_by)
        .join(activity, activity.c.id == _MESSAGE.c.activity_id)
        .where(_MESSAGE.c.answer_by.is_not(None), activity.c.owner_id == actor.user_id)
        .order_by(_MESSAGE.c.answer_by)
        .limit(1)
    )
    with actor.db.reading() as connection:
        found: datetime | None = connection.execute(asked).scalar()
    return found
