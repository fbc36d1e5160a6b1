"""The filing rules of one’s own mailboxes: made of a message, listed, changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, func, or_, select

from desktop_crm.core.errors import UserError
from desktop_crm.core.i18n import N_
from desktop_crm.core.sameness import public_domains
from desktop_crm.core.text import canonical_email, fold
from desktop_crm.db.engine import Cancel
from desktop_crm.meta import registry
from desktop_crm.models import FilingRule, Link, Mailbox, MailboxItem, MailMessage
from desktop_crm.models.activity import REGARDING, LinkRule, LinkState
from desktop_crm.models.filing import FilingKind
from desktop_crm.services import records
from desktop_crm.services.changes import ChangeSet
from desktop_crm.services.context import Actor
from desktop_crm.services.mail.filing_subject import Subject
from desktop_crm.services.mail.message import titles_of
from desktop_crm.services.operation import Operation, operation
from desktop_crm.services.permissions import row_clause
from desktop_crm.services.records import Change

Record = tuple[str, int]


@dataclass(frozen=True, slots=True)
class RuleRow:
    """One rule as it is listed.

    Attributes:
        id: its key.
        mailbox_id: the mailbox it is for.
        mailbox: name of that mailbox.
        kind: what it looks at.
        shown: the value as a person reads it.
        entity: kind of the record mail goes to; empty where it is never filed.
        record_id: key of that record.
        title: its name; empty when it is gone or may not be seen.
        messages: how many messages of the mailbox it speaks of.
        filed: how many stand on a record because of it.
    """

    id: int
    mailbox_id: int
    mailbox: str
    kind: str
    shown: str
    entity: str
    record_id: int | None
    title: str
    messages: int
    filed: int


def rules(actor: Actor, *, cancel: Cancel | None = None) -> tuple[RuleRow, ...]:
    """The rules of the actor's mailboxes, by mailbox, kind and value.

    Three statements, and two for each rule that count.
    """
    table: Any = FilingRule.__table__
    rights = row_clause(actor, registry.get("filing_rule"), table, "read")
    statement = (
        select(
            table.c.id,
            table.c.mailbox_id,
            table.c.kind,
            table.c.value,
            table.c.shown,
            table.c.record_type,
            table.c.record_id,
            Mailbox.name,
        )
        .join(Mailbox, Mailbox.id == table.c.mailbox_id)
        .where(
            table.c.deleted_at.is_(None),
            Mailbox.deleted_at.is_(None),
            Mailbox.user_id == actor.user_id,
        )
        .order_by(Mailbox.title_key, table.c.kind, table.c.shown)
    )
    with actor.db.reading(cancel) as connection:
        rows = connection.execute(statement if rights is None else statement.where(rights)).all()
        named = [(row.record_type, row.record_id) for row in rows if row.record_id is not None]
        titles = titles_of(actor, connection, named)
        return tuple(
            RuleRow(
                id=row.id,
                mailbox_id=row.mailbox_id,
                mailbox=row.name,
                kind=row.kind,
                shown=row.shown,
                entity=row.record_type or "",
                record_id=row.record_id,
                title=titles.get((row.record_type, row.record_id), ""),
                messages=_messages(connection, row),
                filed=_filed(connection, row),
            )
            for row in rows
        )


def own_mailboxes(actor: Actor) -> tuple[tuple[int, str], ...]:
    """Key and name of the mailboxes the actor can make rules for; one statement."""
    statement = (
        select(Mailbox.id, Mailbox.name)
        .where(Mailbox.user_id == actor.user_id, Mailbox.deleted_at.is_(None))
        .order_by(Mailbox.title_key)
    )
    with actor.db.reading() as connection:
        return tuple((row.id, row.name) for row in connection.execute(statement))


def _messages(connection: Connection, rule: Any) -> int:  # noqa: ANN401  a row
    speaks = _speaks_of(FilingKind(rule.kind), rule.value)
    if speaks is None:
        return _filed(connection, rule)
    here = select(MailboxItem.activity_id).where(MailboxItem.mailbox_id == rule.mailbox_id)
    return connection.execute(
        select(func.count()).where(speaks, MailMessage.activity_id.in_(here))
    ).scalar_one()


def _speaks_of(kind: FilingKind, value: str) -> ColumnElement[bool] | None:
    table: Any = MailMessage.__table__
    match kind:
        case FilingKind.THREAD:
            return or_(table.c.thread_key == value, table.c.message_id == value)
        case FilingKind.SENDER:
            return and_(table.c.from_address == value)
        case FilingKind.DOMAIN:
            sent_from = table.c.from_address
            return or_(
                sent_from.endswith(f"@{value}", autoescape=True),
                sent_from.endswith(f".{value}", autoescape=True),
            )
        case _:
            return None


def _filed(connection: Connection, rule: Any) -> int:  # noqa: ANN401  a row
    if rule.record_id is None:
        return 0
    here = select(MailboxItem.activity_id).where(MailboxItem.mailbox_id == rule.mailbox_id)
    return connection.execute(
        select(func.count()).where(
            Link.record_type == rule.record_type,
            Link.record_id == rule.record_id,
            Link.rule == LinkRule.FILING.value,
            Link.evidence == rule.shown,
            Link.state == LinkState.LINKED.value,
            Link.deleted_at.is_(None),
            Link.activity_id.in_(here),
        )
    ).scalar_one()


def change(actor: Actor, rule_id: int, record: Record | None) -> ChangeSet:
    """Let a rule lead to another record, or to none: never filed. What was filed stays.

    Raises:
        UserError: messages are not linked to such records, or it was deleted.
        NotFound: the record is not there, or the actor may not see it.
        PermissionDenied: it is another user's mailbox.
    """
    _check(actor, record)
    entity, key = record or (None, None)
    values = {"record_type": entity, "record_id": key}
    with operation(actor) as work:
        work.save_many("filing_rule", [Change(rule_id, None, values)])
    return work.report


def _check(actor: Actor, record: Record | None) -> None:
    """Refuse a record that no mail is filed to, or that is not there."""
    if record is None:
        return
    if record[0] not in REGARDING:
        raise UserError(N_("A message cannot be linked to this kind of record."))
    if records.get(actor, *record).values.get("deleted_at") is not None:
        raise UserError(N_("This record was deleted. The rule was not changed."))


def remove(actor: Actor, ids: Sequence[int]) -> ChangeSet:
    """Delete rules; what they filed stays."""
    return records.delete(actor, "filing_rule", list(ids))


def add(
    actor: Actor, mailbox: int, kind: FilingKind, value: str, record: Record | None
) -> ChangeSet:
    """Make a rule for what is still to come.

    Raises:
        UserError: the value is no address or domain, or messages are not linked to such records.
        PermissionDenied: it is another user's mailbox.
    """
    _check(actor, record)
    key, shown = _read(kind, value)
    with operation(actor) as work:
        put(work, mailbox, kind, key, shown, record)
    return work.report


def _read(kind: FilingKind, value: str) -> tuple[str, str]:
    """A value as rules keep it, and as a person reads it."""
    text = " ".join(value.split())
    match kind:
        case FilingKind.SENDER:
            address = canonical_email(text)
            if not address:
                raise UserError(
                    N_("“{value}” is no mail address. The rule was not made."), value=text
                )
            return address, address
        case FilingKind.DOMAIN:
            domain = text.lower().lstrip("@*.")
            if "." not in domain or "@" in domain or " " in domain:
                raise UserError(N_("“{value}” is no domain. The rule was not made."), value=text)
            if domain in public_domains():
                raise UserError(
                    N_(
                        "{value} is a mail service of everybody, so the rule was not made; make "
                        "one for the address."
                    ),
                    value=domain,
                )
            return domain, f"@{domain}"
        case _:
            if not text:
                raise UserError(N_("Say which folder or category the rule is for."))
            return (fold(text) if kind is FilingKind.CATEGORY else text)[:500], text[:400]


def rule_for(about: Subject, kind: FilingKind) -> tuple[int, str, str]:
    """Mailbox, value and shown value of a rule made of a message.

    Raises:
        UserError: no such rule can be made of it.
    """
    if about.mailbox is None:
        raise UserError(N_("This message is in no mailbox of yours, so no rule was made for it."))
    value, shown = about.value(kind)
    if not value:
        raise UserError(
            N_(
                "No such rule can be made of this message: its sender is one of us, unknown, or at "
                "a public mail service. Nothing was changed."
            )
        )
    return about.mailbox, value[:500], shown[:400]


def put(
    work: Operation,
    mailbox: int,
    kind: FilingKind,
    value: str,
    shown: str,
    record: Record | None,
) -> None:
    """Make a rule, or let the one that stands lead to this record."""
    table: Any = FilingRule.__table__
    stands = work.connection.execute(
        select(table.c.id).where(
            table.c.mailbox_id == mailbox,
            table.c.kind == kind.value,
            table.c.value == value,
            table.c.deleted_at.is_(None),
        )
    ).scalar()
    entity, key = record or (None, None)
    values = {"record_type": entity, "record_id": key, "shown": shown}
    if stands is None:
        values |= {"mailbox": mailbox, "kind": kind.value, "value": value}
    work.save_many("filing_rule", [Change(stands, None, values)])
