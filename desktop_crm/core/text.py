"""Comparing what people type: folded text, e-mail addresses and phone numbers."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from phonenumbers import PhoneNumber

_FEWEST_DIGITS: Final = 5
# Those that turn the direction of what follows make "exe.pdf" out of "fdp.exe".
_TURNING: Final = (0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))
_INVISIBLE: Final = dict.fromkeys(
    [0x0000, 0x00AD, 0x200B, 0x200C, 0x200D, 0x2060, 0xFEFF, *_TURNING], None
)
_SPECIAL: Final = str.maketrans(
    {"ß": "ss", "ø": "o", "Ø": "o", "ł": "l", "Ł": "l", "đ": "d", "Đ": "d", "æ": "ae", "œ": "oe"}
)
_ODD: Final = frozenset(map(chr, (*_INVISIBLE, *_SPECIAL)))
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
    return _SPACES.sub(" ", _bare(text)).strip()


def _bare(text: str) -> str:
    """Text without case, accents and invisible characters; white space stands as it was."""
    if text.isascii():
        return text.replace("\0", "").casefold()
    if not _ODD.isdisjoint(text):
        text = text.translate(_INVISIBLE).translate(_SPECIAL)
    bare = _without_marks(unicodedata.normalize("NFKD", text)).casefold()
    # Some signs fold to a blank and a mark, and some small letters to new marks.
    return bare if bare.isascii() else _settled(bare)


def _settled(text: str) -> str:
    bare = _without_marks(unicodedata.normalize("NFKD", text)).casefold()
    return bare.translate(_SPECIAL)


def _without_marks(text: str) -> str:
    """Text without combining characters; a text has few different ones, however long it is."""
    for mark in filter(unicodedata.combining, set(text)):
        text = text.replace(mark, "")
    return text


@lru_cache(maxsize=2048)
def _bare_character(character: str) -> str:
    return _bare(character)


def fold_places(text: str) -> tuple[str, list[int]]:
    """Return the folded text with the place in the text that each of its characters comes from.

    It says where in a shown text the words stand that were found in the folded one.
    """
    folded: list[str] = []
    places: list[int] = []
    for place, character in enumerate(text):
        for bare in _bare_character(character):
            blank = bare.isspace()
            if blank and (not folded or folded[-1] == " "):
                continue
            folded.append(" " if blank else bare)
            places.append(place)
    if folded and folded[-1] == " ":
        folded.pop()
        places.pop()
    return "".join(folded), places


def search_text(pieces: Iterable[str]) -> str:
    """Return the stored text that search looks through: folded pieces, each once.

    A blank stands before the first and behind the last word, so that three letters of an index
    of trigrams tell the beginning and the end of every word; empty for nothing.
    """
    folded = dict.fromkeys(found for piece in pieces if (found := fold(piece)))
    return f" {' '.join(folded)} " if folded else ""


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


def bare_email(text: str) -> str:
    """An address as it was written, without what is copied along with it.

    Brackets, quotes and blanks around it, a ``mailto:`` before it, the dot of the root behind it.
    """
    address = clean(text).strip("<>'\" ").rstrip(".")
    return address[7:] if address[:7].lower() == "mailto:" else address


def canonical_email(text: str) -> str | None:
    """Return an address as it is compared, or None when it is none (R28).

    Both parts are lower case; an international domain becomes punycode.
    """
    address = bare_email(text).lower()
    if not _EMAIL.match(address) or not address.isprintable():
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


def untagged(address: str) -> str:
    """The address without the tag of its local part; empty when it has none."""
    local, _, domain = address.partition("@")
    plain, sign, _ = local.partition("+")
    return f"{plain}@{domain}" if sign and plain and domain else ""


@lru_cache(maxsize=4096)
def canonical_phone(text: str, region: str = "RO") -> str | None:
    """Return a phone number in E.164, or None when it is no possible number there.

    Args:
        text: The number as written.
        region: ISO country assumed for numbers without a country prefix.
    """
    import phonenumbers

    number = _phone_number(text, region)
    if number is None:
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


@lru_cache(maxsize=4096)
def phone_digits(text: str, region: str = "RO") -> tuple[str, ...]:
    """Digits by which a phone number is found in any writing: with and without the country.

    Args:
        text: The number as written; of one that is none its digits come back, if there are five.
        region: ISO country assumed for numbers without a country prefix.
    """
    import phonenumbers

    number = _phone_number(text, region)
    if number is None:
        digits = "".join(c for c in text if c.isdecimal() and c.isascii())
        return (digits,) if len(digits) >= _FEWEST_DIGITS else ()
    whole = f"{number.country_code}{phonenumbers.national_significant_number(number)}"
    at_home = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.NATIONAL)
    local = "".join(c for c in at_home if c.isdecimal())
    return (whole,) if whole.endswith(local) else (whole, local)


def _phone_number(text: str, region: str) -> PhoneNumber | None:
    import phonenumbers

    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None
    return number if phonenumbers.is_possible_number(number) else None


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
