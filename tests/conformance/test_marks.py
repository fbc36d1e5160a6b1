"""Every record can be a favourite, be followed and be remembered, for its user alone."""

from __future__ import annotations

from datetime import timedelta

import pytest

from desktop_crm.core import clock
from desktop_crm.meta.bound import Entity
from desktop_crm.models.marking import MarkKind
from desktop_crm.services import marks, records, viewed
from desktop_crm.services.context import Actor
from tests.conformance.test_records import EDITED, changes_of
from tests.support.world import World

MARKED = tuple(e for e in EDITED if not e.parent and e.key not in {"mailbox", "connection"})
"""Records that stand on their own and that others may change."""


@pytest.mark.parametrize("entity", MARKED, ids=lambda e: e.key)
def test_a_mark_is_put_and_taken_away_by_its_user_alone(world: World, entity: Entity) -> None:
    actor, other = world.admin, world.people["all"]
    first, second = (world.factory.make(entity.key) for _ in range(2))
    for kind in (MarkKind.FAVOURITE, MarkKind.FOLLOW):
        marks.put(actor, kind, entity.key, [first, second], on=True)
        marks.put(actor, kind, entity.key, [second], on=True)
        assert set(marks.keys(actor, kind, entity.key)) >= {first, second}
        assert (entity.key, second) in {(m.entity, m.id) for m in marks.marked(actor, kind)}
        assert not set(marks.keys(other, kind, entity.key)) & {first, second}
        marks.put(actor, kind, entity.key, [first], on=False)
        assert first not in marks.keys(actor, kind, entity.key)
    assert _on(actor, entity, second) == {MarkKind.FAVOURITE, MarkKind.FOLLOW}
    assert _on(other, entity, second) == frozenset()


@pytest.mark.parametrize("entity", MARKED, ids=lambda e: e.key)
def test_what_others_changed_is_news_until_it_was_looked_at(world: World, entity: Entity) -> None:
    me, other = world.people["all"], world.admin
    if entity.key in {"saved_view", "import_batch"}:
        return  # nobody else sees them
    now = clock.now()
    clock.use_clock(lambda: now)
    key = world.factory.make(entity.key)
    marks.put(me, MarkKind.FOLLOW, entity.key, [key], on=True)
    clock.use_clock(lambda: now + timedelta(minutes=1))
    changes = changes_of(world, entity, key)
    name, value = next(iter(changes.items()))
    records.save(other, entity.key, key, None, {name: value})
    mine = [n for n in marks.news(me) if (n.entity, n.id) == (entity.key, key)]
    shown = {f.field: f.new for n in mine for f in n.fields}
    assert mine[0].by == other.name
    assert mine[0].title
    assert shown[name] == entity.fields[name].display(value, me.formats)
    assert not [n for n in marks.news(other) if n.id == key and n.entity == entity.key]
    clock.use_clock(lambda: now + timedelta(minutes=2))
    viewed.note(me, entity.key, key)
    assert not [n for n in marks.news(me) if (n.entity, n.id) == (entity.key, key)]
    assert marks.keys(me, MarkKind.VIEWED, entity.key)[0] == key


def test_news_tell_nothing_of_records_that_went_out_of_sight(world: World) -> None:
    own, admin = world.people["own"], world.admin
    now = clock.now()
    clock.use_clock(lambda: now)
    key = world.factory.make("account", owner=own.user_id)
    marks.put(own, MarkKind.FOLLOW, "account", [key], on=True)
    clock.use_clock(lambda: now + timedelta(minutes=1))
    records.save(admin, "account", key, None, {"owner": world.people["stranger"].user_id})
    assert key not in [n.id for n in marks.news(own) if n.entity == "account"]
    assert key not in [m.id for m in marks.marked(own, MarkKind.FOLLOW) if m.entity == "account"]


def test_only_the_latest_are_remembered(world: World) -> None:
    actor = world.people["mate"]
    now = clock.now()
    made = [world.factory.make("unit") for _ in range(viewed.KEPT + 3)]
    for minute, key in enumerate(made):
        clock.use_clock(lambda: now + timedelta(minutes=minute))  # noqa: B023  called in this round
        viewed.note(actor, "unit", key)
    assert marks.keys(actor, MarkKind.VIEWED, "unit") == made[::-1][: viewed.KEPT]


def _on(actor: Actor, entity: Entity, key: int) -> set[MarkKind]:
    found = marks.by_kind(actor, entity.key, (MarkKind.FAVOURITE, MarkKind.FOLLOW))
    return {kind for kind, keys in found.items() if key in keys}
