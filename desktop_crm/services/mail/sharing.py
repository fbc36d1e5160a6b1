"""Keeps in step who may see a message: what its mailbox shares, and whether it is linked.

A message its mailbox does not share is private to its owner (:mod:`.privacy`): nobody else reads,
finds, lists or exports it, and an administrator is no exception. What a person himself made private
stays so: only what this module withheld is opened again.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Connection, select

from desktop_crm.models import Activity, Link, MailboxItem, MailMessage
from desktop_crm.models.activity import ActivityKind, Sensitivity
from desktop_crm.services.changes import NOTHING, Changed, ChangeKind, ChangeSet
from desktop_crm.services.drafts import Draft, Work
from desktop_crm.services.mail import policy as mail_policy
from desktop_crm.services.query import key_clause
from desktop_crm.services.records_kept import set_where

MOST = 2_000
"""Messages opened or closed by one statement."""


def settle_messages(connection: Connection, activities: Sequence[int]) -> ChangeSet:
    """Open or withhold messages after links of theirs changed; two statements, rarely four."""
    if not activities:
        return NOTHING
    return _settle(connection, key_clause(connection, Activity.__table__.c.id, activities))


def settle_mailbox(connection: Connection, mailbox: int) -> ChangeSet:
    """Open or withhold what a mailbox brought, as its policy says now."""
    item = MailboxItem.__table__.c
    brought = select(item.activity_id).where(
        item.mailbox_id == mailbox, item.activity_id.is_not(None)
    )
    return _settle(connection, Activity.__table__.c.id.in_(brought))


def _settle(connection: Connection, scope: ColumnElement[bool]) -> ChangeSet:
    activity, message = Activity.__table__.c, MailMessage.__table__.c
    is_open = mail_policy.is_open(connection)
    asked = (
        select(activity.id)
        .join(MailMessage.__table__, message.activity_id == activity.id)
        .where(scope)
        .limit(MOST)
    )
    private = activity.sensitivity == Sensitivity.PRIVATE.value
    to_open = asked.where(message.withheld, is_open)
    brought = mail_policy.held_by(activity.id)
    to_close = asked.where(~message.withheld, ~private, brought, ~is_open)
    changed: list[int] = []
    for statement, closed in ((to_close, True), (to_open, False)):
        while keys := list(connection.execute(statement).scalars()):
            sensitivity = Sensitivity.PRIVATE if closed else Sensitivity.NORMAL
            these = key_clause(connection, activity.id, keys)
            set_where(connection, Activity, these, {"sensitivity": sensitivity.value})
            those = key_clause(connection, message.activity_id, keys)
            set_where(connection, MailMessage, those, {"withheld": closed})
            changed += keys
    if not changed:
        return NOTHING
    return ChangeSet("", (Changed("activity", frozenset(changed), ChangeKind.UPDATED),))


def links_changed(work: Work, drafts: Sequence[Draft]) -> None:
    """Rule of links: who sees a message depends on whether it belongs to a record."""
    link = Link.__table__.c
    ids = [draft.id for draft in drafts if draft.id is not None]
    asked = select(link.activity_id).where(key_clause(work.connection, link.id, ids)).distinct()
    settle_messages(work.connection, list(work.connection.execute(asked).scalars()))


def activities_linked(work: Work, drafts: Sequence[Draft]) -> None:
    """Rule of activities: their own fields make links, too."""
    mails = [d for d in drafts if d.id is not None and d.get("kind") == ActivityKind.EMAIL.value]
    settle_messages(work.connection, [d.id for d in mails if d.id is not None])
