"""``view``, and ``--view`` of ``query`` and ``export``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.unit.cli.conftest import Run


def test_views_are_listed_with_their_filter(run: Run, sample: Path) -> None:
    ran = run("view", "list", "contact", "--db", sample, "--json")

    assert ran.code == 0
    facts = {view["key"]: view for view in ran.json}
    assert facts["mine"]["name"] == "My contacts"
    assert facts["birthdays"]["filter"] == "birthday recurs next 30 days"
    assert "My contacts" in run("view", "list", "contact", "--db", sample).out


def test_a_view_is_written_changed_by_hand_and_taken_in(
    run: Run, sample: Path, tmp_path: Path
) -> None:
    file = tmp_path / "mine.json"
    ran = run("view", "export", "account", "my accounts", file, "--db", sample)
    assert ran.code == 0
    data = json.loads(file.read_text("utf-8"))
    assert (data["format"], data["entity"], data["filter"]) == (
        "desktop-crm view", "account", "owner = me",
    )  # fmt: skip
    data |= {"name": "From Iași", "filter": "city = Iași"}
    data["layout"]["columns"] = ["name", "city", "shoe_size"]
    file.write_text(json.dumps(data), "utf-8")

    ran = run("view", "import", file, "--db", sample, "--json")

    assert ran.json["missing"] == ["shoe_size"]
    shown = run("view", "show", "account", "from iasi", "--db", sample).out
    assert "Columns: name, city" in shown
    assert "Filter: city = Iași" in shown
    found = run("query", "account", "--view", "From Iași", "--db", sample, "--json").json
    assert {row["city"] for row in found} == {"Iași"}
    assert list(found[0]) == ["id", "name", "city"]
    both = run(
        "query", "account", "--view", "From Iași", "--filter", "name starts zzz", "--columns",
        "name", "--db", sample, "--json",
    )  # fmt: skip
    assert both.json == []
    book = tmp_path / "out.xlsx"
    ran = run("export", "account", book, "--view", "From Iași", "--db", sample, "--json")
    assert ran.json["rows"] == len(found)


def test_bad_files_and_names_get_one_sentence(run: Run, sample: Path, tmp_path: Path) -> None:
    ran = run("query", "account", "--view", "Nowhere", "--db", sample)
    assert ran.code == 1
    assert "There is no view “Nowhere” of accounts. Known: " in ran.err
    file = tmp_path / "bad.json"
    ran = run("view", "import", file, "--db", sample)
    assert ran.code == 3
    assert "cannot be read" in ran.err
    good = {"format": "desktop-crm view", "version": 1, "entity": "account", "name": "x",
            "layout": {}}  # fmt: skip
    bad: tuple[tuple[str, str], ...] = (
        ("", "holds no view"),
        ("[1]", "holds no view"),
        ("{}", "holds no view"),
        (json.dumps({**good, "layout": {"columns": 5}}), "holds no view"),
        (json.dumps({**good, "layout": [1]}), "holds no view"),
        (json.dumps({**good, "version": 99}), "later version"),
        (json.dumps({**good, "entity": "spaceship"}), "“spaceship”, which there is not here"),
        (json.dumps({**good, "filter": "city contans x"}), "cannot be read at character"),
    )
    for text, sentence in bad:
        file.write_text(text, "utf-8")
        ran = run("view", "import", file, "--db", sample)
        assert ran.code == 1, text
        assert sentence in ran.err, text
    before = run("view", "list", "account", "--db", sample, "--json").json
    assert "x" not in {view["name"] for view in before}
