"""The bench data file holds what the product itself would have written."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from itertools import islice
from pathlib import Path

import pytest

from desktop_crm.bench import data
from desktop_crm.bench.data_rows import FULL, LAST, LOGINS, SEARCHES, TEAM, Rows, Size, uid
from desktop_crm.db import migrate
from desktop_crm.services import query, records
from desktop_crm.services.context import sign_in
from desktop_crm.services.query import RecordQuery

TINY = Size("tiny", 400, 40, 60, own=50, few=5, team=100, users=20)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return data.data_file(TINY, tmp_path_factory.mktemp("bench"))


def test_a_finished_file_is_kept_and_an_old_one_removed(tiny: Path) -> None:
    old = tiny.with_name("tiny-0000-old-0.db")
    written = tiny.stat().st_mtime_ns
    assert data.data_file(TINY, tiny.parent) == tiny
    assert tiny.stat().st_mtime_ns == written
    tiny.rename(old)
    made = data.data_file(TINY, tiny.parent)
    assert made == tiny
    assert [path.name for path in tiny.parent.iterdir()] == [tiny.name]


def test_the_file_opens_as_a_database_of_the_product(tiny: Path) -> None:
    db = migrate.open_current(str(tiny))
    try:
        visible = {}
        for login in LOGINS:
            actor = sign_in(db, login)
            visible[login] = query.count(actor, RecordQuery("contact", ("full_name",)))
        assert visible["bench_few"] == TINY.few
        assert visible["bench_own"] == TINY.own
        assert visible["bench_own"] < visible["bench_team"] < visible["bench_all"]
        assert visible["bench_all"] <= TINY.contacts
    finally:
        db.close()
    with closing(sqlite3.connect(tiny)) as raw:
        assert raw.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert raw.execute("PRAGMA foreign_key_check").fetchone() is None
        assert raw.execute("SELECT count(*) FROM contact").fetchone() == (TINY.contacts,)
        indexes = {row[0] for row in raw.execute("SELECT name FROM sqlite_master")}
        assert {"ix_contact_live_title_key", "contact_fts_insert", "sqlite_stat1"} <= indexes


@pytest.mark.parametrize("entity", ["contact", "account", "opportunity"])
def test_derived_values_are_those_the_product_derives(tiny: Path, entity: str) -> None:
    db = migrate.open_current(str(tiny))
    try:
        actor = sign_in(db, "bench_all")
        for key in (3, 7, 11, 30):
            made = records.get(actor, entity, key)
            fields = {"full_name", "first_name", "last_name", "email", "phone", "city", "name"}
            fields |= {"account_number", "stage"}
            values = {name: made.values[name] for name in fields if name in made.values}
            saved = records.save(actor, entity, None, None, values)
            again = records.get(actor, entity, saved.id)
            for name in ("title_key", "search_text", "full_name", "name_key"):
                assert again.values.get(name) == made.values.get(name)
            for lines in ("emails", "phones"):
                found = [(row["is_primary"], _derived(row)) for row in made.lines.get(lines, ())]
                wanted = [(row["is_primary"], _derived(row)) for row in again.lines.get(lines, ())]
                assert found == wanted
    finally:
        db.close()


def _derived(row: object) -> object:
    assert isinstance(row, dict)
    return row.get("domain"), row.get("canonical"), row.get("address"), row.get("number")


def test_searched_surnames_have_as_many_bearers_as_they_say() -> None:
    for typed, surname, hits in SEARCHES:
        assert not any(typed in last.casefold() for last in LAST)
        assert bool(surname) == bool(hits)
    rows = Rows(FULL)
    chosen = list(rows._surnames().values())
    assert {name: chosen.count(name) for name in set(chosen)} == {
        surname: hits for _, surname, hits in SEARCHES if hits
    }


def test_the_same_size_gives_the_same_rows() -> None:
    def first(rows: Rows) -> list[object]:
        list(rows.accounts())
        return list(islice(rows.contacts(), 20))

    assert first(Rows(TINY)) == first(Rows(TINY))
    assert len(TEAM) == 10


def test_identities_are_of_version_7_and_in_order() -> None:
    made = [uid(number * 7919, number) for number in range(50)]
    assert made == sorted(made)
    assert all(len(text) == 36 and text[14] == "7" and text[19] in "89ab" for text in made)
