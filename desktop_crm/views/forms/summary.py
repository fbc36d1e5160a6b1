"""A record in a few words: pill, subtitle, the facts worth a glance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from desktop_crm.core.i18n import tr
from desktop_crm.meta import registry
from desktop_crm.meta.bound import BoundField, Entity

if TYPE_CHECKING:
    from desktop_crm.core.formats import Formats
    from desktop_crm.services.records import RecordValues

_STATES: Final = ("stage", "status_reason", "relationship_type", "role", "state")
_USUAL: Final = "active"
_MOST_FACTS: Final = 12
_NO_FACTS: Final = frozenset({"lines", "image", "json", "multiline", "boolean"})
_MODIFIED: Final = "modified_at"


@dataclass(frozen=True, slots=True)
class Fact:
    """One line of a record's overview.

    Attributes:
        label: Translated label.
        text: Shown value.
        field: The field.
        target_id: Key of the linked record, for links.
    """

    label: str
    text: str
    field: BoundField
    target_id: int | None = None


def pill_of(entity: Entity, record: RecordValues, formats: Formats) -> tuple[str, str]:
    """Text and tone of the pill beside a record's title; empty when it has no state."""
    for name in _STATES:
        field = entity.fields.get(name)
        value = record.values.get(name)
        if field is None or value is None or value == _USUAL:
            continue
        if field.target == "stage":
            tones = registry.get("stage").fields["forecast_category"].tones
            tone = tones.get(str(record.values.get("forecast_category")), "info")
            return record.titles.get(name, ""), tone
        return field.display(value, formats), field.tones.get(str(value), "neutral")
    return "", "neutral"


def shown(field: BoundField, record: RecordValues, formats: Formats) -> str:
    """Shown text of one field; an amount with its currency."""
    if field.kind.name == "link":
        return record.titles.get(field.name, "")
    text = field.display(record.values.get(field.name), formats)
    currency = field.currency
    if text and currency and (code := record.titles.get(currency)):
        return f"{text} {code}"
    return text


def facts(entity: Entity, record: RecordValues, formats: Formats) -> list[Fact]:
    """What a glance at a record should tell: the list's columns, then the form's fields."""
    arranged = [
        name
        for section in entity.form
        for row in section.rows
        for name in ((row,) if isinstance(row, str) else row)
    ]
    skipped = {entity.title, entity.subtitle, "currency", *_STATES}
    if entity.key == "contact":
        skipped |= {"first_name", "last_name", "account"}
    found: list[Fact] = []
    for name in dict.fromkeys((*entity.columns, "email", "phone", "city", *arranged)):
        field = entity.fields.get(name)
        if field is None or name in skipped or field.kind.name in _NO_FACTS:
            continue
        text = "" if record.values.get(name) == 0 else shown(field, record, formats)
        if text and len(found) < _MOST_FACTS:
            target = record.values.get(name) if field.target else None
            target_id = target if isinstance(target, int) else None
            found.append(Fact(tr(field.label), text, field, target_id))
    modified = entity.fields.get(_MODIFIED)
    if modified is not None and (text := shown(modified, record, formats)):
        found.append(Fact(tr(modified.label), text, modified))
    return found
