"""Why an activity stands on a record, in a plain sentence: the answer to "Why here?"."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Final, NamedTuple

from desktop_crm.core.i18n import N_, tr
from desktop_crm.models.activity import LinkRule, LinkState

if TYPE_CHECKING:
    from desktop_crm.core.formats import Formats

_SENTENCES: Final = {
    LinkRule.KNOWN_MESSAGE: N_("The same message is filed here."),
    LinkRule.REPLY: N_("It answers a message that is filed here."),
    LinkRule.TOKEN: N_("It carries the reference {evidence} of this record."),
    LinkRule.CONVERSATION: N_("Its mailbox counts it into a conversation that is filed here."),
    LinkRule.FILING: N_("Your filing rule for “{evidence}” sends it here."),
    LinkRule.CONTACT: N_("{evidence} is an address of this contact."),
    LinkRule.LEAD: N_("{evidence} is an address of this lead."),
    LinkRule.ACCOUNT: N_("{evidence} is an address of this account."),
    LinkRule.DOMAIN: N_("It comes from {evidence}, the domain of this account."),
    LinkRule.OPPORTUNITY: N_("Those who take part have this opportunity open: {evidence}."),
    LinkRule.CASE: N_("Those who take part have this case open: {evidence}."),
    LinkRule.NAME: N_("Somebody of the same name writes: {evidence}."),
    LinkRule.FORWARDED: N_("It passes on what {evidence} wrote."),
}
_OF_ACCOUNT: Final = N_("{evidence} belongs to people of this account.")


class Reason(NamedTuple):
    """What is kept of a link.

    Attributes:
        entity: kind of the record it leads to.
        rule: code of the rule that made it.
        evidence: what the rule found.
        confidence: how sure the rule was, percent.
        state: linked, suggested or rejected.
        decided_by: who decided; empty when a rule did.
        at: when it was made or decided, aware UTC.
    """

    entity: str
    rule: str
    evidence: str
    confidence: Decimal
    state: str
    decided_by: str
    at: datetime | None


def sentence(reason: Reason, formats: Formats) -> str:
    """The whole answer: what was found, who decided or how sure it is, and when."""
    return " ".join(part for part in (cause(reason), decision(reason, formats)) if part)


def cause(reason: Reason) -> str:
    """What the rule found; empty where a person linked it without any rule."""
    try:
        rule = LinkRule(reason.rule)
    except ValueError:
        return reason.rule  # of a later version of the program
    if rule is LinkRule.MANUAL:
        return ""
    if rule is LinkRule.RECORD:
        return tr("It was created from this record.")
    template = _SENTENCES[rule]
    if rule in (LinkRule.CONTACT, LinkRule.LEAD) and reason.entity == "account":
        template = _OF_ACCOUNT
    return tr(template, evidence=reason.evidence or "…")


def decision(reason: Reason, formats: Formats) -> str:
    """Who decided and when; how sure the rule was where nobody did."""
    when = formats.datetime(reason.at) if reason.at is not None else ""
    name = reason.decided_by
    sure = formats.percent(round(reason.confidence, 0))
    if reason.state == LinkState.SUGGESTED.value:
        return tr("A suggestion, {percent} sure.", percent=sure)
    if reason.rule == LinkRule.MANUAL.value and reason.state == LinkState.LINKED.value:
        if not name:
            return tr("It was linked by hand on {when}.", when=when)
        return tr("{name} linked it on {when}.", name=name, when=when)
    if reason.state == LinkState.REJECTED.value:
        if not name:
            return tr("It was taken off on {when}.", when=when)
        return tr("{name} took it off on {when}.", name=name, when=when)
    if reason.rule == LinkRule.RECORD.value:
        return tr("{name} did it on {when}.", name=name, when=when) if name else ""
    if name:
        return tr("{name} confirmed it on {when}.", name=name, when=when)
    return tr("Filed by itself on {when}, {percent} sure.", when=when, percent=sure)
