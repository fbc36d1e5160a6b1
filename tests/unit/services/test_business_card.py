"""Business cards: four records in one step, records that are there only filled, one undo."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from desktop_crm.core.errors import NotFound, PermissionDenied, UserError, ValidationFailed
from desktop_crm.services import records, undo
from desktop_crm.services.business_card import MEETING, Card, Made, Part, make
from desktop_crm.services.query import RecordQuery, keys
from tests.support.company import Company, small_company

if TYPE_CHECKING:
    from desktop_crm.db.engine import Database

WHEN = datetime(2026, 12, 1, 9, 0, tzinfo=UTC)
EMAIL = {"address": "ana@nou.example", "type": "work", "is_primary": True}


@pytest.fixture
def company(database: Database) -> Company:
    return small_company(database)


def whole(**parts: Part) -> Card:
    usual = {
        "account": Part({"name": "Nou SRL", "city": "Cluj"}),
        "contact": Part({"first_name": "Ana", "last_name": "Pop", "emails": [EMAIL]}),
        "opportunity": Part({"name": "First order", "amount": Decimal(900)}),
        "activity": Part({"subject": "Call Ana", "kind": "phone_call", "due_at": WHEN}),
    }
    return Card(**{**usual, **parts})


def values(company: Company, made: Made, name: str) -> dict[str, Any]:
    return dict(records.get(company.actor, name, made.keys[name]).values)


def total(company: Company) -> int:
    names = ("account", "contact", "opportunity", "activity")
    return sum(len(keys(company.actor, RecordQuery(name, ()))) for name in names)


def test_a_card_makes_four_linked_records(company: Company) -> None:
    made = make(company.actor, whole())
    account, contact, deal = (made.keys[n] for n in ("account", "contact", "opportunity"))
    assert values(company, made, "contact")["account"] == account
    assert values(company, made, "contact")["email"] == "ana@nou.example"
    opportunity = values(company, made, "opportunity")
    assert (opportunity["account"], opportunity["contact"]) == (account, contact)
    activity = values(company, made, "activity")
    assert (activity["account"], activity["contact"], activity["opportunity"]) == (
        account,
        contact,
        deal,
    )
    assert activity["owner"] == company.actor.user_id
    assert made.changes.ids("contact") >= {contact}


def test_one_undo_takes_all_of_it_back(company: Company) -> None:
    before = total(company)
    make(company.actor, whole())
    assert total(company) == before + 4
    undo.undo(company.actor)
    assert total(company) == before
    undo.redo(company.actor)
    assert total(company) == before + 4


@pytest.mark.parametrize("name", ["account", "contact", "opportunity", "activity"])
def test_each_part_may_stand_alone(company: Company, name: str) -> None:
    only = Card(**{name: getattr(whole(), name)})
    made = make(company.actor, only)
    assert set(made.keys) == {name}


def test_nothing_wanted_is_refused(company: Company) -> None:
    with pytest.raises(UserError, match="Nothing was saved"):
        make(company.actor, Card())


def test_a_record_that_is_there_only_gets_what_it_lacks(company: Company) -> None:
    claire = company.ids["claire"]
    contact = Part(
        {
            "first_name": "Klara",
            "job_title": "Buyer",
            "emails": [EMAIL, {"address": "CLAIRE@rossi.example", "type": "work"}],
            "phones": [{"number": "+40 722 000 111", "type": "mobile"}],
        },
        claire,
    )
    made = make(company.actor, whole(contact=contact, account=Part({}, company.ids["rossi"])))
    found = records.get(company.actor, "contact", claire)
    assert found.values["first_name"] == "Claire"
    assert found.values["job_title"] == "Buyer"
    assert found.values["account"] == company.ids["rossi"]
    assert [row["address"] for row in found.lines["emails"]] == [
        "claire@rossi.example",
        "ana@nou.example",
    ]
    assert found.values["email"] == "claire@rossi.example"
    assert found.values["phone"] == "+40 722 000 111"
    assert made.keys["contact"] == claire
    assert values(company, made, "opportunity")["account"] == company.ids["rossi"]
    undo.undo(company.actor)
    again = records.get(company.actor, "contact", claire)
    assert len(again.lines["emails"]) == 1
    assert again.values["job_title"] is None


def test_a_company_that_is_there_takes_a_phone_it_lacks(company: Company) -> None:
    rossi = company.ids["rossi"]
    make(company.actor, Card(account=Part({"name": "Other", "phone": "0233 740 100"}, rossi)))
    found = records.get(company.actor, "account", rossi)
    assert found.values["name"] == "Officine Rossi"
    assert found.values["phone"] == "0233 740 100"
    before = found.version
    make(company.actor, Card(account=Part({"phone": "+40 233 740100"}, rossi)))
    assert records.get(company.actor, "account", rossi).version == before


def test_a_meeting_begins_and_ends(company: Company) -> None:
    meeting = Part({"subject": "Visit", "kind": "appointment", "due_at": WHEN})
    made = make(company.actor, Card(activity=meeting))
    found = values(company, made, "activity")
    assert (found["start_at"], found["end_at"]) == (WHEN, WHEN + MEETING)


def test_what_is_wrong_names_its_part_and_nothing_is_saved(company: Company) -> None:
    before = total(company)
    wrong = Part({"first_name": "Ana", "emails": [{"address": "no address"}]})
    with pytest.raises(ValidationFailed) as caught:
        make(company.actor, whole(contact=wrong))
    assert all(error.field.startswith("contact.") for error in caught.value.errors)
    assert total(company) == before


def test_a_record_that_is_gone_is_told_and_nothing_is_saved(company: Company) -> None:
    before = total(company)
    with pytest.raises(NotFound):
        make(company.actor, whole(account=Part({}, 999_999)))
    assert total(company) == before


def test_rights_are_those_of_each_record(company: Company) -> None:
    before = total(company)
    with pytest.raises((PermissionDenied, NotFound)):
        make(company.other, whole(account=Part({"city": "Iași"}, company.ids["rossi"])))
    assert total(company) == before
