"""Any order of saving, deleting, undoing and redoing keeps the database equal to a model of it."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from desktop_crm.core.errors import UserError
from desktop_crm.services import records, undo
from desktop_crm.services.context import Actor
from tests.support.world import World, world_on

TITLES = st.sampled_from(["Ana", "Ștefan", "Zoe", "Țuțea"])
MAILS = st.lists(st.sampled_from(["a@b.example", "c@d.example", "e@f.example"]), max_size=3)
NOTES = st.none() | st.sampled_from(["x", "y"])


@dataclass
class Model:
    """Records by key as they should stand, and what to go back and forth to."""

    records: dict[int, dict[str, Any]] = field(default_factory=dict)
    past: list[dict[int, dict[str, Any]]] = field(default_factory=list)
    future: list[dict[int, dict[str, Any]]] = field(default_factory=list)

    def keep(self) -> None:
        """Remember the present state before a deed."""
        self.past.append(copy.deepcopy(self.records))
        self.future.clear()

    def back(self) -> None:
        """Take a deed back."""
        self.future.append(self.records)
        self.records = self.past.pop()

    def forth(self) -> None:
        """Do it again."""
        self.past.append(self.records)
        self.records = self.future.pop()


class Deeds(RuleBasedStateMachine):
    """One person at some accounts with their addresses."""

    world: World
    actor: Actor

    @initialize()
    def begin(self) -> None:
        """Begin with nothing that could be undone: a person nobody has been yet."""
        admin = self.world.admin
        user = self.world.factory.make("user", role=None)
        fields = {name: getattr(admin, name) for name in Actor.__dataclass_fields__}
        self.actor = Actor(**{**fields, "user_id": user})
        self.model = Model()

    def living(self) -> list[int]:
        """Keys of records that are not deleted."""
        return [key for key, row in self.model.records.items() if not row["deleted"]]

    @rule(name=TITLES, note=NOTES, mails=MAILS)
    def create(self, name: str, note: str | None, mails: list[str]) -> None:
        """Make an account."""
        self.model.keep()
        emails = [{"address": address} for address in mails]
        values = {"name": name, "description": note, "emails": emails}
        key = records.save(self.actor, "account", None, None, values).id
        row = {"name": name, "note": note, "mails": mails, "deleted": False}
        self.model.records[key] = row

    @precondition(lambda self: self.living())
    @rule(data=st.data(), name=TITLES, note=NOTES)
    def rename(self, data: st.DataObject, name: str, note: str | None) -> None:
        """Change plain fields of one."""
        key = data.draw(st.sampled_from(self.living()))
        wanted = {"name": name, "note": note}
        if wanted.items() <= self.model.records[key].items():
            return
        self.model.keep()
        changes = {"name": name, "description": note}
        records.save(self.actor, "account", key, None, changes)
        self.model.records[key] |= wanted

    @precondition(lambda self: self.living())
    @rule(data=st.data(), mails=MAILS)
    def address(self, data: st.DataObject, mails: list[str]) -> None:
        """Change the lines of one: keep some rows, drop and add others."""
        key = data.draw(st.sampled_from(self.living()))
        row = self.model.records[key]
        stands = records.get(self.actor, "account", key).lines["emails"]
        kept = [dict(line) for line in stands if line["address"] in mails][:1]
        rows = [*kept, *({"address": address} for address in mails)]
        if [line["address"] for line in rows] == row["mails"]:
            return
        self.model.keep()
        records.save(self.actor, "account", key, None, {"emails": rows})
        self.model.records[key] = row | {"mails": [line["address"] for line in rows]}

    @precondition(lambda self: self.living())
    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        """Delete several."""
        keys = data.draw(st.lists(st.sampled_from(self.living()), min_size=1, unique=True))
        self.model.keep()
        records.delete(self.actor, "account", keys)
        for key in keys:
            self.model.records[key]["deleted"] = True

    @rule()
    def undo(self) -> None:
        """Take the latest back; with nothing left, be told so."""
        if self.model.past:
            undo.undo(self.actor)
            self.model.back()
        else:
            with pytest.raises(UserError, match="nothing to undo"):
                undo.undo(self.actor)

    @rule()
    def redo(self) -> None:
        """Do the latest again; with nothing left, be told so."""
        if self.model.future:
            undo.redo(self.actor)
            self.model.forth()
        else:
            with pytest.raises(UserError, match="nothing to redo"):
                undo.redo(self.actor)

    @invariant()
    def stands(self) -> None:
        """The database is as the model says; records made and taken back lie in the bin."""
        for key, wanted in getattr(self, "model", Model()).records.items():
            read = records.get(self.actor, "account", key)
            assert read.values["name"] == wanted["name"]
            assert read.values["description"] == wanted["note"]
            assert (read.values["deleted_at"] is not None) == wanted["deleted"]
            mails = sorted(line["address"] for line in read.lines["emails"])
            if not wanted["deleted"]:
                assert mails == sorted(wanted["mails"])
                assert sum(line["is_primary"] for line in read.lines["emails"]) == bool(mails)
                assert (read.values["email"] in mails) if mails else not read.values["email"]


@pytest.mark.parametrize("system", ["sqlite", "postgresql"])
def test_undo_and_redo_keep_the_database_true(request: pytest.FixtureRequest, system: str) -> None:
    from hypothesis.stateful import run_state_machine_as_test

    with world_on(request, system) as world:
        Deeds.world = world
        run_state_machine_as_test(
            Deeds,
            settings=settings(
                deadline=None,
                max_examples=40 if system == "sqlite" else 15,
                stateful_step_count=20,
                suppress_health_check=list(HealthCheck),
            ),
        )
