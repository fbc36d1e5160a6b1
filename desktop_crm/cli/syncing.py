"""``sync``: one pass of mail and calendar."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import click

from desktop_crm.cli.call import Call, common
from desktop_crm.cli.console import Code, say
from desktop_crm.core.errors import UserError
from desktop_crm.core.i18n import N_, tr
from desktop_crm.services.context import Actor
from desktop_crm.services.mail import mailboxes
from desktop_crm.sync.results import FolderResult, MailboxResult, OutboxResult, SyncResult
from desktop_crm.sync.scheduler import sync_once
from desktop_crm.sync.twoway import strikes
from desktop_crm.sync.twoway.lines import KIND_LABELS, SIDE_LABELS, WHAT_LABELS, Consent, Line

_COUNTS: Final = (
    "created", "updated", "known", "unchanged", "gone", "linked", "suggested", "excluded",
    "quarantined",
)  # fmt: skip


_OF_LINE: Final = (
    "side", "what", "kind", "title", "reason", "people", "asked", "struck", "key", "fingerprint",
)  # fmt: skip


@click.command("sync", help=tr("Read your mailboxes once and carry out what they were asked to."))
@click.option("--mailbox", metavar="NAME", help=tr("Only this mailbox."))
@click.option(
    "--dry-run", is_flag=True, help=tr("Say what would be done on both sides and do nothing.")
)
@click.option(
    "--strike",
    "struck",
    multiple=True,
    metavar="KEY",
    help=tr(
        "With --dry-run: strike the line of this key, which --json shows; may be given several "
        "times."
    ),
)
@click.option(
    "--allow",
    multiple=True,
    metavar="KEY",
    help=tr("With --dry-run: take a strike back; may be given several times."),
)
@click.option(
    "--reviewed",
    is_flag=True,
    help=tr("The list was looked through: call off what was deleted in the mailbox, however many."),
)
@common
def sync(
    call: Call,
    mailbox: str | None,
    dry_run: bool,
    struck: tuple[str, ...],
    allow: tuple[str, ...],
    reviewed: bool,
) -> int:
    """One pass; a mailbox that fails does not keep the others from being read."""
    if (struck or allow) and not dry_run:
        raise UserError(N_("Lines are struck from a dry run; add --dry-run."), field="strike")
    if reviewed and dry_run:
        raise UserError(
            N_("A dry run does nothing, whatever was looked through; leave out --reviewed."),
            field="reviewed",
        )
    with call.signed_in() as actor:
        chosen = mailboxes.find(actor, mailbox).id if mailbox else None
        result = sync_once(actor, chosen, dry_run=dry_run, consent=Consent(reviewed=reviewed))
        if struck or allow:
            _strike(actor, result, struck, allow)
    facts = _facts(result)
    if result.problem is not None:
        if not call.as_json:
            say("\n".join(_lines(result)))
        return call.refuse(_problems(result), Code.ENVIRONMENT, **facts)
    return call.answer(facts, *_lines(result))


def _problems(result: SyncResult) -> str:
    """What went wrong, with the name of each mailbox that did not get to its end."""
    failed = [box for box in result.mailboxes if box.problem is not None]
    if len(result.mailboxes) == 1:
        return str(result.problem)
    return "\n".join(
        tr("{mailbox}: {problem}", mailbox=box.name, problem=box.problem) for box in failed
    )


def _strike(
    actor: Actor, result: SyncResult, struck: tuple[str, ...], allow: tuple[str, ...]
) -> None:
    """Remember what was struck; the result shows it."""
    known = {line.key for box in result.mailboxes for line in box.lines}
    unknown = next((key for key in (*struck, *allow) if key not in known), None)
    if unknown is not None:
        raise UserError(
            N_("There is no line {key} in this dry run; nothing was struck."),
            field="strike",
            key=unknown,
        )
    for box in result.mailboxes:
        strikes.strike(actor, box.mailbox_id, [x for x in box.lines if x.key in struck])
        strikes.let(actor, box.mailbox_id, [x for x in box.lines if x.key in allow])
        box.lines = [
            replace(x, struck=(x.struck or x.key in struck) and x.key not in allow)
            for x in box.lines
        ]


def _facts(result: SyncResult) -> dict[str, Any]:
    return {
        "dry_run": result.dry_run,
        **{name: result.count(name) for name in _COUNTS},
        "rejected": result.count("quarantined"),
        "mailboxes": [_mailbox(box) for box in result.mailboxes],
    }


def _mailbox(box: MailboxResult) -> dict[str, Any]:
    return {
        "name": box.name,
        "problem": None if box.problem is None else str(box.problem),
        "outbox": _written(box.written),
        "folders": [_folder(folder) for folder in box.folders],
        "lines": [_line(line) for line in box.lines],
    }


def _line(line: Line) -> dict[str, Any]:
    """A line of a dry run; `key` and `fingerprint` are what “--strike” takes and remembers."""
    return {
        **{name: getattr(line, name) for name in _OF_LINE},
        "changes": [
            {"field": name, "before": before, "after": after}
            for name, before, after in line.changes
        ],
    }


def _written(written: OutboxResult | None) -> dict[str, Any] | None:
    if written is None:
        return None
    counts = {name: getattr(written, name) for name in ("done", "failed", "postponed", "held")}
    return {**counts, "problem": None if written.problem is None else str(written.problem)}


def _folder(folder: FolderResult) -> dict[str, Any]:
    numbers = {name: getattr(folder, name) for name in _COUNTS[:-2]}
    return {
        "folder": folder.folder,
        **numbers,
        "excluded": {tr(reason): count for reason, count in folder.excluded.items()},
        "quarantined": [{"item": name, "reason": why} for name, why in folder.quarantined],
        "remarks": [{"item": name, "remark": said} for name, said in folder.remarked],
        "resynced": folder.resynced,
    }


def _lines(result: SyncResult) -> list[str]:
    lines = [tr("Nothing was stored; this is what a pass would do.")] if result.dry_run else []
    if not result.mailboxes:
        lines.append(tr("There is no mailbox yet; “mailbox add” adds one."))
    for box in result.mailboxes:
        lines += _line_of_outbox(box)
        for folder in box.folders:
            lines.append(
                tr(
                    "{mailbox}, {folder}: {created} new, {linked} linked, {suggested} to review, "
                    "{excluded} left out, {bad} unreadable",
                    mailbox=box.name,
                    folder=folder.folder,
                    created=folder.created,
                    linked=folder.linked,
                    suggested=folder.suggested,
                    excluded=folder.excluded.total(),
                    bad=len(folder.quarantined),
                )
            )
            lines += [f"  {name}: {said}" for name, said in (*folder.quarantined, *folder.remarked)]
        lines += [_words(line) for line in box.lines]
    return lines


def _words(line: Line) -> str:
    """A line of a dry run in words."""
    what = f"{tr(SIDE_LABELS[line.side])}, {tr(WHAT_LABELS[line.what]).lower()}"
    changes = "; ".join(f"{name}: {before} → {after}" for name, before, after in line.changes)
    struck = f" ({tr('struck')})" if line.struck else ""
    title = f"{tr(KIND_LABELS[line.kind])} “{line.title or tr('(no subject)')}”"
    return "  " + " · ".join(part for part in (what, title, line.reason + struck, changes) if part)


def _line_of_outbox(box: MailboxResult) -> list[str]:
    written = box.written
    if written is None or not (written.done or written.failed or written.postponed or written.held):
        return []
    return [
        tr(
            "{mailbox}, outbox: {done} done, {failed} failed, {later} to be tried again, {held} "
            "waiting for you; “outbox list” shows them",
            mailbox=box.name,
            done=written.done,
            failed=written.failed,
            later=written.postponed,
            held=written.held,
        )
    ]
