"""How people write values: reading what was typed, showing what is stored.

Every function takes the field's choices where there are any; what cannot be read is a
``UserError`` that quotes it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Final, Protocol

from desktop_crm.core.errors import UserError
from desktop_crm.core.formats import Formats
from desktop_crm.core.i18n import N_, translate
from desktop_crm.core.text import canonical_email, clean, fold

_YES: Final = {"yes", "true", "1", "da", "y", "x", "adevarat"}
_NO: Final = {"no", "false", "0", "nu", "n", "", "fals"}
_CURRENCY: Final = "[A-Z]{3}|[€$£¥₽₺₹]|lei|zł|Kč|kr|Ft"
_AROUND: Final = re.compile(rf"^([+\-\u2212]?)\s*(?:{_CURRENCY})|\s*(?:{_CURRENCY}|%)$")


class ChoiceField(Protocol):
    """What a kind needs to know about the field whose value it reads or shows."""

    @property
    def label(self) -> str:
        """English label."""

    @property
    def choices(self) -> Sequence[tuple[str, str]]:
        """Code and English label of each possible value."""


def read_email(text: str, formats: Formats, field: ChoiceField | None) -> object:
    """Read an e-mail address."""
    address = canonical_email(text)
    if address is None:
        raise UserError(
            N_("“{text}” is not an e-mail address. Write it like name@company.com."),
            text=clean(text),
        )
    return address


def read_integer(text: str, formats: Formats, field: ChoiceField | None) -> object:
    """Read a whole number."""
    value = formats.parse_decimal(text)
    if value != value.to_integral_value():
        raise UserError(N_("“{text}” is not a whole number."), text=clean(text))
    return int(value)


def show_integer(value: object, formats: Formats, field: ChoiceField | None) -> str:
    """Show a whole number; large ones in groups."""
    large = isinstance(value, int) and abs(value) >= 10_000  # years take no group marks
    return formats.number(Decimal(str(value)), 0) if large else str(value)


def read_decimal(text: str, formats: Formats, field: ChoiceField | None) -> object:
    """Read a number as spreadsheets show it: with a currency, in brackets for a negative one."""
    bare = clean(text)
    if not bare:
        return None
    inner = bare[1:-1] if bare.startswith("(") and bare.endswith(")") else bare
    digits = _AROUND.sub(r"\1", inner).strip()
    value = formats.parse_decimal(digits or bare)
    return value if inner is bare else -abs(value)


def exact(value: object) -> Decimal:
    """The exact number a value stands for."""
    return value if isinstance(value, Decimal) else Decimal(str(value))


def show_money(value: object, formats: Formats, field: ChoiceField | None) -> str:
    """Show an amount; a finer one is a unit price."""
    number = exact(value)
    finer = number != round(number, 2)  # a unit price
    return formats.number(number) if finer else formats.number(number, 2)


def read_yes_no(text: str, formats: Formats, field: ChoiceField | None) -> object:
    """Read yes or no."""
    folded = fold(text)
    if folded not in _YES | _NO:
        raise UserError(N_("“{text}” is neither yes nor no."), text=clean(text))
    return folded in _YES


def show_yes_no(value: object, formats: Formats, field: ChoiceField | None) -> str:
    """Show yes or no."""
    return translate(formats.language, N_("Yes") if value else N_("No"))


def read_choice(text: str, formats: Formats, field: ChoiceField | None) -> object:
    """Read a value of a choice by its code or by its label in any language."""
    wanted = fold(text)
    if field is None:
        return wanted
    if any(wanted == code for code, _label in field.choices):
        return wanted
    for code, label in field.choices:
        names = (label, translate("ro", label), code.replace("_", " "))
        if wanted in {fold(name) for name in names}:
            return code
    raise UserError(
        N_("“{text}” is no value of {field}. Possible: {values}."),
        text=clean(text),
        field=translate(formats.language, field.label),
        values=", ".join(translate(formats.language, label) for _, label in field.choices),
    )


def show_choice(value: object, formats: Formats, field: ChoiceField | None) -> str:
    """Show the label of a value; one without a label is shown as it is."""
    label = dict(field.choices).get(str(value)) if field is not None else None
    return translate(formats.language, label) if label else str(value)


def read_json(text: str, formats: Formats, field: ChoiceField | None) -> object:
    """Read a structured value."""
    try:
        return json.loads(text)
    except ValueError:
        raise UserError(N_("“{text}” is not valid JSON."), text=text[:40]) from None
