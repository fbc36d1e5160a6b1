"""Amounts as the pages of figures write them: in whole units, at a glance."""

from __future__ import annotations

from decimal import Decimal

from desktop_crm.core.formats import Formats
from desktop_crm.services.pipeline import Amounts


def amounts_text(formats: Formats, amounts: Amounts) -> str:
    """A sum as text; currencies without a rate follow by themselves."""
    parts = [money_text(formats, amounts.total, amounts.currency)]
    parts += [money_text(formats, amount, code) for code, amount in amounts.other]
    if not amounts.total and amounts.other:
        parts = parts[1:]
    return " + ".join(part for part in parts if part)


def money_text(formats: Formats, amount: Decimal | None, currency: str) -> str:
    """An amount in whole units: a page of figures is read at a glance."""
    if amount is None:
        return ""
    text = formats.number(amount, 0)
    return f"{text} {currency}" if currency else text
