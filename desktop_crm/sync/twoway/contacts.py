"""Fields of a contact: table of both directions.

The company is the account's name here, so it only goes out. Addresses for bills and deliveries
have no place in an address book and stay here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date
from typing import Any, Final

from desktop_crm.core.i18n import N_
from desktop_crm.core.text import canonical_email, canonical_phone
from desktop_crm.models.party import ReachType
from desktop_crm.sync.port import Address, ContactItem, PostalAddress
from desktop_crm.sync.twoway.fields import (
    Field,
    Frame,
    Record,
    Value,
    Way,
    block,
    line,
    merged_map,
)

_KINDS: Final = ("work", "mobile", "home", "fax", "other")
_PLACES: Final = ("work", "home", "other")
_PLACE_PARTS: Final = ("street", "postal_code", "city", "region", "country")


def _text(name: str, label: str, column: str, limit: int) -> Field:
    """A text of one line that is called `name` there and `column` here."""
    return Field(
        name,
        label,
        lambda item: line(getattr(item, name), limit),
        lambda record, _frame: line(record.get(column), limit),
        lambda item, value: replace(item, **{name: value}),
        lambda value, _record, _frame: {column: value or None},
    )


def _rows(record: Record, name: str) -> list[Mapping[str, Any]]:
    """Child rows, the main one first."""
    rows: Iterable[Mapping[str, Any]] = record.get(name) or ()
    return sorted(rows, key=lambda row: not row.get("is_primary"))


# --- e-mail addresses: a list, the main one first ----------------------------------------------


def _emails_of_item(item: ContactItem) -> Value:
    found = (canonical_email(one.address) for one in item.emails if one.readable)
    return list(dict.fromkeys(address for address in found if address))


def _emails_of_record(record: Record, _frame: Frame) -> Value:
    found = (canonical_email(str(row.get("address") or "")) for row in _rows(record, "emails"))
    return list(dict.fromkeys(address for address in found if address))


def _emails_to_item(item: ContactItem, value: Value) -> ContactItem:
    known = {canonical_email(one.address): one for one in item.emails}
    unreadable = tuple(one for one in item.emails if not one.readable)
    return replace(item, emails=(*(known.get(a) or Address(a) for a in value), *unreadable))


def _emails_to_record(value: Value, record: Record, _frame: Frame) -> dict[str, Any]:
    known = {canonical_email(str(row.get("address") or "")): row for row in _rows(record, "emails")}
    return {
        "emails": [
            {
                **known.get(address, {"address": address, "type": ReachType.WORK.value}),
                "is_primary": place == 0,
            }
            for place, address in enumerate(value)
        ]
    }


def _emails_key(value: Value) -> object:
    return (value[0] if value else "", frozenset(value or ()))


def _emails_together(base: Value, ours: Value, theirs: Value) -> Value:
    before, mine, other = set(base or ()), set(ours), set(theirs)
    kept = (mine & other) | (mine - before) | (other - before)
    main = ours if base and ours[:1] != base[:1] else theirs
    return [a for a in dict.fromkeys((*main[:1], *theirs, *ours)) if a in kept]


# --- phones: number to kind and how it is written ----------------------------------------------


def _number(text: str) -> str:
    return canonical_phone(text) or line(text, 60)


def _kind(text: object) -> str:
    kind = str(text or "other")
    return kind if kind in _KINDS else "other"


def _phones_of_item(item: ContactItem) -> Value:
    found = {_number(text): [_kind(kind), line(text, 60)] for kind, text in item.phones}
    return {number: entry for number, entry in sorted(found.items()) if number}


def _phones_of_record(record: Record, _frame: Frame) -> Value:
    found: dict[str, list[str]] = {}
    for row in _rows(record, "phones"):
        text = line(row.get("number"), 60)
        found.setdefault(_number(text), [_kind(row.get("type")), text])
    return {number: entry for number, entry in sorted(found.items()) if number}


def _phones_to_item(item: ContactItem, value: Value) -> ContactItem:
    order = [_number(text) for _, text in item.phones]
    wanted = sorted(value, key=lambda n: (order.index(n) if n in order else len(order), n))
    return replace(item, phones=tuple((value[n][0], value[n][1]) for n in wanted))


def _phones_to_record(value: Value, record: Record, _frame: Frame) -> dict[str, Any]:
    rows: list[dict[str, Any]] = []
    known = {_number(str(row.get("number") or "")): row for row in _rows(record, "phones")}
    order = list(known)
    for number in sorted(value, key=lambda n: (order.index(n) if n in order else len(order), n)):
        kind, text = value[number]
        row = dict(known.get(number) or {"number": text, "type": kind})
        if _kind(row.get("type")) != kind:
            row["type"] = kind
        rows.append({**row, "is_primary": not rows})
    return {"phones": rows}


def _phones_key(value: Value) -> object:
    return {number: kind for number, (kind, _text) in (value or {}).items()}


def _phones_together(base: Value, ours: Value, theirs: Value) -> Value:
    kinds = merged_map(_phones_key(base), _phones_key(ours), _phones_key(theirs))
    if kinds is None:
        return None
    written = {**ours, **theirs}
    return {number: [kind, written[number][1]] for number, kind in kinds.items()}


# --- postal addresses: one of each kind ---------------------------------------------------------


def _places_of_item(item: ContactItem) -> Value:
    found: dict[str, list[str]] = {}
    for one in item.addresses:
        parts = [line(getattr(one, name), 200) for name in _PLACE_PARTS]
        if one.kind in _PLACES and any(parts):
            found.setdefault(one.kind, parts)
    return dict(sorted(found.items()))


def _places_of_record(record: Record, _frame: Frame) -> Value:
    found: dict[str, list[str]] = {}
    for row in _rows(record, "addresses"):
        kind = str(row.get("type"))
        parts = [line(row.get(name), 200) for name in _PLACE_PARTS]
        if kind in _PLACES and any(parts):
            found.setdefault(kind, parts)
    return dict(sorted(found.items()))


def _places_to_item(item: ContactItem, value: Value) -> ContactItem:
    made = [PostalAddress(kind, *parts) for kind, parts in value.items()]
    others = [one for one in item.addresses if one.kind not in _PLACES]
    return replace(item, addresses=(*made, *others))


def _places_to_record(value: Value, record: Record, _frame: Frame) -> dict[str, Any]:
    rows: list[dict[str, Any]] = []
    missing = dict(value)
    for row in _rows(record, "addresses"):
        kind = str(row.get("type"))
        empty = not any(row.get(name) for name in _PLACE_PARTS)
        if kind not in _PLACES or empty:
            rows.append(dict(row))
        elif kind in missing:
            parts = zip(_PLACE_PARTS, missing.pop(kind), strict=True)
            rows.append({**row, **{name: text or None for name, text in parts}})
        elif kind in value:
            rows.append(dict(row))  # a second one of its kind, which the mailbox does not know
    for kind, texts in missing.items():
        parts = zip(_PLACE_PARTS, texts, strict=True)
        rows.append({"type": kind, **{name: text or None for name, text in parts}})
    main = next((place for place, row in enumerate(rows) if row.get("is_primary")), 0)
    return {"addresses": [{**row, "is_primary": p == main} for p, row in enumerate(rows)]}


FIELDS: Final = (
    _text("first_name", N_("First name"), "first_name", 100),
    _text("middle_name", N_("Middle name"), "middle_name", 100),
    _text("last_name", N_("Last name"), "last_name", 100),
    _text("prefix", N_("Salutation"), "salutation", 40),
    _text("suffix", N_("Suffix"), "suffix", 40),
    _text("job_title", N_("Job title"), "job_title", 120),
    _text("department", N_("Department"), "department", 120),
    _text("website", N_("Website"), "website", 500),
    Field(
        "company",
        N_("Company"),
        lambda item: line(item.company, 200),
        lambda record, _frame: line(record.get("account_name"), 200),
        lambda item, value: replace(item, company=value),
        lambda _value, _record, _frame: {},
        way=Way.OUT,
    ),
    Field(
        "emails",
        N_("E-mail addresses"),
        _emails_of_item,
        _emails_of_record,
        _emails_to_item,
        _emails_to_record,
        key=_emails_key,
        together=_emails_together,
    ),
    Field(
        "phones",
        N_("Phones"),
        _phones_of_item,
        _phones_of_record,
        _phones_to_item,
        _phones_to_record,
        key=_phones_key,
        together=_phones_together,
    ),
    Field(
        "places",
        N_("Addresses"),
        _places_of_item,
        _places_of_record,
        _places_to_item,
        _places_to_record,
        together=merged_map,
    ),
    Field(
        "birthday",
        N_("Birthday"),
        lambda item: item.birthday.isoformat() if item.birthday else "",
        lambda record, _frame: record["birthday"].isoformat() if record.get("birthday") else "",
        lambda item, value: replace(item, birthday=date.fromisoformat(value) if value else None),
        lambda value, _record, _frame: {"birthday": date.fromisoformat(value) if value else None},
    ),
    Field(
        "text",
        N_("Description"),
        lambda item: block(item.text),
        lambda record, _frame: block(record.get("description")),
        lambda item, value: replace(item, text=value),
        lambda value, _record, _frame: {"description": value or None},
    ),
)


def named(item: ContactItem) -> ContactItem:
    """A contact with its full name made of its parts, as the mailbox shows it."""
    parts = (item.first_name, item.middle_name, item.last_name, item.suffix)
    name = " ".join(part for part in parts if part)
    return replace(item, full_name=name or item.full_name)
