"""The scan finds what is the same in a whole table and never proposes what was decided."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import repeat
from typing import Any

import pytest
from sqlalchemy import select

from desktop_crm.core.errors import Cancelled, UserError
from desktop_crm.db.engine import Cancel, Database
from desktop_crm.models import DuplicatePair
from desktop_crm.services import records
from desktop_crm.services.context import Actor, system_actor
from desktop_crm.services.duplicates import blocking, review, scan
from desktop_crm.services.duplicates.merge import MergeWish, merge
from desktop_crm.services.duplicates.unmerge import unmerge


@pytest.fixture
def actor(database: Database) -> Actor:
    return system_actor(database)


def make(actor: Actor, entity: str, **values: Any) -> int:
    return records.save(actor, entity, None, None, values).id


def people(actor: Actor) -> tuple[int, int, int]:
    """Ion twice, and his namesake elsewhere."""
    firm = make(actor, "account", name="Alfa SRL")
    one = make(actor, "contact", first_name="Ion", last_name="Țuțea", account=firm)
    two = make(actor, "contact", first_name="Tutea", last_name="Ion", account=firm)
    other = make(actor, "contact", first_name="Ion", last_name="Țuțea", city="Iași")
    return one, two, other


def test_it_finds_pairs_with_their_reasons(actor: Actor) -> None:
    one, two, _other = people(actor)
    result = scan.scan(actor, "contact")
    assert (result.records, result.pairs, result.added) == (3, 1, 1)
    (pair,) = review.queue(actor, "contact")
    assert (pair.first, pair.second) == (one, two)
    assert pair.why == "same company, same name"
    assert pair.titles == ("Ion Țuțea", "Tutea Ion")
    assert review.counts(actor) == {"contact": 1}


def test_what_was_decided_is_never_proposed_again(actor: Actor) -> None:
    one, two, _other = people(actor)
    scan.scan(actor, "contact")
    (pair,) = review.queue(actor, "contact")
    review.differ(actor, "contact", one, two)
    assert review.queue(actor, "contact") == []
    assert scan.scan(actor, "contact").added == 0
    assert review.queue(actor, "contact") == []
    review.differ(actor, "contact", one, two, undo=True)
    assert review.queue(actor, "contact") == [pair]
    merged = merge(actor, MergeWish("contact", one, (two,)))
    assert review.queue(actor, "contact") == []
    assert scan.scan(actor, "contact").pairs == 0
    unmerge(actor, merged.operation)
    assert scan.scan(actor, "contact").pairs == 1
    assert review.queue(actor, "contact") == []


def test_pairs_that_are_no_longer_alike_leave_the_queue(actor: Actor) -> None:
    _one, two, _other = people(actor)
    scan.scan(actor, "contact")
    records.save(actor, "contact", two, None, {"first_name": "Vasile", "last_name": "Pop"})
    assert scan.scan(actor, "contact").pairs == 0
    assert review.queue(actor, "contact") == []


def test_accounts_leads_and_products_are_scanned(actor: Actor) -> None:
    make(actor, "account", name="Zorile SRL", city="Iași")
    make(actor, "account", name="S.C. ZORILE S.R.L.", city="IASI")
    make(actor, "lead", subject="Roof", company="Beta", last_name="Pop", email="p@beta.ro")
    make(actor, "lead", subject="Walls", company="Beta", last_name="Pop", email="P@BETA.RO")
    make(actor, "product", name="Lamp")
    make(actor, "product", name="LAMP")
    found = {key: scan.scan(actor, key).pairs for key in ("account", "lead", "product")}
    assert found == {"account": 1, "lead": 1, "product": 1}
    with pytest.raises(UserError, match="no search for duplicates"):
        scan.scan(actor, "activity")


def test_it_can_be_watched_and_stopped(actor: Actor) -> None:
    people(actor)
    steps: list[tuple[int, int]] = []
    scan.scan(actor, "contact", progress=lambda done, total: steps.append((done, total)))
    assert steps[-1] == (3, 3)
    token = Cancel()
    token.cancel()
    with pytest.raises(Cancelled):
        scan.scan(actor, "contact", token)


def test_pairs_are_seen_with_both_records(actor: Actor) -> None:
    one, _two, _other = people(actor)
    scan.scan(actor, "contact")
    records.delete(actor, "contact", [one])
    assert review.queue(actor, "contact") == []
    assert review.counts(actor) == {}
    with actor.db.reading() as connection:
        assert connection.execute(select(DuplicatePair.id)).first() is not None


def never() -> Iterator[None]:
    return repeat(None)


@pytest.mark.parametrize("size", [2, 10, 200, 800])
def test_a_slip_never_hides_among_many(size: int) -> None:
    letters = "abcdefghijklmnopqrstuvwxyz"
    words = [("ion", f"{letters[n % 26]}{letters[n // 26 % 26]}escu{n}") for n in range(size)]
    words.append(("ion", "zzopescu"))
    words.append(("ion", "zzopsecu"))
    group = list(range(len(words)))
    assert (size, size + 1) in blocking.pairs([group], words, tick=never())


def test_groups_of_many_are_not_compared_each_with_each() -> None:
    words = [("ion", f"x{n:05}") for n in range(5_000)]
    found = blocking.pairs([list(range(5_000))], words, tick=never())
    assert len(found) < 200_000
