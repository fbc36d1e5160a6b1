"""What people do with quotes: make one from an opportunity, activate, revise, close, print.

Each function is one transaction. The states themselves are ruled in ``quote_rules``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import select

from desktop_crm.core import clock
from desktop_crm.core.errors import NotFound, UserError
from desktop_crm.core.i18n import N_
from desktop_crm.core.identity import new_uid
from desktop_crm.meta import registry
from desktop_crm.models.quote import Quote, QuoteReason, QuoteState
from desktop_crm.services import records, writer
from desktop_crm.services.changes import ChangeSet
from desktop_crm.services.context import Actor
from desktop_crm.services.drafts import Work
from desktop_crm.services.permissions import row_clause
from desktop_crm.services.rules.quote_reading import LINES
from desktop_crm.services.rules.quote_rules import VALID_DAYS

_FROM_OPPORTUNITY: Final = ("name", "account", "contact", "currency", "price_list")
_REVISED: Final = (
    "name",
    "number",
    "account",
    "contact",
    "opportunity",
    "owner",
    "currency",
    "price_list",
    "is_tax_inclusive",
    "discount_percent",
    "discount_amount",
    "freight_amount",
    "freight_tax_code",
    "payment_terms",
    "delivery_terms",
    "bill_to",
    "ship_to",
    "terms",
    "description",
)
_REVISED_LINES: Final = (
    "kind",
    "group",
    "product",
    "description",
    "quantity",
    "unit",
    "unit_price",
    "discount_percent",
    "discount_amount",
    "tax_code",
    "cost",
)
_REVISION: Final = re.compile(r"^(?P<number>.*?)(?:\s+rev\.?\s*(?P<revision>\d+))?$", re.IGNORECASE)


def create_from_opportunity(actor: Actor, opportunity_id: int) -> records.Saved:
    """Make a draft quote for an opportunity: customer, price list and products are taken over.

    Raises:
        NotFound: The opportunity does not exist, or this user may not see it.
        PermissionDenied: The user may not create quotes.
    """
    source = records.get(actor, "opportunity", opportunity_id)
    values: dict[str, Any] = {
        name: source.values.get(name)
        for name in _FROM_OPPORTUNITY
        if source.values.get(name) is not None
    }
    values["opportunity"] = opportunity_id
    values[LINES] = [_line_of(row) for row in source.lines.get(LINES, ())]
    return records.save(actor, "quote", None, None, values)


def _line_of(row: Mapping[str, Any]) -> dict[str, Any]:
    names = ("product", "description", "quantity", "unit_price")
    return {name: row[name] for name in names if row.get(name) is not None}


def activate(actor: Actor, quote_id: int, version: int) -> records.Saved:
    """Give the quote its number and freeze it; from then on it can only be closed or revised.

    Raises:
        ValidationFailed: Customer, lines, tax codes or validity are missing.
        Conflict: Somebody changed it meanwhile.
    """
    return records.save(actor, "quote", quote_id, version, {"state": QuoteState.ACTIVE.value})


def close(actor: Actor, quote_id: int, version: int, reason: QuoteReason) -> records.Saved:
    """Close a quote as won, lost or canceled.

    Raises:
        ValidationFailed: Its state does not allow it.
        Conflict: Somebody changed it meanwhile.
    """
    state = QuoteState.WON if reason is QuoteReason.WON else QuoteState.CLOSED
    values = {"state": state.value, "status_reason": reason.value}
    return records.save(actor, "quote", quote_id, version, values)


def revise(actor: Actor, quote_id: int, version: int) -> records.Saved:
    """Close an active quote as revised and make a draft with the same number, one revision later.

    Raises:
        UserError: The quote is not active; nothing was changed.
        Conflict: Somebody changed it meanwhile.
    """
    old = records.get(actor, "quote", quote_id)
    if old.values.get("state") != QuoteState.ACTIVE:
        raise UserError(N_("Only an active quote can be revised. Nothing was changed."))
    today = clock.today(actor.zone)
    values = {name: old.values.get(name) for name in _REVISED}
    values["supersedes"] = quote_id
    values["quoted_on"] = today
    expires = old.values.get("expires_on")
    values["expires_on"] = (
        expires if expires and expires > today else today + timedelta(days=VALID_DAYS)
    )
    values[LINES] = [
        {name: row[name] for name in _REVISED_LINES if row.get(name) is not None}
        for row in old.lines.get(LINES, ())
    ]
    closing = {"state": QuoteState.CLOSED.value, "status_reason": QuoteReason.REVISED.value}
    with actor.db.writing() as connection:
        work = Work(actor, connection, registry.get("quote"), new_uid(), None, "window")
        values["revision"] = _next_revision(work, old.values)
        closed, _ = records.prepare(work, [records.Change(quote_id, version, closing)])
        report = writer.write(work, closed)
        made, _ = records.prepare(work, [records.Change(None, None, values)])
        report = report.merge(writer.write(work, made))
    return _saved(made[0].id, report)


def _saved(key: int | None, report: ChangeSet) -> records.Saved:
    assert key is not None  # noqa: S101  written drafts have keys
    return records.Saved(key, 1, report)


def _next_revision(work: Work, values: Mapping[str, Any]) -> int:
    taken = work.connection.execute(
        select(Quote.revision).where(Quote.number == values.get("number"))
    ).scalars()
    return max(taken, default=0) + 1


def find(actor: Actor, number: str) -> int:
    """Key of a quote by its number, the latest revision unless one is named (``… Rev 2``).

    Raises:
        NotFound: There is none, or this user may not see it.
    """
    match = _REVISION.match(number.strip())
    wanted = match["number"].strip() if match else number.strip()
    entity = registry.get("quote")
    statement = (
        select(Quote.id)
        .where(Quote.number == wanted, Quote.deleted_at.is_(None))
        .order_by(Quote.revision.desc())
        .limit(1)
    )
    if match and match["revision"]:
        statement = statement.where(Quote.revision == int(match["revision"]))
    rights = row_clause(actor, entity, entity.table, "read")
    if rights is not None:
        statement = statement.where(rights)
    with actor.db.reading() as connection:
        key = connection.execute(statement).scalar()
    if key is None:
        raise NotFound(N_("There is no quote {number}, or you may not see it."), number=number)
    return key
