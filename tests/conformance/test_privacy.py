"""What an owner keeps private is seen by nobody else, whatever way somebody asks for it."""

from __future__ import annotations

import zipfile
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from desktop_crm.core.errors import CrmError, NotFound, PermissionDenied, UserError
from desktop_crm.core.text import fold
from desktop_crm.meta import kinds, registry
from desktop_crm.meta.bound import Entity
from desktop_crm.models.marking import MarkKind
from desktop_crm.services import (
    attachments,
    audit,
    bin,
    board_fields,
    boards,
    connections,
    deeds,
    grouping,
    history,
    incoming_links,
    link_titles,
    marks,
    privacy,
    purge,
    query,
    records,
    tags,
    tally,
    timeline,
    titles,
    totals,
    undo,
)
from desktop_crm.services.bulk import edits
from desktop_crm.services.bulk.edits import FieldEdit, Mode
from desktop_crm.services.bulk.job import Targets
from desktop_crm.services.calendar import agenda
from desktop_crm.services.context import Actor
from desktop_crm.services.duplicates import candidates, comparison, merge, scan
from desktop_crm.services.excel import writing
from desktop_crm.services.filters import Group, Related, Rule, relations
from desktop_crm.services.grid import pasting
from desktop_crm.services.imports import existing
from desktop_crm.services.list_layout import summaries
from desktop_crm.services.permissions import visible_fields
from desktop_crm.services.query import Order, RecordQuery
from desktop_crm.services.records import Change
from desktop_crm.services.search import everything
from tests.factories import KNOWN_WORDS, Factory
from tests.support.world import World

PRIVATE = tuple(e for e in registry.all() if e.private is not None)
ENTITIES = pytest.mark.parametrize("entity", PRIVATE, ids=lambda e: e.key)
COLLEAGUES = pytest.mark.parametrize("who", ["admin", "all", "team"])
OF_PEOPLE = frozenset({"account", "contact", "lead", "opportunity"})
SECRET = "Zanzibar"
LINKED = "Quetzal"
"""In the titles of the records it is about: those may be seen, but not that it is about them."""


@dataclass(frozen=True)
class Kept:
    """A private record with everything that can hang on one.

    Attributes:
        id: The record; ``other`` is one made later whose texts sort before.
        about: Records it links to, by field.
        document: A file attached to it.
    """

    id: int
    other: int
    about: dict[str, int]
    document: int | None


def owner_of(world: World) -> Actor:
    return world.people["own"]


def masked(entity: Entity) -> list[str]:
    """Fields that are nobody else's business."""
    assert entity.private is not None
    stays = entity.private.stays
    return [n for n, f in entity.fields.items() if f.column is not None and n not in stays]


def made(world: World, entity: Entity) -> Kept:
    """Two private records of ``own``, every field filled, and what hangs on the first."""
    assert entity.private is not None
    actor, private = owner_of(world), entity.private
    about: dict[str, int] = {}
    for name in masked(entity):
        field = entity.fields[name]
        if field.kind is kinds.LINK and field.target in OF_PEOPLE:
            title = "last_name" if field.target in {"contact", "lead"} else "name"
            told = {title: f"{LINKED} {name}", "owner": actor.user_id}
            about[name] = world.factory.make(field.target, **told)
    found = []
    for start in ("zz", "aa"):
        values = Factory(actor).values(entity.key, owner=actor.user_id)
        values |= {private.field: private.code, **about}
        for name in masked(entity):
            field = entity.fields[name]
            plain = field.kind in {kinds.TEXT, kinds.MULTILINE} and (field.max_length or 99) > 50
            if plain and name in values and name not in KNOWN_WORDS:
                values[name] = f"{start} {SECRET} {name}"
            elif field.kind is kinds.TAGS:
                values[name] = f"|{SECRET}|"
            elif field.kind is kinds.JSON and name in values and not name.startswith("recur"):
                values[name] = {"columns": [SECRET]}
        for line in entity.lines:
            child = registry.get(line.entity)
            text = next(n for n in line.columns if child.fields[n].kind is kinds.TEXT)
            values[line.name] = ({text: f"{SECRET} line"},)
        found.append(records.save(actor, entity.key, None, None, values).id)
    contact = world.factory.make("contact", owner=actor.user_id)
    ends = {"from_type": entity.key, "from_id": found[0], "to_type": "contact", "to_id": contact}
    document = None
    if entity.key != "saved_view":  # on views nothing can hang
        records.save(actor, "connection", None, None, {**ends, "note": SECRET})
        content = SECRET.encode()
        added = attachments.add_bytes(actor, entity.key, found[0], f"{SECRET}.txt", content)
        (document,) = added.ids("document")
    records.save(actor, entity.key, found[0], None, {entity.title: f"zz {SECRET} again"})
    return Kept(found[0], found[1], about, document)


def unseen(value: object, *words: str) -> None:
    """Assert that no word stands anywhere in an answer."""
    text = repr(value)
    for word in (SECRET, fold(SECRET), *words):
        assert word not in text, text


def every_path(actor: Actor, entity: Entity) -> tuple[str, ...]:
    """Fields, and those one and two links further."""
    found = [n for n, f in entity.fields.items() if f.column is not None]
    for name in list(found):
        field = entity.fields[name]
        if field.kind is kinds.LINK and actor.can(field.target, "read"):
            target = registry.get(field.target)
            found += [f"{name}.id", f"{name}.{target.title}"]
    return tuple(found)


def test_whatever_links_to_a_private_record_is_left_out_with_it(world: World) -> None:
    """A new table with such a link must be declared a part of the record."""
    kinds_of = {entity.key for entity in PRIVATE}
    with registry.as_declared():
        for entity in registry.all():
            if any(field.target in kinds_of for field in entity.fields.values()):
                for actor in (world.admin, world.people["all"]):
                    clause = privacy.beyond(actor, entity, entity.table, "read")
                    assert entity.private is not None or clause is not None, entity.key


@COLLEAGUES
@ENTITIES
def test_lists_and_records_show_that_it_is_there_and_nothing_else(
    world: World, entity: Entity, who: str
) -> None:
    kept, actor = made(world, entity), world.people[who]
    asked = RecordQuery(entity.key, every_path(actor, entity))
    mine = query.rows(owner_of(world), asked, [kept.id])[0]
    assert SECRET in repr(mine)
    if kept.id not in query.keys(actor, RecordQuery(entity.key, ("id",))):
        with pytest.raises(NotFound):
            records.get(actor, entity.key, kept.id)
        return
    row = query.rows(actor, asked, [kept.id])[0]
    unseen(row, LINKED)
    values = dict(zip(asked.columns, row.values, strict=True))
    for name in masked(entity):
        assert values[name] == ("Private" if name == entity.title else None), name
    own = dict(zip(asked.columns, mine.values, strict=True))
    assert entity.private is not None
    for name in entity.private.stays:
        assert values[name] == own[name], name
    record = records.get(actor, entity.key, kept.id)
    unseen(record, LINKED)
    assert record.title == "Private"
    assert not record.can_edit
    assert all(not rows for rows in record.lines.values())
    assert records.get(owner_of(world), entity.key, kept.id).can_edit
    assert world.people["own"].user_id == record.values["owner"]


@COLLEAGUES
@ENTITIES
def test_no_filter_sort_group_or_total_tells_it(world: World, entity: Entity, who: str) -> None:
    kept, actor = made(world, entity), world.people[who]
    pair = Rule("id", "in", (kept.id, kept.other))
    present = set(query.keys(actor, RecordQuery(entity.key, ("id",), pair)))
    assert present in ({kept.id, kept.other}, set())
    for name in masked(entity):
        field = entity.fields[name]
        stored = records.get(owner_of(world), entity.key, kept.id).values.get(name)
        right = str(stored) if field.kind is not kinds.LINK else LINKED
        for operator in field.kind.operators:
            answers = []
            for value in (right, "1" if right.isdigit() else "x", SECRET):
                two: Any = (value, value) if operator == "between" else value
                two = (value,) if operator in {"in", "not in"} else two
                rule = Group("all", (pair, Rule(name, operator, two)))
                with suppress(CrmError):
                    answers.append(set(query.keys(actor, RecordQuery(entity.key, ("id",), rule))))
            assert all(answer in (set(), present) for answer in answers), (name, operator)
            assert answers.count(answers[0]) == len(answers) if answers else True, (name, operator)
        if field.kind is kinds.JSON:
            continue
        for down in (False, True):
            order = (Order(name, down),)
            for limit in (1000, 100_000):
                page = query.first_page(actor, RecordQuery(entity.key, (), None, order), limit)
                ours = [row.id for row in page if row.id in present]
                assert ours == sorted(ours, reverse=down), (name, down)
            keys = query.keys(actor, RecordQuery(entity.key, (), pair, order))
            assert list(keys) == sorted(present, reverse=down)
        if grouping.is_groupable(field):
            grouped = totals.groups(actor, RecordQuery(entity.key, (), pair, group=name), {})
            unseen(grouped, LINKED)
            assert len(grouped.groups) == min(len(present), 1), name
        for summary in summaries(field):
            told = totals.totals(actor, RecordQuery(entity.key, (), pair), {name: summary})
            assert not any(value for _currency, value in told.of.get(name, ())), (name, summary)
    for letter in ("z", "a"):
        begin = RecordQuery(entity.key, (), pair, starts=letter)
        assert not list(query.keys(actor, begin))
        assert not {s.id for s in query.suggest(actor, entity.key, f"{letter * 2} zan")} & present


@COLLEAGUES
@ENTITIES
def test_no_words_and_no_relation_find_it(world: World, entity: Entity, who: str) -> None:
    kept, actor = made(world, entity), world.people[who]
    for words in (SECRET, SECRET[:2], "z", fold(SECRET)[1:5]):
        found = query.first_page(actor, RecordQuery(entity.key, (entity.title,), search=words), -1)
        assert not {kept.id, kept.other} & {row.id for row in found}
        unseen(everything.find(actor, words).sections)
        unseen(query.suggest(actor, entity.key, words))
    unseen(everything.find_similar(actor, f"{SECRET}x").sections)
    assert everything.find(owner_of(world), SECRET, entities=[entity.key]).sections
    for name, key in kept.about.items():
        target = registry.get(entity.fields[name].target)
        itself = Rule("id", "=", key)
        for relation in relations.relations(target).values():
            if relation.entity == entity.key:
                for quantity in ("has", "count"):
                    node = Related(relation.name, quantity, None, ">", "0")
                    both = Group("all", (itself, node))
                    with suppress(PermissionDenied):
                        assert not query.keys(actor, RecordQuery(target.key, (), both)), relation
        forward = Related(name, "has", Rule(target.title, "contains", LINKED))
        mine = Group("all", (Rule("id", "=", kept.id), forward))
        assert not query.keys(actor, RecordQuery(entity.key, (), mine))
        with suppress(CrmError):
            by_link = RecordQuery(entity.key, (), Rule(name, "=", key))
            assert not query.keys(actor, by_link)
            counted = incoming_links.counts(actor, target.key, key)
            assert not any(n for link, n in counted.items() if link.entity == entity.key)
            unseen(timeline.timeline(actor, target.key, key))
            assert not timeline.timeline(actor, target.key, key)


@COLLEAGUES
@ENTITIES
def test_what_hangs_on_it_is_not_there(world: World, entity: Entity, who: str) -> None:
    kept, actor = made(world, entity), world.people[who]
    for other in registry.all():
        columns = tuple(n for n, f in visible_fields(actor, other).items() if f.column is not None)
        for deleted in (False, True) if other.is_record else (False,):
            with suppress(PermissionDenied):
                asked = RecordQuery(other.key, columns, deleted=deleted)
                unseen(query.objects(actor, asked, None))
    (entry, *_) = [line.entry for line in history.lines(owner_of(world), entity.key, kept.id)]
    with suppress(NotFound):
        assert not audit.history(actor, entity.key, kept.id)
        assert not history.lines(actor, entity.key, kept.id)
    for ask in (
        lambda: history.restore_value(actor, entity.key, kept.id, entry, entity.title, 1),
        lambda: comparison.compare_records(actor, entity.key, [kept.id, kept.other]),
        lambda: attachments.content(actor, kept.document or 0),
        lambda: records.get(actor, "document", kept.document or 0),
    ):
        with pytest.raises(CrmError) as refused:
            ask()
        unseen(str(refused.value))
    assert not attachments.files(actor, entity.key, kept.id)
    assert not connections.of_record(actor, entity.key, kept.id)
    unseen(tags.counts(actor))
    marks.put(actor, MarkKind.FOLLOW, entity.key, [kept.id], on=True)
    records.save(owner_of(world), entity.key, kept.id, None, {entity.title: f"{SECRET} news"})
    unseen(marks.news(actor))
    unseen(marks.marked(actor, MarkKind.FOLLOW))
    assert SECRET in repr(history.lines(owner_of(world), entity.key, kept.id))


@COLLEAGUES
@ENTITIES
def test_no_other_use_of_lists_tells_it(
    world: World, entity: Entity, who: str, tmp_path: Path
) -> None:
    kept, actor = made(world, entity), world.people[who]
    pair = Rule("id", "in", (kept.id, kept.other))
    wanted = RecordQuery(entity.key, entity.columns, pair)
    path = tmp_path / "out.xlsx"
    writing.export(actor, wanted, path)
    with zipfile.ZipFile(path) as book:
        for name in book.namelist():
            assert SECRET.encode() not in book.read(name)
        # Beside it lie the lists to choose accounts and the like from.
        assert LINKED.encode() not in book.read("xl/worksheets/sheet1.xml")
    with suppress(CrmError):
        plan = pasting.plan(actor, entity.key, [kept.id], [entity.title], (("x",),))
        unseen(plan)
    for field in board_fields.fields(actor, entity):
        with suppress(UserError):  # other tests may have made more values than a board shows
            unseen(boards.board(actor, wanted, field.name), LINKED)
    choices = [n for n, f in entity.fields.items() if f.kind is kinds.CHOICE and not f.hidden]
    links = [*kept.about]
    unseen(tally.tally(actor, entity.key, [*choices[:2], *links[:1]]), LINKED)
    with actor.db.reading() as connection:
        unseen(titles.titles(actor, connection, {entity.key: {kept.id}}))
        assert not existing.load(connection, actor, entity, [kept.id], [entity.title])
        unseen(existing.titles(connection, actor, entity))
    unseen(link_titles.link_titles(actor, entity.key, Rule("id", "=", kept.id)))
    values = dict(records.get(owner_of(world), entity.key, kept.id).values)
    assert not [c for c in candidates.candidates(actor, entity.key, values) if c.id == kept.id]
    if entity in scan.scannable():
        found, _count = scan.find(actor, entity.key)
        assert not {kept.id, kept.other} & {k for p in found for k in (p.first, p.second)}
    if entity.key == "activity":
        day = values["start_at"] - timedelta(hours=1)
        events = agenda.events(actor, day, day + timedelta(days=2), everybody=True)
        unseen(events, LINKED)
        (mine,) = [event for event in events if event.id == kept.id]
        assert (mine.start, mine.title, mine.private) == (values["start_at"], "Busy", True)


@COLLEAGUES
@ENTITIES
def test_nobody_makes_it_his_own(world: World, entity: Entity, who: str) -> None:
    kept, actor, owner = made(world, entity), world.people[who], owner_of(world)
    assert entity.private is not None
    before = records.get(owner, entity.key, kept.id).values
    codes = [code for code, _ in entity.fields[entity.private.field].choices]
    open_code = next(code for code in codes if code != entity.private.code)
    tries: list[dict[str, Any]] = [
        {entity.private.field: open_code},
        {"owner": actor.user_id},
        {entity.title: "Mine"},
    ]
    for values in tries:
        with pytest.raises(CrmError) as refused:
            records.save(actor, entity.key, kept.id, None, values)
        unseen(str(refused.value))
        with suppress(CrmError):
            records.save_many(actor, entity.key, [Change(kept.id, 1, values, {})])
        name, value = next(iter(values.items()))
        with suppress(CrmError):
            targets = Targets(entity.key, (kept.id,))
            unseen(edits.edit(actor, targets, [FieldEdit(name, Mode.SET, str(value))]))
    operations = [d.step.operation for d in deeds.deeds(owner)]
    for operation in operations[:4]:
        with pytest.raises(CrmError) as refused:
            undo.undo(actor, operation)
        unseen(str(refused.value))
    mine = world.factory.make(entity.key, owner=actor.user_id)
    for wish in (merge.MergeWish(entity.key, mine, (kept.id,)),):
        with pytest.raises(CrmError) as refused:
            merge.merge(actor, wish)
        unseen(str(refused.value))
    assert records.get(owner, entity.key, kept.id).values == before


@ENTITIES
def test_an_administrator_removes_it_unread(world: World, entity: Entity) -> None:
    kept, admin, mate = made(world, entity), world.admin, world.people["all"]
    with pytest.raises(CrmError):
        records.delete(mate, entity.key, [kept.id])
    records.delete(admin, entity.key, [kept.id])
    shown = [d for d in bin.deleted(admin, [entity.key]) if d.id == kept.id]
    assert [d.title for d in shown] == ["Private"]
    assert kept.id not in {d.id for d in bin.deleted(admin, [entity.key], SECRET)}
    assert kept.id not in {d.id for d in bin.deleted(mate, [entity.key])}
    unseen(deeds.deeds(admin))
    bin.restore(admin, [(entity.key, kept.id)])
    assert SECRET in records.get(owner_of(world), entity.key, kept.id).title
    records.delete(admin, entity.key, [kept.id])
    unseen(purge.purge(admin, [(entity.key, kept.id)]))
    unseen(query.objects(admin, RecordQuery("audit_entry", ("entity", "changes")), None))
