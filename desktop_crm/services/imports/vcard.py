"""Reading contact cards: vCard 2.1, 3.0 (RFC 2425, 2426) and 4.0 (RFC 6350).

The three versions differ in how lines are folded, how values are encoded and how parameters are
written; programs mix them freely, so every form is understood in every version.
"""

from __future__ import annotations

import base64
import binascii
import quopri
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from desktop_crm.core.i18n import N_
from desktop_crm.services.imports import encoding

NOT_A_CARD: Final = N_("Text outside a card.")
UNENDED: Final = N_("The card has no end (END:VCARD is missing).")

_NAME: Final = re.compile(r"^(?:([\w-]+)\.)?([A-Za-z0-9-]+)$")
_ESCAPE: Final = re.compile(r"\\(.)", re.DOTALL)
_CARET: Final = {"^n": "\n", "^^": "^", "^'": '"'}
_ENCODINGS: Final = frozenset({"QUOTED-PRINTABLE", "BASE64", "8BIT", "7BIT", "B"})
_BINARY: Final = frozenset({"PHOTO", "LOGO", "SOUND", "KEY"})


@dataclass(frozen=True, slots=True)
class Property:
    """One line of a card.

    Attributes:
        name: Upper-case name, e.g. ``TEL``.
        value: Decoded text, escapes still in place for structured values.
        group: Prefix that ties lines together (``item1``), lower case.
        types: Upper-case values of TYPE, whichever way they were written.
        params: Other parameters, upper-case names.
    """

    name: str
    value: str
    group: str = ""
    types: frozenset[str] = frozenset()
    params: dict[str, str] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The value as one text, escapes resolved."""
        return unescape(self.value)

    @property
    def parts(self) -> list[str]:
        """The components of a structured value (N, ADR, ORG), escapes resolved."""
        return [unescape(part).strip() for part in _split(self.value, ";")]

    @property
    def preferred(self) -> bool:
        """Whether the card marks this value as the first of its kind."""
        return "PREF" in self.types or self.params.get("PREF") == "1"


@dataclass(frozen=True, slots=True)
class Card:
    """One contact card, or the reason why there is none.

    Attributes:
        line: Line of the file on which it starts, from 1.
        properties: Its lines in order.
        problem: A translatable sentence when the card cannot be read.
    """

    line: int
    properties: tuple[Property, ...] = ()
    problem: str | None = None

    def first(self, name: str) -> Property | None:
        """The preferred property of a name, else the first one that has a value."""
        found = [p for p in self.properties if p.name == name and p.value.strip()]
        return next((p for p in found if p.preferred), found[0] if found else None)

    def every(self, name: str) -> list[Property]:
        """All properties of a name that have a value, preferred ones first."""
        found = [p for p in self.properties if p.name == name and p.value.strip()]
        return sorted(found, key=lambda p: not p.preferred)


def cards(data: bytes) -> Iterator[Card]:
    """Read every card of a file; a broken card does not disturb the next one."""
    charset = encoding.detect(data)
    if charset.startswith(("utf-16", "utf-32")):
        data, charset = data.decode(charset, errors="replace").encode(), "utf-8"
    charset = "utf-8" if charset == "utf-8-sig" else charset
    data = data.removeprefix(b"\xef\xbb\xbf").replace(b"\x00", b"")
    reader = _Reader()
    for number, raw in _logical_lines(data):
        if (card := reader.take(number, raw, charset)) is not None:
            yield card
    if reader.collected is not None:
        yield Card(reader.start, problem=UNENDED)


@dataclass(slots=True)
class _Reader:
    """Collects lines into cards."""

    collected: list[Property] | None = None
    start: int = 0
    nested: int = 0
    stray: bool = False

    def take(self, number: int, raw: bytes, charset: str) -> Card | None:
        """Take one logical line; give back the card that it ends or breaks."""
        word = raw.strip().upper()
        if word == b"BEGIN:VCARD":
            return self._begin(number)
        if word == b"END:VCARD":
            return self._end()
        if self.collected is None:
            first = bool(word) and not self.stray
            self.stray = self.stray or first
            return Card(number, problem=NOT_A_CARD) if first else None
        if not self.nested and (parsed := _property(raw, charset)):
            self.collected.append(parsed)
        return None

    def _begin(self, number: int) -> Card | None:
        held = self.collected
        if held and held[-1].name == "AGENT" and not held[-1].value.strip():
            self.nested += 1
            return None
        broken = Card(self.start, problem=UNENDED) if held is not None else None
        self.collected, self.start, self.nested, self.stray = [], number, 0, False
        return broken

    def _end(self) -> Card | None:
        if self.nested:
            self.nested -= 1
            return None
        held, self.collected = self.collected, None
        return Card(self.start, tuple(held)) if held is not None else None


def unescape(value: str) -> str:
    r"""Resolve ``\n``, ``\,``, ``\;`` and ``\\``."""
    return _ESCAPE.sub(lambda m: "\n" if m[1] in "nN" else m[1], value)


def _logical_lines(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Join folded lines and the soft line breaks of quoted-printable values."""
    pending: list[bytes] = []
    start = 1
    for number, line in enumerate(re.split(rb"\r\n|\n|\r", data), start=1):
        if pending and pending[-1].endswith(b"=") and _quoted_printable(pending[0]):
            pending[-1] = pending[-1][:-1]
            pending.append(line)
        elif pending and line[:1] in {b" ", b"\t"} and line.strip():
            pending.append(line[1:])
        else:
            if pending:
                yield start, b"".join(pending)
            pending, start = [line], number
    if pending:
        yield start, b"".join(pending)


def _quoted_printable(line: bytes) -> bool:
    return b"QUOTED-PRINTABLE" in line.partition(b":")[0].upper()


def _head_end(line: bytes) -> int:
    """Index of the colon that ends name and parameters, or -1; quoted colons do not count."""
    quoted = False
    for index, byte in enumerate(line):
        if byte == 0x22:
            quoted = not quoted
        elif byte == 0x3A and not quoted:
            return index
    return line.find(b":")


def _property(raw: bytes, charset: str) -> Property | None:
    end = _head_end(raw)
    if end < 0:
        return None
    body = raw[end + 1 :]
    first, *rest = _split_quoted(raw[:end].decode(charset, errors="replace"))
    named = _NAME.match(first.strip())
    if named is None:
        return None
    types, params = _parameters(rest)
    return Property(
        name=named[2].upper(),
        value=_decoded(named[2].upper(), body, params, charset),
        group=(named[1] or "").lower(),
        types=types,
        params=params,
    )


def _parameters(items: list[str]) -> tuple[frozenset[str], dict[str, str]]:
    types: set[str] = set()
    params: dict[str, str] = {}
    for item in items:
        name, has_value, value = item.strip().partition("=")
        key = name.strip().upper()
        value = re.sub(r"\^[n^']", lambda m: _CARET[m[0]], value.strip().strip('"'))
        if not has_value:
            # Version 2.1 writes the value alone: TEL;WORK;VOICE
            if key in _ENCODINGS:
                params["ENCODING"] = key
            else:
                types.add(key)
        elif key == "TYPE":
            types.update(part.strip().upper() for part in value.split(",") if part.strip())
        else:
            params[key] = value
    return frozenset(types), params


def _decoded(name: str, body: bytes, params: dict[str, str], charset: str) -> str:
    how = params.get("ENCODING", "").upper()
    if how == "QUOTED-PRINTABLE":
        body = quopri.decodestring(body)
    elif how in {"B", "BASE64"}:
        if name in _BINARY:
            return ""  # pictures, sounds and keys are no field of a contact
        try:
            body = base64.b64decode(body, validate=False)
        except binascii.Error:
            return ""
    wanted = params.get("CHARSET", "") or charset
    try:
        return body.decode(wanted)
    except (LookupError, UnicodeDecodeError):
        return body.decode(charset, errors="replace")


def _split_quoted(text: str) -> list[str]:
    """Split a line's head at semicolons that stand outside quotation marks."""
    parts: list[str] = []
    current: list[str] = []
    quoted = False
    for character in text:
        quoted ^= character == '"'
        if character == ";" and not quoted:
            parts.append("".join(current))
            current = []
        else:
            current.append(character)
    return [*parts, "".join(current)]


def _split(value: str, mark: str) -> list[str]:
    parts: list[str] = []
    current: list[str] = []
    escaped = False
    for character in value:
        if escaped:
            current.append("\\" + character)
            escaped = False
        elif character == "\\":
            escaped = True
        elif character == mark:
            parts.append("".join(current))
            current = []
        else:
            current.append(character)
    return [*parts, "".join(current)]
