"""People whose address became known after their mail came: named, and offered as links (R27).

The party is resolved, because that is who it was. The link is only suggested: what a person has
filed for months is not filed anew by itself.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from sqlalchemy import Connection, select

from desktop_crm.models import Activity, ActivityParty, EmailAddress, Link
from desktop_crm.models.activity import LinkRule, LinkState, Participation
from desktop_crm.services.changes import NOTHING, Changed, ChangeKind, ChangeSet
from desktop_crm.services.query import key_clause
from desktop_crm.services.records_kept import insert_rows, update_rows
from desktop_crm.sync.exclusion import Ours
from desktop_crm.sync.facts import Facts, Match, by_address

OVERLAP: Final = timedelta(days=1)
"""How far back new addresses are looked for beyond the last pass; finding one twice is harmless."""

LIMIT: Final = 2_000
"""Parties resolved in one pass; the rest waits for the next."""

_RULES: Final = {
    "contact": LinkRule.CONTACT,
    "lead": LinkRule.LEAD,
    "account": LinkRule.ACCOUNT,
}
_OFFER: Final = Decimal(60)


def resolve_late(
    connection: Connection, ours: Ours, since: datetime | None, by: int | None
) -> ChangeSet:
    """Resolve parties by addresses entered since a moment and offer the links that follow.

    Args:
        connection: an open writing transaction.
        ours: who we are; our own addresses are never anybody else's.
        since: the mailbox's last pass; None does nothing, because then all is new anyway.
        by: the acting user.

    About eight statements; none but the first when no address is new.
    """
    if since is None:
        return NOTHING
    rows = connection.execute(
        select(
            ActivityParty.id,
            ActivityParty.activity_id,
            ActivityParty.address,
            ActivityParty.participation,
            Activity.occurred_at,
        )
        .join(EmailAddress, EmailAddress.address == ActivityParty.address)
        .join(Activity, Activity.id == ActivityParty.activity_id)
        .where(
            EmailAddress.created_at >= since - OVERLAP,
            EmailAddress.deleted_at.is_(None),
            ActivityParty.deleted_at.is_(None),
            Activity.deleted_at.is_(None),
            ActivityParty.user_id.is_(None),
            ActivityParty.contact_id.is_(None),
            ActivityParty.lead_id.is_(None),
            ActivityParty.account_id.is_(None),
        )
        .distinct()
        .order_by(ActivityParty.id)
        .limit(LIMIT)
    ).all()
    facts = Facts(ours)
    by_address(connection, facts, {r.address for r in rows if not ours.is_ours(r.address)})
    known = {a: matches[0] for a, matches in facts.matches.items() if len(matches) == 1}
    found = [(row, known[row.address]) for row in rows if row.address in known]
    if not found:
        return NOTHING
    parties = [
        (row.id, {f"{match.entity}_id": match.id, "account_id": match.account})
        for row, match in found
    ]
    update_rows(connection, ActivityParty, parties, by)
    offers = {
        (row.activity_id, entity, record): (match, row.address, row.occurred_at)
        for row, match in found
        # Whom the sender alone knows of offers nothing, as it links nothing.
        if row.participation != Participation.BCC.value
        for entity, record in _records(match)
    }
    ids = _offer(connection, offers, by)
    links = Changed("link", frozenset(ids), ChangeKind.CREATED)
    touched = frozenset(key for key, _ in parties)
    changed = Changed("activity_party", touched, ChangeKind.UPDATED)
    return ChangeSet("", (changed, links) if ids else (changed,))


def _records(match: Match) -> list[tuple[str, int]]:
    account = [("account", match.account)] if match.account is not None else []
    return list(dict.fromkeys([(match.entity, match.id), *account]))


def _offer(
    connection: Connection,
    offers: dict[tuple[int, str, int], tuple[Match, str, datetime | None]],
    by: int | None,
) -> list[int]:
    """Suggest links that are not there in any state; what was rejected stays rejected."""
    table = Link.__table__
    activities = sorted({activity for activity, _, _ in offers})
    rows = connection.execute(
        select(table.c.activity_id, table.c.record_type, table.c.record_id).where(
            key_clause(connection, table.c.activity_id, activities)
        )
    )
    known = {tuple(row) for row in rows}
    missing = [
        {
            "activity_id": activity,
            "record_type": entity,
            "record_id": record,
            "rule": _RULES[match.entity].value,
            "evidence": address[:400],
            "confidence": _OFFER,
            "state": LinkState.SUGGESTED.value,
            "is_regarding": False,
            "linked_by_id": None,
            "occurred_at": at,
        }
        for (activity, entity, record), (match, address, at) in offers.items()
        if (activity, entity, record) not in known
    ]
    return insert_rows(connection, Link, missing, by)
