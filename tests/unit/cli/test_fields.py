"""``field``: fields of one's own."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING

import openpyxl

if TYPE_CHECKING:
    from tests.unit.cli.conftest import Run


def test_a_field_is_added_used_and_retired(run: Run, sample: Path, tmp_path: Path) -> None:
    made = run("field", "add", "account", "Segment", "--kind", "choice", "--values", "Gold, Tin",
               "--db", sample, "--json")  # fmt: skip
    assert made.code == 0, made.err
    name = made.json["name"]
    assert made.json["kind"] == "choice"

    file = tmp_path / "in.csv"
    with file.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([["Name", "Segment"], ["Nord SRL", "Gold"]])
    taken = run("import", "account", file, "--db", sample)
    assert taken.code == 0, taken.err
    found = run("query", "account", "--columns", f"name,{name}", "--filter", f"{name} = gold",
                "--db", sample, "--json")  # fmt: skip
    assert [row["name"] for row in found.json] == ["Nord SRL"]
    out = tmp_path / "out.xlsx"
    told = run("export", "account", out, "--filter", f"{name} = gold", "--db", sample)
    assert told.code == 0, told.err
    cells = {str(c.value) for row in openpyxl.load_workbook(out).worksheets[0] for c in row}
    assert {"Segment", "Gold", "Nord SRL"} <= cells

    assert run("field", "retire", "account", "segment", "--db", sample).code == 0
    gone = run("query", "account", "--columns", name, "--db", sample)
    assert gone.code != 0
    listed = run("field", "list", "account", "--db", sample)
    assert "Segment" in listed.out
    assert "Retired" in listed.out
    assert run("field", "restore", "account", name, "--db", sample).code == 0
    assert run("query", "account", "--columns", name, "--db", sample).code == 0


def test_what_a_retired_field_held_is_not_found_and_found_again_when_it_is_restored(
    run: Run, sample: Path, tmp_path: Path
) -> None:
    made = run("field", "add", "account", "Nickname", "--searched", "--db", sample)
    assert made.code == 0, made.err
    file = tmp_path / "in.csv"
    file.write_text("Name,Nickname\nNord SRL,Wolfram\n", "utf-8")
    assert run("import", "account", file, "--db", sample).code == 0

    def found() -> list[str]:
        ran = run("search", "wolfram", "--db", sample, "--json")
        # Nothing as typed may still be spelled alike.
        if ran.json["similar"]:
            return []
        return [hit["title"] for section in ran.json["sections"] for hit in section["hits"]]

    assert found() == ["Nord SRL"]
    assert run("field", "retire", "account", "nickname", "--db", sample).code == 0
    assert found() == []
    assert run("field", "restore", "account", "nickname", "--db", sample).code == 0
    assert found() == ["Nord SRL"]


def test_wrong_names_get_one_sentence(run: Run, sample: Path) -> None:
    for words in (
        ("list", "nothing"),
        ("add", "custom_field", "A"),
        ("add", "account", "Name"),
        ("add", "account", "A", "--kind", "link"),
        ("add", "account", "A", "--kind", "choice"),
        ("retire", "account", "nothing"),
    ):
        ran = run("field", *words, "--db", sample)
        assert ran.code != 0
        assert len(ran.err.splitlines()) == 1, ran.err
