"""Every operator of every field becomes SQL on both systems, and each kind runs there."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from desktop_crm.meta import kinds, registry
from desktop_crm.meta.bound import BoundField, Entity
from desktop_crm.meta.field import Level
from desktop_crm.services import clauses, permissions, query, records
from desktop_crm.services.columns import Paths
from desktop_crm.services.filters import Group, Related, Rule, both, parse, to_text
from desktop_crm.services.filters.fields import NUMBERS
from desktop_crm.services.filters.relations import Relation, relations
from desktop_crm.services.query import Order, RecordQuery
from tests.support.conditions import batched, holding
from tests.support.world import World

_VALUES = {
    kinds.INTEGER: "12",
    kinds.QUANTITY: "1.5",
    kinds.MONEY: "1,250.50",
    kinds.PERCENT: "19%",
    kinds.BOOLEAN: "yes",
    kinds.DATE: "today-7",
    kinds.DATETIME: "2026-03-02 10:30",
    kinds.EMAIL: "name@company.example",
}
PERIODS = ("this week", "last fiscal year", "next quarter", "last 30 days", "older than 2 months")


def rules(field: BoundField, name: str) -> list[Rule]:
    """One condition for each operator of a field."""
    value = field.choices[0][0] if field.choices else _VALUES.get(field.kind, "Ștefan 1%_\\")
    found: list[Rule] = []
    for operator in field.kind.operators:
        if operator in {"empty", "not empty"}:
            found.append(Rule(name, operator))
        else:
            several = operator in {"in", "not in", "between"}
            found.append(Rule(name, operator, (value, value) if several else value))
    if field.kind is kinds.LINK:
        found += [Rule(name, "=", 7), Rule(name, "!=", 7), Rule(name, "in", (7, 8))]
    if field.kind in {kinds.DATE, kinds.DATETIME}:
        found += [Rule(name, operator, "today+3") for operator in ("=", "!=", "<=", ">")]
        found += [Rule(name, "=", period) for period in PERIODS]
        found.append(Rule(name, "between", ("last month", "next 2 weeks")))
    if field.target == "user" and field.kind is kinds.LINK:
        found += [Rule(name, "=", "me"), Rule(name, "in", ("my team", "me"))]
    return found


def paths_of(entity: Entity) -> list[str]:
    """Every field, and every field behind every link."""
    found = list(entity.fields)
    for name, field in entity.fields.items():
        if field.kind is kinds.LINK:
            target = registry.get(field.target)
            found += [f"{name}.{inner}" for inner in target.columns]
    return found


@pytest.mark.parametrize("entity", registry.all(), ids=lambda e: e.key)
def test_every_operator_of_every_field_becomes_sql(world: World, entity: Entity) -> None:
    for name, field in entity.fields.items():
        for rule in rules(field, name):
            paths = Paths(world.admin, entity)
            condition = clauses.clause(rule, paths)
            select(paths.table.c.id).where(condition).compile(world.db.engine)


@pytest.mark.parametrize(
    "kind",
    tuple({f.kind.name: f.kind for e in registry.all() for f in e.fields.values()}.values()),
    ids=lambda k: k.name,
)
def test_every_operator_of_a_kind_runs(world: World, kind: kinds.Kind) -> None:
    """All fields of a kind in one statement for each operator, with what is behind links."""
    found = 0
    for entity in registry.all():
        names = [n for n, f in entity.fields.items() if f.kind is kind]
        chosen = [rule for name in names for rule in rules(entity.fields[name], name)]
        if chosen:
            found += len(chosen)
            for mode in ("any", "not"):
                asked = RecordQuery(entity.key, ("id",), Group(mode, tuple(chosen)))
                query.keys(world.admin, asked)
    assert found


def opposites(name: str, relation: Relation) -> list[tuple[Related, Related]]:
    """Conditions on one relation, each with the one that means its opposite.

    With and without a filter, counted, added up, nested.
    """
    target = registry.get(relation.entity)
    plain = Rule("id", ">", "0")
    link = next((r.name for r in relations(target).values() if r.is_one), "")
    inner = both(plain, Related(link, "no", plain)) if link else plain
    found = [
        (Related(name), Related(name, "no")),
        (Related(name, "has", inner), Related(name, "no", inner)),
    ]
    if not relation.is_one:
        found.append((_measured(name, "count", ">=", "2"), _measured(name, "count", "<", "2")))
        open_to_all = [f for f in target.fields.values() if f.level is Level.NORMAL]
        sums = [f.name for f in open_to_all if f.kind in NUMBERS and f.column is not None]
        for field in sums[-1:]:
            least, most = (_measured(name, "sum", sign, "0", field) for sign in (">=", "<"))
            found.append((least, most))
    return found


def _measured(name: str, quantity: str, sign: str, value: str, field: str = "") -> Related:
    return Related(name, quantity, Rule("id", ">", "0"), sign, value, field)


@pytest.mark.parametrize("entity", registry.all(), ids=lambda e: e.key)
def test_every_relation_of_every_entity_runs(world: World, entity: Entity) -> None:
    """Each means the opposite of its opposite, for the administrator and with limited rights.

    As columns of one statement and, looked at as a whole list does, as conditions of another.
    """
    known = list(relations(entity).items())
    pairs = []
    met: set[tuple[str, bool]] = set()
    for name, relation in known:
        # Further links between the same tables differ in the name of a column alone.
        found = opposites(name, relation)
        pairs += found if (relation.entity, relation.is_one) not in met else found[:1]
        met.add((relation.entity, relation.is_one))
    for node in (node for pair in pairs for node in pair):
        assert parse(to_text(node), entity.key) == node
    for person in ("admin", "team"):
        actor = world.people[person]
        if not actor.can(entity, "read"):
            continue
        whole = set(query.keys(actor, RecordQuery(entity.key, ("id",))))
        for some in batched(pairs):
            kept = holding(actor, entity, [node for pair in some for node in pair])
            for n, (one, _) in enumerate(some):
                assert kept[2 * n] | kept[2 * n + 1] == whole, to_text(one)
                assert not kept[2 * n] & kept[2 * n + 1], to_text(one)
            ones = tuple(one for one, _ in some)
            any_of = set(query.keys(actor, RecordQuery(entity.key, ("id",), Group("any", ones))))
            none_of = set(query.keys(actor, RecordQuery(entity.key, ("id",), Group("not", ones))))
            assert any_of == set().union(*kept[::2])
            assert none_of == whole - any_of


@pytest.mark.parametrize("entity", registry.all(), ids=lambda e: e.key)
def test_every_field_can_be_listed_and_sorted(world: World, entity: Entity) -> None:
    columns = tuple(n for n in paths_of(entity) if n.count(".") <= 1)
    for name, field in entity.fields.items():
        if field.kind not in {kinds.LINES, kinds.JSON, kinds.IMAGE}:
            for descending in (False, True):
                asked = RecordQuery(entity.key, ("id",), order=(Order(name, descending),))
                query.keys(world.admin, asked)
    listed = [n for n in columns if registry_kind(entity, n) is not kinds.LINES]
    query.first_page(world.admin, RecordQuery(entity.key, tuple(listed)), limit=2)


def registry_kind(entity: Entity, path: str) -> kinds.Kind:
    """Kind of the field a path ends in."""
    first, _, rest = path.partition(".")
    field = entity.fields[first]
    return registry_kind(registry.get(field.target), rest) if rest else field.kind


@pytest.mark.parametrize("entity", registry.all(), ids=lambda e: e.key)
def test_the_text_of_every_condition_reads_back(entity: Entity) -> None:
    for name, field in entity.fields.items():
        for rule in rules(field, name):
            assert parse(to_text(rule), entity.key) == rule


@pytest.mark.parametrize("entity", registry.all(), ids=lambda e: e.key)
def test_a_page_begins_like_the_whole_list(world: World, entity: Entity) -> None:
    """However the first page is found, for everybody, in every order, and among search hits."""
    if entity.is_record:
        made = [world.factory.make(entity.key) for _ in range(3)]
        records.delete(world.admin, entity.key, made[:1])
    unsorted = {kinds.LINES, kinds.JSON, kinds.IMAGE}
    orders: list[tuple[Order, ...]] = [()]
    for name, field in permissions.visible_fields(world.people["all"], entity).items():
        if field.kind not in unsorted:
            orders += [(Order(name),), (Order(name, descending=True),)]
    orders.append((Order(entity.title, descending=True), Order("id")))
    asked = [RecordQuery(entity.key, ("id",), order=order) for order in orders]
    if "search_text" in entity.fields:
        asked += [RecordQuery(entity.key, ("id",), search=words) for words in ("ș", "nam", "zz q")]
        asked.append(RecordQuery(entity.key, ("id",), order=orders[-1], search="name"))
    if entity.is_record:
        asked.append(RecordQuery(entity.key, ("id",), deleted=True))
    for name in ("admin", "team"):
        actor = world.people[name]
        for wanted in asked if actor.can(entity, "read") else ():
            whole = query.keys(actor, wanted)
            page = [row.id for row in query.first_page(actor, wanted, limit=7)]
            assert page == list(whole[:7]), (name, wanted)
            if not wanted.order:
                assert query.count(actor, wanted) == len(whole)
