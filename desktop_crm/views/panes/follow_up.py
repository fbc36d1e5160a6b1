"""Task, call, meeting and note from a record: what they start with."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from desktop_crm.core import clock
from desktop_crm.core.i18n import N_, tr
from desktop_crm.models.activity import REGARDING
from desktop_crm.views.actions import Action
from desktop_crm.views.icons import ACTIVITY_ICONS

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

    from desktop_crm.services.records import RecordValues
    from desktop_crm.views.workbench import Workbench

KINDS: Final = (
    ("phone_call", N_("Call")),
    ("appointment", N_("Meeting")),
    ("task", N_("Task")),
    ("note", N_("Note")),
)
_INHERITED: Final = ("account", "contact")
_LENGTH: Final = {"phone_call": 15, "appointment": 60}
_DUE_HOUR: Final = 17


def _next_half_hour(moment: datetime) -> datetime:
    whole = moment.replace(second=0, microsecond=0)
    return whole + timedelta(minutes=30 - whole.minute % 30)


def defaults(bench: Workbench, kind: str, entity_key: str, record: RecordValues) -> dict[str, Any]:
    """Field values of a new activity about a record: regarding, and a sensible time.

    Args:
        bench: For the clock's zone.
        kind: Kind of activity.
        entity_key: What the record is.
        record: The record; its account and contact are taken along.
    """
    made: dict[str, Any] = {"kind": kind, entity_key: record.id}
    for name in _INHERITED:
        value = record.values.get(name)
        if name != entity_key and isinstance(value, int):
            made[name] = value
    now = clock.now()
    if kind in _LENGTH:
        start = _next_half_hour(now)
        made["start_at"] = start
        made["end_at"] = start + timedelta(minutes=_LENGTH[kind])
    elif kind == "task":
        local = now.astimezone(bench.actor.zone)
        due = local.replace(hour=_DUE_HOUR, minute=0, second=0, microsecond=0)
        made["due_at"] = (due if due > local else due + timedelta(days=1)).astimezone(now.tzinfo)
    return made


def actions(
    bench: Workbench,
    entity_key: str,
    record: Callable[[], RecordValues | None],
    enabled: Callable[[], bool],
) -> list[Action]:
    """Commands that add an activity to the record in hand; none for records that take none."""
    quotes = _quote_actions(bench, entity_key, record, enabled)
    if entity_key not in REGARDING or not bench.actor.can("activity", "create"):
        return quotes

    def adder(kind: str) -> Callable[[], None]:
        def add() -> None:
            current = record()
            if current is not None:
                given = defaults(bench, kind, entity_key, current)
                bench.shell.new_record("activity", **given)

        return add

    return [
        Action(
            f"follow.{kind}",
            tr(text),
            adder(kind),
            ACTIVITY_ICONS[kind],
            "accent_text",
            group="follow",
            enabled=lambda: enabled() and record() is not None,
        )
        for kind, text in KINDS
    ] + quotes


def _quote_actions(
    bench: Workbench,
    entity_key: str,
    record: Callable[[], RecordValues | None],
    enabled: Callable[[], bool],
) -> list[Action]:
    """The commands that make a quote of an opportunity, and print one."""

    def with_current(run: Callable[[Workbench, int, QWidget], object]) -> Callable[[], None]:
        def go() -> None:
            current = record()
            if current is not None and current.id is not None:
                run(bench, current.id, bench.shell.window_widget())

        return go

    def command(name: str, text: str, run: Callable[[], None], tip: str = "") -> Action:
        return Action(
            name,
            text,
            run,
            "receipt",
            "accent_text",
            group="follow",
            enabled=lambda: enabled() and record() is not None,
            tip=tip,
        )

    if entity_key == "quote":
        return [command("follow.print", tr("Print preview"), with_current(_preview))]
    if entity_key == "opportunity" and bench.actor.can("quote", "create"):
        tip = tr("New quote from this opportunity")
        return [command("follow.quote", tr("Quote"), with_current(_new_quote), tip)]
    return []


def _new_quote(bench: Workbench, opportunity_id: int, window: QWidget) -> None:
    from desktop_crm.views.custom import quote_commands

    quote_commands.new_from_opportunity(bench, opportunity_id, window)


def _preview(bench: Workbench, quote_id: int, window: QWidget) -> None:
    from desktop_crm.views.custom import quote_commands

    quote_commands.preview(bench, quote_id, window)
