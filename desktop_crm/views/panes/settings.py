"""Settings: how the window looks, who I am, my company, mailboxes, and what lists are made of."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QWidget

from desktop_crm.core.i18n import N_, tr
from desktop_crm.meta import registry
from desktop_crm.views.actions import Action
from desktop_crm.views.designer.window import open_designer
from desktop_crm.views.dialogs import database
from desktop_crm.views.dialogs.about import AboutDialog
from desktop_crm.views.dialogs.import_wizard import open_import
from desktop_crm.views.filing.rules_page import FilingRulesPage
from desktop_crm.views.lists.navigation import NavGroup, NavItem, NavTree
from desktop_crm.views.panes.pane import Pane
from desktop_crm.views.panes.settings_lists import ListPage
from desktop_crm.views.panes.settings_mail import MailPage
from desktop_crm.views.panes.settings_pages import (
    AppearancePage,
    DatabasePage,
    MailboxesPage,
    RecordPage,
    SettingsPage,
    first_id,
)
from desktop_crm.views.panes.settings_tags import TagsPage
from desktop_crm.views.widgets.layout import frame, row

if TYPE_CHECKING:
    from desktop_crm.services.changes import ChangeSet
    from desktop_crm.services.context import Actor
    from desktop_crm.views.workbench import Workbench

LISTS = (
    ("stage", "data_trending", N_("Steps of a sale, in order; each stage has a probability.")),
    ("tax_code", "receipt", N_("Kinds of tax with the rates in force from a day on.")),
    ("currency", "chart_multiple", N_("Currencies with their exchange rates.")),
    ("unit", "box", N_("Units in which products are sold.")),
    ("price_list", "tag", N_("Prices of products, one currency in each list.")),
    ("tag", "tag", N_("Words on records of every kind, with their colour.")),
    ("connection_role", "link", N_("What connected records are to each other, both ways.")),
    ("mail_template", "mail", N_("Prepared messages and pieces of messages, in each language.")),
    ("number_sequence", "group_list", N_("How documents are numbered.")),
)
PEOPLE = (
    ("user", "person", N_("People who work here, or own records.")),
    ("team", "people", N_("Groups of users who see each other's records.")),
    ("role", "checkmark_circle", N_("What users may see and do.")),
)


class SettingsPane(Pane):
    """A list of pages at the left, the chosen one at the right; pages are made when first shown."""

    def __init__(self, bench: Workbench, parent: QWidget | None = None) -> None:
        super().__init__(bench, parent)
        self.setObjectName("settingsPane")
        self.nav = NavTree("settingsPages", tr("Settings"))
        self._makers = self._all_makers()
        self._pages: dict[str, SettingsPage] = {}
        self._stack = QStackedWidget()
        self.nav.show_groups(self._groups())
        self.nav.chosen.connect(self.show_page)
        nav = frame("nav", row(self.nav, margins=(6, 6, 6, 6)))
        nav.setFixedWidth(224)
        box = QHBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(8)
        box.addWidget(nav)
        box.addWidget(self._stack, 1)
        self._key = ""
        bench.bus.changed.connect(self._on_changed)

    # --- pages ---------------------------------------------------------------------------

    def _all_makers(self) -> dict[str, Callable[[], SettingsPage]]:
        bench = self.bench
        makers: dict[str, Callable[[], SettingsPage]] = {
            "appearance": partial(AppearancePage, bench),
            "mailboxes": partial(MailboxesPage, bench),
            "mail": partial(MailPage, bench),
            "filing": partial(FilingRulesPage, bench),
            "database": partial(DatabasePage, bench),
        }
        if bench.actor.user_id is not None:
            makers["me"] = partial(
                RecordPage, bench, "me", tr("Me"), tr("My name, addresses and time zone."),
                "user", _me,
            )  # fmt: skip
        if bench.actor.can("own_company", "read"):
            makers["company"] = partial(
                RecordPage, bench, "company", tr("My company"),
                tr("What stands on documents: name, tax id, bank accounts and logo."),
                "own_company", _company,
            )  # fmt: skip
        for key, _icon, text in (*LISTS, *PEOPLE):
            if bench.actor.can(key, "read"):
                page = partial(TagsPage, bench) if key == "tag" else partial(ListPage, bench, key)
                makers[key] = partial(page, tr(text))
        return makers

    def _groups(self) -> list[NavGroup]:
        shown = [
            NavGroup(title, tuple(item for item in items if item.key in self._makers))
            for title, items in all_pages()
        ]
        return [group for group in shown if group.items]

    def page(self) -> SettingsPage | None:
        """The page in front."""
        return self._pages.get(self._key)

    def show_page(self, key: str) -> None:
        """Show a page; stays on the one in front when its changes would be lost."""
        current = self.page()
        if key == self._key or key not in self._makers:
            return
        if current is not None and not current.may_leave():
            self.nav.select(self._key)
            return
        if key not in self._pages:
            made = self._makers[key]()
            self._pages[key] = made
            self._stack.addWidget(made)
        self._key = key
        self.nav.select(key)
        self._stack.setCurrentWidget(self._pages[key])
        self._pages[key].load()
        self.commands_changed.emit()

    # --- pane ----------------------------------------------------------------------------

    def commands(self) -> list[Action]:
        window = self.bench.shell.window_widget
        return [
            Action(
                "settings.import", tr("Import…"), partial(open_import, self.bench),
                icon="arrow_download", primary=True,
            ),
            Action(
                "settings.open", tr("Open database…"), partial(database.open_dialog, self.bench),
                icon="folder", group="database", shortcut="Ctrl+O",
            ),
            Action(
                "settings.create", tr("Create database…"),
                partial(database.create_dialog, self.bench), icon="add", group="database",
            ),
            Action(
                "settings.backup", tr("Back up…"), partial(database.back_up, self.bench, self),
                icon="archive", group="database",
                enabled=lambda: not self.bench.actor.db.is_shared,
            ),
            Action(
                "settings.designer", tr("Fields and forms…"), partial(open_designer, self.bench),
                icon="column_triple", group="designer",
                enabled=lambda: self.bench.actor.is_admin,
            ),
            Action(
                "settings.bin", tr("Recycle bin…"), partial(_open_bin, self.bench),
                icon="delete", group="taken back",
            ),
            Action(
                "settings.deeds", tr("My recent steps…"), partial(_open_deeds, self.bench),
                icon="clock", group="taken back",
            ),
            Action(
                "settings.about", tr("About"),
                lambda: AboutDialog(window(), self.bench.actor).open(),
                icon="question_circle", group="about",
            ),
        ]  # fmt: skip

    def activate(self) -> None:
        if not self._key:
            self.show_page("appearance")
        else:
            self.refresh()

    def refresh(self) -> None:
        page = self.page()
        if page is not None:
            page.load()

    def may_leave(self) -> bool:
        page = self.page()
        return page is None or page.may_leave()

    def place(self) -> dict[str, object]:
        return {"page": self._key}

    def return_to(self, place: dict[str, object]) -> None:
        self.show_page(str(place.get("page", "appearance")))

    def _on_changed(self, changes: ChangeSet) -> None:
        page = self.page()
        mail = isinstance(page, MailboxesPage) and changes.touches("mailbox", "mailbox_item")
        record = isinstance(page, RecordPage) and changes.touches("user", "own_company")
        if page is not None and (mail or record):
            page.load()


def _open_bin(bench: Workbench) -> None:
    from desktop_crm.views.dialogs.recycle_bin import RecycleBinDialog

    RecycleBinDialog(bench).open()


def _open_deeds(bench: Workbench) -> None:
    from desktop_crm.views.dialogs.deeds_dialog import DeedsDialog

    DeedsDialog(bench).open()


def all_pages() -> tuple[tuple[str, tuple[NavItem, ...]], ...]:
    """Every page by its group, whoever may see it."""
    mine = (
        NavItem("appearance", tr("Appearance"), "weather_moon"),
        NavItem("me", tr("Me"), "person"),
        NavItem("mailboxes", tr("Mailboxes"), "mail"),
        NavItem("mail", tr("Mail"), "note"),
        NavItem("filing", tr("Filing rules"), "filter"),
    )
    company = (
        NavItem("company", tr("My company"), "building"),
        NavItem("database", tr("Database"), "archive"),
    )
    lists = tuple(NavItem(key, tr(registry.get(key).plural), icon) for key, icon, _text in LISTS)
    people = tuple(NavItem(key, tr(registry.get(key).plural), icon) for key, icon, _text in PEOPLE)
    return (
        (tr("Personal"), mine), (tr("Company"), company),
        (tr("Lists"), lists), (tr("People"), people),
    )  # fmt: skip


def _me(actor: Actor) -> int | None:
    return actor.user_id


def _company(actor: Actor) -> int | None:
    return first_id(actor, "own_company")
