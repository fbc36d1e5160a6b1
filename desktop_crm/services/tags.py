"""Tags over all records: how often each is used, renaming and merging them everywhere at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, func, literal, select, union_all

from desktop_crm.core.errors import UserError
from desktop_crm.core.i18n import N_, ntr
from desktop_crm.core.identity import new_uid
from desktop_crm.core.text import clean, fold, join_tags, split_tags
from desktop_crm.db.engine import Cancel
from desktop_crm.meta import kinds, registry
from desktop_crm.meta.bound import Entity
from desktop_crm.models import Tag
from desktop_crm.models.marking import PillTone
from desktop_crm.services import privacy, records, writer
from desktop_crm.services.changes import NOTHING, ChangeSet
from desktop_crm.services.checks import reachable
from desktop_crm.services.context import Actor
from desktop_crm.services.operation import operation
from desktop_crm.services.permissions import require
from desktop_crm.services.records import Change

CHUNK = 1000
SOURCE = "tags"
_TAG = Tag.__table__


@dataclass(frozen=True, slots=True)
class TagCount:
    """A tag with the number of living records that carry it.

    Attributes:
        id: Key of the tag; None for a word on records that the list of tags does not know.
        name: The word.
        tone: Its colour.
        count: Records of every kind.
    """

    id: int | None
    name: str
    tone: str
    count: int


@dataclass(frozen=True, slots=True)
class Renamed:
    """What renaming a tag came to.

    Attributes:
        operation: Operation in the audit trail; its undo takes everything back.
        count: Records changed.
        left: Records out of the user's reach, which keep the old word.
        changes: What changed.
        was_stopped: The person stopped it; what was done until then stands.
    """

    operation: str
    count: int
    left: int
    changes: ChangeSet
    was_stopped: bool = False


def tagged() -> tuple[Entity, ...]:
    """Entities whose records carry tags."""
    return tuple(
        e for e in registry.all() if "tags" in e.fields and e.fields["tags"].kind is kinds.TAGS
    )


def counts(actor: Actor, cancel: Cancel | None = None) -> list[TagCount]:
    """Every tag and every other word in use, by name, with its records; two statements.

    Counts all records, of whatever owner: a number tells nobody whose they are.
    """
    with actor.db.reading(cancel) as connection:
        used: Counter[str] = Counter()
        spelled: dict[str, str] = {}
        for _entity, stored, count in _in_use(actor, connection):
            for word in split_tags(stored):
                used[fold(word)] += count
                spelled.setdefault(fold(word), word)
        rows = connection.execute(
            select(_TAG.c.id, _TAG.c.name, _TAG.c.tone, _TAG.c.title_key).where(
                _TAG.c.deleted_at.is_(None)
            )
        ).all()
    found = [TagCount(row.id, row.name, row.tone, used.pop(row.title_key, 0)) for row in rows]
    found += [
        TagCount(None, spelled[key], PillTone.NEUTRAL.value, count) for key, count in used.items()
    ]
    return sorted(found, key=lambda one: fold(one.name))


def _in_use(actor: Actor, connection: Connection) -> list[tuple[str, str, int]]:
    """Stored forms in use: entity, text between bars, number of living records.

    Words of what others keep private are left out.
    """
    arms = []
    for entity in tagged():
        stored = entity.table.c.tags
        words = select(literal(entity.key).label("entity"), stored, func.count().label("n"))
        words = words.where(stored.is_not(None), entity.table.c.deleted_at.is_(None))
        known = privacy.known(actor, entity, entity.table)
        arms.append((words if known is None else words.where(known)).group_by(stored))
    return [(row[0], row[1], row[2]) for row in connection.execute(union_all(*arms))]


def rename(
    actor: Actor,
    name: str,
    new_name: str,
    progress: Callable[[int, int], None] | None = None,
    cancel: Cancel | None = None,
) -> Renamed:
    """Give a tag another name on every record; with the name of another tag both become one.

    One step of undo; a short transaction for each thousand records. Records the user may not
    change keep the old word and are counted.

    Raises:
        UserError: The new name is empty, or has a comma in it.
        PermissionDenied: The user may not change tags.
    """
    require(actor, registry.get("tag"), "edit")
    wanted = clean(new_name)
    if len(split_tags(wanted)) != 1:
        raise UserError(
            N_("A tag is one word or phrase without commas. Nothing was changed."), field="name"
        )
    step = new_uid()
    old = fold(name)
    with actor.db.reading() as connection:
        places = _places(actor, connection, old)
    total = sum(len(ids) for _entity, ids in places)
    report, done, left, looked = NOTHING, 0, 0, 0
    for entity, ids in places:
        for start in range(0, len(ids), CHUNK):
            if cancel is not None and cancel.is_cancelled:
                return Renamed(step, done, left, report, was_stopped=True)
            chunk = ids[start : start + CHUNK]
            changes = _reword(actor, entity, chunk, old, wanted, step)
            report = report.merge(changes)
            done += len(changes.ids(entity.key))
            left += len(chunk) - len(changes.ids(entity.key))
            looked += len(chunk)
            if progress is not None:
                progress(looked, total)
    report = report.merge(_rename_tag(actor, old, wanted, step))
    return Renamed(step, done, left, report)


def _places(actor: Actor, connection: Connection, old: str) -> list[tuple[Entity, list[int]]]:
    """Living records that carry a word, by entity; one statement for each entity that has it."""
    stored: dict[str, list[str]] = {}
    for entity, text, _count in _in_use(actor, connection):
        if old in {fold(word) for word in split_tags(text)}:
            stored.setdefault(entity, []).append(text)
    found: list[tuple[Entity, list[int]]] = []
    for key, texts in stored.items():
        table = registry.get(key).table
        ids: list[int] = []
        for start in range(0, len(texts), CHUNK):
            statement = select(table.c.id).where(
                table.c.tags.in_(texts[start : start + CHUNK]), table.c.deleted_at.is_(None)
            )
            ids += connection.execute(statement).scalars()
        found.append((registry.get(key), sorted(ids)))
    return found


def _reword(
    actor: Actor, entity: Entity, ids: Sequence[int], old: str, wanted: str, step: str
) -> ChangeSet:
    # Read where it is written: a tag that somebody adds meanwhile would be lost otherwise.
    with operation(actor, SOURCE, uid=step) as made:
        work = made.work(entity.key)
        reached = reachable(work, ids, "edit")
        changes = []
        for key, row in writer.load(work, sorted(reached)).items():
            present = split_tags(row["tags"] or "")
            if row["deleted_at"] is None and old in {fold(word) for word in present}:
                words = [wanted if fold(word) == old else word for word in present]
                changes.append(Change(key, None, {"tags": join_tags(split_tags("|".join(words)))}))
        made.save_many(entity.key, changes)
    return made.report


def _rename_tag(actor: Actor, old: str, wanted: str, step: str) -> ChangeSet:
    """Rename the tag itself, or delete it where another has the new name already."""
    with actor.db.reading() as connection:
        statement = select(_TAG.c.title_key, _TAG.c.id).where(
            _TAG.c.title_key.in_([old, fold(wanted)]), _TAG.c.deleted_at.is_(None)
        )
        known = {row[0]: row[1] for row in connection.execute(statement)}
    key, target = known.get(old), known.get(fold(wanted))
    if key is None:
        return NOTHING
    if target is not None and target != key:
        return records.delete(actor, "tag", [key], SOURCE, operation=step)
    change = Change(key, None, {"name": wanted})
    return records.save_many(actor, "tag", [change], source=SOURCE, operation=step).changes


def described(renamed: Renamed) -> str:
    """Say in words what renaming did."""
    text = ntr("{n} record changed", "{n} records changed", renamed.count)
    if renamed.left:
        text += ". " + ntr(
            "{n} record is out of your reach and keeps the old tag.",
            "{n} records are out of your reach and keep the old tag.",
            renamed.left,
        )
    return text
