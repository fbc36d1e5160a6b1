"""Rules of mailboxes: categories that are commands are words this program knows."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Final

from desktop_crm.core.i18n import N_
from desktop_crm.core.text import fold
from desktop_crm.services.drafts import Draft, Work


class Command(StrEnum):
    """What a category set on the phone can ask for."""

    TRACK = "track"
    WON = "won"
    CALL_BACK = "call back"


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
