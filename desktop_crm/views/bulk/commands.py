"""Commands on many records at once: change, assign, tag, add an activity, write a mail."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from desktop_crm.core.i18n import tr
from desktop_crm.meta import registry
from desktop_crm.models.activity import REGARDING
from desktop_crm.views.actions import Action, Place

if TYPE_CHECKING:
    from desktop_crm.services.bulk.job import Targets
    from desktop_crm.views.panes.command_target import Target
    from desktop_crm.views.workbench import Workbench

ASKED_FROM = 20
"""So many records are deleted only after a question that says how many there are."""


def targets_of(target: Target) -> tuple[Targets, int]:
    """The selected records and how many; the whole question when all of a list is selected.

    A list that still counts knows its first keys alone; the question stands for all of them.
    """
    from desktop_crm.services.bulk.job import Targets

    shown, count = target.list, target.count()
    if count >= shown.count and not shown.is_exact:
        return Targets(shown.entity.key, (), shown.query()), 0
    return Targets(shown.entity.key, target.selected()), count


def actions(bench: Workbench, entity_key: str, target: Target) -> list[Action]:
    """Commands for the selected records, as far as the role allows them."""
    entity = registry.get(entity_key)
    made: list[Action] = []
    if bench.actor.can(entity, "edit"):
        made.append(_command("bulk.edit", tr("Change selected…"), "edit", _edit, bench, target))
        if "owner" in entity.fields:
            made.append(
                _command("bulk.assign", tr("Assign…"), "person_add", _assign, bench, target)
            )
        if "tags" in entity.fields:
            made.append(_command("bulk.tag", tr("Tag…"), "tag", _tag, bench, target))
    if entity_key in REGARDING and bench.actor.can("activity", "create"):
        text = tr("One activity for each…")
        made.append(
            _command("bulk.activity", text, "task_list_square_ltr", _activity, bench, target)
        )
    if "email" in entity.fields:
        made.append(_command("bulk.mail", tr("Mail to selected…"), "mail", _mail, bench, target))
    return made


Run = Callable[["Workbench", "Target"], None]


def _command(name: str, text: str, icon: str, run: Run, bench: Workbench, target: Target) -> Action:
    return Action(
        name,
        text,
        lambda: run(bench, target),
        icon,
        group="bulk",
        place=Place.MORE,
        enabled=lambda: target.count() > 0,
    )


def _edit(bench: Workbench, target: Target) -> None:
    from desktop_crm.views.bulk.edit_dialog import BulkEditDialog

    BulkEditDialog(bench, *targets_of(target)).open()


def _assign(bench: Workbench, target: Target) -> None:
    from desktop_crm.views.bulk.edit_dialog import BulkEditDialog

    BulkEditDialog(bench, *targets_of(target), first="owner", title=tr("Assign records")).open()


def _tag(bench: Workbench, target: Target) -> None:
    from desktop_crm.views.bulk.edit_dialog import BulkEditDialog

    BulkEditDialog(bench, *targets_of(target), first="tags", title=tr("Tag records")).open()


def _activity(bench: Workbench, target: Target) -> None:
    from desktop_crm.views.bulk.deeds_dialogs import BulkActivityDialog

    BulkActivityDialog(bench, *targets_of(target)).open()


def _mail(bench: Workbench, target: Target) -> None:
    from desktop_crm.views.bulk.mail_dialog import BulkMailDialog

    targets, _count = targets_of(target)
    BulkMailDialog(bench, targets).open()


def delete_many(bench: Workbench, target: Target) -> bool:
    """Ask before many records are deleted; False where so few are that no question is due."""
    targets, count = targets_of(target)
    if targets.query is None and count < ASKED_FROM:
        return False
    from desktop_crm.views.bulk.deeds_dialogs import BulkDeleteDialog

    BulkDeleteDialog(bench, targets, count).open()
    return True
