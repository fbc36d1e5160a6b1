"""One batch of a folder: planned, written in one transaction with its token, or only counted."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field, replace
from typing import Final

from sqlalchemy import Connection
from sqlalchemy.exc import DataError, IntegrityError

from desktop_crm.core import clock
from desktop_crm.core.errors import CrmError, UserError
from desktop_crm.core.i18n import N_
from desktop_crm.db.engine import Cancel
from desktop_crm.services.changes import NOTHING, ChangeSet
from desktop_crm.services.context import Actor
from desktop_crm.sync import known as stored
from desktop_crm.sync import lease
from desktop_crm.sync.apply import BatchWriter, Decided, count, decide
from desktop_crm.sync.facts import Facts, gather
from desktop_crm.sync.imagined import Imagined
from desktop_crm.sync.narrowing import narrow
from desktop_crm.sync.plan import Action, ActionKind, plan
from desktop_crm.sync.port import Batch, Folder, Quarantined
from desktop_crm.sync.results import FolderResult
from desktop_crm.sync.twoway.directions import Directions
from desktop_crm.sync.twoway.incoming import Incoming
from desktop_crm.sync.twoway.meeting_batch import MeetingBatch
from desktop_crm.sync.twoway.preview import Preview

_log = logging.getLogger(__name__)

RESYNC: Final = "resync"
"""Status of a folder that is being enumerated anew."""

UNSTORABLE: Final = N_("The database refuses what the item says.")

RACES: Final = 3
"""How often a batch is planned anew because a colleague stored the same message meanwhile."""


@dataclass(slots=True)
class Batches:
    """Takes over the batches of one mailbox, one after another.

    Attributes:
        actor: who acts.
        mailbox: key of the mailbox.
        directions: what goes both ways.
        holder: who holds the lease of the mailbox.
        cancel: stops the statements of a dry run.
        preview: told what a dry run finds; nothing is written then.
        imagined: what a dry run did not write.
    """

    actor: Actor
    mailbox: int
    directions: Directions
    holder: str
    cancel: Cancel
    preview: Preview | None = None
    imagined: Imagined = field(default_factory=Imagined)

    def keep(self, connection: Connection, folder: Folder, token: str | None, status: str) -> None:
        """Note how far a folder was read, in the transaction of what was read."""
        stored.keep_progress(
            connection,
            self.mailbox,
            folder,
            token=token,
            status=status,
            at=clock.now(),
            by=self.actor.user_id,
        )

    def take(
        self, box: stored.Box, folder: Folder, batch: Batch, status: str, before: str | None
    ) -> tuple[FolderResult, ChangeSet]:
        """Write one batch and its token, or count what it would do."""
        if self.preview is not None:
            return self._look(self.preview, box, folder, batch), NOTHING
        if self.directions.noted(folder):
            return self._note(folder, batch, status)
        for attempt in range(RACES):
            try:
                return self._write(box, folder, batch, status)
            except (IntegrityError, CrmError) as error:
                # A colleague's machine stored one of these messages a moment ago.
                race = isinstance(error.__cause__ or error, IntegrityError)
                if not race and isinstance(error, UserError):
                    return self._singly(box, folder, batch, status, before)
                if not race or attempt + 1 == RACES:
                    raise
                _log.info("batch of %s is planned anew", folder.name, exc_info=True)
            except DataError:
                return self._singly(box, folder, batch, status, before)
        raise AssertionError("unreachable")

    def _look(
        self, preview: Preview, box: stored.Box, folder: Folder, batch: Batch
    ) -> FolderResult:
        """Count what one batch would do, and tell it."""
        if self.directions.noted(folder):
            preview.take(folder, batch, ())
            return FolderResult(folder.name)
        with self.actor.db.reading(self.cancel) as connection:
            actions, decided, _ = self._plan(connection, box, folder, batch)
        preview.take(folder, batch, actions)
        self.imagined.add(folder, actions, decided)
        return count(actions, decided, self.actor.language)

    def _note(self, folder: Folder, batch: Batch, status: str) -> tuple[FolderResult, ChangeSet]:
        """Note what a batch of tasks or contacts says, with its token."""
        with self.actor.db.writing() as connection:
            lease.keep(connection, self.mailbox, self.holder, self.actor.user_id)
            result = Incoming(connection, self.actor, self.mailbox, folder).take(batch)
            if status.startswith(RESYNC) and not batch.more:
                result.gone += stored.mark_missing(
                    connection, self.mailbox, folder.key, self.actor.user_id
                )
            self.keep(connection, folder, batch.token or None, status if batch.more else "")
        return result, NOTHING

    def _singly(
        self, box: stored.Box, folder: Folder, batch: Batch, status: str, before: str | None
    ) -> tuple[FolderResult, ChangeSet]:
        """Write a batch item by item because one of them cannot be stored; that one is set aside.

        The token moves on with the last of them: until then the batch would be read again.
        """
        result, changes = FolderResult(folder.name), NOTHING
        aside = list(batch.quarantined)
        for change in batch.changes:
            alone = Batch((change,), before or "", more=True)
            try:
                one, more = self._write(box, folder, alone, status)
            except (DataError, UserError) as error:
                _log.warning("item %r of %s is set aside", change.item_id, folder.name)
                _log.info("the reason", exc_info=True)
                reason = error.template if isinstance(error, UserError) else UNSTORABLE
                params = tuple(error.params.items()) if isinstance(error, UserError) else ()
                aside.append(Quarantined(change.item_id, change.item_id, reason, params))
            else:
                result.add(one)
                changes = changes.merge(more)
        last, more = self._write(
            box, folder, replace(batch, changes=(), quarantined=tuple(aside)), status
        )
        result.add(last)
        return result, changes.merge(more)

    def _write(
        self, box: stored.Box, folder: Folder, batch: Batch, status: str
    ) -> tuple[FolderResult, ChangeSet]:
        with self.actor.db.writing() as connection:
            lease.keep(connection, self.mailbox, self.holder, self.actor.user_id)
            lease.write_alone(connection)
            actions, decided, facts = self._plan(connection, box, folder, batch)
            writer = BatchWriter(
                connection, self.actor, self.mailbox, box.user, folder, facts, box.policy
            )
            writer.meetings = self.directions.meetings(connection, folder)
            writer.attends = self.directions.attends
            changes = writer.write(actions, decided)
            result = count(actions, decided, self.actor.language)
            if status.startswith(RESYNC) and not batch.more:
                result.gone += stored.mark_missing(
                    connection, self.mailbox, folder.key, self.actor.user_id
                )
            self.keep(connection, folder, batch.token or None, status if batch.more else "")
        return result, changes

    def pretend(
        self, box: stored.Box, connection: Connection, folder: Folder, batch: Batch
    ) -> MeetingBatch | None:
        """Write a batch of meetings into a transaction that is thrown away."""
        actions, decided, facts = self._plan(connection, box, folder, batch, imagined=False)
        writer = BatchWriter(
            connection, self.actor, self.mailbox, box.user, folder, facts, box.policy
        )
        writer.meetings = self.directions.meetings(connection, folder)
        writer.write(actions, decided)
        return writer.meetings

    def _plan(
        self,
        connection: Connection,
        box: stored.Box,
        folder: Folder,
        batch: Batch,
        *,
        imagined: bool = True,
    ) -> tuple[list[Action], list[Decided], Facts]:
        known = stored.known(connection, self.actor, box, folder, batch)
        if imagined and self.preview is not None:
            known = self.imagined.beside(known, folder, batch)
        actions = plan(batch, folder, known, box.ours, box.user)
        actions = self.directions.unstruck(actions, folder)
        wanted = [ActionKind.CREATE, ActionKind.UPDATE]
        if box.policy.asks_who:
            wanted.append(ActionKind.HOLD)
        items = [a.item for a in actions if a.kind in wanted and a.item is not None]
        facts = gather(connection, items, box.ours, box.id)
        facts.messages.update(self.imagined.threads(items))
        actions = narrow(actions, facts, box.policy)
        return actions, decide(actions, folder, facts), facts
