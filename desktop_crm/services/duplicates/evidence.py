"""How alike two records are, and why: a score with reasons a person can check (R51)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from rapidfuzz.distance import OSA

from desktop_crm.core.i18n import N_, tr
from desktop_crm.core.sameness import domain_of, public_domains, same_tax
from desktop_crm.core.text import email_domain
from desktop_crm.meta import registry
from desktop_crm.services.duplicates.declared import Identity

SHOWN: Final = 45
"""Least score that is shown while a record is typed."""
QUEUED: Final = 70
"""Least score of a pair that is put up for review."""

_LONG_WORD: Final = 8
_SHORT_WORD: Final = 3
_MORE: Final = 2


class Reason(StrEnum):
    """Why two records may be the same; the order is the order in which they are said."""

    TAX_ID = "tax_id"
    KEY = "key"
    EMAIL = "email"
    PHONE = "phone"
    DOMAIN = "domain"
    COMPANY = "company"
    BORN = "born"
    STREET = "street"
    NAME = "name"
    SIMILAR_NAME = "similar_name"
    CITY = "city"


_SAID: Final = {
    Reason.TAX_ID: N_("same VAT number"),
    Reason.EMAIL: N_("same e-mail address"),
    Reason.PHONE: N_("same phone"),
    Reason.DOMAIN: N_("same web or mail domain"),
    Reason.COMPANY: N_("same company"),
    Reason.BORN: N_("same birthday"),
    Reason.STREET: N_("same street"),
    Reason.NAME: N_("same name"),
    Reason.SIMILAR_NAME: N_("similar name"),
    Reason.CITY: N_("same city"),
}


@dataclass(frozen=True, slots=True)
class Traits:
    """What is compared of one record, normalised (R51).

    Attributes:
        words: Words of the name, folded; of companies without the legal form.
        company: Folded company, and ``account`` its key where it is a link.
        taxes: Tax ids as written.
        emails: Addresses as they are compared; ``domains`` of them and of web sites, public
            providers left out.
        phones: Numbers in E.164.
        city: Folded city and ``street`` folded street.
        born: Birthday as an ISO date.
        keys: Field and folded value of what identifies the record outside.
        within: Key of the record it belongs to, where the title alone says little.
    """

    words: tuple[str, ...] = ()
    company: str = ""
    account: int | None = None
    tax: str = ""
    emails: frozenset[str] = frozenset()
    domains: frozenset[str] = frozenset()
    phones: frozenset[str] = frozenset()
    city: str = ""
    street: str = ""
    born: str = ""
    keys: frozenset[tuple[str, str]] = field(default_factory=frozenset)
    within: int | None = None


@dataclass(frozen=True, slots=True)
class Likeness:
    """A score of 0 to 100 with its reasons as codes; ``key:<field>`` names a natural key."""

    score: int
    reasons: tuple[str, ...]


NOTHING: Final = Likeness(0, ())


def said(entity_key: str, reasons: Sequence[str]) -> str:
    """Reasons as a person reads them, in the language of the interface."""
    fields = registry.get(entity_key).fields
    found: list[str] = []
    for code in reasons:
        if code.startswith(f"{Reason.KEY}:"):
            name = code.partition(":")[2]
            label = tr(fields[name].label) if name in fields else name
            found.append(tr("same {field}", field=label.lower()))
        elif code in _SAID:
            found.append(tr(_SAID[Reason(code)]))
    return ", ".join(found)


def name_likeness(one: Sequence[str], other: Sequence[str]) -> float:
    """How alike two names are: 1 the same words in any order, 0.9 but for a slip, 0.8 a part.

    Numbers never differ by a slip: branch 17 is not branch 18.
    """
    if not one or not other:
        return 0.0
    if one == other or sorted(one) == sorted(other):
        return 1.0
    left, right = list(one), list(other)
    for word in one:
        if word in right:
            left.remove(word)
            right.remove(word)
    common = len(one) - len(left)
    slips = _pair_up(left, right)
    if slips is None or (common == 0 and slips > 1):
        return 0.0
    if not left and not right:
        return 0.9
    rest = left + right
    shorter = min(len(one), len(other))
    if (left and right) or any(w.isdigit() for w in rest) or shorter - slips < 1:
        return 0.0
    return 0.8 if shorter > 1 and common else 0.0


def _pair_up(left: list[str], right: list[str]) -> int | None:
    """Take words out of both that differ by a slip of the keyboard; how many; None for too many."""
    slips = 0
    for word in list(left):
        match = next((w for w in right if _slip(word, w)), None)
        if match is not None:
            left.remove(word)
            right.remove(match)
            slips += 1
    return slips if slips <= _MORE else None


def _slip(one: str, other: str) -> bool:
    if len(one) == 1 or len(other) == 1:  # an initial stands for the name
        return one[0] == other[0] and one[0].isalpha()
    if one.isdigit() or other.isdigit():
        return False
    shorter = min(len(one), len(other))
    if shorter < _SHORT_WORD:
        return False
    allowed = 2 if shorter >= _LONG_WORD else 1
    return OSA.distance(one, other, score_cutoff=allowed) <= allowed


def compare(one: Traits, other: Traits, identity: Identity) -> Likeness:
    """Weigh the evidence that two records are the same."""
    if same_tax(one.tax, other.tax):
        return Likeness(100, (Reason.TAX_ID, *_details(one, other)))
    name = name_likeness(one.words, other.words)
    found = _evidence(one, other, name, identity)
    if not found:
        return NOTHING
    score = max(found.values()) + _MORE * (len(found) - 1)
    score = min(score, _ceiling(one, other, identity))
    return Likeness(score, _details(one, other, name)) if score > 0 else NOTHING


def _evidence(one: Traits, other: Traits, name: float, identity: Identity) -> dict[Reason, int]:
    """Weight of each independent reason."""
    person = identity.is_person
    alike = name >= 0.8
    found: dict[Reason, int] = {}
    if one.keys & other.keys:
        found[Reason.KEY] = 92
    if one.emails & other.emails:
        unnamed = not one.words or not other.words
        found[Reason.EMAIL] = 95 if alike else 90 if unnamed else 72
    if one.phones & other.phones:
        found[Reason.PHONE] = (86 if name >= 0.9 else 80) if alike else 55
    if alike:
        found |= _beside_the_name(one, other, name, person=person)
        if _within(one, other, identity):
            found.setdefault(Reason.NAME, _alone(identity) if name == 1 else 0)
    return {reason: weight for reason, weight in found.items() if weight}


def _alone(identity: Identity) -> int:
    """What an equal name is worth by itself; for things other than people it says much."""
    if identity.is_person:
        return 48
    return 74 if identity.key == "title_key" else 66


def _within(one: Traits, other: Traits, identity: Identity) -> bool:
    return not identity.within or (one.within is not None and one.within == other.within)


def _beside_the_name(one: Traits, other: Traits, name: float, *, person: bool) -> dict[Reason, int]:
    """What supports a name that is alike."""
    slip = 0 if name == 1 else 4 if name >= 0.9 else 14
    found: dict[Reason, int] = {}
    if one.domains & other.domains:
        found[Reason.DOMAIN] = 90 - slip
    if _same_company(one, other):
        found[Reason.COMPANY] = 88 - slip
    if one.born and one.born == other.born:
        found[Reason.BORN] = 90 - slip
    if one.street and one.street == other.street and one.city == other.city:
        found[Reason.STREET] = 86 - slip
    elif one.city and one.city == other.city:
        found[Reason.CITY] = (64 if person else 80) - slip
    return found


def _same_company(one: Traits, other: Traits) -> bool:
    if one.account is not None and other.account is not None:
        return one.account == other.account
    return bool(one.company) and one.company == other.company


def _ceiling(one: Traits, other: Traits, identity: Identity) -> int:
    """What speaks against: another tax id, another birthday."""
    if one.tax and other.tax:
        return 40
    if one.born and other.born and one.born != other.born:
        return 50
    if not identity.is_person and one.city and other.city and one.city != other.city:
        shared = one.domains & other.domains or one.phones & other.phones
        return 99 if shared or one.emails & other.emails or one.keys & other.keys else 60
    return 99


def _details(one: Traits, other: Traits, name: float | None = None) -> tuple[str, ...]:
    """Every reason that holds, the strongest first."""
    likeness = name_likeness(one.words, other.words) if name is None else name
    keys = sorted(f"{Reason.KEY}:{field}" for field, _value in one.keys & other.keys)
    same_street = bool(one.street) and one.street == other.street and one.city == other.city
    holds = {
        Reason.EMAIL: one.emails & other.emails,
        Reason.PHONE: one.phones & other.phones,
        Reason.DOMAIN: one.domains & other.domains and not one.emails & other.emails,
        Reason.COMPANY: _same_company(one, other),
        Reason.BORN: one.born and one.born == other.born,
        Reason.STREET: same_street,
        Reason.NAME: likeness == 1,
        Reason.SIMILAR_NAME: 0.8 <= likeness < 1,
        Reason.CITY: one.city and one.city == other.city and not same_street,
    }
    return (*keys, *(reason for reason, held in holds.items() if held))


def domains_of(emails: Collection[str], written: Collection[str]) -> frozenset[str]:
    """Domains of addresses and of web sites as written, public providers left out."""
    named = {email_domain(address) for address in emails}
    named |= {domain_of(text.lower().lstrip("@")) for text in written}
    return frozenset(named - {""} - public_domains())
