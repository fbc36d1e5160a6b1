"""Whom a message is from, read off its signature: name, title, phones, company, address.

Nothing is looked up and nothing is kept: a person sees what was understood and corrects it.
"""

from __future__ import annotations

import re
from typing import Any, Final

from desktop_crm.core.errors import UserError
from desktop_crm.core.text import canonical_email, fold
from desktop_crm.services import contact_text
from desktop_crm.services.contact_text import ContactText
from desktop_crm.services.imports.names import split_name
from desktop_crm.services.mail.quotes import own_text

LONGEST: Final = 100_000
"""Characters of a message that are looked at."""

_LINES: Final = 16
"""Lines a signature has at most."""
_WIDEST: Final = 160
"""Characters of a line of it; what is longer is a notice of the lawyers."""
_LANGUAGES: Final = ("en", "de", "fr", "it", "es", "nl", "pl")
_MARK: Final = re.compile(r"^(?:-- ?|—|_{3,}|-{3,}|\*{3,})$")
_GREETING: Final = re.compile(
    r"^(?:(?:with )?(?:kind|best|warm|many)?(?:est)? ?(?:regards|wishes)|best|cheers|sincerely"
    r"|yours(?: sincerely| faithfully| truly)?|(?:many )?thanks(?: and .*| in advance)?|thank you.*"
    r"|all the best|cu (?:stima|respect|drag|consideratie|bine)|toate cele bune|numai bine"
    r"|o (?:zi|saptamana|seara) .*|(?:va )?multumesc.*|va multumim.*|salutari"
    r"|mit (?:freundlich|best|herzlich|viel)\w* gru\w+|(?:freundlich|viel|schon|best|herzlich|"
    r"lieb)\w* gru\w+.*|mfg|lg|vg|hochachtungsvoll"
    r"|(?:bien |tres )?cordialement|bien a vous|(?:meilleures|sinceres|cordiales) salutations"
    r"|salutations.*|sinceres salutations|bonne (?:journee|soiree|reception).*"
    r"|(?:merci|dans l'attente).{0,60})[\s,.!]*$"
)
_END: Final = re.compile(
    r"^(?:sent from |get outlook|trimis de pe |trimis de la|von meinem|gesendet von|envoye de"
    r"|obtenez outlook|this (?:e-?mail|message)|acest (?:e-?mail|mesaj)|diese (?:e-?mail|nachricht)"
    r"|ce (?:courriel|message|mail)|confidential|please consider|think before|avem grija|"
    r"think green|p\.?s\.)"
)


def signature(text: str, name: str = "") -> str:
    """The lines below the greeting of a message; without one those from the sender's name on.

    Args:
        text: plain text of the message, with whatever it quotes.
        name: the sender's name as the header has it.

    Empty where there is neither.
    """
    lines = [line.strip(" \t\r>*") for line in _latest(text[:LONGEST]).splitlines()]
    start = _start(lines, name)
    if start is None:
        return ""
    found: list[str] = []
    for line in lines[start:]:
        folded = fold(line)
        if len(found) >= _LINES or len(line) > _WIDEST or _END.match(folded):
            break
        if line and not _MARK.match(line) and not _GREETING.match(folded):
            found.append(line)
    return "\n".join(found)


def _latest(text: str) -> str:
    """What the sender wrote last, without the messages it quotes."""
    from mailparser_reply import EmailReplyParser  # slow to import, and seldom needed

    replies = EmailReplyParser(languages=list(_LANGUAGES)).read(text).replies
    latest = "\n".join((replies[0].body, replies[0].signatures)) if replies else text
    return own_text(latest if latest.strip() else text)


def _start(lines: list[str], name: str) -> int | None:
    """Line the signature begins with: below the last greeting or mark, else at the name."""
    first = next((n for n, line in enumerate(lines) if line), 0)
    for place in range(len(lines) - 1, first, -1):
        line = lines[place]
        below = sum(1 for one in lines[place + 1 :] if one)
        if below and (_MARK.match(line) or (line and _GREETING.match(fold(line)))):
            return place + 1
    wanted = set(fold(name.replace(",", " ")).split())
    for place in range(len(lines) - 1, first, -1):
        words = set(fold(lines[place].replace(",", " ")).split())
        if wanted and len(wanted) > 1 and words == wanted:
            return place
    return None


def read(text: str, name: str, address: str) -> ContactText:
    """What a message tells about its sender, for a form.

    Args:
        text: plain text of the message.
        name: the sender's name as the header has it.
        address: the sender's address; it stands first, whatever the signature says.
    """
    name = _in_order(name)
    try:
        found = contact_text.read(f"{signature(text, name) or name}\n{address}")
    except UserError:
        found = ContactText()
    contact: dict[str, Any] = dict(found.contact)
    account = dict(found.account)
    contact |= _name(contact, name, address)
    contact["emails"] = _emails(contact.get("emails", ()), address)
    if "phones" not in contact and (number := account.pop("phone", None)):
        contact["phones"] = [{"number": number, "type": "work", "is_primary": True}]
    account.pop("email", None)
    return ContactText(account, contact, found.left)


def _name(contact: dict[str, Any], name: str, address: str) -> dict[str, str]:
    """First and last name: as the signature writes it where it is the sender's, else the header."""
    plain = "" if "@" in name else name
    parsed = f"{contact.get('first_name', '')} {contact.get('last_name', '')}".strip()
    same = set(fold(parsed).split()) & set(fold(plain).split())
    if parsed and (same or not plain):
        return {}
    chosen = plain or " ".join(address.partition("@")[0].replace(".", " ").split()).title()
    given, family = split_name(chosen)
    return {"first_name": given, "last_name": family or chosen}


def _in_order(name: str) -> str:
    """A name as it is spoken; headers write the family first, with a comma."""
    last, comma, first = name.partition(",")
    return f"{first.strip()} {last.strip()}" if comma else name.strip()


def _emails(rows: Any, address: str) -> list[dict[str, Any]]:  # noqa: ANN401  child rows
    own = canonical_email(address) or address
    others = [dict(row) for row in rows if row["address"] != own]
    first = {"address": own, "type": "work", "is_primary": True}
    return [first, *({**row, "is_primary": False} for row in others)]


def lead_values(found: ContactText) -> dict[str, Any]:
    """The same as the fields of a lead."""
    contact, account = found.contact, found.account
    values: dict[str, Any] = {
        name: contact[name]
        for name in ("salutation", "first_name", "last_name", "job_title")
        if contact.get(name)
    }
    if account.get("name"):
        values["company"] = account["name"]
    if account.get("website"):
        values["website"] = account["website"]
    return values | {name: contact[name] for name in ("emails", "phones") if contact.get(name)}
