"""Names of persons: one text taken apart."""

from __future__ import annotations


def split_name(whole: str) -> tuple[str, str]:
    """Split a full name into first and last name.

    ``Doe, John`` is last name first; otherwise the last word is the last name. Particles in lower
    case (van, de la) belong to it. A single word is a last name.
    """
    text = " ".join(whole.split())
    if "," in text:
        last, _, first = text.partition(",")
        return first.strip(), last.strip()
    words = text.split(" ")
    if len(words) == 1:
        return "", text
    start = len(words) - 1
    while start > 1 and words[start - 1].islower():
        start -= 1
    return " ".join(words[:start]), " ".join(words[start:])
