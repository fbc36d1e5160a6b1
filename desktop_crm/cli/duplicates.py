"""``duplicates``: search for records that are there twice, show them, make them one."""

from __future__ import annotations

import click

from desktop_crm.cli.call import Call, common
from desktop_crm.cli.console import Code, emit, say, table
from desktop_crm.core.errors import UserError
from desktop_crm.core.i18n import N_, ntr, tr
from desktop_crm.meta import registry
from desktop_crm.services.duplicates import review, scan, unmerge
from desktop_crm.services.duplicates.merge import MergeWish, merge


@click.group("duplicates", help=tr("Records that are there twice: find and merge them."))
def group() -> None:
    """Root of the commands about duplicates."""


def _known(entity: str) -> str:
    """Key of an entity whose records can be duplicates.

    Raises:
        UserError: There is none of this name.
    """
    known = [one.key for one in scan.scannable()]
    if entity not in known:
        raise UserError(
            N_("There are no duplicates of “{name}”. Known: {known}."),
            name=entity,
            known=", ".join(known),
        )
    return entity


@group.command("scan", help=tr("Search all records of a kind and fill the queue."))
@click.argument("entity")
@common
def search(call: Call, entity: str) -> int:
    """Search a whole table."""
    with call.signed_in() as actor:
        found = scan.scan(actor, _known(entity))
    data = {"entity": entity, "records": found.records, "pairs": found.pairs, "new": found.added}
    new = ntr("{n} new pair", "{n} new pairs", found.added)
    plural = tr(registry.get(entity).plural).lower()
    sentence = tr(
        "{count} {records} were searched: {new}.", count=found.records, records=plural, new=new
    )
    return call.answer(data, sentence)


@group.command("list", help=tr("Show pairs that wait for a decision, the likeliest first."))
@click.argument("entity")
@click.option("--limit", type=click.IntRange(min=1), default=50, metavar="N",
              help=tr("At most so many."))  # fmt: skip
@common
def waiting(call: Call, entity: str, limit: int) -> int:
    """Show the queue."""
    with call.signed_in() as actor:
        found = review.queue(actor, _known(entity), limit)
    if call.as_json:
        emit(
            [
                {
                    "first": one.first,
                    "second": one.second,
                    "titles": list(one.titles),
                    "score": one.score,
                    "reasons": list(one.reasons),
                }
                for one in found
            ]
        )
        return Code.DONE
    heads = [tr("Similarity"), tr("Key"), tr("Record"), tr("Key"), tr("Record"), tr("Why")]
    rows = [
        [f"{p.score} %", str(p.first), p.titles[0], str(p.second), p.titles[1], p.why]
        for p in found
    ]
    body = table(heads, rows, [True, True, False, True, False, False])
    say(f"{body}\n\n{ntr('{n} pair waits', '{n} pairs wait', len(found))}")
    return Code.DONE


@group.command("merge", help=tr("Merge records into the first one; keys as `list` shows them."))
@click.argument("entity")
@click.argument("master", type=int, metavar="KEPT")
@click.argument("losers", type=int, nargs=-1, required=True, metavar="OTHER...")
@common
def join(call: Call, entity: str, master: int, losers: tuple[int, ...]) -> int:
    """Make records one: the first keeps its values and takes what it lacks."""
    with call.signed_in() as actor:
        merged = merge(actor, MergeWish(_known(entity), master, losers))
    data = {"entity": entity, "id": merged.master, "operation": merged.operation}
    said = ntr("{n} record was merged", "{n} records were merged", merged.count)
    return call.answer(data, f"{said} ({merged.operation})")


@group.command("part", help=tr("Take a merge apart; the operation as `merge` shows it."))
@click.argument("operation")
@common
def part(call: Call, operation: str) -> int:
    """Take a merge apart."""
    with call.signed_in() as actor:
        parted = unmerge.unmerge(actor, operation)
    kept = [one.text for one in parted.kept]
    count = len(parted.restored)
    lines = [ntr("{n} record is back", "{n} records are back", count)]
    if kept:
        lines.append(tr("Changed since and left as it is: {rows}.", rows="; ".join(kept)))
    data = {"entity": parted.entity, "restored": list(parted.restored), "kept": kept}
    return call.answer(data, *lines)
