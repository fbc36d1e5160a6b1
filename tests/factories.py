"""One factory for every registered entity, from its declaration alone."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from desktop_crm.meta import kinds, registry
from desktop_crm.meta.bound import SYSTEM_FIELDS, BoundField, Entity
from desktop_crm.services import records
from desktop_crm.services.context import Actor

_START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
_PNG = bytes.fromhex("89504e470d0a1a0a")

KNOWN_WORDS: Mapping[str, object] = {
    "language": "ro",
    "time_zone": "Europe/Bucharest",
    "phone_region": "RO",
    "recurrence_rule": "FREQ=WEEKLY",
    "pattern": "X-{number}",
    "domain": "company.example",
    "commands": "Urmărit = track",
}
"""Texts that follow a standard, by field name."""

NEEDED_BY_RULES: Mapping[str, tuple[str, ...]] = {"quote": ("currency",)}
"""Links that a rule asks for although the column may be empty."""

DEFINED: Mapping[tuple[str, str], object] = {
    ("custom_field", "entity"): "unit",
    ("choice_option", "entity"): "lead",
    ("choice_option", "field"): "source",
    ("form_layout", "definition"): None,
}
"""Values that name what there is, by entity and field."""

RECKONED: Mapping[str, frozenset[str]] = {
    # Money of a quote is reckoned from its lines; one without lines has none to give away.
    "quote": frozenset({"discount_amount", "freight_amount"}),
    # The position is the place among the lines, whatever number it is given.
    "quote_line": frozenset({"discount_amount", "position"}),
    # The duration is that of start and end.
    "activity": frozenset({"duration_minutes"}),
    "contact": frozenset({"full_name"}),
    # What a field is stands for ever; where it stands and how it is called is found out.
    "custom_field": frozenset({"name", "target", "position"}),
    "choice_option": frozenset({"code"}),
    "lead": frozenset({"full_name"}),
}
"""Fields that rules set whatever is asked."""

ENDS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "connection": (("from_type", "from_id"), ("to_type", "to_id")),
    "link": (("record_type", "record_id"),),
}
"""Pairs of fields that name a record of any kind together."""

_numbers = itertools.count(1)


class Factory:
    """Makes valid records, each different from all others of the process.

    Args:
        actor: Who makes them.
    """

    def __init__(self, actor: Actor) -> None:
        self.actor = actor

    def values(self, key: str, **overrides: object) -> dict[str, Any]:
        """Valid values for every field a person or a rule may set; needed links are made."""
        entity = registry.get(key)
        number = next(_numbers)
        found: dict[str, Any] = {}
        for name, field in entity.fields.items():
            if name not in overrides and self._is_set(entity, field):
                found[name] = DEFINED.get((key, name), self.value(field, number))
        for name in self._links(entity):
            if not (overrides.keys() & set(entity.parent) and name in entity.parent):
                found.setdefault(name, overrides.get(name) or self.make(entity.fields[name].target))
        if entity.private is not None:  # nobody's would be private to everybody
            found.setdefault("owner", self.actor.user_id)
        for kind, record in ENDS.get(key, ()):
            if record not in overrides:
                found |= {kind: "contact", record: self.make("contact")}
        return {**found, **overrides}

    def make(self, key: str, **overrides: object) -> int:
        """Save a record and return its key."""
        values = self.values(key, **overrides)
        return records.save(self.actor, key, None, None, values).id

    def value(self, field: BoundField, number: int) -> object:
        """A value of a field that no other record has, where the field can hold so many."""
        kind = field.kind
        if field.name in KNOWN_WORDS:
            return KNOWN_WORDS[field.name]
        if kind is kinds.CHOICE:
            return field.default or field.choices[0][0]
        if kind is kinds.BOOLEAN:
            return field.default
        if kind is kinds.INTEGER:
            return field.default if field.default is not None else number % 1000 + 1
        if kind in {kinds.MONEY, kinds.QUANTITY, kinds.PERCENT}:
            return Decimal(number % 89 + 1) + Decimal("0.25")
        if kind is kinds.DATE:
            return date(2020, 1, 1) + timedelta(days=number)
        if kind is kinds.DATETIME:
            return _START + timedelta(hours=number, minutes=_order(field))
        return _text(field, number)

    @staticmethod
    def _is_set(entity: Entity, field: BoundField) -> bool:
        if field.column is None or field.name in SYSTEM_FIELDS or field.kind is kinds.LINK:
            return False
        if field.copy_of or field.name in RECKONED.get(entity.key, ()):
            return False
        return not field.read_only or (not field.nullable and field.default is None)

    @staticmethod
    def _links(entity: Entity) -> tuple[str, ...]:
        links = [f for f in entity.fields.values() if f.kind is kinds.LINK]
        needed = {f.name for f in links if not f.nullable}
        needed |= set(NEEDED_BY_RULES.get(entity.key, ()))
        if not needed & set(entity.parent):
            needed |= set(entity.parent[:1])
        return tuple(sorted(needed))


def _order(field: BoundField) -> int:
    """Minutes that keep a start before its end."""
    return 30 if field.name.startswith(("end", "due")) else 0


def _text(field: BoundField, number: int) -> object:
    kind = field.kind
    if kind is kinds.EMAIL:
        return f"name{number}@company{number}.example"
    if kind is kinds.PHONE:
        return f"+40 21 {number:07}"
    if kind is kinds.URL:
        return f"https://www.site{number}.example"
    if kind is kinds.JSON:
        return {"number": number, "names": ["ș", None]}
    if kind is kinds.IMAGE:
        return _PNG + number.to_bytes(4, "big")
    if kind is kinds.TAGS:
        return f"|tag {number}|ș|"
    text = f"{field.label} ș {number}"
    length = field.max_length
    return text if length is None or len(text) <= length else _short(number, length)


def _short(number: int, length: int) -> str:
    """Capitals; as many as a code of one to three letters has."""
    found = ""
    while len(found) < min(length, 3):
        number, rest = divmod(number, 26)
        found += chr(ord("A") + rest)
    return found
