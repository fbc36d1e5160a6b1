"""``export``: write records into a workbook that can come back."""

from __future__ import annotations

from pathlib import Path

import click

from desktop_crm.cli.call import Call, common
from desktop_crm.core.i18n import ntr, tr
from desktop_crm.services import excel
from desktop_crm.services.query import entity_query


@click.command(
    "export", help=tr("Write records into an .xlsx workbook that can be imported again.")
)
@click.argument("entity")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--filter",
    "condition",
    default="",
    metavar="TEXT",
    help=tr("Conditions: field operator value, joined by and, or, not, brackets."),
)
@common
def write_out(call: Call, entity: str, file: Path, condition: str) -> int:
    """Export every field of the records a filter finds."""
    found = entity_query(entity, ("id",), condition)
    with call.signed_in() as actor:
        columns = excel.exportable(actor, found.entity)
        result = excel.export(actor, entity_query(entity, columns, condition), file)
    where = str(result.path)
    return call.answer(
        {"entity": found.entity, "file": where, "rows": result.rows},
        ntr("{n} record is in {file}.", "{n} records are in {file}.", result.rows, file=where),
    )
