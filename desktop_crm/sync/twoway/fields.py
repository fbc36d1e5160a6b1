"""What a synchronised field is: one value that both sides can give and take.

A value is plain JSON in one canonical form, whichever side it comes from, so that both sides, and
what they last agreed on, can be compared and stored.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from enum import StrEnum
from typing import Any, Final
from zoneinfo import ZoneInfo

from desktop_crm.core.i18n import N_
from desktop_crm.core.text import clean, fold, join_tags, split_tags, storable
from desktop_crm.sync.port import ContactItem, MeetingItem, Sensitivity, TaskItem

Value = Any
"""Plain JSON."""

Fields = Mapping[str, Value]
"""Values by the name of their field; a field that does not apply is absent."""

Record = Mapping[str, Any]
"""A record's values by field name, child rows as lists of mappings."""

TwoWayItem = MeetingItem | TaskItem | ContactItem

TEXT_LIMIT: Final = 1_000_000
"""Characters of a long text that are stored; longer ones are cut."""


class Way(StrEnum):
    """Which side may change a field."""

    BOTH = "both"
    IN = "in"
    OUT = "out"


@dataclass(frozen=True, slots=True)
class Frame:
    """What a value depends on beyond its record: the user's zone and language."""

    zone: ZoneInfo = ZoneInfo("UTC")  # noqa: RUF009  a value that never changes
    language: str = "en"


def _as_it_is(value: Value) -> Value:
    return value


@dataclass(frozen=True, slots=True)
class Field:
    """One synchronised field, in both directions.

    Attributes:
        name: key of its value.
        label: translatable name.
        of_item: the value an item of the mailbox has.
        of_record: the value a record has; None where the record says nothing about it.
        to_item: an item with the value.
        to_record: what the record is to store for the value.
        key: what of the value counts when values are compared.
        way: which side may change it.
        organizer: in a meeting somebody else organizes the mailbox decides.
        told: a change of it is news to the other participants (R37).
        together: both changes in one, where that can be done: base, ours, theirs.
    """

    name: str
    label: str
    of_item: Callable[[Any], Value]
    of_record: Callable[[Record, Frame], Value]
    to_item: Callable[[Any, Value], Any]
    to_record: Callable[[Value, Record, Frame], dict[str, Any]]
    key: Callable[[Value], object] = _as_it_is
    way: Way = Way.BOTH
    organizer: bool = False
    told: bool = False
    together: Callable[[Value, Value, Value], Value] | None = None

    def same(self, one: Value, other: Value) -> bool:
        """Whether two values count as equal."""
        return self.key(one) == self.key(other)


def line(text: object, limit: int) -> str:
    """A text of one line as both sides compare it: spaces folded, not too long."""
    return clean(storable(str(text or "")))[:limit].strip()


def block(text: object) -> str:
    """A text of several lines: one kind of line end, no blanks at the ends of lines."""
    plain = storable(str(text or ""))[:TEXT_LIMIT].replace("\r\n", "\n").replace("\r", "\n")
    return "\n".join(part.rstrip() for part in plain.replace("\u00a0", " ").split("\n")).strip()


def stamp(value: datetime | date) -> str:
    """Instant in UTC, or a day, as both sides write moments."""
    return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else value.isoformat()


def moment_of(text: str) -> datetime | date:
    """The instant or day :func:`stamp` wrote."""
    return datetime.fromisoformat(text) if "T" in text else date.fromisoformat(text)


def instant(value: datetime | date) -> datetime:
    """A moment as records store it: days are midnights UTC."""
    if isinstance(value, datetime):
        return value.astimezone(UTC)
    return datetime.combine(value, time(), tzinfo=UTC)


def is_private(item: TwoWayItem) -> bool:
    """Whether only its time, or of a contact nothing, may be known here (R39)."""
    masked = isinstance(item, MeetingItem) and item.masked
    return masked or item.sensitivity is not Sensitivity.NORMAL


PRIVACY: Final = Field(
    "privacy",
    N_("Private"),
    is_private,
    lambda record, _frame: record.get("sensitivity") == Sensitivity.PRIVATE.value,
    lambda item, value: replace(
        item, sensitivity=Sensitivity.PRIVATE if value else Sensitivity.NORMAL
    ),
    lambda value, _record, _frame: {
        "sensitivity": (Sensitivity.PRIVATE if value else Sensitivity.NORMAL).value
    },
)
"""Whether a meeting or task is private; records write it as items do."""


def merged_list(base: Value, ours: Value, theirs: Value) -> Value:
    """Both sides' additions and removals of a sorted list without repetition."""
    before, mine, other = set(base or ()), set(ours), set(theirs)
    return sorted((mine & other) | (mine - before) | (other - before))


def _words(names: Iterable[str]) -> Value:
    """Categories or tags as both sides compare them; a name with a comma is two words."""
    return sorted(split_tags("|".join(storable(name) for name in names)), key=fold)


def _spelt(value: Value, known: Iterable[str]) -> list[str]:
    """Words as the side that takes them spells them already."""
    spelling = {fold(name): name for name in known}
    return [spelling.get(fold(word), word) for word in value]


CATEGORIES: Final = Field(
    "categories",
    N_("Categories"),
    lambda item: _words(item.categories),
    lambda record, _frame: _words([record.get("tags") or ""]),
    lambda item, value: replace(item, categories=tuple(_spelt(value, item.categories))),
    lambda value, record, _frame: {
        "tags": join_tags(_spelt(value, split_tags(record.get("tags") or "")))
    },
    key=lambda value: frozenset(fold(word) for word in value or ()),
    together=merged_list,
)
"""Categories of the mailbox are tags of the record."""


def merged_map(base: Value, ours: Value, theirs: Value) -> Value:
    """Both sides' changes of a mapping, entry by entry; None where both changed one differently."""
    before: Mapping[str, Value] = base or {}
    found = dict(theirs)
    for name in {*before, *ours}:
        mine, other, was = ours.get(name), theirs.get(name), before.get(name)
        if mine in (was, other):
            continue
        if other != was:
            return None
        if mine is None:
            found.pop(name, None)
        else:
            found[name] = mine
    return dict(sorted(found.items()))
