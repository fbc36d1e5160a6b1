"""Where a letter begins: whom an answer goes to, what it quotes, and whose mailbox it leaves."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from html import escape
from typing import Final

from sqlalchemy import select

from desktop_crm.core.i18n import tr
from desktop_crm.core.text import canonical_email, fold
from desktop_crm.meta import registry
from desktop_crm.models import Mailbox, Quote
from desktop_crm.models.activity import REGARDING, LinkState, Participation
from desktop_crm.models.mail import MailboxKind
from desktop_crm.services import attachments
from desktop_crm.services.context import Actor
from desktop_crm.services.mail import mailboxes, noting, outbox
from desktop_crm.services.mail import message as mail_message
from desktop_crm.services.mail import people as mail_people
from desktop_crm.services.mail.message import Message
from desktop_crm.services.mail.noting import Notes
from desktop_crm.services.mail.templates import as_html
from desktop_crm.services.titles import grouped, titles
from desktop_crm.sync.compose import Answered
from desktop_crm.sync.folder.writes import ABILITIES as FOLDER_ABILITIES
from desktop_crm.sync.formats.mime import read_message
from desktop_crm.sync.port import Address, MailItem
from desktop_crm.sync.sending import answered
from desktop_crm.sync.writes import Ability, Ref

_REMOTE: Final = re.compile(r"<img\b[^>]*\bsrc=\"remote:[^>]*>", re.IGNORECASE)
_ANSWERS: Final = frozenset({"re", "aw", "sv", "antw", "ref", "rv", "raspuns", "r"})
_FORWARDS: Final = frozenset({"fw", "fwd", "wg", "tr", "i", "redirectionat"})
_PREFIX: Final = re.compile(r"\s*([A-Za-zăâîșțĂÂÎȘȚ]{1,14})(\[\d+\])?\s*:\s*")
MANY: Final = 100
"""Recipients that a letter opens with at most; more of them no line of addresses can show."""


class Mode(StrEnum):
    """What is begun."""

    NEW = "new"
    REPLY = "reply"
    REPLY_ALL = "reply_all"
    FORWARD = "forward"


@dataclass(frozen=True, slots=True)
class Sender:
    """A mailbox of the user that can be written from; some take drafts only."""

    mailbox: int
    name: str
    address: str
    signature: str
    can_send: bool


@dataclass(frozen=True, slots=True)
class Regarding:
    """A record a message belongs to."""

    entity: str
    record_id: int
    title: str


@dataclass(frozen=True, slots=True)
class Enclosure:
    """A file that is to go along, by where its bytes are: on the disk, stored, or at hand."""

    name: str
    size: int
    path: str = ""
    document: int = 0
    attachment: int = 0
    content: bytes | None = field(default=None, repr=False)
    content_type: str = ""


@dataclass(frozen=True, slots=True)
class Opening:
    """A letter as its window opens.

    Attributes:
        senders: mailboxes of the user, the one to use first.
        quote: what is answered or forwarded, as HTML, with the line that introduces it.
        attribution: that line as plain text; what stands before it is the writer's own.
        files: what goes along from the start.
        answers: what it names as its thread.
        regarding: records it belongs to.
        draft: the draft of the mailbox it takes the place of.
        notes: records to note it on once it has left.
    """

    senders: tuple[Sender, ...]
    mode: Mode = Mode.NEW
    to: tuple[Address, ...] = ()
    cc: tuple[Address, ...] = ()
    bcc: tuple[Address, ...] = ()
    subject: str = ""
    html: str = field(default="", repr=False)
    quote: str = field(default="", repr=False)
    attribution: str = ""
    files: tuple[Enclosure, ...] = ()
    answers: Answered | None = None
    regarding: tuple[Regarding, ...] = ()
    draft: tuple[int, Ref] | None = None
    notes: Notes | None = None


def senders(actor: Actor) -> tuple[Sender, ...]:
    """Mailboxes the user writes from, those that can send first; two statements."""
    rows = [
        row
        for row in mailboxes.list_mailboxes(actor)
        if row.user_id in (None, actor.user_id) or not actor.db.is_shared
    ]
    with actor.db.reading() as connection:
        signatures = {
            row.id: row.signature or ""
            for row in connection.execute(
                select(Mailbox.id, Mailbox.signature).where(Mailbox.id.in_([r.id for r in rows]))
            )
        }
    found = [
        Sender(
            row.id,
            actor.name,
            row.address,
            signatures.get(row.id, ""),
            Ability.SEND in abilities(row.kind),
        )
        for row in rows
    ]
    return tuple(sorted(found, key=lambda one: not one.can_send))


def abilities(kind: str) -> frozenset[Ability]:
    """What mailboxes of a kind can be asked for, known without opening one."""
    return FOLDER_ABILITIES if kind == MailboxKind.FOLDER.value else frozenset(Ability)


def blank(
    actor: Actor,
    about: Sequence[tuple[str, int]] = (),
    to: Sequence[Address] = (),
    bcc: Sequence[Address] = (),
    subject: str = "",
    notes: Notes | None = None,
) -> Opening:
    """A new letter, to the people of the records it is written from, or to many unseen."""
    recipients = list(to) or [
        Address(person.address, person.name) for person in _reached(actor, about)
    ]
    return Opening(
        senders(actor),
        to=tuple(recipients[:MANY]),
        bcc=tuple(bcc[:MANY]),
        subject=subject,
        regarding=_regarding(actor, about),
        notes=notes,
    )


def _reached(actor: Actor, about: Sequence[tuple[str, int]]) -> list[mail_people.Person]:
    """The first address of each record written from, or of the contact or account it names."""
    found = []
    for entity, key in about:
        people = []
        if entity in ("contact", "lead", "account"):
            people = mail_people.of_records(actor, entity, [key])
        else:
            table = registry.get(entity).table
            for name in ("contact", "lead", "account"):
                if people or f"{name}_id" not in table.c:
                    continue
                with actor.db.reading() as connection:
                    link = select(table.c[f"{name}_id"]).where(table.c.id == key)
                    target = connection.execute(link).scalar()
                if target is not None:
                    people = mail_people.of_records(actor, name, [target])
        found += people[:1]
    return found


def _regarding(actor: Actor, about: Iterable[tuple[str, int]]) -> tuple[Regarding, ...]:
    wanted = [one for one in dict.fromkeys(about) if one[0] in REGARDING]
    with actor.db.reading() as connection:
        names = titles(actor, connection, grouped(wanted))
    return tuple(Regarding(*one, names[one]) for one in wanted if one in names)


def answer(actor: Actor, activity: int, mode: Mode) -> Opening:
    """An answer to a stored message, or its forwarding.

    Raises:
        NotFound: the message is gone, or may not be seen.
    """
    message = mail_message.message(actor, activity)
    own = senders(actor)
    mine = {address for one in own if (address := canonical_email(one.address))}
    to, cc = _recipients(message, mode, mine)
    named = {canonical_email(party.address) for party in message.parties}
    own = tuple(sorted(own, key=lambda one: canonical_email(one.address) not in named))
    own = tuple(sorted(own, key=lambda one: not one.can_send))
    links = [
        (link.entity, link.record_id)
        for link in message.links
        if link.state == LinkState.LINKED.value
    ]
    introduction = _introduction(actor, message, mode)
    return Opening(
        own,
        mode,
        to,
        cc,
        subject=prefixed(message.subject, mode),
        quote=_quote(message, introduction, mode),
        attribution=introduction[0],
        files=_files(message) if mode is Mode.FORWARD else (),
        answers=answered(actor, activity),
        regarding=_regarding(actor, links),
    )


def _recipients(
    message: Message, mode: Mode, mine: set[str]
) -> tuple[tuple[Address, ...], tuple[Address, ...]]:
    if mode is Mode.FORWARD:
        return (), ()
    by_part: dict[str, list[Address]] = {}
    for party in message.parties:
        by_part.setdefault(party.participation, []).append(Address(party.address, party.name))
    if message.sender is not None:
        person = Address(message.sender.address, message.sender.name)
        by_part.setdefault(Participation.FROM.value, [person])
    replies = by_part.get(Participation.REPLY_TO.value) or by_part.get(Participation.FROM.value, [])
    others = by_part.get(Participation.TO.value, [])
    sender = by_part.get(Participation.FROM.value, [])
    # What a colleague wrote is answered to the colleague, not to the customers it went to.
    own = message.outgoing and any(canonical_email(one.address) in mine for one in sender)
    to = others if own else replies
    if mode is Mode.REPLY:
        return _each(to), ()
    if not own:
        to = [*to, *others]
    first = _each(to, mine)
    known = mine | {canonical_email(one.address) or one.address for one in first}
    return first or _each(to), _each(by_part.get(Participation.CC.value, []), known)


def _each(people: Iterable[Address], without: Collection[str] = ()) -> tuple[Address, ...]:
    """Everybody once, those left out not at all."""
    found: dict[str, Address] = {}
    for person in people:
        key = canonical_email(person.address) or person.address
        if key and key not in without:
            found.setdefault(key, person)
    return tuple(found.values())


def prefixed(subject: str, mode: Mode) -> str:
    """Subject of an answer: one prefix, whatever stood before it in any language."""
    rest = subject
    while (found := _PREFIX.match(rest)) is not None:
        if fold(found[1]) not in _ANSWERS | _FORWARDS:
            break
        rest = rest[found.end() :]
    if mode is Mode.NEW:
        return subject
    return f"{'Fwd' if mode is Mode.FORWARD else 'Re'}: {rest.strip()}"


def _introduction(actor: Actor, message: Message, mode: Mode) -> tuple[str, ...]:
    at = actor.formats.datetime(message.at) if message.at else ""
    name = (message.sender.name or message.sender.address) if message.sender else ""
    address = message.sender.address if message.sender else ""
    if mode is not Mode.FORWARD:
        if not at:
            return (tr("{name} wrote:", name=name),)
        return (tr("On {time}, {name} wrote:", time=at, name=name),)
    shown = f"{name} <{address}>" if name != address else address
    lines = [tr("Forwarded message"), tr("From: {names}", names=shown)]
    if at:
        lines.append(tr("Date: {time}", time=at))
    lines.append(tr("Subject: {subject}", subject=message.subject))
    if message.to_line:
        lines.append(tr("To: {names}", names=message.to_line))
    return tuple(lines)


def _quote(message: Message, introduction: Sequence[str], mode: Mode) -> str:
    head = "<br>".join(escape(line, quote=False) for line in introduction)
    body = _REMOTE.sub("", message.html) if message.html else as_html(message.text)
    if mode is Mode.FORWARD:
        return f"<p>{head}</p>{body}"
    return f"<p>{head}</p><blockquote>{body}</blockquote>"


def _files(message: Message) -> tuple[Enclosure, ...]:
    return tuple(
        Enclosure(one.name, one.size, attachment=one.id, content_type=one.media_type)
        for one in message.attachments
        if one.stored and not one.inline
    )


def documents(
    actor: Actor, about: Sequence[Regarding]
) -> list[tuple[Regarding, attachments.Attachment]]:
    """Stored files of records and of their printed quotes, the latest first."""
    found: dict[int, tuple[Regarding, attachments.Attachment]] = {}
    for record in about:
        places = [(record.entity, record.record_id)]
        if record.entity == "opportunity":
            with actor.db.reading() as connection:
                keys = connection.execute(
                    select(Quote.id).where(
                        Quote.opportunity_id == record.record_id, Quote.deleted_at.is_(None)
                    )
                ).scalars()
                places += [("quote", key) for key in keys]
        for entity, key in places:
            for file in attachments.files(actor, entity, key):
                if file.is_stored:
                    found.setdefault(file.id, (record, file))
    return list(found.values())


def reopened(actor: Actor, item: int) -> Opening:
    """A draft that was laid in a mailbox, to be written on; the next one takes its place.

    Raises:
        NotFound: its content is no longer kept.
    """
    row = outbox.get(actor, item)
    letter: MailItem = read_message(outbox.content(actor, item))
    own = senders(actor)
    own = tuple(sorted(own, key=lambda one: one.mailbox != row.mailbox_id))
    answers = Answered(letter.in_reply_to, letter.references) if letter.in_reply_to else None
    where = outbox.result_of(actor, item)
    return replace(
        Opening(own),
        to=letter.to,
        cc=letter.cc,
        bcc=letter.bcc,
        subject=letter.subject,
        html=letter.html or as_html(letter.text),
        files=tuple(
            Enclosure(file.name, file.size, content=file.content, content_type=file.content_type)
            for file in letter.attachments
            if not file.cid
        ),
        answers=answers,
        draft=None if where is None else (row.mailbox_id, Ref(*where)),
        notes=noting.waiting(actor, item),
    )
