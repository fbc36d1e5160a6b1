"""Asks for the name of a view and who sees it."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QComboBox, QLineEdit, QWidget

from desktop_crm.core.i18n import tr
from desktop_crm.models.office import ViewScope
from desktop_crm.views.dialogs.dialog import Dialog, Labelled
from desktop_crm.views.widgets.buttons import push_button


class ViewDialog(Dialog):
    """Name and circle of a view; it stays open until the name was taken.

    Attributes:
        taken: The person decided: name and scope.
    """

    taken = Signal(str, object)

    def __init__(
        self,
        parent: QWidget | None,
        title: str,
        name: str = "",
        scope: ViewScope = ViewScope.PERSONAL,
        *,
        subtitle: str = "",
    ) -> None:
        super().__init__(parent, "viewDialog", title, subtitle=subtitle, width=440)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.name = QLineEdit(name)
        self.name.setObjectName("view.name")
        self.name.setAccessibleName(tr("Name of the view"))
        self.name.setMaxLength(120)
        self.name.selectAll()
        self.scope = QComboBox()
        self.scope.setObjectName("view.scope")
        self.scope.setAccessibleName(tr("Who sees it"))
        for one in ViewScope:
            self.scope.addItem(scope_text(one), one)
        self.scope.setCurrentIndex(self.scope.findData(scope))
        self._named = Labelled(tr("Name"), self.name, required=True)
        self.body.addWidget(self._named)
        self.body.addWidget(Labelled(tr("Who sees it"), self.scope))
        save = push_button("view.save", tr("Save"), self._take, kind="primary")
        save.setDefault(True)
        self.set_foot(None, self.cancel_button(), save)
        self.name.setFocus()

    def _take(self) -> None:
        name = self.name.text().strip()
        self._named.show_error("" if name else tr("Give the view a name."))
        if name:
            self.taken.emit(name, ViewScope(self.scope.currentData()))

    def refuse(self, error: Exception) -> None:
        """Say why the name cannot be taken; the dialog stays."""
        self.show_error(error)
        self.name.setFocus()


def scope_text(scope: ViewScope) -> str:
    """Who sees a view, in the words of its owner."""
    texts = {
        ViewScope.PERSONAL: tr("Only me"),
        ViewScope.TEAM: tr("My team"),
        ViewScope.PUBLIC: tr("Everybody"),
    }
    return texts[scope]
