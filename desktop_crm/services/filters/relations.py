"""Which records have to do with those of an entity; read from the declarations.

Names in filters:

- ``opportunity``: records of an entity whose link leads here, when it is named like this entity or
  is the only one; every such link is also known as ``<entity>.<field>``, and listed so otherwise;
- the name of a link field: the record it points to;
- ``activity``: activities linked to the record, whatever rule linked them;
- ``document``: files attached to it; ``connection``: connections at either end;
- ``favourite``, ``followed``, ``viewed``: the user's own marks;
- ``duplicate_pair``: possible duplicates found.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from desktop_crm.core.errors import UserError
from desktop_crm.core.i18n import N_, tr
from desktop_crm.meta import kinds, registry
from desktop_crm.meta.bound import BoundField, Entity
from desktop_crm.services.filters.fields import not_there


@dataclass(frozen=True, slots=True)
class Way:
    """One way from a record to related ones.

    Attributes:
        key: Column of the related table that holds the record's key; ``id`` for a link's target.
        kind: Column of the related table that names the record's entity; empty: none does.
        fixed: Columns of the related table with one value.
        from_: Column of the record that holds the key; ``id`` unless it is a link of its own.
        through: Whether the key lies in the table of links instead.
        mine: Column of the related table that must be the user.
    """

    key: str
    kind: str = ""
    fixed: tuple[tuple[str, str], ...] = ()
    from_: str = "id"
    through: bool = False
    mine: str = ""


@dataclass(frozen=True, slots=True)
class Relation:
    """Related records of one kind.

    Attributes:
        name: What filters call it.
        entity: Key of the related records' entity.
        label: English label; ``of`` is the English label of the link, or empty.
        field: The link, for who may know it.
        ways: How they are found; several add up.
    """

    name: str
    entity: str
    label: str
    ways: tuple[Way, ...]
    of: str = ""
    field: BoundField | None = None

    @property
    def title(self) -> str:
        """What a person reads."""
        return f"{tr(self.label)} ({tr(self.of)})" if self.of else tr(self.label)

    @property
    def is_one(self) -> bool:
        """Whether there is at most one such record."""
        return self.ways[0].from_ != "id"


_MARKS: Final = (
    ("favourite", N_("Favourite marks"), "favourite"),
    ("followed", N_("Follow marks"), "follow"),
    ("viewed", N_("Own visits"), "viewed"),
)
_PAIRED: Final = "entity"


def relations(entity: Entity) -> Mapping[str, Relation]:
    """Every relation of an entity by name: links from here, links to here, the others."""
    return _relations(entity, registry.edition())


@lru_cache(maxsize=256)
def _relations(entity: Entity, edition: int) -> Mapping[str, Relation]:
    found: dict[str, Relation] = {}
    for name, field in entity.fields.items():
        if field.kind is kinds.LINK and field.column is not None and not field.hidden:
            way = Way("id", from_=field.column.name)
            found[name] = Relation(name, field.target, field.label, (way,), field=field)
    for relation in _others(entity):
        found.setdefault(relation.name, relation)
    for source in registry.all():
        links = [field for field in source.fields.values() if _leads(field, entity)]
        plain = _plain(links, entity)
        for field in links:
            name = source.key if field is plain and source.key not in found else ""
            dotted = f"{source.key}.{field.name}"
            found[name or dotted] = _reverse(name or dotted, source, field, plain=bool(name))
    return MappingProxyType(found)


def _leads(field: BoundField, entity: Entity) -> bool:
    return field.kind is kinds.LINK and field.target == entity.key and not field.hidden


def _plain(links: list[BoundField], entity: Entity) -> BoundField | None:
    named = [field for field in links if field.name == entity.key]
    return (named or links)[0] if named or len(links) == 1 else None


def _reverse(name: str, source: Entity, field: BoundField, *, plain: bool) -> Relation:
    assert field.column is not None  # noqa: S101  links have one
    of = "" if plain else field.label
    return Relation(name, source.key, source.plural, (Way(field.column.name),), of, field)


def _others(entity: Entity) -> Iterator[Relation]:
    """What is kept beside the fields of a record, for every titled entity."""
    if "title_key" not in entity.fields:
        return
    activity = registry.find("activity")
    if activity is not None and entity.key in activity.fields:
        yield Relation(
            "activity",
            "activity",
            activity.plural,
            (Way("record_id", "record_type", (("state", "linked"),), through=True),),
        )
    yield _beside("document", N_("Attachments"), Way("record_id", "record_type"))
    yield _beside(
        "connection",
        N_("Connections"),
        Way("from_id", "from_type"),
        Way("to_id", "to_type"),
    )
    for name, label, kind in _MARKS:
        fixed = (("kind", kind),)
        way = Way("record_id", "record_type", fixed, mine="user_id")
        yield Relation(name, "record_mark", label, (way,))
    yield _beside(
        "duplicate_pair",
        N_("Possible duplicates"),
        Way("first_id", _PAIRED),
        Way("second_id", _PAIRED),
    )


def _beside(name: str, label: str, *ways: Way) -> Relation:
    return Relation(name, name, label, ways)


def find(entity: Entity, name: str, knows: Callable[[BoundField], bool] | None = None) -> Relation:
    """Relation by name, also by ``<entity>.<field>`` and by the name of child lines.

    Args:
        entity: Whose relation.
        name: As written.
        knows: Whether the user may know a field; None knows all.

    Raises:
        UserError: There is none, or it is gone since the filter was stored.
    """
    known = relations(entity)
    relation = known.get(name) or _by_link(known, name)
    lines = entity.fields.get(name)
    if relation is None and lines is not None and lines.lines is not None:
        relation = _by_link(known, f"{lines.target}.{lines.lines.via.removesuffix('_id')}")
    link = relation.field if relation is not None else None
    if relation is None or (link is not None and knows is not None and not knows(link)):
        raise _unknown(entity, name, known)
    return relation


def _by_link(known: Mapping[str, Relation], name: str) -> Relation | None:
    """Relation by entity and field, or the first of an entity with several."""
    key, _, field = name.partition(".")
    for relation in known.values():
        if relation.entity != key or relation.field is None or relation.ways[0].from_ != "id":
            continue
        if not field or relation.field.name == field:
            return relation
    return None


def _unknown(entity: Entity, name: str, known: Mapping[str, Relation]) -> UserError:
    return not_there(
        entity,
        name,
        known,
        N_("{entity} has no related records “{name}”. Did you mean “{near}”?"),
        N_("{entity} has no related records “{name}”. There are: {names}."),
    )
