"""Commands on records that may be the same: merge the selected ones, review, take apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

from desktop_crm.core.i18n import tr
from desktop_crm.meta import registry
from desktop_crm.views.actions import Action, Place

if TYPE_CHECKING:
    from desktop_crm.views.panes.command_target import Target
    from desktop_crm.views.workbench import Workbench

MOST = 5


def actions(bench: Workbench, entity_key: str, target: Target) -> list[Action]:
    """Merging needs the right to change and to delete; reviewing the right to see."""
    entity = registry.get(entity_key)
    from desktop_crm.services.duplicates.references import may_merge

    if not may_merge(entity):
        return []
    may = bench.actor.can(entity, "edit") and bench.actor.can(entity, "remove")

    def merge() -> None:
        from desktop_crm.views.duplicates.merge_dialog import MergeDialog

        MergeDialog(bench, entity_key, target.selected()).open()

    def review() -> None:
        from desktop_crm.views.duplicates.queue_dialog import QueueDialog

        QueueDialog(bench, entity_key).open()

    def part() -> None:
        from desktop_crm.views.duplicates.part_dialog import PartDialog

        record = target.record()
        if record is not None and record.id is not None:
            PartDialog(bench, entity_key, record.id, record.title).open()

    found = [
        Action("duplicates.review", tr("Possible duplicates…"), review, "people",
               group="duplicates", place=Place.MORE),
    ]  # fmt: skip
    if may:
        found = [
            Action(
                "duplicates.merge", tr("Merge…"), merge, "link", group="duplicates",
                place=Place.MORE,
                enabled=lambda: 2 <= len(target.selected()) <= MOST,
                tip=tr("Merge two to five selected records into one"),
            ),
            *found,
            Action(
                "duplicates.part", tr("Take a merge apart…"), part, "arrow_reply",
                group="duplicates", place=Place.MORE,
                enabled=lambda: target.record() is not None,
            ),
        ]  # fmt: skip
    return found
