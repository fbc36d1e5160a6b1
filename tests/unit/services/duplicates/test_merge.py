"""One record of several: whose values stay, what becomes one, what comes back."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from desktop_crm.core import clock
from desktop_crm.core.errors import NotFound, UserError
from desktop_crm.models import DuplicatePair, Link, RecordMark
from desktop_crm.models.duplicate import DuplicateState
from desktop_crm.models.marking import MarkKind
from desktop_crm.services import query as reading
from desktop_crm.services import records, records_kept, steps, undo
from desktop_crm.services.context import Actor
from desktop_crm.services.duplicates import unmerge as unmerging
from desktop_crm.services.duplicates.merge import MergeWish, merge
from desktop_crm.services.duplicates.unmerge import unmerge
from desktop_crm.services.filters import Group, Node, Related, Rule
from desktop_crm.services.query import RecordQuery
from tests.support.world import World


def make(actor: Actor, entity: str, **values: Any) -> int:
    return records.save(actor, entity, None, None, values).id


def two(actor: Actor, one: dict[str, Any], other: dict[str, Any]) -> tuple[int, int]:
    name = {"first_name": "Ion", "last_name": "Popescu"}
    return make(actor, "contact", **{**name, **one}), make(actor, "contact", **{**name, **other})


def test_the_master_keeps_its_values_and_fills_its_blanks(world: World) -> None:
    admin = world.admin
    master, loser = two(
        admin,
        {"job_title": "Buyer", "tags": "vip", "do_not_phone": True},
        {"job_title": "Owner", "department": "Sales", "tags": "press, VIP", "do_not_email": True},
    )
    merged = merge(admin, MergeWish("contact", master, (loser,)))
    values = records.get(admin, "contact", master).values
    assert values["job_title"] == "Buyer"
    assert values["department"] == "Sales"
    assert values["tags"] == "|vip|press|"
    assert (values["do_not_email"], values["do_not_phone"]) == (True, True)
    assert merged.count == 1
    unmerge(admin, merged.operation)
    values = records.get(admin, "contact", master).values
    assert (values["department"], values["tags"], values["do_not_email"]) == (None, "|vip|", False)


def test_a_person_chooses_field_by_field(world: World) -> None:
    admin = world.admin
    master, loser = two(
        admin,
        {"job_title": "Buyer", "do_not_email": True, "email": "a@alfa.ro"},
        {"job_title": "Owner", "last_name": "Popesco", "email": "b@alfa.ro"},
    )
    picks = {"job_title": loser, "last_name": loser, "emails": loser}
    merge(admin, MergeWish("contact", master, (loser,), picks=picks))
    read = records.get(admin, "contact", master)
    assert read.values["job_title"] == "Owner"
    assert read.values["full_name"] == "Ion Popesco"
    assert read.values["email"] == "b@alfa.ro"
    assert read.values["do_not_email"] is True
    assert [(r["address"], r["is_primary"]) for r in read.lines["emails"]] == [
        ("a@alfa.ro", False),
        ("b@alfa.ro", True),
    ]


def test_addresses_and_numbers_stand_once(world: World) -> None:
    admin = world.admin
    master, loser = two(
        admin,
        {
            "emails": [{"address": "ion@alfa.ro"}],
            "phones": [{"number": "0722 100 200", "type": "mobile"}],
            "addresses": [{"street": "Str. Lungă nr. 5", "city": "Iași"}],
        },
        {
            "emails": [{"address": "ion@alfa.ro", "is_invalid": True}, {"address": "ip@home.ro"}],
            "phones": [{"number": "+40722100200"}, {"number": "021 300 4000"}],
            "addresses": [{"street": "Strada Lunga 5", "city": "IASI"}],
        },
    )
    before = records.get(admin, "contact", loser).lines
    merged = merge(admin, MergeWish("contact", master, (loser,)))
    lines = records.get(admin, "contact", master).lines
    assert [(r["address"], r["is_invalid"]) for r in lines["emails"]] == [
        ("ion@alfa.ro", True),
        ("ip@home.ro", False),
    ]
    assert [r["number"] for r in lines["phones"]] == ["0722 100 200", "021 300 4000"]
    assert [r["is_primary"] for r in lines["phones"]] == [True, False]
    assert len(lines["addresses"]) == 1
    unmerge(admin, merged.operation)
    again = records.get(admin, "contact", loser).lines
    moves = {"version", "modified_at", "modified_by"}
    for name, rows in before.items():
        kept = [{k: v for k, v in row.items() if k not in moves} for row in rows]
        assert [{k: v for k, v in row.items() if k not in moves} for row in again[name]] == kept


def test_an_amount_never_goes_without_its_currency(world: World) -> None:
    admin = world.admin
    lei, euro = make(admin, "currency", code="RON"), make(admin, "currency", code="EUR")
    one = make(admin, "lead", subject="A", currency=lei)
    other = make(admin, "lead", subject="A", currency=euro, est_amount="1000")
    merged = merge(admin, MergeWish("lead", one, (other,)))
    assert records.get(admin, "lead", one).values["est_amount"] is None
    unmerge(admin, merged.operation)
    merge(admin, MergeWish("lead", one, (other,), picks={"est_amount": other}))
    values = records.get(admin, "lead", one).values
    assert (values["est_amount"], values["currency"]) == (1000, euro)


def test_links_marks_and_connections_of_both_become_one(world: World) -> None:
    admin = world.admin
    master, loser = two(admin, {}, {})
    third = make(admin, "contact", last_name="Third")
    both = make(admin, "activity", subject="Both", kind="note", contact=master)
    alone = make(admin, "activity", subject="Alone", kind="note", contact=loser)
    people = [{"name": "Ion", "contact": master}, {"name": "ion", "contact": loser}]
    meeting = make(admin, "activity", subject="Meeting", kind="note", parties=people)
    with admin.db.writing() as connection:
        row = {"activity_id": both, "record_type": "contact", "record_id": loser, "rule": "manual",
               "confidence": 100, "state": "linked", "is_regarding": False}  # fmt: skip
        records_kept.insert_rows(connection, Link, [row], admin.user_id)
        assert admin.user_id is not None
        for key in (master, loser):
            records_kept.mark(
                connection, admin.user_id, MarkKind.FAVOURITE, "contact", [key], clock.now()
            )
    for here in (master, loser):
        make(admin, "connection", from_type="contact", from_id=here, to_type="contact", to_id=third)
    make(admin, "connection", from_type="contact", from_id=master, to_type="contact", to_id=loser)
    before = _facts(admin)

    merged = merge(admin, MergeWish("contact", master, (loser,)))

    with admin.db.reading() as connection:
        linked = connection.execute(
            select(Link.activity_id).where(Link.record_type == "contact", Link.record_id == master)
        ).scalars()
        assert sorted(linked) == [both, alone]
        marks = select(RecordMark.record_id).where(RecordMark.record_id.in_([master, loser]))
        assert list(connection.execute(marks).scalars()) == [master]
    parties = records.get(admin, "activity", meeting).lines["parties"]
    assert [(r["contact"], r["name"]) for r in parties] == [(master, "Ion")]
    assert records.get(admin, "activity", alone).values["contact"] == master
    assert _living_connections(admin, master) == [(master, third)]
    unmerge(admin, merged.operation)
    assert _facts(admin) == before


def _living_connections(actor: Actor, key: int) -> list[tuple[int, int]]:
    from desktop_crm.models import Connection

    table = Connection.__table__.c
    with actor.db.reading() as connection:
        rows = connection.execute(
            select(table.from_id, table.to_id).where(
                table.deleted_at.is_(None), (table.from_id == key) | (table.to_id == key)
            )
        )
        return [(row[0], row[1]) for row in rows]


def _facts(actor: Actor) -> list[list[tuple[Any, ...]]]:
    from desktop_crm.models import ActivityParty, Connection

    found = []
    with actor.db.reading() as connection:
        for model, names in (
            (Link, ("id", "activity_id", "record_id", "state", "is_regarding", "linked_by_id")),
            (RecordMark, ("id", "record_id", "kind")),
            (Connection, ("id", "from_id", "to_id", "deleted_at")),
            (ActivityParty, ("id", "contact_id", "deleted_at")),
        ):
            table: Any = model.__table__
            columns = [table.c[name] for name in names]
            found.append([tuple(r) for r in connection.execute(select(*columns).order_by("id"))])
    return found


def test_a_master_below_its_loser_takes_its_place(world: World) -> None:
    admin = world.admin
    top = make(admin, "account", name="Top")
    loser = make(admin, "account", name="Loser", parent=top)
    between = make(admin, "account", name="Between", parent=loser)
    master = make(admin, "account", name="Master", parent=between)
    merged = merge(admin, MergeWish("account", master, (loser,)))
    assert records.get(admin, "account", master).values["parent"] == top
    assert records.get(admin, "account", between).values["parent"] == master
    unmerge(admin, merged.operation)
    assert records.get(admin, "account", master).values["parent"] == between


def test_chains_of_merges_lead_to_the_last_one(world: World) -> None:
    admin = world.admin
    a, b = two(admin, {}, {})
    c, _ = two(admin, {}, {})
    first = merge(admin, MergeWish("contact", a, (b,)))
    second = merge(admin, MergeWish("contact", c, (a,)))
    assert records.get(admin, "contact", b).id == c
    with pytest.raises(UserError, match="merged into another one since"):
        unmerge(admin, first.operation)
    unmerge(admin, second.operation)
    assert records.get(admin, "contact", b).id == a
    unmerge(admin, first.operation)
    assert records.get(admin, "contact", b).id == b


def test_filters_by_an_old_key_find_the_record_that_is_left(world: World) -> None:
    admin, factory = world.admin, world.factory
    account = factory.make("account")
    kept = factory.make("contact", account=account)
    old, older, other = (factory.make("contact") for _ in range(3))
    about = factory.make("opportunity", contact=other)
    mine = factory.make("opportunity", contact=old)
    merge(admin, MergeWish("contact", old, (older,)))
    merge(admin, MergeWish("contact", kept, (old,)))
    made = {"account": {account}, "contact": {kept, other}, "opportunity": {about, mine}}

    def found(entity: str, node: Node) -> list[int]:
        query = RecordQuery(entity, ("id",), node)
        keys = sorted(reading.keys(admin, query))
        assert reading.count(admin, query) == len(keys)
        assert reading.counts(admin, [query]) == [len(keys)]
        assert sorted(row.id for row in reading.first_page(admin, query, -1)) == keys
        return [key for key in keys if key in made[entity]]

    for key in (kept, old, older):
        assert found("contact", Rule("id", "=", key)) == [kept]
        assert found("contact", Rule("id", "=", str(key))) == [kept]
        assert found("contact", Rule("id", "in", (key, other))) == [kept, other]
        assert found("contact", Rule("id", "!=", key)) == [other]
        assert found("opportunity", Rule("contact", "=", key)) == [mine]
        assert found("opportunity", Rule("contact", "!=", key)) == [about]
        assert found("opportunity", Rule("contact", "in", (key,))) == [mine]
        assert found("opportunity", Rule("contact", "not in", (key,))) == [about]
        assert found("opportunity", Rule("contact.id", "=", key)) == [mine]
        assert found("opportunity", Group("not", (Rule("contact", "=", key),))) == [about]
        assert found("account", Related("contact", "has", Rule("id", "=", key))) == [account]


def test_what_was_changed_since_stays_and_is_told(world: World) -> None:
    admin = world.admin
    master, loser = two(admin, {}, {"department": "Sales"})
    other = make(admin, "contact", last_name="Other")
    moved = make(admin, "activity", subject="Moved since", kind="note", contact=loser)
    stays = make(admin, "activity", subject="Stays", kind="note", contact=loser)
    merged = merge(admin, MergeWish("contact", master, (loser,)))
    records.save(admin, "contact", master, None, {"department": "Finance"})
    records.save(admin, "activity", moved, None, {"contact": other})
    shown = unmerging.preview(admin, merged.operation)
    parted = unmerge(admin, merged.operation)
    texts = {kept.text for kept in parted.kept}
    assert texts == {kept.text for kept in shown}
    assert "Activity “Moved since”: Contact" in texts
    assert "Contact “Ion Popescu”: Department" in texts
    assert records.get(admin, "activity", moved).values["contact"] == other
    assert records.get(admin, "activity", stays).values["contact"] == loser
    assert records.get(admin, "contact", master).values["department"] == "Finance"


def test_a_merged_record_is_refused_where_it_would_come_back_alone(world: World) -> None:
    admin = world.admin
    master, loser = two(admin, {}, {})
    merge(admin, MergeWish("contact", master, (loser,)))
    with pytest.raises(UserError, match="Take the merge apart instead"):
        records.restore(admin, "contact", [loser])
    with pytest.raises(NotFound, match="merged into another one meanwhile"):
        records.save(admin, "contact", loser, None, {"job_title": "X"})
    with pytest.raises(UserError, match="was merged into another record meanwhile"):
        merge(admin, MergeWish("contact", master, (loser,)))


def test_what_cannot_be_merged_is_said(world: World) -> None:
    admin = world.admin
    keys = [make(admin, "contact", last_name=f"N{n}") for n in range(6)]
    for wish in (
        MergeWish("contact", keys[0], ()),
        MergeWish("contact", keys[0], (keys[0],)),
        MergeWish("contact", keys[0], tuple(keys[1:])),
    ):
        with pytest.raises(UserError, match="two to 5 different records"):
            merge(admin, wish)
    with pytest.raises(NotFound, match="is gone"):
        merge(admin, MergeWish("contact", keys[0], (999_999,)))


def test_a_converted_lead_is_the_one_that_stays(world: World) -> None:
    admin = world.admin
    open_one = make(admin, "lead", subject="Roof", company="A")
    done = make(admin, "lead", subject="Roof", company="A", converted_at=clock.now())
    with pytest.raises(UserError, match="was converted already; keep that lead"):
        merge(admin, MergeWish("lead", open_one, (done,)))
    merge(admin, MergeWish("lead", done, (open_one,)))


def test_pairs_are_settled_with_the_merge(world: World) -> None:
    admin = world.admin
    a, b = two(admin, {}, {})
    c, d = two(admin, {}, {})
    rows = [(a, b, "open"), (a, c, "open"), (b, c, "different"), (b, d, "different")]
    with admin.db.writing() as connection:
        for first, second, state in rows:
            pair = {"entity": "contact", "first_id": first, "second_id": second, "score": 90,
                    "state": state, "found_at": clock.now()}  # fmt: skip
            records_kept.insert_facts(connection, DuplicatePair, [pair])
    merged = merge(admin, MergeWish("contact", a, (b,)))
    assert _pairs(admin, a, b, c, d) == {
        (a, b): DuplicateState.MERGED, (a, c): DuplicateState.OPEN, (a, d): DuplicateState.DIFFERENT
    }  # fmt: skip
    unmerge(admin, merged.operation)
    assert _pairs(admin, a, b, c, d) == {
        (a, b): DuplicateState.DIFFERENT, (a, c): DuplicateState.OPEN,
        (b, c): DuplicateState.DIFFERENT, (b, d): DuplicateState.DIFFERENT,
    }  # fmt: skip


def _pairs(actor: Actor, *keys: int) -> dict[tuple[int, int], str]:
    pair = DuplicatePair.__table__.c
    with actor.db.reading() as connection:
        rows = connection.execute(
            select(pair.first_id, pair.second_id, pair.state).where(pair.first_id.in_(keys))
        )
        return {(row[0], row[1]): row[2] for row in rows}


def test_a_merge_is_one_step_of_undo(world: World) -> None:
    admin = world.admin
    master, loser = two(admin, {"job_title": "X"}, {"department": "Y"})
    merge(admin, MergeWish("contact", master, (loser,)))
    step = steps.last(admin)
    assert step is not None
    assert step.text == "Merged 1 record into another"
    undo.undo(admin)
    assert records.get(admin, "contact", loser).id == loser
    assert records.get(admin, "contact", master).values["department"] is None
