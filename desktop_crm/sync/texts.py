"""Texts and files that follow the links of a message: fetched when they may be kept, else dropped.

A message is often linked after it came: by a person, by the message it answers, by a rule. Its
text and files are then fetched from the mailbox with the next pass; when its last link is gone,
or its user shares headers alone, they go again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from sqlalchemy import Connection, and_, literal, select, true

from desktop_crm.core.errors import UserError
from desktop_crm.core.identity import new_uid
from desktop_crm.db import search_text
from desktop_crm.db.engine import Cancel
from desktop_crm.meta import registry
from desktop_crm.models import Activity, Document, MailboxItem, MailMessage
from desktop_crm.models.mail import ItemState, StoredPart
from desktop_crm.models.mail_policy import MailShared, TextKept
from desktop_crm.services import purge
from desktop_crm.services.changes import NOTHING, Changed, ChangeKind, ChangeSet
from desktop_crm.services.context import Actor
from desktop_crm.services.drafts import Work
from desktop_crm.services.mail import policy as mail_policy
from desktop_crm.services.mail.policy import MailPolicy
from desktop_crm.services.mail.sharing import settle_mailbox
from desktop_crm.services.query import key_clause
from desktop_crm.services.records_kept import update_rows
from desktop_crm.sync import lease, mapping
from desktop_crm.sync.attached import Attached, store_files
from desktop_crm.sync.exclusion import Ours
from desktop_crm.sync.facts import Facts
from desktop_crm.sync.formats.mime import with_fingerprint
from desktop_crm.sync.known import Box
from desktop_crm.sync.port import Mailbox, MailItem
from desktop_crm.sync.writes import Image, Ref, Vanished, WritableMailbox

_log = logging.getLogger(__name__)

MOST: Final = 200
"""Texts fetched, and texts dropped, in one pass; the newest first, the next pass goes on."""

SOURCE: Final = "sync"
_COLUMNS: Final = ("body_text", "body_html", "preview", "stored", "has_attachments", "search_text")


@dataclass(slots=True)
class TextsPass:
    """Brings the texts of one mailbox in line with its policy.

    Attributes:
        actor: who acts.
        mailbox: the mailbox's key.
        port: where texts are fetched from; None where it cannot be asked for one item.
        policy: what the mailbox lets be kept.
        ours: who we are.
        holder: name of the pass that has the lease.
        patiently: asks again where that can help.
        changes: what was written.
    """

    actor: Actor
    mailbox: int
    port: WritableMailbox | None
    policy: MailPolicy
    ours: Ours
    holder: str
    patiently: Callable[[Callable[[], Image]], Image]
    cancel: Cancel = field(default_factory=Cancel)
    changes: ChangeSet = NOTHING

    def run(self) -> None:
        """Drop what may no longer be kept, then fetch what may.

        Raises:
            Cancelled: the work was stopped; whole messages are kept.
        """
        self._drop()
        if self.port is None or self.policy.shared is MailShared.HEADERS:
            return
        with self.actor.db.reading() as connection:
            wanted = self._wanted(connection)
        for row in wanted:
            self.cancel.check()
            try:
                image = self.patiently(partial(self.port.image, Ref(row.folder, row.item_key)))
            except Vanished:
                image = None
            except UserError as error:
                _log.info("the text of message %d cannot be read: %s", row.id, error.template)
                continue
            with self.actor.db.writing() as connection:
                lease.take(connection, self.mailbox, self.holder, self.actor.user_id)
                self._fill(connection, row, image)

    def _wanted(self, connection: Connection) -> Sequence[Any]:
        """Messages without their text that may have it, and where each lies."""
        linked = mail_policy.is_linked(MailMessage.__table__.c.activity_id)
        statement = (
            select(
                MailMessage.id,
                MailMessage.activity_id,
                MailboxItem.identity,
                MailboxItem.id.label("item"),
                MailboxItem.folder,
                MailboxItem.item_key,
                Activity.account_id,
                Activity.owner_id,
            )
            .join(MailboxItem, MailboxItem.activity_id == MailMessage.activity_id)
            .join(Activity, Activity.id == MailMessage.activity_id)
            .where(
                MailboxItem.mailbox_id == self.mailbox,
                MailboxItem.state == ItemState.STORED.value,
                MailMessage.stored == StoredPart.HEADERS.value,
                Activity.deleted_at.is_(None),
                true() if self.policy.text_kept is TextKept.ALL else linked,
            )
            .order_by(MailMessage.sent_at.desc(), MailMessage.id)
            .limit(MOST)
        )
        found = {row.id: row for row in connection.execute(statement)}
        return list(found.values())

    def _fill(self, connection: Connection, row: Any, image: Image | None) -> None:  # noqa: ANN401
        item = None if image is None else image.item
        if isinstance(item, MailItem) and mapping.identity_of(item) != row.identity:
            item = with_fingerprint(item)  # it may only bear the identifier of another
        same = isinstance(item, MailItem) and mapping.identity_of(item) == row.identity
        if not isinstance(item, MailItem) or not same:
            gone = {"state": ItemState.GONE.value}
            update_rows(connection, MailboxItem, [(row.item, gone)], self.actor.user_id)
            return
        full = mapping.message_row(item, Facts(self.ours), full=not item.encrypted)
        values = {name: full[name] for name in _COLUMNS}
        # It was unlinked again, or filled by a colleague, while it was fetched.
        linked = mail_policy.is_linked(literal(row.activity_id))
        still = and_(
            MailMessage.id == row.id,
            MailMessage.stored == StoredPart.HEADERS.value,
            true() if self.policy.text_kept is TextKept.ALL else linked,
        )
        if connection.execute(select(MailMessage.id).where(still)).one_or_none() is None:
            return
        update_rows(connection, MailMessage, [(row.id, values)], self.actor.user_id)
        self._tell("mail_message", [row.id])
        if item.encrypted:
            return
        work = Work(self.actor, connection, registry.get("document"), new_uid(), None, SOURCE)
        files = Attached(
            item.attachments, row.activity_id, row.account_id, has_html=bool(item.html)
        )
        self.changes = self.changes.merge(store_files(work, [files], row.owner_id))

    def _drop(self) -> None:
        if self.policy.keeps_text(linked=False):
            return
        with self.actor.db.reading() as connection:
            if not self._needless(connection):
                return
        with self.actor.db.writing() as connection:
            lease.take(connection, self.mailbox, self.holder, self.actor.user_id)
            needless = self._needless(connection)
            self.changes = self.changes.merge(drop_texts(self.actor, connection, needless))

    def _needless(self, connection: Connection) -> list[int]:
        """Messages whose text no mailbox that holds them lets be kept."""
        message, item = MailMessage.__table__.c, MailboxItem.__table__.c
        brought = select(item.activity_id).where(
            item.mailbox_id == self.mailbox, item.activity_id.is_not(None)
        )
        keeps = mail_policy.keeps_text(message.activity_id, mail_policy.is_shared(connection))
        statement = (
            select(message.activity_id)
            .where(
                message.stored == StoredPart.FULL.value,
                message.activity_id.in_(brought),
                ~mail_policy.held_by(message.activity_id, keeps),
            )
            .limit(MOST)
        )
        return list(connection.execute(statement).scalars())

    def _tell(self, entity: str, ids: Sequence[int]) -> None:
        told = Changed(entity, frozenset(ids), ChangeKind.UPDATED)
        self.changes = self.changes.merge(ChangeSet("", (told,)))


def follow_links(
    actor: Actor,
    box: Box,
    port: Mailbox,
    holder: str,
    patiently: Callable[[Callable[[], Image]], Image],
    cancel: Cancel,
) -> ChangeSet:
    """Bring in line what colleagues see and what is kept of texts, after links came and went.

    Args:
        actor: who acts.
        box: the mailbox.
        port: where its texts come from.
        holder: name of the pass that has the lease.
        patiently: asks again where that can help.
        cancel: stops between two messages.

    Raises:
        Cancelled: the work was stopped; whole messages are kept.
    """
    with actor.db.writing() as connection:
        lease.take(connection, box.id, holder, actor.user_id)
        changes = settle_mailbox(connection, box.id)
    source = port if isinstance(port, WritableMailbox) else None
    texts = TextsPass(
        actor, box.id, source, box.policy, box.ours, holder, patiently, cancel, changes
    )
    texts.run()
    return texts.changes


def drop_texts(actor: Actor, connection: Connection, activities: Sequence[int]) -> ChangeSet:
    """Keep nothing but the headers of messages; their files and bytes go for good."""
    if not activities:
        return NOTHING
    message, document = MailMessage.__table__.c, Document.__table__.c
    these = key_clause(connection, message.activity_id, activities)
    ids = list(connection.execute(select(message.id).where(these)).scalars())
    nothing = {
        "body_text": None,
        "body_html": None,
        "preview": None,
        "stored": StoredPart.HEADERS.value,
    }
    update_rows(connection, MailMessage, [(key, nothing) for key in ids], actor.user_id)
    search_text.refold(connection, registry.get("mail_message"), ids)
    those = key_clause(connection, document.activity_id, activities)
    files = list(connection.execute(select(document.id).where(those)).scalars())
    changes = ChangeSet("", (Changed("mail_message", frozenset(ids), ChangeKind.UPDATED),))
    if files:
        work = Work(actor, connection, registry.get("document"), new_uid(), None, SOURCE)
        changes = changes.merge(purge.erase(work, files)[2])
    return changes
