"""Kinds of field: how a value is typed, shown, compared and exported."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from desktop_crm.core.errors import UserError
from desktop_crm.core.formats import Formats
from desktop_crm.core.i18n import N_, translate
from desktop_crm.core.text import canonical_email, clean, fold

if TYPE_CHECKING:
    from desktop_crm.meta.bound import BoundField

TEXT_OPERATORS: Final = ("contains", "=", "!=", "starts", "in", "empty", "not empty")
ORDER_OPERATORS: Final = ("=", "!=", "<", "<=", ">", ">=", "in", "empty", "not empty")
CHOICE_OPERATORS: Final = ("=", "!=", "in", "empty", "not empty")
YES_NO_OPERATORS: Final = ("=", "!=")
_YES: Final = {"yes", "true", "1", "da", "y", "x", "adevarat"}
_NO: Final = {"no", "false", "0", "nu", "n", "", "fals"}


@dataclass(frozen=True, slots=True)
class Kind:
    """One way of treating values; text is the plainest.

    Attributes:
        name: Stable name, used to choose an editor.
        align: ``left`` or ``right``.
        operators: What a filter may ask, the default first.
        excel_format: Number format of exported cells.
        width: Usual column width in pixels.
    """

    name: str
    align: str = "left"
    operators: tuple[str, ...] = TEXT_OPERATORS
    excel_format: str = "@"
    width: int = 160

    def parse(self, text: str, formats: Formats, field: BoundField | None = None) -> object:
        """Read what a person typed; an empty text is None.

        Raises:
            UserError: The text cannot be read as this kind.
        """
        return clean(text) or None

    def display(self, value: object, formats: Formats, field: BoundField | None = None) -> str:
        """Show a value; None is an empty text."""
        return "" if value is None else str(value)


class MultilineKind(Kind):
    """Text with line breaks."""

    def parse(self, text: str, formats: Formats, field: BoundField | None = None) -> object:
        """Keep line breaks, drop the blanks around."""
        return text.replace("\r\n", "\n").strip() or None


class EmailKind(Kind):
    """E-mail address, kept in its compared form."""

    def parse(self, text: str, formats: Formats, field: BoundField | None = None) -> object:
        """Read an address."""
        if not clean(text):
            return None
        address = canonical_email(text)
        if address is None:
            raise UserError(
                N_("“{text}” is not an e-mail address. Write it like name@company.com."),
                text=clean(text),
            )
        return address


class IntegerKind(Kind):
    """Whole number."""

    def parse(self, text: str, formats: Formats, field: BoundField | None = None) -> object:
        """Read a whole number."""
        if not clean(text):
            return None
        value = formats.parse_decimal(text)
        if value != value.to_integral_value():
            raise UserError(N_("“{text}” is not a whole number."), text=clean(text))
        return int(value)

    def display(self, value: object, formats: Formats, field: BoundField | None = None) -> str:
        """Show digits; years and counts take no group marks below 10,000."""
        if not isinstance(value, int):
            return "" if value is None else str(value)
        return str(value) if abs(value) < 10_000 else formats.number(value, 0)


class DecimalKind(Kind):
    """Decimal number."""

    def parse(self, text: str, formats: Formats, field: BoundField | None = None) -> object:
        """Read a number; a trailing currency code or percent sign is allowed."""
        bare = clean(text).rstrip("%").strip()
        if not bare:
            return None
        if bare[-3:].isalpha() and bare[-3:].isupper():
            bare = bare[:-3]
        return formats.parse_decimal(bare)

    def display(self, value: object, formats: Formats, field: BoundField | None = None) -> str:
        """Show as money, percentage or plain number, by the kind's name."""
        if value is None:
            return ""
        number = value if isinstance(value, Decimal) else Decimal(str(value))
        if self.name == "money":
            places = number.normalize().as_tuple().exponent
            finer = isinstance(places, int) and -places > 2
            return formats.number(number) if finer else formats.number(number, 2)
        return formats.percent(number) if self.name == "percent" else formats.number(number)


class BooleanKind(Kind):
    """Yes or no."""

    def parse(self, text: str, formats: Formats, field: BoundField | None = None) -> object:
        """Read yes or no in either language."""
        folded = fold(text)
        if folded in _YES:
            return True
        if folded in _NO:
            return False
        raise UserError(N_("“{text}” is neither yes nor no."), text=clean(text))

    def display(self, value: object, formats: Formats, field: BoundField | None = None) -> str:
        """Show yes or no."""
        if value is None:
            return ""
        return translate(formats.language, N_("Yes") if value else N_("No"))


class DateKind(Kind):
    """Day of the calendar."""

    def parse(self, text: str, formats: Formats, field: BoundField | None = None) -> object:
        """Read a day."""
        return formats.parse_date(text) if clean(text) else None

    def display(self, value: object, formats: Formats, field: BoundField | None = None) -> str:
        """Show the day."""
        return formats.date(value) if isinstance(value, date) else ""


class DateTimeKind(Kind):
    """Moment, aware UTC inside."""

    def parse(self, text: str, formats: Formats, field: BoundField | None = None) -> object:
        """Read a moment in the person's zone."""
        return formats.parse_datetime(text) if clean(text) else None

    def display(self, value: object, formats: Formats, field: BoundField | None = None) -> str:
        """Show the moment in the person's zone."""
        return formats.datetime(value) if isinstance(value, datetime) else ""


class ChoiceKind(Kind):
    """One of a fixed set of codes."""

    def parse(self, text: str, formats: Formats, field: BoundField | None = None) -> object:
        """Read a code or a label of any language the product speaks."""
        wanted = fold(text)
        if not wanted or field is None:
            return wanted or None
        for option in field.options:
            labels = {option.label, translate("ro", option.label), option.code.replace("_", " ")}
            if wanted == option.code or wanted in {fold(label) for label in labels}:
                return option.code
        raise UserError(
            N_("“{text}” is no value of {field}. Possible: {values}."),
            text=clean(text),
            field=translate(formats.language, field.label),
            values=", ".join(translate(formats.language, o.label) for o in field.options),
        )

    def display(self, value: object, formats: Formats, field: BoundField | None = None) -> str:
        """Show the label."""
        if value is None:
            return ""
        label = field.labels.get(str(value)) if field is not None else None
        return translate(formats.language, label) if label else str(value)


class ImageKind(Kind):
    """Picture."""

    def display(self, value: object, formats: Formats, field: BoundField | None = None) -> str:
        """Say that there is one."""
        return translate(formats.language, N_("Picture")) if value else ""


class JsonKind(Kind):
    """Structured value of the product's own, shown as compact JSON."""

    def parse(self, text: str, formats: Formats, field: BoundField | None = None) -> object:
        """Read JSON."""
        try:
            return json.loads(text) if text.strip() else None
        except ValueError:
            raise UserError(N_("“{text}” is not valid JSON."), text=text[:40]) from None

    def display(self, value: object, formats: Formats, field: BoundField | None = None) -> str:
        """Show compact JSON."""
        return "" if value is None else json.dumps(value, ensure_ascii=False, default=str)


TEXT: Final = Kind("text", width=180)
MULTILINE: Final = MultilineKind("multiline", width=260)
EMAIL: Final = EmailKind("email", width=210)
PHONE: Final = Kind("phone", width=140)
URL: Final = Kind("url", width=180)
INTEGER: Final = IntegerKind("integer", "right", ORDER_OPERATORS, "0", 90)
QUANTITY: Final = DecimalKind("quantity", "right", ORDER_OPERATORS, "#,##0.######", 100)
MONEY: Final = DecimalKind("money", "right", ORDER_OPERATORS, "#,##0.00", 120)
PERCENT: Final = DecimalKind("percent", "right", ORDER_OPERATORS, "0.##", 90)
BOOLEAN: Final = BooleanKind(
    "boolean", operators=YES_NO_OPERATORS, excel_format="General", width=80
)
DATE: Final = DateKind("date", operators=ORDER_OPERATORS, excel_format="yyyy-mm-dd", width=110)
DATETIME: Final = DateTimeKind(
    "datetime", operators=ORDER_OPERATORS, excel_format="yyyy-mm-dd hh:mm", width=150
)
CHOICE: Final = ChoiceKind("choice", operators=CHOICE_OPERATORS, width=130)
LINK: Final = Kind("link", width=180)
LINES: Final = Kind("lines", operators=("empty", "not empty"))
IMAGE: Final = ImageKind("image", operators=("empty", "not empty"), width=80)
JSON: Final = JsonKind("json", operators=("empty", "not empty"), width=200)

ALL: Final = (
    TEXT, MULTILINE, EMAIL, PHONE, URL, INTEGER, QUANTITY, MONEY, PERCENT, BOOLEAN, DATE,
    DATETIME, CHOICE, LINK, LINES, IMAGE, JSON,
)  # fmt: skip
