"""The command that writes to the people of a record."""

from __future__ import annotations

from typing import TYPE_CHECKING

from desktop_crm.core.i18n import tr
from desktop_crm.models.activity import REGARDING
from desktop_crm.views.actions import Action, Place

if TYPE_CHECKING:
    from desktop_crm.views.panes.command_target import Target
    from desktop_crm.views.workbench import Workbench


def actions(bench: Workbench, entity_key: str, target: Target) -> list[Action]:
    """Write to the selected record; the letter belongs to it."""
    if entity_key not in REGARDING or not bench.actor.can("mailbox", "read"):
        return []
    return [
        Action(
            "record.write",
            tr("Write e-mail"),
            lambda: _write(bench, entity_key, target),
            "mail",
            shortcut="Ctrl+Shift+M",
            group="bulk",
            place=Place.MORE,
            enabled=lambda: target.count() == 1,
        )
    ]


def _write(bench: Workbench, entity_key: str, target: Target) -> None:
    about = [(entity_key, key) for key in target.selected()[:1]]
    bench.shell.new_record("mail_message", about=about)
