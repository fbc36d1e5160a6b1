"""From a stored value to the cell that shows it, and to the text that comes back from there."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from desktop_crm.core.formats import Formats
from desktop_crm.core.i18n import translate
from desktop_crm.meta.bound import BoundField
from desktop_crm.services.excel.formulas import neutralise, restore
from desktop_crm.services.excel.table import Cell, clean_text

_LONGEST = 32_767
"""Characters a cell of the format can hold."""


def cell(bound: BoundField, value: Any, formats: Formats) -> Cell:  # noqa: ANN401  any kind
    """Turn a value into what stands in the cell; links come as their title.

    Args:
        bound: The field.
        value: Stored value; for a link the title of what it points to.
        formats: Language of choice labels and zone of moments in the workbook.
    """
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return translate(formats.language, "Yes" if value else "No")
    if isinstance(value, datetime):
        return value.astimezone(formats.zone).replace(tzinfo=None, microsecond=0)
    if isinstance(value, date | int):
        return value
    if isinstance(value, Decimal):
        return value if Decimal(format(float(value), ".15g")) == value else f"{value:f}"
    if bound.choices:
        return translate(formats.language, bound.labels.get(str(value), str(value)))
    return neutralise(clean_text(str(value))[: _LONGEST - 1])


def read_back(value: Cell) -> str:
    """Text of a cell as reading the workbook gives it, to know later whether it was touched."""
    if value is None:
        return ""
    if isinstance(value, Decimal):
        number = value.normalize()
        return f"{number:f}"
    if isinstance(value, datetime):
        return (
            value.isoformat() if value.time() != datetime.min.time() else value.date().isoformat()
        )
    if isinstance(value, date):
        return value.isoformat()
    return restore(str(value))
