"""What may not be deleted for good: what the law, or the history of others, still needs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import select

from desktop_crm.core.i18n import N_
from desktop_crm.models import AuditEntry, OutboxItem, Quote
from desktop_crm.models.outbox import OPEN
from desktop_crm.models.quote import QuoteState
from desktop_crm.services.drafts import Draft, Work
from desktop_crm.services.query import key_clause

_ISSUED: Final = Quote.__table__.c.activated_at.is_not(None)


def issued_quotes(work: Work, drafts: Sequence[Draft]) -> None:
    """Keep quotes that were issued to a customer."""
    for draft in drafts:
        if draft.get("activated_at") is not None or draft.get("state") != QuoteState.DRAFT:
            draft.fail(
                "state",
                N_("“{title}” was issued to a customer; issued quotes are kept in the bin."),
                title=draft.get("number") or draft.get("name"),
            )


def parties_of_issued_quotes(work: Work, drafts: Sequence[Draft]) -> None:
    """Keep the account and contact that an issued quote was made for; one statement."""
    _refuse_named(
        work, drafts, f"{work.entity.key}_id",
        N_("An issued quote was made for “{title}”, so the record is kept in the bin."),
    )  # fmt: skip


def files_of_issued_quotes(work: Work, drafts: Sequence[Draft]) -> None:
    """Keep the printed file of an issued quote; one statement."""
    quotes = [d.get("quote") for d in drafts if d.get("quote") is not None]
    if not quotes:
        return
    key = Quote.__table__.c.id
    issued = set(
        work.connection.execute(
            select(key).where(key_clause(work.connection, key, quotes), _ISSUED)
        ).scalars()
    )
    for draft in drafts:
        if draft.get("quote") in issued and draft.get("template_version"):
            draft.fail(
                "quote",
                N_("“{title}” is the file of an issued quote; such files are kept."),
                title=draft.get("name"),
            )


def activities_on_their_way(work: Work, drafts: Sequence[Draft]) -> None:
    """Keep activities that a mailbox is still to be asked about; their orders would go along."""
    order = OutboxItem.__table__.c
    waiting = set(
        work.connection.execute(
            select(order.activity_id).where(
                key_clause(work.connection, order.activity_id, [d.id for d in drafts if d.id]),
                order.state.in_([state.value for state in OPEN]),
            )
        ).scalars()
    )
    for draft in drafts:
        if draft.id in waiting:
            draft.fail(
                "subject",
                N_("“{title}” still waits in an outbox to go out; cancel it there first."),
                title=draft.get("subject"),
            )


def _refuse_named(work: Work, drafts: Sequence[Draft], column: str, template: str) -> None:
    named = Quote.__table__.c[column]
    ids = [d.id for d in drafts if d.id is not None]
    found = set(
        work.connection.execute(
            select(named).where(key_clause(work.connection, named, ids), _ISSUED).distinct()
        ).scalars()
    )
    for draft in drafts:
        if draft.id in found:
            draft.fail(work.entity.title, template, title=draft.get(work.entity.title) or "")


def users_with_deeds(work: Work, drafts: Sequence[Draft]) -> None:
    """Keep users who changed anything: their name explains who did it; one statement."""
    by = AuditEntry.__table__.c.by_id
    ids = [d.id for d in drafts if d.id is not None]
    asked = select(by).where(key_clause(work.connection, by, ids)).distinct()
    found = set(work.connection.execute(asked).scalars())
    for draft in drafts:
        if draft.id in found:
            draft.fail(
                "name",
                N_("“{title}” has changed records; the history still needs the name."),
                title=draft.get("name"),
            )


def custom_fields(work: Work, drafts: Sequence[Draft]) -> None:
    """Keep fields of one's own: their values lie in the records."""
    for draft in drafts:
        draft.fail(
            "label",
            N_("Records have values in the field “{title}”, so the field is kept."),
            title=draft.get("label"),
        )
