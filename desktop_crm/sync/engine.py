"""The pass over one mailbox: folder by folder, batch by batch, each batch with its token.

A batch is fetched outside any transaction and written in one short one together with the token
that stands behind it. Whatever breaks, the next pass goes on after the last whole batch; what is
reported twice is recognised and changes nothing.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final, TypeVar

from desktop_crm.core.errors import Cancelled, CrmError, EnvironmentProblem
from desktop_crm.core.i18n import N_
from desktop_crm.db.engine import Cancel
from desktop_crm.services.changes import NOTHING, ChangeSet
from desktop_crm.services.context import Actor
from desktop_crm.sync import known as stored
from desktop_crm.sync import lease
from desktop_crm.sync.batches import RESYNC, Batches
from desktop_crm.sync.folders_read import MAIL, folders_to_read
from desktop_crm.sync.imagined import Imagined
from desktop_crm.sync.late import resolve_late
from desktop_crm.sync.outbox import OutboxPass
from desktop_crm.sync.patience import Answer, aside, begin, pause, read
from desktop_crm.sync.port import (
    Batch,
    Folder,
    Mailbox,
    Progress,
    TokenInvalid,
)
from desktop_crm.sync.results import FolderResult, MailboxResult, joined
from desktop_crm.sync.texts import follow_links
from desktop_crm.sync.twoway.commands import CommandPass
from desktop_crm.sync.twoway.directions import Directions
from desktop_crm.sync.twoway.lines import Consent
from desktop_crm.sync.twoway.passing import TwoWayPass
from desktop_crm.sync.twoway.preview import Preview, Tell
from desktop_crm.sync.twoway.settling import Settling
from desktop_crm.sync.writes import WritableMailbox

_log = logging.getLogger(__name__)

R = TypeVar("R")

PATIENCE: Final = (1.0, 4.0)
"""Seconds before each repetition of a request that failed for a reason that may pass."""

LONGEST_WAIT_S: Final = 30.0
"""A server that asks for more is left alone until the next pass."""


@dataclass(slots=True)
class Engine:
    """One pass over one mailbox.

    Attributes:
        actor: who acts.
        mailbox: key of the mailbox.
        port: where its items come from.
        dry_run: decide and count, write nothing.
        cancel: stops between two batches and while waiting.
        progress: told how many items of a folder have been taken over.
        only_write: do what the outbox holds and read nothing.
        consent: what a person decided about the lines of a dry run.
        tell: told page by page what a dry run finds; without it the result has all its lines.
        wait: how to wait before a repetition.
    """

    actor: Actor
    mailbox: int
    port: Mailbox
    dry_run: bool = False
    cancel: Cancel = field(default_factory=Cancel)
    progress: Progress | None = None
    only_write: bool = False
    consent: Consent = Consent()  # noqa: RUF009  a value that never changes
    tell: Tell | None = None
    wait: Callable[[float, Cancel], None] = pause
    _holder: str = field(default_factory=lease.new_holder)
    _journal: OutboxPass | None = None
    _directions: Directions = field(init=False)
    _batches: Batches = field(init=False)

    def __post_init__(self) -> None:
        self._directions = Directions.of(self.actor, self.mailbox, self.port)
        self._batches = Batches(
            self.actor, self.mailbox, self._directions, self._holder, self.cancel
        )

    def run(self) -> MailboxResult:
        """Read every folder; a problem ends the pass and stands in the result.

        Raises:
            Cancelled: the work was stopped; whole batches are kept.
        """
        with self.actor.db.reading() as connection:
            box = stored.box(connection, self.mailbox)
        result = MailboxResult(self.mailbox, box.name, two_way=self._directions.chosen.two_way)
        if self.dry_run:
            both = self._directions.chosen.two_way
            args = (self.actor, self.mailbox, self.cancel, self.tell)
            self._batches.preview = Preview.of(*args, two_way=both)
            self._batches.imagined = Imagined(is_whole=self.tell is None)
        try:
            self._lease()
            self._open_journal()
            self._write_out(result)
            if not self.only_write:
                self._read(box, result)
        except Cancelled:
            raise
        except CrmError as problem:
            if not isinstance(problem, EnvironmentProblem) or not problem.retryable:
                _log.warning("mailbox %s: %s", box.name, problem.template)
            result.problem = problem
        finally:
            self._release()
            if self.cancel.is_cancelled:
                # A call that was let go of may still use the connection; nobody waits for it.
                aside(self.port.close)
            else:
                self.port.close()
        return result

    def _read(self, box: stored.Box, result: MailboxResult) -> None:
        directions = self._directions
        folders = directions.folders(
            folders_to_read(self.port, box.policy, self._patiently), self._patiently
        )
        both = self._both_ways(folders)
        if self._batches.preview is not None:
            folders = self._batches.preview.begin(
                folders, both, partial(self._batches.pretend, box)
            )
        counts: dict[str, FolderResult] = {}
        try:
            begun = self._begin_each(box, folders, counts, result)
            # Years of mail wait for the meetings, which are soon read.
            for folder in sorted(folders, key=lambda f: begun.get(f.key, False) and f.role in MAIL):
                if self._batches.preview is not None:
                    self._batches.preview.enter(folder)
                if begun.get(folder.key, True) and not directions.uncertain(folder):
                    self._folder(box, folder, counts, result)
        finally:
            result.folders += [counts[one.key] for one in folders if one.key in counts]
        result.folders += self._lost([folder.key for folder in folders])
        result.changes = result.changes.merge(self._late(box))
        if not self.dry_run:
            found = follow_links(
                self.actor, box, self.port, self._holder, self._patiently, self.cancel
            )
            result.changes = result.changes.merge(found)
        if self._batches.preview is not None:
            result.lines = self._batches.preview.end()
        else:
            self._bring_together(both, result)

    def _begin_each(
        self,
        box: stored.Box,
        folders: Sequence[Folder],
        counts: dict[str, FolderResult],
        result: MailboxResult,
    ) -> dict[str, bool]:
        """A page of each folder that is read for the first time, so that all soon show something.

        Returns:
            Of each of them, whether more is to come.
        """
        found: dict[str, bool] = {}
        if self.dry_run:
            return found
        with self.actor.db.reading() as connection:
            new = [
                folder
                for folder in folders
                if stored.progress(connection, self.mailbox, folder.key).row is None
            ]
        for folder in new:
            if not self._directions.uncertain(folder):
                found[folder.key] = self._folder(box, folder, counts, result, pages=1)
                self._write_out(result)
        return found

    def _both_ways(self, folders: Sequence[Folder]) -> TwoWayPass | None:
        """The pass over both sides, of a mailbox that is written to."""
        if not self._directions.kinds or not isinstance(self.port, WritableMailbox):
            return None
        return TwoWayPass(
            self.actor,
            self.mailbox,
            self.port,
            self._directions.chosen,
            self._holder,
            [one for one in folders if one != self._directions.calendar],
            self._directions.every,
            self._directions.calendar,
            self.consent,
            self.cancel,
        )

    def _bring_together(self, both: TwoWayPass | None, result: MailboxResult) -> None:
        """Bring both sides together, and carry out what categories ask for."""
        commands = CommandPass(self.actor, self.mailbox, self.port, self._directions.chosen)
        try:
            if both is not None:
                both.run()
            commands.run()
        finally:
            for changes in (commands.changes, both.changes if both is not None else NOTHING):
                result.changes = joined(result.changes, changes)
        if commands.ordered or (both is not None and both.ordered):
            self._write_out(result)

    def _write_out(self, result: MailboxResult) -> bool:
        """What was ordered goes out before anything is read, and between two batches.

        Returns:
            Whether anything was tried.
        """
        if self._journal is None:
            return False
        before = self._journal.result.tried
        result.written = self._journal.result
        try:
            self._journal.run()
        finally:
            result.changes = result.changes.merge(self._journal.result.changes)
        settling = Settling(self.actor, self.mailbox, self._journal.port, self._holder)
        self._patiently(settling.run, writes=True)
        result.changes = result.changes.merge(settling.changes)
        return self._journal.result.tried != before

    def _open_journal(self) -> None:
        if not self.dry_run and isinstance(self.port, WritableMailbox):
            self._journal = OutboxPass(
                self.actor, self.mailbox, self.port, self._holder, self.cancel
            )
            self._journal.tidy()

    def _lease(self) -> None:
        if not self.dry_run:
            with self.actor.db.writing() as connection:
                lease.take(connection, self.mailbox, self._holder, self.actor.user_id)

    def _release(self) -> None:
        if self.dry_run:
            return
        try:
            with self.actor.db.writing() as connection:
                lease.release(connection, self.mailbox, self._holder, self.actor.user_id)
        except CrmError:
            # The pass has a problem of its own to tell; the lease ends by itself.
            _log.warning("the lease of mailbox %d was not given back", self.mailbox, exc_info=True)

    def _folder(
        self,
        box: stored.Box,
        folder: Folder,
        results: dict[str, FolderResult],
        result: MailboxResult,
        pages: int = sys.maxsize,
    ) -> bool:
        """Read a folder on; answers whether pages are left."""
        counts = results.setdefault(folder.key, FolderResult(folder.name))
        with self.actor.db.reading() as connection:
            state = stored.progress(connection, self.mailbox, folder.key)
        token, status = state.token, state.status
        if token is not None and self._directions.unagreed(folder):
            token, status = None, RESYNC
            self._begin_anew(folder, status)
        ahead: Answer[Batch] | None = None
        while True:
            self.cancel.check()
            try:
                batch = self._patiently(partial(self.port.changes, folder, token), begun=ahead)
            except TokenInvalid as error:
                if token is None:
                    raise _nonsense(folder) from error
                _log.info("folder %s is enumerated anew: %s", folder.name, error)
                token, status = None, RESYNC
                counts.resynced = True
                self._begin_anew(folder, status)
                ahead = None
                continue
            more = batch.more and batch.token != token
            # The mailbox makes the next page ready while this one is written.
            pages -= 1
            begins = more and pages > 0
            ahead = begin(partial(self.port.changes, folder, batch.token)) if begins else None
            try:
                one, changes = self._batches.take(box, folder, batch, status, token)
            finally:
                if ahead is not None:
                    ahead.settle(self.cancel)
            counts.add(one)
            result.changes = joined(result.changes, changes)
            if self.progress is not None:
                self.progress(folder.name, counts.total)
            if ahead is None:
                return more
            token = batch.token
            if self._write_out(result):
                ahead = None  # that page is older than what was written

    def _lost(self, present: list[str]) -> list[FolderResult]:
        """Folders that are no longer there: what they held has left the mailbox."""
        with self.actor.db.reading() as connection:
            lost = stored.lost_folders(connection, self.mailbox, present)
        if lost and not self.dry_run:
            with self.actor.db.writing() as connection:
                stored.forget_folders(connection, lost)
        return [FolderResult(name, gone=len(keys)) for name, keys in lost.values()]

    def _late(self, box: stored.Box) -> ChangeSet:
        if self.dry_run:
            return NOTHING
        with self.actor.db.writing() as connection:
            return resolve_late(connection, box.ours, box.last_synced_at, self.actor.user_id)

    def _patiently(
        self, work: Callable[[], R], *, writes: bool = False, begun: Answer[R] | None = None
    ) -> R:
        """Ask again where that can help: a wrong password is asked with once.

        A call that only reads is let go of when the work is stopped; the first may have begun.
        """
        for patience in PATIENCE:
            try:
                if begun is not None:
                    return begun.wait(self.cancel)
                return work() if writes else read(work, self.cancel)
            except EnvironmentProblem as problem:
                asked = problem.params.get("retry_after")
                seconds = float(asked) if isinstance(asked, int | float) else patience
                if not problem.retryable or seconds > LONGEST_WAIT_S:
                    raise
                _log.info("waiting %.1f s: %s", seconds, problem.template)
                self.wait(seconds, self.cancel)
                begun = None
        return work() if writes else read(work, self.cancel)

    def _begin_anew(self, folder: Folder, status: str) -> None:
        if self.dry_run:
            return
        with self.actor.db.writing() as connection:
            self._batches.keep(connection, folder, None, status)
            stored.await_again(connection, self.mailbox, folder.key)


def _nonsense(folder: Folder) -> EnvironmentProblem:
    return EnvironmentProblem(
        N_(
            'The server takes back its own position in the folder "{folder}". What was read so '
            "far is kept; try again later."
        ),
        retryable=True,
        folder=folder.name,
    )
