"""Contacts of an Exchange mailbox, both ways."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, time
from typing import Final

from desktop_crm.core.errors import UserError
from desktop_crm.core.i18n import N_
from desktop_crm.core.text import canonical_email, clean
from desktop_crm.sync.exchange import fields, items
from desktop_crm.sync.exchange.calls import OWN_KEY, OWN_UID
from desktop_crm.sync.exchange.fields import Field
from desktop_crm.sync.exchange.tasks import SEARCH_KEY, uid_of
from desktop_crm.sync.exchange.xml import Element, T, moment, nearest_day, node, stamp, text_at
from desktop_crm.sync.port import Address, ContactItem, PostalAddress, Sensitivity

PREFIX: Final = "0x3A45 String"
"""MAPI tag of a person's title, which the schema lets nobody write."""

FIELDS: Final = (
    "item:ItemClass", "item:Sensitivity", "item:Body", "item:Categories",
    "item:LastModifiedTime", "contacts:DisplayName", "contacts:GivenName", "contacts:MiddleName",
    "contacts:CompanyName", "contacts:EmailAddresses", "contacts:PhysicalAddresses",
    "contacts:PhoneNumbers", "contacts:Birthday", "contacts:BusinessHomePage",
    "contacts:Department", "contacts:Generation", "contacts:JobTitle", "contacts:Surname",
    "contacts:FileAs", f"tag:{PREFIX}", f"tag:{SEARCH_KEY}",
)  # fmt: skip

_EMAILS: Final = ("EmailAddress1", "EmailAddress2", "EmailAddress3")
_PHONES: Final = {
    "work": ("BusinessPhone", "BusinessPhone2"),
    "mobile": ("MobilePhone",),
    "home": ("HomePhone", "HomePhone2"),
    "fax": ("BusinessFax", "HomeFax", "OtherFax"),
    "other": ("OtherTelephone",),
}
_PLACES: Final = {"work": "Business", "home": "Home", "other": "Other"}
_PARTS: Final = (
    ("Street", "street"),
    ("City", "city"),
    ("State", "region"),
    ("CountryOrRegion", "country"),
    ("PostalCode", "postal_code"),
)
_TOO_MANY_EMAILS: Final = N_(
    "Exchange keeps {limit} e-mail addresses for a contact and this one has {count}. Nothing was "
    "changed in the mailbox; leave the others out."
)
_TOO_MANY_NUMBERS: Final = N_(
    "Exchange keeps {limit} numbers of one kind for a contact and this one has {count}. Nothing "
    "was changed in the mailbox; leave the others out or give them another kind."
)
_TOO_MANY_PLACES: Final = N_(
    "Exchange keeps {limit} address of each kind for a contact and this one has {count}. Nothing "
    "was changed in the mailbox; leave the others out or give them another kind."
)


def contact_item(element: Element, resolve: items.Resolve) -> ContactItem:
    """One person or company."""
    emails = {e.get("Key"): e for e in element.findall(f"{T}EmailAddresses/{T}Entry")}
    found = (_email(emails[key], resolve) for key in _EMAILS if key in emails)
    phones = {
        e.get("Key"): clean(e.text or "") for e in element.findall(f"{T}PhoneNumbers/{T}Entry")
    }
    return ContactItem(
        uid=uid_of(element),
        full_name=clean(text_at(element, "DisplayName") or text_at(element, "FileAs")),
        first_name=clean(text_at(element, "GivenName")),
        last_name=clean(text_at(element, "Surname")),
        middle_name=clean(text_at(element, "MiddleName")),
        prefix=_tagged(element),
        suffix=clean(text_at(element, "Generation")),
        company=clean(text_at(element, "CompanyName")),
        job_title=clean(text_at(element, "JobTitle")),
        department=clean(text_at(element, "Department")),
        emails=tuple(dict.fromkeys(address for address in found if address)),
        phones=tuple(
            (kind, phones[key]) for kind, keys in _PHONES.items() for key in keys if phones.get(key)
        ),
        addresses=tuple(_addresses(element)),
        website=text_at(element, "BusinessHomePage"),
        birthday=nearest_day(text_at(element, "Birthday")),
        text=items.body_of(element)[0],
        categories=items.categories_of(element),
        sensitivity=items.SENSITIVE.get(
            text_at(element, "Sensitivity").lower(), Sensitivity.NORMAL
        ),
        modified_at=moment(text_at(element, "LastModifiedTime")),
    )


def _tagged(element: Element) -> str:
    for found in element.findall(f"{T}ExtendedProperty"):
        path = found.find(f"{T}ExtendedFieldURI")
        if path is not None and path.get("PropertyTag", "").lower() == "0x3a45":
            return clean(text_at(found, "Value"))
    return ""


def _email(entry: Element, resolve: items.Resolve) -> Address | None:
    written = clean(entry.text or "")
    if entry.get("RoutingType", "").upper() == "EX" or written.lower().startswith("/o="):
        written = resolve(written) or written
    address = canonical_email(written)
    name = clean(entry.get("Name", ""))
    if address is None:
        return Address(written, name, readable=False) if written else None
    return Address(address, "" if name.lower() == address else name)


def _addresses(element: Element) -> Iterator[PostalAddress]:
    entries = {e.get("Key"): e for e in element.findall(f"{T}PhysicalAddresses/{T}Entry")}
    for kind, key in _PLACES.items():
        if key in entries:
            parts = {ours: clean(text_at(entries[key], name)) for name, ours in _PARTS}
            if any(parts.values()):
                yield PostalAddress(kind, **parts)


def contact_fields(item: ContactItem, own_key: str = "") -> list[Field]:
    """What a request says of a contact, in the order of the schema.

    Raises:
        UserError: it has more addresses or numbers of a kind than Exchange keeps.
    """
    birthday = item.birthday
    born = datetime.combine(birthday, time(), tzinfo=UTC) if birthday else None
    return [
        fields.sensitivity(item.sensitivity),
        fields.body(item.text),
        fields.categories(item.categories),
        *((fields.own(OWN_KEY, own_key),) if own_key else ()),
        *((fields.own(OWN_UID, item.uid),) if not item.uid.startswith("exchange:") else ()),
        fields.tagged(PREFIX, item.prefix),
        fields.text("contacts:FileAs", "t:FileAs", item.full_name),
        fields.text("contacts:DisplayName", "t:DisplayName", item.full_name),
        fields.text("contacts:GivenName", "t:GivenName", item.first_name),
        fields.text("contacts:MiddleName", "t:MiddleName", item.middle_name),
        fields.text("contacts:CompanyName", "t:CompanyName", item.company),
        *_email_fields(item),
        *_place_fields(item),
        *_phone_fields(item),
        Field("contacts:Birthday", node("t:Birthday", stamp(born)) if born else None),
        fields.text("contacts:BusinessHomePage", "t:BusinessHomePage", item.website),
        fields.text("contacts:Department", "t:Department", item.department),
        fields.text("contacts:Generation", "t:Generation", item.suffix),
        fields.text("contacts:JobTitle", "t:JobTitle", item.job_title),
        fields.text("contacts:Surname", "t:Surname", item.last_name),
    ]


def _email_fields(item: ContactItem) -> Iterator[Field]:
    _limit(_TOO_MANY_EMAILS, len(_EMAILS), len(item.emails))
    for place, key in enumerate(_EMAILS):
        made = None
        if place < len(item.emails):
            person = item.emails[place]
            named = {"Name": person.name} if person.name else {}
            made = node("t:Entry", person.address, Key=key, **named)
        yield Field("contacts:EmailAddress", made, key, "t:EmailAddresses")


def _phone_fields(item: ContactItem) -> Iterator[Field]:
    for kind, keys in _PHONES.items():
        numbers = [number for one, number in item.phones if one == kind]
        _limit(_TOO_MANY_NUMBERS, len(keys), len(numbers))
        for place, key in enumerate(keys):
            made = node("t:Entry", numbers[place], Key=key) if place < len(numbers) else None
            yield Field("contacts:PhoneNumber", made, key, "t:PhoneNumbers")


def _place_fields(item: ContactItem) -> Iterator[Field]:
    for kind, key in _PLACES.items():
        places = [place for place in item.addresses if place.kind == kind]
        _limit(_TOO_MANY_PLACES, 1, len(places))
        for name, ours in _PARTS:
            value = getattr(places[0], ours) if places else ""
            made = node("t:Entry", value, Key=key) if value else None
            uri = f"contacts:PhysicalAddress:{name}"
            yield Field(uri, made, key, "t:PhysicalAddresses", f"t:{name}")


def _limit(sentence: str, limit: int, count: int) -> None:
    if count > limit:
        raise UserError(sentence, limit=limit, count=count)
