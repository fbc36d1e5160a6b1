"""What a letter is given beside its words: files, templates, importance, a reminder, a time."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from functools import partial
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QDateTime, QPoint, Qt, Signal
from PySide6.QtWidgets import QDateTimeEdit, QHBoxLayout, QMenu, QWidget

from desktop_crm.core import clock
from desktop_crm.core.i18n import ntr, tr
from desktop_crm.models.mail import TemplateKind
from desktop_crm.services.mail import templates as mail_templates
from desktop_crm.services.mail.templates import Template
from desktop_crm.sync import writing
from desktop_crm.sync.writing import Enclosure, Regarding
from desktop_crm.views.dialogs.dialog import Dialog, Labelled
from desktop_crm.views.mail.letters import (
    UNDO_CHOICES,
    choose_undo_seconds,
    undo_seconds,
    undo_text,
)
from desktop_crm.views.widgets.buttons import push_button, tool_button

if TYPE_CHECKING:
    from desktop_crm.services.attachments import Attachment
    from desktop_crm.services.context import Actor
    from desktop_crm.views.mail.compose import ComposeWindow
    from desktop_crm.views.workbench import Workbench

_REMIND_DAYS: Final = (0, 1, 3, 7, 14)
_MORNING: Final = time(8, 0)


def filled(actor: Actor, template: Template, about: list[tuple[str, int]]) -> tuple[str, str]:
    """Subject and text of a template for some records; runs on a reader thread."""
    values = mail_templates.texts(actor, about)
    return mail_templates.fill(template.subject, values), mail_templates.fill(template.body, values)


class ComposeBar(QWidget):
    """The tools above the text.

    Attributes:
        changed: Something that belongs to the letter is another.
        later: The moment the person wants it to leave.
    """

    changed = Signal()
    later = Signal(object)

    def __init__(self, window: ComposeWindow, bench: Workbench) -> None:
        super().__init__()
        self.setObjectName("compose.bar")
        self._letter = window
        self._bench = bench
        self.importance = "normal"
        self._remind_days = 0
        self._attach = tool_button(
            "compose.attach", tr("Attach"), "attach", self._attach_menu, show_text=True
        )
        self._templates = tool_button(
            "compose.templates", tr("Templates"), "note",
            partial(self._template_menu, TemplateKind.LETTER), show_text=True,
        )  # fmt: skip
        self._parts = tool_button(
            "compose.parts",
            tr("Quick parts"),
            "box",
            partial(self._template_menu, TemplateKind.PART),
            show_text=True,
        )
        self._high = tool_button(
            "compose.importance", tr("High importance"), "flag", self._toggle_importance
        )
        self._high.setCheckable(True)
        self._remind = tool_button(
            "compose.remind", tr("Remind me when no answer comes"), "alert", self._remind_menu
        )
        self._remind.setCheckable(True)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        for button in (self._attach, self._templates, self._parts, self._high, self._remind):
            layout.addWidget(button)

    # --- files ---------------------------------------------------------------------------

    def _attach_menu(self) -> None:
        records = list(self._letter.records.records)
        if not records:
            self._letter.choose_files()
            return
        self._bench.tasks.read(
            writing.documents, self._bench.actor, records,
            done=self._show_documents, owner=self, failed=self._letter.show_error, lane="menu",
        )  # fmt: skip

    def _show_documents(self, found: list[tuple[Regarding, Attachment]]) -> None:
        menu = self._menu("compose.attach.menu")
        menu.addAction(tr("Files of this computer…"), self._letter.choose_files)
        if found:
            menu.addSeparator()
        for record, file in found[:20]:
            text = f"{file.name} — {record.title}".replace("&", "&&")
            menu.addAction(text, partial(self._add_document, file))
        self._unfold(menu, self._attach)

    def _add_document(self, file: Attachment) -> None:
        one = Enclosure(file.name, file.size_bytes, document=file.id, content_type=file.media_type)
        self._letter.files.add([one])

    # --- templates -----------------------------------------------------------------------

    def _template_menu(self, kind: TemplateKind) -> None:
        self._bench.tasks.read(
            mail_templates.offered, self._bench.actor, kind,
            done=partial(self._show_templates, kind), owner=self, lane="menu",
            failed=self._letter.show_error,
        )  # fmt: skip

    def _show_templates(self, kind: TemplateKind, found: list[Template]) -> None:
        letters = kind is TemplateKind.LETTER
        button = self._templates if letters else self._parts
        menu = self._menu(f"{button.objectName()}.menu")
        for template in found:
            name = f"{template.name}  ({template.language.upper()})".replace("&", "&&")
            menu.addAction(name, partial(self._fill, template))
        if not found:
            menu.addAction(tr("There is none yet")).setEnabled(False)
        menu.addSeparator()
        if self._bench.actor.can("mail_template", "create"):
            menu.addAction(tr("New from this text…"), partial(self._new_template, kind))
        menu.addAction(tr("Manage templates…"), self._manage)
        self._unfold(menu, button)

    def _fill(self, template: Template) -> None:
        self._bench.tasks.read(
            filled, self._bench.actor, template, self._letter.about(),
            done=lambda texts: self._letter.insert_template(*texts), owner=self,
            failed=self._letter.show_error, lane="fill",
        )  # fmt: skip

    def _new_template(self, kind: TemplateKind) -> None:
        chosen = self._letter.text.textCursor().selectedText().replace("\u2029", "\n\n")
        self._bench.shell.new_record(
            "mail_template", kind=kind.value, subject=self._letter.subject.text() or None,
            language=self._bench.actor.language, body=chosen or self._letter.own_text().strip(),
        )  # fmt: skip

    def _manage(self) -> None:
        self._bench.shell.show_place("settings", {"page": "mail_template"})
        # The window that shows it may lie behind this one.
        window = self._bench.shell.window_widget()
        window.raise_()
        window.activateWindow()

    # --- importance, reminder, time ------------------------------------------------------

    def show_importance(self, importance: str) -> None:
        """Show how important the letter is."""
        self.importance = importance
        self._high.setChecked(importance == "high")

    def _toggle_importance(self) -> None:
        self.show_importance("normal" if self.importance == "high" else "high")
        self.changed.emit()

    def _remind_menu(self) -> None:
        self._remind.setChecked(self._remind_days > 0)
        menu = self._menu("compose.remind.menu")
        for days in _REMIND_DAYS:
            text = ntr("In {n} day without an answer", "In {n} days without an answer", days)
            entry = menu.addAction(
                text if days else tr("Do not remind me"), partial(self._set_remind, days)
            )
            entry.setCheckable(True)
            entry.setChecked(days == self._remind_days)
        self._unfold(menu, self._remind)

    def _set_remind(self, days: int) -> None:
        self._remind_days = days
        self._remind.setChecked(days > 0)
        text = tr("Remind me when no answer comes")
        if days:
            chosen = ntr("In {n} day without an answer", "In {n} days without an answer", days)
            text = f"{text} · {chosen}"
        self._remind.setToolTip(text)
        self._remind.setAccessibleName(text)
        self.changed.emit()

    def answer_by(self, leaves: datetime) -> datetime | None:
        """Until when an answer is waited for; None when nobody waits."""
        return leaves + timedelta(days=self._remind_days) if self._remind_days else None

    def ask_when(self) -> None:
        """Ask when the letter shall leave, and how long a sent one can be called back."""
        menu = self._menu("compose.later.menu")
        zone = self._bench.formats.zone
        today = clock.today(zone)
        monday = today + timedelta(days=7 - today.weekday())
        for text, day in (
            (tr("Tomorrow morning"), today + timedelta(days=1)),
            (tr("Monday morning"), monday),
        ):
            at = datetime.combine(day, _MORNING, zone)
            shown = f"{text} ({self._bench.formats.datetime(at)})"
            menu.addAction(shown, partial(self.later.emit, at))
        menu.addAction(tr("Choose a time…"), self._choose_time)
        menu.addSeparator()
        inner = menu.addMenu(tr("Time to undo sending"))
        now = undo_seconds(self._bench)
        for seconds in UNDO_CHOICES:
            entry = inner.addAction(
                undo_text(seconds), partial(choose_undo_seconds, self._bench, seconds)
            )
            entry.setCheckable(True)
            entry.setChecked(seconds == now)
        button = self._letter.findChild(QWidget, "compose.later")
        self._unfold(menu, button if button is not None else self)

    def _choose_time(self) -> None:
        dialog = TimeDialog(self._letter, self._bench)
        dialog.chosen.connect(self.later.emit)
        dialog.open()

    def _menu(self, name: str) -> QMenu:
        menu = QMenu(self)
        menu.setObjectName(name)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        return menu

    @staticmethod
    def _unfold(menu: QMenu, below: QWidget) -> None:
        menu.popup(below.mapToGlobal(QPoint(0, below.height())))


class TimeDialog(Dialog):
    """Asks for a moment to come.

    Attributes:
        chosen: the moment, aware.
    """

    chosen = Signal(object)

    def __init__(self, parent: QWidget, bench: Workbench) -> None:
        super().__init__(parent, "sendLater", tr("Send later"), width=380)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._zone = bench.formats.zone
        local = clock.now().astimezone(self._zone) + timedelta(hours=1)
        self.at = QDateTimeEdit(
            QDateTime(local.year, local.month, local.day, local.hour, local.minute, 0)
        )
        self.at.setObjectName("sendLater.at")
        self.at.setDisplayFormat("dd.MM.yyyy HH:mm")
        self.at.setCalendarPopup(True)
        self._line = Labelled(tr("When"), self.at)
        self.body.addWidget(self._line)
        take = push_button("sendLater.take", tr("Send then"), self._take, kind="primary")
        take.setDefault(True)
        self.set_foot(None, self.cancel_button(), take)

    def _take(self) -> None:
        typed = self.at.dateTime().toPython()
        assert isinstance(typed, datetime)  # noqa: S101  as Qt promises
        at = typed.replace(tzinfo=self._zone)
        if at <= clock.now():
            self._line.show_error(tr("Give a time to come."))
            return
        self.chosen.emit(at)
        self.accept()
