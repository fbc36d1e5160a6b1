"""Mail: folders, messages, the message, and the records it is linked to."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QKeyEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from desktop_crm.core.errors import NotFound
from desktop_crm.core.i18n import ntr, tr
from desktop_crm.models.activity import REGARDING, LinkState
from desktop_crm.services.changes import ChangeKind
from desktop_crm.services.mail import listing
from desktop_crm.services.mail import message as mail_message
from desktop_crm.services.mail.listing import MailFolders, MailQuery, Special
from desktop_crm.services.mail.message import LinkRow, Message, Party
from desktop_crm.sync import newly_known
from desktop_crm.sync.folder_names import folder_name, is_usual
from desktop_crm.views.actions import Action, Place
from desktop_crm.views.filing.made_of_mail import MadeOfMail
from desktop_crm.views.filing.triage import Triage
from desktop_crm.views.lists.navigation import NavGroup, NavItem, NavTree
from desktop_crm.views.mail.arriving import Arriving
from desktop_crm.views.mail.dropped import DropTaker
from desktop_crm.views.mail.outbox_list import OutboxList
from desktop_crm.views.mail.pane_deeds import MailDeeds
from desktop_crm.views.mail.privacy import MailPrivacy
from desktop_crm.views.panes.mail_folders import (
    OUTBOX,
    SPECIAL,
    key_of,
    query_of,
    special_key,
)
from desktop_crm.views.panes.mail_links import LinksPanel
from desktop_crm.views.panes.mail_list import MessageList
from desktop_crm.views.panes.mail_reading import ReadingPane
from desktop_crm.views.panes.mailbox_work import MailboxWork
from desktop_crm.views.panes.pane import Pane
from desktop_crm.views.widgets.buttons import tool_button
from desktop_crm.views.widgets.cards import EmptyState
from desktop_crm.views.widgets.labels import Elide, Pill
from desktop_crm.views.widgets.layout import Splitter, frame, row, separator
from desktop_crm.views.widgets.search_box import SearchBox

if TYPE_CHECKING:
    from desktop_crm.services.changes import ChangeSet
    from desktop_crm.views.workbench import Workbench

MEMORY = "mail.list"

_PEOPLE = frozenset({"contact", "lead", "account", "email_address"})
"""Records whose making may tell who wrote a message."""


class MailPane(Pane):
    """Reads and writes mail, and decides what it belongs to.

    Keys in the list: J and K or the arrows, L links, A accepts the first suggestion, U unlinks,
    Del deletes.
    """

    def __init__(self, bench: Workbench, parent: QWidget | None = None) -> None:
        super().__init__(bench, parent)
        self.setObjectName("mailPane")
        self._query = MailQuery()
        self._narrow = False
        self._titles: dict[str, str] = {}
        self._folders: MailFolders | None = None
        self._message: Message | None = None
        self._count = 0
        self.work = MailboxWork(bench, self)
        self.work.finished.connect(self.refresh)
        Arriving(self.work.passes, self._look, self)
        self.nav = NavTree("mailFolders", tr("Mail folders"))
        self.nav.chosen.connect(self._choose_folder)
        self.list = MessageList(bench)
        self.list.current_changed.connect(self._list_moved)
        self.list.messages.counted.connect(self._counted)
        self.list.messages.failed.connect(bench.shell.show_error)
        self.reading = ReadingPane(bench)
        self.triage = Triage(bench, self.list, self)
        self.making = MadeOfMail(bench, self)
        self.privacy = MailPrivacy(bench, self)
        self.privacy.withdrawn.connect(self.refresh)
        self.links = LinksPanel(bench)
        self.links.accepted.connect(self._accept)
        self.links.rejected.connect(self._reject)
        self.links.link_wanted.connect(self.triage.choose)
        self.links.contact_wanted.connect(self._new_contact)
        self.search = SearchBox("mailSearch", tr("Search mail"), drawing="search")
        self.search.searched.connect(self._search)
        self.search.left.connect(self.list.setFocus)
        self._title = Elide("", "h2")
        self._pill = Pill()
        self._empty = EmptyState("mail", "", "", name="mailListEmpty")
        self._pages = QStackedWidget()
        self.deeds = MailDeeds(self)
        self.outbox = OutboxList(bench)
        self.outbox.counted.connect(self._count_outbox)
        self.outbox.chosen.connect(self._open_message)
        self._outbox_count = 0
        self._in_outbox = False
        self._by_thread = tool_button(
            "mail.conversations", tr("Show conversations"), "group_list", self._toggle_threads
        )
        self._by_thread.setCheckable(True)
        self._by_thread.setChecked(bench.recall(MEMORY).get("conversations") is True)
        self._query = MailQuery(conversations=self._by_thread.isChecked())
        DropTaker(self, bench)
        self.reading.conversation.opened.connect(self._open_message)
        self._build()
        bench.bus.changed.connect(self._on_changed)
        for keys, run in (
            ("L", self.triage.choose), ("A", self.triage.accept), ("U", self.unlink),
            ("Del", self.deeds.delete),
        ):  # fmt: skip
            shortcut = QShortcut(QKeySequence(keys), self.list)
            shortcut.setContext(Qt.ShortcutContext.WidgetShortcut)
            shortcut.activated.connect(run)
        self._show_nav()
        self.nav.select(special_key(Special.ALL))

    # --- building ------------------------------------------------------------------------

    def _build(self) -> None:
        nav = frame("nav", row(self.nav, margins=(6, 6, 6, 6)))
        nav.setMinimumWidth(150)
        list_frame = frame("listpane")
        inside = list_frame.layout()
        assert isinstance(inside, QVBoxLayout)  # noqa: S101  made by frame()
        inside.setContentsMargins(1, 0, 1, 4)
        inside.addWidget(
            row(self._title, self._pill, None, self._by_thread, spacing=8, margins=(16, 6, 10, 0))
        )
        inside.addWidget(row(self.search, margins=(12, 8, 12, 10)))
        inside.addWidget(separator())
        self._pages.addWidget(self.list)
        self._pages.addWidget(self._empty)
        self._pages.addWidget(self.outbox)
        inside.addWidget(self._pages, 1)
        list_frame.setMinimumWidth(240)
        self.reading.setMinimumWidth(280)
        self.links.setMinimumWidth(200)
        self.links.setMinimumHeight(120)
        self._right = Splitter("mailRight", tr("Message and links"), self.reading, self.links)
        self._right.setStretchFactor(0, 1)
        self._right.setSizes([520, 264])
        self.splitter = Splitter(
            "mailSplitter", tr("Panes"), nav, list_frame, self.triage.over(self._right)
        )
        self.splitter.setStretchFactor(2, 1)
        self.splitter.setSizes([196, 340, 800])
        box = QHBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.addWidget(self.splitter)

    # --- pane ----------------------------------------------------------------------------

    def commands(self) -> list[Action]:
        return [
            *self.deeds.actions(),
            Action(
                "mail.link", tr("Link…"), self.triage.choose, icon="link", group="decide",
                enabled=self._may_link, tip=tr("Link this message to a record (L in the list)"),
            ),
            Action(
                "mail.accept", tr("Accept"), self.triage.accept, icon="checkmark_circle", tint="ok",
                group="decide", enabled=lambda: self._first(LinkState.SUGGESTED) is not None,
                tip=tr("Accept the first suggestion (A in the list)"),
            ),
            Action(
                "mail.unlink", tr("Unlink"), self.unlink, icon="dismiss", tint="bad",
                group="decide", enabled=lambda: self._first(LinkState.LINKED) is not None,
                tip=tr("Take the first link away (U in the list)"),
            ),
            Action(
                "mail.contact", tr("Contact"), self._contact_of_sender, icon="person_add",
                tint="accent_text", group="make", enabled=self._sender_is_unknown,
                tip=tr("New contact from the sender"),
            ),
            *self.making.commands(),
            Action(
                "mail.sync", tr("Synchronise"), self.work.sync_all, icon="arrow_sync",
                shortcut="F9", group="box", enabled=lambda: self.work.can_sync,
            ),
            Action(
                "mail.add", tr("Add mailbox"), self.work.add, icon="add", group="box",
                enabled=lambda: self.work.can_add,
            ),
            Action(
                "mail.noted", tr("What could not be taken over…"), self.work.show_noted,
                group="box", place=Place.MORE,
            ),
            *self.triage.commands(),
            *self.privacy.commands(lambda: self._message),
        ]  # fmt: skip

    def activate(self) -> None:
        self._load_folders()
        self.list.ask(self._query, keep=True)
        self.list.setFocus()

    def refresh(self) -> None:
        self._load_folders()
        self.list.ask(self._query, keep=True)

    def _look(self) -> None:
        """Show what a pass has brought so far; whoever reads is not disturbed."""
        if self.isVisible():
            self._load_folders()
            self.list.ask(self._query, keep=True, quiet=True)

    def status_text(self) -> str:
        number = self.bench.formats.number(self._count, 0)
        return ntr("{number} message", "{number} messages", self._count, number=number)

    def focus_filter(self) -> None:
        self.search.setFocus()
        self.search.selectAll()

    def set_narrow(self, narrow: bool) -> None:
        self._right.setOrientation(Qt.Orientation.Vertical if narrow else Qt.Orientation.Horizontal)
        self._narrow = narrow
        self._share_height()
        self.splitter.setSizes([170, 290, 520] if narrow else [196, 340, 800])

    def _share_height(self) -> None:
        """Under the bar of what waits, a low window leaves the message most of what there is."""
        low = [440, 120] if self._query.waits else [440, 200]
        self._right.setSizes(low if self._narrow else [520, 264])

    def place(self) -> dict[str, object]:
        return {"folder": self.nav.key(), "message": self.list.current_id()}

    def return_to(self, place: dict[str, object]) -> None:
        key = str(place.get("folder", ""))
        if "search" in place:
            self.search.setText(str(place["search"]))
        if key:
            self._choose_folder(key)
        message = place.get("message")
        if isinstance(message, int):
            self.list.show_message(message)

    # --- folders -------------------------------------------------------------------------

    def _load_folders(self) -> None:
        self.bench.tasks.read(
            listing.folders, self.bench.actor, done=self._take_folders, owner=self,
            lane="folders",
        )  # fmt: skip

    def _take_folders(self, folders: MailFolders) -> None:
        self._folders = folders
        self._show_nav()
        self.commands_changed.emit()

    def _show_nav(self) -> None:
        lists = (NavItem(special_key(s), tr(text), icon) for s, text, icon in SPECIAL)
        groups = [NavGroup(tr("Mail"), (*lists, NavItem(OUTBOX, tr("Outbox"), "clock")))]
        waiting = self._outbox_count
        counts = {OUTBOX: self.bench.formats.number(waiting, 0) if waiting else ""}
        boxes: dict[int, list[NavItem]] = {}
        names: dict[int, str] = {}
        formats = self.bench.formats
        if self._folders is not None:
            names = dict(self._folders.mailboxes)
            for folder in self._folders.folders:
                key = f"{folder.mailbox_id}/{folder.folder}"
                drawing = "mail" if is_usual(folder.folder, folder.name) else "folder"
                item = NavItem(key, folder_name(folder.folder, folder.name), drawing)
                boxes.setdefault(folder.mailbox_id, []).append(item)
                counts[key] = formats.number(folder.unread, 0) if folder.unread else ""
            for special, total in (
                (Special.REVIEW, self._folders.review),
                (Special.UNLINKED, self._folders.unlinked),
            ):
                counts[special_key(special)] = formats.number(total, 0) if total else ""
        groups += [NavGroup(names.get(box, ""), tuple(items)) for box, items in boxes.items()]
        self._titles = {item.key: item.text for group in groups for item in group.items}
        self.nav.show_groups(groups)
        self.nav.show_counts(counts)
        shown = OUTBOX if self._in_outbox else key_of(self._query)
        if not self.nav.key():
            self.nav.select(shown)
        self._title.setText(self._titles.get(shown, ""))

    def _choose_folder(self, key: str) -> None:
        self.nav.select(key)
        self._title.setText(self._titles.get(key, ""))
        self._in_outbox = key == OUTBOX
        if self._in_outbox:
            self.triage.show_waiting(False)
            self._pill.show_text("")
            self._pages.setCurrentWidget(self.outbox)
            self.outbox.list.setFocus()
            return
        waited = self._query.waits
        self._query = self._asked(key, self.search.text())
        self.triage.show_waiting(self._query.waits)
        if self._narrow and self._query.waits is not waited:
            self._share_height()
        self._open_message(self.list.current_id())
        self.list.ask(self._query)

    def _search(self, text: str) -> None:
        if self._in_outbox:
            self._choose_folder(special_key(Special.ALL))
        self._query = self._asked(key_of(self._query), text)
        self.list.ask(self._query)

    def _asked(self, key: str, search: str) -> MailQuery:
        return replace(query_of(key, search), conversations=self._by_thread.isChecked())

    def _toggle_threads(self) -> None:
        """Show the newest message of each conversation, or every message."""
        wanted = self._by_thread.isChecked()
        self.bench.remember(MEMORY, {"conversations": wanted})
        self._query = replace(self._query, conversations=wanted)
        self.list.ask(self._query, keep=True)

    def _count_outbox(self, waiting: int) -> None:
        if waiting != self._outbox_count:
            self._outbox_count = waiting
            self._show_nav()

    def _counted(self, count: int) -> None:
        self._count = count
        if not self._in_outbox:
            self._pill.show_text(self.bench.formats.number(count, 0) if count else "")
        if not self._in_outbox:
            self._pages.setCurrentIndex(0 if count else 1)
        if not count:
            self._say_empty()
        self.status_changed.emit(self.status_text())

    def _say_empty(self) -> None:
        if self._query.search.strip():
            self._empty.say(tr("No message found"), tr("Try other words or another folder."))
        elif self._folders is not None and not self._folders.mailboxes:
            self._empty.say(
                tr("No mailbox yet"),
                tr(
                    "Add a folder of messages or an Exchange mailbox; its mail is linked by itself."
                ),
                tr("Add mailbox") if self.work.can_add else "",
                self.work.add,
            )
        elif self._query.waits:
            self._empty.say(tr("Nothing to file"), tr("Every message has found its place."))
        else:
            self._empty.say(
                tr("No messages here"),
                tr("New mail arrives with the next synchronisation; F9 starts it now."),
            )

    # --- message -------------------------------------------------------------------------

    def _list_moved(self, activity_id: object) -> None:
        """The list stands on another message; behind the outbox nobody sees it."""
        if not self._in_outbox:
            self._open_message(activity_id)

    def _open_message(self, activity_id: object) -> None:
        if not isinstance(activity_id, int):
            self._show_message(None)
            return
        self.bench.tasks.read(
            mail_message.message, self.bench.actor, activity_id,
            done=self._show_message, failed=self._not_shown, owner=self, lane="message",
        )  # fmt: skip

    def _not_shown(self, error: Exception) -> None:
        """A message that was just deleted or moved away is no trouble: the list goes on."""
        self._show_message(None)
        if not isinstance(error, NotFound):
            self.bench.shell.show_error(error)

    def _show_message(self, message: Message | None) -> None:
        self._message = message
        self.reading.show_message(message)
        self.links.show_message(message)
        self.deeds.show_message(message)
        self.triage.show_message(message)
        self.making.show_message(message)
        self.commands_changed.emit()

    def _on_changed(self, changes: ChangeSet) -> None:
        if not self.isVisible():
            return
        if any(one.kind is ChangeKind.CREATED and one.entity in _PEOPLE for one in changes.changes):
            self.bench.tasks.write(
                newly_known.offer_links, self.bench.actor, done=self.making.offered, owner=self
            )
        decided = self._query.waits and changes.touches("link")
        if decided or changes.touches("mail_message", "mailbox", "outbox_item"):
            self.refresh()
        if changes.touches("mailbox_item"):
            self.refresh()
            self._reload()
        elif changes.touches("link", "activity", *REGARDING):
            self._reload()

    def _reload(self) -> None:
        """Read the open message and its line again, in place."""
        message, current = self._message, self.list.current_id()
        self._load_folders()
        shown = current if not self._in_outbox else message.id if message is not None else None
        if shown is not None:
            self._open_message(shown)
        if current is not None:
            self.list.messages.refresh([current])

    def _may_link(self) -> bool:
        return self._message is not None and self._message.may_link

    def _first(self, state: LinkState) -> LinkRow | None:
        if self._message is None or not self._message.may_link:
            return None
        return next((one for one in self._message.links if one.state == state.value), None)

    # --- decisions -----------------------------------------------------------------------

    def unlink(self) -> None:
        """Take the first link away."""
        link = self._first(LinkState.LINKED)
        if link is not None:
            self._reject(link)

    def _accept(self, link: LinkRow) -> None:
        if link.state == LinkState.SUGGESTED.value:
            self.triage.accept_link(link)
            return
        self.bench.tasks.write(
            mail_message.accept, self.bench.actor, link,
            done=partial(self._decided, tr("Linked"), link.title),
            failed=self._not_decided, owner=self,
        )  # fmt: skip

    def _reject(self, link: LinkRow) -> None:
        was_linked = link.state == LinkState.LINKED.value
        said = tr("Unlinked") if was_linked else tr("Rejected")
        self.bench.tasks.write(
            mail_message.reject, self.bench.actor, link,
            done=partial(self._decided, said, link.title),
            failed=self._not_decided, owner=self,
        )  # fmt: skip

    def _decided(self, said: str, title: str, changes: ChangeSet) -> None:
        self.bench.bus.publish(changes)
        self.bench.shell.toast(said, title, undo=True)

    def _not_decided(self, error: Exception) -> None:
        self._reload()
        self.bench.shell.show_error(error)

    # --- making records ------------------------------------------------------------------

    def _sender_is_unknown(self) -> bool:
        sender = self._message.sender if self._message is not None else None
        return bool(
            sender and sender.address and not sender.known
            and self.bench.actor.can("contact", "create")
        )  # fmt: skip

    def _contact_of_sender(self) -> None:
        if self._message is not None and self._message.sender is not None:
            self._new_contact(self._message.sender)

    def _new_contact(self, party: Party) -> None:
        if self._message is not None:
            # The form opens after the button's event, which may rebuild the panel it stands on.
            run = partial(self.making.new_contact, self._message, party)
            QTimer.singleShot(0, self, run)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and self.search.text():
            self.search.clear()
        else:
            super().keyPressEvent(event)
