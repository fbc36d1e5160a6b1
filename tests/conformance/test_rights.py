"""Rights reach exactly the right records of every entity, in every way to ask for them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from desktop_crm.core.errors import CrmError, NotFound, PermissionDenied, UserError
from desktop_crm.meta import kinds, registry
from desktop_crm.meta.bound import Entity
from desktop_crm.meta.field import Level
from desktop_crm.services import audit, query, records
from desktop_crm.services.context import Actor
from desktop_crm.services.filters import Rule
from desktop_crm.services.permissions import visible_fields
from desktop_crm.services.query import Order, RecordQuery
from tests.factories import ENDS, Factory
from tests.support.world import LEVELS, World

OWNERS = ("own", "mate", "stranger")
REACHED = {
    "all": {"own", "mate", "stranger"},
    "team": {"own", "mate"},
    "own": {"own"},
    "none": set[str](),
}
PERSONAL = {"mailbox": "user", "import_batch": "", "saved_view": "owner"}
"""Entities whose records are seen by one person alone, and the field that says whose they are."""

RECORDS = tuple(e for e in registry.all() if e.is_record)


def root(entity: Entity) -> Entity:
    """The entity whose rights decide: the one at the top of the parents."""
    if entity.parent and not entity.reference:
        return root(registry.get(entity.fields[entity.parent[0]].target))
    return registry.get("contact") if entity.key in ENDS else entity


def make_for(world: World, entity: Entity, owner: str) -> int:
    """A record that belongs to somebody, directly or through its parents."""
    user = world.people[owner].user_id
    if entity.key == "import_batch":
        return Factory(Actor(**{**vars_of(world.admin), "user_id": user})).make(entity.key)
    if "owner" in entity.fields:
        return world.factory.make(entity.key, owner=user)
    if entity.key == "mailbox":
        return world.factory.make(entity.key, user=user)
    if entity.parent and not entity.reference:
        name = entity.parent[0]
        parent = make_for(world, registry.get(entity.fields[name].target), owner)
        # What is done with a person's mail that person alone says.
        themselves = Actor(**{**vars_of(world.admin), "user_id": user})
        factory = Factory(themselves) if root(entity).key == "mailbox" else world.factory
        return factory.make(entity.key, **{name: parent}, **ends_for(world, entity, owner))
    return world.factory.make(entity.key, **ends_for(world, entity, owner))


def ends_for(world: World, entity: Entity, owner: str) -> dict[str, Any]:
    """Both records of a connection, or the one of a link, which belong to somebody."""
    contact = registry.get("contact")
    found: dict[str, Any] = {}
    for kind, record in ENDS.get(entity.key, ()):
        found |= {kind: contact.key, record: make_for(world, contact, owner)}
    return found


def vars_of(actor: Actor) -> dict[str, Any]:
    """Fields of an actor."""
    return {name: getattr(actor, name) for name in Actor.__dataclass_fields__}


def reached(entity: Entity, level: str, action: str) -> set[str]:
    """Whose records an actor of a level reaches."""
    top = root(entity)
    if top.key in PERSONAL:
        return {level} & set(OWNERS) if level != "none" else set()
    if top.reference:
        return set(OWNERS) if action == "read" else set()
    if not top.owned:
        return set(OWNERS) if level != "none" else set()
    return REACHED[level]


def succeeds(call: Any) -> bool:
    """Whether a call is let through."""
    try:
        call()
    except (PermissionDenied, NotFound):
        return False
    return True


@pytest.mark.parametrize("entity", RECORDS, ids=lambda e: e.key)
def test_each_level_reaches_exactly_its_records(world: World, entity: Entity) -> None:
    made = {owner: make_for(world, entity, owner) for owner in OWNERS}
    ids = set(made.values())
    for level in LEVELS:
        actor = world.people[level]
        readable = {made[o] for o in reached(entity, level, "read")}
        asked = RecordQuery(entity.key, entity.columns)
        listings: dict[str, Callable[[], set[int]]] = {
            "keys": lambda: set(query.keys(actor, asked)),  # noqa: B023  called in this round
            "rows": lambda: {r.id for r in query.rows(actor, asked, sorted(ids))},  # noqa: B023
            "page": lambda: {r.id for r in query.first_page(actor, asked, -1)},  # noqa: B023
        }
        if actor.can(entity, "read"):
            for name, listing in listings.items():
                assert listing() & ids == readable, (level, name)
        else:
            assert not readable
            for listing in listings.values():
                with pytest.raises(PermissionDenied):
                    listing()
        for ask in (records.get, audit.history):
            seen = {k for k in ids if succeeds(lambda: ask(actor, entity.key, k))}  # noqa: B023
            assert seen == readable, (level, ask.__name__)

        editable = {made[o] for o in reached(entity, level, "edit")}
        for key in ids:
            version = records.get(world.admin, entity.key, key).version
            saved = succeeds(lambda: records.save(actor, entity.key, key, version, {}))  # noqa: B023
            assert saved == (key in editable), (level, "save")
            if key in readable:
                read = records.get(actor, entity.key, key)
                assert (read.can_edit, read.can_delete) == (saved, saved), level


@pytest.mark.parametrize("entity", RECORDS, ids=lambda e: e.key)
def test_each_level_deletes_and_restores_exactly_its_records(world: World, entity: Entity) -> None:
    made = {owner: make_for(world, entity, owner) for owner in OWNERS}
    ids = set(made.values())
    for level in LEVELS:
        actor = world.people[level]
        for owner, key in made.items():
            may = owner in reached(entity, level, "remove")
            assert succeeds(lambda: records.delete(actor, entity.key, [key])) == may  # noqa: B023
            assert (records.get(world.admin, entity.key, key).values["deleted_at"] is None) != may
            assert succeeds(lambda: records.restore(actor, entity.key, [key])) == may  # noqa: B023
        everything = succeeds(lambda: records.delete(actor, entity.key, sorted(ids)))  # noqa: B023
        assert everything == (reached(entity, level, "remove") == set(OWNERS))
        if everything:
            records.restore(world.admin, entity.key, sorted(ids))


@pytest.mark.parametrize("entity", RECORDS, ids=lambda e: e.key)
def test_nobody_makes_a_record_out_of_the_own_reach(world: World, entity: Entity) -> None:
    """Neither for a stranger nor under a stranger's record, as far as the level goes."""
    for level in LEVELS:
        actor = world.people[level]
        for owner in OWNERS:
            values = _values_for(world, entity, owner)
            if values is None:
                continue
            allowed = owner in reached(entity, level, "create")
            known = visible_fields(actor, entity)
            made = _tries(actor, entity, {k: v for k, v in values.items() if k in known})
            assert made == allowed, (level, owner)


def _values_for(world: World, entity: Entity, owner: str) -> dict[str, Any] | None:
    user = world.people[owner].user_id
    ends = ends_for(world, entity, owner)
    if ends and not entity.parent:
        return world.factory.values(entity.key, **ends)
    if entity.reference or not (entity.owned or entity.parent or entity.key == "mailbox"):
        return None
    if entity.owned:
        return world.factory.values(entity.key, owner=user)
    if entity.key == "mailbox":
        return world.factory.values(entity.key, user=user)
    name = entity.parent[0]
    parent = make_for(world, registry.get(entity.fields[name].target), owner)
    return world.factory.values(entity.key, **{name: parent}, **ends)


def _tries(actor: Actor, entity: Entity, values: dict[str, Any]) -> bool:
    try:
        records.save(actor, entity.key, None, None, values)
    except (PermissionDenied, UserError):
        return False
    return True


LINKS = [
    (entity, field.name)
    for entity in RECORDS
    for field in entity.fields.values()
    if field.kind is kinds.LINK
    and registry.get(field.target).owned
    and not field.hidden
    and not field.read_only
    and field.name not in entity.parent
    and root(entity).owned
]


@pytest.mark.parametrize(("entity", "name"), LINKS, ids=lambda p: getattr(p, "key", p))
def test_a_link_tells_nothing_of_a_record_out_of_reach(
    world: World, entity: Entity, name: str
) -> None:
    """Title, values behind it, filter, order and form keep silent; choosing it is refused."""
    target = registry.get(entity.fields[name].target)
    secret = make_for(world, target, "stranger")
    title = str(records.get(world.admin, target.key, secret).title)
    key = make_for(world, entity, "own")
    records.save(world.admin, entity.key, key, 1, {name: secret})
    owner, boss = world.people["own"], world.people["all"]
    asked = RecordQuery(entity.key, (name, f"{name}.{target.title}"))
    assert query.rows(boss, asked, [key])[0].values == (title, title)
    assert query.rows(owner, asked, [key])[0].values == (None, None)
    assert name not in records.get(owner, entity.key, key).titles
    for path in (name, f"{name}.{target.title}"):
        rule = Rule(path, "=", title)
        found = query.keys(owner, RecordQuery(entity.key, ("id",), rule))
        assert key not in found
        assert key in query.keys(boss, RecordQuery(entity.key, ("id",), rule))
    query.keys(owner, RecordQuery(entity.key, ("id",), order=(Order(name),)))
    assert secret not in [s.id for s in query.suggest(owner, target.key, title)]
    mine = make_for(world, entity, "own")
    with pytest.raises(UserError):
        records.save(owner, entity.key, mine, None, {name: secret})
    history = audit.history(owner, entity.key, key)
    assert next(c.new for entry in history for c in entry.changes if c.field == name) == "?"


SECRETS = [
    (e, f.name) for e in registry.all() for f in e.fields.values() if f.level is Level.CONFIDENTIAL
]


@pytest.mark.parametrize(("entity", "name"), SECRETS, ids=lambda p: getattr(p, "key", p))
def test_a_confidential_field_is_hidden_everywhere(world: World, entity: Entity, name: str) -> None:
    actor = world.people["all"]
    assert not actor.sees_confidential
    for asked in (
        RecordQuery(entity.key, (name,)),
        RecordQuery(entity.key, ("id",), Rule(name, "not empty")),
        RecordQuery(entity.key, ("id",), order=(Order(name),)),
    ):
        with pytest.raises(UserError):
            query.first_page(actor, asked)
    if not entity.is_record:
        return
    values = world.factory.values(entity.key)
    key = records.save(world.admin, entity.key, None, None, values).id
    assert name not in records.get(actor, entity.key, key).values
    assert name in records.get(world.admin, entity.key, key).values
    fields = {c.field for entry in audit.history(actor, entity.key, key) for c in entry.changes}
    assert name not in fields
    with pytest.raises(CrmError):
        records.save(actor, entity.key, key, None, {name: values[name]})
    for parent in RECORDS:
        for lines in parent.lines:
            if lines.entity == entity.key:
                rows = [{"id": key, name: values[name]}]
                above = make_for(world, parent, "own")
                with pytest.raises(PermissionDenied):
                    records.save(actor, parent.key, above, None, {lines.name: rows})
