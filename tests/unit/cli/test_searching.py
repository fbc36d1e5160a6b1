"""``search``, and making its index anew."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.unit.cli.conftest import Run


def test_hits_come_by_kind_with_counts(run: Run, sample: Path) -> None:
    ran = run("search", "iași", "--limit", "2", "--db", sample, "--json")

    assert ran.code == 0
    assert (ran.json["text"], ran.json["similar"]) == ("iași", False)
    section = next(s for s in ran.json["sections"] if s["entity"] == "account")
    assert len(section["hits"]) == 2 <= section["count"]
    assert section["hits"][0]["snippet"] == "Iași"
    assert list(section["hits"][0]) == ["id", "title", "subtitle", "snippet", "match"]


def test_several_words_are_one_search(run: Run, sample: Path) -> None:
    one = run("search", "mureșului", "srl", "--db", sample, "--json").json
    assert one == run("search", "mureșului srl", "--db", sample, "--json").json


def test_people_see_a_table_for_each_kind(run: Run, sample: Path) -> None:
    ran = run("search", "iasi", "--entity", "account", "--db", sample)

    assert ran.code == 0
    lines = ran.out.splitlines()
    assert lines[0].startswith("Accounts (")
    assert lines[1].split()[:2] == ["Key", "Title"]
    assert "Iași" in lines[3]


def test_similar_spellings_are_said_to_be_such(run: Run, sample: Path) -> None:
    name = run("query", "account", "--columns", "name", "--limit", "1", "--db", sample, "--json")
    word = max(name.json[0]["name"].split(), key=len)
    slip = word[:3] + "q" + word[3:]
    assert run("search", slip, "--db", sample, "--json").json["similar"]
    assert "spelled similarly" in run("search", slip, "--db", sample).out


def test_nothing_found_is_said_and_is_no_failure(run: Run, sample: Path) -> None:
    ran = run("search", "xqzzkv", "--db", sample)
    assert (ran.code, ran.out.strip()) == (0, "Nothing found for “xqzzkv”")


def test_an_unknown_kind_is_refused(run: Run, sample: Path) -> None:
    ran = run("search", "x", "--entity", "planet", "--db", sample, "--json")
    assert ran.code == 1
    assert "planet" in ran.json["error"]
    assert run("search", "--db", sample).code == 2


def test_the_index_is_made_anew(run: Run, sample: Path) -> None:
    before = run("search", "iași", "--db", sample, "--json").json
    ran = run("db", "reindex", "--db", sample, "--json")
    assert ran.code == 0
    assert sum(ran.json["written"].values()) == 0
    assert run("search", "iași", "--db", sample, "--json").json == before
    assert "was rebuilt" in run("db", "reindex", "--db", sample).out
