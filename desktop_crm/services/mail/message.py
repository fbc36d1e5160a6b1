"""One message as it is read, and the decisions about what it is linked to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import Connection, exists, not_, select, true

from desktop_crm.core.errors import NotFound, UserError
from desktop_crm.core.i18n import N_
from desktop_crm.db.engine import Cancel
from desktop_crm.meta import registry
from desktop_crm.models import (
    Activity,
    ActivityParty,
    Document,
    DocumentContent,
    Link,
    MailboxItem,
    MailMessage,
    User,
)
from desktop_crm.models.activity import REGARDING, Direction, LinkRule, LinkState, Participation
from desktop_crm.models.mail import MailFlag, StoredPart
from desktop_crm.services import permissions, privacy, records
from desktop_crm.services.changes import ChangeSet
from desktop_crm.services.context import Actor
from desktop_crm.services.link_reasons import Reason
from desktop_crm.services.mail.reach import own_items, visible


@dataclass(frozen=True, slots=True)
class Party:
    """Somebody a message names; `contact_id` is None while nobody is known by the address."""

    participation: str
    name: str
    address: str
    contact_id: int | None
    lead_id: int | None
    account_id: int | None
    user_id: int | None

    @property
    def known(self) -> bool:
        """Whether the address belongs to a record."""
        return any((self.contact_id, self.lead_id, self.account_id, self.user_id))


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that came with a message; `inline` ones stand in its text."""

    id: int
    name: str
    media_type: str
    size: int
    stored: bool
    inline: bool = False


@dataclass(frozen=True, slots=True)
class LinkRow:
    """Why a message stands, or might stand, on a record."""

    id: int
    version: int
    entity: str
    record_id: int
    title: str
    rule: str
    evidence: str
    confidence: Decimal
    state: str
    decided_by: str
    at: datetime | None = None

    @property
    def reason(self) -> Reason:
        """What answers "Why here?"."""
        return Reason(
            self.entity, self.rule, self.evidence, self.confidence, self.state,
            self.decided_by, self.at,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Message:
    """One message as the reading pane shows it."""

    id: int
    version: int
    subject: str
    sender: Party | None
    to_line: str
    cc_line: str
    at: datetime | None
    text: str
    html: str
    headers_only: bool
    automatic: bool
    outgoing: bool
    parties: tuple[Party, ...]
    attachments: tuple[Attachment, ...]
    links: tuple[LinkRow, ...]
    may_link: bool
    in_own_mailbox: bool = False
    unread: bool = False
    flagged: bool = False
    categories: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FileContent:
    """Bytes of an attachment with the name it came under."""

    name: str
    media_type: str
    content: bytes


def message(actor: Actor, activity_id: int, *, cancel: Cancel | None = None) -> Message:
    """One message with its people, files and links.

    Raises:
        NotFound: it is gone, or the actor may not see it.
    """
    with actor.db.reading(cancel) as connection:
        row = connection.execute(
            select(
                MailMessage.subject,
                MailMessage.from_name,
                MailMessage.from_address,
                MailMessage.to_line,
                MailMessage.cc_line,
                MailMessage.sent_at,
                MailMessage.body_text,
                MailMessage.body_html,
                MailMessage.stored,
                MailMessage.is_automatic,
                Activity.version.label("activity_version"),
                Activity.owner_id,
                Activity.direction,
            )
            .join(Activity, Activity.id == MailMessage.activity_id)
            .where(MailMessage.activity_id == activity_id, visible(actor))
        ).one_or_none()
        if row is None:
            raise NotFound(N_("This message is no longer there, or you may not see it."))
        party = registry.get("activity_party")
        unseen = privacy.unseen_rows(actor, party, ActivityParty.__table__)
        parties = connection.execute(
            select(
                ActivityParty.participation,
                ActivityParty.name,
                ActivityParty.address,
                ActivityParty.contact_id,
                ActivityParty.lead_id,
                ActivityParty.account_id,
                ActivityParty.user_id,
            )
            .where(
                ActivityParty.activity_id == activity_id,
                ActivityParty.deleted_at.is_(None),
                true() if unseen is None else not_(unseen),
            )
            .order_by(ActivityParty.id)
        ).all()
        files = connection.execute(
            select(
                Document.id,
                Document.name,
                Document.media_type,
                Document.size_bytes,
                Document.content_id,
            )
            .add_columns(exists().where(DocumentContent.sha256 == Document.sha256).label("stored"))
            .where(Document.activity_id == activity_id, Document.deleted_at.is_(None))
            .order_by(Document.id)
        ).all()
        links = connection.execute(
            select(
                Link.id,
                Link.version,
                Link.record_type,
                Link.record_id,
                Link.rule,
                Link.evidence,
                Link.confidence,
                Link.state,
                Link.created_at,
                Link.modified_at,
                User.name.label("decided_by"),
            )
            .outerjoin(User, User.id == Link.linked_by_id)
            .where(Link.activity_id == activity_id, Link.deleted_at.is_(None))
            .order_by(Link.confidence.desc(), Link.id)
        ).all()
        marks = connection.execute(
            select(MailboxItem.is_read, MailboxItem.flag, MailboxItem.categories).where(
                own_items(actor), MailboxItem.activity_id == activity_id
            )
        ).all()
        titles = titles_of(actor, connection, [(one.record_type, one.record_id) for one in links])
    people = tuple(
        Party(
            participation=one.participation,
            name=one.name or "",
            address=one.address or "",
            contact_id=one.contact_id,
            lead_id=one.lead_id,
            account_id=one.account_id,
            user_id=one.user_id,
        )
        for one in parties
    )
    return Message(
        id=activity_id,
        version=row.activity_version,
        subject=row.subject or "",
        sender=_sender(row.from_name, row.from_address, people),
        to_line=row.to_line or "",
        cc_line=row.cc_line or "",
        at=row.sent_at,
        text=row.body_text or "",
        html=row.body_html or "",
        headers_only=row.stored != StoredPart.FULL.value,
        automatic=row.is_automatic,
        outgoing=row.direction == Direction.OUTGOING.value,
        parties=people,
        attachments=tuple(
            Attachment(
                id=one.id,
                name=one.name,
                media_type=one.media_type or "",
                size=one.size_bytes or 0,
                stored=one.stored,
                inline=bool(one.content_id and 'src="data:' in (row.body_html or "")),
            )
            for one in files
        ),
        links=tuple(
            LinkRow(
                id=one.id,
                version=one.version,
                entity=one.record_type,
                record_id=one.record_id,
                title=titles[one.record_type, one.record_id],
                rule=one.rule,
                evidence=one.evidence or "",
                confidence=one.confidence,
                state=one.state,
                decided_by=one.decided_by or "",
                at=one.modified_at if one.decided_by else one.created_at,
            )
            for one in links
            if (one.record_type, one.record_id) in titles
        ),
        may_link=permissions.may(
            actor, registry.get("activity"), "edit", {"owner_id": row.owner_id}
        ),
        in_own_mailbox=bool(marks),
        unread=any(not one.is_read for one in marks),
        flagged=any(one.flag == MailFlag.FLAGGED.value for one in marks),
        categories=tuple(dict.fromkeys(word for one in marks for word in one.categories or ())),
    )


def _sender(name: str | None, address: str | None, people: tuple[Party, ...]) -> Party | None:
    for one in people:
        if one.participation == Participation.FROM.value:
            return one
    if not (name or address):
        return None
    return Party(Participation.FROM.value, name or "", address or "", None, None, None, None)


def titles_of(
    actor: Actor, connection: Connection, wanted: Iterable[tuple[str, int]]
) -> dict[tuple[str, int], str]:
    """Titles of the records among these that the actor may see."""
    by_entity: dict[str, list[int]] = {}
    for key, record_id in wanted:
        by_entity.setdefault(key, []).append(record_id)
    titles: dict[tuple[str, int], str] = {}
    for key, ids in by_entity.items():
        if key not in REGARDING:
            continue
        entity = registry.get(key)
        table = entity.table
        statement = select(table.c.id, table.c[entity.title]).where(
            table.c.id.in_(ids), table.c.deleted_at.is_(None)
        )
        rights = permissions.row_clause(actor, entity, table, "read")
        if rights is not None:
            statement = statement.where(rights)
        for record_id, title in connection.execute(statement):
            titles[key, record_id] = title or ""
    return titles


def attachment(actor: Actor, document_id: int) -> FileContent:
    """Bytes of an attachment of a message that the actor may see.

    Raises:
        NotFound: it is gone, may not be seen, or its content was not stored.
    """
    with actor.db.reading() as connection:
        row = connection.execute(
            select(Document.name, Document.media_type, DocumentContent.content)
            .join(DocumentContent, DocumentContent.sha256 == Document.sha256)
            .join(Activity, Activity.id == Document.activity_id)
            .where(Document.id == document_id, Document.deleted_at.is_(None), visible(actor))
        ).one_or_none()
    if row is None:
        raise NotFound(N_("The content of this attachment was not stored with the message."))
    return FileContent(row.name, row.media_type or "", row.content)


# --- decisions ---------------------------------------------------------------------------


def link(actor: Actor, activity_id: int, entity: str, record_id: int) -> ChangeSet:
    """Link a message to a record by hand; a link that was rejected or removed counts again.

    Raises:
        UserError: messages are not linked to such records.
        PermissionDenied: the actor may not change the message.
    """
    if entity not in REGARDING:
        raise UserError(N_("A message cannot be linked to this kind of record."))
    with actor.db.reading() as connection:
        known = connection.execute(
            select(Link.id, Link.version, Link.deleted_at).where(
                Link.activity_id == activity_id,
                Link.record_type == entity,
                Link.record_id == record_id,
            )
        ).one_or_none()
        at = connection.execute(
            select(Activity.occurred_at).where(Activity.id == activity_id)
        ).scalar()
    decision = {
        "state": LinkState.LINKED.value,
        "rule": LinkRule.MANUAL.value,
        "evidence": None,
        "confidence": Decimal(100),
        "linked_by": actor.user_id,
    }
    if known is None:
        new = {"activity": activity_id, "record_type": entity, "record_id": record_id}
        saved = records.save(actor, "link", None, None, {**new, **decision, "occurred_at": at})
        return saved.changes
    changes = ChangeSet()
    version = known.version
    if known.deleted_at is not None:
        changes = records.restore(actor, "link", [known.id])
        version = records.get(actor, "link", known.id).version
    saved = records.save(actor, "link", known.id, version, decision)
    return changes.merge(saved.changes)


def accept(actor: Actor, row: LinkRow) -> ChangeSet:
    """Make a suggestion a link; rule and evidence stay, so that one can still see why."""
    return _decide(actor, row, LinkState.LINKED)


def reject(actor: Actor, row: LinkRow) -> ChangeSet:
    """Say no to a suggestion or a link; no rule makes it again."""
    return _decide(actor, row, LinkState.REJECTED)


def _decide(actor: Actor, row: LinkRow, state: LinkState) -> ChangeSet:
    saved = records.save(
        actor,
        "link",
        row.id,
        row.version,
        {"state": state.value, "linked_by": actor.user_id},
    )
    return saved.changes
