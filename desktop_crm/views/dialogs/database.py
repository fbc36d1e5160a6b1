"""Open, create and upgrade databases: a file on this computer, or PostgreSQL for a team."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QFileDialog, QLineEdit, QRadioButton, QWidget

from desktop_crm.core import paths
from desktop_crm.core.errors import CrmError
from desktop_crm.core.i18n import tr
from desktop_crm.db.migrate import SchemaState
from desktop_crm.services import databases
from desktop_crm.services.databases import Look
from desktop_crm.views import theme
from desktop_crm.views.charts.line_list import Line, LineList
from desktop_crm.views.dialogs.dialog import Dialog, Labelled
from desktop_crm.views.widgets.buttons import push_button
from desktop_crm.views.widgets.labels import label
from desktop_crm.views.widgets.layout import row

if TYPE_CHECKING:
    from desktop_crm.core.settings import Settings
    from desktop_crm.views.main_window import MainWindow
    from desktop_crm.views.tasks import Tasks
    from desktop_crm.views.workbench import Workbench

FILE_KINDS = "Desktop CRM (*.db *.sqlite *.crm)"


class _DatabaseDialog(Dialog):
    """What opening and creating share: an address, a password for servers, and waiting."""

    def __init__(
        self,
        parent: QWidget | None,
        name: str,
        title: str,
        tasks: Tasks,
        opened: Callable[[str], object],
        *,
        subtitle: str = "",
    ) -> None:
        super().__init__(parent, name, title, subtitle=subtitle, width=600)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._tasks = tasks
        self._opened = opened
        self.password = QLineEdit()
        self.password.setObjectName(f"{name}.password")
        self.password.setEchoMode(QLineEdit.EchoMode.Password)
        self._password_row = Labelled(
            tr("Password"),
            self.password,
            help_text=tr(
                "Empty takes it from the keyring, pgpass or PGPASSWORD. It is never part of the "
                "address."
            ),
        )
        self._waiting = label("", "dim")
        self._waiting.hide()

    def _wait(self, text: str) -> None:
        self.notice.say("")
        self._waiting.setText(text)
        self._waiting.setVisible(bool(text))
        # After the key that asked for it: a disabled widget would refuse the rest of the key.
        QTimer.singleShot(0, self, lambda: self.setEnabled(not self._waiting.text()))

    def _failed(self, error: Exception) -> None:
        self._wait("")
        self.show_error(error)

    def _password(self) -> str | None:
        return self.password.text() or None

    def _go(self, url: str) -> None:
        self._opened(url)
        self.accept()


class OpenDatabaseDialog(_DatabaseDialog):
    """Choose a recent database, a file, or an address; an older one is upgraded here."""

    def __init__(
        self,
        parent: QWidget | None,
        tasks: Tasks,
        settings: Settings,
        opened: Callable[[str], object],
    ) -> None:
        super().__init__(
            parent, "openDatabase", tr("Open a database"), tasks, opened,
            subtitle=tr("A file on this computer, or a PostgreSQL database that a team shares."),
        )  # fmt: skip
        self._look: Look | None = None
        self._settings = settings
        self.address = QLineEdit()
        self.address.setObjectName("openDatabase.address")
        self.address.setAccessibleName(tr("File or address"))
        self.address.setPlaceholderText(tr("postgresql://user@server/database"))
        self.address.textChanged.connect(self._typed)
        browse = push_button("openDatabase.browse", tr("Browse…"), self._browse)
        self.recent = LineList("openDatabase.recent", tr("Used before"))
        self.recent.setFixedHeight(theme.scaled(150))
        self.recent.opened.connect(self._take_recent)
        self._upgrade = push_button("openDatabase.upgrade", tr("Upgrade"), self._do_upgrade)
        self._open = push_button(
            "openDatabase.open", tr("Open database"), self._ask, kind="primary"
        )
        self._open.setDefault(True)
        create = push_button("openDatabase.create", tr("Create a new one…"), self._create)
        self.body.addWidget(Labelled(tr("File or address"), row(self.address, browse, spacing=8)))
        self.body.addWidget(self._password_row)
        caption = label(tr("Used before"), "h3")
        self.body.addWidget(caption)
        self.body.addWidget(self.recent)
        self.body.addWidget(self._waiting)
        self.set_foot(create, None, self.cancel_button(), self._upgrade, self._open)
        self.recent.show_lines(
            [
                Line(
                    number,
                    title=Path(url).name if "://" not in url else url.rpartition("/")[2],
                    subtitle=url,
                    icon="people" if "://" in url else "archive",
                )
                for number, url in enumerate(settings.recent_databases)
            ]
        )
        caption.setVisible(bool(settings.recent_databases))
        self.recent.setVisible(bool(settings.recent_databases))
        self._typed("")
        self.address.setFocus()

    def _typed(self, text: str) -> None:
        self._upgrade.hide()
        self._open.setEnabled(bool(text.strip()))
        self._password_row.setVisible(text.strip().startswith("postgresql"))

    def _browse(self) -> None:
        start = self.address.text() if "://" not in self.address.text() else ""
        name, _kind = QFileDialog.getOpenFileName(
            self, tr("Open a database"), start or str(paths.data_dir()),
            f"{FILE_KINDS};;{tr('All files (*)')}",
        )  # fmt: skip
        if name:
            self.address.setText(name)

    def _take_recent(self, line: Line) -> None:
        if line.id is not None:
            self.address.setText(self._settings.recent_databases[line.id])
            self._ask()

    def _ask(self) -> None:
        self._wait(tr("Looking at the database…"))
        url = self.address.text().strip()
        self._tasks.background(
            databases.look, url, self._password(),
            done=self._looked, failed=self._failed, owner=self, label=tr("Opening the database"),
        )  # fmt: skip

    def _looked(self, found: Look) -> None:
        self._wait("")
        self._look = found
        if found.state is SchemaState.CURRENT:
            self._keep_password_and_go(found.url)
        elif found.state is SchemaState.OLDER:
            self.notice.say(
                tr(
                    "{name} was made by an older version. Upgrade it to open it; a file is "
                    "backed up first.",
                    name=found.name,
                ),
                "warn",
            )
            self._upgrade.show()
            self._upgrade.setFocus()
        elif found.state is SchemaState.NEWER:
            text = tr(
                "{name} was made by a newer version of this program. It was left as it is.",
                name=found.name,
            )
            self.notice.say(text, "bad")
        elif found.state is SchemaState.EMPTY:
            text = tr("{name} is empty. Create a database in it first.", name=found.name)
            self.notice.say(text, "warn")
        else:
            text = tr(
                "{name} is not a database of this program. It was left as it is.", name=found.name
            )
            self.notice.say(text, "bad")

    def _keep_password_and_go(self, url: str) -> None:
        password = self._password()
        if password is None:
            self._go(url)
            return
        self._wait(tr("Keeping the password…"))
        self._tasks.background(
            databases.keep_password, url, password,
            done=lambda _place: self._go(url), failed=self._failed, owner=self,
        )  # fmt: skip

    def _do_upgrade(self) -> None:
        if self._look is None:
            return
        self._wait(tr("Upgrading; a backup is made first…"))
        self._tasks.background(
            databases.upgrade, self._look.url, self._password(),
            done=self._upgraded, failed=self._failed, owner=self, label=tr("Upgrading"),
        )  # fmt: skip

    def _upgraded(self, kept: Path | None) -> None:
        self._wait("")
        if kept is not None:
            self.notice.say(tr("Upgraded. The backup is {path}.", path=kept))
        self._upgrade.hide()
        self._ask()

    def _create(self) -> None:
        dialog = CreateDatabaseDialog(self.parentWidget(), self._tasks, self._opened)
        self.reject()
        dialog.open()


class CreateDatabaseDialog(_DatabaseDialog):
    """Make a new database: a file, or tables in an empty PostgreSQL database."""

    def __init__(
        self, parent: QWidget | None, tasks: Tasks, opened: Callable[[str], object]
    ) -> None:
        super().__init__(
            parent, "createDatabase", tr("Create a database"), tasks, opened,
            subtitle=tr(
                "It starts with stages, taxes, units and roles; you become its administrator."
            ),
        )  # fmt: skip
        self.local = QRadioButton(tr("A file on this computer"))
        self.local.setObjectName("createDatabase.local")
        self.local.setChecked(True)
        self.server = QRadioButton(tr("A PostgreSQL database that a team shares"))
        self.server.setObjectName("createDatabase.server")
        self.path = QLineEdit(str(paths.data_dir() / "company.db"))
        self.path.setObjectName("createDatabase.path")
        self.path.setAccessibleName(tr("File"))
        browse = push_button("createDatabase.browse", tr("Browse…"), self._browse)
        self._path_row = Labelled(tr("File"), row(self.path, browse, spacing=8))
        self.url = QLineEdit()
        self.url.setObjectName("createDatabase.url")
        self.url.setPlaceholderText(tr("postgresql://user@server/database"))
        self._url_row = Labelled(
            tr("Address of an empty database"),
            self.url,
            help_text=tr("Its owner creates it on the server first; the password stays outside."),
        )
        for button in (self.local, self.server):
            button.setAccessibleName(button.text())
            button.toggled.connect(lambda _on: self._show_kind())
            self.body.addWidget(button)
        for part in (self._path_row, self._url_row, self._password_row, self._waiting):
            self.body.addWidget(part)
        self._create = push_button(
            "createDatabase.create", tr("Create"), self._make, kind="primary"
        )
        self._create.setDefault(True)
        self.set_foot(None, self.cancel_button(), self._create)
        self._show_kind()
        self.path.setFocus()

    def _show_kind(self) -> None:
        local = self.local.isChecked()
        self._path_row.setVisible(local)
        self._url_row.setVisible(not local)
        self._password_row.setVisible(not local)

    def _browse(self) -> None:
        name, _kind = QFileDialog.getSaveFileName(
            self, tr("Create a database"), self.path.text(), FILE_KINDS,
            options=QFileDialog.Option.DontConfirmOverwrite,
        )  # fmt: skip
        if name:
            self.path.setText(name)

    def _make(self) -> None:
        local = self.local.isChecked()
        url = (self.path if local else self.url).text().strip()
        if not url:
            (self._path_row if local else self._url_row).show_error(tr("Say where it shall be."))
            return
        self._wait(tr("Creating the database…"))
        self._tasks.background(
            databases.create, url, None if local else self._password(),
            done=self._go, failed=self._failed, owner=self, label=tr("Creating the database"),
        )  # fmt: skip


def ask_for_database(window: MainWindow) -> OpenDatabaseDialog:
    """Ask for another database above the window; works before any is open."""
    dialog = OpenDatabaseDialog(window, window.tasks, window.settings, window.open_database)
    dialog.open()
    return dialog


def open_dialog(bench: Workbench) -> OpenDatabaseDialog:
    """Ask for another database from a pane."""
    dialog = OpenDatabaseDialog(
        bench.shell.window_widget(), bench.tasks, bench.settings, bench.shell.open_database
    )
    dialog.open()
    return dialog


def create_dialog(bench: Workbench) -> CreateDatabaseDialog:
    """Ask for a new database from a pane."""
    dialog = CreateDatabaseDialog(
        bench.shell.window_widget(), bench.tasks, bench.shell.open_database
    )
    dialog.open()
    return dialog


def back_up(bench: Workbench, owner: QWidget) -> None:
    """Ask for a file and copy the open database into it."""
    wanted = databases.backup_name(bench.actor)
    if wanted is None:
        bench.shell.toast(
            tr("This database is on a server"),
            tr("It is backed up there, for example with pg_dump."),
        )
        return
    name, _kind = QFileDialog.getSaveFileName(
        owner, tr("Back up the database"), str(wanted), FILE_KINDS
    )
    if name:
        save_backup(bench, owner, Path(name))


def save_backup(bench: Workbench, owner: QWidget, path: Path) -> None:
    """Copy the open database to a file and say so."""

    def done(kept: Path) -> None:
        bench.shell.toast(tr("Backed up"), str(kept))

    def failed(error: Exception) -> None:
        if isinstance(error, CrmError):
            bench.shell.toast(tr("Not backed up"), str(error), bad=True)
        else:
            bench.shell.show_error(error)

    bench.tasks.background(
        partial(databases.back_up, bench.actor, path),
        done=done, failed=failed, owner=owner, label=tr("Backing up"),
    )  # fmt: skip
