"""Commands on the records of a list beside the common ones, gathered from the modules of each."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from desktop_crm.core.i18n import ntr, tr
from desktop_crm.services.changes import NOTHING, ChangeSet
from desktop_crm.services.context import Actor
from desktop_crm.views.actions import Action
from desktop_crm.views.bulk import commands as bulk_commands
from desktop_crm.views.duplicates import commands as duplicate_commands
from desktop_crm.views.grid import commands as grid_commands
from desktop_crm.views.mail import commands as mail_commands
from desktop_crm.views.panes import mark_commands
from desktop_crm.views.panes.command_target import Target
from desktop_crm.views.printing import commands as print_commands

if TYPE_CHECKING:
    from desktop_crm.views.workbench import Workbench

_OPEN: Final = "open"


Maker = Callable[["Workbench", str, Target], list[Action]]


def settle(actor: Actor, entity: str, state: str, ids: list[int]) -> ChangeSet:
    """Bring open records to their last state; one transaction, others are left as they are."""
    # The writer and its rules are loaded when something is written, not with the first list.
    from desktop_crm.services import records
    from desktop_crm.services.records import Change

    found = [records.get(actor, entity, key) for key in ids]
    open_ones = [
        Change(record.id, record.version, {"state": state})
        for record in found
        if record.values.get("state") == _OPEN
    ]
    if not open_ones:
        return NOTHING
    return records.save_many(actor, entity, open_ones).changes


def actions(bench: Workbench, entity_key: str, target: Target) -> list[Action]:
    """Commands of one entity beside the common ones, in the order of the makers."""
    return [action for make in MAKERS for action in make(bench, entity_key, target)]


def _own(bench: Workbench, entity_key: str, target: Target) -> list[Action]:
    """What only one entity offers: convert a lead, complete an activity, resolve a case."""
    makers = {"activity": _activity, "case": _case, "lead": _lead}
    maker = makers.get(entity_key)
    if maker is None or not bench.actor.can(entity_key, "edit"):
        return []
    return maker(bench, target)


def _value(target: Target, name: str) -> Any:  # noqa: ANN401  any field
    record = target.record()
    return record.values.get(name) if record is not None else None


def _activity(bench: Workbench, target: Target) -> list[Action]:
    def told(count: int) -> str:
        return ntr("{n} activity completed", "{n} activities completed", count)

    return [_settling(bench, target, "activity.complete", tr("Complete"), "completed", told)]


def _case(bench: Workbench, target: Target) -> list[Action]:
    def told(count: int) -> str:
        return ntr("{n} case resolved", "{n} cases resolved", count)

    return [_settling(bench, target, "case.resolve", tr("Resolve"), "resolved", told)]


def _settling(
    bench: Workbench,
    target: Target,
    name: str,
    text: str,
    state: str,
    told: Callable[[int], str],
) -> Action:
    """The command that brings what is open to its last state, for one or many."""
    entity = name.partition(".")[0]

    def done(changes: ChangeSet) -> None:
        bench.bus.publish(changes)
        if changes:
            bench.shell.toast(told(len(changes.ids(entity))), undo=True)
        else:
            bench.shell.toast(
                tr("Nothing was changed"), tr("None of the selected records is open.")
            )

    def run() -> None:
        bench.tasks.write(
            settle, bench.actor, entity, state, target.selected(),
            done=done, owner=target.owner, label=tr("Saving"),
        )  # fmt: skip

    return Action(
        name,
        text,
        run,
        "checkmark_circle",
        "ok",
        group="entity",
        enabled=lambda: _value(target, "state") == _OPEN or len(target.selected()) > 1,
    )


def _lead(bench: Workbench, target: Target) -> list[Action]:
    def run() -> None:
        from desktop_crm.views.panes.convert_lead import ConvertLeadDialog

        record = target.record()
        if record is not None and record.id is not None:
            ConvertLeadDialog(bench, record.id, record.title).open()

    return [
        Action(
            "lead.convert",
            tr("Convert…"),
            run,
            "handshake",
            "ok",
            group="entity",
            enabled=lambda: _value(target, "state") == _OPEN,
        )
    ]


MAKERS: Final[tuple[Maker, ...]] = (
    _own,
    mail_commands.actions,
    bulk_commands.actions,
    print_commands.actions,
    grid_commands.actions,
    mark_commands.actions,
    duplicate_commands.actions,
)
"""One function for each group of commands; a module of its own each."""
