"""``query``: show records, for people as a table and for programs as JSON."""

from __future__ import annotations

import click

from desktop_crm.cli.call import Call, common
from desktop_crm.cli.conditions import explained, filter_option
from desktop_crm.cli.console import Code, emit, say, table, warn
from desktop_crm.core.i18n import ntr, tr
from desktop_crm.meta import registry
from desktop_crm.meta.bound import BoundField
from desktop_crm.services import filters, saved_views
from desktop_crm.services import query as querying
from desktop_crm.services.context import Actor
from desktop_crm.services.query import RecordQuery


@click.command("query", help=tr("Show records."), epilog=explained())
@click.argument("entity")
@filter_option
@click.option(
    "--columns",
    default="",
    metavar="A,B",
    help=tr("Fields to show, also through links: account.city."),
)
@click.option("--view", "view", default="", metavar="NAME", help=tr("View to show them by."))
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help=tr("At most so many."))
@common
def query(
    call: Call, entity: str, condition: str, columns: str, view: str, limit: int | None
) -> int:
    """Show the records of an entity."""
    with call.signed_in() as actor:
        wanted = querying.entity_query(entity, _names(columns), condition)
        if view:
            chosen = saved_views.find(actor, wanted.entity, view)
            wanted = saved_views.narrowed(wanted, chosen, columns=not columns)
            if chosen.note:
                warn(chosen.note)
        found = querying.objects(actor, wanted, limit)
        if call.as_json:
            emit(found)
        else:
            say(_shown(actor, wanted, found))
    return Code.DONE


def _names(columns: str) -> tuple[str, ...]:
    return tuple(name for name in (part.strip() for part in columns.split(",")) if name)


def _shown(actor: Actor, wanted: RecordQuery, found: list[dict[str, object]]) -> str:
    entity = registry.get(wanted.entity)
    fields = [filters.resolve(entity, path) for path in wanted.columns]
    rows = [
        [
            _text(actor, field, record[path])
            for field, path in zip(fields, wanted.columns, strict=True)
        ]
        for record in found
    ]
    heads = [tr(field.label) for field in fields]
    body = table(heads, rows, [field.kind.align == "right" for field in fields])
    return f"{body}\n\n{ntr('{n} record', '{n} records', len(found))}"


def _text(actor: Actor, field: BoundField, value: object) -> str:
    # Of a link the title is shown, which needs no formatting.
    return value if isinstance(value, str) and field.target else field.display(value, actor.formats)
