"""Shipped and saved views of every entity open, count, and hold exactly what they say."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from desktop_crm.core import clock
from desktop_crm.meta import registry
from desktop_crm.meta.bound import Entity
from desktop_crm.models.marking import MarkKind
from desktop_crm.services import (
    marks,
    query,
    records,
    saved_views,
    shipped_views,
    view_files,
    viewed,
    views,
)
from desktop_crm.services.context import Actor
from desktop_crm.services.list_view import ListView
from desktop_crm.services.query import RecordQuery
from desktop_crm.services.shipped_views import shipped
from tests.conformance.test_rights import make_for
from tests.support.world import World

RECORDS = tuple(e for e in registry.all() if e.is_record)
TITLED = tuple(e for e in RECORDS if "title_key" in e.fields)


def asked(entity: Entity, view: ListView) -> RecordQuery:
    """The question a list with this view asks."""
    columns = view.layout.columns or entity.columns
    return RecordQuery(entity.key, columns, view.layout.filter, view.layout.order)


def keys(actor: Actor, entity: Entity, view: ListView) -> list[int]:
    """Keys in the order of the view, asked for in every way a list asks."""
    question = asked(entity, view)
    found = list(query.keys(actor, question))
    page = [row.id for row in query.first_page(actor, question, query.PAGE)]
    assert page == found[: query.PAGE]
    assert query.count(actor, question) == len(found)
    assert query.count(actor, question, most=3) == min(4, len(found))
    return found


def the(actor: Actor, entity: Entity, key: str) -> ListView:
    """A shipped view by key."""
    return next(view for view in shipped(actor, entity) if view.key == key)


@pytest.mark.parametrize("entity", registry.all(), ids=lambda e: e.key)
def test_every_shipped_view_opens_for_everybody(world: World, entity: Entity) -> None:
    for actor in (world.people[name] for name in ("admin", "team", "own")):
        if not actor.can(entity, "read"):
            continue
        names = [view.key for view in shipped(actor, entity)]
        assert len(set(names)) == len(names)
        every = set(keys(actor, entity, the(actor, entity, shipped_views.ALL)))
        for view in shipped(actor, entity):
            assert set(keys(actor, entity, view)) <= every, view.key
            assert view.title


@pytest.mark.parametrize("entity", TITLED, ids=lambda e: e.key)
def test_marked_records_are_those_and_the_latest_stands_first(world: World, entity: Entity) -> None:
    actor, other = world.people["own"], world.people["mate"]
    if entity.key == "audit_entry" or not actor.can(entity, "read"):
        return
    made = [make_for(world, entity, "own") for _ in range(4)]
    now = datetime(2030, 5, 6, 8, tzinfo=UTC)
    order = [made[2], made[0], made[3], made[2]]
    for step, key in enumerate(order):
        clock.use_clock(lambda step=step: now + timedelta(minutes=step))  # type: ignore[misc]
        viewed.note(actor, entity.key, key)
    marks.put(actor, MarkKind.FAVOURITE, entity.key, made[:2], on=True)
    marks.put(actor, MarkKind.FOLLOW, entity.key, made[1:3], on=True)
    ours = set(made)

    def held(who: Actor, key: str) -> list[int]:
        return [k for k in keys(who, entity, the(who, entity, key)) if k in ours]

    assert held(actor, shipped_views.VIEWED) == [made[2], made[3], made[0]]
    assert set(held(actor, shipped_views.FAVOURITES)) == set(made[:2])
    assert set(held(actor, shipped_views.FOLLOWED)) == set(made[1:3])
    for name in (shipped_views.VIEWED, shipped_views.FAVOURITES, shipped_views.FOLLOWED):
        assert held(other, name) == []


@pytest.fixture
def monday() -> Iterator[Callable[[datetime], None]]:
    """A function that holds the clock."""
    yield lambda moment: clock.use_clock(lambda: moment)
    clock.use_clock(None)


@pytest.mark.parametrize("entity", RECORDS, ids=lambda e: e.key)
def test_new_this_week_begins_on_monday(
    world: World, entity: Entity, monday: Callable[[datetime], None]
) -> None:
    if entity.key == "import_batch":
        return
    monday(datetime(2031, 3, 2, 12, tzinfo=UTC))  # a Sunday
    before = make_for(world, entity, "own")
    monday(datetime(2031, 3, 3, 12, tzinfo=UTC))
    after = make_for(world, entity, "own")
    monday(datetime(2031, 3, 7, 12, tzinfo=UTC))
    admin = world.admin
    found = keys(admin, entity, the(admin, entity, shipped_views.NEW))
    assert after in found
    assert before not in found
    changed = keys(admin, entity, the(admin, entity, shipped_views.RECENT))
    assert changed.index(after) < changed.index(before)


def make(world: World, key: str, **values: Any) -> int:
    """Save a record as the administrator."""
    return world.factory.make(key, **values)


@pytest.mark.parametrize(
    ("day", "order"),
    [
        (datetime(2031, 12, 20, 12, tzinfo=UTC), ("12-20", "12-31", "01-01", "01-18")),
        (datetime(2032, 2, 10, 12, tzinfo=UTC), ("02-10", "02-28", "02-29", "03-01", "03-10")),
        (datetime(2031, 2, 28, 12, tzinfo=UTC), ("02-28", "02-29", "03-01", "03-10")),
    ],
)
def test_birthdays_come_in_order_of_the_day_across_the_years_end(
    world: World,
    monday: Callable[[datetime], None],
    day: datetime,
    order: tuple[str, ...],
) -> None:
    entity = registry.get("contact")
    days = ("12-20", "12-31", "01-01", "01-18", "02-10", "02-28", "02-29", "03-01", "03-10")
    made = {make(world, "contact", birthday=date.fromisoformat(f"1988-{one}")): one for one in days}
    make(world, "contact", birthday=None)
    monday(day)
    found = keys(world.admin, entity, the(world.admin, entity, shipped_views.BIRTHDAYS))
    assert tuple(made[key] for key in found if key in made) == order


LATE: Mapping[str, tuple[str, dict[str, Any]]] = {
    "activity": ("due_at", {"kind": "task"}),
    "opportunity": ("close_on", {}),
}


@pytest.mark.parametrize("key", LATE)
def test_overdue_is_open_and_past_its_day(
    world: World, monday: Callable[[datetime], None], key: str
) -> None:
    entity = registry.get(key)
    name, more = LATE[key]
    noon = datetime(2031, 6, 10, 12, tzinfo=UTC)
    monday(noon)
    days = {
        n: noon + timedelta(n) if name.endswith("_at") else (noon + timedelta(n)).date()
        for n in (-2, -1, 0, 1)
    }
    made = {make(world, key, **more, **{name: day}): n for n, day in days.items()}
    found = keys(world.admin, entity, the(world.admin, entity, shipped_views.OVERDUE))
    assert [made[k] for k in found if k in made] == [-2, -1]


@pytest.mark.parametrize("key", ["contact", "account", "lead", "opportunity"])
def test_no_activity_means_none_for_thirty_days(
    world: World, monday: Callable[[datetime], None], key: str
) -> None:
    entity = registry.get(key)
    now = datetime(2031, 9, 10, 12, tzinfo=UTC)
    monday(now)
    never, long_ago, lately = (make(world, key) for _ in range(3))
    for target, days in ((long_ago, 40), (lately, 3)):
        when = now - timedelta(days)
        make(world, "activity", kind="note", occurred_at=when, **{key: target})
    found = set(keys(world.admin, entity, the(world.admin, entity, shipped_views.QUIET)))
    assert {never, long_ago} <= found
    assert lately not in found


@pytest.mark.parametrize("entity", TITLED, ids=lambda e: e.key)
def test_every_shipped_view_is_kept_and_travels_in_a_file(
    world: World, entity: Entity, tmp_path_factory: pytest.TempPathFactory
) -> None:
    actor = world.people["team"]
    folder = tmp_path_factory.mktemp("views")
    for view in shipped(actor, entity):
        saved = views.create(actor, entity.key, f"{view.key} {entity.key}", view.layout)
        found = next(v for v in saved_views.load(actor, entity.key) if v.saved_id == saved.id)
        assert found.layout == view.layout
        file = view_files.export(entity.key, found, folder / view.key)
        taken = view_files.take_in(actor, file, entity.key)
        again = next(v for v in saved_views.load(actor, entity.key) if v.saved_id == taken.saved.id)
        assert again.layout == view.layout
        assert taken.missing == ()
        records.delete(actor, "saved_view", [saved.id, taken.saved.id])
