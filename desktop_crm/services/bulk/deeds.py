"""Deleting many records, and adding one activity to each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection

from desktop_crm.core.errors import NotFound, UserError
from desktop_crm.core.i18n import N_, tr
from desktop_crm.db.engine import Cancel
from desktop_crm.meta import kinds, registry
from desktop_crm.models.activity import REGARDING
from desktop_crm.services import query, records
from desktop_crm.services.bulk.job import SOURCE, BulkReport, Progress, Targets, run
from desktop_crm.services.changes import ChangeSet
from desktop_crm.services.context import Actor
from desktop_crm.services.permissions import require
from desktop_crm.services.query import RecordQuery
from desktop_crm.services.records import Change, save_many


def delete(
    actor: Actor,
    targets: Targets,
    progress: Progress | None = None,
    cancel: Cancel | None = None,
) -> BulkReport:
    """Put many records into the recycle bin; one undo takes them all back.

    Raises:
        PermissionDenied: The role may not delete such records.
    """
    require(actor, registry.get(targets.entity), "remove")

    def write(ids: Sequence[int], operation: str) -> ChangeSet:
        return records.delete(actor, targets.entity, ids, SOURCE, operation=operation)

    return run(actor, targets, "remove", write, progress, cancel)


def add_activities(
    actor: Actor,
    targets: Targets,
    values: Mapping[str, Any],
    progress: Progress | None = None,
    cancel: Cancel | None = None,
    *,
    within: Connection | None = None,
) -> BulkReport:
    """Make one activity for each record, about it and about its account and contact.

    Args:
        actor: Who acts; owner of the activities unless the values name another.
        targets: Accounts, contacts, leads, opportunities or quotes.
        values: Subject, kind, time and so on, the same for all.
        progress: See :func:`~desktop_crm.services.bulk.job.run`.
        cancel: Likewise.
        within: Transaction to join, for few records: they last with what else is written there.

    Raises:
        UserError: Activities cannot be about such records.
        PermissionDenied: The role may not create activities.
    """
    entity = registry.get(targets.entity)
    require(actor, registry.get("activity"), "create")
    if targets.entity not in REGARDING:
        raise UserError(
            N_("An activity cannot be about {records}. Choose other records."),
            records=tr(entity.plural).lower(),
        )
    names = [
        name
        for name in REGARDING
        if (field := entity.fields.get(name)) is not None and field.kind is kinds.LINK
    ]
    asked = RecordQuery(targets.entity, tuple(f"{name}.id" for name in names))

    def write(ids: Sequence[int], operation: str) -> ChangeSet:
        about = [
            dict(zip(names, row.values, strict=True)) | {targets.entity: row.id}
            for row in query.rows(actor, asked, ids)
        ]
        if len(about) < len(ids):
            # Deleted for good meanwhile: the others are found by halving.
            raise NotFound(
                N_("This {entity} does not exist, or you may not see it."),
                entity=tr(entity.label).lower(),
            )
        changes = [Change(None, None, {**values, **regarding}) for regarding in about]
        return save_many(
            actor, "activity", changes, source=SOURCE, operation=operation, within=within
        ).changes

    return run(actor, targets, "read", write, progress, cancel)
