"""Rules of stored files."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from desktop_crm.core.i18n import N_, tr
from desktop_crm.services.checks import SYNC
from desktop_crm.services.drafts import Draft, Work

ATTACHED: Final = "attachment"
"""Way in of files whose bytes the person has."""
PRINTED: Final = "print"
"""Way in of quotes that the program printed."""


def own_bytes(work: Work, drafts: Sequence[Draft]) -> None:
    """Refuse to name bytes by their fingerprint alone.

    Bytes are stored once, whoever brought them: who could name those of others would read them.
    """
    if work.source in {ATTACHED, PRINTED, SYNC}:  # each has the bytes itself
        return
    for draft in drafts:
        if draft.changes("sha256"):
            label = tr(work.entity.fields["sha256"].label)
            draft.fail("sha256", N_("{label} is set by the program."), label=label)
