"""Files hang on records of every kind, once by their bytes, and are seen with the record alone."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from desktop_crm.core.errors import CrmError, NotFound, PermissionDenied, UserError
from desktop_crm.meta import registry
from desktop_crm.meta.bound import Entity
from desktop_crm.models import Document, DocumentContent
from desktop_crm.services import attachments, query, records, undo
from desktop_crm.services.permissions import row_clause
from desktop_crm.services.query import RecordQuery
from tests.conformance.test_rights import OWNERS, make_for, reached
from tests.support.world import LEVELS, World

PERSONAL = frozenset({"mailbox", "saved_view", "import_batch", "document", "connection"})
HOLDERS = tuple(e for e in registry.all() if e.is_record and not e.parent and e.key not in PERSONAL)
every_holder = pytest.mark.parametrize("entity", HOLDERS, ids=lambda e: e.key)


def stored(world: World, content: bytes) -> int:
    """How often some bytes lie in the database."""
    digest = hashlib.sha256(content).hexdigest()
    table = DocumentContent.__table__
    with world.db.reading() as connection:
        return connection.execute(
            select(func.count()).select_from(table).where(table.c.sha256 == digest)
        ).scalar_one()


@every_holder
def test_a_file_is_attached_renamed_deleted_and_taken_back(
    world: World, entity: Entity, tmp_path: Path
) -> None:
    actor = world.admin
    key = world.factory.make(entity.key)
    content = f"Contract of {entity.key} on {world.db.dialect}".encode()
    first, second = tmp_path / "Contract ș.txt", tmp_path / "Copy.txt"
    for path in (first, second):
        path.write_bytes(content)
    steps: list[tuple[int, int]] = []
    attachments.add_files(actor, entity.key, key, [first, second], lambda *step: steps.append(step))
    assert steps == [(1, 2), (2, 2)]
    assert stored(world, content) == 1
    copy, original = attachments.files(actor, entity.key, key)
    assert (original.name, original.size_bytes) == ("Contract ș.txt", len(content))
    assert (original.media_type, original.by) == ("text/plain", actor.name)
    assert original.is_stored
    assert original.can_edit
    assert attachments.content(actor, original.id).content == content
    found = RecordQuery("document", ("id",), search="contract s")
    assert original.id in query.keys(actor, found)

    attachments.rename(actor, copy.id, copy.version, "Signed")
    assert attachments.files(actor, entity.key, key)[0].name == "Signed.txt"
    attachments.delete(actor, [copy.id])
    assert [f.id for f in attachments.files(actor, entity.key, key)] == [original.id]
    with pytest.raises(NotFound):
        attachments.content(actor, copy.id)
    for _ in range(2):
        undo.undo(actor)
    assert [f.name for f in attachments.files(actor, entity.key, key)] == [
        "Copy.txt", "Contract ș.txt",
    ]  # fmt: skip
    undo.undo(actor)
    assert attachments.files(actor, entity.key, key) == [], "both came in one step"


@every_holder
def test_rights_of_a_file_are_those_of_its_record(world: World, entity: Entity) -> None:
    """Asked for in SQL: neither row nor bytes reach who may not see the record."""
    document = registry.get("document")
    table: Any = Document.__table__
    files: dict[str, int] = {}
    for owner in OWNERS:
        key = make_for(world, entity, owner)
        attachments.add_bytes(world.admin, entity.key, key, f"{owner}.txt", owner.encode())
        files[owner] = attachments.files(world.admin, entity.key, key)[0].id
    for level in LEVELS:
        actor = world.people[level]
        if not actor.can("document", "read"):
            continue
        rights = row_clause(actor, document, table, "read")
        statement = select(table.c.id).where(table.c.id.in_(files.values()))
        with world.db.reading() as connection:
            rows = connection.execute(
                statement if rights is None else statement.where(rights)
            ).scalars()
            seen = set(rows)
        wanted = {files[owner] for owner in reached(entity, level, "read")}
        assert seen == wanted, level
        for owner, file in files.items():
            if file in wanted:
                assert attachments.content(actor, file).content == owner.encode()
            else:
                with pytest.raises(NotFound):
                    attachments.content(actor, file)
        editable = {files[owner] for owner in reached(entity, level, "edit")}
        for file in files.values():
            if file in editable:
                assert records.save(actor, "document", file, None, {"name": f"By {level}"}).id
            else:
                with pytest.raises(CrmError):
                    records.save(actor, "document", file, None, {"name": f"By {level}"})


@every_holder
def test_nobody_attaches_to_what_he_may_not_change(world: World, entity: Entity) -> None:
    made = {owner: make_for(world, entity, owner) for owner in OWNERS}
    for level in LEVELS:
        actor = world.people[level]
        for owner, key in made.items():
            name = f"{level} {owner}.txt"
            if owner in reached(entity, level, "edit") and actor.can("document", "create"):
                assert attachments.add_bytes(actor, entity.key, key, name, b"x")
            else:
                with pytest.raises(PermissionDenied):
                    attachments.add_bytes(actor, entity.key, key, name, b"x")


def test_a_file_of_two_gigabytes_is_refused_by_its_size(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    actor = world.admin
    key = world.factory.make("account")
    small, large = tmp_path / "small.txt", tmp_path / "film.mp4"
    small.write_bytes(b"small")
    with large.open("wb") as stream:
        stream.truncate(2 << 30)
    monkeypatch.setattr(attachments, "_hash", lambda *_: pytest.fail("it was read"))
    limit = attachments.limit_mb(actor)  # other tests write the settings, too
    with pytest.raises(UserError, match=rf"film.mp4.*2048 MB.*at most {limit} MB"):
        attachments.add_files(actor, "account", key, [small, large])
    assert attachments.files(actor, "account", key) == []


def test_the_limit_stands_in_the_settings(world: World, tmp_path: Path) -> None:
    actor = world.admin
    with world.db.reading() as connection:
        table = registry.get("own_company").table
        first = connection.execute(
            select(func.min(table.c.id)).where(table.c.deleted_at.is_(None))
        ).scalar()
    own = first or world.factory.make("own_company")
    key = world.factory.make("account")
    path = tmp_path / "two.bin"
    path.write_bytes(b"x" * (2 << 20))
    records.save(actor, "own_company", own, None, {"attachment_limit_mb": 1})
    with pytest.raises(UserError, match="at most 1 MB"):
        attachments.add_files(actor, "account", key, [path])
    with pytest.raises(UserError, match="at most 1 MB"):
        attachments.add_bytes(actor, "account", key, "two.bin", path.read_bytes())
    records.save(actor, "own_company", own, None, {"attachment_limit_mb": None})
    assert attachments.add_files(actor, "account", key, [path])


def test_what_cannot_be_attached_is_said(world: World, tmp_path: Path) -> None:
    actor = world.admin
    key = world.factory.make("account")
    with pytest.raises(UserError, match="is a folder"):
        attachments.add_files(actor, "account", key, [tmp_path])
    with pytest.raises(CrmError, match="could not be read"):
        attachments.add_files(actor, "account", key, [tmp_path / "gone.txt"])
    records.delete(actor, "account", [key])
    with pytest.raises(NotFound, match="was deleted meanwhile"):
        attachments.add_bytes(actor, "account", key, "late.txt", b"late")
