"""Elements of Exchange's XML: making them and reading text, marks, ids and moments from them."""

from __future__ import annotations

import re
from datetime import MAXYEAR, MINYEAR, UTC, date, datetime, timedelta
from typing import Any, Final, TypeAlias

from lxml import etree

TYPES: Final = "http://schemas.microsoft.com/exchange/services/2006/types"
MESSAGES: Final = "http://schemas.microsoft.com/exchange/services/2006/messages"
Element: TypeAlias = Any
"""An element of lxml, whose stubs would make every child optional."""

T: Final = f"{{{TYPES}}}"
M: Final = f"{{{MESSAGES}}}"

_SPACES: Final = {"t": T, "m": M}
_NAMES: Final = {"t": TYPES, "m": MESSAGES}
_STAMP: Final = re.compile(
    r"^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d+))?)?(Z|[+-]\d\d:?\d\d)?$"
)
# What XML 1.0 cannot hold; a text with one of them would make the whole request impossible.
_FORBIDDEN: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def node(name: str, *content: Element, **attributes: str) -> Element:
    """An element such as `t:Subject` with text and child elements; None is left out."""
    space, _, local = name.partition(":")
    made = etree.Element(f"{_SPACES[space]}{local}", attributes, nsmap=_NAMES)
    for part in content:
        if isinstance(part, str):
            made.text = _FORBIDDEN.sub("", part)
        elif part is not None:
            made.append(part)
    return made


def flag_text(value: bool) -> str:
    """A truth as XML writes it."""
    return "true" if value else "false"


def stamp(value: datetime) -> str:
    """An aware moment as Exchange is told it, in UTC."""
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def tag_of(element: Element) -> str:
    """Name of an element without its namespace."""
    return str(element.tag).rpartition("}")[2]


def id_of(element: Element) -> str:
    """Item id of an item or change element, or empty."""
    found = element.find(f"{T}ItemId")
    return found.get("Id", "") if found is not None else ""


def change_key_of(element: Element) -> str:
    """Version of an item element in the server's own words, or empty."""
    found = element.find(f"{T}ItemId")
    return found.get("ChangeKey", "") if found is not None else ""


def text_at(element: Element, path: str) -> str:
    """Text of a descendant by its names, or empty."""
    return (element.findtext(f"{T}{path.replace('/', f'/{T}')}") or "").strip()


def texts_of(element: Element) -> dict[str, str]:
    """Texts of the children by their names; one walk where many are asked for."""
    start = len(T)
    return {child.tag[start:]: (child.text or "").strip() for child in element}


def flag_at(element: Element, path: str) -> bool:
    """Whether a descendant says true."""
    return text_at(element, path).lower() in ("true", "1")


def moment(text: str) -> datetime | None:
    """Instant of an XML dateTime in UTC: any number of decimals, no zone means UTC.

    The first and the last year there is stand for none: their days cannot be told in every zone.
    """
    match = _STAMP.match(text.strip())
    if not match:
        return None
    year, month, day, hour, minute = (int(match[n]) for n in range(1, 6))
    try:
        found = datetime(year, month, day, hour, minute, int(match[6] or 0), tzinfo=UTC)
    except ValueError:
        return None
    if not MINYEAR < year < MAXYEAR:
        return None
    zone = match[8] or "Z"
    if zone == "Z":
        return found
    digits = zone.replace(":", "")
    offset = timedelta(hours=int(digits[1:3]), minutes=int(digits[3:5]))
    return found - offset if digits[0] == "+" else found + offset


def nearest_day(text: str) -> date | None:
    """Day of a moment that stands for a day: the nearest midnight, whatever its zone (R34)."""
    found = moment(text)
    return None if found is None else (found + timedelta(hours=12)).date()
