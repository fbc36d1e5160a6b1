"""Who got a message as a blind copy is seen by its sender alone, whatever way somebody asks."""

from __future__ import annotations

import zipfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from desktop_crm import cli
from desktop_crm.core.errors import CrmError, NotFound, PermissionDenied
from desktop_crm.meta import registry
from desktop_crm.models import ActivityParty
from desktop_crm.models.activity import FOR_ITS_WRITER
from desktop_crm.models.marking import MarkKind
from desktop_crm.services import (
    audit,
    context,
    deeds,
    history,
    incoming_links,
    marks,
    privacy,
    query,
    records,
    timeline,
    undo,
)
from desktop_crm.services.context import Actor
from desktop_crm.services.excel import exportable, writing
from desktop_crm.services.filters import Group, Related, Rule, relations
from desktop_crm.services.permissions import visible_fields
from desktop_crm.services.query import RecordQuery
from desktop_crm.services.search import everything
from tests.support.world import World

COLLEAGUES = pytest.mark.parametrize("who", ["admin", "all", "team"])
SECRET = "zanzibar"
BLIND = f"{SECRET}@blind.example"
OPEN = "ion@open.example"


@dataclass(frozen=True)
class Mail:
    """A message of ``own`` that everybody may read, and whom it went to blind."""

    id: int
    blind: int
    contact: int
    operation: str


def made(world: World) -> Mail:
    actor = world.people["own"]
    contact = world.factory.make("contact", last_name="Quiet", owner=actor.user_id)
    parties: list[dict[str, Any]] = [
        {"participation": "to", "address": OPEN, "name": "Ion"},
        {"participation": "bcc", "address": BLIND, "name": SECRET, "contact": contact},
    ]
    values = {"subject": "Offer", "kind": "email", "parties": parties}
    saved = records.save(actor, "activity", None, None, values)
    (blind,) = [row["id"] for row in lines(actor, saved.id) if row["address"] == BLIND]
    return Mail(saved.id, blind, contact, saved.changes.operation)


def lines(actor: Actor, key: int) -> list[dict[str, Any]]:
    return [dict(row) for row in records.get(actor, "activity", key).lines["parties"]]


def stored(world: World, mail: Mail) -> dict[str, Any]:
    """The row of the blind copy as it stands in the table."""
    columns = ActivityParty.__table__.c
    wanted = (columns.id, columns.activity_id, columns.address, columns.version, columns.deleted_at)
    with world.db.reading() as connection:
        rows = connection.execute(select(*wanted).where(columns.id == mail.blind))
        return dict(rows.mappings().one())


def unseen(value: object) -> None:
    assert SECRET not in repr(value), repr(value)


def _words(book: Path) -> str:
    """Everything that stands in a workbook."""
    with zipfile.ZipFile(book) as parts:
        return "".join(parts.read(name).decode("utf-8", "replace") for name in parts.namelist())


def found(actor: Actor, *rules: Any) -> set[int]:
    return set(query.keys(actor, RecordQuery("activity", ("id",), Group("all", rules))))


def test_every_such_row_is_declared_truly() -> None:
    for key, (name, code) in FOR_ITS_WRITER.items():
        entity = registry.get(key)
        assert code in [one for one, _label in entity.fields[name].choices]
        assert entity.parent
        assert "created_by" in entity.fields


@COLLEAGUES
def test_no_form_list_or_filter_tells_it(world: World, who: str) -> None:
    mail, actor, own = made(world), world.people[who], world.people["own"]
    assert BLIND in repr(lines(own, mail.id))
    assert [row["address"] for row in lines(actor, mail.id)] == [OPEN]
    with pytest.raises(NotFound):
        records.get(actor, "activity_party", mail.blind)
    party = registry.get("activity_party")
    columns = tuple(n for n, f in party.fields.items() if f.column is not None)
    unseen(query.objects(actor, RecordQuery("activity_party", columns), None))
    assert SECRET in repr(query.objects(own, RecordQuery("activity_party", columns), None))
    itself = Rule("id", "=", mail.id)
    for relation in relations.relations(registry.get("activity")).values():
        if relation.entity != "activity_party":
            continue
        asks = {
            "address": Rule("address", "=", BLIND),
            "part": Rule("participation", "=", "bcc"),
            "name": Rule("name", "contains", SECRET),
            "contact": Rule("contact", "=", mail.contact),
            "behind": Rule("contact.last_name", "=", "Quiet"),
        }
        for name, ask in asks.items():
            assert found(own, itself, Related(relation.name, "has", ask)) == {mail.id}, name
            assert not found(actor, itself, Related(relation.name, "has", ask)), name
        two = Related(relation.name, "count", None, ">", "1")
        assert (found(own, itself, two), found(actor, itself, two)) == ({mail.id}, set())
    contact = registry.get("contact")
    for relation in relations.relations(contact).values():
        if relation.entity == "activity_party":
            both = Group("all", (Rule("id", "=", mail.contact), Related(relation.name, "has")))
            if "x_" not in relation.name:  # a field of one's own that another test made
                assert query.keys(own, RecordQuery("contact", (), both)), relation
            assert not query.keys(actor, RecordQuery("contact", (), both)), relation


@COLLEAGUES
def test_no_word_place_or_timeline_tells_it(world: World, who: str) -> None:
    mail, actor = made(world), world.people[who]
    for words in (SECRET, BLIND, SECRET[:5]):
        assert not found_by(actor, words) & {mail.id}
        unseen(everything.find(actor, words).sections)
        unseen(query.suggest(actor, "activity", words))
    unseen(everything.find_similar(actor, f"{SECRET}x").sections)
    assert mail.id in found_by(actor, OPEN)
    assert not timeline.timeline(actor, "contact", mail.contact)
    counted = incoming_links.counts(actor, "contact", mail.contact)
    assert not any(number for link, number in counted.items() if "activity" in link.entity)


def found_by(actor: Actor, words: str) -> set[int]:
    page = query.first_page(actor, RecordQuery("activity", ("subject",), search=words), -1)
    return {row.id for row in page}


@COLLEAGUES
def test_no_history_undo_or_export_tells_it(world: World, who: str, tmp_path: Path) -> None:
    mail, actor, own = made(world), world.people[who], world.people["own"]
    marks.put(actor, MarkKind.FOLLOW, "activity", [mail.id], on=True)
    changed = [row | {"name": f"{SECRET} again"} for row in lines(own, mail.id)[1:]]
    kept = lines(own, mail.id)[:1]
    saved = records.save(own, "activity", mail.id, None, {"parties": [*kept, *changed]})
    unseen(audit.history(actor, "activity", mail.id))
    unseen(history.lines(actor, "activity", mail.id))
    unseen(marks.news(actor))
    unseen(deeds.deeds(actor))
    with pytest.raises(NotFound):
        audit.history(actor, "activity_party", mail.blind)
    assert SECRET in repr(audit.history(own, "activity_party", mail.blind))
    for other in registry.all():
        columns = tuple(n for n, f in visible_fields(actor, other).items() if f.column is not None)
        with suppress(PermissionDenied):
            unseen(query.objects(actor, RecordQuery(other.key, columns), None))
    for operation in (saved.changes.operation, mail.operation):
        with pytest.raises(CrmError) as refused:
            undo.undo(actor, operation)
        unseen(str(refused.value))
    for key in ("activity", "activity_party"):
        for reader in (actor, own):
            path = tmp_path / f"{key} {reader.login}.xlsx"
            writing.export(reader, RecordQuery(key, exportable(reader, key)), path)
            its_own = reader is own and key == "activity_party"
            assert (SECRET in _words(path)) is its_own, (key, reader.login)
    undo.undo(own, saved.changes.operation)
    assert stored(world, mail)["address"] == BLIND


def test_the_command_line_does_not_tell_it(
    world: World,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    made(world)

    def told(*words: str) -> str:
        assert cli.main([*words, "--db", world.db.target.url.render_as_string()]) in (0, 1)
        said = capsys.readouterr()
        return said.out + said.err

    columns = "id,activity,participation,name,address,contact"
    for who, sees in (("all", False), ("own", True)):
        monkeypatch.setattr(context, "own_login", lambda _db, who=who: who)
        assert (SECRET in told("query", "activity_party", "--columns", columns)) is sees
        assert SECRET not in told("search", SECRET[:6], "--json").replace(f'"{SECRET[:6]}"', "")
        book = tmp_path / f"{who}.xlsx"
        told("export", "activity_party", str(book))
        assert (SECRET in _words(book)) is sees


@COLLEAGUES
def test_what_a_colleague_changes_leaves_it_as_it_is(world: World, who: str) -> None:
    mail, actor, own = made(world), world.people[who], world.people["own"]
    before = stored(world, mail)
    seen = lines(actor, mail.id)
    more = {"participation": "cc", "address": "lia@open.example"}
    records.save(actor, "activity", mail.id, None, {"parties": [*seen, more], "subject": "Offers"})
    assert stored(world, mail) == before
    addresses = {row["address"] for row in lines(own, mail.id)}
    assert addresses == {OPEN, BLIND, "lia@open.example"}
    # Of two at the same record nobody is asked about what he cannot see.
    version = records.get(actor, "activity", mail.id).version
    now = lines(actor, mail.id)
    records.save(own, "activity", mail.id, version, {"subject": "Our offers"})
    records.save(actor, "activity", mail.id, version, {"parties": now[:1]})
    assert stored(world, mail) == before
    forged = {"id": mail.blind, "participation": "to", "address": "evil@x.example"}
    records.save(actor, "activity", mail.id, None, {"parties": [forged]})
    assert stored(world, mail) == before
    assert [row["address"] for row in lines(own, mail.id)] == [BLIND]
    for values in ({"participation": "to"}, {"name": "x"}):
        with pytest.raises(CrmError) as refused:
            records.save(actor, "activity_party", mail.blind, None, values)
        unseen(str(refused.value))
    with pytest.raises(CrmError):
        records.delete(actor, "activity_party", [mail.blind])
    records.save(actor, "activity", mail.id, None, {"owner": actor.user_id})
    unseen(lines(actor, mail.id))
    assert mail.id not in found_by(actor, SECRET)
    assert stored(world, mail) == before


def test_deleted_records_keep_it_for_its_sender(world: World) -> None:
    mail, own, actor = made(world), world.people["own"], world.people["all"]
    records.delete(actor, "activity", [mail.id])
    records.restore(actor, "activity", [mail.id])
    assert BLIND in repr(lines(own, mail.id))
    unseen(lines(actor, mail.id))


def test_its_sender_changes_and_removes_it(world: World) -> None:
    mail, own = made(world), world.people["own"]
    rows = lines(own, mail.id)
    records.save(own, "activity", mail.id, None, {"parties": rows[:1]})
    assert stored(world, mail)["deleted_at"] is not None
    assert privacy.is_untold("activity_party", {"participation": "bcc"})
