"""Records that may be the same are found as one types, with reasons and within one's rights."""

from __future__ import annotations

from typing import Any

import pytest

from desktop_crm.core.errors import ValidationFailed
from desktop_crm.services import records
from desktop_crm.services.context import Actor
from desktop_crm.services.duplicates.candidates import Candidate, candidates
from desktop_crm.services.duplicates.evidence import Reason
from tests.support.statements import counted
from tests.support.world import World


def make(actor: Actor, entity: str, **values: Any) -> int:
    return records.save(actor, entity, None, None, values).id


def ids(found: list[Candidate], entity: str) -> list[int | None]:
    return [c.id for c in found if c.entity == entity]


def test_a_contact_is_found_by_every_key(world: World) -> None:
    admin = world.admin
    firm = make(admin, "account", name="Zorile Lumină SRL", website="https://zorile-lumina.ro")
    key = make(
        admin, "contact", first_name="Ștefania", last_name="Zorilă", account=firm,
        emails=[{"address": "stefania@zorile-lumina.ro"}, {"address": "zs@gmail.com"}],
        phones=[{"number": "0722 900 801"}], addresses=[{"city": "Bârlad", "street": "Lungă 5"}],
    )  # fmt: skip
    typed: list[tuple[dict[str, Any], Reason]] = [
        ({"email": "zs@gmail.com"}, Reason.EMAIL),
        ({"first_name": "Stefania", "last_name": "Zorila", "phone": "+40 722 900801"},
         Reason.PHONE),
        ({"first_name": "Zorilă", "last_name": "Stefania", "account": firm}, Reason.COMPANY),
        ({"first_name": "Stefnia", "last_name": "Zorila", "account": firm}, Reason.SIMILAR_NAME),
        ({"first_name": "Stefania", "last_name": "Zorlia",
          "emails": [{"address": "s.z@zorile-lumina.ro"}]}, Reason.DOMAIN),
        ({"first_name": "Stefania", "last_name": "Zorilă", "city": "BARLAD"}, Reason.CITY),
    ]  # fmt: skip
    for values, reason in typed:
        found = candidates(admin, "contact", values)
        assert ids(found, "contact") == [key], values
        assert reason in found[0].reasons
        assert not found[0].blocks
        assert found[0].why
    assert candidates(admin, "contact", typed[0][0], exclude_id=key) == []
    assert candidates(admin, "contact", {"first_name": "Nimeni", "last_name": "Zorilă"}) == []


def test_leads_contacts_and_accounts_are_found_across(world: World) -> None:
    admin = world.admin
    firm = make(admin, "account", name="Brandul Vechi S.A.", domain="brandulvechi.ro")
    person = make(admin, "contact", first_name="Ilie", last_name="Brandu",
                  email="ilie@brandulvechi.ro")  # fmt: skip
    lead = make(admin, "lead", subject="Roof", first_name="Ilie", last_name="Brandu",
                company="S.C. Brandul Vechi SRL", email="ilie@brandulvechi.ro",
                website="brandulvechi.ro")  # fmt: skip
    values = dict(records.get(admin, "lead", lead).values)
    found = candidates(admin, "lead", values, exclude_id=lead)
    assert ids(found, "contact") == [person]
    assert ids(found, "account") == [firm]
    assert ids(candidates(admin, "contact", {"email": "ilie@brandulvechi.ro"}), "lead") == [lead]
    company = {"name": "Brandul Vechi", "website": "brandulvechi.ro"}
    assert ids(candidates(admin, "account", company), "lead") == [lead]


def test_other_records_are_the_same_by_title_and_key(world: World) -> None:
    admin = world.admin
    lamp = make(admin, "product", name="Lampă Zefir", code="ZEF-1")
    by_code = candidates(admin, "product", {"name": "Something", "code": "zef-1"})
    assert ids(by_code, "product") == [lamp]
    assert by_code[0].why == "same code"
    assert ids(candidates(admin, "product", {"name": "LAMPA ZEFIR"}), "product") == [lamp]
    assert candidates(admin, "activity", {"subject": "Call"}) == []


def test_a_record_out_of_sight_is_not_named(world: World) -> None:
    stranger, own = world.people["stranger"], world.people["own"]
    make(stranger, "account", name="Ascuns SRL", tax_id="RO 7700123", email="a@ascuns.ro")
    assert candidates(own, "account", {"name": "Ascuns", "email": "a@ascuns.ro"}) == []
    (found,) = candidates(own, "account", {"name": "Ascuns", "tax_id": "7700123"})
    assert (found.id, found.title, found.subtitle) == (None, "", "")
    assert found.blocks
    assert found.why == "same VAT number"
    assert candidates(world.people["none"], "account", {"name": "Ascuns"}) == []


def test_only_the_tax_id_blocks_saving(world: World) -> None:
    stranger, own = world.people["stranger"], world.people["own"]
    first = make(stranger, "account", name="Unicul SRL", tax_id="RO 8811223", phone="0213001122")
    with pytest.raises(ValidationFailed) as seen:
        make(stranger, "account", name="Unicul bis", tax_id="8811223")
    assert "“Unicul SRL” has the tax id 8811223 already" in str(seen.value.errors[0].message)
    with pytest.raises(ValidationFailed) as hidden:
        make(own, "account", name="Unicul bis", tax_id="8811223")
    assert "Unicul SRL" not in hidden.value.errors[0].message
    assert "may not see" in hidden.value.errors[0].message
    # Another country's number, and everything else, is only shown.
    make(own, "account", name="Unicul SRL", tax_id="BG 8811223", phone="0213001122")
    twin = make(stranger, "account", name="Unicul trei")
    with pytest.raises(ValidationFailed):
        records.save(stranger, "account", twin, None, {"tax_id": "RO8811223"})
    records.save(stranger, "account", first, None, {"tax_id": "RO 8811223 ", "industry": "X"})


def test_an_account_does_not_come_back_beside_one_with_its_tax_id(world: World) -> None:
    admin = world.admin
    gone = make(admin, "account", name="Plecat SRL", tax_id="RO 9922113")
    records.delete(admin, "account", [gone])
    make(admin, "account", name="Venit SRL", tax_id="9922113")
    with pytest.raises(ValidationFailed) as refused:
        records.restore(admin, "account", [gone])
    assert "Venit SRL" in refused.value.errors[0].message


def test_two_new_accounts_of_one_file_cannot_share_a_tax_id(world: World) -> None:
    both = [{"name": "Geamăn 1", "tax_id": "RO4433221"}, {"name": "Geamăn 2", "tax_id": "4433221"}]
    changes = [records.Change(None, None, values) for values in both]
    with pytest.raises(ValidationFailed) as refused:
        records.save_many(world.admin, "account", changes)
    assert "Geamăn 1" in refused.value.errors[0].message


def test_a_common_name_alone_is_not_shown(world: World) -> None:
    admin = world.admin
    name = {"first_name": "Comuna", "last_name": "Numescu"}
    for _ in range(3):
        make(admin, "contact", **name)
    assert len(candidates(admin, "contact", name)) == 3
    make(admin, "contact", **name)
    assert candidates(admin, "contact", name) == []


def test_looking_costs_a_fixed_number_of_statements(world: World) -> None:
    admin = world.admin
    values = {"first_name": "Fixa", "last_name": "Costescu", "email": "f@costescu.ro",
              "phone": "0722 300 400", "city": "Iași"}  # fmt: skip
    make(admin, "contact", **values)
    with counted(admin.db) as before:
        candidates(admin, "contact", values)
    for _ in range(5):
        make(admin, "contact", **values)
    with counted(admin.db) as after:
        assert len(candidates(admin, "contact", values)) == 6
    assert len(after) == len(before) <= 25
