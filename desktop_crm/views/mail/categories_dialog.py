"""The categories of a message, as the mailbox shows them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QLineEdit

from desktop_crm.core.i18n import tr
from desktop_crm.views.dialogs.dialog import Dialog, Labelled
from desktop_crm.views.widgets.buttons import push_button

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PySide6.QtWidgets import QWidget


class CategoriesDialog(Dialog):
    """Asks for the categories of one message; Return takes them.

    Attributes:
        chosen: the categories, each once.
    """

    chosen = Signal(tuple)

    def __init__(self, parent: QWidget | None, about: str, before: Sequence[str]) -> None:
        super().__init__(parent, "categories", tr("Categories"), subtitle=about, width=440)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.line = QLineEdit(", ".join(before))
        self.line.setObjectName("categories.line")
        self.body.addWidget(
            Labelled(
                tr("Categories, separated by commas"), self.line,
                help_text=tr("The mailbox shows them, too; an empty line takes all away."),
            )
        )  # fmt: skip
        take = push_button("categories.take", tr("Set"), self._take, kind="primary")
        take.setDefault(True)
        self.set_foot(None, self.cancel_button(), take)
        self.line.setFocus()

    def _take(self) -> None:
        words = (word.strip() for word in self.line.text().split(","))
        self.chosen.emit(tuple(dict.fromkeys(word for word in words if word)))
        self.accept()
