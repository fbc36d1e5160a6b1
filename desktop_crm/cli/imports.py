"""``import``: take records in from a file; the plan comes first."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from desktop_crm.cli.call import Call, common
from desktop_crm.cli.console import Code
from desktop_crm.core.errors import UserError
from desktop_crm.core.i18n import N_, ntr, tr
from desktop_crm.meta import registry
from desktop_crm.services import imports
from desktop_crm.services.imports import ImportOptions, ImportPlan, ImportResult, PlannedRow
from desktop_crm.sync import taking_in

_SHOWN_REASONS = 10


@click.command(
    "import",
    help=tr(
        "Take records in from an .xlsx, .csv or .vcf file; with --mail, messages and meetings from "
        ".eml, .msg, .pst and .ics files."
    ),
)
@click.argument("entity", required=False)
@click.argument("file", type=click.Path(path_type=Path), required=False)
@click.option(
    "--mail",
    "mail",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help=tr("A message or meeting, or a folder of them. May be repeated."),
)
@click.option(
    "--map",
    "mapping",
    multiple=True,
    metavar="COLUMN=FIELD",
    help=tr("What a column is; an empty field leaves it out. May be repeated."),
)
@click.option(
    "--value",
    "values",
    multiple=True,
    metavar="FIELD:TEXT=TITLE",
    help=tr("What a text in the file means. May be repeated."),
)
@click.option(
    "--match", default="", metavar="FIELD", help=tr("Field by which known records are recognised.")
)
@click.option("--plan", "plan_only", is_flag=True, help=tr("Say what would happen and stop."))
@common
def take_in(
    call: Call,
    *,
    entity: str | None,
    file: Path | None,
    mail: tuple[Path, ...],
    mapping: tuple[str, ...],
    values: tuple[str, ...],
    match: str,
    plan_only: bool,
) -> int:
    """Plan an import and apply it; or take mail in."""
    if mail:
        if entity or file or mapping or values or match or plan_only:
            raise click.UsageError(
                tr("With --mail only files and folders are named; nothing was taken in.")
            )
        return _take_mail(call, mail)
    if entity is None or file is None:
        raise click.UsageError(tr("Name an entity and a file, or give --mail."))
    options = ImportOptions(mapping=_mapping(mapping), values=_values(values), match=match)
    with call.signed_in() as actor:
        plan = imports.plan_file(actor, entity, file, options)
        if plan_only:
            return call.answer(_planned(plan), *_plan_lines(plan))
        result = imports.apply(actor, plan)
    done = _applied(plan, result)
    if result.rejected and not (result.created or result.updated or result.same):
        return call.refuse(_nothing(result), Code.REJECTED, **done)
    return call.answer(done, *_result_lines(result))


def _take_mail(call: Call, paths: tuple[Path, ...]) -> int:
    """Store the messages and meetings of files and folders."""
    found: list[Path] = []
    for path in paths:
        inside = sorted(path.rglob("*")) if path.is_dir() else [path]
        read = [one for one in inside if one.suffix.lower() in taking_in.KINDS]
        if not path.exists():
            raise UserError(N_('There is no file "{path}".'), path=path)
        if not read:
            raise UserError(
                N_(
                    "“{path}” holds no message and no meeting: those are files of .eml, .msg, "
                    ".ics and .pst. Nothing was taken in."
                ),
                path=path,
            )
        found += read
    with call.signed_in() as actor:
        taken = taking_in.take_in(actor, found)
    refused = [{"file": name, "reason": reason} for name, reason in taken.refused]
    remarks = [{"item": name, "remark": remark} for name, remark in taken.remarked]
    facts = {
        "created": len(taken.created),
        "known": len(taken.known),
        "refused": refused,
        "remarks": remarks,
    }
    lines = [
        ntr("{n} item taken in", "{n} items taken in", len(taken.created)),
        ntr("{n} was here already", "{n} were here already", len(taken.known)),
    ]
    lines += [
        tr("Not taken in: {name}. {reason}", name=name, reason=reason)
        for name, reason in taken.refused
    ]
    remarked = [f"  {name}: {remark}" for name, remark in taken.remarked]
    if taken.refused and not (taken.created or taken.known):
        return call.refuse("\n".join(lines[2:]), Code.REJECTED, **facts)
    return call.answer(facts, *lines, *remarked)


def _mapping(given: tuple[str, ...]) -> dict[str, str]:
    found = {}
    for text in given:
        column, sign, field = text.rpartition("=")
        if not sign or not column.strip():
            raise click.BadParameter(
                tr("“{text}” is not COLUMN=FIELD.", text=text), param_hint="--map"
            )
        found[column.strip()] = field.strip()
    return found


def _values(given: tuple[str, ...]) -> dict[tuple[str, str], str]:
    found = {}
    for text in given:
        field, colon, rest = text.partition(":")
        meant, sign, title = rest.partition("=")
        if not colon or not sign or not field.strip() or not meant.strip():
            raise click.BadParameter(
                tr("“{text}” is not FIELD:TEXT=TITLE.", text=text), param_hint="--value"
            )
        found[field.strip(), meant.strip()] = title.strip()
    return found


def _planned(plan: ImportPlan) -> dict[str, Any]:
    counts = plan.counts
    return {
        "entity": plan.entity,
        "plan": True,
        "created": counts["create"],
        "updated": counts["update"],
        "same": counts["same"],
        "rejected": len(plan.rejected),
        **_details(plan, plan.rejected),
    }


def _applied(plan: ImportPlan, result: ImportResult) -> dict[str, Any]:
    return {
        "entity": result.entity,
        "plan": False,
        "created": result.created,
        "updated": result.updated,
        "same": result.same,
        "rejected": len(result.rejected),
        "also_created": result.also_created,
        "batch": result.batch,
        **_details(plan, result.rejected),
    }


def _details(plan: ImportPlan, rejected: list[PlannedRow]) -> dict[str, Any]:
    return {
        "columns": plan.mapping,
        "notices": [
            {"kind": notice.kind.value, "message": notice.message, "count": notice.count,
             "field": notice.field, "text": notice.text, "suggestion": notice.suggestion}
            for notice in plan.notices
        ],
        "rejected_rows": [
            {"row": row.number, "outcome": row.outcome.value, "reason": row.reason}
            for row in rejected
        ],
    }  # fmt: skip


def _plan_lines(plan: ImportPlan) -> list[str]:
    counts = plan.counts
    return [
        tr("{file} as {entity}: nothing was written.", file=plan.source.name,
           entity=tr(registry.get(plan.entity).plural)),
        *(f"  {column} → {field}" for column, field in plan.mapping.items()),
        tr("New: {new}, changed: {changed}, the same: {same}, rejected: {rejected}",
           new=counts["create"], changed=counts["update"], same=counts["same"],
           rejected=len(plan.rejected)),
        *_told(plan.notices, plan.rejected),
    ]  # fmt: skip


def _result_lines(result: ImportResult) -> list[str]:
    also = [
        tr("Also made: {n} {records}", n=number, records=tr(registry.get(key).plural))
        for key, number in result.also_created.items()
    ]
    return [
        tr("New: {new}, changed: {changed}, the same: {same}, rejected: {rejected}",
           new=result.created, changed=result.updated, same=result.same,
           rejected=len(result.rejected)),
        *also,
        *_told(result.notices, result.rejected),
    ]  # fmt: skip


def _told(notices: list[imports.Notice], rejected: list[PlannedRow]) -> list[str]:
    lines = [notice.message for notice in notices]
    for row in rejected[:_SHOWN_REASONS]:
        lines.append(tr("Row {row}: {reasons}", row=row.number, reasons=row.reason))
    left = len(rejected) - _SHOWN_REASONS
    if left > 0:
        lines.append(ntr("… and {n} more row", "… and {n} more rows", left))
    return lines


def _nothing(result: ImportResult) -> str:
    first = result.rejected[0].reason
    error = UserError(
        N_("No row could be taken in, so nothing was changed. The first reason: {reason}"),
        reason=first,
    )
    return str(error)
