"""``linking``: how well mail is filed by itself, the rules about it, and why it is where it is."""

from __future__ import annotations

from typing import Any

import click

from desktop_crm.cli.call import Call, common, without_database
from desktop_crm.cli.console import Code, emit, say, table
from desktop_crm.core.errors import NotFound, UserError
from desktop_crm.core.i18n import N_, ntr, tr
from desktop_crm.meta import registry
from desktop_crm.models.activity import REGARDING, LinkRule, LinkState
from desktop_crm.models.filing import FilingKind
from desktop_crm.services import link_reasons
from desktop_crm.services.mail import filing_rules, mailboxes
from desktop_crm.services.mail import message as mail_message
from desktop_crm.services.mail.filing_rules import RuleRow
from desktop_crm.services.mail.message import LinkRow


@click.group("linking", help=tr("How mail is filed: how well, by which rules, and why."))
def group() -> None:
    """Root of the commands about linking."""


@group.command("report", help=tr("Measure the linking on messages whose records are known."))
@without_database
def report(call: Call) -> int:
    """Build the labelled messages in a scratch database and compare."""
    from desktop_crm.demo.labelled.labels import LABELS
    from desktop_crm.demo.labelled.report import measure

    found = measure()
    if call.as_json:
        emit(
            {
                "messages": found.whole.messages,
                "precision_filed": round(found.whole.precision_filed, 4),
                "recall_with_triage": round(found.whole.recall_with_triage, 4),
                "filed": found.whole.filed,
                "wanted": found.whole.wanted,
                "shapes": {
                    name: {
                        "messages": counts.messages,
                        "precision_filed": round(counts.precision_filed, 4),
                        "recall_with_triage": round(counts.recall_with_triage, 4),
                        "wrong": counts.wrong,
                        "missed": counts.missed,
                    }
                    for name, counts in found.shapes.items()
                },
            }
        )
        return Code.DONE
    heads = [tr("Shape"), tr("Messages"), tr("Filed rightly"), tr("Found or offered")]
    rows = [
        [
            tr(LABELS[name]),
            str(counts.messages),
            f"{counts.precision_filed:.3f}",
            f"{counts.recall_with_triage:.3f}",
        ]
        for name, counts in [*found.shapes.items(), (tr("All"), found.whole)]
    ]
    say(table(heads, rows))
    say(f"messages {found.whole.messages}")
    say(f"precision_filed {found.whole.precision_filed:.4f}")
    say(f"recall_with_triage {found.whole.recall_with_triage:.4f}")
    return Code.DONE


@group.command("rules", help=tr("List your filing rules; make or delete one."))
@click.option(
    "--mailbox", metavar="NAME", help=tr("Only this mailbox; the one a rule is made for.")
)
@click.option(
    "--add",
    "kind",
    type=click.Choice([kind.value for kind in FilingKind]),
    help=tr("Make a rule of this kind for --value."),
)
@click.option("--value", metavar="TEXT", help=tr("Address, domain, folder, category or thread."))
@click.option("--to", "record", metavar="ENTITY/ID", help=tr("Record its mail goes to."))
@click.option("--never", is_flag=True, help=tr("Such mail is never filed."))
@click.option("--delete", "gone", type=int, metavar="KEY", help=tr("Delete this rule."))
@common
def rules(
    call: Call,
    *,
    mailbox: str | None,
    kind: str | None,
    value: str | None,
    record: str | None,
    never: bool,
    gone: int | None,
) -> int:
    """List, make or delete the acting user's own rules."""
    target = _target(kind, value, record, never=never)
    with call.signed_in() as actor:
        chosen = mailboxes.find(actor, mailbox).id if mailbox else None
        known = filing_rules.rules(actor)
        if gone is not None:
            if all(one.id != gone for one in known):
                raise NotFound(N_("You have no filing rule {key}. Nothing was deleted."), key=gone)
            filing_rules.remove(actor, [gone])
            return call.answer({"deleted": gone}, tr("The rule was deleted"))
        if kind is not None:
            if chosen is None:
                boxes = filing_rules.own_mailboxes(actor)
                if len(boxes) != 1:
                    raise UserError(
                        N_("Say with --mailbox which mailbox the rule is for; nothing was made.")
                    )
                chosen = boxes[0][0]
            filing_rules.add(actor, chosen, FilingKind(kind), value or "", target)
            before = {one.id for one in known}
            made = [one for one in filing_rules.rules(actor) if one.id not in before]
            facts = _rule_facts(made[0]) if made else None
            return call.answer({"rule": facts}, tr("The rule was made"))
        shown = [one for one in known if chosen is None or one.mailbox_id == chosen]
    if call.as_json:
        emit([_rule_facts(one) for one in shown])
        return Code.DONE
    heads = [tr("Key"), tr("Mail of"), tr("Kind"), tr("Goes to"), tr("Mailbox"), tr("Messages"),
             tr("Filed")]  # fmt: skip
    body = table(
        heads, [_rule_line(one) for one in shown],
        [True, False, False, False, False, True, True],
    )  # fmt: skip
    say(f"{body}\n\n{ntr('{n} entry', '{n} entries', len(shown))}")
    return Code.DONE


def _target(
    kind: str | None, value: str | None, record: str | None, *, never: bool
) -> tuple[str, int] | None:
    """The record of a rule that is to be made, or None for none; checked before all else."""
    if kind is None:
        if value or record or never:
            raise UserError(N_("Say with --add what kind of rule is to be made; nothing was made."))
        return None
    if bool(record) == never:
        raise UserError(N_("Say either --to or --never; nothing was made."))
    if record is None:
        return None
    entity, _slash, key = record.partition("/")
    if entity not in REGARDING or not key.isdigit():
        raise UserError(
            N_("“{value}” names no record; write for instance account/12. Nothing was made."),
            value=record,
        )
    return entity, int(key)


def _rule_line(one: RuleRow) -> list[str]:
    target = one.title or f"{one.entity}/{one.record_id}" if one.entity else tr("Never filed")
    return [str(one.id), one.shown, tr(FilingKind(one.kind).label), target, one.mailbox,
            str(one.messages), str(one.filed)]  # fmt: skip


def _rule_facts(one: RuleRow) -> dict[str, Any]:
    return {
        "id": one.id,
        "mailbox": one.mailbox,
        "kind": one.kind,
        "value": one.shown,
        "entity": one.entity or None,
        "record": one.record_id,
        "title": one.title or None,
        "never": not one.entity,
        "messages": one.messages,
        "filed": one.filed,
    }


@group.command("why", help=tr("Say why a message stands where it stands."))
@click.argument("activity", type=int)
@common
def why(call: Call, activity: int) -> int:
    """Answer "Why here?" for each link of one message."""
    with call.signed_in() as actor:
        found = mail_message.message(actor, activity)
        formats = actor.formats
    if call.as_json:
        emit(
            {
                "activity": activity,
                "subject": found.subject,
                "links": [
                    {
                        "entity": one.entity,
                        "record": one.record_id,
                        "title": one.title,
                        "state": one.state,
                        "rule": one.rule,
                        "evidence": one.evidence or None,
                        "confidence": one.confidence,
                        "by": one.decided_by or None,
                        "at": one.at,
                        "why": link_reasons.sentence(one.reason, formats),
                    }
                    for one in found.links
                ],
            }
        )
        return Code.DONE
    say(found.subject or tr("(no subject)"))
    for one in found.links:
        say(f"\n{_headed(one)}\n  {link_reasons.sentence(one.reason, formats)}")
    if not found.links:
        say(tr("This message is linked to no record."))
    return Code.DONE


def _headed(one: LinkRow) -> str:
    label = tr(registry.get(one.entity).label)
    state = tr(LinkState(one.state).label)
    rule = tr(LinkRule(one.rule).label)
    return f"{label} {one.title} ({one.entity}/{one.record_id}): {state}, {rule}"
