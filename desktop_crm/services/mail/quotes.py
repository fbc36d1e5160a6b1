"""What of a message is its writer's own, and what it quotes."""

from __future__ import annotations

import re
from typing import Final

_HTML: Final = re.compile(
    r"<blockquote|<div[^>]*\bid=\"(?:appendonsend|divRplyFwdMsg)\"|"
    r"<p[^>]*>\s*-{3,}\s*(?:Original Message|Mesaj original)",
    re.IGNORECASE,
)
_TEXT: Final = re.compile(
    r"^(?:>.*|-{3,}\s*(?:Original Message|Mesaj original|Forwarded message).*|"
    r"(?:On|La|În|Am|Le)\b.{6,120}(?:wrote|a scris|schrieb|a écrit)\s*:\s*)$",
    re.MULTILINE,
)
_LEAST: Final = 20
"""Characters of a message's own that must stand before what is folded away."""


def own_html(html: str) -> str:
    """The HTML without what it quotes at its end; the same when it quotes nothing."""
    found = _HTML.search(html)
    if found is None or len(re.sub(r"<[^>]*>|\s", "", html[: found.start()])) < _LEAST:
        return html
    return html[: found.start()]


def own_text(text: str) -> str:
    """The text without what it quotes at its end; the same when it quotes nothing."""
    found = _TEXT.search(text)
    if found is None or len(text[: found.start()].strip()) < _LEAST:
        return text
    return text[: found.start()].rstrip()
