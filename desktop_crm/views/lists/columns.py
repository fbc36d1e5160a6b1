"""What a list column is: a path from the entity, its meaning and how it is painted."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from desktop_crm.core.formats import Formats
from desktop_crm.core.i18n import tr
from desktop_crm.meta import registry
from desktop_crm.meta.bound import BoundField, Entity

PERSON_LIKE: Final = frozenset({"contact", "lead", "account", "user"})
"""Entities whose titles stand beside an avatar."""
STAGE_TONES: Final = ("info", "neutral", "warn", "ok", "bad")
_DIM_KINDS: Final = frozenset({"date", "datetime"})
_HEAVY_KINDS: Final = frozenset({"lines", "image", "json"})


class Look(IntEnum):
    """How a cell is painted."""

    PLAIN = 0
    DIM = 1
    NUMBER = 2
    PILL = 3
    TITLE = 4
    PERSON = 5


@dataclass(frozen=True, slots=True)
class ListColumn:
    """One column of a list.

    Attributes:
        path: Field name, or a path over links such as ``account.city``.
        label: Header text, translated.
        field: Meaning of the value at the end of the path.
        look: How cells are painted.
        width: Width at the normal text size, in pixels.
        grows: Takes a share of the room that is left.
    """

    path: str
    label: str
    field: BoundField
    look: Look
    width: int
    grows: bool

    def text(self, value: object, formats: Formats) -> str:
        """Shown text of a value."""
        return self.field.display(value, formats)

    def tone(self, value: object) -> str:
        """Tone of the pill of a value; empty when there is none."""
        if self.look is not Look.PILL or value is None:
            return ""
        return self.field.tones.get(str(value), "neutral")


def resolve(entity: Entity, path: str) -> tuple[BoundField, str] | None:
    """Field at the end of a path and its translated label; None when there is no such field."""
    labels: list[str] = []
    here: Entity | None = entity
    field: BoundField | None = None
    for name in path.split("."):
        if here is None or (field := here.fields.get(name)) is None:
            return None
        labels.append(tr(field.label))
        here = registry.find(field.target) if field.target else None
    return None if field is None else (field, " · ".join(labels))


def make(entity: Entity, path: str) -> ListColumn | None:
    """Column of a path; None for paths that a list cannot show."""
    found = resolve(entity, path)
    if found is None or found[0].kind.name in _HEAVY_KINDS:
        return None
    field, label = found
    look = _look(entity, path, field)
    width = max(field.width, 200) if look in {Look.TITLE, Look.PERSON} else field.width
    grows = look in {Look.TITLE, Look.PERSON} or field.kind.name in {"text", "link", "multiline"}
    return ListColumn(path, label, field, look, width, grows)


def columns(entity: Entity, paths: tuple[str, ...]) -> tuple[ListColumn, ...]:
    """Columns of several paths; unknown ones are left out."""
    made = (make(entity, path) for path in paths)
    return tuple(column for column in made if column is not None)


def offered(entity: Entity) -> list[ListColumn]:
    """Every column that a person may choose, in the entity's order."""
    paths = [name for name, field in entity.fields.items() if not field.hidden and name != "id"]
    return list(columns(entity, tuple(paths)))


def _look(entity: Entity, path: str, field: BoundField) -> Look:
    if path == entity.title_field:
        return Look.PERSON if entity.key in PERSON_LIKE else Look.TITLE
    if field.target == "stage" or (field.kind.name == "choice" and field.options):
        return Look.PILL
    if field.kind.align == "right":
        return Look.NUMBER
    if field.kind.name in _DIM_KINDS or path == "owner":
        return Look.DIM
    return Look.PLAIN
