"""From a stored value to the cell that shows it, and to the text that comes back from there."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from desktop_crm.core.formats import Formats
from desktop_crm.core.i18n import N_, translate
from desktop_crm.meta.bound import BoundField
from desktop_crm.services.excel.formulas import neutralise, restore
from desktop_crm.services.excel.table import Cell, clean_text

LONGEST: Final = 32_767
"""Characters a cell of the format can hold."""

_EXACT_DIGITS: Final = 15
_MIDNIGHT: Final = datetime.min.time()


def shower(bound: BoundField, formats: Formats) -> Callable[[Any], Cell]:
    """Give the function that turns a field's values into cells; links come as their title.

    Args:
        bound: The field.
        formats: Language of choice labels and zone of moments in the workbook.
    """
    if bound.choices:
        labels = {code: translate(formats.language, label) for code, label in bound.choices}
        return lambda value: labels.get(str(value), str(value)) if value else None
    yes, no = translate(formats.language, N_("Yes")), translate(formats.language, N_("No"))

    def show(value: Any) -> Cell:  # noqa: ANN401  any kind
        kind = type(value)
        if kind is str:
            return neutralise(clean_text(value)[: LONGEST - 1]) or None
        if value is None or kind is int:
            return value  # type: ignore[no-any-return]
        if kind is Decimal:
            return _number(value)
        if kind is bool:
            return yes if value else no
        if isinstance(value, datetime):
            return value.astimezone(formats.zone).replace(tzinfo=None, microsecond=0)
        return value if isinstance(value, date) else neutralise(str(value))

    return show


def cell(bound: BoundField, value: Any, formats: Formats) -> Cell:  # noqa: ANN401  any kind
    """Turn one value into its cell; see :func:`shower`."""
    return shower(bound, formats)(value)


def read_back(value: Cell) -> str:
    """Text of a cell as reading the workbook gives it, to know later whether it was touched."""
    if isinstance(value, str):
        return restore(value)
    if value is None:
        return ""
    if isinstance(value, Decimal):
        text = f"{value:f}"
        return text.rstrip("0").rstrip(".") if "." in text else text
    if isinstance(value, datetime):
        return value.isoformat() if value.time() != _MIDNIGHT else value.date().isoformat()
    if isinstance(value, date):
        return value.isoformat()
    return str(value)


def _number(value: Decimal) -> Cell:
    """Keep a number a number unless a spreadsheet would lose its last digits."""
    if len(value.as_tuple().digits) <= _EXACT_DIGITS:
        return value
    exact = Decimal(format(float(value), ".15g")) == value
    return value if exact else f"{value:f}"
