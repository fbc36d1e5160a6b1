"""``export``: write records into a workbook that can come back."""

from __future__ import annotations

from pathlib import Path

import click

from desktop_crm.cli.call import Call, common
from desktop_crm.cli.conditions import explained, filter_option
from desktop_crm.cli.console import warn
from desktop_crm.core.i18n import ntr, tr
from desktop_crm.services import excel, saved_views
from desktop_crm.services.query import entity_query


@click.command(
    "export",
    help=tr("Write records into an .xlsx workbook that can be imported again."),
    epilog=explained(),
)
@click.argument("entity")
@click.argument("file", type=click.Path(path_type=Path))
@filter_option
@click.option("--view", "view", default="", metavar="NAME", help=tr("View whose records to write."))
@common
def write_out(call: Call, entity: str, file: Path, condition: str, view: str) -> int:
    """Export every field of the records a filter or a view finds."""
    with call.signed_in() as actor:
        found = entity_query(entity, ("id",), condition)
        asked = entity_query(entity, excel.exportable(actor, found.entity), condition)
        if view:
            chosen = saved_views.find(actor, found.entity, view)
            asked = saved_views.narrowed(asked, chosen, columns=False)
            if chosen.note:
                warn(chosen.note)
        result = excel.export(actor, asked, file)
    where = str(result.path)
    return call.answer(
        {"entity": found.entity, "file": where, "rows": result.rows},
        ntr("{n} record is in {file}.", "{n} records are in {file}.", result.rows, file=where),
    )
