"""Kinds of field: how a value is typed, shown, compared and exported."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from desktop_crm.core import spelling
from desktop_crm.core.formats import Formats
from desktop_crm.core.i18n import N_, translate
from desktop_crm.core.spelling import ChoiceField
from desktop_crm.core.text import clean, join_tags, split_tags

_AMONG: Final = ("in", "not in", "empty", "not empty")
TEXT_OPERATORS: Final = ("contains", "not contains", "=", "!=", "starts", "ends", *_AMONG)
ORDER_OPERATORS: Final = ("=", "!=", "<", "<=", ">", ">=", "between", *_AMONG)
CHOICE_OPERATORS: Final = ("=", "!=", *_AMONG)
TAG_OPERATORS: Final = ("has", "not has", "contains", "empty", "not empty")


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


_ORDER, _PRESENCE = ORDER_OPERATORS, ("empty", "not empty")
TEXT: Final = Kind("text", width=180)
MULTILINE: Final = Kind(
    "multiline", width=260, read=lambda text, _formats, _field: text.replace("\r\n", "\n").strip()
)
EMAIL: Final = Kind("email", width=210, read=spelling.read_email)
PHONE: Final = Kind("phone", width=140)
URL: Final = Kind("url", width=180)
INTEGER: Final = Kind(
    "integer", "right", _ORDER, "0", 90, spelling.read_integer, spelling.show_integer
)
QUANTITY: Final = Kind(
    "quantity", "right", _ORDER, "#,##0.######", 100, spelling.read_decimal,
    lambda value, formats, _field: formats.number(spelling.exact(value)),
)  # fmt: skip
MONEY: Final = Kind(
    "money", "right", _ORDER, "#,##0.00", 120, spelling.read_decimal, spelling.show_money
)
PERCENT: Final = Kind(
    "percent", "right", _ORDER, "0.##", 90, spelling.read_decimal,
    lambda value, formats, _field: formats.percent(spelling.exact(value)),
)  # fmt: skip
BOOLEAN: Final = Kind(
    "boolean", "left", ("=", "!="), "General", 80, spelling.read_yes_no, spelling.show_yes_no
)
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
CHOICE: Final = Kind(
    "choice", "left", CHOICE_OPERATORS, "@", 130, spelling.read_choice, spelling.show_choice
)
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
    "json", "left", _PRESENCE, "@", 200, spelling.read_json,
    lambda value, _formats, _field: json.dumps(value, ensure_ascii=False, default=str),
)  # fmt: skip
