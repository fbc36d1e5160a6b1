"""Taking a merge apart at once gives back exactly what was there, whatever was merged."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from desktop_crm.db.engine import Database
from desktop_crm.services import records
from desktop_crm.services.context import system_actor
from desktop_crm.services.duplicates.merge import MergeWish, merge
from desktop_crm.services.duplicates.unmerge import unmerge
from tests.conformance.test_merging import assert_same, everything

_ADDRESSES = st.sampled_from(["a@alfa.ro", "b@alfa.ro", "c@beta.ro"])
_NUMBERS = st.sampled_from(["0722 100 200", "+40722100200", "021 300 4000"])
_CITIES = st.sampled_from(["Iași", "IASI", "Cluj"])
_TEXTS = st.sampled_from([None, "Buyer", "Owner"])


def _lines(name: str, values: st.SearchStrategy[str]) -> st.SearchStrategy[list[dict[str, Any]]]:
    row = st.fixed_dictionaries({name: values, "is_primary": st.booleans()})
    return st.lists(row, max_size=3)


_CONTACT = st.fixed_dictionaries(
    {
        "last_name": st.sampled_from(["Pop", "Popa"]),
        "first_name": _TEXTS,
        "job_title": _TEXTS,
        "department": _TEXTS,
        "tags": st.sampled_from([None, "|vip|", "|press|vip|"]),
        "do_not_email": st.booleans(),
        "emails": _lines("address", _ADDRESSES),
        "phones": _lines("number", _NUMBERS),
        "addresses": _lines("city", _CITIES),
    }
)
_PICKED = ("job_title", "last_name", "emails", "phones")


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    people=st.lists(_CONTACT, min_size=2, max_size=4),
    managers=st.lists(st.integers(0, 3), max_size=4),
    meant=st.lists(st.lists(st.integers(0, 3), max_size=3), max_size=3),
    chosen=st.dictionaries(st.sampled_from(_PICKED), st.integers(0, 3)),
)
def test_merging_and_parting_changes_nothing(
    sqlite_db: Database,
    people: list[dict[str, Any]],
    managers: list[int],
    meant: list[list[int]],
    chosen: dict[str, int],
) -> None:
    actor = system_actor(sqlite_db)
    keys = [records.save(actor, "contact", None, None, values).id for values in people]
    for place, manager in zip(range(len(keys)), managers, strict=False):
        values = {"manager": keys[manager % len(keys)]}
        records.save(actor, "contact", keys[place], None, values)
    for number, parties in enumerate(meant):
        activity: dict[str, Any] = {
            "subject": f"Meeting {number}",
            "kind": "note",
            "contact": keys[parties[0] % len(keys)] if parties else None,
            "parties": [{"name": "N", "contact": keys[p % len(keys)]} for p in parties],
        }
        records.save(actor, "activity", None, None, activity)
    picks = {name: keys[place % len(keys)] for name, place in chosen.items()}
    with sqlite_db.reading() as connection:
        before = everything(connection)
    merged = merge(actor, MergeWish("contact", keys[0], tuple(keys[1:]), picks=picks))
    parted = unmerge(actor, merged.operation)
    assert parted.kept == ()
    with sqlite_db.reading() as connection:
        assert_same(everything(connection), before)
