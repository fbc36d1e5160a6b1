"""Rules of currencies."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from desktop_crm.core.i18n import N_
from desktop_crm.services.drafts import Draft, Work

_CODE: Final = re.compile(r"[A-Z]{3}")


def code(work: Work, drafts: Sequence[Draft]) -> None:
    """Keep codes in the form of ISO 4217; amounts are rounded and printed by them."""
    for draft in drafts:
        written = draft.get("code")
        if not draft.changes("code") or not written:
            continue
        draft.set("code", written.upper())
        if not _CODE.fullmatch(written.upper()):
            draft.fail("code", N_("A currency has a code of three letters, such as EUR or RON."))
