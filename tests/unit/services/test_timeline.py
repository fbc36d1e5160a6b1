"""The timeline of a record, on both databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from desktop_crm.core import clock
from desktop_crm.core.errors import PermissionDenied
from desktop_crm.services import records
from desktop_crm.services.context import system_actor
from desktop_crm.services.timeline import timeline
from tests.support.company import NOW, at, small_company

if TYPE_CHECKING:
    from desktop_crm.db.engine import Database


@pytest.fixture(autouse=True)
def _clock() -> None:
    clock.use_clock(lambda: NOW)


def test_the_latest_comes_first_and_says_why_it_stands_there(database: Database) -> None:
    company = small_company(database)
    rossi = company.ids["rossi"]
    company.add(
        "activity",
        "note",
        {"subject": "Met at the fair", "kind": "note", "account": rossi,
         "description": "They  want\na quote.", "due_at": at(20, 9)},
    )  # fmt: skip

    items = timeline(company.actor, "account", rossi)

    assert [item.subject for item in items] == ["Product demonstration", "Met at the fair"]
    assert items[0].at == at(25, 11)
    assert items[0].rule == "record"
    assert items[0].linked_by == "Mara Ionescu"
    assert items[0].confidence == 100
    assert items[1].preview == "They want a quote."
    assert items[1].who == "Mara Ionescu"


def test_pages_follow_each_other_without_gaps(database: Database) -> None:
    company = small_company(database)
    account = company.ids["dumbrava"]
    for number in range(5):
        company.add(
            "activity", f"t{number}",
            {"subject": f"Task {number}", "account": account, "due_at": at(10 + number // 2, 9)},
        )  # fmt: skip

    seen: list[str] = []
    page = timeline(company.actor, "account", account, limit=2)
    while page:
        seen += [item.subject for item in page]
        page = timeline(company.actor, "account", account, limit=2, before=page[-1])

    assert seen == ["Task 4", "Task 3", "Task 2", "Task 1", "Task 0"]


def test_a_link_taken_back_leaves_the_timeline(database: Database) -> None:
    company = small_company(database)
    demo = company.ids["demo"]
    records.save(company.actor, "activity", demo, None, {"account": company.ids["dumbrava"]})

    assert timeline(company.actor, "account", company.ids["rossi"]) == []
    assert len(timeline(company.actor, "account", company.ids["dumbrava"])) == 1


def test_a_private_appointment_is_only_busy_for_who_takes_part(database: Database) -> None:
    """What it is about is private as well: on the record of an account nobody else finds it."""
    company = small_company(database)
    rossi, secret = company.ids["rossi"], company.ids["secret"]
    system = system_actor(database)
    values = {"account": rossi, "description": "Root canal"}
    records.save(system, "activity", secret, None, values)

    def seen() -> list[tuple[str, str, str]]:
        found = timeline(company.actor, "account", rossi)
        return [(i.subject, i.preview, i.evidence) for i in found if i.at == at(24, 15)]

    assert seen() == []
    party = {"activity": secret, "name": "Guest", "user": company.actor.user_id}
    records.save(system, "activity_party", None, None, party)
    assert seen() == [("Busy", "", "")]


def test_rights_decide_over_record_and_activity(database: Database) -> None:
    company = small_company(database)
    rossi = company.ids["rossi"]

    assert timeline(company.other, "account", rossi) == []
    nobody = replace(company.other, levels={})
    with pytest.raises(PermissionDenied):
        timeline(nobody, "account", rossi)


def test_future_activities_follow_a_move(database: Database) -> None:
    company = small_company(database)
    rossi = company.ids["rossi"]
    records.save(
        company.actor, "activity", company.ids["demo"], None,
        {"start_at": at(27, 11), "end_at": at(27, 12)},
    )  # fmt: skip

    assert timeline(company.actor, "account", rossi)[0].at == at(25, 11) + timedelta(days=2)
