"""A data file with planted duplicates: people and companies entered a second time by somebody else.

A planted record says in its source which one it repeats; nothing else about it gives it away.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from sqlalchemy import select

from desktop_crm.bench.data import grown_file
from desktop_crm.bench.data_rows import SEED, Size
from desktop_crm.bench.ground import Ground, on_server, opened
from desktop_crm.core.text import fold
from desktop_crm.db import migrate
from desktop_crm.meta import registry
from desktop_crm.services import records
from desktop_crm.services.context import system_actor
from desktop_crm.services.records import Change

PAIRS: Final = Size("pairs", 100_000, 10_000, 1_000, 800, 20, 8_000, 64)
GENERATOR: Final = 1
SOURCE: Final = "planted"
OF_PEOPLE: Final = 4_000
OF_COMPANIES: Final = 1_000
_CHUNK: Final = 500
_LONG: Final = 4

Values = dict[str, Any]
Chance = random.Random
Again = Callable[[Mapping[str, Any], Chance], Values]


# --- slips of the keyboard and other habits -------------------------------------------------


def typo(text: str, chance: Chance) -> str:
    """One slip in a word of four letters or more: a letter lost, doubled, swapped or wrong."""
    words = text.split(" ")
    long = [n for n, word in enumerate(words) if len(word) >= _LONG and word.isalpha()]
    if not long:
        return text
    place = chance.choice(long)
    word = words[place]
    at = chance.randrange(1, len(word) - 1)
    slips = (
        word[:at] + word[at + 1 :],
        word[: at + 1] + word[at:],
        word[:at] + word[at + 1] + word[at] + word[at + 2 :],
        word[:at] + chance.choice("aeiorstnl") + word[at + 1 :],
    )
    words[place] = chance.choice(slips)
    return " ".join(words)


def plain(text: str, chance: Chance) -> str:
    """Written without accents, or with the cedillas of older keyboards."""
    if chance.random() < 0.5:
        return fold(text).title()
    return text.translate(str.maketrans("șțȘȚ", "şţŞŢ"))


def other_form(text: str, chance: Chance) -> str:
    """A company with its legal form written otherwise, or left out."""
    name = text.rpartition(" ")[0]
    return chance.choice((name, f"S.C. {name} S.R.L.", f"{name.upper()} SRL", f"{name}, S.A."))


def person(values: Mapping[str, Any], chance: Chance) -> Values:
    """A person as somebody else would enter them again."""
    first, last = values["first_name"], values["last_name"]
    habit = chance.random()
    if habit < 0.35:
        first, last = _slip_in_one(first, last, chance)
    elif habit < 0.6:
        first, last = last, first
    elif habit < 0.8:
        first, last = plain(first, chance), plain(last, chance)
    found: Values = {"first_name": first, "last_name": last, "job_title": values["job_title"]}
    kept = chance.random()
    if kept < 0.25 and values["email"]:
        found["email"] = values["email"].upper()
    elif kept < 0.4 and values["street"]:
        found |= {name: values[name] for name in ("street", "postal_code", "city", "country")}
    elif kept < 0.55 and values["account"] and values["email"]:
        found["email"] = (
            f"{fold(last)[:3]}.{chance.randrange(10**6)}@{values['email'].partition('@')[2]}"
        )
    elif kept < 0.65 and values["birthday"]:
        found["birthday"] = values["birthday"]
    elif values["account"]:
        found["account"] = values["account"]
    else:
        found["email"] = values["email"]
    if values["phone"] and chance.random() < 0.3:
        found["phone"] = values["phone"].replace("+40", "0").replace(" ", ".")
    return found


def _slip_in_one(first: str, last: str, chance: Chance) -> tuple[str, str]:
    if chance.random() < 0.3 and len(first) >= _LONG:
        return typo(first, chance), last
    return first, typo(last, chance)


def company(values: Mapping[str, Any], chance: Chance) -> Values:
    """A company as somebody else would enter it again."""
    habit = chance.random()
    name = values["name"]
    if habit < 0.6:
        name = other_form(name, chance)
    elif habit < 0.8:
        name = typo(name, chance)
    else:
        name = plain(name, chance)
    found: Values = {"name": name}
    if chance.random() < 0.5:
        found["city"] = fold(values["city"]).title()
    else:
        found["website"] = f"https://www.{values['domain']}/contact"
    return found


# --- the file -------------------------------------------------------------------------------


@contextmanager
def planted() -> Iterator[Ground]:
    """100,000 contacts and 10,000 accounts with planted duplicates."""
    with opened(planted_file()) as ground:
        yield ground


@contextmanager
def planted_on_server() -> Iterator[Ground]:
    """The same on PostgreSQL; raises ``NoServer`` where there is none."""
    with on_server(planted_file()) as ground:
        yield ground


def planted_file() -> Path:
    """Return the file, made when it is not there; about a minute."""
    return grown_file(
        "planted", GENERATOR, PAIRS, lambda made: plant(made, OF_PEOPLE, OF_COMPANIES)
    )


def plant(path: Path, people: int, companies: int) -> None:
    """Enter records of a file a second time, through the product itself."""
    db = migrate.open_current(str(path))
    try:
        chance = random.Random(SEED)
        actor = system_actor(db)
        for key, count, again in (("contact", people, person), ("account", companies, company)):
            originals = _originals(actor.db, key, count, chance)
            made = [_repeated(again, one, chance) for one in originals]
            for start in range(0, len(made), _CHUNK):
                changes = [Change(None, None, values) for values in made[start : start + _CHUNK]]
                records.save_many(actor, key, changes)
    finally:
        db.close()


def _originals(db: Any, key: str, count: int, chance: Chance) -> list[Values]:  # noqa: ANN401
    entity = registry.get(key)
    with db.reading() as connection:
        table = entity.table
        ids = list(
            connection.execute(select(table.c.id).where(table.c.deleted_at.is_(None))).scalars()
        )
        chosen = sorted(chance.sample(ids, count))
        fields = {n: f.column for n, f in entity.fields.items() if f.column is not None}
        rows = connection.execute(
            select(*(column.label(name) for name, column in fields.items()))
            .where(table.c.id.in_(chosen))
            .order_by(table.c.id)
        )
        return [dict(row) for row in rows.mappings()]


def _repeated(
    again: Callable[[Mapping[str, Any], Chance], Values], one: Values, chance: Chance
) -> Values:
    source = {"source_system": SOURCE, "external_id": f"of {one['id']}", "owner": one["owner"]}
    return {**again(one, chance), **source}


def truth(ground: Ground, key: str) -> set[tuple[int, int]]:
    """Pairs that are one, the smaller key first."""
    statement = {
        "contact": "SELECT external_id, id FROM contact WHERE source_system = 'planted'",
        "account": "SELECT external_id, id FROM account WHERE source_system = 'planted'",
    }[key]
    found = ((int(text.removeprefix("of ")), again) for text, again in ground.fetch(statement))
    return {(min(pair), max(pair)) for pair in found}
