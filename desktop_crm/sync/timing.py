"""When a mailbox is read next by itself: regularly while all is well, ever later while it fails."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from desktop_crm.core.errors import EnvironmentProblem
from desktop_crm.models.mail import MailboxKind, MailboxState
from desktop_crm.services.context import Actor
from desktop_crm.services.mail import mailbox_kinds, mailboxes
from desktop_crm.services.mail.mailboxes import MailboxRow
from desktop_crm.sync.results import MailboxResult

EVERY: Final = timedelta(minutes=5)
"""Between two passes that went well."""

FIRST: Final = timedelta(minutes=1)
LONGEST: Final = timedelta(hours=1)


def back_off(failures: int, asked_s: float = 0.0) -> timedelta:
    """How long to wait after so many failures in a row: 1, 2, 4 … minutes, at most an hour.

    Args:
        failures: passes in a row that failed for a reason that may pass; at least 1.
        asked_s: seconds the server asked for; it is never tried earlier, however long that is.
    """
    doublings: int = 2 ** min(failures - 1, 10)
    own = min(FIRST * doublings, LONGEST)
    return max(own, timedelta(seconds=asked_s))


@dataclass(slots=True)
class Timing:
    """What this program remembers of the passes it made; a new start tries everything again."""

    _failures: dict[int, int] = field(default_factory=dict)
    _next: dict[int, datetime] = field(default_factory=dict)

    def note(self, results: Iterable[MailboxResult], now: datetime) -> None:
        """Remember how passes ended."""
        for result in results:
            box, problem = result.mailbox_id, result.problem
            if isinstance(problem, EnvironmentProblem) and problem.retryable:
                self._failures[box] = self._failures.get(box, 0) + 1
                asked = problem.params.get("retry_after")
                seconds = float(asked) if isinstance(asked, int | float) else 0.0
                self._next[box] = now + back_off(self._failures[box], seconds)
            else:
                self._failures.pop(box, None)
                self._next.pop(box, None)

    def next_at(self, box: MailboxRow, now: datetime) -> datetime | None:
        """When a mailbox is read next by itself.

        None when a person must act first: it was stopped, or never read, so that nobody has seen
        yet what its first pass would do.
        """
        if box.state == MailboxState.STOPPED.value or box.last_synced_at is None:
            return None
        if box.state == MailboxState.WAITING.value:
            at = self._next.get(box.id, now)
        else:
            at = box.last_synced_at + EVERY
        held = box.leased_until if box.held_by(now) else None
        return max(at, held) if held is not None else at


def is_mine_here(actor: Actor, box: MailboxRow) -> bool:
    """Whether this computer reads a mailbox: it is the user's own and what opens it lies here.

    Reads the keyring, so never on the UI thread.
    """
    if box.user_id != actor.user_id:
        return False
    if box.kind == MailboxKind.FOLDER.value:
        return Path(box.path).is_dir()
    if box.kind != MailboxKind.GRAPH.value and not mailbox_kinds.needs_password(
        box.kind, box.sign_in
    ):
        return True
    return mailboxes.password_of(box) is not None
