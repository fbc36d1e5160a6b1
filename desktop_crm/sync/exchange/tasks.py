"""Tasks of an Exchange mailbox, both ways.

A task has no identity that survives a move; one that was made here carries its own, others are
known by their search key, which copies keep.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import Final

from desktop_crm.core.text import clean
from desktop_crm.sync.exchange import fields, items
from desktop_crm.sync.exchange.calls import OWN_KEY, OWN_UID
from desktop_crm.sync.exchange.fields import Field
from desktop_crm.sync.exchange.rrule import recurrence_of
from desktop_crm.sync.exchange.xml import (
    Element,
    T,
    flag_at,
    flag_text,
    id_of,
    moment,
    nearest_day,
    node,
    stamp,
    text_at,
)
from desktop_crm.sync.port import Remark, Sensitivity, TaskItem

SEARCH_KEY: Final = "0x300B Binary"
"""MAPI tag of what stays the same when an item is moved or copied."""

FIELDS: Final = (
    "item:ItemClass", "item:Subject", "item:Sensitivity", "item:Body", "item:Categories",
    "item:Importance", "item:LastModifiedTime", "item:ReminderIsSet", "item:ReminderDueBy",
    "task:CompleteDate", "task:DueDate", "task:PercentComplete", "task:Recurrence",
    "task:StartDate", "task:Status", f"tag:{SEARCH_KEY}",
)  # fmt: skip

_STATES: Final = {
    "notstarted": "not_started",
    "inprogress": "in_progress",
    "completed": "completed",
    "waitingonothers": "waiting",
    "deferred": "deferred",
}
_WORDS: Final = {
    "not_started": "NotStarted",
    "in_progress": "InProgress",
    "completed": "Completed",
    "waiting": "WaitingOnOthers",
    "deferred": "Deferred",
}


def uid_of(element: Element) -> str:
    """Identity of an item that Exchange gives none."""
    own = items.own_text(element, OWN_UID)
    if own:
        return own
    for found in element.findall(f"{T}ExtendedProperty"):
        path = found.find(f"{T}ExtendedFieldURI")
        if path is not None and path.get("PropertyTag", "").lower() == "0x300b":
            return f"exchange:{text_at(found, 'Value')}"[:500]
    return f"exchange:{id_of(element)}"[:500]


def task_item(element: Element, _resolve: items.Resolve) -> TaskItem:
    """One task."""
    remarks: list[Remark] = []
    due, start = (
        nearest_day(text_at(element, "DueDate")),
        nearest_day(text_at(element, "StartDate")),
    )
    percent = text_at(element, "PercentComplete").partition(".")[0]
    reminds = flag_at(element, "ReminderIsSet")
    return TaskItem(
        uid=uid_of(element),
        subject=clean(text_at(element, "Subject")),
        text=items.body_of(element)[0],
        start=start,
        due=due,
        completed_at=moment(text_at(element, "CompleteDate")),
        status=_STATES.get(text_at(element, "Status").lower(), "not_started"),
        percent=int(percent) if percent.isdigit() else 0,
        importance=text_at(element, "Importance").lower() or "normal",
        sensitivity=items.SENSITIVE.get(
            text_at(element, "Sensitivity").lower(), Sensitivity.NORMAL
        ),
        categories=items.categories_of(element),
        rrule=items.rule_at(element, _midnight(start or due or date(2000, 1, 1)), remarks),
        remind_at=moment(text_at(element, "ReminderDueBy")) if reminds else None,
        modified_at=moment(text_at(element, "LastModifiedTime")),
        remarks=tuple(remarks),
    )


def task_fields(item: TaskItem, own_key: str = "") -> list[Field]:
    """What a request says of a task, in the order of the schema.

    Raises:
        UserError: its rule has no place in Exchange.
    """
    first = item.start or item.due
    rule = recurrence_of(item.rrule, first, "") if item.rrule and first else None
    done = item.status == "completed"
    reminder = item.remind_at
    return [
        fields.text("item:Subject", "t:Subject", item.subject),
        fields.sensitivity(item.sensitivity),
        fields.body(item.text),
        fields.categories(item.categories),
        Field("item:Importance", node("t:Importance", item.importance.capitalize())),
        Field("item:ReminderDueBy", node("t:ReminderDueBy", stamp(reminder)) if reminder else None),
        Field("item:ReminderIsSet", node("t:ReminderIsSet", flag_text(reminder is not None))),
        *((fields.own(OWN_KEY, own_key),) if own_key else ()),
        *((fields.own(OWN_UID, item.uid),) if not item.uid.startswith("exchange:") else ()),
        *((_day("CompleteDate", item.completed_at.date()),) if done and item.completed_at else ()),
        _day("DueDate", item.due),
        # Exchange derives the share of a finished task; being told both it may refuse.
        *(
            ()
            if done
            else (Field("task:PercentComplete", node("t:PercentComplete", str(item.percent))),)
        ),
        Field("task:Recurrence", rule),
        _day("StartDate", item.start),
        Field("task:Status", node("t:Status", _WORDS.get(item.status, "NotStarted"))),
    ]


def _day(name: str, value: date | None) -> Field:
    made = node(f"t:{name}", stamp(_midnight(value))) if value else None
    return Field(f"task:{name}", made)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=UTC)
