"""Which fields say who a record is: declared here once, for typing, import, scan and review.

Contacts, accounts and leads are people and companies; every other titled entity is the same when
its title and its natural key say so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from desktop_crm.core.sameness import company_key, person_key, tax_key
from desktop_crm.meta import kinds, registry
from desktop_crm.meta.bound import Entity

KEYS: Final[Mapping[str, Mapping[str, tuple[str, Callable[[str], str]]]]] = {
    "account": {"name_key": ("name", company_key), "tax_key": ("tax_id", tax_key)},
    "contact": {"name_key": ("full_name", person_key)},
    "lead": {"name_key": ("full_name", person_key), "company_key": ("company", company_key)},
}
"""Stored forms of names by entity: the field each is made from, and how."""


@dataclass(frozen=True, slots=True)
class Identity:
    """What tells one record of an entity from another.

    Attributes:
        entity: Its key.
        name: Fields that make the name together, in order; the last one alone when it is whole.
        key: Stored form that names are sought by; ``title_key`` where there is no other.
        is_person: Words of the name may be swapped, and many people share one.
        company: Field with the company: a link to an account or a text.
        tax_id: Field that alone decides.
        domains: Fields with a web address or a mail domain.
        city: Field with the city, and ``street`` with the street.
        born: Field with the birthday.
        via: Column of addresses and phones that points to the record; empty: it has none.
        natural: Fields that identify a record outside, compared folded.
        within: Link that must be equal as well where the title alone says little.
    """

    entity: str
    name: tuple[str, ...]
    key: str = "title_key"
    is_person: bool = False
    company: str = ""
    tax_id: str = ""
    domains: tuple[str, ...] = ()
    city: str = ""
    street: str = ""
    born: str = ""
    via: str = ""
    natural: tuple[str, ...] = ()
    within: str = ""


CONTACT: Final = Identity(
    "contact", ("first_name", "middle_name", "last_name", "suffix", "full_name"), "name_key",
    is_person=True, company="account", city="city", street="street", born="birthday",
    via="contact_id", natural=("external_id",),
)  # fmt: skip
ACCOUNT: Final = Identity(
    "account", ("name",), "name_key", tax_id="tax_id", domains=("domain", "website"),
    city="city", street="street", via="account_id",
    natural=("external_id", "account_number", "trade_register"),
)  # fmt: skip
LEAD: Final = Identity(
    "lead", ("first_name", "last_name", "full_name"), "name_key", is_person=True,
    company="company", city="city", street="street", via="lead_id", natural=("external_id",),
)  # fmt: skip
LEAD_COMPANY: Final = Identity(
    "lead", ("company",), "company_key", domains=("website",), city="city", street="street",
    via="lead_id",
)  # fmt: skip

LOOKS: Final[Mapping[str, tuple[tuple[Identity, Identity], ...]]] = {
    "contact": ((CONTACT, CONTACT), (CONTACT, LEAD)),
    "account": ((ACCOUNT, ACCOUNT), (ACCOUNT, LEAD_COMPANY)),
    "lead": ((LEAD, LEAD), (LEAD, CONTACT), (LEAD_COMPANY, ACCOUNT)),
}
"""As what a record is looked at, and where the same may stand already."""

_REPEATING: Final = frozenset({"activity", "document", "saved_view", "import_batch"})
"""Titles that come again and again without meaning the same."""

_COMPARED: Final = (kinds.TEXT, kinds.EMAIL)


def looks_of(entity_key: str) -> tuple[tuple[Identity, Identity], ...]:
    """Where to look for a record that is the same; empty where sameness means nothing."""
    known = LOOKS.get(entity_key)
    if known is not None:
        return known
    found = identity_of(entity_key)
    return () if found is None else ((found, found),)


def identity_of(entity_key: str) -> Identity | None:
    """What tells records of an entity apart; None where sameness means nothing."""
    known = LOOKS.get(entity_key)
    if known is not None:
        return known[0][0]
    entity = registry.get(entity_key)
    if "title_key" not in entity.fields or entity_key in _REPEATING:
        return None
    return _from_declaration(entity)


def _from_declaration(entity: Entity) -> Identity:
    natural = tuple(
        name
        for name in entity.natural_key
        if name != entity.title and entity.fields[name].kind in _COMPARED
    )
    within = "account" if "account" in entity.fields else ""
    named = entity.title in entity.natural_key
    return Identity(entity.key, (entity.title,), natural=natural, within="" if named else within)
