"""What a person is asked before a message leaves: what is probably forgotten."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from desktop_crm.core.i18n import ntr, tr
from desktop_crm.core.text import fold

MANY: Final = 10
"""So many visible recipients are asked about: they all see each other's address."""

_ATTACHED: Final = re.compile(
    r"\b(attached|attachments?|attaching|enclosed|enclosing|atasat[aei]?|atasam|atasez|"
    r"atasament(e|ul|ele)?|anexat[aei]?|anexez|anexam)\b"
)


def names_attachment(text: str) -> bool:
    """Whether a text speaks of an attachment, in English or Romanian, with or without accents."""
    return _ATTACHED.search(fold(text)) is not None


def questions(
    *,
    subject: str,
    text: str,
    files: int,
    visible: int,
    gaps: Sequence[str] = (),
    refused: Sequence[str] = (),
) -> list[str]:
    """Sentences to answer before sending; none when all is well.

    Args:
        subject: the subject.
        text: what was written, without what it quotes.
        files: number of attachments.
        visible: number of recipients in To and Cc.
        gaps: placeholders that were not filled.
        refused: addresses whose owners want no mail, or that cannot be reached.
    """
    asked = []
    if gaps:
        asked.append(tr("These placeholders are not filled: {names}.", names=", ".join(gaps)))
    if not subject.strip():
        asked.append(tr("The message has no subject."))
    if not files and names_attachment(f"{subject}\n{text}"):
        asked.append(tr("The text speaks of an attachment, but no file is attached."))
    if visible > MANY:
        asked.append(
            ntr(
                "{n} people will see each other's address; Bcc would hide them.",
                "{n} people will see each other's address; Bcc would hide them.",
                visible,
            )
        )
    if refused:
        names = ", ".join(refused)
        asked.append(tr("No e-mail is wanted, or none arrives, at: {addresses}.", addresses=names))
    return asked
