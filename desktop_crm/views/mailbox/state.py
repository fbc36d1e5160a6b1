"""How a mailbox stands, in words: what it is doing, why it waits and until when, what mends it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

from desktop_crm.core.i18n import N_, ntr, tr
from desktop_crm.meta.field import Tone
from desktop_crm.models.mail import MailboxKind, MailboxState
from desktop_crm.services.mail import mailbox_kinds
from desktop_crm.sync.folder_names import folder_name

if TYPE_CHECKING:
    from desktop_crm.core.formats import Formats
    from desktop_crm.services.mail.mailboxes import MailboxRow
    from desktop_crm.views.mailbox.passes import MailPasses, Running

PAUSED: Final = N_("Paused")
_BY_TROUBLE: Final = (Tone.BAD, Tone.WARN, Tone.INFO, Tone.NEUTRAL, Tone.OK)


@dataclass(frozen=True, slots=True)
class Standing:
    """One mailbox: a word, its tone, and sentences; `mend` is the command that lets it go on."""

    word: str
    tone: Tone
    sentence: str
    mend: str = ""


def standing(
    box: MailboxRow,
    formats: Formats,
    now: datetime,
    *,
    doing: Running | None = None,
    paused: bool = False,
    next_at: datetime | None = None,
) -> Standing:
    """How a mailbox stands.

    Args:
        box: the mailbox as it was read.
        formats: how the person reads times.
        now: this moment.
        doing: what a pass of this program is doing in it.
        paused: nothing is read by itself on this computer.
        next_at: when it is read next by itself; None for never.
    """
    state = MailboxState(box.state)
    running = tr(MailboxState.RUNNING.label)
    if doing is not None:
        return Standing(running, Tone.INFO, _doing(doing))
    other = box.held_by(now)
    if other:
        return Standing(running, Tone.INFO, tr("Synchronised by {machine} now.", machine=other))
    word, tone = tr(state.label), state.tone
    if state is MailboxState.STOPPED:
        return Standing(word, tone, box.message, _mend(box))
    if paused and box.last_synced_at is not None:
        return Standing(tr(PAUSED), Tone.NEUTRAL, _sentences(box.message, _last(box, formats)))
    if state is MailboxState.WAITING:
        again = "" if next_at is None else _again(next_at, now, formats)
        return Standing(word, tone, _sentences(box.message, again))
    return Standing(word, tone, _last(box, formats))


def of_passes(box: MailboxRow, passes: MailPasses, now: datetime) -> Standing:
    """How a mailbox stands in a window with its passes."""
    return standing(
        box,
        passes.bench.formats,
        now,
        doing=passes.doing(box),
        paused=passes.is_paused,
        next_at=passes.next_at(box),
    )


def worst(found: Sequence[Standing]) -> Standing:
    """The one a person should hear of first."""
    return min(found, key=lambda one: _BY_TROUBLE.index(one.tone))


def _doing(doing: Running) -> str:
    if not doing.folder:
        return tr("Signing in.")
    return ntr(
        "{folder}: {n} item so far.", "{folder}: {n} items so far.", doing.items,
        folder=folder_name(doing.folder),
    )  # fmt: skip


def _again(at: datetime, now: datetime, formats: Formats) -> str:
    if at <= now:
        return tr("It is tried again at once.")
    return tr("It is tried again at {time}.", time=formats.time(at))


def _last(box: MailboxRow, formats: Formats) -> str:
    if box.last_synced_at is None:
        return tr("Nothing has been read yet; “Synchronise now” shows first what it would do.")
    return tr("Last synchronised {when}.", when=formats.relative_day(box.last_synced_at))


def _mend(box: MailboxRow) -> str:
    if box.kind == MailboxKind.GRAPH.value:
        return tr("Sign in again…")
    if mailbox_kinds.needs_password(box.kind, box.sign_in):
        return tr("Enter the password…")
    return tr("Change the settings…")


def _sentences(*parts: str) -> str:
    return " ".join(part for part in parts if part)
