"""Rules of e-mail addresses and phone numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import select

from desktop_crm.core import text
from desktop_crm.models import OwnCompany
from desktop_crm.services.drafts import Draft, Work

_DOMAIN_LENGTH: Final = 190


def email_domain(work: Work, drafts: Sequence[Draft]) -> None:
    """Keep the domain beside the address."""
    for draft in drafts:
        if draft.changes("address"):
            draft.set("domain", text.email_domain(draft.get("address") or "")[:_DOMAIN_LENGTH])


def canonical_phone(work: Work, drafts: Sequence[Draft]) -> None:
    """Keep the number in E.164 beside the written one."""
    changed = [draft for draft in drafts if draft.changes("number")]
    if not changed:
        return
    region = work.connection.execute(select(OwnCompany.phone_region).limit(1)).scalar() or "RO"
    for draft in changed:
        draft.set("canonical", text.canonical_phone(draft.get("number") or "", region))
