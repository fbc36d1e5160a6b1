from __future__ import annotations

from typing import Any

import pytest

from desktop_crm.core.errors import UserError
from desktop_crm.db.engine import Database
from desktop_crm.models.customizing import FieldKind
from desktop_crm.services import query, records, undo
from desktop_crm.services.context import Actor, system_actor
from desktop_crm.services.customizing import fields
from desktop_crm.services.rules import leads
from tests.support.company import small_company


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


def own(actor: Actor, entity: str, kind: FieldKind, label: str, **more: Any) -> str:
    fields.add(actor, entity, kind, label, **more)
    return next(f.name for f in fields.of_entity(actor, entity) if f.label == label)


def test_fields_of_ones_own_go_along_by_label_and_kind(database: Database) -> None:
    actor = small_company(database).actor
    text, choice = FieldKind.TEXT, FieldKind.CHOICE
    hobby = own(actor, "lead", text, "Hobby")
    size = own(actor, "lead", choice, "Size", values=("Small", "Large"))
    vip = own(actor, "lead", FieldKind.BOOLEAN, "Important guest")
    secret = own(actor, "lead", text, "Remark", is_confidential=True)
    alone = own(actor, "lead", text, "Only here")
    there = {
        "account": own(actor, "account", choice, "Size", values=("Huge", "Large")),
        "contact": own(actor, "contact", text, "HOBBY"),
        "opportunity": own(actor, "opportunity", FieldKind.BOOLEAN, "Important guest"),
    }
    own(actor, "account", FieldKind.INTEGER, "Hobby")
    remark = own(actor, "contact", text, "Remark", is_confidential=True)
    values = {hobby: "Chess", size: "large", vip: True, secret: "Careful", alone: "x"}
    lead = make_lead(actor, **values)
    became = leads.convert(actor, lead, leads.ConversionWish())
    keys = {"account": became.account, "contact": became.contact}
    keys["opportunity"] = became.opportunity
    found = {
        entity: records.get(actor, entity, key).values[there[entity]]
        for entity, key in keys.items()
        if key is not None
    }
    assert found == {"account": "large", "contact": "Chess", "opportunity": True}
    assert became.contact is not None
    assert records.get(actor, "contact", became.contact).values[remark] == "Careful"


def test_a_field_of_ones_own_that_is_filled_in_stays(database: Database) -> None:
    actor = small_company(database).actor
    hobby = own(actor, "lead", FieldKind.TEXT, "Hobby")
    size = own(actor, "lead", FieldKind.CHOICE, "Size", values=("Small",))
    theirs = own(actor, "contact", FieldKind.TEXT, "Hobby")
    own(actor, "contact", FieldKind.CHOICE, "Size", values=("Large",))
    contact = records.save(actor, "contact", None, None, {"last_name": "A", theirs: "Go"}).id
    lead = make_lead(actor, **{hobby: "Chess", size: "small"})
    leads.convert(actor, lead, leads.ConversionWish(contact=contact, opportunity=False))
    assert records.get(actor, "contact", contact).values[theirs] == "Go"


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
