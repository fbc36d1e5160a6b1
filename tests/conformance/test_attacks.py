"""What a person with bad intentions, or a file somebody edited, must not get done."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import threading
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, select

from desktop_crm.core.errors import CrmError, PermissionDenied, UserError, ValidationFailed
from desktop_crm.meta import registry
from desktop_crm.models import AuditEntry, DocumentContent, Link, SavedView
from desktop_crm.models.activity import LinkRule
from desktop_crm.models.marking import MarkKind
from desktop_crm.models.office import AuditAction
from desktop_crm.services import (
    attachments,
    filters,
    form_drafts,
    list_layout,
    list_view,
    marks,
    purge,
    query,
    records,
    records_kept,
    saved_views,
    tags,
    undo,
    view_files,
)
from desktop_crm.services.customizing import fields
from desktop_crm.services.filters import Group, Node, Related, Rule
from desktop_crm.services.grid import pasting
from desktop_crm.services.list_layout import ListLayout
from desktop_crm.services.query import RecordQuery
from desktop_crm.services.rules import circles
from desktop_crm.services.search import everything
from tests.support.world import World

HUGE: tuple[Any, ...] = (
    {"widths": {"name": float("inf")}},
    {"widths": {"name": 10**400}},
    {"frozen": -7},
    {"columns": [1, None, {}]},
    {"columns": ["name"] * 5000},
    {"columns": [f"{'parent.' * 80}name"]},
    {
        "filter": {
            "mode": "all",
            "members": [{"field": "city", "operator": "=", "value": "x"}] * 2500,
        }
    },
    {"formats": [{"filter": {"field": "city", "operator": "=", "value": "x"}}] * 500},
    {"order": [[]]},
)
"""Definitions of views that nobody made by hand in a window."""


def nested(levels: int, quantity: str) -> Node:
    """A filter with related records within each other, each level in a group."""
    node: Node = Rule("city", "not contains", "x")
    for level in range(levels, 0, -1):
        relation = "contact" if level % 2 else "account"
        shape = ("count", node, ">", "0") if quantity == "count" and level % 2 else ("has", node)
        node = Group("not", (Related(relation, *shape), Rule("id", ">", "0")))
    return node


def test_no_filter_is_too_large_for_the_database(world: World) -> None:
    """SQLite's parser and server alike answer what is allowed; the rest is refused in words."""
    actor = world.people["own"]
    key = records.save(actor, "account", None, None, {"name": "Among", "city": "v7"}).id
    others = tuple(f"v{n}" for n in range(1500))
    flat: Node = Rule("city", "not contains", "x")
    for _ in range(filters.tree.DEEPEST):
        flat = Group("not", (flat, Rule("id", ">", "0")))
    allowed: tuple[Node, ...] = (
        Rule("city", "in", others),
        Rule("id", "in", (key, *range(10**6, 10**6 + 40_000), 2**40)),
        Group("any", tuple(Rule("city", "=", city) for city in others)),
        Group("not", tuple(Rule("name", "=", city) for city in others)),
    )
    for node in allowed:
        assert key in query.keys(actor, RecordQuery("account", ("id",), node))
    for node in (flat, nested(3, "has"), nested(3, "count")):
        query.keys(actor, RecordQuery("account", ("id",), node))
        query.first_page(actor, RecordQuery("account", ("id",), node))
    refused = (nested(6, "has"), Rule("city", "in", ("x",) * (filters.tree.MOST + 1)))
    for node in refused:
        with pytest.raises(UserError):
            query.keys(actor, RecordQuery("account", ("id",), node))
    for columns in ((f"{'parent.' * 80}name",), ("name",) * 3000):
        with pytest.raises(UserError):
            query.first_page(actor, RecordQuery("account", columns))


@pytest.mark.parametrize("definition", HUGE, ids=range(len(HUGE)))
def test_a_view_made_by_hand_hurts_nobody(
    world: World, tmp_path: Path, definition: dict[str, Any]
) -> None:
    actor = world.people["own"]
    values = {"name": "Bad", "entity": "account", "scope": "public", "definition": definition}
    try:
        records.save(actor, "saved_view", None, None, values)
    except ValidationFailed:
        assert "inf" in str(definition)
    for view in saved_views.load(world.people["stranger"], "account"):
        layout = view.layout
        assert 0 <= layout.frozen <= len(layout.columns) or not layout.columns
        assert len(layout.columns) <= 1000
        assert all(0 <= width <= 5000 for width in layout.widths.values())
        query.first_page(actor, saved_views.narrowed(RecordQuery("account", ("name",)), view))
    file = tmp_path / "view.json"
    data = {"format": view_files.FORMAT, "version": 1, "entity": "account", "name": "Bad"}
    file.write_text(json.dumps(data | {"layout": definition}))
    with contextlib.suppress(UserError):
        view_files.take_in(actor, file)
    with world.db.writing() as connection:
        connection.execute(delete(SavedView))


def test_a_view_by_month_opens_by_month(world: World) -> None:
    layout = ListLayout(group="close_on@month")
    found, missing = list_view.usable(world.admin, registry.get("opportunity"), layout)
    assert (found.group, missing) == ("close_on@month", ())
    assert list_layout.from_json(list_layout.to_json(found)) == layout


def test_nobody_reads_bytes_by_naming_their_fingerprint(world: World) -> None:
    actor, other = world.people["own"], world.people["stranger"]
    theirs = world.factory.make("account", owner=other.user_id)
    mine = world.factory.make("account", owner=actor.user_id)
    content = f"secret on {world.db.dialect}".encode()
    attachments.add_bytes(other, "account", theirs, "secret.txt", content)
    digest = hashlib.sha256(content).hexdigest()
    named = {"name": "Mine", "record_type": "account", "record_id": mine, "sha256": digest}
    with pytest.raises(ValidationFailed):
        records.save(actor, "document", None, None, named)
    attachments.add_bytes(actor, "account", mine, "own.txt", b"own")
    (own,) = attachments.files(actor, "account", mine)
    with pytest.raises(ValidationFailed):
        records.save(actor, "document", own.id, own.version, {"sha256": digest})
    assert attachments.content(actor, own.id).content == b"own"
    # Who has the file itself may attach it, and it lies there once.
    attachments.add_bytes(actor, "account", mine, "same.txt", content)
    assert attachments.content(actor, attachments.files(actor, "account", mine)[0].id).content == (
        content
    )


def test_a_file_keeps_the_bytes_that_were_deleted_for_good_meanwhile(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between looking for bytes and naming them somebody empties the bin, or the file changes."""
    actor = world.admin
    key = world.factory.make("account")
    path = tmp_path / "shared.txt"
    path.write_bytes(f"shared on {world.db.dialect}".encode())
    attachments.add_files(actor, "account", key, [path])
    (first,) = attachments.files(actor, "account", key)
    looked_for = attachments._is_known

    def emptied(*args: Any) -> bool:
        found = looked_for(*args)
        if found:
            attachments.delete(actor, [first.id])
            purge.purge(actor, [("document", first.id)])
        return found

    monkeypatch.setattr(attachments, "_is_known", emptied)
    attachments.add_files(actor, "account", key, [path])
    (again,) = attachments.files(actor, "account", key)
    assert attachments.content(actor, again.id).content == path.read_bytes()

    def written(*args: Any) -> bool:
        path.write_bytes(b"grown since it was hashed")
        return looked_for(*args)

    path.write_bytes(f"hashed on {world.db.dialect}".encode())
    monkeypatch.setattr(attachments, "_is_known", written)
    attachments.add_files(actor, "account", key, [path])
    with world.db.reading() as connection:
        stored = connection.execute(select(DocumentContent.sha256, DocumentContent.content)).all()
    assert all(digest == hashlib.sha256(content).hexdigest() for digest, content in stored)


def test_a_pipe_is_no_file(world: World, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    key = world.factory.make("account")
    with pytest.raises(UserError, match="no file"):
        attachments.add_files(world.admin, "account", key, [pipe])


def test_drafts_on_disk_hold_no_confidential_value_of_lines() -> None:
    typed = {"name": "Offer", "lines": [{"id": 3, "cost": "9.99", "quantity": 2}]}
    kept = form_drafts.storable(registry.get("quote"), typed)
    assert kept == {"name": "Offer", "lines": [{"id": 3, "quantity": 2}]}


def test_a_key_given_again_has_nothing_of_the_record_before(world: World) -> None:
    actor = world.admin
    old = records.save(actor, "unit", None, None, {"name": f"Gone {world.db.dialect}"}).id
    records.save(actor, "unit", old, None, {"name": "Gone twice"})
    records.delete(actor, "unit", [old])
    purge.purge(actor, [("unit", old)])
    with world.db.reading() as connection:
        entry = connection.execute(
            select(AuditEntry.operation).where(
                AuditEntry.action == AuditAction.PURGE, AuditEntry.record_id == old
            )
        ).scalars()
        gone = list(entry)[-1]
    values = world.factory.values("unit") | {"uid": None}
    new = records.save(actor, "unit", None, None, values).id
    if world.db.dialect == "sqlite":
        assert new == old
    records.save(actor, "unit", new, 1, {"code": f"q{new}"})
    records.save(actor, "unit", new, 1, {"name": f"Own {world.db.dialect}"})
    with pytest.raises(UserError):
        undo.undo(actor, gone)


def test_renaming_a_tag_keeps_what_somebody_adds_meanwhile(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = world.factory.make("account", tags="|Early|")
    places = tags._places

    def added(*args: Any) -> Any:
        found = places(*args)
        records.save(world.people["all"], "account", key, None, {"tags": "|Early|Late|"})
        return found

    monkeypatch.setattr(tags, "_places", added)
    tags.rename(world.admin, "Early", "Soon")
    assert records.get(world.admin, "account", key).values["tags"] == "|Soon|Late|"


@pytest.mark.parametrize(
    "typed",
    ["\ud800ab", "\0", '"', "' OR 1=1", "NEAR(a b)", "abc*", "a:b -c ^d", "((AND", "!&|:*", "<->",
     "x:*&y", "ª²³ ½", "İİİ", "ท่าน", "٣٤٥٦٧", "x" * 10_000, "a " * 5_000],
    ids=ascii,
)  # fmt: skip
def test_any_text_can_be_searched(world: World, typed: str) -> None:
    actor = world.people["own"]
    everything.find(actor, typed)
    everything.find_similar(actor, typed)
    query.keys(actor, RecordQuery("account", ("name",), search=typed))
    query.suggest(actor, "account", typed)


@pytest.mark.parametrize("entity", ["account", "case"])
def test_two_people_cannot_close_a_circle(
    world: World, monkeypatch: pytest.MonkeyPatch, entity: str
) -> None:
    """Over a third record, which neither of them touches, and at the same moment."""
    top, low, other = (world.factory.make(entity) for _ in range(3))
    records.save(world.admin, entity, low, None, {"parent": top})
    start, looked = threading.Barrier(2), threading.Barrier(2)
    parents = circles._parents

    def after_both(*args: Any) -> Any:
        found = parents(*args)
        with contextlib.suppress(threading.BrokenBarrierError):
            looked.wait(0.5)
        return found

    def put(child: int, parent: int) -> None:
        start.wait()
        with contextlib.suppress(CrmError):
            records.save(world.admin, entity, child, None, {"parent": parent})

    monkeypatch.setattr(circles, "_parents", after_both)
    both = [threading.Thread(target=put, args=pair) for pair in ((top, other), (other, low))]
    for one in both:
        one.start()
    for one in both:
        one.join()
    ends = [records.get(world.admin, entity, key).values["parent"] for key in (top, other)]
    assert ends.count(None) == 1


def test_nobody_undoes_what_others_wrote_into_fields_out_of_his_sight(world: World) -> None:
    actor = world.people["own"]
    key = world.factory.make("account", owner=actor.user_id, credit_limit=Decimal(5))
    secret = records.save(world.admin, "account", key, None, {"credit_limit": Decimal(1234)})
    with pytest.raises(PermissionDenied):
        undo.undo(actor, secret.changes.operation)
    assert records.get(world.admin, "account", key).values["credit_limit"] == Decimal(1234)


def test_an_administrator_does_not_see_what_others_looked_at(world: World) -> None:
    key = world.factory.make("account")
    marks.put(world.people["all"], MarkKind.VIEWED, "account", [key], on=True)
    asked = RecordQuery("record_mark", ("user.id",))
    users = {row.values[0] for row in query.first_page(world.admin, asked)}
    assert users <= {world.admin.user_id}
    seen = query.first_page(world.people["all"], asked)
    assert {row.values[0] for row in seen} == {world.people["all"].user_id}


def test_half_a_character_can_be_pasted_into_a_link(world: World) -> None:
    key = world.factory.make("account")
    planned = pasting.plan(world.admin, "account", [key], ["parent"], (("\ud800",),))
    assert planned.bad


def test_a_choice_whose_values_are_refused_is_not_added(world: World) -> None:
    before = set(registry.get("account").fields)
    with pytest.raises(ValidationFailed):
        fields.add(world.admin, "account", "choice", "Half made", values=("Good", "x" * 500))
    assert set(registry.get("account").fields) == before
    assert "Half made" not in {own.label for own in fields.of_entity(world.admin, "account")}


def test_a_link_names_no_record_out_of_sight(world: World) -> None:
    """What an activity is filed to is told in words, the name of the record among them."""
    actor, other = world.people["own"], world.people["stranger"]
    key = records.save(actor, "activity", None, None, {"kind": "task", "subject": "Mine"}).id
    hidden = records.save(other, "case", None, None, {"title": "Zebra"}).id
    shown = records.save(actor, "case", None, None, {"title": "Plain"}).id
    with world.db.writing() as connection:
        for record in (hidden, shown):
            row = {"activity_id": key, "record_type": "case", "record_id": record}
            row |= {"rule": LinkRule.CASE.value, "evidence": "named", "state": "linked"}
            row |= {"confidence": Decimal(80), "is_regarding": False}
            row |= {"title_key": "", "search_text": ""}
            records_kept.insert_rows(connection, Link, [row], by=None)
    asked = RecordQuery("link", ("record_id", "evidence"))
    assert [row.values for row in query.first_page(actor, asked, 10)] == [(shown, "named")]
    found = [row.values[0] for row in query.first_page(world.admin, asked, 10_000)]
    assert {hidden, shown} <= set(found)
