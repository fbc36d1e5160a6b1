"""Contacts of an address book as vCards, read in every version and written without loss.

A card that exists is changed line by line: a line that still says what the contact says stays as
it is with whatever its program added to it, and so does every line this product does not know.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Final

from desktop_crm.core import clock
from desktop_crm.core.errors import UserError
from desktop_crm.core.i18n import N_
from desktop_crm.core.text import canonical_email, clean
from desktop_crm.services.imports.vcard import Card, Property, cards
from desktop_crm.sync.formats.ical_values import Unreadable
from desktop_crm.sync.formats.ical_write import OWN_KEY
from desktop_crm.sync.port import Address, ContactItem, PostalAddress, Sensitivity

_BREAK: Final = re.compile(r"\r\n|\n|\r")
_COMMA: Final = re.compile(r"(?<!\\),")
_DAY: Final = re.compile(r"^(\d{4})-?(\d\d)-?(\d\d)")
_CLASSES: Final = {"": Sensitivity.NORMAL, "PUBLIC": Sensitivity.NORMAL}
_CLASS_WORDS: Final = {
    Sensitivity.PERSONAL: "PRIVATE",
    Sensitivity.PRIVATE: "PRIVATE",
    Sensitivity.CONFIDENTIAL: "CONFIDENTIAL",
}
_PHONES: Final = {"fax": "FAX", "mobile": "CELL", "home": "HOME", "work": "WORK"}
_PLACES: Final = {"work": "WORK", "home": "HOME"}


def read_contact(data: bytes) -> ContactItem:
    """The contact of a card.

    Raises:
        Unreadable: the bytes are no card, or the card of a group of people.
    """
    card = next(cards(data), None)
    if card is None or card.problem or not card.properties:
        raise Unreadable(N_("The address book entry is no contact card."))
    kind = card.first("KIND") or card.first("X-ADDRESSBOOKSERVER-KIND")
    if kind is not None and kind.text.strip().lower() == "group":
        raise Unreadable(N_("The address book entry is a list of people, not a person."))
    return _contact(card)


def _contact(card: Card) -> ContactItem:
    last, first, middle, prefix, suffix = _parts(card.first("N"), 5)
    company, department = _parts(card.first("ORG"), 2)
    full_name = _text(card, "FN") or clean(f"{first} {last}") or company
    sensitivity = _CLASSES.get(_text(card, "CLASS").upper(), Sensitivity.PRIVATE)
    return ContactItem(
        uid=_text(card, "UID").removeprefix("urn:uuid:"),
        full_name=full_name,
        first_name=first,
        last_name=last,
        middle_name=middle,
        prefix=prefix,
        suffix=suffix,
        company=company,
        job_title=_text(card, "TITLE"),
        department=department,
        emails=tuple(dict.fromkeys(_email(line) for line in card.every("EMAIL"))),
        phones=tuple(dict.fromkeys(_phone(line) for line in card.every("TEL"))),
        addresses=tuple(dict.fromkeys(_place(line) for line in card.every("ADR"))),
        website=_text(card, "URL"),
        birthday=_birthday(card.first("BDAY")),
        text="\n".join(line.text.strip() for line in card.every("NOTE")),
        categories=_categories(card),
        sensitivity=sensitivity,
        modified_at=_revised(card.first("REV")),
    )


def _text(card: Card, name: str) -> str:
    line = card.first(name)
    return clean(line.text) if line else ""


def _parts(line: Property | None, count: int) -> list[str]:
    found = [clean(part) for part in line.parts] if line else []
    return (found + [""] * count)[:count]


def _email(line: Property) -> Address:
    written = clean(line.text).removeprefix("mailto:")
    address = canonical_email(written)
    return Address(address or written, readable=address is not None)


def _phone(line: Property) -> tuple[str, str]:
    kind = next((kind for kind, word in _PHONES.items() if word in line.types), "other")
    return kind, clean(line.text).removeprefix("tel:")


def _place(line: Property) -> PostalAddress:
    _, extended, street, city, region, code, country = _parts(line, 7)
    kind = next((kind for kind, word in _PLACES.items() if word in line.types), "other")
    full = ", ".join(part for part in (street, extended) if part)
    return PostalAddress(kind, full, code, city, region, country)


def _birthday(line: Property | None) -> date | None:
    match = _DAY.match(line.text.strip()) if line else None
    try:
        return date(int(match[1]), int(match[2]), int(match[3])) if match else None
    except ValueError:
        return None


def _categories(card: Card) -> tuple[str, ...]:
    found = (part for line in card.every("CATEGORIES") for part in _COMMA.split(line.value))
    plain = (clean(part.replace("\\,", ",").replace("\\;", ";"))[:100] for part in found)
    return tuple(dict.fromkeys(name for name in plain if name))


def _revised(line: Property | None) -> datetime | None:
    text = line.text.strip() if line else ""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)


# --- writing ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Kept:
    """One line of a card that exists, as it is written and as it reads."""

    written: str
    line: Property


def write_contact(item: ContactItem, own_key: str, before: bytes | None = None) -> bytes:
    """A card with what the contact says.

    Args:
        item: the contact.
        own_key: key of the deed that writes it; empty for none.
        before: the card it is changed in; None makes a new one, of version 3.0.

    Raises:
        UserError: `before` cannot be changed without losing something.
    """
    kept = _lines(before) if before is not None else []
    version = next((one.line.text.strip() for one in kept if one.line.name == "VERSION"), "3.0")
    if version not in ("3.0", "4.0"):
        raise UserError(
            N_(
                "The card on the server is of version {version}, which cannot be changed without "
                "losing something. Nothing was changed; change it in the program that made it."
            ),
            version=version,
        )
    wanted = _wanted(item, version)
    names = {name for name, _ in wanted} | _SINGLE
    lines = [f"VERSION:{version}"]
    taken: set[int] = set()
    for one in kept:
        name = one.line.name
        if name in ("VERSION", "REV", "PRODID", OWN_KEY):
            continue
        if name not in names and name not in _READ:
            lines.append(one.written)
            continue
        place = _still_said(one.line, wanted, taken)
        if place is not None:
            taken.add(place)
            lines.append(one.written)
    lines += [text for place, (_, text) in enumerate(wanted) if place not in taken]
    now = clock.now().astimezone(UTC)
    lines.append(f"REV:{now:%Y-%m-%dT%H:%M:%SZ}")
    if own_key:
        lines.append(f"{OWN_KEY}:{own_key}")
    return b"".join(_folded(line) for line in ("BEGIN:VCARD", *lines, "END:VCARD"))


def own_key_of(data: bytes) -> str:
    """Key of the deed that wrote a card last; empty for none."""
    return next((one.line.text.strip() for one in _lines(data) if one.line.name == OWN_KEY), "")


_SINGLE: Final = frozenset({"FN", "N", "ORG", "TITLE", "URL", "BDAY", "NOTE", "CLASS", "UID"})
_READ: Final = _SINGLE | {"EMAIL", "TEL", "ADR", "CATEGORIES"}
_AS_READ: Final[dict[str, Callable[[Property], object]]] = {
    "EMAIL": lambda line: _email(line).address,
    "TEL": _phone,
    "ADR": _place,
    "N": lambda line: _parts(line, 5),
    "ORG": lambda line: _parts(line, 2),
    "BDAY": _birthday,
    "CATEGORIES": lambda line: sorted(_COMMA.split(line.value)),
    "UID": lambda line: clean(line.text).removeprefix("urn:uuid:"),
}


def _as_text(line: Property) -> object:
    return clean(line.text)


def _still_said(line: Property, wanted: list[tuple[str, str]], taken: Iterable[int]) -> int | None:
    """Place of the wanted line that says the same as one that exists."""
    reads = _AS_READ.get(line.name, _as_text)
    for place, (name, text) in enumerate(wanted):
        if name == line.name and place not in taken and reads(_parsed(text)) == reads(line):
            return place
    return None


def _wanted(item: ContactItem, version: str) -> list[tuple[str, str]]:
    """Every line the contact asks for, by name."""
    name = (item.last_name, item.first_name, item.middle_name, item.prefix, item.suffix)
    found: list[tuple[str, str]] = [("UID", item.uid), ("N", _joined(name))]
    found.append(("FN", _escaped(item.full_name or clean(f"{item.first_name} {item.last_name}"))))
    if item.company or item.department:
        found.append(("ORG", _joined((item.company, item.department)).rstrip(";")))
    for key, value in (
        ("TITLE", item.job_title),
        ("URL", item.website),
        ("NOTE", item.text),
        ("CLASS", _CLASS_WORDS.get(item.sensitivity, "") if version == "3.0" else ""),
    ):
        if value:
            found.append((key, _escaped(value)))
    if item.birthday:
        found.append(("BDAY", f"{item.birthday:%Y-%m-%d}"))
    if item.categories:
        found.append(("CATEGORIES", ",".join(_escaped(name) for name in item.categories)))
    lines = [(key, f"{key}:{value}") for key, value in found]
    for number, email in enumerate(item.emails):
        preferred = ";TYPE=PREF" if version == "3.0" else ";PREF=1"
        first = preferred if number == 0 and len(item.emails) > 1 else ""
        lines.append(("EMAIL", f"EMAIL{first}:{_escaped(email.address)}"))
    for kind, phone in item.phones:
        lines.append(("TEL", f"TEL{_typed(_PHONES.get(kind))}:{_escaped(phone)}"))
    for place in item.addresses:
        parts = ("", "", place.street, place.city, place.region, place.postal_code, place.country)
        lines.append(("ADR", f"ADR{_typed(_PLACES.get(place.kind))}:{_joined(parts)}"))
    return lines


def _typed(word: str | None) -> str:
    return f";TYPE={word}" if word else ""


def _joined(parts: Iterable[str]) -> str:
    return ";".join(_escaped(part) for part in parts)


def _escaped(text: str) -> str:
    plain = text.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")
    return _BREAK.sub("\\\\n", plain)


def _folded(line: str) -> bytes:
    """A line in pieces of at most 75 bytes, no letter cut in two."""
    pieces, current = [], b""
    for letter in line:
        code = letter.encode("utf-8", "replace")
        if len(current) + len(code) > 75:
            pieces.append(current)
            current = b" "
        current += code
    return b"\r\n".join((*pieces, current)) + b"\r\n"


def _lines(data: bytes) -> list[_Kept]:
    """Lines of a card between its BEGIN and END, unfolded."""
    text = re.sub(r"(?:\r\n|\n|\r)[ \t]", "", data.decode("utf-8", "replace"))
    found: list[_Kept] = []
    for line in _BREAK.split(text):
        if line.strip() and line.strip().upper() not in ("BEGIN:VCARD", "END:VCARD"):
            found.append(_Kept(line, _parsed(line)))
    return found


def _parsed(line: str) -> Property:
    card = next(cards(f"BEGIN:VCARD\r\n{line}\r\nEND:VCARD\r\n".encode()), None)
    return card.properties[0] if card and card.properties else Property("", line)
