"""Addresses for labels: whose, in which order, and who has none."""

from __future__ import annotations

from desktop_crm.services import addressing, records
from desktop_crm.services.bulk.job import Targets
from tests.support.world import World


def _at(street: str | None, country: str = "Romania") -> list[dict[str, object]]:
    if street is None:
        return []
    return [
        {"street": street, "postal_code": "400001", "city": "Cluj", "country": country,
         "is_primary": True}
    ]  # fmt: skip


def test_a_contact_is_reached_at_its_own_address_else_at_its_account(world: World) -> None:
    records.save(world.admin, "own_company", None, None, {"name": "We", "country": "Italia"})
    account = world.factory.make("account", name="Dumbrava SRL", addresses=_at("Lungă 5"))
    bare = world.factory.make("account", name="Bare SRL", addresses=[])
    person = {"first_name": "Ana", "middle_name": None, "suffix": None, "salutation": "Ms"}
    own = world.factory.make(
        "contact", **person, last_name="Own", account=account, addresses=_at("Mică 1", "Germany")
    )
    there = world.factory.make(
        "contact", **person, last_name="There", account=account, addresses=[]
    )
    none = world.factory.make("contact", **person, last_name="None", account=bare, addresses=[])
    found = addressing.labels(world.admin, Targets("contact", [own, there, none]))
    assert found.addresses == (
        ("Ms Ana Own", "Dumbrava SRL", "Mică 1", "400001 Cluj", "GERMANY"),
        ("Ms Ana There", "Dumbrava SRL", "Lungă 5", "400001 Cluj", "ROMANIA"),
    )
    assert [(f.record_id, f.title) for f in found.left_out] == [(none, "Ana None")]


def test_the_own_country_is_left_out(world: World) -> None:
    records.save(world.admin, "own_company", None, None, {"name": "A", "country": "România"})
    key = world.factory.make("account", name="Home SRL", addresses=_at("Lungă 5"))
    found = addressing.labels(world.admin, Targets("account", [key]))
    assert found.addresses == (("Home SRL", "Lungă 5", "400001 Cluj"),)


def test_an_account_out_of_sight_lends_no_address(world: World) -> None:
    stranger, own = world.people["stranger"], world.people["own"]
    account = world.factory.make("account", owner=stranger.user_id, addresses=_at("Secret 1"))
    key = world.factory.make("contact", owner=own.user_id, account=account, addresses=[])
    found = addressing.labels(own, Targets("contact", [key]))
    assert found.addresses == ()
    (card,) = addressing.cards(own, Targets("contact", [key]))
    assert "Secret" not in " ".join((card.title, card.subtitle, *card.lines))


def test_a_card_says_who_it_is_and_how_to_reach_them(world: World) -> None:
    key = world.factory.make(
        "contact", first_name="Ana", last_name="Pop", middle_name=None, suffix=None,
        job_title="Buyer", addresses=_at("Lungă 5"),
        phones=[{"number": "+40 721 000 000", "is_primary": True}],
        emails=[{"address": "ana@pop.example", "is_primary": True}],
    )  # fmt: skip
    (card,) = addressing.cards(world.admin, Targets("contact", [key]))
    assert card.title == "Ana Pop"
    assert card.subtitle.startswith("Buyer")
    assert card.lines[:2] == ("+40 721 000 000", "ana@pop.example")
    assert card.lines[-1].startswith("Lungă 5, 400001 Cluj")
