"""Changes of many records: what is reckoned, what is left out and why, one undo for all."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import pytest

from desktop_crm.core.errors import EnvironmentProblem, PermissionDenied, UserError
from desktop_crm.db.engine import Cancel
from desktop_crm.services import query, records, undo
from desktop_crm.services.bulk import deeds, edits, job, mail
from desktop_crm.services.bulk.edits import FieldEdit, Mode
from desktop_crm.services.bulk.job import Targets
from desktop_crm.services.changes import ChangeSet
from desktop_crm.services.filters import Rule
from desktop_crm.services.query import RecordQuery
from tests.support.world import World


def _accounts(world: World, count: int, **values: object) -> list[int]:
    changes = [records.Change(None, None, {"name": f"Bulk {n}", **values}) for n in range(count)]
    return list(records.save_many(world.admin, "account", changes).ids)


def _values(world: World, key: int) -> dict[str, object]:
    return dict(records.get(world.admin, "account", key).values)


def test_values_are_set_cleared_and_reckoned(world: World) -> None:
    given = {"employees": 10, "credit_limit": Decimal("99.99"), "industry": "Steel"}
    first, second = _accounts(world, 2, **given)
    records.save(world.admin, "account", second, None, {"employees": None})
    report = edits.edit(
        world.admin,
        Targets("account", [first, second]),
        [
            FieldEdit("industry", Mode.CLEAR),
            FieldEdit("rating", Mode.SET, "Hot"),
            FieldEdit("employees", Mode.ADD, "5"),
            FieldEdit("credit_limit", Mode.PERCENT, "10 %"),
            FieldEdit("tags", Mode.ADD, "press, VIP"),
        ],
    )
    assert (report.done, report.failures, report.stopped) == (2, (), False)
    found = _values(world, first)
    assert (found["industry"], found["rating"], found["employees"]) == (None, "hot", 15)
    assert found["credit_limit"] == Decimal("109.989")
    assert found["tags"] == "|press|VIP|"
    assert _values(world, second)["employees"] is None


def test_tags_are_added_once_and_removed_whatever_their_case(world: World) -> None:
    (key,) = _accounts(world, 1, tags="VIP")
    targets = Targets("account", [key])
    edits.edit(world.admin, targets, [FieldEdit("tags", Mode.ADD, "vip; new")])
    assert _values(world, key)["tags"] == "|VIP|new|"
    edits.edit(world.admin, targets, [FieldEdit("tags", Mode.REMOVE, "Vip, other")])
    assert _values(world, key)["tags"] == "|new|"


def test_one_undo_takes_several_chunks_back(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job, "CHUNK", 3)
    keys = _accounts(world, 8, industry="Before")
    report = edits.edit(
        world.admin, Targets("account", keys), [FieldEdit("industry", Mode.SET, "After")]
    )
    assert len(report.changes.ids("account")) == 8
    undo.undo(world.admin, report.operation)
    assert {_values(world, key)["industry"] for key in keys} == {"Before"}


def test_a_whole_list_is_changed_not_only_what_was_read(world: World) -> None:
    _accounts(world, 300, city="Bulkville")
    asked = RecordQuery("account", ("name",), Rule("city", "=", "Bulkville"))
    report = edits.edit(
        world.admin, Targets("account", (), asked), [FieldEdit("rating", Mode.SET, "cold")]
    )
    assert (report.asked, report.done) == (300, 300)
    rest = RecordQuery("account", ("name",), Rule("rating", "!=", "cold"))
    found = set(query.keys(world.admin, rest)) & report.changes.ids("account")
    assert not found


def test_what_a_rule_refuses_is_named_and_the_rest_is_changed(world: World) -> None:
    named = world.factory.make("contact", last_name="Named", first_name=None)
    both = world.factory.make("contact", last_name="Both", first_name="Ana")
    for key in (named, both):
        records.save(world.admin, "contact", key, None, {"middle_name": None, "suffix": None})
        records.save(world.admin, "contact", key, None, {"emails": []})
    report = edits.edit(
        world.admin, Targets("contact", [named, both]), [FieldEdit("last_name", Mode.CLEAR)]
    )
    assert report.done == 1
    assert [f.record_id for f in report.failures] == [named]
    assert report.failures[0].title == "Named"
    assert "name or an e-mail" in report.failures[0].reason
    assert records.get(world.admin, "contact", both).title == "Ana"


def test_records_of_others_are_left_and_named(world: World) -> None:
    own = world.people["own"]
    mine = world.factory.make("account", owner=own.user_id)
    theirs = world.factory.make("account", owner=world.people["stranger"].user_id)
    report = edits.edit(
        own, Targets("account", [mine, theirs]), [FieldEdit("industry", Mode.SET, "New")]
    )
    assert report.done == 1
    assert [f.record_id for f in report.failures] == [theirs]
    assert report.failures[0].title == "", "a title out of sight is not told"
    assert _values(world, theirs)["industry"] != "New"


def test_deleted_meanwhile_is_named(world: World) -> None:
    kept, gone = _accounts(world, 2)
    records.delete(world.admin, "account", [gone])
    report = edits.edit(
        world.admin, Targets("account", [kept, gone]), [FieldEdit("industry", Mode.SET, "New")]
    )
    assert (report.done, [f.record_id for f in report.failures]) == (1, [gone])


def test_stopping_keeps_what_was_done(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job, "CHUNK", 2)
    keys = _accounts(world, 6, industry="Before")
    cancel = Cancel()

    def progress(done: int, total: int) -> None:
        assert total == 6
        if done == 4:
            cancel.cancel()

    report = edits.edit(
        world.admin,
        Targets("account", keys),
        [FieldEdit("industry", Mode.SET, "After")],
        progress,
        cancel,
    )
    assert (report.stopped, report.done) == (True, 4)
    changed = [_values(world, key)["industry"] for key in keys]
    assert changed == ["After"] * 4 + ["Before"] * 2


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        (FieldEdit("name", Mode.CLEAR), "cannot be changed in this way"),
        (FieldEdit("employees", Mode.SET, "many"), "not a number"),
        (FieldEdit("employees", Mode.ADD, ""), "missing"),
        (FieldEdit("rating", Mode.SET, "boiling"), "no value of"),
        (FieldEdit("colour", Mode.SET, "red"), "no field"),
    ],
)
def test_a_wrong_wish_changes_nothing(world: World, wish: FieldEdit, said: str) -> None:
    (key,) = _accounts(world, 1)
    before = _values(world, key)
    with pytest.raises(UserError, match=said):
        edits.edit(world.admin, Targets("account", [key]), [wish])
    assert _values(world, key) == before


def test_a_field_out_of_sight_cannot_be_changed(world: World) -> None:
    (key,) = _accounts(world, 1)
    with pytest.raises(PermissionDenied):
        edits.edit(
            world.people["all"],
            Targets("account", [key]),
            [FieldEdit("credit_limit", Mode.SET, "5")],
        )


def test_many_are_deleted_and_come_back_with_one_undo(world: World) -> None:
    keys = _accounts(world, 3)
    report = deeds.delete(world.admin, Targets("account", keys))
    assert (report.done, report.failures) == (3, ())
    assert all(_values(world, key)["deleted_at"] is not None for key in keys)
    undo.undo(world.admin, report.operation)
    assert all(_values(world, key)["deleted_at"] is None for key in keys)


def test_each_record_gets_an_activity_about_it_and_its_account(world: World) -> None:
    account = world.factory.make("account")
    contacts = [world.factory.make("contact", account=account) for _ in range(3)]
    report = deeds.add_activities(
        world.admin, Targets("contact", contacts), {"subject": "Call all", "kind": "phone_call"}
    )
    assert report.done == 3
    about = RecordQuery("activity", ("contact.id", "account.id"), Rule("subject", "=", "Call all"))
    found = {tuple(row.values) for row in query.first_page(world.admin, about)}
    assert found == {(key, account) for key in contacts}
    undo.undo(world.admin, report.operation)
    assert not query.first_page(world.admin, about)


def test_activities_are_not_about_products(world: World) -> None:
    with pytest.raises(UserError, match="cannot be about"):
        deeds.add_activities(world.admin, Targets("product", [1]), {"subject": "X"})


def test_mail_goes_once_to_each_address_and_to_nobody_who_asked_not_to(world: World) -> None:
    def make(address: str | None, **values: object) -> int:
        lines = [{"address": address, "is_primary": True}] if address else []
        given = {"last_name": str(address), "first_name": None, "emails": lines, **values}
        return world.factory.make("contact", **given)

    fine, twin = make("fine@x.example"), make("fine@x.example")
    no_mail, no_bulk = make("a@x.example", do_not_email=True), make("b@x.example", do_not_bulk=True)
    nameless = make(None)
    bad = make("bad@x.example")
    line = records.get(world.admin, "contact", bad).lines["emails"][0]["id"]
    records.save(world.admin, "email_address", line, None, {"is_invalid": True})
    shared = make("shared@x.example")
    lines = [{"address": "shared@x.example", "is_primary": True}]
    world.factory.make("account", do_not_email=True, emails=lines)
    every = [fine, twin, no_mail, no_bulk, nameless, bad, shared]
    found = mail.recipients(world.admin, Targets("contact", every))
    assert [r.record_id for r in found.included] == [fine]
    reasons = {f.record_id: f.reason for f in found.left_out}
    assert reasons == {
        twin: mail.TWICE,
        no_mail: mail.NO_EMAIL,
        no_bulk: mail.NO_BULK,
        nameless: mail.NO_ADDRESS,
        bad: mail.UNDELIVERABLE,
        shared: mail.NO_EMAIL,
    }


def test_a_full_disk_is_no_fault_of_a_record(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """One attempt, not one for each record; what was done until then stands and is told."""
    monkeypatch.setattr(job, "CHUNK", 2)
    ids = _accounts(world, 6)
    asked: list[int] = []

    def write(some: Sequence[int], operation: str) -> ChangeSet:
        asked.extend(some)
        if len(asked) > 2:
            raise EnvironmentProblem("The disk is full.")
        return ChangeSet(operation)

    report = job.run(world.admin, Targets("account", ids), "edit", write)
    assert asked == ids[:4]
    assert (report.done, report.stopped) == (2, True)
    assert [(one.record_id, one.reason) for one in report.failures] == [
        (key, "The disk is full.") for key in ids[2:4]
    ]
