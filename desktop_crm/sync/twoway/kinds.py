"""The three kinds of items that go both ways, each with its table of fields."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from desktop_crm.sync.port import ContactItem, MeetingItem, TaskItem
from desktop_crm.sync.twoway import contacts, meetings, tasks
from desktop_crm.sync.twoway.fields import Field, Fields, Frame, Record, TwoWayItem


class Kind(StrEnum):
    """What an item is."""

    MEETING = "meeting"
    TASK = "task"
    CONTACT = "contact"


@dataclass(frozen=True, slots=True)
class Table:
    """Fields of one kind, and those of them that may be known of a private one (R39)."""

    fields: tuple[Field, ...]
    private: frozenset[str] | None

    def visible(self, values: dict[str, Any]) -> dict[str, Any]:
        """Without what a private item keeps to itself."""
        if self.private is None or not values.get("privacy"):
            return values
        return {name: value for name, value in values.items() if name in self.private}


TABLES: Final[Mapping[Kind, Table]] = {
    Kind.MEETING: Table(meetings.FIELDS, meetings.PRIVATE_FIELDS),
    Kind.TASK: Table(tasks.FIELDS, tasks.PRIVATE_FIELDS),
    Kind.CONTACT: Table(contacts.FIELDS, None),
}


def kind_of(item: TwoWayItem) -> Kind:
    """Which table an item has."""
    if isinstance(item, MeetingItem):
        return Kind.MEETING
    return Kind.TASK if isinstance(item, TaskItem) else Kind.CONTACT


def fields_of_item(item: TwoWayItem) -> dict[str, Any]:
    """What an item of the mailbox says."""
    table = TABLES[kind_of(item)]
    return table.visible({field.name: field.of_item(item) for field in table.fields})


def says(item: object, wanted: TwoWayItem) -> bool:
    """Whether an item of the mailbox says what it was to say, in whatever form it keeps it."""
    if not isinstance(item, MeetingItem | TaskItem | ContactItem):
        return False
    table, found, given = TABLES[kind_of(wanted)], fields_of_item(item), fields_of_item(wanted)
    return found.keys() == given.keys() and all(
        one.same(found[one.name], given[one.name]) for one in table.fields if one.name in given
    )


def fields_of_record(kind: Kind, record: Record, frame: Frame) -> dict[str, Any]:
    """What a record says; fields it says nothing about are absent."""
    table = TABLES[kind]
    values = {field.name: field.of_record(record, frame) for field in table.fields}
    return table.visible({name: value for name, value in values.items() if value is not None})


def onto_item(item: TwoWayItem, values: Fields) -> TwoWayItem:
    """An item with some of its fields changed; everything else stays as the mailbox has it."""
    for field in TABLES[kind_of(item)].fields:
        if field.name in values:
            item = field.to_item(item, values[field.name])
    return contacts.named(item) if isinstance(item, ContactItem) else item


def onto_record(kind: Kind, values: Fields, record: Record, frame: Frame) -> dict[str, Any]:
    """What a record is to store for some fields."""
    stands = dict(record)
    changed: dict[str, Any] = {}
    for field in TABLES[kind].fields:
        if field.name in values:
            made = field.to_record(values[field.name], stands, frame)
            stands |= made
            changed |= made
    return changed
