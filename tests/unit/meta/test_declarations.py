"""Declarations that make no sense are refused while importing, not when a person meets them."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from sqlalchemy import Column, Integer, MetaData, String, Table, create_engine, select
from sqlalchemy.exc import StatementError

from desktop_crm import models
from desktop_crm.meta import registry
from desktop_crm.meta.bound import bind
from desktop_crm.meta.field import Choice, EntityMeta, Tone
from desktop_crm.meta.types import ExactNumber, UtcDateTime


def test_an_arrangement_of_unknown_fields_is_refused() -> None:
    class Wrong:
        __table__ = models.Team.__table__
        __entity__ = EntityMeta("wrong", "Wrong", "Wrongs", "tag", "name", ("name", "nothing"))

    with pytest.raises(LookupError, match="wrong names unknown fields: nothing"):
        bind(Wrong)


def test_entities_are_found_by_key() -> None:
    assert registry.get("account") is registry.find("account")
    assert registry.find("nothing") is None
    with pytest.raises(KeyError):
        registry.get("nothing")
    assert len({e.key for e in registry.all()}) == len(registry.all()) == len(models.MODELS)


def test_a_field_knows_what_its_column_says() -> None:
    account = registry.get("account")
    name, parent = account.fields["name"], account.fields["parent"]
    assert (name.required, name.max_length, name.searchable) == (True, 200, True)
    assert (parent.target, parent.required, parent.nullable) == ("account", False, True)
    assert account.fields["state"].default == "active"
    assert not account.fields["state"].required
    assert account.fields["version"].read_only
    assert not account.fields["created_at"].importable
    assert account.fields["emails"].lines is not None
    assert account.owned
    assert account.is_record
    assert not registry.get("stage_history").is_record


def test_choices_are_texts_with_a_label() -> None:
    class Mood(Choice):
        GOOD = "good", "Good", Tone.OK
        BAD = "bad", "Bad"

    assert f"{Mood.GOOD}, {Mood('bad')}" == "good, bad"
    assert [tuple(option) for option in Mood.options()] == [
        ("good", "Good", Tone.OK, True),
        ("bad", "Bad", Tone.NEUTRAL, True),
    ]


def test_numbers_and_moments_are_stored_exactly() -> None:
    table = Table(
        "t", MetaData(), Column("id", Integer, primary_key=True), Column("n", ExactNumber(4)),
        Column("at", UtcDateTime()), Column("s", String(5)),
    )  # fmt: skip
    engine = create_engine("sqlite://")
    moment = datetime(2026, 7, 1, 12, tzinfo=UTC)
    with engine.begin() as connection:
        table.create(connection)
        for number in ("0.1", "-99999999999999.9999", "1.00005"):
            connection.execute(table.insert(), {"n": Decimal(number), "at": moment})
        rows = connection.execute(select(table.c.n, table.c.at).order_by(table.c.id)).all()
        assert [str(row.n) for row in rows] == ["0.1000", "-99999999999999.9999", "1.0001"]
        assert all(row.at == moment and row.at.tzinfo is UTC for row in rows)
        with pytest.raises(StatementError, match="naive datetime"):
            connection.execute(table.insert(), {"at": moment.replace(tzinfo=None)})
    engine.dispose()
