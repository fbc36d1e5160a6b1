"""What happens to a quote before it is written: filled in, priced, calculated, numbered, frozen.

The states and what they allow are here and nowhere else: whoever saves ``state`` = ``active``
activates the quote, by a button, an import or the command line alike.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any, Final

from sqlalchemy import and_, or_, select

from desktop_crm.core import clock
from desktop_crm.core.errors import FieldError, UserError, ValidationFailed
from desktop_crm.core.i18n import N_
from desktop_crm.meta import registry
from desktop_crm.models.quote import Quote, QuoteReason, QuoteState
from desktop_crm.services.changes import ChangeSet
from desktop_crm.services.drafts import Draft, Work
from desktop_crm.services.rules import numbering, quote_lines, quote_reference
from desktop_crm.services.rules.price_lists import check_currency
from desktop_crm.services.rules.quote_lines import LINES
from desktop_crm.services.rules.quote_reading import Reading
from desktop_crm.services.rules.quote_totals import Basis, calculate, line_fields, totals_fields

VALID_DAYS: Final = 30
"""Days a new quote is valid when nobody says else."""

_ALLOWED: Final[Mapping[QuoteState, frozenset[QuoteState]]] = {
    QuoteState.DRAFT: frozenset({QuoteState.ACTIVE, QuoteState.CLOSED}),
    QuoteState.ACTIVE: frozenset({QuoteState.WON, QuoteState.CLOSED}),
    QuoteState.WON: frozenset(),
    QuoteState.CLOSED: frozenset(),
}
_REASONS: Final[Mapping[QuoteState, tuple[QuoteReason, ...]]] = {
    QuoteState.DRAFT: (QuoteReason.IN_PROGRESS,),
    QuoteState.ACTIVE: (QuoteReason.OPEN,),
    QuoteState.WON: (QuoteReason.WON,),
    QuoteState.CLOSED: (QuoteReason.CANCELED, QuoteReason.LOST, QuoteReason.REVISED),
}
_CHANGE_LATER: Final = frozenset({"state", "status_reason", "closed_on", "owner", "opportunity"})
"""Fields that an activated quote may still change."""


def complete(work: Work, drafts: Sequence[Draft]) -> None:
    """Fill in, calculate and number quotes; refuse what their state does not allow."""
    reading = Reading.of(work, drafts)
    today = clock.today(work.actor.zone)
    for draft in drafts:
        if draft.is_new or draft.old.get("state") == QuoteState.DRAFT:
            _complete_draft(work, draft, reading, today)
        else:
            _guard(draft)
        _take_state(work, draft, reading, today)
    _check_numbers(work, drafts)


def _complete_draft(work: Work, draft: Draft, reading: Reading, today: date) -> None:
    if draft.is_new:
        _defaults(draft, reading, today)
    _take_customer(draft, reading)
    _check_currency(draft, reading)
    rows = quote_lines.completed(work, draft, reading)
    if not draft.errors:
        _calculate(draft, rows, reading, today)


def _defaults(draft: Draft, reading: Reading, today: date) -> None:
    if draft.get("quoted_on") is None:
        draft.set("quoted_on", today)
    if draft.get("expires_on") is None:
        draft.set("expires_on", draft.get("quoted_on") + timedelta(days=VALID_DAYS))
    if draft.get("terms") is None:
        draft.set("terms", reading.company.quote_terms)
    customer = reading.customers.get(draft.get("account") or 0)
    if draft.get("price_list") is None and customer is not None and customer.price_list:
        offered = reading.price_lists.get(customer.price_list)
        if offered and draft.get("currency") in (None, offered.currency):
            draft.set("price_list", customer.price_list)
    chosen = reading.price_lists.get(draft.get("price_list") or 0)
    if draft.get("currency") is None:
        of_customer = customer.currency if customer else None
        of_list = chosen.currency if chosen else None
        draft.set("currency", of_list or of_customer or reading.company.currency)


def _take_customer(draft: Draft, reading: Reading) -> None:
    """Take the addresses and terms of a customer that was chosen just now."""
    customer = reading.customers.get(draft.get("account") or 0)
    if customer is None or not (draft.is_new or draft.changes("account")):
        return
    for name, value in (
        ("bill_to", customer.bill_to),
        ("ship_to", customer.ship_to),
        ("payment_terms", customer.payment_terms),
    ):
        if not draft.new.get(name):
            draft.set(name, value)


def _check_currency(draft: Draft, reading: Reading) -> None:
    currency = draft.get("currency")
    if currency is None:
        draft.fail("currency", N_("Choose the currency of the quote."))
        return
    changed = not draft.is_new and draft.changes("currency")
    if changed and reading.lines.get(draft.id or 0):
        draft.fail(
            "currency",
            N_("The currency of a quote with lines cannot change. Remove the lines first."),
        )
    chosen = reading.price_lists.get(draft.get("price_list") or 0)
    if chosen is None:
        return
    if draft.changes("price_list") and (draft.is_new or not draft.changes("is_tax_inclusive")):
        draft.set("is_tax_inclusive", chosen.tax_inclusive)
    try:
        check_currency(reading.code(chosen.currency), reading.code(currency))
    except UserError as error:
        draft.fail("price_list", error.template, **error.params)


def _calculate(draft: Draft, rows: Sequence[dict[str, Any]], reading: Reading, today: date) -> None:
    """Set the totals and the amounts of the lines, by the one calculation there is."""
    day = draft.get("quoted_on") or today
    basis = Basis(
        reading.code(draft.get("currency")),
        reading.taxes.on(day),
        reading.company.tax_rounding,
    )
    stored = reading.lines.get(draft.id or 0, {})
    merged = [{**stored.get(row.get("id") or 0, {}), **row} for row in rows]
    try:
        result = calculate({**draft.old, **draft.new}, merged, basis)
    except ValidationFailed as failure:
        for error in failure.errors:
            name = error.field if error.row is None else f"{LINES}.{error.field}"
            draft.errors.append(FieldError(name, error.template, error.params, error.row))
        return
    for index, (row, whole) in enumerate(zip(rows, merged, strict=True)):
        row.update(line_fields(whole, index, result, basis))
    if LINES in draft.lines or quote_lines.differ(rows, stored):
        draft.lines[LINES] = list(rows)
    for name, value in totals_fields(result).items():
        draft.set(name, value)


def _guard(draft: Draft) -> None:
    """Refuse to change what was frozen when the quote was activated."""
    frozen = [name for name in draft.new if name not in _CHANGE_LATER]
    if frozen or draft.lines:
        draft.fail(
            frozen[0] if frozen else LINES,
            N_("Only a draft can be changed. Make a revision of the quote to change it."),
        )


def _take_state(work: Work, draft: Draft, reading: Reading, today: date) -> None:
    if not (draft.is_new or draft.changes("state")) or draft.errors:
        return
    state = QuoteState(draft.get("state") or QuoteState.DRAFT)
    before = QuoteState.DRAFT if draft.is_new else QuoteState(draft.old["state"])
    if not draft.is_new and state is not before and state not in _ALLOWED[before]:
        draft.fail(
            "state",
            N_("A quote in state “{before}” cannot become “{after}”."),
            before=before.value,
            after=state.value,
        )
        return
    reasons = _REASONS[state]
    if draft.get("status_reason") not in reasons:
        draft.set("status_reason", reasons[0].value)
    if state is QuoteState.ACTIVE and not _may_activate(draft, reading, today):
        return
    if state is not QuoteState.DRAFT and draft.get("number") is None:
        _give_number(work, draft, today)
    if state is QuoteState.ACTIVE:
        draft.set("activated_at", draft.get("activated_at") or clock.now())
        draft.set("exchange_rate", reading.rate(work, draft.get("currency"), today))
    elif state is not QuoteState.DRAFT and draft.get("closed_on") is None:
        draft.set("closed_on", today)


def _may_activate(draft: Draft, reading: Reading, today: date) -> bool:
    if draft.get("account") is None:
        draft.fail("account", N_("Choose the customer before the quote is activated."))
    expires = draft.get("expires_on")
    if expires is None or (expires < today and not draft.is_new):
        draft.fail("expires_on", N_("Say until which day in the future the quote is valid."))
    rows = quote_lines.effective(draft, reading)
    items = [(index, row) for index, row in enumerate(rows) if quote_lines.is_item(row)]
    if not items:
        draft.fail(LINES, N_("A quote needs at least one line before it is activated."))
    for index, row in items:
        if row.get("tax_code") is None:
            quote_lines.fail(
                draft, index, "tax_code", N_("Line {line} has no tax code."), line=index + 1
            )
    return not draft.errors


def _give_number(work: Work, draft: Draft, today: date) -> None:
    revision = draft.get("revision") or 0

    def is_taken(number: str) -> bool:
        found = select(Quote.id).where(Quote.number == number, Quote.revision == revision)
        return work.connection.execute(found.limit(1)).first() is not None

    day = draft.get("quoted_on") or today
    draft.set("number", numbering.draw(work.connection, "quote", day, is_taken))


def _check_numbers(work: Work, drafts: Sequence[Draft]) -> None:
    """Refuse a number and revision that another quote has already."""
    wanted = [d for d in drafts if d.get("number") and (d.is_new or d.changes("number"))]
    if not wanted:
        return
    if any(d.changes("number") for d in wanted):
        numbering.keep(work.connection, "quote")
    pairs = {(d.get("number"), d.get("revision") or 0) for d in wanted}
    clauses = [and_(Quote.number == number, Quote.revision == rev) for number, rev in pairs]
    rows = work.connection.execute(
        select(Quote.id, Quote.number, Quote.revision).where(or_(*clauses))
    )
    known = {(row.number, row.revision): row.id for row in rows}
    for draft in wanted:
        key = (draft.get("number"), draft.get("revision") or 0)
        if known.get(key, draft.id) != draft.id:
            draft.fail("number", N_("There is a quote {number} already."), number=key[0])


def recalculate(work: Work, drafts: Sequence[Draft]) -> ChangeSet | None:
    """Calculate the quotes of lines that were changed by themselves, not inside their quote.

    A line that moves changes two quotes; one that is no draft refuses the whole.
    """
    from desktop_crm.services import writer  # it reads these rules itself

    alone = [draft for draft in drafts if draft.line_of is None]
    parents = {key for d in alone for key in (d.get("quote"), d.old.get("quote")) if key}
    if not parents:
        return None
    quotes = Work(
        work.actor, work.connection, registry.get("quote"), work.operation, work.batch, work.source
    )
    stored = writer.load(quotes, sorted(parents))
    found = [Draft(key, row["version"], row, {}) for key, row in stored.items()]
    lines = quote_reference.lines(work.connection, list(stored))
    for draft in found:
        draft.lines[LINES] = [{"id": key} for key in lines.get(draft.id or 0, {})]
    return writer.write(quotes, found)
