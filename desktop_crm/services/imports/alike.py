"""New rows of a file that may be records already: shown with the reasons, decided row by row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import Connection

from desktop_crm.core.i18n import ntr, tr
from desktop_crm.meta.bound import Entity
from desktop_crm.services.context import Actor
from desktop_crm.services.duplicates.of_file import alike
from desktop_crm.services.imports import existing, planning
from desktop_crm.services.imports.draft import Draft, Notice, NoticeKind, Outcome, PlannedRow
from desktop_crm.services.imports.lookups import Links
from desktop_crm.services.imports.planning import Kept, Known

_PLAIN: Final = (str, int, list)


def note(
    connection: Connection,
    actor: Actor,
    entity: Entity,
    drafts: Sequence[Draft],
    planned: Sequence[PlannedRow],
    links: Links,
) -> list[Notice]:
    """Look for the records that new rows may be, and say so in each row.

    Nothing is decided: the rows stay new until a person says that they are the same.

    Args:
        connection: An open transaction.
        actor: Who imports.
        entity: What the rows are.
        drafts: The file's rows.
        planned: What is planned for each; completed in place.
        links: What the links of the rows lead to.
    """
    fresh = {row.position: row for row in planned if row.outcome is Outcome.CREATE}
    found = alike(
        connection, actor, entity.key, {place: row.values for place, row in fresh.items()}
    )
    if not found:
        return []
    by_position = {draft.position: draft for draft in drafts}
    fields = sorted({n for place in found for n in by_position[place].values if n in entity.fields})
    keys = {one.id for one in found.values() if one.id is not None}
    stored = existing.load(connection, actor, entity, keys, fields)
    known = Known(stored)
    for place, one in found.items():
        record = stored.get(one.id or 0)
        if record is None:
            continue
        row = fresh[place]
        row.alike = tr("May be “{title}” already: {why}.", title=one.title, why=one.why)
        row.instead = planning.as_change(
            entity, by_position[place], row, links, record, known=known, kept=Kept()
        )
    count = sum(bool(row.alike) for row in fresh.values())
    message = ntr(
        "{n} new row may be a record already; tick it where it is the same.",
        "{n} new rows may be records already; tick those that are the same.",
        count,
    )
    return [Notice(NoticeKind.ALIKE, message, count)] if count else []
