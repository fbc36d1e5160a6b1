"""Values on their way in: checked against their field; and in the audit trail's JSON form."""

from __future__ import annotations

import base64
import json
from datetime import UTC, date, datetime, time
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final

from desktop_crm.core.errors import FieldError, UserError
from desktop_crm.core.formats import Formats
from desktop_crm.core.i18n import N_, tr
from desktop_crm.core.text import storable
from desktop_crm.meta import kinds
from desktop_crm.meta.bound import BoundField

_NUMBERS: Final = (kinds.QUANTITY, kinds.MONEY, kinds.PERCENT)
_WHOLE: Final = (kinds.INTEGER, kinds.LINK)
_LARGEST: Final = {4: Decimal(10) ** 14, 6: Decimal(10) ** 12}
LARGEST_INTEGER: Final = 2**31 - 1
"""Largest whole number and key: the width of a column on every server."""
LENGTH: Final = N_("{label} takes at most {limit} characters; this text has {length}.")


def checked(field: BoundField, value: Any, formats: Formats) -> Any:  # noqa: ANN401  any kind
    """Return a value exactly as it is stored.

    Text is parsed by the field's kind, so that every way in gives the same value; a moment
    without a zone is one of the person's zone, as it is when typed.

    Raises:
        UserError: The value is none of this field.
    """
    if field.kind is kinds.CHOICE and value is not None:
        value = str(value)
    if isinstance(value, str):
        if field.kind is kinds.LINK:
            raise UserError(N_("{label} needs a record, not a text."), label=tr(field.label))
        value = field.parse(value, formats)
    if value is None:
        return False if field.kind is kinds.BOOLEAN and not field.nullable else None
    try:
        return _typed(field, value, formats)
    except (TypeError, ValueError, ArithmeticError):
        raise UserError(
            N_("{label} cannot be “{value}”."), label=tr(field.label), value=str(value)[:40]
        ) from None


def _typed(field: BoundField, value: Any, formats: Formats) -> Any:  # noqa: ANN401  any kind
    kind = field.kind
    if kind in _NUMBERS:
        return _number(field, value)
    if kind in _WHOLE:
        return _whole(field, value)
    if kind is kinds.BOOLEAN:
        return bool(value)
    if kind is kinds.DATE:
        return _day(value, formats)
    if kind is kinds.DATETIME:
        return _moment(value, formats)
    if kind is kinds.IMAGE:
        return bytes(value)
    if kind is kinds.JSON:
        json.dumps(value, allow_nan=False)  # a server takes no infinite number
        return value
    return _text(field, str(value))


def _number(field: BoundField, value: Any) -> Decimal:  # noqa: ANN401  int, float or Decimal
    number = value if isinstance(value, Decimal) else Decimal(str(value))
    if not number.is_finite():
        raise UserError(N_("“{text}” is not a number."), text=str(value))
    scale = getattr(field.column.type, "scale", 4) if field.column is not None else 4
    if abs(number) >= _LARGEST[scale]:
        raise UserError(N_("{label} is too large a number."), label=tr(field.label))
    # As stored: otherwise a finer number would look like a change for ever.
    return number.quantize(Decimal(1).scaleb(-scale), ROUND_HALF_UP)


def _whole(field: BoundField, value: Any) -> int:  # noqa: ANN401  int, float or Decimal
    number = int(value)
    if number != value:
        raise UserError(N_("“{text}” is not a whole number."), text=str(value)[:40])
    if abs(number) > LARGEST_INTEGER:
        raise UserError(N_("{label} is too large a number."), label=tr(field.label))
    return number


def _day(value: Any, formats: Formats) -> date:  # noqa: ANN401  date or datetime
    if isinstance(value, datetime):
        return (value.astimezone(formats.zone) if value.tzinfo else value).date()
    if isinstance(value, date):
        return value
    raise TypeError


def _moment(value: Any, formats: Formats) -> datetime:  # noqa: ANN401  date or datetime
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.replace(tzinfo=formats.zone)).astimezone(UTC)
    if isinstance(value, date):
        return datetime.combine(value, time(0), formats.zone).astimezone(UTC)
    raise TypeError


def _text(field: BoundField, value: str) -> str:
    text = storable(value)
    if too_long(field, text):
        raise UserError(LENGTH, label=tr(field.label), limit=field.max_length, length=len(text))
    return text


def too_long(field: BoundField, value: object) -> bool:
    """Whether a text does not fit its column."""
    return field.max_length is not None and isinstance(value, str) and len(value) > field.max_length


def required_error(field: BoundField) -> FieldError:
    """Sentence for a field that must not stay empty."""
    return FieldError(field.name, N_("{label} is missing."), (("label", _Label(field.label)),))


class _Label:
    """A label that is translated when it is shown."""

    def __init__(self, label: str) -> None:
        self._label = label

    def __str__(self) -> str:
        return tr(self._label)

    def __format__(self, spec: str) -> str:
        return str(self)


def encode(value: Any) -> Any:  # noqa: ANN401  JSON
    """Turn a stored value into JSON that :func:`decode` reads back exactly."""
    if isinstance(value, Decimal):
        return format(value.normalize(), "f")
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    return value


def decode(field: BoundField, value: Any) -> Any:  # noqa: ANN401  JSON
    """Read a value of the audit trail back."""
    if value is None or not isinstance(value, str):
        return value
    kind = field.kind
    if kind in _NUMBERS:
        return Decimal(value)
    if kind is kinds.DATE:
        return date.fromisoformat(value)
    if kind is kinds.DATETIME:
        return datetime.fromisoformat(value)
    if kind is kinds.IMAGE:
        return base64.b64decode(value)
    return value


def same(old: Any, new: Any) -> bool:  # noqa: ANN401  any kind
    """Whether two stored values mean the same; an empty text is no text."""
    if old in (None, "") and new in (None, ""):
        return True
    if isinstance(old, dict | list) or isinstance(new, dict | list):
        return json.dumps(old, sort_keys=True, default=str) == json.dumps(
            new, sort_keys=True, default=str
        )
    return bool(old == new)
