from __future__ import annotations

import pytest

from desktop_crm.core.errors import UserError
from desktop_crm.db.engine import Database
from desktop_crm.services import query, records, undo
from desktop_crm.services.context import Actor, system_actor
from desktop_crm.services.rules import leads


@pytest.fixture
def actor(database: Database) -> Actor:
    system = system_actor(database)
    role = records.save(system, "role", None, None, {"name": "Admin", "is_admin": True}).id
    user = records.save(system, "user", None, None, {"name": "Ana", "login": "ana", "role": role})
    records.save(system, "stage", None, None, {"name": "Prospecting", "probability": 10})
    records.save(system, "currency", None, None, {"code": "EUR"})
    return Actor(database, user.id, "Ana", "ana", is_admin=True, sees_confidential=True)


def make_lead(actor: Actor, **values: object) -> int:
    lead = {
        "subject": "New roof",
        "first_name": "Ioana",
        "last_name": "Țiglă",
        "company": "Acoperiș SRL",
        "email": "ioana@acoperis.example",
        "city": "Brașov",
        "est_amount": "12500",
        **values,
    }
    return records.save(actor, "lead", None, None, lead).id


def test_lead_becomes_three_records_in_one_step(actor: Actor) -> None:
    lead = make_lead(actor)
    task = records.save(actor, "activity", None, None, {"subject": "Call back", "lead": lead}).id

    became = leads.convert(actor, lead, leads.ConversionWish())

    assert became.account is not None
    assert became.contact is not None
    assert became.opportunity is not None
    account = records.get(actor, "account", became.account)
    contact = records.get(actor, "contact", became.contact)
    opportunity = records.get(actor, "opportunity", became.opportunity)
    assert (account.title, account.values["city"]) == ("Acoperiș SRL", "Brașov")
    assert contact.values["email"] == "ioana@acoperis.example"
    assert contact.values["account"] == account.id
    assert (opportunity.title, opportunity.values["amount"]) == ("New roof", 12500)
    assert records.get(actor, "lead", lead).values["state"] == "qualified"
    assert records.get(actor, "activity", task).values["opportunity"] == opportunity.id

    undo.undo(actor)

    assert query.count(actor, query.entity_query("account")) == 0
    assert records.get(actor, "lead", lead).values["converted_at"] is None


def test_existing_account_only_gets_its_empty_fields(actor: Actor) -> None:
    known = records.save(
        actor, "account", None, None, {"name": "Acoperis S.R.L.", "industry": "Roofs"}
    ).id
    lead = make_lead(actor, industry="Building", employees=12)

    offered = leads.matches(actor, lead)
    became = leads.convert(actor, lead, leads.ConversionWish(account=known, opportunity=False))

    assert [match.id for match in offered.accounts] == [known]
    assert became.account == known
    values = records.get(actor, "account", known).values
    assert (values["industry"], values["employees"]) == ("Roofs", 12)


def test_second_conversion_is_refused(actor: Actor) -> None:
    lead = make_lead(actor)
    leads.convert(actor, lead, leads.ConversionWish())

    with pytest.raises(UserError, match="converted already"):
        leads.convert(actor, lead, leads.ConversionWish())


def test_lead_without_company_and_person_stays(actor: Actor) -> None:
    lead = make_lead(actor, company=None, first_name=None, last_name=None, email=None)

    with pytest.raises(UserError, match="needs a company or a person"):
        leads.convert(actor, lead, leads.ConversionWish())

    assert records.get(actor, "lead", lead).values["state"] == "open"
