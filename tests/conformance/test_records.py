"""Every entity can be saved, read, deleted, taken back and merged, on both systems."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import func, select

from desktop_crm.core.errors import Conflict, NotFound, UserError
from desktop_crm.meta import kinds, registry
from desktop_crm.meta.bound import SYSTEM_FIELDS, BoundField, Entity
from desktop_crm.models import AuditEntry
from desktop_crm.models.office import AuditAction
from desktop_crm.services import audit, query, records, undo
from desktop_crm.services.permissions import visible_fields
from desktop_crm.services.query import RecordQuery
from tests.factories import DEFINED, ENDS, RECKONED, Factory
from tests.support.statements import counted
from tests.support.world import World

RECORDS = tuple(entity for entity in registry.all() if entity.is_record)
FACTS = tuple(entity for entity in registry.all() if not entity.is_record)
_MOVES = frozenset({"version", "modified_at", "modified_by"})

EDITED = tuple(e for e in RECORDS if e.key != "mail_message")
"""Records with fields that a person changes freely."""

every_record = pytest.mark.parametrize("entity", RECORDS, ids=lambda e: e.key)
every_edited = pytest.mark.parametrize("entity", EDITED, ids=lambda e: e.key)


def row(world: World, entity: Entity, key: int) -> dict[str, Any]:
    """A stored row with its living lines, without what every writing moves."""
    found = dict(records.get(world.admin, entity.key, key).values)
    lines = records.get(world.admin, entity.key, key).lines
    kept = {k: v for k, v in found.items() if k not in _MOVES}
    for name, rows in lines.items():
        kept[name] = [{k: v for k, v in line.items() if k not in _MOVES} for line in rows]
    return kept


def changeable(entity: Entity) -> list[BoundField]:
    """Fields whose change no rule answers with anything else."""
    left_out = RECKONED.get(entity.key, frozenset()) | {
        "kind", "language", "time_zone", "commands", "recurrence_rule",
    }  # fmt: skip
    left_out |= {name for pair in ENDS.get(entity.key, ()) for name in pair}
    left_out |= {name for key, name in DEFINED if key == entity.key}
    if entity.key in ENDS:
        left_out |= {"valid_from"}  # moved alone, it would come after the end
    plain = {kinds.TEXT, kinds.MULTILINE, kinds.INTEGER, kinds.DATE, kinds.URL, kinds.PHONE,
             kinds.EMAIL, kinds.QUANTITY, kinds.MONEY}  # fmt: skip
    return [
        f
        for f in entity.fields.values()
        if f.kind in plain
        and not f.read_only
        and f.name not in left_out | SYSTEM_FIELDS
        and f.copy_of is None
    ]


def other(field: BoundField, value: Any) -> Any:
    """Another valid value of a field."""
    if isinstance(value, str) and field.kind is kinds.EMAIL:
        return "x" + value
    if isinstance(value, str):
        limit = field.max_length or len(value) + 1
        if len(value) < limit:
            return value + ("X" if value.isupper() else "x")
        # The next letter: appending would give the same text again once it is all X.
        last = value[-1]
        first = "A" if last.isupper() else "a"
        return value[:-1] + chr(ord(first) + (ord(last) - ord(first) + 1) % 26)
    if isinstance(value, int):
        return value + 1
    return value + (Decimal("0.5") if isinstance(value, Decimal) else timedelta(days=7000))


def changes_of(world: World, entity: Entity, key: int) -> dict[str, Any]:
    """New values for every changeable field of a record that has one."""
    values = records.get(world.admin, entity.key, key).values
    return {
        f.name: other(f, values[f.name]) for f in changeable(entity) if values[f.name] is not None
    }


@every_record
def test_a_record_is_saved_read_deleted_and_restored(world: World, entity: Entity) -> None:
    actor, key_of = world.admin, entity.key
    values = world.factory.values(key_of)
    saved = records.save(actor, key_of, None, None, values)
    read = records.get(actor, key_of, saved.id)
    assert read.version == saved.version
    assert {n: read.values[n] for n in values} == values
    assert read.can_edit
    assert read.can_delete

    listed = RecordQuery(key_of, entity.columns)
    assert [r.id for r in query.rows(actor, listed, [saved.id])] == [saved.id]
    before = row(world, entity, saved.id)
    assert records.delete(actor, key_of, [saved.id])
    assert query.rows(actor, listed, [saved.id])[0].deleted
    assert saved.id not in query.keys(actor, listed)
    assert saved.id in query.keys(actor, RecordQuery(key_of, entity.columns, deleted=True))
    assert not records.get(actor, key_of, saved.id).can_edit
    with pytest.raises(NotFound):
        records.save(actor, key_of, saved.id, None, {})
    assert records.restore(actor, key_of, [saved.id])
    assert row(world, entity, saved.id) == before
    assert saved.id in query.keys(actor, listed)


@every_record
def test_saving_what_stands_writes_nothing(world: World, entity: Entity) -> None:
    actor = world.admin
    key = world.factory.make(entity.key)
    read = records.get(actor, entity.key, key)
    values = {**read.values, **read.lines}
    entries = _entries(world, entity, key)
    again = records.save(actor, entity.key, key, read.version, values)
    assert not again.changes
    assert again.version == read.version
    assert _entries(world, entity, key) == entries
    typed = {
        f.name: f.display(read.values[f.name], actor.formats)
        for f in changeable(entity)
        if f.kind is not kinds.MULTILINE
    }
    assert not records.save(actor, entity.key, key, read.version, typed).changes


def _entries(world: World, entity: Entity, key: int) -> int:
    with world.db.reading() as connection:
        return connection.execute(
            select(func.count())
            .select_from(AuditEntry)
            .where(AuditEntry.entity == entity.key, AuditEntry.record_id == key)
        ).scalar_one()


@every_edited
def test_history_shows_old_and_new_and_undo_puts_back_exactly(world: World, entity: Entity) -> None:
    actor = world.admin
    key = world.factory.make(entity.key)
    before = row(world, entity, key)
    changes = changes_of(world, entity, key)
    version = records.get(actor, entity.key, key).version
    saved = records.save(actor, entity.key, key, version, changes)
    after = row(world, entity, key)
    assert {n: after[n] for n in changes} == changes
    assert saved.version == records.get(actor, entity.key, key).version > version

    history = audit.history(actor, entity.key, key)
    latest = [entry for entry in history if entry.operation == history[0].operation]
    assert {entry.action for entry in latest} == {AuditAction.UPDATE}
    shown = {change.field: (change.old, change.new) for e in latest for change in e.changes}
    for name, value in changes.items():
        field = entity.fields[name]
        if field.audited and not field.hidden:
            old, new = (field.display(v, actor.formats) for v in (before[name], value))
            assert shown[name] == (old, new)

    undo.undo(actor)
    assert row(world, entity, key) == before
    undo.redo(actor)
    assert row(world, entity, key) == after
    undo.undo(actor)
    assert row(world, entity, key) == before


@every_record
def test_creating_and_deleting_are_undone_and_done_again(world: World, entity: Entity) -> None:
    actor = world.admin
    factory = world.factory
    values = factory.values(entity.key)
    saved = records.save(actor, entity.key, None, None, values)
    before = row(world, entity, saved.id)
    undo.undo(actor)
    assert row(world, entity, saved.id)["deleted_at"] is not None
    undo.redo(actor)
    assert row(world, entity, saved.id) == before
    records.delete(actor, entity.key, [saved.id])
    undo.undo(actor)
    assert row(world, entity, saved.id) == before


@every_edited
def test_two_people_merge_or_are_told(world: World, entity: Entity) -> None:
    mine, theirs = world.admin, world.people["all"]
    if entity.reference or "mailbox" in {entity.key, *entity.parent}:
        theirs = mine
    if entity.key in {"saved_view", "import_batch"}:
        theirs = mine
    key = world.factory.make(entity.key)
    version = records.get(mine, entity.key, key).version
    known = visible_fields(theirs, entity)
    changes = [c for c in changes_of(world, entity, key).items() if c[0] in known]
    first, second = dict(changes[::2]), dict(changes[1::2])
    records.save(theirs, entity.key, key, version, first)
    if second:
        merged = records.save(mine, entity.key, key, version, second)
        assert set(first) <= merged.merged
        stands = records.get(mine, entity.key, key).values
        assert {n: stands[n] for n in (*first, *second)} == dict(changes)
    before = row(world, entity, key)
    wish = {name: other(entity.fields[name], value) for name, value in first.items()}
    with pytest.raises(Conflict) as caught:
        records.save(mine, entity.key, key, version, wish)
    assert set(caught.value.fields) == set(first)
    for name, clash in caught.value.fields.items():
        assert (clash.mine, clash.theirs) == (wish[name], first[name])
    assert row(world, entity, key) == before


@pytest.mark.parametrize("entity", FACTS, ids=lambda e: e.key)
def test_facts_are_written_by_the_program_alone(world: World, entity: Entity) -> None:
    for attempt in (
        lambda: records.save(world.admin, entity.key, None, None, {}),
        lambda: records.save(world.admin, entity.key, 1, 1, {}),
        lambda: records.delete(world.admin, entity.key, [1]),
        lambda: records.restore(world.admin, entity.key, [1]),
    ):
        with pytest.raises(UserError, match="written by the program"):
            attempt()


@pytest.mark.parametrize("entity", registry.all(), ids=lambda e: e.key)
def test_a_list_costs_one_statement_whatever_the_rows(world: World, entity: Entity) -> None:
    asked = RecordQuery(entity.key, entity.columns)
    for _ in range(2):
        if entity.is_record:
            world.factory.make(entity.key)
        for actor in (world.admin, world.people["team"]):
            if not actor.can(entity, "read"):
                continue
            with counted(world.db) as statements:
                page = query.first_page(actor, asked)
            assert len(statements) == 1
            with counted(world.db) as statements:
                query.rows(actor, asked, [found.id for found in page])
            assert len(statements) <= 1
            with counted(world.db) as statements:
                query.keys(actor, asked)
            assert len(statements) == 1


@every_record
def test_reading_a_record_costs_one_statement_and_one_for_each_kind_of_line(
    world: World, entity: Entity
) -> None:
    key = world.factory.make(entity.key)
    with counted(world.db) as statements:
        records.get(world.admin, entity.key, key)
    assert len(statements) == 1 + len(entity.lines)


@pytest.mark.parametrize("entity", [e for e in RECORDS if e.lines], ids=lambda e: e.key)
def test_lines_are_saved_changed_and_taken_back_with_their_parent(
    world: World, entity: Entity
) -> None:
    actor = world.admin
    factory = Factory(actor)
    values = factory.values(entity.key)
    for lines in entity.lines:
        child = registry.get(lines.entity)
        via = lines.via.removesuffix("_id")
        rows = [factory.values(child.key, **{via: None}) for _ in range(3)]
        values[lines.name] = [
            {k: v for k, v in line.items() if k not in {via, "position"}} for line in rows
        ]
    key = records.save(actor, entity.key, None, None, values).id
    before = records.get(actor, entity.key, key)
    for lines in entity.lines:
        assert len(before.lines[lines.name]) == 3
        for wanted, stands in zip(values[lines.name], before.lines[lines.name], strict=True):
            kept = {k: v for k, v in wanted.items() if k != "is_primary"}
            assert {n: stands[n] for n in kept} == kept

    same = records.save(actor, entity.key, key, before.version, dict(before.lines))
    assert not same.changes

    stood = row(world, entity, key)
    fewer = {name: list(rows[1:]) for name, rows in before.lines.items()}
    saved = records.save(actor, entity.key, key, before.version, fewer)
    assert saved.version > before.version, "two people at the lines would not notice"
    assert all(len(rows) == 2 for rows in records.get(actor, entity.key, key).lines.values())
    with pytest.raises(Conflict):
        records.save(
            actor,
            entity.key,
            key,
            before.version,
            {name: list(rows[:2]) for name, rows in before.lines.items()},
            {**before.values, **before.lines},
        )
    undo.undo(actor)
    assert row(world, entity, key) == stood
