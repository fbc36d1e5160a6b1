"""Saving under hostile conditions: nothing is lost, nothing half-written, every refusal told."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import func, select

from desktop_crm.core.errors import (
    Conflict,
    CrmError,
    NotFound,
    PermissionDenied,
    UserError,
    ValidationFailed,
)
from desktop_crm.meta import registry
from desktop_crm.models import AuditEntry
from desktop_crm.services import query, records, undo
from desktop_crm.services.filters import Rule
from desktop_crm.services.query import RecordQuery
from desktop_crm.services.records import Change
from tests.support.statements import executed
from tests.support.world import World


def account(world: World, **values: object) -> int:
    """Save an account as the administrator."""
    return records.save(world.admin, "account", None, None, {"name": "Acme", **values}).id


def refused(world: World, entity: str, values: Mapping[str, Any], key: int | None = None) -> str:
    """The sentence beside the first wrong field; nothing may have been written."""
    before = entries(world)
    with pytest.raises(ValidationFailed) as caught:
        records.save(world.admin, entity, key, None, values)
    assert entries(world) == before
    error = caught.value.errors[0]
    assert error.message.endswith(".")
    assert "{" not in str(caught.value)
    return f"{error.field}: {error.message}"


def entries(world: World) -> int:
    """Number of audit rows."""
    with world.db.reading() as connection:
        return connection.execute(select(func.count()).select_from(AuditEntry)).scalar_one()


# --- values -------------------------------------------------------------------------------------


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"name": None}, "name: Name is missing."),
    ({"name": " \u200b "}, "name: Name is missing."),
    ({"name": "x" * 201}, "name: Name takes at most 200 characters; this text has 201."),
    ({"state": "asleep"}, "state: “asleep” is no value of State."),
    ({"employees": 2**31}, "employees: Employees is too large a number."),
    ({"employees": "1e999"}, "employees: “1e999” is not a number."),
    ({"employees": 1.5}, "employees: “1.5” is not a whole number."),
    ({"employees": float("inf")}, "employees: Employees cannot be “inf”."),
    ({"annual_revenue": Decimal("NaN")}, "annual_revenue: “NaN” is not a number."),
    ({"annual_revenue": Decimal("sNaN")}, "annual_revenue: “sNaN” is not a number."),
    ({"annual_revenue": float("-inf")}, "annual_revenue: “-inf” is not a number."),
    ({"annual_revenue": "9" * 30}, "annual_revenue: Annual revenue is too large a number."),
    ({"annual_revenue": "1.2.2026"}, "annual_revenue: “1.2.2026” is not a number."),
    ({"annual_revenue": object()}, "annual_revenue: Annual revenue cannot be"),
    ({"parent": "Acme"}, "parent: Parent account needs a record, not a text."),
    ({"parent": 2**40}, "parent: Parent account is too large a number."),
    ({"parent": 2_000_000_000}, "parent: The Parent account chosen does not exist"),
    ({"nothing": 1}, "nothing: There is no field “nothing”."),
    ({"emails": [{"address": "nobody"}]}, "emails.address: “nobody” is not an e-mail"),
    ({"emails": [{"type": "work"}]}, "emails.address: Address is missing."),
]


@pytest.mark.parametrize(
    ("values", "told"), WRONG, ids=[f"{n} {next(iter(v))}" for n, (v, _) in enumerate(WRONG)]
)
def test_wrong_values_are_told_beside_their_field(
    world: World, values: dict[str, Any], told: str
) -> None:
    assert refused(world, "account", {"name": "A", **values}).startswith(told)
    key = account(world)
    assert refused(world, "account", values, key).startswith(told)


def test_a_stored_value_that_must_stand_cannot_be_emptied(world: World) -> None:
    key = account(world)
    assert refused(world, "account", {"state": None}, key) == "state: State is missing."
    assert refused(world, "account", {"state": ""}, key) == "state: State is missing."
    assert not records.save(world.admin, "account", key, 1, {"do_not_bulk": None}).changes


def test_what_the_program_keeps_cannot_be_set(world: World) -> None:
    key = account(world)
    now = datetime(2026, 1, 1, tzinfo=UTC)
    for name, value in {
        "id": 7, "uid": "x", "version": 99, "created_at": now, "created_by": 99, "modified_at": now,
        "deleted_at": now, "title_key": "zzz", "search_text": "secret", "import_batch": 1,
    }.items():  # fmt: skip
        assert refused(world, "account", {name: value}, key).startswith(f"{name}: ")
    assert records.get(world.admin, "account", key).version == 1


def test_texts_that_a_database_refuses_are_made_storable(world: World) -> None:
    key = account(
        world, name="A\0c\ud83d\ude00me\ud800", description="a\0b\r\nc\udfff", industry=42
    )
    values = records.get(world.admin, "account", key).values
    assert values["name"] == "Ac😀me\ufffd"
    assert values["description"] == "ab\nc\ufffd"
    assert values["industry"] == "42"
    found = query.keys(world.admin, RecordQuery("account", ("name",), search="ac\0😀me"))
    assert key in found
    rule = Rule("industry", "contains", "4\0002")
    assert key in query.keys(world.admin, RecordQuery("account", ("name",), rule))


def test_numbers_are_rounded_once_and_then_stay(world: World) -> None:
    fine = Decimal("1.23455")
    key = account(world, annual_revenue=fine)
    assert records.get(world.admin, "account", key).values["annual_revenue"] == Decimal("1.2346")
    assert not records.save(world.admin, "account", key, 1, {"annual_revenue": fine}).changes
    assert not records.save(world.admin, "account", key, 1, {"annual_revenue": 1.23455}).changes


def test_moments_and_days_keep_their_zone(world: World) -> None:
    actor = world.admin
    near_midnight = datetime(2026, 3, 1, 23, 30, tzinfo=timezone(timedelta(hours=-5)))
    values = {"subject": "Call", "due_at": near_midnight}
    key = records.save(actor, "activity", None, None, values).id
    assert records.get(actor, "activity", key).values["due_at"] == near_midnight
    naive = near_midnight.replace(tzinfo=None)
    records.save(actor, "activity", key, None, {"due_at": naive})
    stands = records.get(actor, "activity", key).values["due_at"]
    assert stands == naive.replace(tzinfo=actor.zone)
    lead = {"subject": "L", "est_close_on": near_midnight}
    lead_key = records.save(actor, "lead", None, None, lead).id
    day = near_midnight.astimezone(actor.zone).date()
    assert records.get(actor, "lead", lead_key).values["est_close_on"] == day
    with pytest.raises(UserError):
        records.save(actor, "lead", lead_key, None, {"est_close_on": 12})


def test_long_names_and_domains_fit_on_every_system(world: World) -> None:
    name = "N" * 100
    contact = {
        "first_name": name, "middle_name": name, "last_name": name,
        "emails": [{"address": "a@" + "d" * 60 + "." + "d" * 60 + "." + "d" * 60 + ".example"}],
    }  # fmt: skip
    key = records.save(world.admin, "contact", None, None, contact).id
    assert len(records.get(world.admin, "contact", key).values["full_name"]) == 200
    site = "https://" + "x" * 63 + "." + "y" * 63 + ".example/page"
    assert (
        records.get(world.admin, "account", account(world, website=site)).values["domain"] is None
    )


def test_a_currency_has_a_code_that_money_understands(world: World) -> None:
    assert refused(world, "currency", {"code": "E1"}).startswith("code: A currency has a code")
    key = records.save(world.admin, "currency", None, None, {"code": "chf"}).id
    assert records.get(world.admin, "currency", key).values["code"] == "CHF"


def test_keys_beyond_any_column_are_not_found(world: World) -> None:
    for key in (2**31, 2**63, 2**80, 0, -1):
        with pytest.raises(NotFound):
            records.get(world.admin, "account", key)
        with pytest.raises(CrmError):
            records.save(world.admin, "account", key, 1, {"name": "A"})
        assert not records.delete(world.admin, "account", [key])
        assert query.rows(world.admin, RecordQuery("account", ("name",)), [key]) == []


# --- values that may stand once -----------------------------------------------------------------


def test_a_value_that_stands_already_is_told_beside_its_field(world: World) -> None:
    records.save(world.admin, "user", None, None, {"name": "One", "login": "twice"})
    told = refused(world, "user", {"name": "Two", "login": "twice"})
    assert told == "login: Another record has this already: Login. Choose another value."
    other = records.save(world.admin, "user", None, None, {"name": "Two", "login": "once"}).id
    assert refused(world, "user", {"login": "twice"}, other).startswith("login: ")
    rates = [{"valid_from": date(2026, 1, 1), "rate": 5}] * 2
    told = refused(world, "currency", {"code": "SEK", "rates": rates})
    assert told.startswith("rates.valid_from: Another record has this already")


def test_a_restored_record_meets_the_one_that_took_its_place(world: World) -> None:
    actor = world.admin
    key = records.save(actor, "currency", None, None, {"code": "NOK"}).id
    rate = {"currency": key, "valid_from": date(2026, 1, 1), "rate": 5}
    old = records.save(actor, "exchange_rate", None, None, rate).id
    records.delete(actor, "exchange_rate", [old])
    records.save(actor, "exchange_rate", None, None, rate)
    with pytest.raises(UserError, match="Another record has this already"):
        records.restore(actor, "exchange_rate", [old])


# --- many ---------------------------------------------------------------------------------------


def test_one_wrong_record_of_many_stops_all(world: World) -> None:
    before = entries(world)
    changes = [Change(None, None, {"name": f"A{n}"}) for n in range(50)]
    changes.append(Change(None, None, {"name": ""}))
    with pytest.raises(ValidationFailed):
        records.save_many(world.admin, "account", changes)
    assert entries(world) == before


def test_more_keys_than_a_statement_has_parameters(world: World) -> None:
    actor = world.admin
    changes = [Change(None, None, {"name": f"Unit {n}"}) for n in range(3_000)]
    made = records.save_many(actor, "unit", changes).ids
    assert len(set(made)) == 3_000
    many = [*made, *range(1_000_000, 1_040_000)]
    assert len(query.rows(actor, RecordQuery("unit", ("name",)), many)) == 3_000
    renamed = [Change(key, 1, {"code": str(n)}) for n, key in enumerate(made)]
    records.save_many(actor, "unit", renamed)
    assert records.get(actor, "unit", made[-1]).values["code"] == "2999"
    assert records.delete(actor, "unit", many).ids("unit") == set(made)
    assert undo.undo(actor).ids("unit") == set(made)


def test_many_records_cost_as_many_statements_as_few(world: World) -> None:
    actor = world.admin

    def cost(count: int) -> list[int]:
        costs = []
        rows = [{"name": f"A{n}", "emails": [{"address": f"a{n}@b.example"}]} for n in range(count)]
        with executed(world.db) as statements:
            changes = [Change(None, None, row) for row in rows]
            made = records.save_many(actor, "account", changes).ids
        costs.append(len(statements))
        with executed(world.db) as statements:
            wish = {"industry": "Steel", "phone": "0722 000 000"}
            records.save_many(actor, "account", [Change(key, 1, wish) for key in made])
        costs.append(len(statements))
        with executed(world.db) as statements:
            records.delete(actor, "account", made)
        costs.append(len(statements))
        for _ in range(3):
            with executed(world.db) as statements:
                undo.undo(actor)
            costs.append(len(statements))
        return costs

    assert cost(40) == cost(2)


# --- lines --------------------------------------------------------------------------------------


def test_lines_of_another_record_cannot_be_taken(world: World) -> None:
    victim = account(world, emails=[{"address": "victim@a.example"}])
    line = records.get(world.admin, "account", victim).lines["emails"][0]
    thief = account(world, emails=[{**line, "address": "thief@a.example"}])
    records.save(world.admin, "account", thief, None, {"emails": [dict(line)]})
    stays = records.get(world.admin, "account", victim).lines["emails"]
    assert [(row["id"], row["address"]) for row in stays] == [(line["id"], "victim@a.example")]
    taken = records.get(world.admin, "account", thief).lines["emails"]
    assert line["id"] not in {row["id"] for row in taken}


def test_emptying_one_part_keeps_the_rest_of_an_address(world: World) -> None:
    lines = [{"street": "Str. Lungă 1", "city": "Iași", "postal_code": "700001"}]
    key = account(world, addresses=lines)
    records.save(world.admin, "account", key, 1, {"city": None})
    read = records.get(world.admin, "account", key)
    assert [(row["street"], row["city"]) for row in read.lines["addresses"]] == [
        ("Str. Lungă 1", None)
    ]
    assert read.values["street"] == "Str. Lungă 1"
    wish = {"street": None, "postal_code": None}
    records.save(world.admin, "account", key, read.version, wish)
    assert records.get(world.admin, "account", key).lines["addresses"] == ()


def test_emptying_the_product_keeps_what_else_the_line_says(world: World) -> None:
    actor = world.admin
    stage = world.factory.make("stage")
    product = world.factory.make("product")
    lines = [{"product": product, "description": "With a ribbon", "unit_price": 5}]
    values = {"name": "Deal", "stage": stage, "lines": lines}
    key = records.save(actor, "opportunity", None, None, values).id
    records.save(actor, "opportunity", key, None, {"product": None})
    (line,) = records.get(actor, "opportunity", key).lines["lines"]
    assert (line["product"], line["description"]) == (None, "With a ribbon")


def test_a_copied_field_keeps_the_order_of_the_lines(world: World) -> None:
    actor = world.admin
    products = [world.factory.make("product") for _ in range(4)]
    stage = world.factory.make("stage")
    values = {"name": "Deal", "stage": stage, "lines": [{"product": p} for p in products[:3]]}
    key = records.save(actor, "opportunity", None, None, values).id
    rows = records.get(actor, "opportunity", key).lines["lines"]
    turned = [dict(rows[n]) for n in (2, 0, 1)]
    records.save(actor, "opportunity", key, None, {"lines": turned})
    primary = next(n for n, row in enumerate(turned) if row["is_primary"])
    records.save(actor, "opportunity", key, None, {"product": products[3]})
    wanted = [products[2], products[0], products[1]]
    wanted[primary] = products[3]
    after = records.get(actor, "opportunity", key).lines["lines"]
    assert [row["product"] for row in after] == wanted


def test_lines_that_two_people_changed_are_a_conflict(world: World) -> None:
    actor = world.admin
    key = account(world, emails=[{"address": "a@a.example"}, {"address": "b@a.example"}])
    mine, theirs = (records.get(actor, "account", key) for _ in range(2))
    shorter = [dict(row) for row in theirs.lines["emails"][1:]]
    records.save(actor, "account", key, 1, {"emails": shorter})
    base = {**mine.values, **mine.lines}
    more = [*(dict(row) for row in mine.lines["emails"]), {"address": "c@a.example"}]
    with pytest.raises(Conflict) as caught:
        records.save(actor, "account", key, 1, {"emails": more}, base)
    assert "emails" in caught.value.fields
    same = [dict(row) for row in mine.lines["emails"]]
    wish = {"emails": same, "name": "Renamed"}
    saved = records.save(actor, "account", key, 1, wish, base)
    assert "emails" in saved.merged
    read = records.get(actor, "account", key)
    assert [row["address"] for row in read.lines["emails"]] == ["b@a.example"]
    assert read.title == "Renamed"


def test_a_value_nobody_changed_is_no_conflict(world: World) -> None:
    """A form that sends everything back does not undo what somebody else changed."""
    key = account(world, industry="Old")
    read = records.get(world.admin, "account", key)
    records.save(world.admin, "account", key, 1, {"industry": "New"})
    everything = {**read.values, "city": "Iași"}
    for name in ("version", "modified_at", "modified_by", "title_key", "search_text"):
        everything.pop(name, None)
    saved = records.save(world.admin, "account", key, 1, everything, read.values)
    assert saved.merged == {"industry"}
    values = records.get(world.admin, "account", key).values
    assert (values["industry"], values["city"]) == ("New", "Iași")


# --- at the same time ---------------------------------------------------------------------------


def test_writers_at_the_same_time_lose_nothing(world: World) -> None:
    key = account(world, description="begin")

    def add(word: str) -> None:
        for number in range(15):
            saved = False
            while not saved:
                read = records.get(world.admin, "account", key)
                wish = {"description": f"{read.values['description']} {word}{number}"}
                with contextlib.suppress(Conflict):
                    records.save(world.admin, "account", key, read.version, wish)
                    saved = True

    with ThreadPoolExecutor(3) as pool:
        [done.result() for done in [pool.submit(add, word) for word in "abc"]]
    read = records.get(world.admin, "account", key)
    wanted = {"begin", *(f"{word}{number}" for word in "abc" for number in range(15))}
    assert set(read.values["description"].split()) == wanted
    assert read.version == 46


def test_writers_of_different_fields_all_win(world: World) -> None:
    key = account(world)
    fields = ["industry", "tax_id", "trade_register", "payment_terms", "description", "website"]

    def write(name: str) -> None:
        records.save(world.admin, "account", key, 1, {name: "https://x.example"})

    with ThreadPoolExecutor(6) as pool:
        [done.result() for done in [pool.submit(write, name) for name in fields]]
    read = records.get(world.admin, "account", key)
    assert all(read.values[name] == "https://x.example" for name in fields)
    assert read.version == 1 + len(fields)


def test_many_writers_in_any_order_do_not_block_each_other(world: World) -> None:
    keys = [account(world) for _ in range(20)]

    def write(order: int) -> None:
        chosen = keys if order % 2 else keys[::-1]
        name = f"code {order}"
        changes = [Change(key, None, {"account_number": name}) for key in chosen]
        records.save_many(world.admin, "account", changes)

    with ThreadPoolExecutor(4) as pool:
        [done.result() for done in [pool.submit(write, n) for n in range(12)]]
    found = {records.get(world.admin, "account", key).values["account_number"] for key in keys}
    assert len(found) == 1


# --- rights -------------------------------------------------------------------------------------


def test_a_record_cannot_be_given_away_or_left_without_owner(world: World) -> None:
    own, stranger = world.people["own"], world.people["stranger"]
    key = records.save(own, "account", None, None, {"name": "Mine"}).id
    for owner in (stranger.user_id, None):
        with pytest.raises(PermissionDenied):
            records.save(own, "account", key, 1, {"owner": owner})
    assert records.get(own, "account", key).values["owner"] == own.user_id
    team = world.people["team"]
    records.save(team, "account", key, 1, {"owner": world.people["mate"].user_id})
    with pytest.raises(NotFound):
        records.get(own, "account", key)


def test_a_line_cannot_be_hung_under_a_strangers_record(world: World) -> None:
    own, stranger = world.people["own"], world.people["stranger"]
    theirs = records.save(stranger, "account", None, None, {"name": "Theirs"}).id
    mine = records.save(own, "account", None, None, {"name": "Mine"}).id
    line = {"address": "a@b.example"}
    for values in ({**line, "account": theirs}, {**line, "account": mine, "contact": theirs}):
        with pytest.raises(CrmError):
            records.save(own, "email_address", None, None, values)
    contact = records.save(stranger, "contact", None, None, {"last_name": "T"}).id
    with pytest.raises(CrmError):
        records.save(own, "account", mine, None, {"emails": [{**line, "contact": contact}]})
    key = records.save(own, "email_address", None, None, {**line, "account": mine}).id
    with pytest.raises(CrmError):
        records.save(own, "email_address", key, 1, {"account": theirs})
    assert records.get(stranger, "account", theirs).lines["emails"] == ()
    assert records.get(stranger, "contact", contact).lines["emails"] == ()


def test_a_deleted_record_cannot_be_chosen(world: World) -> None:
    gone = account(world)
    records.delete(world.admin, "account", [gone])
    assert refused(world, "contact", {"last_name": "A", "account": gone}).startswith("account: ")


def test_a_lead_nobody_may_see_costs_the_same_sentence_as_none(world: World) -> None:
    own, stranger = world.people["own"], world.people["stranger"]
    theirs = records.save(stranger, "lead", None, None, {"subject": "Theirs"}).id
    told = []
    for key in (theirs, 2_000_000_000):
        with pytest.raises(NotFound) as caught:
            records.get(own, "lead", key)
        told.append(str(caught.value))
    assert told[0] == told[1]


def test_every_entity_says_whether_it_may_be_changed(world: World) -> None:
    for entity in registry.all():
        if entity.is_record and world.people["none"].can(entity, "create"):
            pytest.fail(f"no right, yet {entity.key} may be made")
