"""Values on their way in: checked against their field; and in the audit trail's JSON form."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final

from desktop_crm.core.errors import FieldError, UserError
from desktop_crm.core.formats import Formats
from desktop_crm.core.i18n import N_, tr
from desktop_crm.meta import kinds
from desktop_crm.meta.bound import BoundField

_NUMBERS: Final = (kinds.QUANTITY, kinds.MONEY, kinds.PERCENT)
_LARGEST: Final = {4: Decimal(10) ** 14, 6: Decimal(10) ** 12}


def checked(field: BoundField, value: Any, formats: Formats) -> Any:  # noqa: ANN401  any kind
    """Return a value as it is stored.

    Text is parsed by the field's kind, so that every way in gives the same value.

    Raises:
        UserError: The value is none of this field.
    """
    if isinstance(value, str):
        if field.kind is kinds.LINK:
            raise UserError(N_("{field} needs a record, not a text."), field_label=tr(field.label))
        value = field.parse(value, formats)
        if field.max_length is not None and isinstance(value, str):
            _check_length(field, value)
        return value
    if value is None:
        return None
    return _typed(field, value)


def _check_length(field: BoundField, value: str) -> None:
    if field.max_length is not None and len(value) > field.max_length:
        raise UserError(
            N_("{label} takes at most {limit} characters; this text has {length}."),
            label=tr(field.label),
            limit=field.max_length,
            length=len(value),
        )


def _typed(field: BoundField, value: Any) -> Any:  # noqa: ANN401  any kind
    kind = field.kind
    if kind in _NUMBERS:
        number = value if isinstance(value, Decimal) else Decimal(str(value))
        scale = getattr(field.column.type, "scale", 4) if field.column is not None else 4
        if abs(number) >= _LARGEST[scale]:
            raise UserError(N_("{label} is too large a number."), label=tr(field.label))
        return number
    if kind is kinds.BOOLEAN:
        return bool(value)
    if kind in {kinds.INTEGER, kinds.LINK}:
        return int(value)
    if kind is kinds.DATE and isinstance(value, datetime):
        return value.date()
    if kind is kinds.DATETIME and isinstance(value, datetime):
        return value.astimezone(UTC)
    return value


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
        return None
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
