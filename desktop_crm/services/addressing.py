"""Postal addresses and contact details of many records, as they go on labels and cards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import select

from desktop_crm.core.i18n import N_, tr
from desktop_crm.core.text import fold
from desktop_crm.db.engine import Cancel
from desktop_crm.meta import registry
from desktop_crm.models import OwnCompany
from desktop_crm.services import query
from desktop_crm.services.bulk.job import CHUNK, Failure, Targets
from desktop_crm.services.context import Actor
from desktop_crm.services.permissions import knows, require
from desktop_crm.services.query import RecordQuery

_PLACE: Final = ("street", "postal_code", "city", "region", "country")
_WANTED: Final = (
    "salutation", "full_name", "name", "job_title", "company", "account", "industry",
    *_PLACE, *(f"account.{part}" for part in _PLACE), "phone", "email", "website",
)  # fmt: skip
NO_ADDRESS: Final = N_("There is no postal address.")


@dataclass(frozen=True, slots=True)
class Labels:
    """Lines of each address in the order of the list, and who has none."""

    addresses: tuple[tuple[str, ...], ...]
    left_out: tuple[Failure, ...]


@dataclass(frozen=True, slots=True)
class Card:
    """Who somebody is and how to reach them, in shown form."""

    title: str
    subtitle: str
    lines: tuple[str, ...]


def has_addresses(entity_key: str) -> bool:
    """Whether records of an entity have a postal address."""
    return "street" in registry.get(entity_key).fields


def labels(actor: Actor, targets: Targets, cancel: Cancel | None = None) -> Labels:
    """Read the addresses of many records; one statement for each thousand.

    A contact without an address of its own is reached at its account. The country is left out in
    one's own country, as post offices ask.
    """
    own = _own_country(actor)
    addresses: list[tuple[str, ...]] = []
    left_out: list[Failure] = []
    for key, values in _read(actor, targets, cancel):
        lines = _address(values, own)
        if len(lines) > 1:
            addresses.append(lines)
        else:
            title = str(values.get("full_name") or values.get("name") or "")
            left_out.append(Failure(key, title, tr(NO_ADDRESS)))
    return Labels(tuple(addresses), tuple(left_out))


def cards(actor: Actor, targets: Targets, cancel: Cancel | None = None) -> tuple[Card, ...]:
    """Read what a contact sheet shows of many records; one statement for each thousand."""
    own = _own_country(actor)
    return tuple(_card(values, own) for _key, values in _read(actor, targets, cancel))


def _read(
    actor: Actor, targets: Targets, cancel: Cancel | None
) -> Sequence[tuple[int, Mapping[str, Any]]]:
    entity = registry.get(targets.entity)
    require(actor, entity, "read")
    has_account = "account" in entity.fields
    names = tuple(
        name
        for name in _WANTED
        if (has_account if name.startswith("account.") else _has(actor, targets.entity, name))
    )
    asked = RecordQuery(targets.entity, names)
    found: list[tuple[int, Mapping[str, Any]]] = []
    ids = targets.keys(actor, cancel)
    for start in range(0, len(ids), CHUNK):
        for row in query.rows(actor, asked, ids[start : start + CHUNK], cancel):
            found.append((row.id, dict(zip(names, row.values, strict=True))))
    return found


def _has(actor: Actor, entity_key: str, name: str) -> bool:
    field = registry.get(entity_key).fields.get(name)
    return field is not None and knows(actor, field)


def _own_country(actor: Actor) -> str:
    with actor.db.reading() as connection:
        own = select(OwnCompany.country).where(OwnCompany.deleted_at.is_(None)).limit(1)
        return fold(str(connection.execute(own).scalar() or ""))


def _text(values: Mapping[str, Any], name: str) -> str:
    return " ".join(str(values.get(name) or "").split())


def _place(values: Mapping[str, Any], prefix: str, own_country: str) -> list[str]:
    street = _text(values, f"{prefix}street")
    if not street:
        return []
    postal, city = _text(values, f"{prefix}postal_code"), _text(values, f"{prefix}city")
    country = _text(values, f"{prefix}country")
    if own_country and fold(country) == own_country:
        country = ""
    return [line for line in (street, f"{postal} {city}".strip(), country.upper()) if line]


def _address(values: Mapping[str, Any], own_country: str) -> tuple[str, ...]:
    person = " ".join(t for t in (_text(values, "salutation"), _text(values, "full_name")) if t)
    company = _text(values, "name") or _text(values, "account") or _text(values, "company")
    place = _place(values, "", own_country) or _place(values, "account.", own_country)
    who = [text for text in dict.fromkeys((person, company)) if text]
    return (*who, *place) if place else tuple(who[:1])


def _card(values: Mapping[str, Any], own_country: str) -> Card:
    title = _text(values, "full_name") or _text(values, "name")
    company = _text(values, "account") or _text(values, "company")
    role = _text(values, "job_title") or _text(values, "industry")
    subtitle = " · ".join(text for text in (role, company) if text)
    place = _place(values, "", own_country) or _place(values, "account.", own_country)
    lines = (
        _text(values, "phone"), _text(values, "email"), _text(values, "website"), ", ".join(place),
    )  # fmt: skip
    return Card(title, subtitle, tuple(line for line in lines if line))
