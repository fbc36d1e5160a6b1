"""Bodies of messages: HTML made harmless, and text made from HTML.

Nothing remote is ever loaded by itself: pictures that came with the message are put into it as
data; of every other one the address is kept in a scheme of our own that no viewer can load (R32),
so that opening a mail tells nobody that it was opened.
"""

from __future__ import annotations

import base64
import logging
import re
from collections.abc import Mapping
from html import unescape
from typing import Final
from urllib.parse import unquote

import nh3

from desktop_crm.sync.formats.html_shape import readable
from desktop_crm.sync.port import Attachment

_log = logging.getLogger(__name__)

PICTURE_LIMIT: Final = 1_000_000
"""Bytes of one picture that is put into the body; a bigger one stays an attachment."""

ADDRESS_LIMIT: Final = 2_000
"""Characters of the address of a remote picture that is kept."""

HTML_LIMIT: Final = 4_000_000
"""Characters of HTML that are kept; a longer body is cut and its text made from what is left."""

REMOTE: Final = "remote:"
"""Stands before the address of a picture that lies somewhere on the network."""

_PICTURES: Final = {"image/png", "image/jpeg", "image/gif", "image/webp", "image/bmp"}
_STYLES: Final = {
    "color", "background-color", "font-family", "font-size", "font-style", "font-weight",
    "text-align", "text-decoration", "line-height", "margin", "margin-left", "margin-top",
    "margin-bottom", "margin-right", "padding", "padding-left", "padding-top", "padding-right",
    "padding-bottom", "border", "border-collapse", "border-left", "border-top", "border-right",
    "border-bottom", "width", "height", "vertical-align", "white-space",
}  # fmt: skip
_EXTRA_ATTRIBUTES: Final = {
    "*": {"style", "align", "valign", "bgcolor", "dir", "lang"},
    "font": {"color", "face", "size"},
    "table": {"border", "cellpadding", "cellspacing", "width"},
    "td": {"width", "height"},
    "th": {"width", "height"},
}
_TAG: Final = re.compile(r"<[^<>]*>")
_REACHES: Final = re.compile(r"\\|@|(?<!\brgb)(?<!\brgba)(?<!\bhsl)(?<!\bhsla)\(", re.I)
_HIDDEN: Final = re.compile(r"<(script|style|title|head)\b", re.I)
_BLANKS: Final = re.compile(r"\n{3,}")


def clean_html(html: str, pictures: Mapping[str, Attachment] | None = None) -> str:
    """HTML without scripts, forms, frames and anything remote; `pictures` by content id.

    Empty for a page that is nested beyond all sense: its text is shown instead.
    """
    page = readable(html[:HTML_LIMIT])
    if page is None:
        _log.info("HTML body nested too deeply; only its text is kept")
        return ""
    inline = {cid.lower(): part for cid, part in (pictures or {}).items()}

    def kept(tag: str, attribute: str, value: str) -> str | None:
        if attribute == "src":
            return _picture(value, inline)
        if attribute in ("href", "cite"):
            scheme = value.strip().partition(":")[0].lower()
            return value if scheme in ("http", "https", "mailto", "tel") else None
        return _style(value) if attribute == "style" else value

    attributes = {tag: set(names) for tag, names in nh3.ALLOWED_ATTRIBUTES.items()}
    for tag, names in _EXTRA_ATTRIBUTES.items():
        attributes[tag] = attributes.get(tag, set()) | names
    return nh3.clean(
        page,
        tags=nh3.ALLOWED_TAGS | {"font", "big"},
        attributes=attributes,
        attribute_filter=kept,
        url_schemes={"http", "https", "mailto", "tel", "cid", "data", REMOTE.rstrip(":")},
        filter_style_properties=_STYLES,
        clean_content_tags={"script", "style", "title", "head"},
    ).strip()


def _style(value: str) -> str | None:
    """Declarations that reach for nothing: colours are the only functions any of them needs."""
    kept = [part for part in value.split(";") if not _REACHES.search(part)]
    return ";".join(kept) or None


def _picture(source: str, inline: Mapping[str, Attachment]) -> str | None:
    value = source.strip()
    if value.lower().startswith("cid:"):
        part = inline.get(unquote(value[4:]).lower())
        if part is None or part.content is None or part.content_type not in _PICTURES:
            return None
        if part.size > PICTURE_LIMIT:
            return None
        data = base64.b64encode(part.content).decode("ascii")
        return f"data:{part.content_type};base64,{data}"
    if value.lower().startswith(("http://", "https://")):
        return REMOTE + value if len(value) <= ADDRESS_LIMIT else None
    kind = value[5:].partition(";")[0].lower() if value.lower().startswith("data:") else ""
    return value if kind in _PICTURES else None


def text_of(html: str) -> str:
    """Plain text of an HTML body, as a reader would see it."""
    from inscriptis import get_text
    from lxml.etree import LxmlError

    source = html[:HTML_LIMIT].replace("\x00", "")
    if not source.strip():
        return ""
    try:
        text = str(get_text(re.sub(r"^\s*<\?xml[^>]*\?>", "", source)))
    except (LxmlError, ValueError, RecursionError, AssertionError, AttributeError) as error:
        _log.info("HTML body read without its layout: %s", error)
        text = ""
    # What is nested deeply the layout leaves out.
    return tidy(text) or tidy(unescape(_TAG.sub(" ", _shown(source))))


def _shown(source: str) -> str:
    """HTML without what is never shown, found in one walk."""
    kept: list[str] = []
    place = 0
    for match in _HIDDEN.finditer(source):
        if match.start() >= place:
            kept.append(source[place : match.start()])
            end = re.compile(f"</{match[1]}", re.I).search(source, match.end())
            place = len(source) if end is None else end.start()
    return " ".join((*kept, source[place:]))


def tidy(text: str) -> str:
    """Text without control characters, trailing blanks and long runs of empty lines."""
    plain = text.replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "")
    lines = "\n".join(line.rstrip() for line in plain.split("\n"))
    return _BLANKS.sub("\n\n", lines).strip()
