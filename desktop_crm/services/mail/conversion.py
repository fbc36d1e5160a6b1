"""Make a lead, opportunity, case, task or appointment of a message: one step, undone as one."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import exists, select

from desktop_crm.core import clock
from desktop_crm.core.errors import NotFound
from desktop_crm.core.i18n import N_
from desktop_crm.models import Document, DocumentContent
from desktop_crm.models.activity import REGARDING, ActivityKind, LinkState, Participation
from desktop_crm.models.case import CaseOrigin
from desktop_crm.services import records_kept
from desktop_crm.services.changes import ChangeSet
from desktop_crm.services.context import Actor
from desktop_crm.services.mail import filing
from desktop_crm.services.mail import message as mail_message
from desktop_crm.services.mail import signature as mail_signature
from desktop_crm.services.mail.message import Message, Party
from desktop_crm.services.mail.quotes import own_text
from desktop_crm.services.operation import Operation, operation
from desktop_crm.services.records import Change
from desktop_crm.services.rules.documents import ATTACHED

_PREFIX: Final = re.compile(
    r"^(?:\s*(?:re|fw|fwd|aw|wg|sv|vs|r|i|tr|rif|antw|răsp|rasp)\s*:\s*)+", re.IGNORECASE
)
_TEXT: Final = 4_000
"""Characters of the message that are taken over as description."""
_MORNING: Final = time(9)
_LASTS: Final = timedelta(hours=1)


class Wanted(StrEnum):
    """What a message becomes."""

    LEAD = "lead"
    OPPORTUNITY = "opportunity"
    CASE = "case"
    TASK = "task"
    APPOINTMENT = "appointment"

    @property
    def entity(self) -> str:
        """Key of the entity."""
        return "activity" if self in (Wanted.TASK, Wanted.APPOINTMENT) else self.value


@dataclass(frozen=True, slots=True)
class Prefilled:
    """What the form begins with.

    Attributes:
        values: by field name; links hold the id.
        titles: shown title by link field.
    """

    values: Mapping[str, Any] = field(default_factory=dict)
    titles: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Converted:
    """What became of a message: entity and key, and everything that was changed."""

    entity: str
    id: int
    changes: ChangeSet


def prefilled(actor: Actor, message: Message, wanted: Wanted) -> Prefilled:
    """What a message already tells about what it becomes; no statement."""
    subject = _PREFIX.sub("", message.subject).strip() or message.subject
    text = own_text(message.text).strip()[:_TEXT]
    values: dict[str, Any] = {"description": text} if text else {}
    titles: dict[str, str] = {}
    if wanted is Wanted.LEAD:
        values["subject"] = subject[:200]
        person = _other_side(message)
        if person is not None:
            # Below what we wrote stands our own signature, which tells nothing of the other side.
            signed = "" if message.outgoing else message.text
            found = mail_signature.read(signed, person.name, person.address)
            values |= mail_signature.lead_values(found)
        return Prefilled(values, titles)
    is_activity = wanted.entity == "activity"
    names: tuple[str, ...] = REGARDING if is_activity else ("account", "contact")
    for link in message.links:
        # What is filed for sure comes first; a suggestion is only as good as nothing.
        if link.state == LinkState.LINKED.value and link.entity in names:
            values.setdefault(link.entity, link.record_id)
            titles.setdefault(link.entity, link.title)
    if wanted is Wanted.OPPORTUNITY:
        values["name"] = subject[:200]
        return Prefilled(values, titles)
    if wanted is Wanted.CASE:
        values |= {"title": subject[:200], "origin": CaseOrigin.EMAIL.value}
        return Prefilled(values, titles)
    values["subject"] = subject[:400]
    day = clock.today(actor.zone) + timedelta(days=1)
    morning = datetime.combine(day, _MORNING, actor.zone)
    if wanted is Wanted.TASK:
        values["due_at"] = morning
    else:
        values |= {"start_at": morning, "end_at": morning + _LASTS}
    return Prefilled(values, titles)


def _other_side(message: Message) -> Party | None:
    """The person a lead may be: who wrote to us, or the first one we wrote to."""
    if not message.outgoing:
        return message.sender
    written_to = (one for one in message.parties if one.participation == Participation.TO.value)
    return next((one for one in written_to if one.address and one.user_id is None), None)


def convert(
    actor: Actor,
    activity_id: int,
    wanted: Wanted,
    values: Mapping[str, Any],
    documents: Sequence[int] = (),
) -> Converted:
    """Make a record of a message.

    Its thread is filed to a lead, opportunity or case; a task or appointment is about what the form
    says. Attachments are put on it without copying their bytes.

    Args:
        actor: who acts.
        activity_id: the message.
        wanted: what it becomes.
        values: what the form holds, by field name.
        documents: attachments of the message that go along.

    Raises:
        ValidationFailed: values are missing or wrong; nothing was made.
        PermissionDenied: the actor may not make such a record.
        NotFound: the message or an attachment is gone.
    """
    message = mail_message.message(actor, activity_id)
    entity = wanted.entity
    kind = {
        Wanted.TASK: {"kind": ActivityKind.TASK.value},
        Wanted.APPOINTMENT: {"kind": ActivityKind.APPOINTMENT.value},
    }.get(wanted, {})
    with operation(actor) as work:
        key = work.create(entity, {"owner": actor.user_id, **values, **kind})
        if entity != "activity" and message.may_link:
            filing.file_within(work, activity_id, (entity, key))
        _attach(work, message, (entity, key), documents)
    return Converted(entity, key, work.report)


def _attach(
    work: Operation, message: Message, record: tuple[str, int], documents: Sequence[int]
) -> None:
    """Put attachments of the message on the record; their bytes are there already."""
    if not documents:
        return
    own = {one.id for one in message.attachments}
    table: Any = Document.__table__
    rows = work.connection.execute(
        select(table.c.name, table.c.media_type, table.c.size_bytes, table.c.sha256)
        .where(
            table.c.id.in_([key for key in documents if key in own]),
            exists().where(DocumentContent.sha256 == table.c.sha256),
        )
        .order_by(table.c.id)
    ).all()
    digests = {row.sha256 for row in rows}
    held = records_kept.hold_contents(work.connection, sorted(digests)) if digests else 0
    if len(rows) < len(set(documents)) or held < len(digests):
        raise NotFound(N_("An attachment is no longer there. Nothing was made; open it again."))
    entity, key = record
    # The actor sees the message, so its bytes may be named here.
    files = Operation(work.actor, work.connection, ATTACHED, None, work.uid)
    files.save_many(
        "document",
        [
            Change(
                None,
                None,
                {
                    "name": row.name, "media_type": row.media_type, "size_bytes": row.size_bytes,
                    "sha256": row.sha256, "record_type": entity, "record_id": key,
                    "owner": work.actor.user_id,
                },
            )
            for row in rows
        ],
    )  # fmt: skip
    work.report = work.report.merge(files.report)
