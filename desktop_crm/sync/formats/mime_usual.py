"""The usual message, read fast: well-formed, of text and HTML, perhaps with files.

The tolerant reader asks the standard library about every header of every part again and again.
Nine messages in ten need none of that. What is the least odd here is left to it: the answer is
either exactly the tolerant reader's, or None.
"""

from __future__ import annotations

import binascii
import quopri
import re
from dataclasses import dataclass
from typing import Final

_LINE: Final = re.compile(rb"[!-9;-~]+:[^\r\n]*(?:\r?\n[ \t]+[^ \t\r\n][^\r\n]*)*\r?\n")
_FOLD: Final = re.compile(r"[\r\n]+[ \t]*")
_TYPE: Final = re.compile(
    r"([a-z0-9.+-]+/[a-z0-9.+-]+)((?:\s*;\s*[a-z-]+=(?:\"[^\"\\]*\"|[^\s;\"]+))*)\s*;?", re.I
)
_PARAMETER: Final = re.compile(r";\s*([a-zA-Z-]+)=(?:\"([^\"\\]*)\"|([^\s;\"]+))")
_MULTIPART: Final = frozenset({"multipart/alternative", "multipart/mixed", "multipart/related"})
_PLAIN: Final = frozenset({"", "7bit", "8bit", "binary"})
_BASE64: Final = re.compile(rb"[A-Za-z0-9+/\r\n]*={0,2}[\r\n]*")
_DEEPEST: Final = 8

Fields = dict[str, list[str]]


@dataclass(frozen=True, slots=True)
class Leaf:
    """One part that holds no others, as its headers describe it."""

    kind: str
    content: bytes
    name: str
    disposition: str
    charset: str
    cid: str


class _Odd(Exception):
    """The message is not of the usual kind."""


def read_usual(data: bytes) -> tuple[Fields, list[Leaf]] | None:
    """Header fields by lower-case name and the parts in order; None for an odd message."""
    try:
        fields, body = _split(data)
        return fields, list(_leaves(fields, body, 0))
    except _Odd:
        return None


def _split(data: bytes) -> tuple[Fields, bytes]:
    """Header fields and body; every line of the header must be one, in letters of ASCII."""
    fields: Fields = {}
    place = 0
    while (match := _LINE.match(data, place)) is not None:
        name, _, value = data[place : match.end()].partition(b":")
        place = match.end()
        try:
            text = value.decode("ascii")
        except UnicodeDecodeError as error:
            raise _Odd from error
        if "\0" in text:
            raise _Odd
        fields.setdefault(name.decode("ascii").lower(), []).append(
            _FOLD.sub(" ", text.strip()) if "\n" in text.strip() else text.strip()
        )
    rest = data[place : place + 2]
    if rest[:1] == b"\n":
        return fields, data[place + 1 :]
    if rest != b"\r\n":
        raise _Odd
    return fields, data[place + 2 :]


def _one(fields: Fields, name: str) -> str:
    values = fields.get(name, ())
    if len(values) > 1:
        raise _Odd
    return values[0] if values else ""


def _described(value: str) -> tuple[str, dict[str, str]]:
    """Type and parameters of a header such as Content-Type."""
    match = _TYPE.fullmatch(value)
    if match is None:
        raise _Odd
    found: dict[str, str] = {}
    for parameter in _PARAMETER.finditer(match[2]):
        found.setdefault(parameter[1].lower(), parameter[2] or parameter[3] or "")
    return match[1].lower(), found


def _leaves(fields: Fields, body: bytes, depth: int) -> list[Leaf]:
    kind, parameters = _described(_one(fields, "content-type") or "text/plain")
    if kind in _MULTIPART:
        if depth == _DEEPEST or not parameters.get("boundary"):
            raise _Odd
        found: list[Leaf] = []
        for piece in _pieces(body, parameters["boundary"].encode("ascii")):
            found += _leaves(*_split(piece), depth + 1)
        return found
    if kind.startswith(("multipart/", "message/")) or "pkcs7" in kind or "pgp" in kind:
        raise _Odd
    disposition = _one(fields, "content-disposition")
    name = parameters.get("name", "")
    if disposition:
        word, more = _described(f"x/{disposition}")
        name = more.get("filename") or name
        disposition = word.removeprefix("x/")
    if "=?" in name or len(fields.get("content-id", ())) > 1:
        raise _Odd
    content = _decoded(body, _one(fields, "content-transfer-encoding").lower())
    cid = _one(fields, "content-id").strip("<> ")
    return [Leaf(kind, content, name, disposition, parameters.get("charset", ""), cid)]


def _pieces(body: bytes, boundary: bytes) -> list[bytes]:
    """What stands between the boundaries; both the first and the last must be there."""
    between = body.split(b"--" + boundary)
    if len(between) < 3 or (between[0] and not between[0].endswith(b"\n")):
        raise _Odd
    if between[-1][:2] != b"--" or between[-1][2:].lstrip(b" \t")[:1] not in (b"", b"\r", b"\n"):
        raise _Odd
    found = []
    for piece in between[1:-1]:
        first = 2 if piece.startswith(b"\r\n") else 1
        last = -2 if piece.endswith(b"\r\n") else -1
        if piece[first - 1 : first] != b"\n" or not piece.endswith(b"\n"):
            raise _Odd
        found.append(piece[first:last])
    return found


def _decoded(body: bytes, encoding: str) -> bytes:
    if encoding == "base64":
        if not _BASE64.fullmatch(body):
            raise _Odd
        try:
            return binascii.a2b_base64(body)
        except binascii.Error as error:
            raise _Odd from error
    if encoding == "quoted-printable":
        return quopri.decodestring(body)
    if encoding in _PLAIN:
        return body
    raise _Odd
