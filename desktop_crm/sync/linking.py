"""Which records a message or meeting belongs to: M1 to M8 as separate finders, in their order.

The first finder that decides wins. Each proposal keeps its rule, its evidence and how sure it is;
below :data:`THRESHOLD` it is only suggested. Nothing here reads the database.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

from desktop_crm.core import turns
from desktop_crm.core.text import email_domain, fold
from desktop_crm.models.activity import REGARDING, LinkRule
from desktop_crm.sync.exclusion import is_mass_mail
from desktop_crm.sync.facts import Facts, Match, Matter, Thread, tokens_of
from desktop_crm.sync.filing import Rule, first_rule
from desktop_crm.sync.mapping import thread_key
from desktop_crm.sync.near import authors_of_forwarded
from desktop_crm.sync.port import Correspondence, Folder, FolderRole, MailItem

THRESHOLD: Final = Decimal(70)
"""Confidence from which a proposal is a link; below it is a suggestion for a person."""

_WORD: Final = re.compile(r"\w+")

CROWD: Final = 10
"""More known people than this in one message say nothing about any of them."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """One record a message may belong to, and why."""

    entity: str
    id: int
    rule: LinkRule
    evidence: str
    confidence: Decimal

    @property
    def key(self) -> tuple[str, int]:
        """The record."""
        return (self.entity, self.id)

    @property
    def is_sure(self) -> bool:
        """Whether it is a link rather than a suggestion."""
        return self.confidence >= THRESHOLD


@dataclass(frozen=True, slots=True)
class Context:
    """One item while it is being decided: where it lies and who is in it."""

    item: Correspondence
    folder: Folder
    facts: Facts

    @property
    def addresses(self) -> tuple[str, ...]:
        """Readable addresses that are not ours, the correspondent's first."""
        ours = self.facts.ours
        return tuple(dict.fromkeys(a for a in _ordered(self.item) if not ours.is_ours(a)))

    @property
    def outgoing(self) -> bool:
        """Whether one of us wrote it."""
        if not isinstance(self.item, MailItem):
            return False
        sender = self.item.sender
        mine = sender is not None and self.facts.ours.is_ours(sender.address)
        return mine or (self.folder.role is FolderRole.SENT and sender is None)


Finder = Callable[[Context], list[Proposal]]


def _ordered(item: Correspondence) -> Iterable[str]:
    if not isinstance(item, MailItem):
        return [p.address.address for p in item.people if p.address.readable]
    sender = (item.sender,) if item.sender else ()
    # Not those in blind copy: a link would tell colleagues whom the sender alone knows of.
    people = (*sender, *item.reply_to, *item.to, *item.cc)
    return [person.address for person in people if person.readable]


def find_links(context: Context) -> list[Proposal]:
    """Everything an item belongs to, the most telling first; one proposal for each record."""
    turns.give_way()
    found: list[Proposal] = []
    for finder in FINDERS:
        found = finder(context)
        if found:
            break
        if finder is by_rule and is_never_filed(context):
            return []
    people = by_participants(context)
    if any(p.rule is LinkRule.FILING for p in found):
        # A person decided about all of it: nothing is left to ask.
        return _best([*found, *(p for p in people if p.is_sure)])
    if any(p.rule in _DECIDED for p in found):
        # The thread, number or folder decides what it is about; who wrote it stands beside it.
        found = [*found, *people]
    else:
        found = [*found, *by_matter(context, found)]
    return _best([*found, *by_likeness(context), *by_forwarded(context)])


def _best(found: Iterable[Proposal]) -> list[Proposal]:
    """The surest proposal for each record."""
    best: dict[tuple[str, int], Proposal] = {}
    for proposal in found:
        known = best.get(proposal.key)
        if known is None or proposal.confidence > known.confidence:
            best[proposal.key] = proposal
    return list(best.values())


def by_reply(context: Context) -> list[Proposal]:
    """M3: an answer belongs where the message it answers stands now, not where it once stood."""
    thread = answered(context.item, context.facts)
    if thread is None:
        return []
    evidence = "In-Reply-To / References"
    return _from_thread(context, thread, LinkRule.REPLY, evidence, Decimal(95))


def answered(item: Correspondence, facts: Facts) -> Thread | None:
    """The known message that an item answers: the nearest one first."""
    if not isinstance(item, MailItem):
        return None
    for message_id in (item.in_reply_to, *reversed(item.references)):
        thread = facts.messages.get(message_id) if message_id else None
        if thread is not None and message_id != item.message_id:
            return thread
    return None


def _from_thread(
    context: Context, thread: Thread, rule: LinkRule, evidence: str, confidence: Decimal
) -> list[Proposal]:
    here = {match.id for match in _matches(context) if match.entity == "contact"}
    return [
        Proposal(entity, record, rule, _evidence(evidence), confidence)
        for entity, record in thread.links
        # A thread is about a deal or a customer; a person belongs to it who takes part.
        if entity != "contact" or record in here
    ]


def by_token(context: Context) -> list[Proposal]:
    """M4: our own reference number, when somebody known of that record takes part."""
    if not isinstance(context.item, MailItem):
        return []
    found: list[Proposal] = []
    people = _matches(context)
    accounts = {match.account for match in people if match.account is not None}
    contacts = {match.id for match in people if match.entity == "contact"}
    for token in tokens_of(context.item):
        named = [
            one
            for one in context.facts.references.get(token, ())
            if one.account in accounts or one.contact in contacts
        ]
        confidence = Decimal(95) if len(named) == 1 else Decimal(60)
        found += [
            Proposal(one.entity, one.id, LinkRule.TOKEN, _evidence(token), confidence)
            for one in named
        ]
    return found


def by_conversation(context: Context) -> list[Proposal]:
    """M5: the mailbox's own conversation, a hint that a shared participant has to confirm."""
    item = context.item
    if not isinstance(item, MailItem) or not item.thread_key:
        return []
    thread = context.facts.conversations.get(item.thread_key)
    if thread is None:
        return []
    people = _matches(context)
    known = {(m.entity, m.id) for m in people} | {("account", m.account) for m in people}
    shared = any(link in known for link in thread.links)
    confidence = Decimal(75) if shared else Decimal(50)
    return _from_thread(context, thread, LinkRule.CONVERSATION, item.thread_key, confidence)


def by_rule(context: Context) -> list[Proposal]:
    """M6: what a person said of the thread, the sender, a folder or category, the domain."""
    rule = rule_of(context)
    if rule is None:
        return []
    sure = Decimal(92)
    return [
        Proposal(entity, key, LinkRule.FILING, _evidence(rule.shown), sure)
        for entity, key in rule.records
    ]


def is_never_filed(context: Context) -> bool:
    """Whether a person said that such mail belongs to no record."""
    rule = rule_of(context)
    return rule is not None and rule.is_never


def rule_of(context: Context) -> Rule | None:
    """The rule of the user that decides; about a meeting its calendar and categories alone."""
    item, facts = context.item, context.facts
    labels = (context.folder.name, *item.categories)
    if not facts.rules:
        return None
    if not isinstance(item, MailItem):
        return first_rule(facts.rules, threads=(), people=(), labels=labels)
    ours = facts.ours
    sender = item.sender
    people = (*item.to, *item.cc) if context.outgoing else ((sender,) if sender else ())
    return first_rule(
        facts.rules,
        threads=(thread_key(item, facts), *facts.threads.get(item.thread_key, ())),
        people=tuple(p.address for p in people if p.readable and not ours.is_ours(p.address)),
        labels=labels,
    )


def by_participants(context: Context) -> list[Proposal]:
    """M7: everybody the message names; contacts, then leads, then accounts, then domains.

    An address that belongs to several records decides nothing: all of them are suggested.
    """
    resolved = [(a, context.facts.matches.get(a, ())) for a in context.addresses]
    found: list[Proposal] = []
    for address, matches in resolved:
        found += _by_address(address, matches)
    people = {p.key for p in found if p.entity in ("contact", "lead")}
    doubtful = len(people) > CROWD or (
        isinstance(context.item, MailItem) and is_mass_mail(context.item) and len(people) > 1
    )
    return (
        [replace(p, confidence=min(p.confidence, Decimal(50))) for p in found]
        if (doubtful)
        else found
    )


def _by_address(address: str, matches: Sequence[Match]) -> list[Proposal]:
    if not matches:
        return []
    single = len(matches) == 1
    entity = matches[0].entity
    rule = LinkRule.DOMAIN if matches[0].by_domain else _RULES[entity]
    evidence = f"@{email_domain(address)}" if rule is LinkRule.DOMAIN else address
    sure = _CONFIDENCE[rule] if single else Decimal(50)
    found = [Proposal(entity, m.id, rule, _evidence(evidence), sure) for m in matches]
    accounts = {m.account for m in matches if m.account is not None and m.entity != "account"}
    if len(accounts) > 1:
        found += [
            Proposal("account", account, rule, _evidence(address), Decimal(45))
            for account in sorted(accounts)
        ]
    elif len(accounts) == 1 and None not in {m.account for m in matches}:
        # All who share the address work at one account: that much is certain.
        (account,) = accounts
        named = ", ".join(m.title for m in matches)
        found.append(
            Proposal("account", account, rule, _evidence(f"{named} <{address}>"), Decimal(85))
        )
    return found


def by_likeness(context: Context) -> list[Proposal]:
    """R28: somebody whose name, or address without its tag, is a contact's. A suggestion only."""
    found: list[Proposal] = []
    for address in context.addresses:
        near = context.facts.near.get(address, ())
        for one in near:
            rule = LinkRule.NAME if one.by_name else LinkRule.CONTACT
            sure = Decimal(60 if len(near) == 1 else 40)
            found.append(Proposal("contact", one.contact, rule, _evidence(one.evidence), sure))
            if one.account is not None:
                less = sure - 5
                found.append(Proposal("account", one.account, rule, _evidence(one.evidence), less))
    return found


def by_forwarded(context: Context) -> list[Proposal]:
    """Whom a passed-on message is from: what it is about, though they did not send it here."""
    found: list[Proposal] = []
    for address in authors_of_forwarded(context.item):
        for match in context.facts.matches.get(address, ()):
            evidence = _evidence(address)
            sure = Decimal(55)
            found.append(Proposal(match.entity, match.id, LinkRule.FORWARDED, evidence, sure))
            if match.account is not None and match.entity != "account":
                found.append(Proposal("account", match.account, LinkRule.FORWARDED, evidence, sure))
    return found


def by_matter(context: Context, people: Sequence[Proposal]) -> list[Proposal]:
    """M8: what it is about. The only open deal or case is linked; of several the rank decides.

    One whose own contact takes part stands before those of the account alone, then the one
    changed last. Only a single front runner by contact is linked, or the only one whose
    name the subject says.
    """
    if isinstance(context.item, MailItem) and is_mass_mail(context.item):
        return []
    contacts = {p.id for p in people if p.entity == "contact" and p.is_sure}
    accounts = {p.id for p in people if p.entity == "account" and p.is_sure}
    matters = [
        m for m in context.facts.matters if m.contact in contacts or _at_account(m, accounts)
    ]
    if not matters:
        return []
    direct = [m for m in matters if m.contact in contacts]
    if len(matters) == 1:
        return [_about(matters[0], Decimal(90) if direct else Decimal(80))]
    ranked = sorted(
        matters,
        key=lambda m: (
            m.contact in contacts,
            m.modified_at.timestamp() if m.modified_at else 0.0,
        ),
        reverse=True,
    )
    scores = [Decimal(max(20, 60 - 5 * rank)) for rank in range(len(ranked))]
    named = _named_in(context.item.subject, ranked)
    if named is not None:
        ranked.remove(named)
        ranked.insert(0, named)
        scores[0] = Decimal(85)
    elif len(direct) == 1:
        scores[0] = Decimal(75)
    return [_about(m, score) for m, score in zip(ranked[:5], scores, strict=False)]


def _named_in(subject: str, matters: Sequence[Matter]) -> Matter | None:
    """The only one whose own words, those no other one has, all stand in a subject."""
    said = _words(subject)
    words = [_words(matter.name) for matter in matters]
    shared = Counter(word for one in words for word in one)
    named = [
        matter
        for matter, one in zip(matters, words, strict=True)
        if (own := {word for word in one if shared[word] == 1}) and own <= said
    ]
    return named[0] if len(named) == 1 else None


def _words(text: str) -> set[str]:
    return {word for word in _WORD.findall(fold(text)) if len(word) > 2}


def _at_account(matter: Matter, accounts: set[int]) -> bool:
    return matter.account is not None and matter.account in accounts


def _about(matter: Matter, confidence: Decimal) -> Proposal:
    rule = _OPEN[matter.entity]
    return Proposal(matter.entity, matter.id, rule, _evidence(matter.name), confidence)


def _matches(context: Context) -> list[Match]:
    return [m for a in context.addresses for m in context.facts.matches.get(a, ())]


def _evidence(text: str) -> str:
    return text[:400]


_RULES: Final = {
    "contact": LinkRule.CONTACT,
    "lead": LinkRule.LEAD,
    "account": LinkRule.ACCOUNT,
}
_OPEN: Final = {"opportunity": LinkRule.OPPORTUNITY, "case": LinkRule.CASE}
_CONFIDENCE: Final = {
    LinkRule.CONTACT: Decimal(95),
    LinkRule.LEAD: Decimal(80),
    LinkRule.ACCOUNT: Decimal(90),
    LinkRule.DOMAIN: Decimal(75),
}
_DECIDED: Final = frozenset(
    {LinkRule.REPLY, LinkRule.TOKEN, LinkRule.CONVERSATION, LinkRule.FILING}
)
FINDERS: Final[tuple[Finder, ...]] = (
    by_reply,
    by_token,
    by_conversation,
    by_rule,
    by_participants,
)
"""M3 to M7 in the order in which they are asked; M2 is the engine's, M8 follows M7."""


def regarding(proposals: Sequence[Proposal]) -> dict[str, int]:
    """What an activity is about, by its link fields: the surest linked record of each kind."""
    found: dict[str, int] = {}
    for proposal in sorted(proposals, key=lambda p: p.confidence, reverse=True):
        if proposal.is_sure and proposal.entity in REGARDING:
            found.setdefault(proposal.entity, proposal.id)
    return found
