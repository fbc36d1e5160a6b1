"""Totals and names of groups as a person reads them."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from desktop_crm.core.i18n import N_, tr
from desktop_crm.meta import kinds
from desktop_crm.services.list_layout import Summary

if TYPE_CHECKING:
    from desktop_crm.core.formats import Formats
    from desktop_crm.meta.bound import BoundField
    from desktop_crm.services.totals import GroupTotals

NAMES: Final = {
    Summary.COUNT: N_("Count"),
    Summary.SUM: N_("Sum"),
    Summary.AVERAGE: N_("Average"),
    Summary.LEAST: N_("Least"),
    Summary.GREATEST: N_("Greatest"),
}
BETWEEN: Final = "  ·  "
"""Between the sums of several currencies, which are never added together."""
_MONTH_LENGTH: Final = 7
_YEAR_LENGTH: Final = 4
_DATES: Final = frozenset({kinds.DATE, kinds.DATETIME})


def amounts(
    field: BoundField, summary: Summary, found: tuple[tuple[str, Any], ...], formats: Formats
) -> str:
    """One total, for money one text for each currency; empty where there is nothing to total."""
    if summary is Summary.COUNT:
        return formats.number(sum(value for _currency, value in found), 0)
    texts = (_amount(field, summary, value, formats) for _currency, value in found)
    currencies = (currency for currency, _value in found)
    return BETWEEN.join(f"{t} {c}".strip() for t, c in zip(texts, currencies, strict=True))


def _amount(field: BoundField, summary: Summary, value: Any, formats: Formats) -> str:  # noqa: ANN401  a column's
    plain = field.kind in {kinds.INTEGER, kinds.QUANTITY}
    if plain and summary in {Summary.AVERAGE, Summary.SUM}:
        return formats.number(Decimal(value))
    return field.display(value, formats)


def group_label(field: BoundField | None, part: GroupTotals, formats: Formats) -> str:
    """Name of a group: the value its records share."""
    if part.value is None or part.value == "" or field is None:
        return tr("No value")
    if field.kind is kinds.LINK:
        return str(part.label or part.value)
    if field.kind in _DATES:
        return _span(str(part.value), formats)
    return " ".join(field.display(part.value, formats).split())


def _span(value: str, formats: Formats) -> str:
    """A day, month or year from its sortable text."""
    if len(value) == _YEAR_LENGTH:
        return value
    if len(value) == _MONTH_LENGTH:
        text = formats.month(date.fromisoformat(f"{value}-01"))
        return text[:1].upper() + text[1:]
    return formats.date(date.fromisoformat(value))
