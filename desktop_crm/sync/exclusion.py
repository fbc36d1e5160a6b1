"""What is never stored, decided before anything else looks at an item (M1).

It runs on the user's own machine, so that excluded mail never reaches a shared database: of it
only the mailbox's key, the folder and the reason are kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from desktop_crm.core.i18n import N_
from desktop_crm.core.text import canonical_email, email_domain, untagged
from desktop_crm.sync.port import (
    Correspondence,
    Folder,
    FolderRole,
    MailItem,
    MeetingItem,
    Sensitivity,
)

NEVER_LOG: Final = N_("An address or domain on the list of those never to store takes part.")
SENSITIVE: Final = N_("The sender marked it as personal, private or confidential.")
INTERNAL: Final = N_("Only our own people take part.")
UNWANTED: Final = N_("It lies among drafts, junk or deleted items.")
AUTOMATIC: Final = N_("A program sent it, no person.")
WITHDRAWN: Final = N_("It was withdrawn or deleted for good.")

_OUT: Final = frozenset({FolderRole.DRAFTS, FolderRole.JUNK, FolderRole.DELETED})


@dataclass(frozen=True, slots=True)
class Ours:
    """Who we are and what we never store.

    Attributes:
        users: own users by address; one without a user id is the mailbox's own address.
        domains: own mail domains.
        never_addresses: addresses never to store.
        never_domains: domains never to store.
    """

    users: Mapping[str, int | None] = field(default_factory=dict)
    domains: frozenset[str] = frozenset()
    never_addresses: frozenset[str] = frozenset()
    never_domains: frozenset[str] = frozenset()

    def is_ours(self, address: str) -> bool:
        """Whether an address is one of ours."""
        return address in self.users or is_below(email_domain(address), self.domains)


def domains_in(text: str | None) -> frozenset[str]:
    """Domains a person listed, separated by blanks, commas or lines; an @ before them is fine."""
    return frozenset(_domain(word) for word in _words(text) if "@" not in word) - {""}


def addresses_in(text: str | None) -> frozenset[str]:
    """Addresses a person listed, separated by blanks, commas or lines.

    One that is none as it stands is kept as it is: it may be found in damaged text.
    """
    named = (word for word in _words(text) if "@" in word)
    return frozenset(canonical_email(word) or word for word in named)


def _words(text: str | None) -> list[str]:
    """What was listed, without what people write around an address or a domain."""
    words = (text or "").replace(",", " ").replace(";", " ").lower().split()
    return [word.strip("<>()[]\"'").removeprefix("mailto:").lstrip("@*.") for word in words]


def _domain(word: str) -> str:
    """A domain as addresses have it: without the rest of a web address, in ASCII."""
    name = word.rpartition("://")[2].partition("/")[0].partition(":")[0].rstrip(".")
    try:
        return name if name.isascii() else name.encode("idna").decode("ascii")
    except UnicodeError:
        return name


def reason_to_exclude(item: Correspondence, folder: Folder, ours: Ours) -> str:
    """Why an item is not stored, as a translatable sentence; empty when it is.

    What depends on the records and threads that are known is decided by
    :func:`desktop_crm.sync.narrowing.narrow`.
    """
    if _listed(item, ours):
        return NEVER_LOG
    if isinstance(item, MeetingItem):
        return ""  # a private meeting is kept as "busy", an internal one is the user's diary
    if item.sensitivity is not Sensitivity.NORMAL:
        return SENSITIVE
    if item.is_draft or is_unwanted(folder) or item.header("x-spam-flag").lower() == "yes":
        return UNWANTED
    return AUTOMATIC if is_answered_by_program(item) else ""


def is_unwanted(folder: Folder) -> bool:
    """Whether nothing of a folder is stored, whatever lies in it."""
    return folder.role in _OUT


def addresses(item: Correspondence) -> Iterable[str]:
    """Every readable address of those who take part."""
    if isinstance(item, MailItem):
        return (person.address for person in item.participants if person.readable)
    return (person.address.address for person in item.people if person.address.readable)


def _listed(item: Correspondence, ours: Ours) -> bool:
    if not ours.never_addresses and not ours.never_domains:
        return False
    people = (
        (*item.participants, *item.others)
        if isinstance(item, MailItem)
        else tuple(person.address for person in item.people)
    )
    return any(
        _is_listed(person.address, ours) if person.readable else _is_within(person.address, ours)
        for person in people
    )


def _is_listed(address: str, ours: Ours) -> bool:
    # Who is never stored is so under every tag of the address, too.
    named = {address, untagged(address)} & ours.never_addresses
    return bool(named) or is_below(email_domain(address), ours.never_domains)


def _is_within(text: str, ours: Ours) -> bool:
    """Whether damaged text names one of the list: in doubt nothing is stored."""
    lower = text.lower()
    return any(
        address in lower for address in (*ours.never_addresses, *ours.never_domains) if address
    )


def is_below(domain: str, domains: frozenset[str]) -> bool:
    """Whether a domain is one of these or lies below one."""
    while domain:
        if domain in domains:
            return True
        domain = domain.partition(".")[2]
    return False


def is_internal(item: Correspondence, ours: Ours) -> bool:
    """Whether everybody who takes part is one of ours; nobody at all is not internal."""
    people = list(addresses(item))
    return bool(people) and all(ours.is_ours(address) for address in people)


def is_answered_by_program(item: MailItem) -> bool:
    """Whether no person wrote it: answers of programs, bounces, receipts (RFC 3834)."""
    submitted = item.header("auto-submitted").lower()
    kind = item.header("content-type").lower()
    return (
        (bool(submitted) and not submitted.startswith("no"))
        or item.header("precedence").lower() in ("auto_reply", "auto-reply")
        or bool(item.header("x-autoreply") or item.header("x-autorespond"))
        or bool(item.header("x-failed-recipients"))
        or "multipart/report" in kind
        or item.header("return-path").strip() == "<>"
    )


def is_mass_mail(item: MailItem) -> bool:
    """Whether it went to a list: stored, but no sign that somebody wrote to us (R31)."""
    return (
        bool(item.header("list-id") or item.header("list-unsubscribe") or item.header("list-post"))
        or bool(item.header("feedback-id"))
        or item.header("precedence").lower() in ("bulk", "list", "junk")
    )
