"""Rules of mailboxes: their user alone changes them, and commands are words of this program."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Final

from sqlalchemy import select

from desktop_crm.core.i18n import N_
from desktop_crm.core.text import fold
from desktop_crm.models import Mailbox
from desktop_crm.services.drafts import Draft, Work
from desktop_crm.services.query import key_clause


class Command(StrEnum):
    """What a category set on the phone can ask for."""

    TRACK = "track"
    WON = "won"
    CALL_BACK = "call back"


_ANOTHERS: Final = N_(
    "The mailbox is another person's: only they change it or what is done with its mail. Remove "
    "it, where it is needed no more."
)
_WORDS: Final = {
    "track": Command.TRACK,
    "urmareste": Command.TRACK,
    "won": Command.WON,
    "castigat": Command.WON,
    "call back": Command.CALL_BACK,
    "suna": Command.CALL_BACK,
}


def _command(line: str) -> tuple[str, Command] | None:
    name, sign, rest = line.partition("=")
    word = _WORDS.get(fold(rest))
    return (fold(name), word) if sign and fold(name) and word is not None else None


def commands_of(text: str) -> dict[str, Command]:
    """Commands by folded category, as a person wrote them one a line."""
    return dict(found for line in text.splitlines() if (found := _command(line)) is not None)


def known_commands(work: Work, drafts: Sequence[Draft]) -> None:
    """Refuse a line that says no command, rather than doing nothing about it later."""
    for draft in drafts:
        for line in str(draft.get("commands") or "").splitlines():
            if line.strip() and _command(line) is None:
                draft.fail(
                    "commands",
                    N_(
                        "“{line}” is no command. Write a category, an equals sign and one of: "
                        "track, won, call back."
                    ),
                    line=line.strip(),
                )


def by_its_user(work: Work, drafts: Sequence[Draft]) -> None:
    """Refuse what anybody else changes of a person's mailbox; an administrator is no exception.

    Whose it is, what is shared of it and where its password goes decide who reads its mail.
    """
    me = work.actor.user_id
    for draft in drafts:
        if me is None or draft.is_new or draft.old.get("user") in (None, me):
            continue
        draft.fail("user", _ANOTHERS)


def rules_by_its_user(work: Work, drafts: Sequence[Draft]) -> None:
    """Refuse a rule for another person's mail: what belongs to a record may be seen by others."""
    me = work.actor.user_id
    if me is None:
        return
    table = Mailbox.__table__.c
    named = sorted({key for draft in drafts if (key := draft.get("mailbox")) is not None})
    theirs = select(table.id).where(
        key_clause(work.connection, table.id, named),
        table.user_id.is_not(None),
        table.user_id != me,
    )
    others = set(work.connection.execute(theirs).scalars()) if named else set()
    for draft in drafts:
        if draft.get("mailbox") in others:
            draft.fail("mailbox", _ANOTHERS)
