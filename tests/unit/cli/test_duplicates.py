"""``duplicates``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from desktop_crm.db.engine import Database
from desktop_crm.services import records
from desktop_crm.services.context import sign_in

if TYPE_CHECKING:
    from tests.unit.cli.conftest import Run


def test_pairs_are_searched_shown_merged_and_parted(run: Run, sample: Path) -> None:
    db = Database.open(str(sample))
    actor = sign_in(db)
    values = {"first_name": "Zina", "last_name": "Zorilă", "email": "zina@zorile.example"}
    one = records.save(actor, "contact", None, None, values).id
    two = records.save(actor, "contact", None, None, {**values, "job_title": "Owner"}).id
    db.close()

    ran = run("duplicates", "scan", "contact", "--db", sample, "--json")
    assert ran.code == 0
    assert ran.json["new"] >= 1
    assert "were searched" in run("duplicates", "scan", "contact", "--db", sample).out

    ran = run("duplicates", "list", "contact", "--db", sample, "--json")
    mine = next(pair for pair in ran.json if pair["first"] == one)
    assert (mine["second"], mine["reasons"][0]) == (two, "email")
    assert "same e-mail address" in run("duplicates", "list", "contact", "--db", sample).out

    ran = run("duplicates", "merge", "contact", one, two, "--db", sample, "--json")
    assert ran.json["id"] == one
    ran = run("query", "contact", "--filter", "last_name = Zorilă", "--db", sample, "--json")
    assert [row["id"] for row in ran.json] == [one]
    ran = run("duplicates", "part", ran_operation(run, sample, one, two), "--db", sample, "--json")
    assert ran.json["restored"] == [two]


def ran_operation(run: Run, sample: Path, one: int, two: int) -> str:
    """Operation of the merge that stands."""
    from desktop_crm.services.duplicates import review

    db = Database.open(str(sample))
    (merge,) = review.merges_of(sign_in(db), "contact", one)
    db.close()
    return merge.operation


def test_what_cannot_be_done_is_said(run: Run, sample: Path) -> None:
    ran = run("duplicates", "scan", "activity", "--db", sample)
    assert ran.code == 1
    assert "There are no duplicates of “activity”" in ran.err
    ran = run("duplicates", "merge", "contact", 999_998, 999_999, "--db", sample)
    assert ran.code == 1
    assert "Nothing was merged" in ran.err
    ran = run("duplicates", "part", "nothing", "--db", sample)
    assert "This merge does not exist" in ran.err
