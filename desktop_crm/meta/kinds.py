"""Kinds of field: how a value is typed, shown, compared and exported."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Final, Protocol

from desktop_crm.core.errors import UserError
from desktop_crm.core.formats import Formats
from desktop_crm.core.i18n import N_, translate
from desktop_crm.core.text import canonical_email, clean, fold, join_tags, split_tags

_AMONG: Final = ("in", "not in", "empty", "not empty")
TEXT_OPERATORS: Final = ("contains", "not contains", "=", "!=", "starts", "ends", *_AMONG)
ORDER_OPERATORS: Final = ("=", "!=", "<", "<=", ">", ">=", "between", *_AMONG)
CHOICE_OPERATORS: Final = ("=", "!=", *_AMONG)
TAG_OPERATORS: Final = ("has", "not has", "contains", "empty", "not empty")
_YES: Final = {"yes", "true", "1", "da", "y", "x", "adevarat"}
_NO: Final = {"no", "false", "0", "nu", "n", "", "fals"}


class ChoiceField(Protocol):
    """What a kind needs to know about the field whose value it reads or shows."""

    @property
    def label(self) -> str:
        """English label."""

    @property
    def choices(self) -> Sequence[tuple[str, str]]:
        """Code and English label of each possible value."""


Read = Callable[[str, Formats, ChoiceField | None], object]
Show = Callable[[object, Formats, ChoiceField | None], str]


@dataclass(frozen=True, slots=True, eq=False)
class Kind:
    """One way of treating values; text is the plainest.

    Attributes:
        name: Stable name, used to choose an editor.
        align: ``left`` or ``right``.
        operators: What a filter may ask, the default first.
        excel_format: Number format of exported cells.
        width: Usual column width in pixels.
        read: Reads a text that is not empty; None takes it as it is.
        show: Shows a value that is not None; None writes it as text.
    """

    name: str
    align: str = "left"
    operators: tuple[str, ...] = TEXT_OPERATORS
    excel_format: str = "@"
    width: int = 160
    read: Read | None = None
    show: Show | None = None

    def parse(self, text: str, formats: Formats, field: ChoiceField | None = None) -> object:
        """Read what a person typed; an empty text is None.

        Raises:
            UserError: The text cannot be read as this kind.
        """
        plain = clean(text)
        if self.read is None or not plain:
            return plain or None
        return self.read(text, formats, field)

    def display(self, value: object, formats: Formats, field: ChoiceField | None = None) -> str:
        """Show a value; None is an empty text."""
        if value is None:
            return ""
        return str(value) if self.show is None else self.show(value, formats, field)


def _read_email(text: str, formats: Formats, field: ChoiceField | None) -> object:
    address = canonical_email(text)
    if address is None:
        raise UserError(
            N_("“{text}” is not an e-mail address. Write it like name@company.com."),
            text=clean(text),
        )
    return address


def _read_integer(text: str, formats: Formats, field: ChoiceField | None) -> object:
    value = formats.parse_decimal(text)
    if value != value.to_integral_value():
        raise UserError(N_("“{text}” is not a whole number."), text=clean(text))
    return int(value)


def _show_integer(value: object, formats: Formats, field: ChoiceField | None) -> str:
    large = isinstance(value, int) and abs(value) >= 10_000  # years take no group marks
    return formats.number(Decimal(str(value)), 0) if large else str(value)


def _read_decimal(text: str, formats: Formats, field: ChoiceField | None) -> object:
    bare = clean(text).rstrip("%").strip()
    if bare[-3:].isalpha() and bare[-3:].isupper():
        bare = bare[:-3]  # a currency
    return formats.parse_decimal(bare) if bare else None


def _number(value: object) -> Decimal:
    return value if isinstance(value, Decimal) else Decimal(str(value))


def _show_money(value: object, formats: Formats, field: ChoiceField | None) -> str:
    number = _number(value)
    finer = number != round(number, 2)  # a unit price
    return formats.number(number) if finer else formats.number(number, 2)


def _read_yes_no(text: str, formats: Formats, field: ChoiceField | None) -> object:
    folded = fold(text)
    if folded not in _YES | _NO:
        raise UserError(N_("“{text}” is neither yes nor no."), text=clean(text))
    return folded in _YES


def _show_yes_no(value: object, formats: Formats, field: ChoiceField | None) -> str:
    return translate(formats.language, N_("Yes") if value else N_("No"))


def _read_choice(text: str, formats: Formats, field: ChoiceField | None) -> object:
    wanted = fold(text)
    if field is None:
        return wanted
    for code, label in field.choices:
        names = (label, translate("ro", label), code.replace("_", " "))
        if wanted == code or wanted in {fold(name) for name in names}:
            return code
    raise UserError(
        N_("“{text}” is no value of {field}. Possible: {values}."),
        text=clean(text),
        field=translate(formats.language, field.label),
        values=", ".join(translate(formats.language, label) for _, label in field.choices),
    )


def _show_choice(value: object, formats: Formats, field: ChoiceField | None) -> str:
    label = dict(field.choices).get(str(value)) if field is not None else None
    return translate(formats.language, label) if label else str(value)


def _read_json(text: str, formats: Formats, field: ChoiceField | None) -> object:
    try:
        return json.loads(text)
    except ValueError:
        raise UserError(N_("“{text}” is not valid JSON."), text=text[:40]) from None


_ORDER, _PRESENCE = ORDER_OPERATORS, ("empty", "not empty")
TEXT: Final = Kind("text", width=180)
MULTILINE: Final = Kind(
    "multiline", width=260, read=lambda text, _formats, _field: text.replace("\r\n", "\n").strip()
)
EMAIL: Final = Kind("email", width=210, read=_read_email)
PHONE: Final = Kind("phone", width=140)
URL: Final = Kind("url", width=180)
INTEGER: Final = Kind("integer", "right", _ORDER, "0", 90, _read_integer, _show_integer)
QUANTITY: Final = Kind(
    "quantity", "right", _ORDER, "#,##0.######", 100, _read_decimal,
    lambda value, formats, _field: formats.number(_number(value)),
)  # fmt: skip
MONEY: Final = Kind("money", "right", _ORDER, "#,##0.00", 120, _read_decimal, _show_money)
PERCENT: Final = Kind(
    "percent", "right", _ORDER, "0.##", 90, _read_decimal,
    lambda value, formats, _field: formats.percent(_number(value)),
)  # fmt: skip
BOOLEAN: Final = Kind("boolean", "left", ("=", "!="), "General", 80, _read_yes_no, _show_yes_no)
DATE: Final = Kind(
    "date", "left", (*_ORDER, "recurs"), "yyyy-mm-dd", 110,
    lambda text, formats, _field: formats.parse_date(text),
    lambda value, formats, _field: formats.date(value) if isinstance(value, date) else "",
)  # fmt: skip
DATETIME: Final = Kind(
    "datetime", "left", _ORDER, "yyyy-mm-dd hh:mm", 150,
    lambda text, formats, _field: formats.parse_datetime(text),
    lambda value, formats, _field: formats.datetime(value) if isinstance(value, datetime) else "",
)  # fmt: skip
CHOICE: Final = Kind("choice", "left", CHOICE_OPERATORS, "@", 130, _read_choice, _show_choice)
LINK: Final = Kind("link", width=180)
TAGS: Final = Kind(
    "tags", "left", TAG_OPERATORS, "@", 160,
    lambda text, _formats, _field: join_tags(split_tags(text)),
    lambda value, _formats, _field: ", ".join(split_tags(str(value))),
)  # fmt: skip
LINES: Final = Kind("lines", operators=_PRESENCE)
IMAGE: Final = Kind(
    "image", operators=_PRESENCE, width=80,
    show=lambda value, formats, _field: translate(formats.language, N_("Picture")) if value else "",
)  # fmt: skip
JSON: Final = Kind(
    "json", "left", _PRESENCE, "@", 200, _read_json,
    lambda value, _formats, _field: json.dumps(value, ensure_ascii=False, default=str),
)  # fmt: skip
