"""Undo puts back what follows from a change too, and says what it would have to spoil."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select

from desktop_crm.core.errors import UserError
from desktop_crm.models import Link, StageHistory
from desktop_crm.models.office import BatchState
from desktop_crm.services import deeds, records, steps, undo
from desktop_crm.services.changes import Changed, ChangeKind, ChangeSet
from desktop_crm.services.deeds import Deed, DeedState
from desktop_crm.services.timeline import timeline
from tests.support.world import World


def test_the_activity_returns_to_the_record_it_was_about(world: World) -> None:
    actor, factory = world.admin, world.factory
    first, second = factory.make("account"), factory.make("account")
    values = {"subject": "Call", "account": first}
    key = records.save(actor, "activity", None, None, values).id

    def shown() -> list[int]:
        return [
            account
            for account in (first, second)
            if any(item.activity_id == key for item in timeline(actor, "account", account))
        ]

    records.save(actor, "activity", key, 1, {"account": second})
    assert shown() == [second]
    undo.undo(actor)
    assert shown() == [first]
    undo.redo(actor)
    assert shown() == [second]
    with world.db.reading() as connection:
        links = connection.execute(select(Link.id).where(Link.activity_id == key)).all()
    assert len(links) == 2


def test_a_stage_taken_back_stands_in_the_history(world: World) -> None:
    actor, factory = world.admin, world.factory
    first, second = factory.make("stage"), factory.make("stage")
    values = {"name": "Deal", "stage": first}
    key = records.save(actor, "opportunity", None, None, values).id
    records.save(actor, "opportunity", key, 1, {"stage": second})
    undo.undo(actor)
    with world.db.reading() as connection:
        moves = connection.execute(
            select(StageHistory.from_stage_id, StageHistory.to_stage_id)
            .where(StageHistory.opportunity_id == key)
            .order_by(StageHistory.id)
        ).all()
    assert [tuple(move) for move in moves] == [(None, first), (first, second), (second, first)]


def test_what_somebody_changed_since_is_not_spoiled(world: World) -> None:
    mine, theirs = world.people["team"], world.people["mate"]
    key = records.save(theirs, "account", None, None, {"name": "One"}).id
    stage = records.save(world.admin, "account", key, 1, {"owner": mine.user_id})
    records.save(mine, "account", key, stage.version, {"name": "Two"})
    records.save(world.admin, "account", key, None, {"industry": "Steel"})
    with pytest.raises(UserError, match="changed since"):
        undo.undo(mine)
    read = records.get(mine, "account", key)
    assert (read.title, read.values["industry"]) == ("Two", "Steel")


def test_several_steps_on_one_record_are_undone_one_after_the_other(world: World) -> None:
    actor = world.admin
    key = records.save(actor, "account", None, None, {"name": "0"}).id
    for n in range(1, 5):
        records.save(actor, "account", key, None, {"name": str(n)})
    seen = []
    for _ in range(4):
        undo.undo(actor)
        seen.append(records.get(actor, "account", key).title)
    assert seen == ["3", "2", "1", "0"]
    for _ in range(3):
        undo.redo(actor)
    assert records.get(actor, "account", key).title == "3"
    records.save(actor, "account", key, None, {"name": "new"})
    with pytest.raises(UserError, match="nothing to redo"):
        undo.redo(actor)
    undo.undo(actor)
    undo.undo(actor)
    assert records.get(actor, "account", key).title == "2"


def test_a_step_is_taken_back_once(world: World) -> None:
    actor = world.admin
    key = records.save(actor, "account", None, None, {"name": "A"}).id
    deed = records.save(actor, "account", key, 1, {"name": "B"}).changes.operation
    undo.undo(actor, deed)
    for _ in range(2):
        with pytest.raises(UserError, match="cannot be undone"):
            undo.undo(actor, deed)
    assert records.get(actor, "account", key).title == "A"


def test_a_picture_is_put_back(world: World) -> None:
    actor = world.admin
    key = records.save(actor, "own_company", None, None, {"name": "We", "logo": b"old"}).id
    records.save(actor, "own_company", key, 1, {"logo": b"new"})
    assert records.get(actor, "own_company", key).values["logo"] == b"new"
    undo.undo(actor)
    assert records.get(actor, "own_company", key).values["logo"] == b"old"


def test_a_step_says_what_it_was(world: World) -> None:
    actor = world.admin
    emails = [{"address": "a@b.example"}]
    records.save(actor, "account", None, None, {"name": "A", "emails": emails})
    step = steps.last(actor)
    assert step is not None
    assert step.text == "Created: Account"
    report = undo.undo(actor)
    assert undo.describe(report) == "1 record was put back."
    undone = steps.last_undone(actor)
    assert undone is not None
    assert undone.entity == "account"


def long_operation(world: World, monkeypatch: pytest.MonkeyPatch) -> tuple[str, list[int]]:
    """Five accounts changed at once, which counts as long; the operation and their keys."""
    monkeypatch.setattr(undo, "LONG", 3)
    monkeypatch.setattr(undo, "PART", 2)
    keys = [world.factory.make("account", industry="Before") for _ in range(5)]
    changes = [records.Change(key, None, {"industry": "After"}) for key in keys]
    return records.save_many(world.admin, "account", changes).changes.operation, keys


def industries(world: World, keys: list[int]) -> list[object]:
    return [records.get(world.admin, "account", key).values["industry"] for key in keys]


def test_a_long_operation_is_taken_back_in_parts_and_done_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    done, keys = long_operation(world, monkeypatch)

    undo.undo(world.admin, done)
    assert industries(world, keys) == ["Before"] * 5
    undo.redo(world.admin)
    assert industries(world, keys) == ["After"] * 5
    undo.undo(world.admin)
    assert industries(world, keys) == ["Before"] * 5


def test_a_long_operation_somebody_built_on_is_left_whole(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    done, keys = long_operation(world, monkeypatch)
    records.save(world.admin, "account", keys[-1], None, {"industry": "Later"})
    with pytest.raises(UserError, match="changed since"):
        undo.undo(world.admin, done)
    assert industries(world, keys) == ["After"] * 4 + ["Later"]


def test_what_somebody_changes_between_two_parts_is_left_alone(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All others are put back, open lists hear of them, and the sentence says so."""
    done, keys = long_operation(world, monkeypatch)
    check = undo._check_long

    def changed(*args: Any, **more: Any) -> None:
        check(*args, **more)
        records.save(world.admin, "account", keys[1], None, {"industry": "Theirs"})

    monkeypatch.setattr(undo, "_check_long", changed)
    report = undo.undo(world.admin, done)
    assert undo.describe(report) == (
        "4 records were put back. 1 record was changed by somebody meanwhile and stays as it is."
    )
    assert report.ids("account") == set(keys) - {keys[1]}
    assert industries(world, keys) == ["Before", "Theirs", "Before", "Before", "Before"]
    (deed, *_) = [d for d in deeds.deeds(world.admin) if d.step.operation == done]
    assert deed.state is DeedState.PARTLY
    with pytest.raises(UserError, match="left were changed by somebody since"):
        undo.undo(world.admin, done)
    undo.redo(world.admin, deed.taken_by)
    assert industries(world, keys) == ["After", "Theirs", "After", "After", "After"]


def killed(monkeypatch: pytest.MonkeyPatch, act: Callable[[], object]) -> None:
    """Do something whose second transaction never comes."""
    take_back, calls = undo._take_back, []

    def dying(*args: Any, **more: Any) -> Any:
        calls.append(args)
        if len(calls) > 1:
            raise KeyboardInterrupt
        return take_back(*args, **more)

    with monkeypatch.context() as patched:
        patched.setattr(undo, "_take_back", dying)
        with pytest.raises(KeyboardInterrupt):
            act()


def test_an_undo_that_ended_in_the_middle_is_told_and_goes_on(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    done, keys = long_operation(world, monkeypatch)
    admin = world.admin

    def deed() -> Deed:
        return next(d for d in deeds.deeds(admin) if d.step.operation == done)

    killed(monkeypatch, lambda: undo.undo(admin, done))
    assert industries(world, keys) == ["After"] * 3 + ["Before"] * 2
    assert deed().state is DeedState.PARTLY
    assert deed().reason.startswith("2 of 5 records were put back")
    undo.undo(admin, done)
    assert industries(world, keys) == ["Before"] * 5
    assert deed().state is DeedState.TAKEN_BACK
    # It counts as one undo: doing it again brings all of it.
    killed(monkeypatch, lambda: undo.redo(admin, deed().taken_by))
    assert sorted(map(str, industries(world, keys))) == ["After"] * 2 + ["Before"] * 3
    assert deed().state is DeedState.PARTLY
    undo.undo(admin, done)
    assert industries(world, keys) == ["Before"] * 5
    assert deed().state is DeedState.TAKEN_BACK


def test_what_was_put_back_before_the_end_can_be_done_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    done, keys = long_operation(world, monkeypatch)
    killed(monkeypatch, lambda: undo.undo(world.admin, done))
    undo.redo(world.admin)
    assert industries(world, keys) == ["After"] * 5
    undo.undo(world.admin, done)
    assert industries(world, keys) == ["Before"] * 5


def test_an_import_whose_undo_ended_in_the_middle_still_stands_and_is_undone_whole(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(undo, "LONG", 3)
    monkeypatch.setattr(undo, "PART", 2)
    admin = world.admin
    batch = records.save(admin, "import_batch", None, None, {"name": "In", "entity": "account"}).id
    rows = [
        records.Change(None, None, {"name": f"A{n}", "emails": [{"address": f"a{n}@b.example"}]})
        for n in range(4)
    ]
    saved = records.save_many(admin, "account", rows, source="import", batch=batch)
    killed(monkeypatch, lambda: undo.undo(admin, saved.changes.operation))
    state = records.get(admin, "import_batch", batch).values["state"]
    assert state != BatchState.UNDONE
    undo.undo_batch(admin, batch)
    for key in saved.ids:
        assert records.get(admin, "account", key).values["deleted_at"] is not None
    assert records.get(admin, "import_batch", batch).values["state"] == BatchState.UNDONE


def test_a_decision_that_is_no_record_is_not_counted_as_none() -> None:
    links = Changed("link", frozenset({1}), ChangeKind.UPDATED)
    assert undo.describe(ChangeSet(changes=(links,))) == "It is as it was before."
