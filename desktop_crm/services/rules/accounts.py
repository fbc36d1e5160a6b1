"""Rules of accounts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from urllib.parse import urlsplit

from sqlalchemy import select

from desktop_crm.core.i18n import N_
from desktop_crm.services.drafts import Draft, Work
from desktop_crm.services.query import key_clause

_DOMAIN_LENGTH: Final = 120


def mail_domain(work: Work, drafts: Sequence[Draft]) -> None:
    """Take the mail domain from the website when it is empty."""
    for draft in drafts:
        if draft.changes("website") and not draft.get("domain"):
            domain = domain_of(draft.get("website") or "")
            if domain:
                draft.set("domain", domain)
        elif draft.changes("domain") and draft.get("domain"):
            draft.set("domain", draft.get("domain").lower().removeprefix("@"))


def no_circle(work: Work, drafts: Sequence[Draft]) -> None:
    """Refuse an account above itself, directly or over others; one statement."""
    moved = [d for d in drafts if d.id is not None and d.changes("parent") and d.get("parent")]
    if not moved:
        return
    above = _parents(work, [d.get("parent") for d in moved])
    above |= {d.id: d.get("parent") for d in moved if d.id is not None}
    for draft in moved:
        seen: set[int] = set()
        step = draft.get("parent")
        while step is not None and step not in seen and step != draft.id:
            seen.add(step)
            step = above.get(step)
        if draft.get("parent") == draft.id:
            draft.fail("parent", N_("An account cannot be its own parent."))
        elif step == draft.id:
            draft.fail(
                "parent",
                N_(
                    "The parent chosen belongs to this account itself, over one or more others. "
                    "Choose an account outside its own hierarchy."
                ),
            )


def _parents(work: Work, ids: Sequence[int]) -> dict[int, int | None]:
    """Parent of some accounts and of all above them."""
    table = work.entity.table
    first = select(table.c.id, table.c.parent_id).where(
        key_clause(work.connection, table.c.id, ids)
    )
    chain = first.cte("chain", recursive=True)
    # UNION, not UNION ALL: it ends where an older circle closes.
    chain = chain.union(
        select(table.c.id, table.c.parent_id).where(table.c.id == chain.c.parent_id)
    )
    return {row[0]: row[1] for row in work.connection.execute(select(chain))}


def domain_of(website: str) -> str:
    """Host of a web address without ``www``; empty when there is none."""
    address = website if "//" in website else f"//{website}"
    try:
        host = urlsplit(address).hostname or ""
    except ValueError:
        return ""
    domain = host.removeprefix("www.")
    return domain if "." in domain and len(domain) <= _DOMAIN_LENGTH else ""
