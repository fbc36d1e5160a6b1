"""The timeline of a record: every activity linked to it, and why it stands there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Integer,
    Select,
    and_,
    bindparam,
    exists,
    func,
    or_,
    select,
)

from desktop_crm.core.i18n import N_, tr
from desktop_crm.db.engine import Cancel
from desktop_crm.meta import registry
from desktop_crm.models import Activity, ActivityParty, Link, MailMessage, User
from desktop_crm.models.activity import Direction, LinkState
from desktop_crm.services import privacy
from desktop_crm.services.context import Actor
from desktop_crm.services.link_reasons import Reason
from desktop_crm.services.permissions import content_clause, require, row_clause
from desktop_crm.services.prepared import Prepared

_PREVIEW: Final = 200
_BUSY: Final = N_("Busy")


@dataclass(frozen=True, slots=True)
class TimelineItem:
    """One activity on a record.

    Attributes:
        activity_id: The activity.
        kind: Its kind: task, phone_call, appointment, email or note.
        subject: Its subject; the word for "busy" for another person's private one.
        preview: First words of the text, on one line.
        at: When it happened or is planned, aware UTC.
        direction: ``incoming``, ``outgoing`` or empty.
        state: ``open``, ``completed`` or ``canceled``.
        rule: Code of the rule that linked it, such as ``contact`` or ``manual``.
        evidence: What the rule found.
        confidence: Percentage.
        linked_by: Person who decided; empty when a rule did.
        linked_at: When the link was made or decided.
        entity: Kind of the record it stands on.
        who: Sender of incoming mail, recipients of outgoing mail, else the owner.
    """

    activity_id: int
    kind: str
    subject: str
    preview: str
    at: datetime
    direction: str
    state: str
    rule: str
    evidence: str
    confidence: Decimal
    linked_by: str
    who: str
    linked_at: datetime | None = None
    entity: str = ""

    @property
    def reason(self) -> Reason:
        """What answers "Why here?"."""
        return Reason(
            self.entity, self.rule, self.evidence, self.confidence, LinkState.LINKED.value,
            self.linked_by, self.linked_at,
        )  # fmt: skip


class _Found(NamedTuple):
    """One row of the statement."""

    id: int
    kind: str
    subject: str
    description: str | None
    at: datetime
    direction: str | None
    state: str
    sensitivity: str
    owner_id: int | None
    rule: str
    evidence: str | None
    confidence: Decimal
    made_at: datetime
    decided_at: datetime
    owner: str | None
    linked_by: str | None
    preview: str | None
    from_name: str | None
    from_address: str | None
    to_line: str | None


def timeline(
    actor: Actor,
    entity: str,
    record_id: int,
    limit: int = 50,
    before: TimelineItem | None = None,
    *,
    cancel: Cancel | None = None,
) -> list[TimelineItem]:
    """Return the activities linked to a record, the latest first; one statement.

    Args:
        actor: Who looks: activities in reach and those the actor takes part in.
        entity: Key of the record's entity.
        record_id: The record.
        limit: How many at most.
        before: Last item already shown; the ones after it follow.
        cancel: Stops the statement.

    Raises:
        PermissionDenied: The role grants no sight of such records.
    """
    require(actor, registry.get(entity), "read")
    if before is None:
        kept = ("timeline", entity, limit)
        latest = actor.statements.get(kept)
        if latest is None:
            latest = Prepared(actor.db, _statement(actor, entity).limit(limit))
            actor.statements[kept] = latest
        found = latest.tuples(actor.db, cancel, key=record_id)
        return [_item(actor, entity, _Found._make(row)) for row in found]
    when = _when()
    statement = _statement(actor, entity, record_id).limit(limit)
    statement = statement.where(
        or_(when < before.at, and_(when == before.at, Activity.id < before.activity_id))
    )
    with actor.db.reading(cancel) as connection:
        rows = connection.execute(statement)
        return [_item(actor, entity, _Found._make(row)) for row in rows]


def _when() -> ColumnElement[datetime]:
    return func.coalesce(Activity.occurred_at, Activity.created_at)


def _statement(actor: Actor, entity: str, record_id: int = 0) -> Select[*tuple[Any, ...]]:
    """Statement over a record, whose key may be bound late as ``key``."""
    key = bindparam("key", record_id, Integer)
    decided = User.__table__.alias("decided")
    conditions: list[ColumnElement[bool]] = [
        Link.record_type == entity,
        Link.record_id == key,
        Link.state == LinkState.LINKED.value,
        Link.deleted_at.is_(None),
        Activity.deleted_at.is_(None),
    ]
    # What a colleague keeps private stands on no record: what it is about is private, too.
    rights = content_clause(actor, registry.get("activity"), Activity.__table__)
    if rights is not None:
        conditions.append(or_(rights, _takes_part(actor)))
    record = registry.get(entity).table.alias("record")
    reach = row_clause(actor, registry.get(entity), record, "read")
    if reach is not None:
        conditions.append(exists().where(record.c.id == key, reach))
    return (
        select(
            Activity.id,
            Activity.kind,
            Activity.subject,
            Activity.description,
            _when().label("at"),
            Activity.direction,
            Activity.state,
            Activity.sensitivity,
            Activity.owner_id,
            Link.rule,
            Link.evidence,
            Link.confidence,
            Link.created_at,
            Link.modified_at,
            User.name.label("owner"),
            decided.c.name.label("linked_by"),
            MailMessage.preview,
            MailMessage.from_name,
            MailMessage.from_address,
            MailMessage.to_line,
        )
        .select_from(Link)
        .join(Activity, Activity.id == Link.activity_id)
        .outerjoin(MailMessage, MailMessage.activity_id == Activity.id)
        .outerjoin(User, User.id == Activity.owner_id)
        .outerjoin(decided, decided.c.id == Link.linked_by_id)
        .where(*conditions)
        .order_by(_when().desc(), Activity.id.desc())
    )


def _takes_part(actor: Actor) -> ColumnElement[bool]:
    return Activity.id.in_(
        select(ActivityParty.activity_id).where(
            ActivityParty.user_id == actor.user_id, ActivityParty.deleted_at.is_(None)
        )
    )


def _item(actor: Actor, entity: str, row: _Found) -> TimelineItem:
    hidden = privacy.hides(actor, registry.get("activity"), row._asdict())
    return TimelineItem(
        activity_id=row.id,
        kind=row.kind,
        subject=tr(_BUSY) if hidden else row.subject,
        preview="" if hidden else _one_line(row.preview or row.description),
        at=row.at,
        direction=row.direction or "",
        state=row.state,
        rule=row.rule,
        evidence="" if hidden else row.evidence or "",
        confidence=row.confidence,
        linked_by="" if hidden else row.linked_by or "",
        who=row.owner or "" if hidden else _who(row),
        linked_at=row.decided_at if row.linked_by else row.made_at,
        entity=entity,
    )


def _who(row: _Found) -> str:
    sender: str = row.from_name or row.from_address or ""
    if not sender:
        return row.owner or ""
    if row.direction == Direction.OUTGOING.value:
        return _one_line(row.to_line) or sender
    return sender


def _one_line(text: str | None) -> str:
    flat = " ".join((text or "").split())
    return flat if len(flat) <= _PREVIEW else f"{flat[: _PREVIEW - 1].rstrip()}…"
