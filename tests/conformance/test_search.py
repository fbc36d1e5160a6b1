"""Every kind of record is found by its title, by those who may see it and by nobody else."""

from __future__ import annotations

import hashlib
import itertools

import pytest

from desktop_crm.meta import registry
from desktop_crm.meta.bound import Entity
from desktop_crm.services import records
from desktop_crm.services.context import Actor
from desktop_crm.services.search import everything
from tests.conformance.test_rights import OWNERS, make_for, reached
from tests.support.world import LEVELS, World

TITLED = tuple(entity for entity in registry.all() if "title_key" in entity.fields)
MADE_OF_PARTS = {"contact": "last_name"}
"""Entities whose title a rule puts together, and the field that it is put together from."""
CODES = frozenset({"currency"})
"""Entities whose title is a short code in capitals."""

every_titled = pytest.mark.parametrize("entity", TITLED, ids=lambda e: e.key)
_numbers = itertools.count(1)


def word() -> str:
    """A word with every kind of accent, far from every other one in spelling."""
    digest = hashlib.sha256(str(next(_numbers)).encode()).digest()
    return "Șțăâî" + "".join("abcdefghiklmnopr"[byte & 15] for byte in digest[:8])


def code() -> str:
    """Three capitals that no other record has."""
    number = next(_numbers)
    return "".join("ABCDEFGHIJKLMNOPQRSTUVWXYZ"[number // 26**n % 26] for n in (0, 1, 2))


def named(world: World, entity: Entity) -> tuple[int, str, str]:
    """A record with a word in its title, the field that holds it, and the word."""
    field = MADE_OF_PARTS.get(entity.key, entity.title)
    title = word()
    limit = entity.fields[field].max_length or 200
    if entity.key in CODES:
        title = code()
    assert len(title) <= limit
    return world.factory.make(entity.key, **{field: title}), field, title


def found(actor: Actor, entity: Entity, text: str) -> set[int]:
    """Keys of the records of one kind that a search for everything shows."""
    answer = everything.find(actor, text, shown=100)
    return {hit.id for part in answer.sections if part.entity == entity.key for hit in part.hits}


@every_titled
def test_a_record_is_found_by_its_title_in_any_writing(world: World, entity: Entity) -> None:
    key, _, title = named(world, entity)
    plain = title.translate(str.maketrans("Șțăâî", "Staai"))
    cedilla = title.translate(str.maketrans("Șț", "Şţ"))
    for text in (title, title.upper(), title.lower(), plain, cedilla, plain[1:], f"  {title} "):
        if len(text.strip()) > 2:
            assert key in found(world.admin, entity, text), text
    hit = next(
        hit
        for part in everything.find(world.admin, plain, shown=100).sections
        for hit in part.hits
        if (hit.entity, hit.id) == (entity.key, key)
    )
    assert [hit.title[start:end] for start, end in hit.title_ranges] == [title]


@every_titled
def test_a_renamed_record_is_found_by_its_new_title_alone(world: World, entity: Entity) -> None:
    key, field, title = named(world, entity)
    after = code() if entity.key in CODES else word()
    records.save(world.admin, entity.key, key, None, {field: after})
    assert key in found(world.admin, entity, after)
    assert key not in found(world.admin, entity, title)


@every_titled
def test_a_deleted_record_is_not_found_until_it_is_restored(world: World, entity: Entity) -> None:
    key, _, title = named(world, entity)
    records.delete(world.admin, entity.key, [key])
    assert key not in found(world.admin, entity, title)
    records.restore(world.admin, entity.key, [key])
    assert key in found(world.admin, entity, title)


@pytest.mark.parametrize("level", LEVELS)
@every_titled
def test_only_those_who_may_see_a_record_find_it(world: World, entity: Entity, level: str) -> None:
    field = MADE_OF_PARTS.get(entity.key, entity.title)
    keys: dict[str, int] = {}
    titles: dict[str, str] = {}
    for owner in OWNERS:
        keys[owner] = make_for(world, entity, owner)
        title = code() if entity.key in CODES else word()
        titles[owner] = title
        # What is private is its owner's to name, whoever else may do everything.
        theirs = entity.private is not None or entity.key == "mailbox"
        by = world.people[owner] if theirs else world.admin
        records.save(by, entity.key, keys[owner], None, {field: title})
    actor = world.people[level]
    seen = {owner for owner in OWNERS if keys[owner] in found(actor, entity, titles[owner])}
    assert seen == reached(entity, level, "read")


@pytest.mark.parametrize("entity", ["account", "contact", "lead"])
def test_every_number_and_address_of_a_record_finds_it(world: World, entity: str) -> None:
    number = 721_000_000 + next(_numbers) * 7919
    digits, at = str(number), word()
    written = f"+40 {digits[:3]}-{digits[3:]}"
    lines = {
        "emails": [{"address": f"a.{at[6:]}@x.example"}, {"address": f"{at[6:]}.b@y.example"}],
        "phones": [{"number": "021 555 01 02"}, {"number": written}],
    }
    key = world.factory.make(entity, **lines)
    kind = registry.get(entity)
    for text in (
        f"0{digits[:3]} {digits[3:6]} {digits[6:]}",
        f"+40 {digits[:3]}-{digits[3:6]}-{digits[6:]}",
        f"(0{digits[:3]}){digits[3:]}",
        f"0040 {digits}",
        f"+40 (0){digits}",
        digits[-6:],
        f"a.{at[6:]}@x",
        f"{at[6:]}.b@y.example",
    ):
        assert key in found(world.admin, kind, text), text
    rows = records.get(world.admin, entity, key).lines["phones"]
    second = next(row["id"] for row in rows if row["number"].startswith("+40"))
    records.delete(world.admin, "phone", [second])
    assert key not in found(world.admin, kind, digits)
    records.restore(world.admin, "phone", [second])
    assert key in found(world.admin, kind, digits)
    records.save(world.admin, "phone", second, None, {"number": f"+44 20 7946 {number % 9000:04d}"})
    assert key not in found(world.admin, kind, digits)


@every_titled
def test_a_slip_of_the_pen_is_forgiven_in_the_second_round(world: World, entity: Entity) -> None:
    if entity.key in CODES:
        pytest.skip("a code is too short to be spelled wrongly")
    key, _, title = named(world, entity)
    for at in (3, 6, 9):
        swapped = title[:at] + title[at + 1] + title[at] + title[at + 2 :]
        more, fewer = title[:at] + "q" + title[at:], title[:at] + title[at + 1 :]
        for text in (swapped, more, fewer, title[:at] + "q" + title[at + 1 :]):
            answer = everything.find_similar(world.admin, text, shown=100)
            hits = {(hit.entity, hit.id) for part in answer.sections for hit in part.hits}
            assert (entity.key, key) in hits, text
            assert answer.is_similar
