"""Rules of accounts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from desktop_crm.core.errors import ValidationFailed
from desktop_crm.core.i18n import N_
from desktop_crm.core.sameness import domain_of, same_tax
from desktop_crm.services.drafts import Draft, Work
from desktop_crm.services.duplicates.tax_ids import tax_holders, visible_accounts
from desktop_crm.services.rules.circles import no_circle

TAKEN: Final = N_(
    "“{name}” has the tax id {tax} already. Open that account instead, or change the tax id."
)
HIDDEN: Final = N_(
    "An account that you may not see has the tax id {tax} already. Ask your administrator for it, "
    "or change the tax id."
)


def mail_domain(work: Work, drafts: Sequence[Draft]) -> None:
    """Take the mail domain from the website when it is empty."""
    for draft in drafts:
        if draft.changes("website") and not draft.get("domain"):
            domain = domain_of(draft.get("website") or "")
            if domain:
                draft.set("domain", domain)
        elif draft.changes("domain") and draft.get("domain"):
            draft.set("domain", draft.get("domain").lower().removeprefix("@"))


own_parent = no_circle(
    N_("An account cannot be its own parent."),
    N_(
        "The parent chosen belongs to this account itself, over one or more others. "
        "Choose an account outside its own hierarchy."
    ),
)


def one_tax_id(work: Work, drafts: Sequence[Draft]) -> None:
    """Refuse a tax id that another living account has already; the only duplicate that blocks.

    One statement, and one more where somebody has it.
    """
    asked = {id(d): str(d.get("tax_id")) for d in drafts if d.get("tax_id") and _asks(work, d)}
    if not asked:
        return
    holders = tax_holders(work.connection, asked.values())
    held = {key for own in holders.values() for key in own}
    seen = visible_accounts(work.connection, work.actor, held) if held else set()
    earlier: dict[str, Draft] = {}
    for draft in drafts:
        written = asked.get(id(draft), "")
        others = {k: t for k, t in holders.get(written, {}).items() if k != draft.id}
        twin = next((d for text, d in earlier.items() if same_tax(text, written)), None)
        if others:
            named = next((t for k, t in others.items() if k in seen), "")
            draft.fail("tax_id", TAKEN if named else HIDDEN, tax=written, name=named)
        elif twin is not None:
            draft.fail("tax_id", TAKEN, tax=written, name=str(twin.get("name")))
        elif written:
            earlier[written] = draft


def _asks(work: Work, draft: Draft) -> bool:
    """Whether the tax id is new, or the account is taken up again; else it stands as it stood."""
    return draft.is_new or draft.changes("tax_id") or draft.changes("state")


def still_one_tax_id(work: Work, drafts: Sequence[Draft]) -> None:
    """Refuse to take an account back from the bin while another one has its tax id.

    Raises:
        ValidationFailed: With the account that has it; nothing was restored.
    """
    living = [draft for draft in drafts if draft.old.get("deleted_at") is None]
    written = {str(d.old["tax_id"]) for d in living if d.old.get("tax_id")}
    holders = tax_holders(work.connection, written) if written else {}
    for draft in living:
        own = holders.get(str(draft.old.get("tax_id")), {})
        others = {key: title for key, title in own.items() if key != draft.id}
        if others:
            seen = visible_accounts(work.connection, work.actor, others)
            named = next((title for key, title in others.items() if key in seen), "")
            template = TAKEN if named else HIDDEN
            draft.fail("tax_id", template, tax=draft.old["tax_id"], name=named)
    errors = tuple(error for draft in living for error in draft.errors)
    if errors:
        raise ValidationFailed(errors)
