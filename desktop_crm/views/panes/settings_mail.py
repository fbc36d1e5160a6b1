"""The page of the settings about mail: calling a message back, senders whose pictures are shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QVBoxLayout

from desktop_crm.core.i18n import tr
from desktop_crm.views.dialogs.dialog import Labelled
from desktop_crm.views.forms.editor import QuietCombo
from desktop_crm.views.mail import letters, reading_extras
from desktop_crm.views.panes.settings_pages import SettingsPage
from desktop_crm.views.widgets.buttons import push_button
from desktop_crm.views.widgets.fact_table import Fact, FactTable, Heading
from desktop_crm.views.widgets.labels import label
from desktop_crm.views.widgets.layout import column, row

if TYPE_CHECKING:
    from desktop_crm.views.workbench import Workbench


class MailPage(SettingsPage):
    """What one person chose about mail on this machine; each takes effect at once."""

    def __init__(self, bench: Workbench) -> None:
        super().__init__(bench, "mail", tr("Mail"), tr("Changes take effect at once, here only."))
        self.undo = QuietCombo()
        self.undo.setObjectName("settings.mail.undo")
        self.undo.activated.connect(self._choose)
        self.senders = FactTable(
            "settings.mail.senders", tr("Pictures are always shown for"), (Heading(tr("Sender")),)
        )
        self.senders.removed.connect(self._remove)
        self.senders.chosen.connect(self._update)
        self._nobody = label(
            tr("Nobody yet. The message offers it where pictures of the network are blocked."),
            "dim", wrap=True, name="settings.mail.nobody",
        )  # fmt: skip
        self._drop = push_button(
            "settings.mail.remove", tr("Block them again"), self._remove, kind="danger"
        )
        body = QVBoxLayout()
        body.setContentsMargins(24, 12, 24, 24)
        body.setSpacing(22)
        text = tr("A note counts the seconds down; Ctrl+Z calls the message back and opens it.")
        self.undo.setMaximumWidth(260)
        body.addWidget(Labelled(tr("Time to undo sending"), self.undo, help_text=text))
        title = label(tr("Pictures are always shown for"), "h3")
        body.addWidget(column(row(title, None, self._drop), self._nobody, self.senders, spacing=6))
        body.addStretch(1)
        self.column.addLayout(body, 1)

    def load(self) -> None:
        now = letters.undo_seconds(self.bench)
        self.undo.clear()
        for seconds in sorted({*letters.UNDO_CHOICES, now}):
            self.undo.addItem(letters.undo_text(seconds), seconds)
        self.undo.setCurrentIndex(self.undo.findData(now))
        self.senders.show_facts(
            [Fact((one,), one) for one in reading_extras.trusted_senders(self.bench)]
        )
        self._update()

    def _update(self) -> None:
        known = bool(reading_extras.trusted_senders(self.bench))
        self._nobody.setVisible(not known)
        self.senders.setVisible(known)
        self._drop.setVisible(known)
        self._drop.setEnabled(bool(self.senders.selected()))

    def _choose(self) -> None:
        letters.choose_undo_seconds(self.bench, self.undo.currentData())

    def _remove(self) -> None:
        reading_extras.block_again(self.bench, [str(one) for one in self.senders.selected()])
        self.load()
