"""What of a batch the policy of its mailbox leaves out, once threads and people are known.

It runs on the user's own machine, before anything of the batch is written.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from desktop_crm.core.i18n import N_
from desktop_crm.core.text import email_domain, fold
from desktop_crm.models.mail_policy import MailKept
from desktop_crm.services.mail.policy import MailPolicy
from desktop_crm.sync.exclusion import INTERNAL, addresses, is_below, is_internal
from desktop_crm.sync.facts import Facts, Thread, tokens_of
from desktop_crm.sync.mapping import message_key
from desktop_crm.sync.plan import Action, ActionKind
from desktop_crm.sync.port import MailItem

CATEGORY: Final = N_("It has a category that is never stored.")
NO_CATEGORY: Final = N_("It has none of the categories that are read.")
PERSONAL: Final = N_("It is with people of private mail services whom no record knows.")
UNKNOWN: Final = N_("Nobody in it is known, and only mail with known people is kept.")
NOT_READ: Final = N_("It lies in a folder that is not read.")
UNTRACKED: Final = N_("It answers no mail of a record, and only such answers are kept.")


def narrow(actions: Sequence[Action], facts: Facts, policy: MailPolicy) -> list[Action]:
    """The same steps, with what is not to be stored left out; later messages see earlier ones."""
    found: list[Action] = []
    kept: set[str] = set()
    made: set[str] = set()
    for action in actions:
        item = action.item
        new = action.kind in (ActionKind.CREATE, ActionKind.HOLD)
        if not new or not isinstance(item, MailItem):
            found.append(action)
            continue
        if reason := reason_to_leave_out(item, facts, policy, kept):
            out = replace(action, kind=ActionKind.EXCLUDE, item=None, activity=None, reason=reason)
            found.append(out)
            continue
        if action.activity is None:
            # Of two copies in one batch the first may have been left out.
            first = action.identity not in made
            made.add(action.identity)
            found.append(replace(action, kind=ActionKind.CREATE if first else ActionKind.HOLD))
        else:
            found.append(action)
        kept.add(item.message_id)
    return found


def reason_to_leave_out(
    item: MailItem, facts: Facts, policy: MailPolicy, kept: set[str] | frozenset[str] = frozenset()
) -> str:
    """Why a message is not stored, as a translatable sentence; empty when it is.

    Args:
        item: the message.
        facts: who and which threads are known.
        policy: what the mailbox lets be kept.
        kept: ids of messages of the same batch that are stored.
    """
    categories = {fold(name) for name in item.categories}
    if categories & policy.unwanted:
        return CATEGORY
    if policy.wanted and not categories & policy.wanted:
        return NO_CATEGORY
    if is_internal(item, facts.ours):
        return "" if _has_thread(item, facts, kept) else INTERNAL
    return _who(item, facts, policy, kept)


def is_of_internal_thread(item: MailItem, facts: Facts) -> bool:
    """Whether only our own people take part, in it and in all that is known of its thread.

    What is internal is never stored, so a thread that is known has had somebody else in it.
    """
    return is_internal(item, facts.ours) and not _has_thread(item, facts, frozenset())


def _who(item: MailItem, facts: Facts, policy: MailPolicy, kept: set[str] | frozenset[str]) -> str:
    if not policy.asks_who:
        return ""
    others = [address for address in addresses(item) if not facts.ours.is_ours(address)]
    if any(facts.matches.get(address) for address in others):
        is_known = True
    else:
        is_known = _is_tracked(item, facts, kept)
    if policy.kept is MailKept.ANSWERS and not _is_tracked(item, facts, kept):
        return UNTRACKED
    if policy.kept is MailKept.KNOWN and not is_known:
        return UNKNOWN
    private = bool(others) and all(is_below(email_domain(a), policy.personal) for a in others)
    return PERSONAL if private and not is_known else ""


def _before(item: MailItem, facts: Facts) -> list[Thread]:
    """The stored messages that a message answers."""
    ids = (item.in_reply_to, *item.references)
    known = [facts.messages.get(one) or facts.messages.get(message_key(one)) for one in ids if one]
    return [thread for thread in known if thread is not None]


def _has_thread(item: MailItem, facts: Facts, kept: set[str] | frozenset[str]) -> bool:
    answers = {one for one in (item.in_reply_to, *item.references) if one}
    return bool(answers & kept) or bool(_before(item, facts))


def _is_tracked(item: MailItem, facts: Facts, kept: set[str] | frozenset[str]) -> bool:
    """Whether we sent it from here, or it belongs to what is linked to a record."""
    # Others may use this program, too: their mail carries such a key as well.
    ours = item.sender is not None and facts.ours.is_ours(item.sender.address)
    if (ours and item.own_key) or any(token in facts.references for token in tokens_of(item)):
        return True
    answers = {one for one in (item.in_reply_to, *item.references) if one}
    if answers & kept or any(thread.links for thread in _before(item, facts)):
        return True
    return bool(item.thread_key) and item.thread_key in facts.conversations
