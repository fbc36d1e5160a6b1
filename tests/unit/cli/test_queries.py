"""``query``."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.unit.cli.conftest import Run


def test_json_is_a_list_of_objects(run: Run, sample: Path) -> None:
    columns = "number,state,account,total_amount,created_at,quoted_on"
    ran = run("query", "quote", "--columns", columns, "--filter", "state = won",
              "--db", sample, "--json")  # fmt: skip

    assert ran.code == 0
    assert ran.err == ""
    assert len(ran.json) == 2
    first = ran.json[0]
    assert list(first) == [
        "id", "number", "state", "account", "total_amount", "created_at", "quoted_on",
    ]  # fmt: skip
    assert first["state"] == "won"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", first["created_at"])
    assert re.search(r'"total_amount": \d+(\.\d{1,2})?,', ran.out)


def test_people_see_an_aligned_table_with_labels(run: Run, sample: Path) -> None:
    ran = run("query", "account", "--columns", "name,city,relationship_type",
              "--filter", 'city = "Iași"', "--db", sample)  # fmt: skip

    assert ran.code == 0
    lines = ran.out.splitlines()
    assert lines[0].split() == ["Name", "City", "Type"]
    assert all(line.index("Iași") == lines[0].index("City") for line in lines[2:4])
    assert lines[-1] == "2 records"


def test_filters_know_words_brackets_and_links(run: Run, sample: Path) -> None:
    condition = '(stage.state = open and account.country = "România") and not probability < 50'
    ran = run("query", "opportunity", "--filter", condition, "--columns", "probability,stage",
              "--db", sample, "--json")  # fmt: skip

    assert ran.code == 0
    assert ran.json
    assert {row["stage"] for row in ran.json} <= {"Perception analysis", "Proposal", "Negotiation"}


def test_the_default_columns_and_the_limit(run: Run, sample: Path) -> None:
    ran = run("query", "contact", "--limit", 3, "--db", sample, "--json")

    assert len(ran.json) == 3
    assert set(ran.json[0]) >= {"id", "full_name", "account", "email"}


def test_kinds_of_activity_are_names_of_records(run: Run, sample: Path) -> None:
    ran = run("query", "task", "--columns", "kind", "--db", sample, "--json")

    assert {row["kind"] for row in ran.json} == {"task"}


def test_what_cannot_be_asked_is_refused_in_one_sentence(run: Run, sample: Path) -> None:
    for arguments, part in (
        (("query", "nothing"), "nothing"),
        (("query", "account", "--columns", "name,nonsense"), "nonsense"),
        (("query", "account", "--filter", "name ="), "value is expected"),
        (("query", "account", "--filter", "wrong = 1"), "wrong"),
        (("query", "opportunity", "--filter", "amount > much"), "much"),
    ):
        ran = run(*arguments, "--db", sample, "--json")
        assert ran.code == 1, arguments
        assert ran.json["ok"] is False
        assert part in ran.json["error"]
        assert ran.err.strip() == ran.json["error"]


def test_rights_hold_on_the_command_line(run: Run, sample: Path) -> None:
    everything = run("query", "account", "--db", sample, "--json").json
    own = run("query", "account", "--columns", "owner", "--as", "ioana", "--db", sample,
              "--json").json  # fmt: skip

    assert 0 < len(own) < len(everything)
    # Salespeople read what their team owns.
    assert {row["owner"] for row in own} <= {"Ioana Dobrițoiu", "Radu Țepeluș", "Elena Vântuleț"}


def test_unknown_people_are_refused(run: Run, sample: Path) -> None:
    ran = run("query", "account", "--as", "nobody", "--db", sample)

    assert ran.code == 1
    assert "nobody" in ran.err
    assert ran.out == ""


def test_nothing_found_is_no_error(run: Run, sample: Path) -> None:
    assert run("query", "account", "--filter", "name = x", "--db", sample, "--json").json == []
    assert "0 records" in run("query", "account", "--filter", "name = x", "--db", sample).out
