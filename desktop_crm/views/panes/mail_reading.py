"""The reading pane: who, when, what, and the files; nothing is ever loaded from the network."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from functools import partial
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

from PySide6.QtCore import QSize, Qt, QUrl
from PySide6.QtGui import QDesktopServices, QImage, QPalette
from PySide6.QtWidgets import (
    QFileDialog,
    QFrame,
    QHBoxLayout,
    QMenu,
    QStackedWidget,
    QTextBrowser,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from desktop_crm.core.errors import EnvironmentProblem
from desktop_crm.core.i18n import tr
from desktop_crm.models.activity import LinkState
from desktop_crm.services import attachments
from desktop_crm.services.mail import message as mail_message
from desktop_crm.services.mail.message import Attachment, FileContent, LinkRow, Message
from desktop_crm.services.mail.quotes import own_html, own_text
from desktop_crm.sync.formats.mail_body import REMOTE
from desktop_crm.sync.remote_pictures import addresses, fetch
from desktop_crm.views import theme
from desktop_crm.views.errors import ask
from desktop_crm.views.icons import icon
from desktop_crm.views.mail.choice_bar import ChoiceBar
from desktop_crm.views.mail.reading_extras import (
    PictureBar,
    ThreadStrip,
    always_shown,
    show_always,
)
from desktop_crm.views.stored_files import (
    Copies,
    cannot_write,
    is_harmless,
    open_with_system,
    safe_name,
    size_text,
)
from desktop_crm.views.widgets.avatar import Avatar
from desktop_crm.views.widgets.buttons import push_button
from desktop_crm.views.widgets.cards import EmptyState, Notice
from desktop_crm.views.widgets.flow import Flow
from desktop_crm.views.widgets.labels import Elide, Pill, label
from desktop_crm.views.widgets.layout import clear, row, separator

if TYPE_CHECKING:
    from PySide6.QtPrintSupport import QPrinter

    from desktop_crm.services.changes import ChangeSet
    from desktop_crm.views.workbench import Workbench

_COLOURED = re.compile(r"bgcolor|background|color\s*[:=]", re.IGNORECASE)
_NO_SIZE = re.compile(r"font-size\s*:\s*0[a-z%]*\s*;?", re.IGNORECASE)
_SCHEMES = frozenset({"http", "https", "mailto"})


class SafeBrowser(QTextBrowser):
    """Shows mail text; pictures inside the message are shown, all others are not fetched.

    Attributes:
        pictures: those of the network a person asked for, by address.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("mailText")
        self.setAccessibleName(tr("Text of the message"))
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setOpenLinks(False)
        self.setOpenExternalLinks(False)
        self.setUndoRedoEnabled(False)
        self.anchorClicked.connect(self._follow)
        self._paper = False
        self.pictures: dict[str, bytes] = {}
        theme.changed.connect(self._dress)

    def show_html(self, html: str) -> None:
        """Show sanitised HTML; mail that brings its own colours lies on white paper."""
        self._paper = bool(_COLOURED.search(html))
        self._dress()
        self.setHtml(_NO_SIZE.sub("", html))

    def show_text(self, text: str) -> None:
        """Show plain text."""
        self._paper = False
        self._dress()
        self.setPlainText(text)

    def _dress(self) -> None:
        palette = QPalette(self.palette())
        white = self._paper
        base = Qt.GlobalColor.white if white else theme.color("surface")
        ink = Qt.GlobalColor.black if white else theme.color("text")
        palette.setColor(QPalette.ColorRole.Base, base)
        palette.setColor(QPalette.ColorRole.Text, ink)
        self.setPalette(palette)
        background = "#FFFFFF" if white else theme.hex_color("surface")
        colour = "#1B1D21" if white else theme.hex_color("text")
        self.setStyleSheet(
            f"QTextBrowser {{ background: {background}; color: {colour}; border: 0;"
            " border-radius: 6px; padding: 4px 10px; }"
        )
        self.document().setDefaultStyleSheet(
            f"a {{ color: {'#0F5CA8' if white else theme.hex_color('accent_text')}; }}"
        )
        self.document().setDefaultFont(theme.font(13))

    def loadResource(self, kind: int, name: QUrl | str) -> object:
        """Give pictures that the message carries; never ask disk or network for anything."""
        url = name if isinstance(name, QUrl) else QUrl(name)
        if url.scheme() == "data":
            return inline_image(url)
        if (picture := self.pictures.get(url.toString())) is not None:
            return QImage.fromData(picture)
        blank = QImage(1, 1, QImage.Format.Format_ARGB32)
        blank.fill(Qt.GlobalColor.transparent)
        return blank

    def _follow(self, url: QUrl) -> None:
        if url.scheme().lower() in _SCHEMES:
            address = url.toDisplayString()
            answer = ask(
                self.window(),
                tr("Open this link?"),
                tr("The message leads to {address}", address=address),
                (("open", tr("Open link"), ""), ("cancel", tr("Cancel"), "primary")),
            )
            if answer == "open":
                QDesktopServices.openUrl(url)


def inline_image(url: QUrl) -> QImage:
    """The picture a data address holds; an empty one when it cannot be read."""
    head, _comma, body = bytes(url.toEncoded().data()).partition(b",")
    raw = unquote_to_bytes(body)
    if head.endswith(b";base64"):
        try:
            raw = base64.b64decode(raw, validate=False)
        except binascii.Error:
            return QImage()
    return QImage.fromData(raw)


class ReadingPane(QFrame):
    """One message."""

    def __init__(self, bench: Workbench, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("listpane")
        self._bench = bench
        self._message: Message | None = None
        self._copies = Copies()
        self.subject = label("", "h2", wrap=True, name="mailSubject")
        self.subject.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._avatar = Avatar("", 36)
        self._sender = Elide("", "strong")
        self._recipients = Elide("", "cap")
        self._when = label("", "cap")
        self._categories = QWidget()
        self._categories.setObjectName("mailCategories")
        self._pills = Flow(self._categories, spacing=6)
        self._pills.setContentsMargins(20, 0, 20, 0)
        self.notice = Notice()
        self._files = QWidget()
        self._files_row = Flow(self._files, spacing=6)
        self._files_row.setContentsMargins(20, 0, 20, 8)
        self.browser = SafeBrowser()
        self.pictures = PictureBar()
        self.choice = ChoiceBar(bench)
        self.pictures.wanted.connect(self._show_pictures)
        self.conversation = ThreadStrip(bench)
        self.quoted = push_button("mail.quoted", tr("Show quoted text"), self.unfold, kind="link")
        self.quoted.hide()
        self._empty = EmptyState(
            "mail",
            tr("No message is selected"),
            tr("Choose a message to read it and to see which records it is linked to."),
            name="mailEmpty",
        )
        self._stack = QStackedWidget()
        self._stack.addWidget(self._build())
        self._stack.addWidget(self._empty)
        self._stack.setCurrentIndex(1)
        box = QVBoxLayout(self)
        box.setContentsMargins(1, 1, 1, 1)
        box.addWidget(self._stack)

    def _build(self) -> QWidget:
        page = QWidget()
        column = QVBoxLayout(page)
        column.setContentsMargins(0, 14, 0, 8)
        column.setSpacing(8)
        self.subject.setContentsMargins(20, 0, 20, 0)
        column.addWidget(self.subject)
        people = QVBoxLayout()
        people.setSpacing(1)
        people.addWidget(self._sender)
        people.addWidget(self._recipients)
        who = QHBoxLayout()
        who.setContentsMargins(20, 0, 20, 2)
        who.setSpacing(10)
        who.addWidget(self._avatar)
        who.addLayout(people, 1)
        who.addWidget(self._when, 0, Qt.AlignmentFlag.AlignTop)
        column.addLayout(who)
        column.addWidget(self._categories)
        holder = QHBoxLayout()
        holder.setContentsMargins(20, 0, 20, 0)
        holder.addWidget(self.notice)
        column.addLayout(holder)
        blocked = QHBoxLayout()
        blocked.setContentsMargins(20, 0, 20, 0)
        blocked.addWidget(self.pictures)
        blocked.addWidget(self.choice)
        column.addLayout(blocked)
        column.addWidget(self._files)
        column.addWidget(separator())
        text = QHBoxLayout()
        text.setContentsMargins(10, 0, 6, 0)
        text.addWidget(self.browser)
        column.addLayout(text, 1)
        column.addWidget(row(self.quoted, None, margins=(18, 0, 12, 0)))
        column.addWidget(self.conversation)
        return page

    def show_message(self, message: Message | None) -> None:
        """Show a message, or that none is selected."""
        same = message is not None and self._message is not None and message.id == self._message.id
        self._message = message
        self._stack.setCurrentIndex(1 if message is None else 0)
        self._show_categories(message.categories if message is not None else ())
        if message is None or same:
            return
        self.browser.pictures = {}
        self.subject.setText(message.subject or tr("(no subject)"))
        name = message.sender.name or message.sender.address if message.sender else ""
        address = message.sender.address if message.sender else ""
        self._avatar.show_name(name or "?")
        self._sender.setText(f"{name} <{address}>" if name and name != address else address or name)
        lines = [tr("To: {names}", names=message.to_line)] if message.to_line else []
        if message.cc_line:
            lines.append(tr("Cc: {names}", names=message.cc_line))
        self._recipients.setText("   ".join(lines))
        self._when.setText(self._bench.formats.datetime(message.at) if message.at else "")
        self._say_about(message)
        self._show_files([file for file in message.attachments if not file.inline])
        self.choice.show_for(message)
        self._show_text(own_html(message.html), own_text(message.text))
        self.conversation.show_for(message.id)
        has_pictures = bool(addresses(message.html))
        wanted = has_pictures and always_shown(self._bench, address)
        self.pictures.setVisible(has_pictures and not wanted)
        if wanted:
            self._fetch_pictures(message)

    def _show_categories(self, categories: Sequence[str]) -> None:
        clear(self._pills)
        for category in categories:
            pill = Pill(category, "info")
            self._pills.addWidget(pill)
            pill.show()
        self._categories.setAccessibleName(
            tr("Categories: {names}", names=", ".join(categories)) if categories else ""
        )
        self._categories.setVisible(bool(categories))
        self._categories.updateGeometry()

    def _show_text(self, html: str, text: str) -> None:
        message = self._message
        if message is None:
            return
        if message.html:
            self.browser.show_html(html)
        else:
            self.browser.show_text(text)
        self.quoted.setVisible((html, text) != (message.html, message.text))

    def unfold(self) -> None:
        """Show what the message quotes as well."""
        if self._message is not None:
            self._show_text(self._message.html, self._message.text)

    def print_to(self, printer: QPrinter) -> None:
        """Print the message, whole, with its head."""
        if self._message is None:
            return
        paper = SafeBrowser()
        paper.pictures = self.browser.pictures
        head = (
            self.subject.text(),
            self._sender.text(),
            self._recipients.text(),
            self._when.text(),
        )
        lines = "<br>".join(escape(line) for line in head if line)
        text = escape(self._message.text).replace("\n", "<br>")
        body = self._message.html or f"<p>{text}</p>"
        paper.setHtml(f"<p>{lines}</p><hr>{body}")
        paper.document().print_(printer)

    def _show_pictures(self, always: bool) -> None:
        message = self._message
        if message is None:
            return
        if always and message.sender is not None:
            show_always(self._bench, message.sender.address)
        self.pictures.hide()
        self._fetch_pictures(message)

    def _fetch_pictures(self, message: Message) -> None:
        self._bench.tasks.read(
            fetch, message.html, done=partial(self._take_pictures, message.id), owner=self,
            lane="pictures", label=tr("Fetching pictures"), cancellable=True,
        )  # fmt: skip

    def _take_pictures(self, activity: int, found: Mapping[str, bytes]) -> None:
        if self._message is None or self._message.id != activity:
            return
        self.browser.pictures = {
            QUrl(REMOTE + address).toString(): content for address, content in found.items()
        }
        self.unfold()
        if not found:
            self.notice.say(tr("None of the pictures could be fetched."), "warn")

    def _say_about(self, message: Message) -> None:
        if message.headers_only:
            self.notice.say(
                tr("Only the header of this message is kept: it is linked to no record.")
            )
        elif message.automatic:
            self.notice.say(tr("This message was sent automatically."))
        else:
            self.notice.say("")

    def _show_files(self, files: list[Attachment]) -> None:
        clear(self._files_row)
        self._files.setVisible(bool(files))
        for file in files:
            chip = self._chip(file)
            self._files_row.addWidget(chip)
            chip.show()
        self._files.updateGeometry()

    def _chip(self, file: Attachment) -> QToolButton:
        chip = QToolButton()
        chip.setObjectName(f"attachment.{file.id}")
        size = size_text(file.size, self._bench.formats)
        chip.setText(f" {_shortened(file.name)}  {size}")
        chip.setAccessibleName(tr("Attachment {name}, {size}", name=file.name, size=size))
        chip.setToolTip(f"{file.name}\n{size}")
        chip.setIcon(icon("attach", fill_on=False))
        chip.setIconSize(QSize(16, 16))
        chip.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        chip.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        chip.setProperty("chip", True)
        menu = QMenu(chip)
        menu.setObjectName(f"attachment.{file.id}.menu")
        if is_harmless(file.name):
            menu.addAction(tr("Open file"), partial(self._fetch, file, self._open))
        menu.addAction(tr("Save as…"), partial(self._fetch, file, self._save))
        links = self._message.links if self._message is not None else ()
        for link in links:
            if link.state == LinkState.LINKED.value:
                text = tr("Attach to {record}", record=link.title).replace("&", "&&")
                menu.addAction(text, partial(self._fetch, file, partial(self._attach, link)))
        menu.setEnabled(file.stored)
        chip.setMenu(menu)
        chip.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        chip.setEnabled(file.stored)
        if not file.stored:
            chip.setToolTip(tr("The content was not stored with the message."))
        return chip

    # --- files ---------------------------------------------------------------------------

    def _fetch(self, file: Attachment, then: object) -> None:
        self._bench.tasks.read(
            mail_message.attachment, self._bench.actor, file.id,
            done=then, owner=self, label=tr("Reading the attachment"),  # type: ignore[arg-type]
        )  # fmt: skip

    def _open(self, file: FileContent) -> None:
        """Open a copy that cannot be changed, outside every data folder."""
        try:
            path = self._copies.write(0, file.name, file.content)
        except EnvironmentProblem as error:
            self._bench.shell.show_error(error)
            return
        open_with_system(path)

    def _attach(self, link: LinkRow, file: FileContent) -> None:
        """Put a copy among the files of a record the message is linked to."""

        def done(changes: ChangeSet) -> None:
            self._bench.bus.publish(changes)
            self._bench.shell.toast(tr("Attached to {record}", record=link.title), file.name)

        self._bench.tasks.write(
            attachments.add_bytes, self._bench.actor, link.entity, link.record_id, file.name,
            file.content, done=done, owner=self, failed=self._bench.shell.show_error,
        )  # fmt: skip

    def _save(self, file: FileContent) -> None:
        wanted = str(Path.home() / safe_name(file.name))
        name, _kind = QFileDialog.getSaveFileName(self.window(), tr("Save attachment"), wanted)
        if not name:
            return
        try:
            Path(name).write_bytes(file.content)
        except OSError as error:
            self._bench.shell.show_error(cannot_write(error))
            return
        self._bench.shell.toast(tr("Saved"), name)


def _shortened(name: str, longest: int = 28) -> str:
    if len(name) <= longest:
        return name
    return f"{name[: longest - 10]}…{name[-8:]}"
