"""Who somebody probably is whose address no record has; for suggestions, never for links (R28).

Three signs: an address that is known without its tag, the name of exactly one known person, and
the address of whom a forwarded message is from.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, select

from desktop_crm.core.text import canonical_email, email_domain, fold
from desktop_crm.models import Contact
from desktop_crm.sync.port import Address, Correspondence, MailItem

_FORWARD: Final = re.compile(r"^\s*(fw|fwd|wg|tr|i|rv|redir|enc)\s*:", re.IGNORECASE)
_FROM: Final = re.compile(
    r"^[>*\s]*(?:from|de la|von|de|da|od|van)\s*:\*?\s*(?P<rest>.{0,300})$",
    re.IGNORECASE | re.MULTILINE,
)
_WRITTEN: Final = re.compile(r"[^\s<>\"'()\[\],;:]+@[^\s<>\"'()\[\],;:]+")
_MOST: Final = 5
"""Authors taken from one forwarded message; the nearest are named first."""
_NAMESAKES: Final = 3
"""More people of one name than this say nothing."""


@dataclass(frozen=True, slots=True)
class Near:
    """A contact somebody probably is; `account` is the contact's, `evidence` the sign."""

    contact: int
    account: int | None
    evidence: str
    by_name: bool


def authors_of_forwarded(item: Correspondence) -> tuple[str, ...]:
    """Addresses of whoever a passed-on message is from, as its quoted head says."""
    if not isinstance(item, MailItem) or not _FORWARD.match(item.subject):
        return ()
    found: dict[str, None] = {}
    for line in _FROM.finditer(item.text[:20_000]):
        for written in _WRITTEN.findall(line["rest"]):
            address = canonical_email(written)
            if address:
                found[address] = None
    return tuple(found)[:_MOST]


def names_of(items: Iterable[Correspondence]) -> dict[str, set[str]]:
    """Addresses to the folded names of two words or more that stand beside them."""
    found: dict[str, set[str]] = defaultdict(set)
    for item in items:
        for person in _people(item):
            for name in _spellings(person.name):
                found[person.address].add(name)
    return found


def by_name(
    connection: Connection, unknown: dict[str, set[str]], chunk: int = 400
) -> dict[str, tuple[Near, ...]]:
    """Contacts of exactly the name that stands beside an unknown address.

    One statement for 400 names. Somebody at the same domain comes first; namesakes are all named,
    more than three are none.
    """
    names = sorted({name for several in unknown.values() for name in several})
    people: dict[str, list[Any]] = defaultdict(list)
    for start in range(0, len(names), chunk):
        rows = connection.execute(
            select(
                Contact.id, Contact.account_id, Contact.full_name, Contact.email, Contact.title_key
            ).where(
                Contact.title_key.in_(names[start : start + chunk]), Contact.deleted_at.is_(None)
            )
        )
        for row in rows:
            people[row.title_key].append(row)
    found: dict[str, tuple[Near, ...]] = {}
    for address, several in unknown.items():
        hits = [row for name in sorted(several) for row in people.get(name, ())]
        same = [row for row in hits if email_domain(row.email or "") == email_domain(address)]
        chosen: Sequence[Any] = same or hits
        if 0 < len(chosen) <= _NAMESAKES:
            found[address] = tuple(
                Near(row.id, row.account_id, f"{row.full_name} <{address}>", by_name=True)
                for row in chosen
            )
    return found


def _people(item: Correspondence) -> Iterable[Address]:
    if isinstance(item, MailItem):
        return (person for person in item.participants if person.readable and person.name)
    return (one.address for one in item.people if one.address.readable and one.address.name)


def _spellings(name: str) -> tuple[str, ...]:
    """A name as records have it: as written, and turned round where the family stands first."""
    last, comma, first = name.partition(",")
    words = fold(f"{first} {last}" if comma else name).split()
    if len(words) < 2:
        return ()
    return (" ".join(words), " ".join((*words[1:], words[0])))
