"""The modules of the rail, as data; the code of each is imported when it is first shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from desktop_crm.core.i18n import N_
from desktop_crm.views import warming
from desktop_crm.views.icons import ENTITY_ICONS

if TYPE_CHECKING:
    from desktop_crm.views.panes.pane import Pane
    from desktop_crm.views.workbench import Workbench

_RECORDS: Final = "desktop_crm.views.panes.record_pane:RecordPane"


@dataclass(frozen=True, slots=True)
class Module:
    """One entry of the rail.

    Attributes:
        key: Stable name; the entity's key for lists of records.
        label: English name, marked for translation.
        factory: Module path and class of the pane.
        entity: Entity whose rights decide whether the entry is shown; empty: always shown.
        at_bottom: Stands at the lower end of the rail.
    """

    key: str
    label: str
    factory: str
    entity: str = ""
    at_bottom: bool = False

    @property
    def icon(self) -> str:
        """Name of the drawing."""
        return ENTITY_ICONS[self.key]

    @property
    def holds_records(self) -> bool:
        """Whether it is the list of an entity; the key is the entity's then."""
        return self.factory == _RECORDS

    def make(self, bench: Workbench) -> Pane:
        """Make the pane; imports its code."""
        path, _colon, name = self.factory.partition(":")
        made: type[Pane] = getattr(warming.load(path), name)
        if self.holds_records:
            return made(bench, self.key)  # type: ignore[arg-type]
        return made(bench)


MODULES: Final = (
    Module("home", N_("Home"), "desktop_crm.views.panes.home:HomePane"),
    Module("mail", N_("Mail"), "desktop_crm.views.panes.mail:MailPane", "mail_message"),
    Module("calendar", N_("Calendar"), "desktop_crm.views.panes.calendar:CalendarPane", "activity"),
    Module("contact", N_("Contacts"), _RECORDS, "contact"),
    Module("account", N_("Accounts"), _RECORDS, "account"),
    Module("lead", N_("Leads"), _RECORDS, "lead"),
    Module("opportunity", N_("Opportunities"), _RECORDS, "opportunity"),
    Module("activity", N_("Activities"), _RECORDS, "activity"),
    Module("product", N_("Products"), _RECORDS, "product"),
    Module("quote", N_("Quotes"), _RECORDS, "quote"),
    Module("case", N_("Cases"), _RECORDS, "case"),
    Module(
        "settings", N_("Settings"), "desktop_crm.views.panes.settings:SettingsPane", at_bottom=True
    ),
)


def module(key: str) -> Module:
    """Module of a key.

    Raises:
        KeyError: There is none.
    """
    return next(found for found in MODULES if found.key == key)
