"""Reading the header of a message as programs really wrote it.

Nothing here raises for bad input: a word that cannot be decoded stays as it was written, a date
that cannot be read is None, an address that is none is kept as text.
"""

from __future__ import annotations

import base64
import binascii
import quopri
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import mktime_tz, parsedate_tz
from typing import Final

from dateutil import parser as date_parser

from desktop_crm.core.text import canonical_email, clean, storable
from desktop_crm.sync.port import Address

_ENCODED: Final = re.compile(r"=\?([^?\s]*)\?([bBqQ])\?([^?]*)\?=")
_ADJACENT: Final = re.compile(r"(\?=)[ \t\r\n]+(=\?)")
# A name that is one word, or one whose first word slipped in before a real name.
_HEADER_LINE: Final = re.compile(rb"^([!-9;-~]+(?: [A-Z][!-9;-~]*-[!-9;-~]+)?)[ \t]*:")
_FOLD: Final = re.compile(r"[\r\n]+[ \t]*")
_ID: Final = re.compile(r"<([^<>]+)>")
_BARE: Final = re.compile(r"[^\s<>()\[\],;:\"']+@[^\s<>()\[\],;:\"']+")
_EARLIEST: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST: Final = datetime(2200, 1, 1, tzinfo=UTC)
# What mail programs call a charset, and the superset that really reads what they wrote in it.
_CHARSETS: Final = {
    "iso-8859-1": "cp1252",
    "latin1": "cp1252",
    "us-ascii": "cp1252",
    "ascii": "cp1252",
    "ansi_x3.110-1983": "cp1252",
    "iso-8859-9": "cp1254",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "x-gbk": "gb18030",
    "ks_c_5601-1987": "cp949",
    "euc-kr": "cp949",
    "shift_jis": "cp932",
    "x-sjis": "cp932",
    "iso-8859-8-i": "iso-8859-8",
    "x-mac-romanian": "mac_romanian",
    "utf8": "utf-8",
    "unicode-1-1-utf-8": "utf-8",
    "unicode-1-1-utf-7": "utf-7",
    "binary": "utf-8",
    "unknown-8bit": "utf-8",
    "x-unknown": "utf-8",
    "": "utf-8",
}


def decode_bytes(data: bytes, charset: str = "") -> str:
    """Text of bytes whose charset is declared, missing or wrong; never raises."""
    declared = charset.strip("\"' \t;").lower()
    names = ("utf-8", "ascii") if declared in ("", "us-ascii", "ascii") else ()
    for name in (*names, _CHARSETS.get(declared, declared)):
        try:
            return data.decode(name)
        except (LookupError, ValueError):
            continue
    return _guess(data)


def _guess(data: bytes) -> str:
    from charset_normalizer import from_bytes

    # In a line or two every guess is a toss; western letters are the likeliest.
    best = from_bytes(data[:65_536]).best() if len(data) > 200 else None
    for name in (best.encoding if best else "cp1252", "utf-8"):
        try:
            return data.decode(name)
        except (LookupError, ValueError):
            continue
    return data.decode("utf-8", "replace")


def raw_text(value: object, charset: str = "") -> str:
    """A header's value unfolded, 8-bit bytes read as the text they are.

    Args:
        value: the header as the parser gives it.
        charset: what the body declares; bare bytes in the header are usually written in it too.
    """
    text = str(value)
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        data = text.encode("utf-8", "surrogateescape")
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError:
            text = decode_bytes(data, charset)
    return storable(_FOLD.sub(" ", text)).strip()


def mend(data: bytes) -> bytes:
    """A message whose header lines all have the form the parser knows.

    Blanks before a colon go, a name of several words becomes one, lines that are no header are
    dropped when more header follows; the first other line begins the body.
    """
    head, gap, body = _cut(data)
    lines = head.splitlines()
    last = max((i for i, line in enumerate(lines) if _HEADER_LINE.match(line)), default=-1)
    kept: list[bytes] = []
    for number, line in enumerate(lines):
        if number > last and line and line[:1] not in b" \t":
            return b"\n".join((*kept, b"", *lines[number:])) + gap + body
        named = _HEADER_LINE.match(line)
        if named:
            kept.append(b"-".join(named[1].split()) + b":" + line[named.end() :])
        elif kept and line[:1] in (b" ", b"\t"):
            kept.append(line)
    return b"\n".join(kept) + b"\n\n" + body


def _cut(data: bytes) -> tuple[bytes, bytes, bytes]:
    text = data.removeprefix(b"\xef\xbb\xbf").lstrip(b"\r\n")
    match = re.search(rb"\r?\n[ \t]*\r?\n|\r\r", text)
    if match is None:
        return text, b"", b""
    return text[: match.start()], match[0], text[match.end() :]


def decode_words(value: str) -> str:
    """Decode the encoded words of a header (RFC 2047), tolerating every usual mistake.

    Neighbouring words of one charset are joined before decoding, because some programs cut a
    character in two.
    """
    if "=?" not in value:
        return clean(value)
    joined = _ADJACENT.sub(r"\1\2", value)
    pieces: list[str] = []
    pending: bytes = b""
    charset = ""
    end = 0
    for match in _ENCODED.finditer(joined):
        name = match[1].partition("*")[0].lower()
        if match.start() > end or name != charset:
            pieces += (decode_bytes(pending, charset), joined[end : match.start()])
            pending = b""
        pending += _word(match[2], match[3])
        charset, end = name, match.end()
    pieces += (decode_bytes(pending, charset), joined[end:])
    return clean(storable("".join(pieces)))


def _word(encoding: str, text: str) -> bytes:
    raw = text.encode("utf-8", "replace")
    if encoding in "qQ":
        return quopri.decodestring(raw, header=True)
    kept = re.sub(rb"[^A-Za-z0-9+/]", b"", raw)
    kept = kept[:-1] if len(kept) % 4 == 1 else kept
    try:
        return base64.b64decode(kept + b"=" * (-len(kept) % 4))
    except binascii.Error:
        return raw


def addresses(value: str) -> tuple[Address, ...]:
    """Everybody an address header names; group names are dropped, their members kept."""
    return tuple(found for part in _split(value) for found in _address(part))


def _split(value: str) -> Iterator[str]:
    """Cut an address list at its commas, semicolons and group names."""
    current: list[str] = []
    quoted = escaped = False
    depth = {"<": 0, "(": 0}
    for char in value:
        if quoted or escaped:
            quoted = quoted and (escaped or char != '"')
            escaped = char == "\\" and not escaped
            current.append(char)
            continue
        escaped = char == "\\"
        quoted = char == '"'
        _track(depth, char)
        if char in ",;" and not depth["("]:
            yield "".join(current)
            current.clear()
            depth["<"] = 0
        elif char == ":" and not any(depth.values()):
            current.clear()  # the name of a group
        else:
            current.append(char)
    yield "".join(current)


def _track(depth: dict[str, int], char: str) -> None:
    if char in depth:
        depth[char] += 1
    elif char in ">)":
        depth["<" if char == ">" else "("] = 0


def _address(part: str) -> Iterator[Address]:
    text = part.strip()
    if not text:
        return
    if "<" not in text and "=?" in text:
        # Some programs encode the whole entry, its brackets included.
        text = decode_words(text)
    bracket = re.search(r"<([^<>]*)>?[^<>]*$", text)
    if bracket:
        name, inside = text[: bracket.start()], bracket[1]
    else:
        comment = re.search(r"\(([^()]*)\)", text)
        name = comment[1] if comment else ""
        inside = re.sub(r"\([^()]*\)", "", text)
    shown = _plain_name(name)
    address = canonical_email(inside)
    if address is None:
        # Blanks and comments between the words of an address are old but legal (RFC 2822, 4.4).
        bare_inside = re.sub(r"\([^()]*\)", "", inside)
        address = canonical_email(re.sub(r"\s*([.@])\s*", r"\1", bare_inside))
    if address is None and (bare := _BARE.search(decode_words(inside))):
        address = canonical_email(bare[0])
    if address is None and (bare := _BARE.search(decode_words(text))):
        address, shown = canonical_email(bare[0]), shown if bracket else ""
    if address is not None:
        yield Address(address, "" if shown.lower() == address else shown)
    elif decoded := decode_words(text).strip("<>\"' "):
        yield Address(decoded[:254], shown, readable=False)


def _plain_name(name: str) -> str:
    text = decode_words(name.strip()).strip()
    if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'":
        text = text[1:-1]
    return clean(re.sub(r"\\(.)", r"\1", text)).strip("\"' ")


def message_ids(value: str) -> tuple[str, ...]:
    """Identifiers in a Message-ID, In-Reply-To or References header, in its order."""
    found = [_one_id(text) for text in _ID.findall(value)]
    if not found:
        found = [token.strip("<>") for token in value.split() if "@" in token]
    return tuple(dict.fromkeys(text[:998] for text in found if text))


def _one_id(text: str) -> str:
    bare = re.sub(r"\([^()]*\)", "", text) if re.search(r"\s", text) else text
    return re.sub(r"\s+", "", bare)


def message_id(value: str) -> str:
    """The one identifier of a Message-ID header, also when it has no brackets or no @."""
    found = message_ids(value)
    return found[0] if found else re.sub(r"\s+", "", value).strip("<>")[:998]


def moment(value: str) -> datetime | None:
    """The instant of a Date header in UTC, or None when it cannot be read or makes no sense."""
    text = re.sub(r"\s*:\s*", ":", re.sub(r"\([^()]*\)", "", value)).strip()
    for read in (_by_rfc, _by_guess):
        found = read(text)
        if found is not None and _EARLIEST <= found < _LATEST:
            return found
    return None


def _by_rfc(text: str) -> datetime | None:
    try:
        parts = parsedate_tz(text)
        if parts is None or not _is_possible(parts):
            return None
        return datetime.fromtimestamp(mktime_tz(parts), UTC)
    except (ValueError, TypeError, IndexError, OverflowError, OSError):
        return None


def _is_possible(parts: tuple[int | None, ...]) -> bool:
    """Whether day and time exist; the library would carry the 40th over into the next month."""
    _, month, day, hour, minute, second = (part or 0 for part in parts[:6])
    limits = ((month, 12), (day, 31), (hour, 23), (minute, 59), (second, 60))
    return all(value <= limit for value, limit in limits)


def _by_guess(text: str) -> datetime | None:
    try:
        found = date_parser.parse(text, default=datetime(1, 1, 1, tzinfo=UTC))
    except (ValueError, TypeError, OverflowError, AttributeError):
        return None
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
