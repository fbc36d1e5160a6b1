"""Files that name a merged record reach the one that is left (R52)."""

from __future__ import annotations

from pathlib import Path

import pytest

from desktop_crm.db.engine import Database
from desktop_crm.services import excel, imports, records
from desktop_crm.services.context import Actor, system_actor
from desktop_crm.services.duplicates.merge import MergeWish, merge
from desktop_crm.services.imports.draft import Outcome
from desktop_crm.services.query import RecordQuery


@pytest.fixture
def actor(database: Database) -> Actor:
    return system_actor(database)


def two(actor: Actor) -> tuple[int, int]:
    made = [
        records.save(actor, "contact", None, None, {"last_name": "Pop", **more}).id
        for more in ({"job_title": "Buyer"}, {"department": "Sales", "external_id": "X7"})
    ]
    return made[0], made[1]


def test_the_key_of_another_program_leads_to_the_master(actor: Actor, tmp_path: Path) -> None:
    master, loser = two(actor)
    records.save(actor, "contact", master, None, {"external_id": "A1"})
    merge(actor, MergeWish("contact", master, (loser,)))
    file = tmp_path / "contacts.csv"
    file.write_text("external_id,last_name,role\nx7,Pop,Influencer\n", encoding="utf-8")
    plan = imports.plan_file(actor, "contact", file)
    assert [(row.outcome, row.record_id) for row in plan.rows] == [(Outcome.UPDATE, master)]


def test_a_workbook_with_both_changes_the_master_alone(actor: Actor, tmp_path: Path) -> None:
    master, loser = two(actor)
    query = RecordQuery("contact", excel.exportable(actor, "contact"))
    file = tmp_path / "contacts.xlsx"
    excel.export(actor, query, file)
    merge(actor, MergeWish("contact", master, (loser,)))
    plan = imports.plan_file(actor, "contact", file)
    assert [row.outcome for row in plan.rows] == [Outcome.SAME, Outcome.ERROR]
    assert "Same record as row" in plan.rows[1].reason
    assert records.get(actor, "contact", master).values["department"] == "Sales"
