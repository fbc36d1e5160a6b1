"""Contact cards as a table: one row per card, e-mails, phones and addresses as child rows."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from typing import Final

from desktop_crm.core.errors import UserError
from desktop_crm.core.i18n import N_, tr
from desktop_crm.core.text import canonical_email
from desktop_crm.services.excel.table import Cell, ChildRows, Source, Table, TableRow, clean_text
from desktop_crm.services.imports import vcard
from desktop_crm.services.imports.names import split_name
from desktop_crm.services.imports.vcard import Card, Property

HEADER: Final = (
    "salutation", "first_name", "middle_name", "last_name", "suffix", "account", "department",
    "job_title", "birthday", "anniversary", "website", "description", "emails", "phones",
    "addresses",
)  # fmt: skip
"""Contact fields that cards fill."""

_ANNIVERSARIES: Final = (
    "ANNIVERSARY",
    "X-ANNIVERSARY",
    "X-MS-ANNIVERSARY",
    "X-EVOLUTION-ANNIVERSARY",
)
_DATE: Final = re.compile(r"(\d{4})-?(\d{2})-?(\d{2})")
_NO_YEAR: Final = re.compile(r"--?(\d{2})-?(\d{2})")
_PHONE_TYPES: Final = (
    ("FAX", "fax"),
    ("CELL", "mobile"),
    ("IPHONE", "mobile"),
    ("PAGER", "other"),
    ("WORK", "work"),
    ("HOME", "home"),
)
_OMITTED_YEARS: Final = frozenset({1604, 1904})


def read(data: bytes, name: str) -> Table:
    """Read a file of contact cards.

    Raises:
        UserError: It holds no card.
    """
    rows: list[TableRow] = []
    found = 0
    for card in vcard.cards(data):
        found += card.problem != vcard.NOT_A_CARD
        rows.append(_row(card))
    if not found:
        raise UserError(N_("{file} holds no contact card. Nothing was imported."), file=name)
    return Table(
        header=HEADER, rows=rows, source=Source(name, "vcf", encoding="utf-8", header_row=0)
    )


def _row(card: Card) -> TableRow:
    blank: tuple[Cell, ...] = (None,) * len(HEADER)
    if card.problem is not None:
        return TableRow(card.line, blank, tr(card.problem))
    salutation, first, middle, last, suffix = _name(card)
    if not first and not last:
        return TableRow(card.line, blank, tr("The card has no name."))
    notes: list[str] = []
    organisation = card.first("ORG")
    units = [clean_text(part) for part in organisation.parts] if organisation else []
    birthday = _day(card.first("BDAY"), tr("Birthday"), notes)
    emails = _emails(card, notes)
    cells: dict[str, Cell] = {
        "salutation": salutation[:40],
        "first_name": first,
        "middle_name": middle,
        "last_name": last,
        "suffix": suffix[:40],
        "account": units[0] if units else None,
        "department": ", ".join(filter(None, units[1:])),
        "job_title": _text(card, "TITLE") or _text(card, "ROLE"),
        "birthday": birthday,
        "anniversary": _anniversary(card, notes),
        "website": (_text(card, "URL") or "").replace("\n", ""),
        "emails": emails,
        "phones": _phones(card),
        "addresses": _addresses(card),
    }
    note = "\n\n".join(clean_text(p.text.replace("\r\n", "\n")) for p in card.every("NOTE"))
    cells["description"] = "\n".join(filter(None, (note, *notes)))
    return TableRow(card.line, tuple(cells[column] or None for column in HEADER))


def _text(card: Card, name: str) -> str:
    found = card.first(name)
    return " ".join(clean_text(found.text).split()) if found is not None else ""


def _name(card: Card) -> tuple[str, str, str, str, str]:
    """Salutation, first, middle, last name and suffix; from FN or ORG where N is missing."""
    structured = card.first("N")
    if structured is not None:
        parts = [" ".join(clean_text(p).split()) for p in structured.parts] + [""] * 5
        last, first, middle, salutation, suffix = parts[:5]
        if first or last:
            suffixes = ", ".join(part.strip() for part in suffix.split(","))
            return salutation, first, " ".join(middle.replace(",", " ").split()), last, suffixes
    whole = _text(card, "FN") or _text(card, "NICKNAME")
    if not whole:
        organisation = card.first("ORG")
        whole = organisation.parts[0] if organisation is not None else ""
        if whole:
            return "", "", "", clean_text(whole), ""
        whole = _text(card, "EMAIL").partition("@")[0]
    first, last = split_name(whole)
    return "", first, "", last, ""


def _day(found: Property | None, label: str, notes: list[str]) -> date | None:
    """Read a date; one without a year goes into the notes, since a day needs a year."""
    if found is None:
        return None
    text = found.text.strip()
    if match := _DATE.match(text):
        try:
            day = date(int(match[1]), int(match[2]), int(match[3]))
        except ValueError:
            notes.append(f"{label}: {text}")
            return None
        if day.year in _OMITTED_YEARS and str(day.year) in found.params.values():
            notes.append(tr("{label}: {day} (no year)", label=label, day=f"{day:%d.%m.}"))
            return None
        return day
    if match := _NO_YEAR.match(text):
        notes.append(tr("{label}: {day} (no year)", label=label, day=f"{match[2]}.{match[1]}."))
    elif text:
        notes.append(f"{label}: {text}")
    return None


def _anniversary(card: Card, notes: list[str]) -> date | None:
    label = tr("Anniversary")
    for name in _ANNIVERSARIES:
        if found := card.first(name):
            return _day(found, label, notes)
    for found in card.every("X-ABDATE"):
        if "anniversary" in _group_label(card, found).casefold():
            return _day(found, label, notes)
    return None


def _group_label(card: Card, member: Property) -> str:
    """Label that Apple and Google put beside a value with the same group prefix."""
    if not member.group:
        return ""
    labels = (p for p in card.properties if p.name == "X-ABLABEL" and p.group == member.group)
    return next((p.text for p in labels), "")


def _emails(card: Card, notes: list[str]) -> ChildRows | None:
    rows: list[dict[str, object]] = []
    for found in card.every("EMAIL"):
        text = clean_text(found.text).removeprefix("mailto:")
        address = canonical_email(text)
        if address is None:
            notes.append(tr("E-mail, not valid: {text}", text=text))
        elif all(row["address"] != address for row in rows):
            kind = "home" if "HOME" in found.types and "WORK" not in found.types else "work"
            rows.append({"address": address, "type": kind, "is_primary": not rows})
    return ChildRows(tuple(rows)) if rows else None


def _phones(card: Card) -> ChildRows | None:
    rows: list[dict[str, object]] = []
    for found in card.every("TEL"):
        number = re.sub(r"(?i)^tel:", "", clean_text(found.text))
        number = re.sub(r"(?i);ext=", " ext. ", number).partition(";")[0].strip()[:60]
        if not number or any(row["number"] == number for row in rows):
            continue
        default = "other" if _group_label(card, found) else "work"
        kind = next((kind for name, kind in _PHONE_TYPES if name in found.types), default)
        rows.append({"number": number, "type": kind, "is_primary": not rows})
    return ChildRows(tuple(rows)) if rows else None


def _addresses(card: Card) -> ChildRows | None:
    rows: list[dict[str, object]] = []
    for found in card.every("ADR"):
        parts = [_one_line(part) for part in found.parts] + [""] * 7
        box, extended, street, city, region, postal_code, country = parts[:7]
        row: dict[str, object] = {
            "street": ", ".join(filter(None, (box, extended, street)))[:200] or None,
            "city": city[:120] or None,
            "region": region[:120] or None,
            "postal_code": postal_code[:20] or None,
            "country": country[:120] or None,
        }
        if not any(row.values()):
            continue
        home = "HOME" in found.types and "WORK" not in found.types
        rows.append({**row, "type": "home" if home else "work", "is_primary": not rows})
    return ChildRows(tuple(rows)) if rows else None


def _one_line(text: str) -> str:
    lines: Sequence[str] = clean_text(text).split("\n")
    return ", ".join(line.strip(" ,") for line in lines if line.strip(" ,"))
