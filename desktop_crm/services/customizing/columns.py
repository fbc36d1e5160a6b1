"""Columns of fields of one's own: which kinds there are and how a table grows by one."""

from __future__ import annotations

import re
import secrets
from typing import Any, Final

from sqlalchemy import Boolean, Column, Date, Integer, String, Table, Text, false
from sqlalchemy.types import TypeEngine

from desktop_crm.core.text import fold
from desktop_crm.meta import kinds
from desktop_crm.meta.columns import NAME_LENGTH
from desktop_crm.meta.kinds import Kind
from desktop_crm.meta.types import MONEY_SCALE, QUANTITY_SCALE, ExactNumber, UtcDateTime
from desktop_crm.models.customizing import FieldKind

PREFIX: Final = "x_"
"""Begins the name of every field of one's own."""

KINDS: Final[dict[str, Kind]] = {
    FieldKind.TEXT: kinds.TEXT,
    FieldKind.MULTILINE: kinds.MULTILINE,
    FieldKind.EMAIL: kinds.EMAIL,
    FieldKind.PHONE: kinds.PHONE,
    FieldKind.URL: kinds.URL,
    FieldKind.INTEGER: kinds.INTEGER,
    FieldKind.QUANTITY: kinds.QUANTITY,
    FieldKind.MONEY: kinds.MONEY,
    FieldKind.PERCENT: kinds.PERCENT,
    FieldKind.BOOLEAN: kinds.BOOLEAN,
    FieldKind.DATE: kinds.DATE,
    FieldKind.DATETIME: kinds.DATETIME,
    FieldKind.CHOICE: kinds.CHOICE,
    FieldKind.LINK: kinds.LINK,
}

SEARCHABLE: Final = frozenset(
    {FieldKind.TEXT, FieldKind.MULTILINE, FieldKind.EMAIL, FieldKind.PHONE, FieldKind.URL}
)
"""Kinds whose stored value is what a person searches for."""

_TYPES: Final[dict[str, TypeEngine[Any]]] = {
    FieldKind.TEXT: String(NAME_LENGTH),
    FieldKind.MULTILINE: Text(),
    FieldKind.EMAIL: String(254),
    FieldKind.PHONE: String(60),
    FieldKind.URL: String(500),
    FieldKind.INTEGER: Integer(),
    FieldKind.QUANTITY: ExactNumber(QUANTITY_SCALE),
    FieldKind.MONEY: ExactNumber(MONEY_SCALE),
    FieldKind.PERCENT: ExactNumber(QUANTITY_SCALE),
    FieldKind.BOOLEAN: Boolean(),
    FieldKind.DATE: Date(),
    FieldKind.DATETIME: UtcDateTime(),
    FieldKind.CHOICE: String(40),
    FieldKind.LINK: Integer(),
}
_SLUG_LENGTH: Final = 30


def new_name(label: str) -> str:
    """Name of a new field and of its column: it says what it is, and never comes twice.

    The random end makes one name mean one kind for ever, in every database: tables of this
    process keep the columns of all databases it opened.
    """
    return f"{PREFIX}{slug(label)}_{secrets.token_hex(3)}"


def slug(label: str) -> str:
    """Letters and digits of a label, fit for a name."""
    plain = re.sub(r"[^a-z0-9]+", "_", fold(label)).strip("_")
    return plain[:_SLUG_LENGTH].strip("_") or "field"


def column(name: str, kind: str) -> Column[Any]:
    """Column of a new field; empty in every record, a yes or no is no."""
    if kind == FieldKind.BOOLEAN:
        # By the server, never by the client: an insert of this process into a database without
        # the column must not name it.
        return Column(name, Boolean(), nullable=False, server_default=false())
    return Column(name, _TYPES[kind], nullable=True)


def grow(table: Table, name: str, kind: str) -> Column[Any]:
    """The column in the declared table, which gets it when it has none of this name."""
    if name not in table.c:
        table.append_column(column(name, kind))
    return table.c[name]
