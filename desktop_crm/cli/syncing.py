"""``sync``: one pass of mail and calendar."""

from __future__ import annotations

from typing import Any, Final

import click

from desktop_crm.cli.call import Call, common
from desktop_crm.cli.console import Code
from desktop_crm.core.i18n import tr
from desktop_crm.services import mailboxes
from desktop_crm.sync.results import FolderResult, MailboxResult, OutboxResult, SyncResult
from desktop_crm.sync.scheduler import sync_once

_COUNTS: Final = (
    "created", "updated", "known", "unchanged", "gone", "linked", "suggested", "excluded",
    "quarantined",
)  # fmt: skip


@click.command("sync", help=tr("Read mail and calendar once."))
@click.option("--mailbox", metavar="NAME", help=tr("Only this mailbox."))
@click.option("--dry-run", is_flag=True, help=tr("Say what would be stored and store nothing."))
@common
def sync(
    call: Call,
    mailbox: str | None,
    dry_run: bool,
) -> int:
    """One pass; a mailbox that fails does not keep the others from being read."""
    with call.signed_in() as actor:
        chosen = mailboxes.find(actor, mailbox).id if mailbox else None
        result = sync_once(actor, chosen, dry_run=dry_run)
    facts = _facts(result)
    if result.problem is not None:
        return call.refuse(str(result.problem), Code.ENVIRONMENT, **facts)
    return call.answer(facts, *_lines(result))


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
            lines += [f"  {name}: {reason}" for name, reason in folder.quarantined]
    return lines


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
