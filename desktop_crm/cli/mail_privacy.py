"""``mailbox privacy``, ``colleagues`` and ``withdraw``: what is kept, and who sees it."""

from __future__ import annotations

from typing import Any

import click

from desktop_crm.cli.call import Call, common
from desktop_crm.cli.console import Code, emit, say, table
from desktop_crm.core.errors import UserError
from desktop_crm.core.i18n import N_, ntr, tr
from desktop_crm.models.mail_policy import MailKept, MailShared, TextKept
from desktop_crm.services import records
from desktop_crm.services.context import Actor
from desktop_crm.services.mail import colleagues as mail_colleagues
from desktop_crm.services.mail import mailboxes, reach, withdrawing
from desktop_crm.services.mail.withdrawing import Chosen, Which
from desktop_crm.sync import policy_review

DEFAULT = "default"
_LISTS = {
    "folder": "read_folders",
    "category": "read_categories",
    "skip_category": "skip_categories",
    "never": "never_log",
    "personal": "personal_domains",
}
_NAMES = {"sharing": "sharing", "kept": "kept", "texts": "text_kept"}


def _codes(choice: Any) -> click.Choice[str]:  # noqa: ANN401  a set of choices
    return click.Choice([*(one.value for one in choice), DEFAULT])


@click.command("privacy", help=tr("Show or set what of a mailbox is read, kept and shared."))
@click.argument("name")
@click.option("--sharing", type=_codes(MailShared), help=tr("What colleagues see."))
@click.option("--kept", type=_codes(MailKept), help=tr("Which messages are kept."))
@click.option("--texts", type=_codes(TextKept), help=tr("Whose text and files are kept."))
@click.option("--folder", multiple=True, metavar="F", help=tr("Folder that is read; repeatable."))
@click.option("--category", multiple=True, metavar="C", help=tr("Only mail with this category."))
@click.option("--skip-category", multiple=True, metavar="C", help=tr("No mail with this category."))
@click.option("--never", multiple=True, metavar="A", help=tr("Address or domain never stored."))
@click.option(
    "--personal", multiple=True, metavar="D",
    help=tr("Private mail service; * is the usual ones, -name takes one out."),
)  # fmt: skip
@common
def privacy(call: Call, *, name: str, **given: Any) -> int:  # noqa: ANN401  values of options
    """A list that is given replaces the one that stands; one empty value empties it."""
    values: dict[str, Any] = {}
    for option, field in _LISTS.items():
        if given[option]:
            values[field] = "\n".join(one for one in given[option] if one.strip()) or None
    for option, field in _NAMES.items():
        if given[option] is not None:
            values[field] = None if given[option] == DEFAULT else given[option]
    with call.signed_in() as actor:
        row = mail_colleagues.own_mailbox(actor, mailboxes.find(actor, name).id)
        if values:
            records.save(actor, "mailbox", row.id, None, values)
        left_out = policy_review.left_out_now(actor, row.id)
        stands = records.get(actor, "mailbox", row.id).values
    facts = {field: stands.get(field) for field in (*_NAMES.values(), *_LISTS.values())}
    reasons = {tr(reason): count for reason, count in left_out.reasons}
    text = [f"{field}: {' | '.join(str(facts[field] or '-').splitlines())}" for field in facts]
    if left_out.ids:
        text.append(
            ntr(
                "{n} stored message would be left out now; “mailbox withdraw --left-out” "
                "withdraws it.",
                "{n} stored messages would be left out now; “mailbox withdraw --left-out” "
                "withdraws them.",
                len(left_out.ids),
            )
        )
    return call.answer(
        {"mailbox": row.name, **facts, "left_out": len(left_out.ids), "reasons": reasons},
        "\n".join(text),
    )


@click.command("colleagues", help=tr("Tell what colleagues would see of a mailbox."))
@click.argument("name")
@common
def colleagues(call: Call, name: str) -> int:
    """Each colleague with the number of messages."""
    with call.signed_in() as actor:
        row = mailboxes.find(actor, name)
        seen = mail_colleagues.seen_of_mailbox(actor, row.id)
    people: list[dict[str, Any]] = [
        {"name": one.name, "messages": one.messages, "texts": one.texts} for one in seen.colleagues
    ]
    if call.as_json:
        listed = [{"subject": one.subject, "at": one.at} for one in seen.rows]
        emit({"total": seen.total, "colleagues": people, "messages": listed})
        return Code.DONE
    heads = [tr("Colleague"), tr("Messages"), tr("With text")]
    say(table(heads, [[p["name"], str(p["messages"]), str(p["texts"])] for p in people]))
    return Code.DONE


@click.command("withdraw", help=tr("Delete mail here for good; it is never stored again."))
@click.argument("name")
@click.option("--message", metavar="ID", help=tr("The message with this Message-ID."))
@click.option("--thread", metavar="ID", help=tr("The conversation of that message."))
@click.option("--sender", metavar="A", help=tr("Everything from this address."))
@click.option("--left-out", is_flag=True, help=tr("What the settings leave out now."))
@click.option("--all", "everything", is_flag=True, help=tr("Everything the mailbox brought."))
@click.option("--yes", is_flag=True, help=tr("Do it; without this it is only told."))
@common
def withdraw(call: Call, *, name: str, yes: bool, **given: Any) -> int:  # noqa: ANN401  options
    """Withdraw a message, a conversation, a sender, what is left out, or all."""
    asked = [option for option, value in given.items() if value]
    if len(asked) != 1:
        raise UserError(
            N_(
                "Say one of --message, --thread, --sender, --left-out and --all. Nothing was "
                "withdrawn."
            )
        )
    with call.signed_in() as actor:
        row = mail_colleagues.own_mailbox(actor, mailboxes.find(actor, name).id)
        chosen = _chosen(actor, row.id, asked[0], given[asked[0]])
        count = len(chosen.ids)
        if not yes:
            return call.answer(
                {"mailbox": row.name, "messages": count, "withdrawn": 0},
                ntr(
                    "{n} message would be withdrawn; say --yes to do it.",
                    "{n} messages would be withdrawn; say --yes to do it.",
                    count,
                ),
            )
        done = withdrawing.withdraw(actor, chosen.ids)
    refused = [one.reason for one in done.refused]
    said = ntr("{n} message was withdrawn.", "{n} messages were withdrawn.", done.count)
    return call.answer(
        {"mailbox": row.name, "messages": count, "withdrawn": done.count, "kept": refused},
        " ".join([said, *dict.fromkeys(refused)]),
    )


def _chosen(actor: Actor, mailbox: int, option: str, value: str) -> Chosen:
    match option:
        case "sender":
            return withdrawing.choose(actor, Which.SENDER, value)
        case "left_out":
            return withdrawing.described(actor, policy_review.left_out_now(actor, mailbox).ids)
        case "everything":
            return withdrawing.choose(actor, Which.MAILBOX, mailbox)
    return withdrawing.choose(actor, Which(option), reach.activity_of(actor, value))
