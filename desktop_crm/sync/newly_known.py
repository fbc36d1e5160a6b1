"""Offers links as soon as a person's address becomes known, without waiting for the next pass."""

from __future__ import annotations

from desktop_crm.core import clock
from desktop_crm.services.changes import NOTHING, ChangeSet
from desktop_crm.services.context import Actor
from desktop_crm.services.mail import mailboxes
from desktop_crm.sync import known
from desktop_crm.sync.late import resolve_late


def offer_links(actor: Actor) -> ChangeSet:
    """Resolve people whose address was entered lately, and suggest the links that follow (R27).

    Reads no mailbox; a few statements for each mailbox of the actor.
    """
    report = NOTHING
    for row in mailboxes.list_mailboxes(actor):
        if row.user_id not in (None, actor.user_id):
            continue
        with actor.db.writing() as connection:
            ours = known.box(connection, row.id).ours
            report = report.merge(resolve_late(connection, ours, clock.now(), actor.user_id))
    return report
