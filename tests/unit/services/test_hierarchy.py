"""Accounts above and below, with sums of open opportunities, as far as one may see."""

from __future__ import annotations

from decimal import Decimal

from sqlalchemy import update

from desktop_crm.models import Account
from desktop_crm.services import hierarchy, records
from tests.support.statements import counted
from tests.support.world import World

D = Decimal


def test_sums_of_a_tree_by_currency(world: World) -> None:
    make = world.factory.make
    euro, lei = (make("currency") for _ in range(2))
    codes = [str(records.get(world.admin, "currency", key).title) for key in (euro, lei)]
    stage = make("stage", state="open")
    won = make("stage", state="won")
    top = make("account", name="Top")
    middle = make("account", name="Middle", parent=top)
    leaf = make("account", name="Leaf", parent=middle)
    other = make("account", name="Another", parent=top)
    for account, amount, currency, where in (
        (top, 100, euro, stage), (middle, 20, euro, stage), (leaf, 3, euro, stage),
        (leaf, 7000, lei, stage), (leaf, 999, euro, won), (other, None, euro, stage),
    ):  # fmt: skip
        make("opportunity", account=account, amount=amount and D(amount), currency=currency,
             stage=where)  # fmt: skip
    way = hierarchy.above(world.admin, leaf)
    assert [node.title for node in way] == ["Top", "Middle", "Leaf"]
    assert dict(way[0].own) == {codes[0]: D(100)}
    assert dict(way[0].all) == {codes[0]: D(123), codes[1]: D(7000)}
    assert dict(way[1].all) == {codes[0]: D(23), codes[1]: D(7000)}
    assert [node.has_children for node in way] == [True, True, False]
    with counted(world.db) as statements:
        children = hierarchy.below(world.admin, top)
    assert len(statements) <= 4
    assert [node.title for node in children] == ["Another", "Middle"]
    assert children[0].all == ()
    records.delete(world.admin, "account", [leaf])
    assert dict(hierarchy.below(world.admin, top)[1].all) == {codes[0]: D(20)}


def test_a_colleague_sees_his_part_of_the_tree(world: World) -> None:
    own, make = world.people["own"], world.factory.make
    stage, euro = make("stage", state="open"), make("currency")
    stranger = world.people["stranger"].user_id
    hidden = make("account", owner=stranger)
    mine = make("account", parent=hidden, owner=own.user_id)
    far = make("account", parent=mine, owner=stranger)
    below = make("account", parent=mine, owner=own.user_id)
    for account, owner in ((mine, own.user_id), (mine, stranger), (far, own.user_id)):
        make("opportunity", account=account, owner=owner, amount=D(10), stage=stage, currency=euro)
    assert [node.id for node in hierarchy.above(own, below)] == [mine, below]
    assert [node.id for node in hierarchy.below(own, mine)] == [below]
    assert [amount for _code, amount in hierarchy.above(own, mine)[0].all] == [D(10)]


def test_an_older_circle_ends(world: World) -> None:
    first = world.factory.make("account")
    second = world.factory.make("account", parent=first)
    with world.db.writing() as connection:
        circle = update(Account).where(Account.id == first).values(parent_id=second)
        connection.execute(circle)
    assert {node.id for node in hierarchy.above(world.admin, first)} == {first, second}
    assert [node.id for node in hierarchy.below(world.admin, first)] == [second]
