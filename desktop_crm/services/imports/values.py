"""From a cell of a file to the value of a field."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import Final

from desktop_crm.core.errors import UserError
from desktop_crm.core.formats import Formats
from desktop_crm.core.i18n import LANGUAGES, N_, translate
from desktop_crm.core.text import fold
from desktop_crm.meta.bound import BoundField
from desktop_crm.services.excel.package import NOT_CALCULATED
from desktop_crm.services.excel.table import Cell, CellError, ChildRows
from desktop_crm.services.imports.profile import MDY, YMD, Profile

_NUMERIC_DATE: Final = re.compile(
    r"^(\d{1,4})[./\-](\d{1,2})[./\-](\d{1,4})(?![\d.])(.*)$", re.DOTALL
)
_MONTH_FIRST: Final = re.compile(r"^([^\W\d_]{3,})\.?\s+(\d{1,2})(?:st|nd|rd|th)?,?\s+(\d{4})(.*)$")
_NAMED_SHORT: Final = re.compile(r"^(\d{1,2})[\s-]([^\W\d_]{3,})\.?[\s-](\d{2})(?!\d)(.*)$")
_CURRENCY_SIGNS: Final = re.compile(r"(?i)\b(?:[A-Z]{3}|lei|kr|zł|ft|kč)\b|[€$£¥₽₺₹]|%|zł|Kč")
_SEPARATORS: Final = re.compile(r"[\s\u00a0\u2009\u202f']")
_CENTURY: Final = 70
_YES: Final = frozenset({"on", "✓", "✔", "wahr", "vrai", "checked", "activ", "active", "t"})
_NO: Final = frozenset({"off", "falsch", "faux", "unchecked", "inactiv", "inactive", "f", "-"})


@dataclass(frozen=True, slots=True)
class UnknownChoice:
    """A text that is none of a choice's values: the field stays empty and the text is reported."""

    text: str


@dataclass(frozen=True, slots=True)
class Reading:
    """What is needed to read one column.

    Attributes:
        field: Where its values go.
        profile: Decimal mark and order of dates of the column.
        formats: Language and zone of the person who imports.
    """

    field: BoundField
    profile: Profile
    formats: Formats


def convert(cell: Cell, reading: Reading) -> object:
    """Read one cell as a value of a field; links stay text and are resolved later.

    Returns:
        The value; None for an empty cell; :class:`UnknownChoice` for a word that no choice has.

    Raises:
        UserError: The cell cannot be read as this kind of field.
    """
    if cell is None:
        return None
    if isinstance(cell, CellError):
        if cell.code == NOT_CALCULATED:
            raise UserError(
                N_("The formula was saved without its result; open the workbook and save it again.")
            )
        raise UserError(N_("The cell holds the error {code}."), code=cell.code)
    if isinstance(cell, ChildRows):
        return cell
    value = _CONVERTERS.get(reading.field.kind.name, _text)(cell, reading)
    limit = reading.field.max_length
    if limit is not None and isinstance(value, str) and len(value) > limit:
        raise UserError(
            N_("The text has {length} characters; at most {limit} fit."),
            length=len(value),
            limit=limit,
        )
    return value


def as_text(cell: Cell) -> str:
    """Show a cell as a person typed it: no ``.0`` behind whole numbers, ISO dates."""
    if cell is None or isinstance(cell, ChildRows):
        return ""
    if isinstance(cell, CellError):
        return cell.code
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, Decimal):
        return f"{cell:f}"
    if isinstance(cell, date | time):
        return cell.isoformat()
    return str(cell)


def choice_code(field: BoundField, text: str) -> str | None:
    """Find a choice by its code or its label in any language; None when there is none."""
    wanted = _word(text)
    for code, label in field.choices:
        names = (code, label, *(translate(language, label) for language in LANGUAGES))
        if wanted in {_word(name) for name in names}:
            return code
    return None


def _word(text: str) -> str:
    return re.sub(r"[\s_\-/.]+", " ", fold(text)).strip()


def _text(cell: Cell, reading: Reading) -> object:
    text = " ".join(as_text(cell).split())
    return text or None


def _parsed(cell: Cell, reading: Reading) -> object:
    return reading.field.parse(as_text(cell), reading.formats)


def _multiline(cell: Cell, reading: Reading) -> object:
    return as_text(cell).strip() or None


def _email(cell: Cell, reading: Reading) -> object:
    text = as_text(cell)
    inner = re.search(r"<([^<>@\s]+@[^<>@\s]+)>", text)
    return reading.field.parse(inner[1] if inner else text, reading.formats)


def _phone(cell: Cell, reading: Reading) -> object:
    text = " ".join(as_text(cell).split())
    return text.removeprefix("tel:") or None


def _number(cell: Cell, reading: Reading) -> Decimal:
    if isinstance(cell, bool | date | time):
        raise UserError(N_("“{text}” is not a number."), text=as_text(cell))
    if isinstance(cell, int | Decimal):
        return Decimal(cell)
    text = as_text(cell)
    bare = _SEPARATORS.sub("", _CURRENCY_SIGNS.sub("", text)).replace("−", "-").replace("–", "-")
    negative = bare.startswith("(") and bare.endswith(")")
    bare = bare.strip("()").removesuffix(",-").removesuffix(".-")
    if not reading.profile.decimal:
        value = reading.formats.parse_decimal(bare or text)
    else:
        group = "," if reading.profile.decimal == "." else "."
        plain = bare.replace(group, "").replace(reading.profile.decimal, ".")
        try:
            value = Decimal(plain)
        except InvalidOperation:
            raise UserError(N_("“{text}” is not a number."), text=text) from None
        if not value.is_finite():
            raise UserError(N_("“{text}” is not a number."), text=text)
    return -value if negative else value


def _integer(cell: Cell, reading: Reading) -> object:
    value = _number(cell, reading)
    if value != value.to_integral_value():
        raise UserError(N_("“{text}” is not a whole number."), text=as_text(cell))
    return int(value)


def _decimal(cell: Cell, reading: Reading) -> object:
    return _number(cell, reading)


def _percent(cell: Cell, reading: Reading) -> object:
    value = _number(cell, reading)
    return value * 100 if reading.profile.fractions else value


def _boolean(cell: Cell, reading: Reading) -> object:
    if isinstance(cell, bool):
        return cell
    text = as_text(cell)
    if fold(text) in _YES:
        return True
    if fold(text) in _NO:
        return False
    return reading.field.parse(text, reading.formats)


def _date(cell: Cell, reading: Reading) -> object:
    if isinstance(cell, datetime):
        return cell.date()
    if isinstance(cell, date):
        return cell
    text = as_text(cell)
    day = _reordered(text, reading.profile)
    head = re.match(r"\d{4}-\d{1,2}-\d{1,2}", day)
    try:
        return reading.formats.parse_date(head[0] if head else day)
    except UserError:
        raise _no_date(text) from None


def _datetime(cell: Cell, reading: Reading) -> object:
    zone = reading.formats.zone
    if isinstance(cell, datetime):
        return (cell if cell.tzinfo else cell.replace(tzinfo=zone)).astimezone(UTC)
    if isinstance(cell, date):
        return datetime.combine(cell, time(0), zone).astimezone(UTC)
    text = as_text(cell)
    try:
        return reading.formats.parse_datetime(_reordered(text, reading.profile))
    except UserError:
        raise _no_date(text) from None


def _no_date(text: str) -> UserError:
    return UserError(
        N_("“{text}” is not a date. Write it like 31.12.2026 or 2026-12-31."), text=text
    )


def _reordered(text: str, profile: Profile) -> str:
    """Write a date in ISO order when the column's order is not the language's."""
    text = text.strip()
    if match := _MONTH_FIRST.match(text):
        return f"{match[2]} {match[1]} {match[3]}{match[4]}"
    if match := _NAMED_SHORT.match(text):
        return f"{match[1]} {match[2]} {_full_year(match[3])}{match[4]}"
    match = _NUMERIC_DATE.match(text)
    if match is None or len(match[1]) == 3:
        return text
    a, b, c, rest = match.groups()
    if len(a) == 4:
        year, month, day = a, b, c
    elif profile.dates == MDY:
        year, month, day = _full_year(c), a, b
    elif profile.dates == YMD and len(c) <= 2:
        year, month, day = _full_year(a), b, c
    else:
        year, month, day = _full_year(c), b, a
    return f"{year}-{int(month):02}-{int(day):02}{rest}"


def _full_year(text: str) -> str:
    if len(text) > 2:
        return text
    return f"{20 if int(text) < _CENTURY else 19}{int(text):02}"


def _choice(cell: Cell, reading: Reading) -> object:
    text = as_text(cell)
    if not text:
        return None
    code = choice_code(reading.field, text)
    return code if code is not None else UnknownChoice(text)


_CONVERTERS: Final[Mapping[str, Callable[[Cell, Reading], object]]] = {
    "text": _text,
    "multiline": _multiline,
    "email": _email,
    "phone": _phone,
    "url": _text,
    "integer": _integer,
    "quantity": _decimal,
    "money": _decimal,
    "percent": _percent,
    "boolean": _boolean,
    "date": _date,
    "datetime": _datetime,
    "choice": _choice,
    "tags": _parsed,
}
