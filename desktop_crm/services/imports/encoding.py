"""In which encoding a text file was written.

Files without a mark are told apart by their letters: an encoding is right when the letters beyond
ASCII belong together in one language. Romanian and Polish exports come in four Central European
encodings that differ in a handful of bytes, which general detectors confuse.
"""

from __future__ import annotations

import codecs
import re
from collections import Counter
from typing import Final

from charset_normalizer import from_bytes

_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CENTRAL: Final = (
    "ăâîşţ",  # Romanian as these encodings write it
    "ąćęłńóśźż",
    "áéíóöőúüű",
    "áčďéěíňóřšťúůýž",
    "áäčďéíĺľňóôŕšťúýž",
    "čćđšž",
    "äöüß",
)
_WESTERN: Final = (
    "äöüß",
    "àâçéèêëîïôùûüÿœæ",
    "áéíñóúü¿¡",
    "ãõáâàçéêíóôú",
    "àèéìòùî",
    "åæøäöé",
    "éëïóöüèê",
)
_SOUTH_EASTERN: Final = ("ăâîșț", "ąćęłńóśźż", "áéíóöőúüű", "čćđšž", "àâçéèêëîïôùûüÿœæ")
_CANDIDATES: Final = (
    ("cp1252", _WESTERN),
    ("cp1250", _CENTRAL),
    ("iso-8859-2", _CENTRAL),
    ("iso-8859-16", _SOUTH_EASTERN),
)
_HARMLESS: Final = "€„“”‘’«»–—…°§©®™\u00a0\u00ad"
_PAIRS_WESTERN: Final = ("ão", "ãe", "ñ", "nã")
_BEYOND: Final = re.compile(rb"[\x80-\xff]")
_RUN: Final = re.compile(rb"[\x80-\xff]+")
_SAMPLE: Final = 400_000
_SURE: Final = 0.6


def detect(data: bytes) -> str:
    """Name the encoding of a text file.

    Args:
        data: The whole file; the first 400 kB with letters beyond ASCII decide.

    Returns:
        A Python codec name; ``utf-8`` for pure ASCII.
    """
    for mark, name in _MARKS:
        if data.startswith(mark):
            return name
    if wide := _wide(data[:4096]):
        return wide
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return _single_byte(data)
    return "utf-8"


def decode(data: bytes, encoding: str) -> str:
    """Decode a file; bytes that the encoding does not define become the replacement sign."""
    return data.decode(encoding, errors="replace")


def _wide(head: bytes) -> str:
    """UTF-16 without a mark shows as zero bytes at every second place."""
    even, odd = head[0::2].count(0), head[1::2].count(0)
    half = len(head) // 2
    if half and odd > 0.4 * half and even < 0.1 * half:
        return "utf-16-le"
    if half and even > 0.4 * half and odd < 0.1 * half:
        return "utf-16-be"
    return ""


def _single_byte(data: bytes) -> str:
    sample = _lines_with_letters(data)
    scores = {name: _score(sample, name, alphabets) for name, alphabets in _CANDIDATES}
    best = max(scores, key=lambda name: scores[name])
    if scores[best] >= _SURE and _accents_stand_alone(sample):
        return best
    found = from_bytes(sample).best()
    return found.encoding if found is not None else best


def _accents_stand_alone(sample: bytes) -> bool:
    """Say whether letters beyond ASCII stand among others, as in Latin scripts and only there."""
    beyond = len(_BEYOND.findall(sample))
    runs = len(_RUN.findall(sample))
    return runs > 0.5 * beyond


def _lines_with_letters(data: bytes) -> bytes:
    lines = (line for line in data.splitlines() if not line.isascii())
    chosen: list[bytes] = []
    size = 0
    for line in lines:
        chosen.append(line[:2000])
        size += len(chosen[-1])
        if size > _SAMPLE:
            break
    return b"\n".join(chosen)


def _score(sample: bytes, encoding: str, alphabets: tuple[str, ...]) -> float:
    """Share of the letters beyond ASCII that one language explains, less what none would write."""
    try:
        text = sample.decode(encoding)
    except UnicodeDecodeError:
        return 0.0
    letters = Counter(c for c in text.lower() if ord(c) > 127 and c not in _HARMLESS)
    total = letters.total()
    if not total:
        return 1.0
    explained = max(sum(letters[c] for c in alphabet) for alphabet in alphabets)
    strange = sum(n for c, n in letters.items() if not c.isalpha())
    score = (explained - strange) / total
    if encoding == "cp1252" and any(pair in text for pair in _PAIRS_WESTERN):
        score += 0.01
    elif encoding != "cp1252" and score == 1.0 and letters.keys() <= set("äöüßéáíóúâîôç"):
        score -= 0.01  # the same bytes mean the same letters in cp1252, the likelier writer
    return score
