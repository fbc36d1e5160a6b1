"""Saved views: who sees and changes them, what they keep, what they do without a field."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

import pytest

from desktop_crm.core.errors import NotFound, PermissionDenied, UserError, ValidationFailed
from desktop_crm.meta import registry
from desktop_crm.models.office import ViewScope
from desktop_crm.services import list_layout, query, records, saved_views, undo, views
from desktop_crm.services.context import Actor
from desktop_crm.services.filters import NEVER, Group, Related, Rule
from desktop_crm.services.list_layout import Density, Format, ListLayout, Summary
from desktop_crm.services.list_view import ListView, usable
from desktop_crm.services.query import Order, RecordQuery
from tests.support.world import World

CITY = Rule("city", "=", "Cluj")
LAYOUT = ListLayout(
    columns=("full_name", "account.city"),
    widths=MappingProxyType({"full_name": 240}),
    frozen=1,
    order=(Order("city"), Order("modified_at", descending=True)),
    filter=CITY,
    group="role",
    totals=MappingProxyType({"full_name": Summary.COUNT}),
    formats=(Format(Rule("state", "=", "inactive"), "bad", "flag", bold=True),),
    density=Density.COMPACT,
    board="state",
)


@pytest.fixture(scope="module")
def made(world: World) -> dict[tuple[str, ViewScope], int]:
    """One view of each person and scope."""
    return {
        (name, scope): views.create(
            world.people[name], "contact", f"{name} {scope}", LAYOUT, scope
        ).id
        for name in ("own", "mate", "stranger", "admin")
        for scope in ViewScope
    }


def seen(actor: Actor) -> dict[int, ListView]:
    return {view.saved.id: view for view in saved_views.load(actor, "contact") if view.saved}


def one(actor: Actor, key: int) -> ListView:
    return seen(actor)[key]


def test_a_view_comes_back_as_it_was_saved(
    world: World, made: dict[tuple[str, ViewScope], int]
) -> None:
    view = one(world.people["own"], made["own", ViewScope.PERSONAL])
    assert view.layout == LAYOUT
    assert view.note == ""


@pytest.mark.parametrize("who", ["own", "stranger", "admin"])
def test_personal_views_of_others_are_never_seen(
    world: World, made: dict[tuple[str, ViewScope], int], who: str
) -> None:
    actor = world.people[who]
    found = seen(actor)
    near = {"own", "mate"} if who == "own" else {"stranger", "admin"}
    for (owner, scope), key in made.items():
        may = owner == who or scope is ViewScope.PUBLIC
        may = may or (scope is ViewScope.TEAM and owner in near)
        assert (key in found) == may, (owner, scope)
        if not may and not actor.is_admin:
            asked = RecordQuery("saved_view", ("name",), Rule("id", "=", str(key)))
            assert list(query.keys(actor, asked)) == []
            assert query.rows(actor, asked, [key]) == []
            with pytest.raises(NotFound):
                records.get(actor, "saved_view", key)


def test_only_the_owner_changes_a_view_and_administrators_shared_ones(
    world: World, made: dict[tuple[str, ViewScope], int]
) -> None:
    own, mate, admin = world.people["own"], world.people["mate"], world.people["admin"]
    key = made["own", ViewScope.PUBLIC]
    view = one(mate, key)
    assert view.saved is not None
    assert not view.saved.can_edit
    for change in (
        lambda: views.update(mate, view, LAYOUT),
        lambda: views.rename(mate, "contact", view, "Mine now"),
        lambda: views.share(mate, view, ViewScope.PERSONAL),
        lambda: views.delete(mate, view),
    ):
        with pytest.raises(PermissionDenied):
            change()
    with pytest.raises(PermissionDenied):
        records.save(mate, "saved_view", key, None, {"name": "Past the service"})
    views.rename(admin, "contact", one(admin, key), "Everybody's cities")
    assert one(own, key).title == "Everybody's cities"
    views.share(own, one(own, key), ViewScope.TEAM)
    assert key not in seen(world.people["stranger"])
    views.share(own, one(own, key), ViewScope.PUBLIC)


def test_a_deleted_view_comes_back_by_undo(world: World) -> None:
    actor = world.people["own"]
    key = views.create(actor, "contact", "Short-lived", LAYOUT).id
    gone = views.delete(actor, one(actor, key))
    assert key not in seen(actor)
    undo.undo(actor, gone.operation)
    assert one(actor, key).layout == LAYOUT


def test_a_name_stands_once_for_each_person(world: World) -> None:
    actor = world.people["own"]
    key = views.create(actor, "contact", "Once", ListLayout()).id
    with pytest.raises(UserError, match="already"):
        views.create(actor, "contact", " ONCE ", ListLayout())
    with pytest.raises(UserError, match="name"):
        views.create(actor, "contact", "  ", ListLayout())
    views.create(actor, "account", "Once", ListLayout())
    views.create(world.people["mate"], "contact", "Once", ListLayout())
    views.rename(actor, "contact", one(actor, key), "once")
    copied = views.copy(actor, "contact", one(actor, key)).id
    again = views.copy(actor, "contact", one(actor, key)).id
    assert [one(actor, k).title for k in (copied, again)] == ["once (copy)", "once (copy 2)"]


def test_pins_and_first_views_are_of_each_person(
    world: World, made: dict[tuple[str, ViewScope], int]
) -> None:
    own, mate, admin = world.people["own"], world.people["mate"], world.people["admin"]
    key = made["admin", ViewScope.PUBLIC]
    views.pin(own, one(own, key), pinned=True)
    views.open_first(own, "contact", one(own, key))
    mine, his = one(own, key).saved, one(mate, key).saved
    assert mine is not None
    assert his is not None
    assert (mine.is_pinned, mine.is_first) == (True, True)
    assert (his.is_pinned, his.is_first) == (False, False)
    assert next(iter(seen(own))) == key
    other = made["own", ViewScope.PERSONAL]
    views.open_first(own, "contact", one(own, other))
    views.pin(own, one(own, key), pinned=False)
    assert [k for k, v in seen(own).items() if v.saved and v.saved.is_first] == [other]
    with pytest.raises(PermissionDenied):
        views.open_first_for_all(own, "contact", one(own, other))
    with pytest.raises(ValidationFailed):
        records.save(own, "saved_view", other, None, {"is_default": True})
    with pytest.raises(UserError, match="everybody"):
        views.open_first_for_all(admin, "contact", one(admin, made["admin", ViewScope.PERSONAL]))
    views.open_first_for_all(admin, "contact", one(admin, key))
    views.open_first_for_all(admin, "contact", one(admin, made["stranger", ViewScope.PUBLIC]))
    firsts = [v.title for v in seen(mate).values() if v.saved and v.saved.is_everybodys_first]
    assert firsts == ["stranger public"]


def test_order_is_kept_for_own_views(world: World) -> None:
    actor = world.people["stranger"]
    for name in ("A", "B", "C"):
        views.create(actor, "lead", name, ListLayout())
    before = saved_views.load(actor, "lead")
    views.arrange(actor, list(reversed(before)))
    after = [view.title for view in saved_views.load(actor, "lead")]
    assert after == [view.title for view in reversed(before)]
    assert after.index("C") < after.index("B") < after.index("A")


RETIRED = replace(
    LAYOUT,
    columns=("full_name", "shoe_size", "city"),
    order=(Order("shoe_size"), Order("city")),
    filter=Group("all", (CITY, Rule("shoe_size", ">", "40"))),
    group="shoe_size",
)


def test_a_view_opens_without_a_field_that_is_gone_and_keeps_it(world: World) -> None:
    actor = world.people["own"]
    key = views.create(actor, "contact", "Shoes", RETIRED).id
    view = one(actor, key)
    assert view.note == (
        "“Shoes” uses a field that is not there: shoe_size. It opens without it and keeps it."
    )
    assert view.layout.columns == ("full_name", "city")
    assert view.layout.order == (Order("city"),)
    assert view.layout.filter == Group("all", (CITY,))
    assert view.layout.group == ""
    _changes, lost = views.update(actor, view, replace(view.layout, density=Density.COMFORTABLE))
    assert lost == ()
    kept = one(actor, key).saved
    assert kept is not None
    assert kept.stored == replace(RETIRED, density=Density.COMFORTABLE)
    other = replace(view.layout, columns=("city",), filter=None, order=())
    _changes, lost = views.update(actor, one(actor, key), other)
    assert lost == ()  # the column and the group still name it
    _changes, lost = views.update(
        actor, replace(one(actor, key)), replace(other, group="role", columns=("email",))
    )
    saved = one(actor, key).saved
    assert saved is not None
    assert saved.stored.columns == ("email", "shoe_size")


def test_what_gets_lost_is_named(world: World) -> None:
    actor = world.people["own"]
    layout = ListLayout(filter=Group("all", (CITY, Rule("shoe_size", ">", "40"))))
    key = views.create(actor, "contact", "Only the filter", layout).id
    view = one(actor, key)
    _changes, lost = views.update(actor, view, replace(view.layout, filter=None))
    assert lost == ("shoe_size",)


def test_a_confidential_field_is_left_out_for_who_may_not_know_it(world: World) -> None:
    layout = ListLayout(columns=("name", "credit_limit"))
    key = views.create(world.admin, "account", "Limits", layout, ViewScope.PUBLIC).id
    views_of = {v.saved_id: v for v in saved_views.load(world.people["own"], "account")}
    assert views_of[key].layout.columns == ("name",)


def test_a_view_grouped_by_month_opens_grouped(world: World) -> None:
    layout = ListLayout(group="created_at@month")
    key = views.create(world.people["own"], "contact", "By month", layout).id
    view = one(world.people["own"], key)
    assert (view.layout.group, view.note) == ("created_at@month", "")


def test_what_is_gone_is_named_and_the_rest_stays(world: World) -> None:
    entity = registry.get("account")
    kept = Rule("name", "=", "a")
    gone = (
        Rule("shoe", "=", "44"),
        Related("shop", "has"),
        Related("contact", "has", Rule("boot", "=", "44")),
        Related("opportunity", "sum", None, ">", "3", "weight"),
        Rule("employees", "contains", "3"),
    )
    layout = ListLayout(
        filter=Group("all", (*gone, kept)),
        group="description",
        totals=MappingProxyType({"name": Summary.SUM, "employees": Summary.SUM}),
    )
    rest, missing = usable(world.admin, entity, layout)
    assert rest.filter == Group("all", (kept,))
    assert missing == ("shoe", "shop", "boot", "weight", "employees")
    assert rest.group == ""
    assert rest.totals == {"employees": Summary.SUM}


def test_a_format_whose_condition_is_not_whole_never_holds(world: World) -> None:
    part = Format(Group("all", (CITY, Rule("shoe_size", ">", "40"))), "bad")
    whole = Format(CITY, "ok")
    rest, missing = usable(world.admin, registry.get("contact"), ListLayout(formats=(part, whole)))
    assert rest.formats == (replace(part, filter=NEVER), whole)
    assert missing == ("shoe_size",)


def test_a_filter_that_holds_for_nothing_never_opens_as_one_for_everything(world: World) -> None:
    rest, missing = usable(world.admin, registry.get("contact"), ListLayout(filter=NEVER))
    assert (rest.filter, missing) == (NEVER, ())


def test_a_damaged_definition_opens_as_nothing_and_says_so(world: World) -> None:
    actor = world.people["own"]
    stored = {"columns": 5, "widths": [1]}
    values = {"name": "Broken", "entity": "product", "definition": stored}
    records.save(actor, "saved_view", None, None, values)
    (view,) = saved_views.load(actor, "product")
    assert view.layout == ListLayout()
    assert "could not be read" in view.note


def test_every_layout_part_survives_storing() -> None:
    assert list_layout.from_json(list_layout.to_json(LAYOUT)) == LAYOUT
    assert registry.get("contact").fields["role"].options
