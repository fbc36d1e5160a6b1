"""Running one change over many records.

The records are taken in chunks, each a short transaction of its own, so that nobody waits long for
the lock; all chunks share one operation of the audit trail, so that one undo takes them all back.
A record that cannot be changed is left as it is and named in the report with the reason.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from desktop_crm.core.errors import CrmError, EnvironmentProblem, FieldError, ValidationFailed
from desktop_crm.core.identity import new_uid
from desktop_crm.db.engine import Cancel
from desktop_crm.meta import registry
from desktop_crm.services import query
from desktop_crm.services.changes import NOTHING, ChangeSet
from desktop_crm.services.checks import reachable
from desktop_crm.services.context import Actor
from desktop_crm.services.drafts import Work
from desktop_crm.services.permissions import denial
from desktop_crm.services.query import RecordQuery

CHUNK: Final = 500
"""Records of one transaction: about a tenth of a second of the lock."""
SOURCE: Final = "bulk"

Progress = Callable[[int, int], None]
Write = Callable[[Sequence[int], str], ChangeSet]
"""Changes some records under an operation in one transaction; raises without changing any."""


@dataclass(frozen=True, slots=True)
class Targets:
    """The records a change is meant for: some by key, or all that a list holds.

    Attributes:
        entity: Key of the entity.
        ids: Keys, where the person chose them.
        query: The list's question; None where the keys are given.
    """

    entity: str
    ids: Sequence[int] = ()
    query: RecordQuery | None = None

    def keys(self, actor: Actor, cancel: Cancel | None = None) -> Sequence[int]:
        """Every key; one statement for a list, none for chosen records."""
        if self.query is None:
            return list(dict.fromkeys(self.ids))
        return query.keys(actor, self.query, cancel)


@dataclass(frozen=True, slots=True)
class Failure:
    """One record that was left as it is: its title and why, in the interface language."""

    record_id: int
    title: str
    reason: str


@dataclass(frozen=True, slots=True)
class BulkReport:
    """What a change of many records came to.

    Attributes:
        operation: Operation in the audit trail; its undo takes everything back.
        asked: Records it was meant for.
        done: Records that were taken, those that had the values already included.
        changes: What changed.
        failures: Records left as they are.
        stopped: The person, or a problem of disk or server, stopped it; what was done until then
            stands.
    """

    operation: str
    asked: int
    done: int
    changes: ChangeSet = NOTHING
    failures: tuple[Failure, ...] = ()
    stopped: bool = False


@dataclass(slots=True)
class _Tally:
    """What a running job has come to so far."""

    operation: str
    done: int = 0
    changes: ChangeSet = NOTHING
    reasons: dict[int, str] = field(default_factory=dict)
    broken: str = ""


def run(
    actor: Actor,
    targets: Targets,
    action: str,
    write: Write,
    progress: Progress | None = None,
    cancel: Cancel | None = None,
) -> BulkReport:
    """Change records chunk by chunk; each costs what `write` does and one statement for rights.

    Args:
        actor: Who acts.
        targets: Which records.
        action: The right it takes: ``read``, ``edit`` or ``remove``.
        write: Does it.
        progress: Told how many of how many were looked at, after each chunk.
        cancel: Stops between two chunks; what was done stands and is reported.
    """
    ids = targets.keys(actor, cancel)
    tally = _Tally(new_uid())
    looked_at = 0
    for chunk in _chunks(ids):
        if tally.broken or (cancel is not None and cancel.is_cancelled):
            break
        _attempt(write, _reached(actor, targets.entity, chunk, action, tally), tally)
        looked_at += len(chunk)
        if progress is not None:
            progress(looked_at, len(ids))
    return BulkReport(
        tally.operation,
        len(ids),
        tally.done,
        tally.changes,
        _named(actor, targets.entity, tally.reasons),
        stopped=looked_at < len(ids),
    )


def _chunks(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(ids), CHUNK):
        yield ids[start : start + CHUNK]


def _reached(
    actor: Actor, entity_key: str, ids: Sequence[int], action: str, tally: _Tally
) -> Sequence[int]:
    """The records an action reaches; asked first, so that those of others cost no attempts."""
    entity = registry.get(entity_key)
    with actor.db.reading() as connection:
        work = Work(actor, connection, entity, tally.operation, None, SOURCE)
        reached = reachable(work, ids, action)
    if len(reached) == len(ids):
        return ids
    why = str(denial(actor, entity, action))
    tally.reasons |= {key: why for key in ids if key not in reached}
    return [key for key in ids if key in reached]


def _attempt(write: Write, ids: Sequence[int], tally: _Tally) -> None:
    """Change some records; those at fault are set aside and the rest tried again.

    Where an error does not say whose fault it is, the records are halved until it stands alone.
    """
    if not ids:
        return
    if tally.broken:
        tally.reasons |= dict.fromkeys(ids, tally.broken)
        return
    try:
        tally.changes = tally.changes.merge(write(ids, tally.operation))
        tally.done += len(ids)
    except ValidationFailed as error:
        wrong = error.by_record.keys() & set(ids)
        if wrong:
            tally.reasons |= {key: said(error.by_record[key]) for key in wrong}
            _attempt(write, [key for key in ids if key not in wrong], tally)
        else:
            _halve(write, ids, tally, error)
    except EnvironmentProblem as error:
        # A full disk or a lost server is no record's fault: trying each alone would take hours.
        tally.broken = str(error)
        tally.reasons |= dict.fromkeys(ids, tally.broken)
    except CrmError as error:
        _halve(write, ids, tally, error)


def _halve(write: Write, ids: Sequence[int], tally: _Tally, error: CrmError) -> None:
    if len(ids) == 1:
        faults = error.errors if isinstance(error, ValidationFailed) else ()
        tally.reasons[ids[0]] = said(faults) or str(error)
        return
    middle = len(ids) // 2
    _attempt(write, ids[:middle], tally)
    _attempt(write, ids[middle:], tally)


def said(errors: Sequence[FieldError]) -> str:
    """Faults of one record in words."""
    return " ".join(error.message for error in errors)


def _named(actor: Actor, entity_key: str, reasons: dict[int, str]) -> tuple[Failure, ...]:
    """Failures with the titles of the records; one statement for each five hundred."""
    title = registry.get(entity_key).title
    asked = RecordQuery(entity_key, (title,))
    titles: dict[int, str] = {}
    for chunk in _chunks(list(reasons)):
        for row in query.rows(actor, asked, chunk):
            titles[row.id] = str(row.values[0] or "")
    return tuple(Failure(key, titles.get(key, ""), reason) for key, reason in reasons.items())
