"""The list of every entity on both systems: linked columns, sorts, groups, totals, marks."""

from __future__ import annotations

from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from itertools import groupby
from typing import Any

import pytest
from sqlalchemy import or_, select

from desktop_crm.core.text import fold
from desktop_crm.meta import kinds, registry
from desktop_crm.meta.bound import BoundField, Entity
from desktop_crm.services import filters, grouping, query, records, totals
from desktop_crm.services.columns import currency_path, find, target_of
from desktop_crm.services.context import Actor
from desktop_crm.services.filters import Rule
from desktop_crm.services.list_layout import Summary, summaries
from desktop_crm.services.query import Order, RecordQuery
from tests.conformance.test_filters import rules
from tests.support.conditions import holding
from tests.support.world import PEOPLE, World

ENTITIES = pytest.mark.parametrize("entity", registry.all(), ids=lambda e: e.key)
_FEW = 4


def filled(world: World, entity: Entity) -> None:
    """Some records of the entity, with what the factory can vary."""
    if not entity.is_record or not any(f.importable for f in entity.fields.values()):
        return
    if query.count(world.admin, RecordQuery(entity.key, ("id",))) >= _FEW:
        return
    for _ in range(_FEW):
        world.factory.make(entity.key)


def shown(actor: Actor, entity: Entity, *paths: str, **more: Any) -> list[query.Row]:
    return query.first_page(actor, RecordQuery(entity.key, paths, **more), -1)


def linked(world: World, entity: Entity) -> list[str]:
    """A title and a further field behind every link that can be looked through."""
    found: list[str] = []
    for name, field in entity.fields.items():
        target = target_of(world.admin, field)
        if target is not None:
            found += [f"{name}.{inner}" for inner in dict.fromkeys((target.title, *target.columns))]
    return [path for path in found if find(world.admin, entity, path) is not None]


@ENTITIES
def test_columns_of_linked_records_show_what_those_records_hold(
    world: World, entity: Entity
) -> None:
    filled(world, entity)
    paths = linked(world, entity)
    if not paths:
        pytest.skip("links to nothing")
    links = list(dict.fromkeys(path.split(".")[0] for path in paths))
    rows = shown(world.admin, entity, *paths, *(f"{link}.id" for link in links))
    for row in rows:
        values = dict(zip((*paths, *(f"{link}.id" for link in links)), row.values, strict=True))
        for link in links:
            behind = [path for path in paths if path.startswith(f"{link}.")]
            key = values[f"{link}.id"]
            target = entity.fields[link].target
            names = tuple(path.split(".", 1)[1] for path in behind)
            found = query.rows(world.admin, RecordQuery(target, names), [key]) if key else []
            expected = found[0].values if found else (None,) * len(names)
            assert tuple(values[path] for path in behind) == expected


@ENTITIES
def test_records_of_a_group_stand_together_in_the_order_of_the_groups(
    world: World, entity: Entity
) -> None:
    filled(world, entity)
    names = [name for name, field in entity.fields.items() if grouping.is_groupable(field)]
    paths = [*names, *(p for p in linked(world, entity)[:2] if _groupable(entity, p))]
    for path in paths:
        field = find(world.admin, entity, path)
        assert field is not None
        for step in grouping.steps(field) or ("",):
            for descending in (False, True):
                group = f"{path}@{step}" if step else path
                order = (Order(path, descending),)
                asked = RecordQuery(entity.key, (_key_of(field, path),), group=group, order=order)
                _check_groups(world.admin, asked, field, step)


def _groupable(entity: Entity, path: str) -> bool:
    link, name = path.split(".", 1)
    return grouping.is_groupable(registry.get(entity.fields[link].target).fields[name])


def _key_of(field: BoundField, path: str) -> str:
    return f"{path}.id" if field.kind is kinds.LINK else path


def _check_groups(actor: Actor, asked: RecordQuery, field: BoundField, step: str) -> None:
    keys = query.keys(actor, asked)
    parts = totals.groups(actor, asked, {}).groups
    assert sum(part.totals.count for part in parts) == len(keys)
    values = [_bucket(row.values[0], step, actor) for row in query.rows(actor, asked, keys)]
    together = [(value, len(list(rows))) for value, rows in groupby(values)]
    assert together == [(part.value, part.totals.count) for part in parts], asked
    if field.kind is kinds.LINK:
        assert all(part.label or part.value is None for part in parts)


def _bucket(value: Any, step: str, actor: Actor) -> Any:
    if not step or value is None:
        return value
    day = value.astimezone(actor.formats.zone).date() if isinstance(value, datetime) else value
    assert isinstance(day, date)
    return day.isoformat()[: {"day": 10, "month": 7, "year": 4}[step]]


@ENTITIES
def test_totals_equal_those_of_python(world: World, entity: Entity) -> None:
    filled(world, entity)
    paths = [*entity.fields, *linked(world, entity)]
    fields = {path: found for path in paths if (found := find(world.admin, entity, path))}
    for summary in Summary:
        wanted = {p: summary for p, field in fields.items() if summary in summaries(field)}
        asked = RecordQuery(entity.key, tuple(entity.fields))
        ours = totals.totals(world.admin, asked, wanted)
        for path in wanted:
            expected = _by_python(world.admin, entity, path, fields[path], summary)
            assert dict(ours.of.get(path, ())) == expected, (path, summary)
        assert ours.count == query.count(world.admin, asked)


def kept_from(actor: Actor, entity: Entity) -> set[int]:
    """Records that others keep private: a word stands for their title, which is no value."""
    if entity.private is None:
        return set()
    table = entity.table
    theirs = or_(table.c.owner_id.is_(None), table.c.owner_id != actor.user_id)
    private = table.c[entity.private.field] == entity.private.code
    with actor.db.reading() as connection:
        return set(connection.execute(select(table.c.id).where(private, theirs)).scalars())


def _by_python(
    actor: Actor, entity: Entity, path: str, field: BoundField, summary: Summary
) -> dict[str, Any]:
    per_currency = bool(currency_path(entity, path)) and summary is not Summary.COUNT
    currency = currency_path(entity, path) if per_currency else "id"
    values: dict[str, list[Any]] = {}
    unknown = kept_from(actor, entity) if path == entity.title else set()
    for row in shown(actor, entity, _key_of(field, path), currency):
        if row.values[0] is not None and row.id not in unknown:
            key = str(row.values[1] or "") if per_currency else ""
            values.setdefault(key, []).append(row.values[0])
    return {key: _summed(summary, found) for key, found in values.items()} or (
        {"": 0} if summary is Summary.COUNT else {}
    )


def _summed(summary: Summary, values: list[Any]) -> Any:
    if summary is Summary.COUNT:
        return len(values)
    if summary is Summary.LEAST:
        return min(values)
    if summary is Summary.GREATEST:
        return max(values)
    total = sum(values)
    if summary is Summary.SUM:
        return total
    return (Decimal(total) / len(values)).quantize(Decimal("0.01"), ROUND_HALF_UP)


@ENTITIES
def test_every_amount_knows_its_currency(entity: Entity) -> None:
    for name, field in entity.fields.items():
        if field.kind is kinds.MONEY:
            currency = currency_path(entity, name)
            found = filters.resolve(entity, currency)
            assert found.target == "currency" or found.name == "currency", name


@ENTITIES
def test_several_sorts_order_as_python_does(world: World, entity: Entity) -> None:
    filled(world, entity)
    plain = {kinds.INTEGER, kinds.MONEY, kinds.DATE, kinds.DATETIME, kinds.BOOLEAN}
    names = [n for n, f in entity.fields.items() if f.kind in plain and f.column is not None]
    first = [n for n in names if entity.fields[n].kind is kinds.BOOLEAN] or names
    second = [n for n in names if n not in {*first[:1], "id"}]
    for descending in (False, True):
        order = [Order(first[0], descending), *(Order(n, not descending) for n in second[:2])]
        paths = [sort.field for sort in order]
        rows = shown(world.admin, entity, *paths, order=tuple(order))
        expected = sorted(rows, key=lambda row: row.id, reverse=order[-1].descending)
        for place in range(len(order) - 1, -1, -1):
            expected.sort(
                key=lambda row, place=place: _sortable(  # type: ignore[misc]
                    row.values[place], descending=order[place].descending
                ),
                reverse=order[place].descending,
            )
        assert [row.id for row in rows] == [row.id for row in expected]
        assert list(query.keys(world.admin, RecordQuery(entity.key, (), order=tuple(order)))) == [
            row.id for row in rows
        ]


def _sortable(value: Any, *, descending: bool) -> tuple[bool, Any]:
    """Empty values stand last, up and down."""
    empty = value is None
    return (empty is not descending, 0 if empty else value)


def test_empty_values_stand_last_up_and_down(world: World) -> None:
    make = world.factory.make
    team = world.people["team"]
    target = make("account", name="Sort Zz", owner=team.user_id)
    empty = make("contact", last_name="Sorted", account=None, birthday=None)
    full = make("contact", last_name="Sorted", account=target, birthday=date(1990, 5, 1))
    mine = Rule("last_name", "=", "Sorted")
    for actor in (world.admin, team):
        if actor is not world.admin:
            records.save_many(
                world.admin, "contact",
                [records.Change(k, None, {"owner": actor.user_id}) for k in (empty, full)],
            )  # fmt: skip
        for path in ("account", "birthday", "birthday:day", "account.name"):
            for down in (False, True):
                asked = RecordQuery("contact", (), mine, (Order(path, down),))
                wanted = [full, empty]
                assert list(query.keys(actor, asked)) == wanted
                assert [row.id for row in query.first_page(actor, asked)] == wanted
    for group in ("account", "birthday@month"):
        asked = RecordQuery("contact", (), mine, group=group)
        assert list(query.keys(world.admin, asked)) == [full, empty]
        values = [part.value for part in totals.groups(world.admin, asked, {}).groups]
        assert values[-1] is None


@ENTITIES
def test_a_mark_holds_for_what_the_filter_finds(world: World, entity: Entity) -> None:
    """The first that holds, for a field of each kind; some rules are asked as filters as well."""
    filled(world, entity)
    of_kinds = {field.kind.name: name for name, field in entity.fields.items()}
    chosen: dict[str, list[Rule]] = {n: rules(entity.fields[n], n) for n in of_kinds.values()}
    nodes = [rule for some in chosen.values() for rule in some]
    found = dict(zip(nodes, holding(world.admin, entity, nodes), strict=True))
    for some in chosen.values():
        asked = RecordQuery(entity.key, ("id",), marks=tuple(some))
        rows = query.first_page(world.admin, asked, -1)
        earlier: set[int] = set()
        for place, rule in enumerate(some):
            first = {row.id for row in rows if row.values[-1] == place}
            assert first == found[rule] - earlier, rule
            earlier |= first
        assert query.rows(world.admin, asked, [row.id for row in rows]) == rows
    for rule in nodes[:: len(nodes) // 3]:
        assert {row.id for row in shown(world.admin, entity, "id", filter=rule)} == found[rule]


@ENTITIES
def test_a_letter_leaves_the_titles_that_begin_with_it(world: World, entity: Entity) -> None:
    if "title_key" not in entity.fields:
        pytest.skip("has no folded title")
    filled(world, entity)
    unknown = kept_from(world.admin, entity)
    titles = {row.id: str(row.values[0]) for row in shown(world.admin, entity, "title_key")}
    every = {key: title for key, title in titles.items() if key not in unknown}
    for letter in {title[:1] for title in every.values() if title[:1].isalpha()}:
        found = {row.id for row in shown(world.admin, entity, "id", starts=letter)}
        assert found == {key for key, title in every.items() if title.startswith(letter)}
    digits = {row.id for row in shown(world.admin, entity, "id", starts="#")}
    assert digits == {key for key, title in every.items() if title[:1] in set("0123456789")}
    assert all(fold(title) == title for title in every.values())


@ENTITIES
@pytest.mark.parametrize("person", PEOPLE)
def test_groups_and_totals_hold_what_the_person_may_see(
    world: World, entity: Entity, person: str
) -> None:
    actor = world.people[person]
    if not actor.can(entity, "read"):
        pytest.skip("may not look")
    filled(world, entity)
    name = next(n for n, f in entity.fields.items() if (grouping.is_groupable(f) and f.kind is
                kinds.LINK) or n == "id")  # fmt: skip
    asked = RecordQuery(entity.key, ("id",), group=name if name != "id" else "")
    count = query.count(actor, asked)
    assert totals.totals(actor, asked, {}).count == count
    if asked.group:
        found = totals.groups(actor, asked, {})
        assert sum(part.totals.count for part in found.groups) == count == found.totals.count
        assert len(query.keys(actor, asked)) == count
