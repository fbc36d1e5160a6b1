"""What the database knows about the people and threads of one batch, read before deciding.

A fixed number of statements for a batch of any size: nothing here is asked per message.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Select, false, or_, select

from desktop_crm.core.sameness import public_domains
from desktop_crm.core.text import email_domain, untagged
from desktop_crm.meta import registry
from desktop_crm.models import (
    Account,
    Activity,
    Case,
    Contact,
    EmailAddress,
    Lead,
    Link,
    MailMessage,
    Opportunity,
    Quote,
)
from desktop_crm.models.activity import LinkState
from desktop_crm.models.case import CaseState
from desktop_crm.models.opportunity import OpportunityState
from desktop_crm.services.query import key_clause
from desktop_crm.sync.current import Record, current_records
from desktop_crm.sync.exclusion import Ours
from desktop_crm.sync.filing import Key, Rule, rules_of
from desktop_crm.sync.near import Near, authors_of_forwarded, by_name, names_of
from desktop_crm.sync.port import Correspondence, MailItem

TOKEN: Final = re.compile(r"\[#([^\[\]\s]{3,40})\]")
"""A reference number in a subject, in the form this product writes it."""

_IN_CHUNK: Final = 400
_DEAL: Final = Opportunity.__table__
_CASE: Final = Case.__table__


@dataclass(frozen=True, slots=True)
class Match:
    """A record an address or a domain belongs to; `account` is its account, if it has one."""

    entity: str
    id: int
    title: str
    account: int | None = None
    by_domain: bool = False


@dataclass(frozen=True, slots=True)
class Matter:
    """An open opportunity or case that may be what a message is about."""

    entity: str
    id: int
    name: str
    account: int | None
    contact: int | None
    modified_at: datetime | None


@dataclass(frozen=True, slots=True)
class Thread:
    """A message that is already stored, with what its activity is linked to now."""

    activity: int
    key: str
    links: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Reference:
    """A record found by a reference number, and whose it is."""

    entity: str
    id: int
    title: str
    account: int | None
    contact: int | None


@dataclass(slots=True)
class Facts:
    """Everything the finders look at; the batch's own messages are added as they are decided."""

    ours: Ours
    matches: dict[str, tuple[Match, ...]] = field(default_factory=dict)
    messages: dict[str, Thread] = field(default_factory=dict)
    conversations: dict[str, Thread] = field(default_factory=dict)
    references: dict[str, tuple[Reference, ...]] = field(default_factory=dict)
    matters: tuple[Matter, ...] = ()
    rules: Mapping[Key, Rule] = field(default_factory=dict)
    threads: dict[str, tuple[str, ...]] = field(default_factory=dict)
    near: dict[str, tuple[Near, ...]] = field(default_factory=dict)
    titles: dict[tuple[str, int], str] = field(default_factory=dict)


def gather(
    connection: Connection,
    items: Sequence[Correspondence],
    ours: Ours,
    mailbox: int | None = None,
) -> Facts:
    """Read what a batch needs; about a dozen statements. The rules are those of the mailbox."""
    facts = Facts(ours)
    mails = [item for item in items if isinstance(item, MailItem)]
    addresses = {a for item in items for a in _addresses(item) if not ours.is_ours(a)}
    passed_on = {a for item in items for a in authors_of_forwarded(item) if not ours.is_ours(a)}
    bare = {plain for a in addresses if (plain := untagged(a))}
    by_address(connection, facts, addresses | passed_on | bare)
    _by_domain(connection, facts, addresses | passed_on)
    _who_probably(connection, facts, items, addresses)
    _known_messages(connection, facts, mails)
    _by_token(connection, facts, mails)
    facts.rules = rules_of(connection, mailbox) if mailbox is not None else {}
    _open_matters(connection, facts)
    return facts


def _addresses(item: Correspondence) -> Iterable[str]:
    if isinstance(item, MailItem):
        return (p.address for p in item.participants if p.readable)
    return (p.address.address for p in item.people if p.address.readable)


def _within(column: Any, values: Iterable[str]) -> ColumnElement[bool]:  # noqa: ANN401  a column
    """Clause for a set of texts, in pieces that every database takes."""
    listed = sorted(values)
    pieces = [listed[i : i + _IN_CHUNK] for i in range(0, len(listed), _IN_CHUNK)]
    return or_(*(column.in_(piece) for piece in pieces)) if pieces else false()


def by_address(connection: Connection, facts: Facts, addresses: set[str]) -> None:
    """Find the records that addresses belong to; contacts stand before leads and accounts."""
    if not addresses:
        return
    rows = connection.execute(
        select(
            EmailAddress.address,
            EmailAddress.contact_id,
            EmailAddress.lead_id,
            EmailAddress.account_id,
        ).where(_within(EmailAddress.address, addresses), EmailAddress.deleted_at.is_(None))
    ).all()
    contacts = _contacts(connection, {r.contact_id for r in rows if r.contact_id})
    leads = _leads(connection, {r.lead_id for r in rows if r.lead_id})
    accounts = _accounts(connection, {r.account_id for r in rows if r.account_id})
    found: dict[str, list[Match]] = defaultdict(list)
    for row in rows:
        match = contacts.get(row.contact_id) or leads.get(row.lead_id)
        match = match or accounts.get(row.account_id)
        if match is not None and match not in found[row.address]:
            found[row.address].append(match)
    rank = {"contact": 0, "lead": 1, "account": 2}
    for address, matches in found.items():
        best = min(rank[m.entity] for m in matches)
        facts.matches[address] = tuple(m for m in matches if rank[m.entity] == best)


def _who_probably(
    connection: Connection, facts: Facts, items: Sequence[Correspondence], addresses: set[str]
) -> None:
    """People whose address no record has, by what else is known of them."""
    unknown = {
        address
        for address in addresses
        if all(match.by_domain for match in facts.matches.get(address, ()))
    }
    names = {a: several for a, several in names_of(items).items() if a in unknown}
    if names:
        facts.near.update(by_name(connection, names))
    for address in unknown:
        plain = untagged(address)
        known = [m for m in facts.matches.get(plain, ()) if m.entity == "contact"]
        if known:
            facts.near[address] = tuple(Near(m.id, m.account, plain, by_name=False) for m in known)


def _by_keys(
    connection: Connection,
    statement: Select[*tuple[Any, ...]],
    key: Any,  # noqa: ANN401  a column
    ids: Iterable[int],
) -> Sequence[Any]:
    wanted = sorted(set(ids))
    if not wanted:
        return ()
    return connection.execute(statement.where(key_clause(connection, key, wanted))).all()


def _contacts(connection: Connection, ids: Iterable[int]) -> dict[int | None, Match]:
    statement = select(Contact.id, Contact.full_name, Contact.account_id).where(
        Contact.deleted_at.is_(None)
    )
    rows = _by_keys(connection, statement, Contact.__table__.c.id, ids)
    return {r.id: Match("contact", r.id, r.full_name, r.account_id) for r in rows}


def _accounts(connection: Connection, ids: Iterable[int]) -> dict[int | None, Match]:
    statement = select(Account.id, Account.name).where(Account.deleted_at.is_(None))
    rows = _by_keys(connection, statement, Account.__table__.c.id, ids)
    return {r.id: Match("account", r.id, r.name, r.id) for r in rows}


def _leads(connection: Connection, ids: Iterable[int]) -> dict[int | None, Match]:
    """Leads by id; a converted one is what it became (R25)."""
    statement = select(
        Lead.id,
        Lead.subject,
        Lead.converted_contact_id,
        Lead.converted_account_id,
        Lead.converted_at,
    ).where(Lead.deleted_at.is_(None))
    rows = _by_keys(connection, statement, Lead.__table__.c.id, ids)
    contacts = _contacts(connection, {r.converted_contact_id for r in rows if r.converted_at})
    accounts = _accounts(connection, {r.converted_account_id for r in rows if r.converted_at})
    found: dict[int | None, Match] = {}
    for row in rows:
        if row.converted_at is None:
            found[row.id] = Match("lead", row.id, row.subject)
            continue
        became = contacts.get(row.converted_contact_id) or accounts.get(row.converted_account_id)
        if became is not None:
            found[row.id] = became
    return found


def _by_domain(connection: Connection, facts: Facts, addresses: set[str]) -> None:
    unknown = {a for a in addresses if a not in facts.matches}
    domains = {email_domain(a) for a in unknown} - public_domains()
    wanted = {tail for domain in domains for tail in _tails(domain)}
    if not wanted:
        return
    rows = connection.execute(
        select(Account.id, Account.name, Account.domain).where(
            _within(Account.domain, wanted), Account.deleted_at.is_(None)
        )
    ).all()
    by_domain: dict[str, list[Match]] = defaultdict(list)
    for row in rows:
        by_domain[row.domain].append(Match("account", row.id, row.name, row.id, by_domain=True))
    for address in unknown:
        domain = email_domain(address)
        tails = [] if domain in public_domains() else _tails(domain)
        hit = next((tail for tail in tails if tail in by_domain), None)
        if hit:
            facts.matches[address] = tuple(by_domain[hit])


def _tails(domain: str) -> list[str]:
    """A domain and those above it that are no top-level domain."""
    parts = domain.split(".")
    return [".".join(parts[i:]) for i in range(len(parts) - 1)]


def _known_messages(connection: Connection, facts: Facts, mails: Sequence[MailItem]) -> None:
    ids = {i for m in mails for i in (m.message_id, m.in_reply_to, *m.references) if i}
    keys = {m.thread_key for m in mails if m.thread_key}
    if not ids:
        return
    rows = connection.execute(
        select(
            MailMessage.message_id,
            MailMessage.activity_id,
            MailMessage.thread_key,
            MailMessage.conversation_id,
        )
        .join(Activity, Activity.id == MailMessage.activity_id)
        .where(
            or_(
                _within(MailMessage.message_id, {i[:500] for i in ids}),
                _within(MailMessage.conversation_id, keys),
            ),
        )
        .order_by(MailMessage.sent_at)
    ).all()
    links = _links(connection, {r.activity_id for r in rows})
    for row in rows:
        thread = Thread(
            row.activity_id, row.thread_key or row.message_id, tuple(links[row.activity_id])
        )
        if row.message_id in ids:
            facts.messages[row.message_id] = thread
        if row.conversation_id in keys:
            before = facts.threads.get(row.conversation_id, ())
            facts.threads[row.conversation_id] = (*before, thread.key)
            if thread.links:
                facts.conversations[row.conversation_id] = thread


def _links(connection: Connection, activities: set[int]) -> dict[int, list[tuple[str, int]]]:
    found: dict[int, list[tuple[str, int]]] = defaultdict(list)
    statement = (
        select(Link.activity_id, Link.record_type, Link.record_id)
        .where(Link.state == LinkState.LINKED.value, Link.deleted_at.is_(None))
        .order_by(Link.id)
    )
    rows = _by_keys(connection, statement, Link.__table__.c.activity_id, activities)
    now = current_records(connection, {(row.record_type, row.record_id) for row in rows})
    for row in rows:
        # A thread follows its record: what it was merged into, what the lead became.
        standing = now[row.record_type, row.record_id]
        found[row.activity_id] += [r for r in standing if r not in found[row.activity_id]]
    return found


def tokens_of(item: MailItem) -> tuple[str, ...]:
    """Reference numbers a message carries, from its own header and its subject."""
    header = item.header("x-crm-ref").strip()
    return tuple(dict.fromkeys((*((header,) if header else ()), *TOKEN.findall(item.subject))))


def _by_token(connection: Connection, facts: Facts, mails: Sequence[MailItem]) -> None:
    """Find what reference numbers name; that of a merged record names what took it in (R52)."""
    tokens = {token for item in mails for token in tokens_of(item)}
    if not tokens:
        return
    # Quotes and cases are numbered apart: one of each may have the same number.
    named: dict[str, dict[str, Record]] = defaultdict(dict)
    for entity, table, columns in (
        ("quote", Quote.__table__, ("uid", "number")),
        ("opportunity", Opportunity.__table__, ("uid",)),
        ("case", Case.__table__, ("uid", "number")),
    ):
        listed = [table.c[name] for name in columns]
        rows = connection.execute(
            select(table.c.id, *listed)
            .where(or_(*(_within(column, tokens) for column in listed)))
            .order_by(table.c.deleted_at.is_(None), table.c.id)
        )
        for key, *names in rows:
            for name in filter(None, names):
                named[name][entity] = (entity, key)
    standing = current_records(
        connection, [one for each in named.values() for one in each.values()]
    )
    found = _references(connection, {one for several in standing.values() for one in several})
    for token, records in named.items():
        now = (next((r for r in standing[one] if r in found), None) for one in records.values())
        if several := tuple(found[one] for one in now if one is not None):
            facts.references[token] = several


def _references(connection: Connection, records: set[Record]) -> dict[Record, Reference]:
    found: dict[Record, Reference] = {}
    for entity in sorted({kind for kind, _key in records}):
        table = registry.get(entity).table
        title = table.c[registry.get(entity).title].label("title")
        statement = select(table.c.id, title, table.c.account_id, table.c.contact_id).where(
            table.c.deleted_at.is_(None)
        )
        ids = [key for kind, key in records if kind == entity]
        for row in _by_keys(connection, statement, table.c.id, ids):
            found[entity, row.id] = Reference(
                entity, row.id, row.title or "", row.account_id, row.contact_id
            )
    return found


def _open_matters(connection: Connection, facts: Facts) -> None:
    known = [match for matches in facts.matches.values() for match in matches]
    contacts = sorted({m.id for m in known if m.entity == "contact"})
    accounts = sorted({m.account for m in known if m.account is not None})
    if not contacts and not accounts:
        return
    found: dict[Record, Matter] = {}
    for entity, table, name, is_open in (
        ("opportunity", _DEAL, _DEAL.c.name, _DEAL.c.state == OpportunityState.OPEN.value),
        ("case", _CASE, _CASE.c.title, _CASE.c.state == CaseState.OPEN.value),
    ):
        # A statement each: one parameter name serves each, and each can use its own index.
        for column, ids in ((table.c.contact_id, contacts), (table.c.account_id, accounts)):
            if not ids:
                continue
            rows = connection.execute(
                select(
                    table.c.id,
                    name.label("name"),
                    table.c.account_id,
                    table.c.contact_id,
                    table.c.modified_at,
                ).where(key_clause(connection, column, ids), is_open, table.c.deleted_at.is_(None))
            )
            for row in rows:
                found[entity, row.id] = Matter(entity, *row)
    facts.matters = tuple(found.values())
