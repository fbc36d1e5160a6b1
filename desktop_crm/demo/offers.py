"""Twelve quotes in every state a quote can have."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any, Final

from desktop_crm.demo.story import Deal, Story
from desktop_crm.models.quote import QuoteReason
from desktop_crm.services import records
from desktop_crm.services.context import Actor
from desktop_crm.services.rules import quotes

# Days ago, days of validity, and how it ended ("" is a draft, "open" still stands).
_PLAN: Final = (
    (118, 30, "won"), (96, 30, "won"), (74, 30, "lost"), (61, 20, "open"), (40, 45, "canceled"),
    (22, 45, "revised"), (15, 45, "open"), (9, 30, "open"), (6, 30, "open"),
    (4, 30, ""), (2, 30, ""),
)  # fmt: skip
_DECIDED_AFTER: Final = 17
_LONG: Final = 8
"""Position of the quote that fills several pages."""

_ROOMS: Final = {
    "en": ("Hall A, line 1", "Hall A, line 2", "Hall B", "Outdoor storage"),
    "ro": ("Hala A, linia 1", "Hala A, linia 2", "Hala B", "Depozit exterior"),
}
_TITLE: Final = {"en": "Equipment for two halls", "ro": "Echipamente pentru două hale"}
_PAYMENT: Final = {
    "en": ("30 days net", "50 % in advance, rest on delivery"),
    "ro": ("30 de zile de la factură", "50 % avans, restul la livrare"),
}
_PARTS: Final = (
    ("LB-020", 1), ("CV-010", 14), ("CV-090", 3), ("FW-050", 1), ("SN-005", 6), ("SP-012", 4),
    ("SP-077", 12), ("SV-INS", 3), ("SV-TRN", 2), ("SV-HRS", 16), ("SV-CTR", 12),
)  # fmt: skip


def write(story: Story, actor: Actor) -> None:
    """Make the quotes from opportunities; each in its own transactions, at its own time.

    Args:
        story: After the opportunities were kept.
        actor: The sales office, allowed to do everything.
    """
    deals = _deals(story)
    for number, (days, valid, end) in enumerate(_PLAN):
        with story.then(-days, 11):
            saved = _draft(story, actor, deals[number], number, valid)
            if end:
                saved = quotes.activate(actor, saved.id, saved.version)
                found = records.get(actor, "quote", saved.id)
                story.numbers[deals[number].id] = str(found.values["number"])
        if end == "revised":
            with story.then(-5, 10):
                quotes.revise(actor, saved.id, saved.version)
        elif end not in {"", "open"}:
            with story.then(-days + _DECIDED_AFTER, 16):
                quotes.close(actor, saved.id, saved.version, QuoteReason(end))


def _deals(story: Story) -> list[Deal]:
    """Deals that were won or lost soon after their quote; late stages, mine first, for the rest."""
    late = sorted(
        (deal for deal in story.deals if deal.stage in {"negotiation", "proposal"}),
        key=lambda deal: (deal.owner != story.team[0], deal.id),
    )
    chosen: list[Deal] = []
    for days, _valid, end in _PLAN:
        pool = late
        if end in {"won", "lost"}:
            closing = days - _DECIDED_AFTER
            pool = [deal for deal in story.deals if deal.stage == end]
            pool.sort(key=lambda deal: abs(deal.moved_days_ago - closing))
        chosen.append(next(deal for deal in pool if deal not in chosen))
    return chosen


def _draft(story: Story, actor: Actor, deal: Deal, number: int, valid: int) -> records.Saved:
    language = next(c.language for c in story.customers if c.id == deal.account)
    saved = quotes.create_from_opportunity(actor, deal.id)
    found = records.get(actor, "quote", saved.id)
    values: dict[str, Any] = {
        "owner": deal.owner,
        "expires_on": story.today + timedelta(days=valid - _PLAN[number][0]),
        "payment_terms": _PAYMENT[language][number % 2],
        "delivery_terms": ("DAP", "EXW Cluj-Napoca")[number % 2],
    }
    if number == _LONG:
        values["name"] = f"{_TITLE[language]} – {deal.name.partition(' – ')[2]}"
        values["lines"] = _long(story, language)
        values["discount_percent"] = Decimal("2.5")
    elif not found.lines.get("lines"):
        values["lines"] = _short(story, deal)
    if number % 4 == 1:
        values["freight_amount"] = Decimal("350")
        values["freight_tax_code"] = story.ids["tax_code:S"]
    return records.save(actor, "quote", saved.id, saved.version, values)


def _short(story: Story, deal: Deal) -> list[dict[str, Any]]:
    return [
        {"product": story.ids[f"product:{code}"], "quantity": Decimal(1 + 11 * (code == "CV-010"))}
        for code in deal.products
    ]


def _long(story: Story, language: str) -> list[dict[str, Any]]:
    """Four halls with headings, discounts, an option and subtotals: two pages and more."""
    rows: list[dict[str, Any]] = []
    for room, title in enumerate(_ROOMS[language]):
        for place, (code, quantity) in enumerate(_PARTS):
            if (place + room) % 5 == 4:
                continue
            rows.append(
                {
                    "kind": "optional" if code == "SV-CTR" else "product",
                    "group": title,
                    "product": story.ids[f"product:{code}"],
                    "quantity": Decimal(quantity + room),
                    "discount_percent": Decimal(5) if place % 6 == 2 else None,
                }
            )
        rows.append({"kind": "subtotal", "group": title, "description": title})
    return rows
