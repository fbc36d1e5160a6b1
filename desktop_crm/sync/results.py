"""What a pass did, as plain values: the same for the window, the command line and a dry run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from desktop_crm.core.errors import CrmError, EnvironmentProblem, UserError
from desktop_crm.core.i18n import N_
from desktop_crm.services.changes import NOTHING, ChangeKind, ChangeSet

if TYPE_CHECKING:
    from desktop_crm.services.bulk.job import BulkReport
    from desktop_crm.sync.twoway.lines import Line

_NAMED: Final = N_("{mailbox}: {problem}")
TOLD: Final = 5_000
"""Created records of a kind that a pass names; of more it is enough that there are."""


def joined(before: ChangeSet, more: ChangeSet) -> ChangeSet:
    """What a pass changed so far, at the same size however large the mailbox is.

    A record that was just created stands in no open window, so the newest of them are named and
    the others left out; everything else that changed is named whole.
    """
    whole = before.merge(more)
    kept = tuple(
        replace(change, ids=frozenset(sorted(change.ids)[-TOLD // 2 :]))
        if change.kind is ChangeKind.CREATED and len(change.ids) > TOLD
        else change
        for change in whole.changes
    )
    return replace(whole, changes=kept)


@dataclass(slots=True)
class FolderResult:
    """One folder of one pass.

    Attributes:
        folder: its name.
        created: messages and meetings stored for the first time.
        updated: meetings whose content changed.
        known: items that another folder or mailbox had brought already.
        unchanged: items reported again without a change.
        gone: items that left the mailbox; their records stay.
        linked: created items that belong to a record for sure.
        suggested: created items that only may belong to one; a person decides.
        excluded: items not stored, with how often each reason (a sentence) applied.
        quarantined: items that could not be read: name and reason of each.
        remarked: meetings and tasks of which something could not be taken over as it is written:
            name and what (R34).
        resynced: the mailbox had forgotten the token and was enumerated again.
    """

    folder: str
    created: int = 0
    updated: int = 0
    known: int = 0
    unchanged: int = 0
    gone: int = 0
    linked: int = 0
    suggested: int = 0
    excluded: Counter[str] = field(default_factory=Counter)
    quarantined: list[tuple[str, str]] = field(default_factory=list)
    remarked: list[tuple[str, str]] = field(default_factory=list)
    resynced: bool = False

    @property
    def total(self) -> int:
        """Items looked at."""
        return sum(
            (
                self.created,
                self.updated,
                self.known,
                self.unchanged,
                self.gone,
                self.excluded.total(),
                len(self.quarantined),
            )
        )

    def add(self, other: FolderResult) -> None:
        """Add the counts of another batch of the same folder."""
        for name in ("created", "updated", "known", "unchanged", "gone", "linked", "suggested"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.excluded.update(other.excluded)
        self.quarantined += other.quarantined
        self.remarked += other.remarked
        self.resynced = self.resynced or other.resynced


@dataclass(slots=True)
class MailboxResult:
    """One mailbox of one pass; `problem` says why it ended early, what came before is kept.

    `written` tells what was done of the outbox, None for a mailbox that is only read; `lines` what
    a dry run would do; `two_way` whether it is written to.
    """

    mailbox_id: int
    name: str
    folders: list[FolderResult] = field(default_factory=list)
    problem: CrmError | None = None
    changes: ChangeSet = NOTHING
    written: OutboxResult | None = None
    lines: list[Line] = field(default_factory=list)
    two_way: bool = False


@dataclass(slots=True)
class OutboxResult:
    """What one pass did of the journal of deeds.

    Attributes:
        done: deeds that are done.
        failed: deeds the mailbox refused for good, or that were out of date.
        postponed: deeds that will be tried again.
        held: deletions that wait for a person because they were too many.
        problem: why the pass over the journal ended early; what is left stays in it.
        noted: letters that were noted on the records they went to, and where that failed.
    """

    done: int = 0
    failed: int = 0
    postponed: int = 0
    held: int = 0
    problem: CrmError | None = None
    changes: ChangeSet = NOTHING
    noted: list[BulkReport] = field(default_factory=list)

    @property
    def tried(self) -> int:
        """How often anything was asked of the mailbox."""
        return self.done + self.failed + self.postponed


@dataclass(slots=True)
class SyncResult:
    """All mailboxes of one pass."""

    mailboxes: list[MailboxResult] = field(default_factory=list)
    dry_run: bool = False

    @property
    def changes(self) -> ChangeSet:
        """Everything that was written, for the windows."""
        return merged(result.changes for result in self.mailboxes)

    @property
    def problem(self) -> CrmError | None:
        """The first problem, if any mailbox had one."""
        return next((r.problem for r in self.mailboxes if r.problem is not None), None)

    @property
    def named_problem(self) -> CrmError | None:
        """The first problem; of several mailboxes the one that had it is named."""
        box = next((one for one in self.mailboxes if one.problem is not None), None)
        if box is None or box.problem is None or len(self.mailboxes) == 1:
            return self.problem
        said, again = str(box.problem), getattr(box.problem, "retryable", None)
        if again is None:
            return UserError(_NAMED, mailbox=box.name, problem=said)
        return EnvironmentProblem(_NAMED, retryable=again, mailbox=box.name, problem=said)

    @property
    def noted(self) -> tuple[BulkReport, ...]:
        """Letters that were noted on the records they went to."""
        written = (box.written for box in self.mailboxes if box.written is not None)
        return tuple(report for one in written for report in one.noted)

    def count(self, name: str) -> int:
        """Sum of one of the counted attributes of a folder over the pass."""
        return sum(_size(getattr(folder, name)) for box in self.mailboxes for folder in box.folders)


def _size(value: int | Counter[str] | list[tuple[str, str]]) -> int:
    if isinstance(value, int):
        return value
    return value.total() if isinstance(value, Counter) else len(value)


def merged(changes: Iterable[ChangeSet]) -> ChangeSet:
    """Several reports as one."""
    found = NOTHING
    for change in changes:
        found = found.merge(change)
    return found
