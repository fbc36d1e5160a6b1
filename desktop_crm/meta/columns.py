"""Constructors of declared columns: SQLAlchemy's own with one ``Field`` in their info."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, TypedDict, TypeVar, Unpack

from sqlalchemy import JSON, Boolean, Column, Date, ForeignKey, Integer, LargeBinary, String, Text
from sqlalchemy.types import TypeEngine

from desktop_crm.meta import kinds
from desktop_crm.meta.field import Choice, Field, Level
from desktop_crm.meta.kinds import Kind
from desktop_crm.meta.types import MONEY_SCALE, QUANTITY_SCALE, ExactNumber, UtcDateTime

T = TypeVar("T")

INFO_KEY: Final = "field"
NAME_LENGTH: Final = 200


class Stored(Column[T]):
    """Column of a declared class, which gives it with the type of its annotation."""

    inherit_cache = True
    if TYPE_CHECKING:
        # The type's own forbids what every declared class does.
        def __get__(self, instance: object, owner: object) -> Column[T]: ...  # type: ignore[override]


class Meaning(TypedDict, total=False):
    """Keyword arguments every constructor passes on to :class:`Field`."""

    help: str
    level: Level
    audited: bool
    searchable: bool
    importable: bool
    personal: bool
    read_only: bool
    hidden: bool
    free: bool
    width: int
    copy_of: tuple[str, str]
    currency: str


def _column(
    type_: TypeEngine[Any] | type[TypeEngine[Any]],
    field: Field,
    *constraints: ForeignKey,
    **arguments: object,
) -> Stored[Any]:
    given: dict[str, Any] = {key: value for key, value in arguments.items() if value is not None}
    return Stored(type_, *constraints, info={INFO_KEY: field}, **given)


def text(
    label: str,
    *,
    length: int = NAME_LENGTH,
    kind: Kind = kinds.TEXT,
    default: str | None = None,
    unique: bool = False,
    **meaning: Unpack[Meaning],
) -> Stored[Any]:
    """One line of text of at most ``length`` characters."""
    field = Field(kind, label, **meaning)
    return _column(String(length), field, default=default or None, unique=unique or None)


def multiline(label: str, **meaning: Unpack[Meaning]) -> Stored[Any]:
    """Text of any length with line breaks."""
    return _column(Text, Field(kinds.MULTILINE, label, **meaning))


def email(label: str, **meaning: Unpack[Meaning]) -> Stored[Any]:
    """E-mail address."""
    return text(label, length=254, kind=kinds.EMAIL, **meaning)


def phone(label: str, **meaning: Unpack[Meaning]) -> Stored[Any]:
    """Phone number as written."""
    return text(label, length=60, kind=kinds.PHONE, **meaning)


def url(label: str, **meaning: Unpack[Meaning]) -> Stored[Any]:
    """Web address."""
    return text(label, length=500, kind=kinds.URL, **meaning)


def integer(label: str, *, default: int | None = None, **meaning: Unpack[Meaning]) -> Stored[Any]:
    """Whole number."""
    field = Field(kinds.INTEGER, label, **meaning)
    return _column(Integer, field, default=default)


def quantity(
    label: str, *, default: Decimal | None = None, **meaning: Unpack[Meaning]
) -> Stored[Any]:
    """Quantity or rate with up to six decimals."""
    field = Field(kinds.QUANTITY, label, **meaning)
    return _column(ExactNumber(QUANTITY_SCALE), field, default=default)


def money(
    label: str, *, unit: bool = False, default: Decimal | None = None, **meaning: Unpack[Meaning]
) -> Stored[Any]:
    """Amount in the record's currency; ``unit`` prices keep six decimals."""
    scale = QUANTITY_SCALE if unit else MONEY_SCALE
    field = Field(kinds.MONEY, label, **meaning)
    return _column(ExactNumber(scale), field, default=default)


def percent(
    label: str, *, default: Decimal | None = None, **meaning: Unpack[Meaning]
) -> Stored[Any]:
    """Percentage; 19 means 19 %."""
    field = Field(kinds.PERCENT, label, **meaning)
    return _column(ExactNumber(QUANTITY_SCALE), field, default=default)


def boolean(label: str, *, default: bool = False, **meaning: Unpack[Meaning]) -> Stored[Any]:
    """Yes or no, never unknown."""
    return _column(Boolean, Field(kinds.BOOLEAN, label, **meaning), default=default)


def day(label: str, **meaning: Unpack[Meaning]) -> Stored[Any]:
    """Day of the calendar, without a zone."""
    return _column(Date, Field(kinds.DATE, label, **meaning))


def moment(label: str, **meaning: Unpack[Meaning]) -> Stored[Any]:
    """Moment in UTC."""
    return _column(UtcDateTime(), Field(kinds.DATETIME, label, **meaning))


def choice(
    label: str,
    values: type[Choice],
    *,
    default: Choice | None = None,
    **meaning: Unpack[Meaning],
) -> Stored[Any]:
    """One code of a fixed set."""
    field = Field(kinds.CHOICE, label, options=values.options(), **meaning)
    return _column(String(40), field, default=None if default is None else str(default))


def link(
    label: str, target: str, *, cascade: bool = False, **meaning: Unpack[Meaning]
) -> Stored[Any]:
    """Reference to another record; the column is ``<field>_id``, ``target`` is ``table.id``."""
    key = ForeignKey(target, ondelete="CASCADE" if cascade else None)
    return _column(Integer, Field(kinds.LINK, label, **meaning), key)


def loose_link(label: str, target: str, **meaning: Unpack[Meaning]) -> Stored[Any]:
    """Reference without a foreign key: to who did it, or where two tables name each other."""
    return _column(Integer, Field(kinds.LINK, label, target=target, **meaning))


def tags(label: str, **meaning: Unpack[Meaning]) -> Stored[Any]:
    """Words kept between bars, as in ``|press|vip|``; shown with commas."""
    return _column(Text, Field(kinds.TAGS, label, **meaning))


def json(label: str, **meaning: Unpack[Meaning]) -> Stored[Any]:
    """Structured value."""
    return _column(JSON(none_as_null=True), Field(kinds.JSON, label, **meaning))


def image(label: str, **meaning: Unpack[Meaning]) -> Stored[Any]:
    """Picture as PNG or JPEG bytes."""
    return _column(LargeBinary, Field(kinds.IMAGE, label, **meaning))
