"""Comparing what people type: folded text, e-mail addresses and phone numbers."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

_INVISIBLE: Final = dict.fromkeys(
    [0x0000, 0x00AD, 0x200B, 0x200C, 0x200D, 0x2060, 0xFEFF, 0x200E, 0x200F], None
)
_SPECIAL: Final = str.maketrans(
    {"ß": "ss", "ø": "o", "Ø": "o", "ł": "l", "Ł": "l", "đ": "d", "Đ": "d", "æ": "ae", "œ": "oe"}
)
_SPACES: Final = re.compile(r"\s+")
_NOT_WORD: Final = re.compile(r"[^\w]+|_")
_EMAIL: Final = re.compile(r"^[^\s@<>,;:\"()]+@[^\s@<>,;:\"()]+\.[^\s@<>,;:\"()]+$")
_LEGAL_FORMS: Final = re.compile(
    r"^s\.?\s?c\.?\s+(?=\w)|"
    r"\b(s\.?\s?r\.?\s?l\.?(?:\s?-?\s?d)?|s\.?\s?a|s\.?\s?p\.?\s?a|s\.?\s?n\.?\s?c|gmbh|mbh|ag|kg|ohg|"
    r"gbr|ltd|limited|llc|llp|inc|incorporated|corp|corporation|company|co|plc|b\.?v|n\.?v|oy|ab|as|"
    r"a\.?s|s\.?\s?r\.?\s?o|sp\.?\s?z\s?o\.?\s?o|kft|zrt|nyrt|bt|d\.?o\.?o|lda|sas|sarl|eurl|pfa|ii)\b\.?"
)


def clean(text: str) -> str:
    """Drop invisible characters and fold runs of white space, NBSP included, into one space."""
    return _SPACES.sub(" ", text.translate(_INVISIBLE)).strip()


def storable(text: str) -> str:
    """Return a text that every database takes: without NUL, lone surrogates replaced by U+FFFD."""
    plain = text.replace("\0", "")
    return plain.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def fold(text: str) -> str:
    """Return the form in which texts are compared and searched.

    Case, accents and the two ways to write ș and ț do not matter in it (R51).
    """
    if text.isascii():
        return _SPACES.sub(" ", text.replace("\0", "").casefold()).strip()
    plain = unicodedata.normalize("NFKD", clean(text).translate(_SPECIAL))
    bare = "".join(c for c in plain if not unicodedata.combining(c)).casefold()
    # Some signs fold to a blank and a mark, and some small letters to new marks.
    return _SPACES.sub(" ", bare).strip() if bare.isascii() else _settled(bare)


def _settled(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text)
    bare = "".join(c for c in plain if not unicodedata.combining(c)).casefold()
    return _SPACES.sub(" ", bare.translate(_SPECIAL)).strip()


def fold_company(text: str) -> str:
    """Fold a company name without its legal form and punctuation, for suggestions (R51).

    A name that is nothing but a legal form stays as it is.
    """
    folded = fold(text)
    bare = " ".join(words_of(_LEGAL_FORMS.sub(" ", folded)))
    return bare or " ".join(words_of(folded))


def words_of(folded: str) -> tuple[str, ...]:
    """Words of a folded text; punctuation parts them."""
    return tuple(_NOT_WORD.sub(" ", folded).split())


def canonical_email(text: str) -> str | None:
    """Return an address as it is compared, or None when it is none (R28).

    Both parts are lower case; an international domain becomes punycode.
    """
    address = clean(text).strip("<>'\" ").lower()
    if address.startswith("mailto:"):
        address = address[7:]
    if not _EMAIL.match(address):
        return None
    local, _, domain = address.rpartition("@")
    if not domain.isascii():
        try:
            domain = domain.encode("idna").decode("ascii")
        except UnicodeError:
            return None
    return f"{local}@{domain}"


def email_domain(address: str) -> str:
    """Domain of an address, lower case; empty when there is none."""
    return address.rpartition("@")[2].lower() if "@" in address else ""


@lru_cache(maxsize=4096)
def canonical_phone(text: str, region: str = "RO") -> str | None:
    """Return a phone number in E.164, or None when it is no possible number there.

    Args:
        text: The number as written.
        region: ISO country assumed for numbers without a country prefix.
    """
    import phonenumbers

    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def initials(name: str) -> str:
    """Return one or two capitals that stand for a name in an avatar."""
    words = [word for word in re.split(r"[\s\-.,]+", name) if word and word[0].isalnum()]
    if not words:
        return "?"
    if len(words) == 1:
        return words[0][:2].upper()
    return (words[0][0] + words[-1][0]).upper()


def split_tags(text: str) -> list[str]:
    """Tags of a text with commas, semicolons or bars between them; each one once, in order."""
    named: dict[str, str] = {}
    for part in re.split(r"[,;|]", text):
        if tag := clean(part):
            named.setdefault(fold(tag), tag)
    return list(named.values())


def join_tags(tags: Iterable[str]) -> str | None:
    """Stored form of tags, as in ``|press|vip|``; None for none."""
    joined = "|".join(tags)
    return f"|{joined}|" if joined else None
