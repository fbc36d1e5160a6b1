"""An event in words: its hours and days, and all of it for tool tips, screen readers and paper."""

from __future__ import annotations

from datetime import date

from desktop_crm.core.formats import Formats
from desktop_crm.core.i18n import N_, tr
from desktop_crm.services.calendar.agenda_event import AgendaEvent
from desktop_crm.views.calendar import layout

SHOW_AS = {
    "free": N_("Free"),
    "tentative": N_("Tentative"),
    "busy": N_("Busy"),
    "out_of_office": N_("Out of office"),
}
TONES = {"appointment": "series_1", "phone_call": "series_2", "task": "series_3"}


def token_of(event: AgendaEvent) -> str:
    """Colour token of an event: by whose or what it is, grey when only its time may be known."""
    if event.tone:
        return event.tone
    if event.private:
        return "series_6"
    if event.show_as == "out_of_office":
        return "series_4"
    return TONES.get(event.kind, "series_6")


def time_range(event: AgendaEvent, formats: Formats) -> str:
    """The event's hours as text."""
    if event.all_day:
        return tr("All day")
    return f"{formats.time(event.start)}–{formats.time(event.end)}"


def hours_on(event: AgendaEvent, day: date, formats: Formats) -> str:
    """The event's hours on one of its days: of several it begins on the first, ends on the last."""
    first, last = layout.day_span(event, formats.zone)
    if event.all_day or first == last:
        return time_range(event, formats)
    if day == first:
        return tr("from {time}", time=formats.time(event.start))
    if day == last:
        return tr("until {time}", time=formats.time(event.end))
    return tr("All day")


def event_days(event: AgendaEvent, formats: Formats) -> str:
    """Days and hours of an event as text."""
    first, last = layout.day_span(event, formats.zone)
    if event.all_day:
        days = " – ".join(formats.date(day) for day in dict.fromkeys((first, last)))
        return tr("{day}, all day", day=days)
    if first != last:
        return f"{formats.datetime(event.start)} – {formats.datetime(event.end)}"
    return f"{formats.date(first)}, {time_range(event, formats)}"


def details(event: AgendaEvent) -> str:
    """Whose it is, where, and what it is about, in one line."""
    return " · ".join(one for one in (event.whose, event.place, event.regarding) if one)


def description(event: AgendaEvent, formats: Formats) -> str:
    """The event in words, for tool tips and screen readers."""
    parts = [event.title, event_days(event, formats)]
    if event.whose:
        parts.append(event.whose)
    if event.place:
        parts.append(event.place)
    if event.regarding:
        parts.append(tr("Regarding {record}", record=event.regarding))
    if event.series:
        parts.append(tr("Recurring"))
    if event.show_as in SHOW_AS and not event.private:
        parts.append(tr(SHOW_AS[event.show_as]))
    return "\n".join(parts)
