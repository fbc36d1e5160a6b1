"""What a list column is: a path from the entity, its meaning and how it is painted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from itertools import accumulate
from typing import Final

from desktop_crm.core.formats import Formats
from desktop_crm.core.i18n import tr
from desktop_crm.meta import registry
from desktop_crm.meta.bound import BoundField, Entity
from desktop_crm.services.columns import currency_path, find, target_of
from desktop_crm.services.context import Actor

PERSON_LIKE: Final = frozenset({"contact", "account", "user"})
"""Entities whose titles stand beside an avatar."""
MOST_FROZEN: Final = 4
"""So many columns at the left can stay while the others scroll."""
_DIM_KINDS: Final = frozenset({"date", "datetime"})
_FLEXIBLE: Final = frozenset({"text", "link", "multiline", "email", "url"})
_TITLE_SHRINKS: Final = 0.85
_SHRINKS: Final = 0.6
_PILL_SHRINKS: Final = 0.9
_PILL_WIDTH: Final = 145
_CURRENCY: Final = 20
_HEAVY_KINDS: Final = frozenset({"lines", "image", "json"})


class Look(IntEnum):
    """How a cell is painted."""

    PLAIN = 0
    DIM = 1
    NUMBER = 2
    PILL = 3
    TAGS = 4
    TITLE = 5
    PERSON = 6


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
        shrinks: Share of the width it can do with.
        extra: Path that is read along: an amount's currency, what colours a stage's pill.
        tones: Tone of a pill by the value (or by the extra value of a stage).
    """

    path: str
    label: str
    field: BoundField
    look: Look
    width: int
    grows: bool
    shrinks: float
    extra: str
    tones: Mapping[str, str]

    def text(self, value: object, formats: Formats, extra: object = None) -> str:
        """Shown text of a value; an amount with its currency's code."""
        shown = self.field.display(value, formats)
        return f"{shown} {extra}" if shown and extra and self.look is Look.NUMBER else shown

    def tone(self, value: object, extra: object = None) -> str:
        """Tone of the pill of a value; empty when there is none."""
        if self.look is not Look.PILL or value is None:
            return ""
        return self.tones.get(str(extra if self.extra else value), "neutral")


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
    width = _width(field, look)
    code = field.kind.name == "text" and path in entity.natural_key and look is Look.PLAIN
    grows = look in {Look.TITLE, Look.PERSON} or (field.kind.name in _FLEXIBLE and not code)
    extra, tones = _extra(entity, path, field)
    shrinks = _TITLE_SHRINKS if look >= Look.TITLE else _SHRINKS if grows else 1.0
    shrinks = _PILL_SHRINKS if look is Look.PILL else shrinks
    return ListColumn(path, label, field, look, width, grows, shrinks, extra, tones)


def _width(field: BoundField, look: Look) -> int:
    """Usual width of a column: what its longest usual value needs."""
    if look in {Look.TITLE, Look.PERSON}:
        return max(field.width, 200)
    if look is Look.PILL:
        return _PILL_WIDTH
    return field.width + (_CURRENCY if field.currency else 0)


def _extra(entity: Entity, path: str, field: BoundField) -> tuple[str, Mapping[str, str]]:
    """Path to read along with a column, and the tones of its pills."""
    if field.target == "stage":
        category = registry.get("stage").fields["forecast_category"]
        return f"{path}.{category.name}", category.tones
    currency = currency_path(entity, path)
    if currency:
        return currency, {}
    return "", field.tones


def columns(actor: Actor, entity: Entity, paths: tuple[str, ...]) -> tuple[ListColumn, ...]:
    """Columns of several paths; those that are unknown or not for this user are left out."""
    known = (path for path in paths if find(actor, entity, path) is not None)
    return tuple(column for path in known if (column := make(entity, path)) is not None)


def offered(actor: Actor, entity: Entity, link: str = "") -> list[ListColumn]:
    """Every column that a person may choose, in the entity's order.

    Args:
        actor: Who chooses.
        entity: Whose list.
        link: Path of a link; its record's columns are offered instead of the list's own.
    """
    here = behind(actor, entity, link) if link else entity
    if here is None:
        return []
    before = f"{link}." if link else ""
    names = [name for name, field in here.fields.items() if not field.hidden and name != "id"]
    return list(columns(actor, entity, tuple(before + name for name in names)))


def behind_all(actor: Actor, entity: Entity, shown: Iterable[ListColumn]) -> set[str]:
    """Kinds of linked records of which columns show a title or a value."""
    found: set[str] = set()
    for column in shown:
        links = accumulate(column.path.split("."), lambda before, name: f"{before}.{name}")
        found |= {t.key for link in links if (t := behind(actor, entity, link)) is not None}
    return found


def behind(actor: Actor, entity: Entity, link: str) -> Entity | None:
    """Entity a link path leads to; None where it leads nowhere this user may look."""
    field = find(actor, entity, link)
    return None if field is None else target_of(actor, field)


def _look(entity: Entity, path: str, field: BoundField) -> Look:
    if path == entity.title:
        return Look.PERSON if entity.key in PERSON_LIKE else Look.TITLE
    if field.target == "stage" or (field.kind.name == "choice" and field.options):
        return Look.PILL
    if field.kind.name == "tags":
        return Look.TAGS
    if field.kind.align == "right":
        return Look.NUMBER
    if field.kind.name in _DIM_KINDS or path == "owner":
        return Look.DIM
    return Look.PLAIN
