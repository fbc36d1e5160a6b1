"""HTML that is nested so that sanitising it would take minutes; a mail of a few pages can be that.

The sanitiser reads as browsers do: each tag is looked for among all that are open, and formatting
that was never closed is opened again in each paragraph. Both grow with the square of the page.
"""

from __future__ import annotations

import re
from typing import Final

from lxml import etree

DEEPEST: Final = 1_000
"""Tags within tags that are followed; people's mail has a few dozen, long threads a few hundred."""

_SHORT: Final = 2_000
"""Tags of a page that no order of them makes slow."""

_PROLOG: Final = re.compile(r"^\s*<\?xml[^>]*\?>")


class _TooDeep(Exception):
    """The page is nested deeper than anything a person wrote."""


class _Depth:
    """Counts how deep a page is nested, and stops reading where that is too deep."""

    def __init__(self) -> None:
        self._depth = 0

    def start(self, tag: str | bytes, attrib: object) -> None:
        self._depth += 1
        if self._depth > DEEPEST:
            raise _TooDeep

    def end(self, tag: str | bytes) -> None:
        self._depth -= 1

    def data(self, data: str | bytes) -> None:
        """Texts say nothing about it."""

    def comment(self, text: str | bytes) -> None:
        """Comments say nothing about it."""

    def close(self) -> None:
        """Nothing is made of it."""


def readable(html: str) -> str | None:
    """The page in a form that is read in one go; None when it is nested too deeply to be shown."""
    if html.count("<") <= _SHORT:
        return html
    source = _PROLOG.sub("", html).replace("\x00", "")
    try:
        counting = etree.HTMLParser(target=_Depth(), huge_tree=True)
        counting.feed(source)
        counting.close()
        reading = etree.HTMLParser(huge_tree=True)
        reading.feed(source)
        page = reading.close()
    except (_TooDeep, etree.LxmlError, ValueError, AssertionError):
        return None
    # Every tag is closed in it.
    return str(etree.tostring(page, encoding="unicode", method="html"))
