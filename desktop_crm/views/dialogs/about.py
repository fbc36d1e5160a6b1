"""What this program is, which version, what it stands on, and where it keeps its files."""

from __future__ import annotations

import platform
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QUrl, qVersion
from PySide6.QtGui import QDesktopServices, QGuiApplication
from PySide6.QtWidgets import QGridLayout, QPlainTextEdit, QWidget

import desktop_crm
from desktop_crm.core import paths
from desktop_crm.core.i18n import tr
from desktop_crm.views import theme
from desktop_crm.views.dialogs.dialog import Dialog
from desktop_crm.views.widgets.buttons import push_button
from desktop_crm.views.widgets.labels import Elide, label

if TYPE_CHECKING:
    from desktop_crm.services.context import Actor


class AboutDialog(Dialog):
    """Facts for a person and for a bug report; no data of the company among them."""

    def __init__(self, parent: QWidget | None, actor: Actor) -> None:
        super().__init__(
            parent, "about", "Desktop CRM",
            subtitle=tr("Customers, mail, calendar and quotes; one file or a shared database."),
        )  # fmt: skip
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        kind = "PostgreSQL" if actor.db.is_shared else "SQLite"
        self._facts = (
            (tr("Version"), desktop_crm.__version__),
            (tr("Database"), f"{actor.db.name} ({kind})"),
            (tr("Signed in as"), actor.name),
            (tr("Language"), actor.language),
            ("Python", platform.python_version()),
            ("Qt", qVersion()),
            (tr("System"), f"{platform.system()} {platform.release()}"),
        )
        grid = QGridLayout()
        grid.setHorizontalSpacing(16)
        grid.setVerticalSpacing(6)
        for line, (caption, text) in enumerate(self._facts):
            grid.addWidget(label(caption, "dim"), line, 0)
            grid.addWidget(Elide(text), line, 1)
        grid.setColumnStretch(1, 1)
        self.body.addLayout(grid)
        self.body.addWidget(label(tr("Licences of what it contains"), "h3"))
        self.licences = QPlainTextEdit(_licences())
        self.licences.setObjectName("about.licences")
        self.licences.setAccessibleName(tr("Licences"))
        self.licences.setReadOnly(True)
        self.licences.setFixedHeight(theme.scaled(150))
        self.body.addWidget(self.licences)
        copy = push_button("about.copy", tr("Copy facts"), self._copy)
        logs = push_button("about.logs", tr("Open the log folder"), self._open_logs)
        close = push_button("about.close", tr("Close"), self.accept, kind="primary")
        close.setDefault(True)
        self.set_foot(copy, logs, None, close)
        close.setFocus()

    def facts(self) -> str:
        """The facts as text."""
        return "\n".join(f"{caption}: {text}" for caption, text in self._facts)

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self.facts())

    def _open_logs(self) -> None:
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(paths.log_dir())))


def _licences() -> str:
    folder = paths.resource("licenses")
    if not folder.is_dir():
        return ""
    return "\n\n".join(
        f"{path.stem}\n{'-' * len(path.stem)}\n{path.read_text(encoding='utf-8').strip()}"
        for path in sorted(folder.iterdir())
        if path.is_file()
    )
