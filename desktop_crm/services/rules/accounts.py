"""Rules of accounts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from urllib.parse import urlsplit

from desktop_crm.core.i18n import N_
from desktop_crm.services.drafts import Draft, Work

_DOMAIN_LENGTH: Final = 120


def mail_domain(work: Work, drafts: Sequence[Draft]) -> None:
    """Take the mail domain from the website when it is empty; refuse an account as its parent."""
    for draft in drafts:
        if draft.changes("website") and not draft.get("domain"):
            domain = domain_of(draft.get("website") or "")
            if domain:
                draft.set("domain", domain)
        elif draft.changes("domain") and draft.get("domain"):
            draft.set("domain", draft.get("domain").lower().removeprefix("@"))
        if draft.id is not None and draft.get("parent") == draft.id:
            draft.fail("parent", N_("An account cannot be its own parent."))


def domain_of(website: str) -> str:
    """Host of a web address without ``www``; empty when there is none."""
    address = website if "//" in website else f"//{website}"
    try:
        host = urlsplit(address).hostname or ""
    except ValueError:
        return ""
    domain = host.removeprefix("www.")
    return domain if "." in domain and len(domain) <= _DOMAIN_LENGTH else ""
