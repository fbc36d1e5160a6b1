"""What a pasted signature or contact card says about a person and a company.

Nothing is looked up and nothing is kept: a person sees what was understood and corrects it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from desktop_crm.core.errors import UserError
from desktop_crm.core.i18n import N_
from desktop_crm.core.text import canonical_email, email_domain, fold
from desktop_crm.services.excel.table import ChildRows
from desktop_crm.services.imports import cards
from desktop_crm.services.imports.names import split_name

LONGEST: Final = 20_000
"""Characters that are read; a signature has a few hundred."""

_CARD: Final = "BEGIN:VCARD"
_PARTS: Final = re.compile(r"[\n\r\t|•·]+|\s{3,}|\s+[-–]{1,2}\s+(?=[A-ZȘȚ+])")
_EMAIL: Final = re.compile(
    r"(?:\b(?:e|e-?mail|mail)\b[.:]?\s*)?(?:mailto:)?([\w.+'-]+@[\w-]+(?:\.[\w-]+)+)", re.IGNORECASE
)
_URL: Final = re.compile(
    r"(?:\b(?:w|web|website|site|url)\b[.:]?\s*)?((?:https?://|www\.)[^\s,;<>()\[\]]+)",
    re.IGNORECASE,
)
_PHONE: Final = re.compile(r"(?:\+|\(\+?|00|\b0|\b\d)[\d\s().\-/]{6,20}\d")
_LABEL: Final = re.compile(r"^[\s(]*([A-Za-zÀ-ž.\-]{1,14})\s*[.:)]*\s*$")
_TAX: Final = re.compile(
    r"\b(?:CUI|CIF|C\.U\.I\.|C\.I\.F\.|cod fiscal|VAT(?: no| number| id)?|TVA|USt-?Id(?:Nr)?|"
    r"P\.?\s?IVA|Tax id)\b[.:\s]*((?:[A-Z]{2}\s?)?\d[\d\s]{1,13})",
    re.IGNORECASE,
)
_REGISTER: Final = re.compile(r"\bJ\s?\d{1,2}\s?/\s?\d+\s?/\s?\d{4}\b")
_LEGAL: Final = re.compile(
    r"(?:^|[\s,])(?:S\.?R\.?L\.?|S\.?A\.?|S\.?A\.?S\.?|SARL|S\.?p\.?A\.?|GmbH(?: & Co\.? KG)?|"
    r"AG|KG|Ltd\.?|Limited|LLC|Inc\.?|PLC|B\.?V\.?|N\.?V\.?|Oy|AB|A/S|ApS|Kft\.?|Zrt\.?|d\.o\.o\.?|PFA|"
    r"Lda\.?|sp\. z o\.o\.|s\.r\.o\.)(?:$|[\s,.])"
)
_JOB: Final = re.compile(
    r"\b(?:manager|director\w*|head|chief|ceo|cto|cfo|coo|sales|engineer|inginer\w*|consultant|"
    r"administrator|agent|responsabil\w*|asistent\w*|assistant|specialist\w*|buyer|purchas\w+|"
    r"achizi\w+|vanzari|sef\w*|presedinte|partner|owner|founder|leiter\w*|geschaftsfuhrer\w*|"
    r"einkauf\w*|acheteu\w+|directeur|directrice|responsable|gerant\w*|economist\w*|"
    r"contabil\w*|accountant|secretar\w*|analyst|developer|designer|architect\w*|reprezentant\w*|"
    r"representative|vice|president|coordonator|coordinator|officer|lead|technician|tehnician)\b"
)
_ADDRESS: Final = re.compile(
    r"(?:\b(?:str|strada|bd|bdul|bulevardul|calea|sos|soseaua|aleea|piata|splaiul|nr|bl|ap|"
    r"street|road|rd|avenue|ave|lane|square|rue|via|viale|piazza|calle|rua)\b\.?|"
    r"\w+(?:strasse|str\.|platz|weg|gasse))"
)
_POSTAL: Final = re.compile(r"\b(?:[A-Z]{1,2}-)?(\d{4,6}(?:-\d{3})?)\b")
_CLOSING: Final = re.compile(
    r"^(?:--+|_+|(?:kind|best|warm)? ?regards.*|best wishes.*|sincerely.*|thanks.*|thank you.*|"
    r"cu (?:stima|respect|drag).*|o zi .*|multumesc.*|mit freundlichen.*|(?:bien )?cordialement.*|"
    r"cordiali saluti.*|sent from .*|trimis de pe .*|dear .*|hello.*|buna ziua.*)[,.!]*$"
)
_COUNTRIES: Final = frozenset(
    {"romania", "germany", "deutschland", "france", "italy", "italia", "spain", "espana",
     "portugal", "austria", "osterreich", "hungary", "magyarorszag", "bulgaria", "poland",
     "polska", "netherlands", "nederland", "belgium", "belgique", "united kingdom", "uk",
     "switzerland", "schweiz", "suisse", "moldova", "republica moldova", "sweden", "sverige",
     "denmark", "danmark", "usa", "united states"}
)  # fmt: skip
_PUBLIC: Final = frozenset(
    {"gmail.com", "yahoo.com", "yahoo.ro", "outlook.com", "hotmail.com", "icloud.com", "gmx.de",
     "gmx.net", "web.de", "live.com", "proton.me", "protonmail.com", "aol.com", "mail.com"}
)  # fmt: skip
_HONORIFICS: Final = frozenset(
    {"mr", "mrs", "ms", "dr", "ing", "prof", "dl", "dna", "dipl.-ing", "dipl-ing", "herr", "frau",
     "m", "mme", "sig", "ec"}
)  # fmt: skip
_KINDS: Final = {
    "mobile": ("m", "mob", "mobil", "mobile", "cell", "gsm", "handy", "portable", "cellulare"),
    "fax": ("f", "fax"),
}
_ALONE: Final = frozenset(
    {"e", "email", "e-mail", "mail", "w", "web", "website", "site", "adresa", "address", "a", "t",
     "tel", "telefon", "phone", "p", "cui", "reg. com", "nr. reg. com"}
)  # fmt: skip
"""Labels that say nothing once their number was taken."""
_NAME_WORD: Final = re.compile(r"^[A-ZÀ-ÞȘȚĂÂÎŞŢ][\w'’.-]*$")
_MOST_NAME_WORDS: Final = 4


@dataclass(frozen=True, slots=True)
class ContactText:
    """What was understood.

    Attributes:
        account: Values of the company by field name; empty when none is named.
        contact: Values of the person, with child rows ``emails`` and ``phones``.
        left: Lines that say something else.
    """

    account: Mapping[str, Any] = field(default_factory=dict)
    contact: Mapping[str, Any] = field(default_factory=dict)
    left: tuple[str, ...] = ()


def read(text: str) -> ContactText:
    """Read a signature or a contact card.

    Raises:
        UserError: There is nothing in it that a record could take.
    """
    text = text[:LONGEST]
    found = _of_card(text) if _CARD in text.upper() else _Reader().read(text)
    if not found.account and not found.contact:
        raise UserError(
            N_(
                "No name, address or number was found in this text. Nothing was filled in; "
                "paste a signature or a contact card (vCard)."
            )
        )
    return found


# --- contact cards ------------------------------------------------------------------------------


def _of_card(text: str) -> ContactText:
    table = cards.read(text.encode(), "vCard")
    row = next((row for row in table.rows if row.problem is None), None)
    if row is None:
        return ContactText()
    contact: dict[str, Any] = {}
    for name, cell in zip(cards.HEADER, row.cells, strict=True):
        if isinstance(cell, ChildRows):
            contact[name] = [dict(one) for one in cell.rows]
        elif cell is not None:
            contact[name] = cell
    account: dict[str, Any] = {}
    if company := contact.pop("account", None):
        account["name"] = company
        work = [a for a in contact.get("addresses", ()) if a.get("type") != "home"]
        if work:
            names = ("street", "postal_code", "city", "region", "country")
            account |= {n: work[0][n] for n in names if work[0].get(n)}
            contact["addresses"] = [a for a in contact["addresses"] if a is not work[0]]
        if website := contact.pop("website", None):
            account["website"] = website
        account |= _domain(contact.get("emails", ()))
    return ContactText(account, {k: v for k, v in contact.items() if v})


def _domain(emails: Any) -> dict[str, str]:  # noqa: ANN401  child rows
    domains = (email_domain(str(row["address"])) for row in emails)
    return next(({"domain": d} for d in domains if d and d not in _PUBLIC), {})


# --- signatures ---------------------------------------------------------------------------------


class _Reader:
    """Goes through the pieces of a signature and sorts what it finds."""

    def __init__(self) -> None:
        self.account: dict[str, Any] = {}
        self.contact: dict[str, Any] = {}
        self.emails: list[dict[str, Any]] = []
        self.phones: list[dict[str, Any]] = []
        self.texts: list[str] = []
        self.address: list[str] = []

    def read(self, text: str) -> ContactText:
        """Read a signature."""
        for piece in _pieces(text):
            rest = self._take_numbers(piece)
            if any(character.isalpha() for character in rest):
                self.texts.append(rest)
        self._sort_texts()
        if self.address:
            self.account |= _address(self.address)
        self.account |= _domain(self.emails)
        return self._result()

    def _take_numbers(self, piece: str) -> str:
        """Take what has a form of its own out of a piece; what is left are words."""
        for match in _EMAIL.finditer(piece):
            address = canonical_email(match[1])
            if address and all(row["address"] != address for row in self.emails):
                self.emails.append(
                    {"address": address, "type": "work", "is_primary": not self.emails}
                )
        piece = _EMAIL.sub(" ", piece)
        for pattern, name in ((_TAX, "tax_id"), (_REGISTER, "trade_register")):
            if number := pattern.search(piece):
                value = number[number.lastindex or 0]
                self.account.setdefault(name, "".join(value.split()))
                piece = piece.replace(number[0], " ")
        if site := _URL.search(piece):
            self.account.setdefault("website", site[1].rstrip("/.,"))
            piece = _URL.sub(" ", piece)
        return self._take_phones(piece)

    def _take_phones(self, piece: str) -> str:
        is_address = bool(_ADDRESS.search(fold(piece)))
        rest, end = "", 0
        for match in _PHONE.finditer(piece):
            number = match[0].strip()
            digits = sum(c.isdigit() for c in number)
            before = piece[end : match.start()]
            label = _LABEL.match(before)
            if digits < 7 or (is_address and label is None and not number.startswith("+")):
                continue
            kind = _kind(label[1] if label else "")
            if all(row["number"] != number for row in self.phones):
                self.phones.append({"number": number, "type": kind, "is_primary": not self.phones})
            rest += "" if label else before
            end = match.end()
        rest += piece[end:]
        return _without_label(rest)

    def _sort_texts(self) -> None:
        left: list[str] = []
        for text in self.texts:
            folded = fold(text)
            if _CLOSING.match(folded):
                continue
            if _LEGAL.search(text) and "name" not in self.account:
                self.account["name"] = text.strip(" ,;")
            elif _ADDRESS.search(folded) or self._ends_address(text, folded):
                self.address.append(text)
            else:
                left.append(text)
        self.texts = self._take_person(self._take_company(left))

    def _ends_address(self, text: str, folded: str) -> bool:
        parts = [part.strip() for part in folded.split(",")]
        return bool(_POSTAL.search(text)) or any(part in _COUNTRIES for part in parts)

    def _take_company(self, texts: list[str]) -> list[str]:
        """Without a legal form the company is the line that the mail domain is named after."""
        domain = str(_domain(self.emails).get("domain", ""))
        label = re.sub(r"[^a-z0-9]", "", domain.rpartition(".")[0])
        if "name" in self.account or not label:
            return texts
        for text in texts:
            if re.sub(r"[^a-z0-9]", "", fold(text)) == label:
                self.account["name"] = text
                return [other for other in texts if other is not text]
        return texts

    def _take_person(self, texts: list[str]) -> list[str]:
        names = [text for text in texts if _is_name(text)]
        own = fold(" ".join(row["address"].partition("@")[0] for row in self.emails))
        # The name in the address tells the sender from everybody else who is named.
        names.sort(key=lambda text: not any(w in own for w in fold(text).split() if len(w) > 2))
        chosen = names[0] if names else ""
        if chosen:
            self._set_name(chosen)
        rest = [text for text in texts if text != chosen]
        job = next((text for text in rest if _JOB.search(fold(text))), "")
        if job:
            before, comma, after = job.partition(",")
            is_both = comma and not chosen and _is_name(before)
            if is_both:
                self._set_name(before)
            self.contact["job_title"] = (after if is_both else job).strip(" ,;")
        return [text for text in rest if text != job]

    def _set_name(self, text: str) -> None:
        words = text.replace(",", " ").split()
        titles = [w for w in words if fold(w).strip(".") in _HONORIFICS]
        plain = [w for w in words if w not in titles]
        if all(word.isupper() for word in plain):
            plain = [w.title() for w in plain]
        if titles:
            self.contact["salutation"] = " ".join(titles)
        first, last = split_name(" ".join(plain))
        self.contact |= {k: v for k, v in (("first_name", first), ("last_name", last)) if v}

    def _result(self) -> ContactText:
        is_person = bool(self.contact.get("last_name") or self.contact.get("job_title"))
        if is_person or not self.account.get("name"):
            self.contact |= {"emails": self.emails} if self.emails else {}
            self.contact |= {"phones": self.phones} if self.phones else {}
        else:
            self.account |= {"email": self.emails[0]["address"]} if self.emails else {}
            self.account |= {"phone": self.phones[0]["number"]} if self.phones else {}
        return ContactText(self.account, self.contact, tuple(self.texts))


def _pieces(text: str) -> Iterator[str]:
    for piece in _PARTS.split(text):
        if piece and piece.strip(" ,;>*"):
            yield " ".join(piece.split()).strip(" ,;>*")


def _without_label(text: str) -> str:
    """Words without a label that was left alone, such as ``E:`` or ``Web``."""
    text = " ".join(text.split()).strip(" ,;:/()")
    folded = fold(text)
    if folded.strip(".:") in _ALONE:
        return ""
    head, colon, rest = text.partition(":")
    return rest.strip() if colon and fold(head).strip(".") in _ALONE else text


def _kind(label: str) -> str:
    word = fold(label).strip(".:")
    return next((kind for kind, words in _KINDS.items() if word in words), "work")


def _is_name(text: str) -> bool:
    words = text.replace(",", " ").split()
    plain = [w for w in words if fold(w).strip(".") not in _HONORIFICS]
    named = all(_NAME_WORD.match(w) or w.islower() for w in plain)
    starts = bool(plain) and bool(_NAME_WORD.match(plain[0])) and bool(_NAME_WORD.match(plain[-1]))
    few = 2 <= len(plain) <= _MOST_NAME_WORDS and any(len(w.strip(".")) > 1 for w in plain)
    clean = not any(c.isdigit() for c in text) and not _JOB.search(fold(text))
    return few and named and starts and clean


def _address(lines: list[str]) -> dict[str, str]:
    """Street, postal code, city and country of the lines of an address."""
    found: dict[str, str] = {}
    streets: list[str] = []
    for part in (p.strip() for line in lines for p in line.split(",")):
        folded = fold(part)
        code = _POSTAL.search(part)
        if folded in _COUNTRIES:
            found["country"] = part
        elif code is not None and not _ADDRESS.search(folded):
            found["postal_code"] = code[1]
            city = (part[: code.start()] + part[code.end() :]).strip(" ,.-")
            if city:
                found["city"] = city
        elif _ADDRESS.search(folded) or any(c.isdigit() for c in part):
            streets.append(part)
        elif part and "city" not in found:
            found["city"] = part
    if streets:
        found["street"] = ", ".join(streets)
    return found
