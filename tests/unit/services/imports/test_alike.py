"""New rows of a file that may be records already are asked about, never decided by themselves."""

from __future__ import annotations

from pathlib import Path

import pytest

from desktop_crm.db.engine import Database
from desktop_crm.services import imports, records
from desktop_crm.services.context import Actor, system_actor
from desktop_crm.services.imports.draft import NoticeKind, Outcome

FILE = (
    "first_name,last_name,phone,job_title,do_not_email\n"
    "Popescu,Ion,0722 100 200,Owner,\n"
    "Ana,Dumitru,0744 555 666,Buyer,\n"
)


@pytest.fixture
def actor(database: Database) -> Actor:
    return system_actor(database)


def test_a_person_says_which_rows_are_the_same(actor: Actor, tmp_path: Path) -> None:
    values = {"first_name": "Ion", "last_name": "Popescu", "phone": "+40722100200",
              "do_not_email": True}  # fmt: skip
    ion = records.save(actor, "contact", None, None, values).id
    file = tmp_path / "contacts.csv"
    file.write_text(FILE, encoding="utf-8")
    plan = imports.plan_file(actor, "contact", file)
    assert [row.outcome for row in plan.rows] == [Outcome.CREATE, Outcome.CREATE]
    assert plan.rows[0].reason == "May be “Ion Popescu” already: same phone, same name."
    assert plan.rows[1].reason == ""
    assert [n.message for n in plan.notices if n.kind is NoticeKind.ALIKE] == [
        "1 new row may be a record already; tick it where it is the same."
    ]
    plan.take_as_same(plan.rows)
    result = imports.apply(actor, plan)
    assert (result.created, result.updated) == (1, 1)
    read = records.get(actor, "contact", ion)
    assert (read.values["job_title"], read.values["do_not_email"]) == ("Owner", True)
    assert len(read.lines["phones"]) == 1


def test_rows_nobody_ticks_stay_new(actor: Actor, tmp_path: Path) -> None:
    values = {"first_name": "Ion", "last_name": "Popescu", "phone": "+40722100200"}
    records.save(actor, "contact", None, None, values)
    file = tmp_path / "contacts.csv"
    file.write_text(FILE, encoding="utf-8")
    result = imports.apply(actor, imports.plan_file(actor, "contact", file))
    assert (result.created, result.updated) == (2, 0)
