"""When people are free, as an Exchange server tells it of its own people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from desktop_crm.sync.exchange import calls
from desktop_crm.sync.exchange.xml import Element, M, T, moment, node, stamp, tag_of, text_at
from desktop_crm.sync.port import ShowAs
from desktop_crm.sync.writes import BusyTime

LONGEST: Final = timedelta(days=42)
"""The longest window every version of the server answers for."""

MAILBOXES: Final = 100
"""People in one request."""

_STEP_MINUTES: Final = 30
_KINDS: Final = {
    "tentative": ShowAs.TENTATIVE,
    "busy": ShowAs.BUSY,
    "oof": ShowAs.OUT_OF_OFFICE,
}
_DIGITS: Final = {"1": ShowAs.TENTATIVE, "2": ShowAs.BUSY, "3": ShowAs.OUT_OF_OFFICE}


def free_busy(
    account: calls.Account, addresses: Sequence[str], start: datetime, end: datetime
) -> Mapping[str, tuple[BusyTime, ...] | None]:
    """Busy times by address; None for people the server does not know.

    Cost: one request for each hundred people and six weeks.
    """
    found: dict[str, list[BusyTime] | None] = {address: [] for address in addresses}
    since = start
    while since < end:
        until = min(since + LONGEST, end)
        for first in range(0, len(addresses), MAILBOXES):
            people = addresses[first : first + MAILBOXES]
            for address, times in zip(people, _asked(account, people, since, until), strict=True):
                known = found[address]
                if times is None or known is None:
                    found[address] = None
                else:
                    known += [one for one in times if one.start < end and one.end > start]
        since = until
    return {
        address: None if times is None else tuple(dict.fromkeys(times))
        for address, times in found.items()
    }


def _asked(
    account: calls.Account, people: Sequence[str], start: datetime, end: datetime
) -> list[list[BusyTime] | None]:
    answer = calls.ask(account, _request(people, start, end))
    parts = answer.findall(f"{M}FreeBusyResponseArray/{M}FreeBusyResponse")
    if len(parts) != len(people):
        raise calls.ShortAnswer(f"asked for {len(people)} people, got {len(parts)}")
    return [_times(part, start) for part in parts]


def _request(people: Sequence[str], start: datetime, end: datetime) -> Element:
    # Without rules for summer the time zone is plain UTC; the schema asks for both all the same.
    change = (
        node("t:Bias", "0"),
        node("t:Time", "00:00:00"),
        node("t:DayOrder", "1"),
        node("t:Month", "1"),
        node("t:DayOfWeek", "Sunday"),
    )
    return node(
        "m:GetUserAvailabilityRequest",
        node(
            "t:TimeZone",
            node("t:Bias", "0"),
            node("t:StandardTime", *change),
            node("t:DaylightTime", *(node(f"t:{tag_of(c)}", c.text) for c in change)),
        ),
        node(
            "m:MailboxDataArray",
            *(
                node(
                    "t:MailboxData",
                    node("t:Email", node("t:Address", address)),
                    node("t:AttendeeType", "Required"),
                    node("t:ExcludeConflicts", "false"),
                )
                for address in people
            ),
        ),
        node(
            "t:FreeBusyViewOptions",
            node(
                "t:TimeWindow",
                node("t:StartTime", _local(start)),
                node("t:EndTime", _local(end)),
            ),
            node("t:MergedFreeBusyIntervalInMinutes", str(_STEP_MINUTES)),
            node("t:RequestedView", "FreeBusy"),
        ),
    )


def _local(value: datetime) -> str:
    return stamp(value).removesuffix("Z")


def _times(part: Element, start: datetime) -> list[BusyTime] | None:
    message = part.find(f"{M}ResponseMessage")
    view = part.find(f"{M}FreeBusyView")
    if (message is not None and message.get("ResponseClass") == "Error") or view is None:
        return None
    if text_at(view, "FreeBusyViewType").lower() == "none":
        return None
    events = view.findall(f"{T}CalendarEventArray/{T}CalendarEvent")
    if not events:
        return _merged(text_at(view, "MergedFreeBusy"), start)
    found = []
    for event in events:
        kind = _KINDS.get(text_at(event, "BusyType").lower())
        first, last = moment(text_at(event, "StartTime")), moment(text_at(event, "EndTime"))
        if kind is not None and first and last and first < last:
            found.append(BusyTime(first, last, kind))
    return found


def _merged(digits: str, start: datetime) -> list[BusyTime]:
    """Busy times from one digit for each half hour, as some people's servers tell no more."""
    step = timedelta(minutes=_STEP_MINUTES)
    found: list[BusyTime] = []
    for place, digit in enumerate(digits):
        kind = _DIGITS.get(digit)
        first = start + step * place
        if kind is None:
            continue
        if found and found[-1].end == first and found[-1].show_as is kind:
            found[-1] = BusyTime(found[-1].start, first + step, kind)
        else:
            found.append(BusyTime(first, first + step, kind))
    return found
