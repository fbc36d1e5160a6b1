"""Forms in which names, tax ids and domains are compared when duplicates are looked for (R51)."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final
from urllib.parse import urlsplit

from desktop_crm.core import paths
from desktop_crm.core.text import fold, fold_company, words_of

_LENGTH: Final = 200
_DOMAIN_LENGTH: Final = 120
_TAX_WORDS: Final = re.compile(r"^(?:CUI|CIF|VAT|TVA|TAX|NIF|NIP|UID|USTIDNR|USTID)+")
_TAX_ENDS: Final = re.compile(r"(?:MWST|TVA|IVA|MVA)$")
_DIGITS_OF_TAX: Final = 2
_PREFIX: Final = 2


def person_key(name: str) -> str:
    """Folded name of a person with the last word first: what people are sought by as well."""
    words = words_of(fold(name))
    return " ".join((*words[-1:], *words[:-1]))[:_LENGTH]


def company_key(name: str) -> str:
    """Folded name of a company without legal form and punctuation."""
    return fold_company(name)[:_LENGTH]


@lru_cache(maxsize=4096)
def tax_parts(text: str) -> tuple[str, str]:
    """Country and number of a tax id as written; both empty when it is none.

    ``RO 1234`` and ``1234`` have the same number; only two different countries tell them apart.
    """
    from stdnum.eu.vat import MEMBER_STATES
    from stdnum.util import clean

    bare = _TAX_ENDS.sub("", _TAX_WORDS.sub("", clean(text, " -./,:").upper()))
    country = bare[:_PREFIX].lower()
    known = country in MEMBER_STATES or country in {"el", "gb", "ch", "no", "us", "rs", "tr", "ua"}
    if known and any(c.isdigit() for c in bare[_PREFIX:]):
        bare = bare[_PREFIX:].removeprefix("E") if country == "ch" else bare[_PREFIX:]
    else:
        country = ""
    digits = {c for c in bare if c.isdigit()}
    if sum(c.isdigit() for c in bare) < _DIGITS_OF_TAX or digits == {"0"}:
        return "", ""
    return "gr" if country == "el" else country, bare


def tax_key(text: str) -> str:
    """Number of a tax id without country, spaces and marks; empty when it is none."""
    return tax_parts(text)[1]


def same_tax(one: str, other: str) -> bool:
    """Whether two tax ids as written are one; two different countries tell them apart."""
    (here, number), (there, second) = tax_parts(one), tax_parts(other)
    return bool(number) and number == second and not (here and there and here != there)


def domain_of(website: str) -> str:
    """Host of a web address without ``www``; empty when there is none."""
    address = website if "//" in website else f"//{website}"
    try:
        host = urlsplit(address).hostname or ""
    except ValueError:
        return ""
    domain = host.removeprefix("www.")
    return domain if "." in domain and len(domain) <= _DOMAIN_LENGTH else ""


@lru_cache(maxsize=1)
def public_domains() -> frozenset[str]:
    """Domains where anybody may have an address; they say nothing about the company."""
    text = paths.resource("mail", "public_domains.txt").read_text(encoding="utf-8")
    lines = (line.strip().lower() for line in text.splitlines())
    return frozenset(line for line in lines if line and not line.startswith("#"))
