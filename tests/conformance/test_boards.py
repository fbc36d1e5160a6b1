"""Boards of every entity by every field that can have one: counts, sums, cards, rights."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal

import pytest

from desktop_crm.core.errors import UserError
from desktop_crm.meta import registry
from desktop_crm.meta.bound import BoundField, Entity
from desktop_crm.services import board_fields, boards, query, records
from desktop_crm.services.filters import Rule
from desktop_crm.services.query import RecordQuery
from desktop_crm.services.records import Change
from tests.conformance.test_rights import make_for
from tests.support.world import World

BOARDS = [
    (entity, field)
    for entity in registry.all()
    if entity.is_record and "title_key" in entity.fields
    for field in entity.fields.values()
    if board_fields.can_be_columns(field)
]


@pytest.mark.parametrize(("entity", "field"), BOARDS, ids=lambda p: getattr(p, "key", "") or p.name)
def test_a_board_holds_what_its_list_holds(world: World, entity: Entity, field: BoundField) -> None:
    for owner in ("own", "stranger"):
        make_for(world, entity, owner)
    for name in ("admin", "own"):
        actor = world.people[name]
        if not actor.can(entity, "read"):
            continue
        asked = RecordQuery(entity.key, ())
        if field.target and query.count(actor, RecordQuery(field.target, ())) > boards.MOST:
            with pytest.raises(UserError, match=str(boards.MOST)):
                boards.board(actor, asked, field.name)
            continue
        columns = boards.board(actor, asked, field.name)
        keys = [column.key for column in columns]
        assert len(set(keys)) == len(keys)
        options = entity.fields[field.name].options  # other tests add to the shared list
        if options:
            codes = [option.code for option in options]
            assert keys[: len(codes)] == codes
        assert sum(column.count for column in columns) == query.count(actor, asked)
        for column in columns:
            assert len(column.cards) == min(column.count, boards.STEP)
            only = Rule(field.name, "empty" if column.key is None else "=", column.key)
            held = set(query.keys(actor, replace(asked, filter=only)))
            assert {card.id for card in column.cards} <= held
            assert len(held) == column.count


def test_amounts_are_summed_and_a_currency_without_a_rate_stays_apart(world: World) -> None:
    made = {code: world.factory.make("currency", code=code, name=code) for code in ("XTS", "XXX")}
    for code, amount in (("XTS", 100), ("XTS", 20), ("XXX", 7)):
        world.factory.make(
            "lead", est_amount=Decimal(amount), currency=made[code], rating="hot", subject="Sum me"
        )
    asked = RecordQuery("lead", (), Rule("subject", "starts", "Sum me"))
    hot = next(c for c in boards.board(world.admin, asked, "rating") if c.key == "hot")
    assert hot.count == 3
    assert dict(hot.amount.other) == {"XTS": Decimal(120), "XXX": Decimal(7)}


@contextmanager
def only_stages(world: World, *kept: int) -> Iterator[None]:
    """The stages that other tests made put away: a board shows only so many."""
    everyone = query.keys(world.admin, RecordQuery("stage", ("name",)))
    away = [key for key in everyone if key not in kept]
    records.save_many(world.admin, "stage", [Change(k, None, {"is_active": False}) for k in away])
    yield
    records.save_many(world.admin, "stage", [Change(k, None, {"is_active": True}) for k in away])


def test_what_was_won_counts_with_what_it_was_sold_for(world: World) -> None:
    make = world.factory.make
    currency = make("currency", code="XTW", name="XTW")
    open_, won = make("stage", state="open"), make("stage", state="won")

    def opportunity(stage: int, amount: int, revenue: int | None = None) -> int:
        return make(
            "opportunity", name="Real sum", stage=stage, amount=Decimal(amount), currency=currency,
            source="partner", actual_revenue=None if revenue is None else Decimal(revenue),
        )  # fmt: skip

    opportunity(open_, 1_000)
    more, same = opportunity(won, 100, 140), opportunity(won, 50)
    asked = RecordQuery("opportunity", (), Rule("name", "=", "Real sum"))
    with only_stages(world, open_, won):
        by_stage = {c.key: c for c in boards.board(world.admin, asked, "stage")}
    assert dict(by_stage[open_].amount.other) == {"XTW": Decimal(1_000)}
    assert dict(by_stage[won].amount.other) == {"XTW": Decimal(190)}
    assert {card.id: card.amount for card in by_stage[won].cards} == {more: 140, same: 50}
    (column,) = [c for c in boards.board(world.admin, asked, "source") if c.count]
    assert dict(column.amount.other) == {"XTW": Decimal(1_190)}


def test_a_field_that_cannot_have_a_board_is_named(world: World) -> None:
    with pytest.raises(UserError, match="last_name"):
        boards.board(world.admin, RecordQuery("contact", ()), "last_name")


def test_more_cards_are_read_on_request(world: World) -> None:
    for _ in range(6):
        world.factory.make("lead", rating="cold", subject="Page me")
    asked = RecordQuery("lead", (), Rule("subject", "starts", "Page me"))
    cold = next(c for c in boards.board(world.admin, asked, "rating", {"cold": 4}) if c.count)
    assert (cold.key, cold.count, len(cold.cards)) == ("cold", 6, 4)
