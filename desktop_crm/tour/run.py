"""One run of the tour: its steps, its window and its pictures."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from desktop_crm import __version__
from desktop_crm.core import clock, i18n, paths
from desktop_crm.core.errors import EnvironmentProblem
from desktop_crm.core.i18n import N_
from desktop_crm.core.settings import Settings

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

    from desktop_crm.services.context import Actor
    from desktop_crm.views.main_window import MainWindow
    from desktop_crm.views.tasks import Tasks

NOW: Final = datetime(2026, 11, 25, 8, 20, tzinfo=UTC)
"""A Wednesday, 10:20 in the zone of the sample company."""
ZONE: Final = "Europe/Bucharest"
SIZE: Final = (1440, 900)
THEMES: Final = ("light", "dark")
_LONGEST_WAIT_S: Final = 60.0
_TICK_MS: Final = 30
# Longer together than the pause of a pane before it loads what was chosen.
_QUIET_TICKS: Final = 6

_CSV: Final = """Nume;Prenume;Firma;Funcția;E-mail;Telefon;Oraș
Ștefănoiu;Ioniță;Dumbrava Mobilă SRL;Inginer;is@dumbrava-mobila.example;0310000901;Reghin
Țâmpeanu;Măriuca;Moara Știubei SRL;Achiziții;mt@moara-stiubei.example;0310000902;Slobozia
Gheorghiaș;Ana;Ceramica Văratec SRL;Director;cg@ceramica-varatec.example;0310000903;Târgu Neamț
Bujorel;Sandu;Carton Bistrița Nouă SRL;Buyer;s@carton-bistrita-noua.example;0310000904;Bistrița
Fără adresă;Rând;Dumbrava Mobilă SRL;;nu este o adresă;;Reghin
"""
_CEDILLAS: Final = str.maketrans("șțȘȚ", "şţŞŢ")
"""The code page knows only the older letters; files from there have them."""
_LETTER: Final = """From: "{name}" <{address}>
To: "{me}" <{mine}>
Subject: Drawing of the outfeed
Date: Wed, 25 Nov 2026 09:52:00 +0200
Message-ID: <tour-1@mail.cetina.example>
MIME-Version: 1.0
Content-Type: text/plain; charset="utf-8"
Content-Transfer-Encoding: 8bit

Hello,

the drawing we talked about follows this afternoon. Could you keep the slot on Friday free?

{name}
"""


def run(
    out: Path, themes: Sequence[str] = THEMES, *, url: str = "", login: str | None = None
) -> dict[str, Any]:
    """Do everything and return what ``tour.json`` says.

    Args:
        out: Folder for what is left behind.
        themes: Themes in which the window is pictured.
        url: New database for the sample company; empty makes one that is removed afterwards.
        login: Whose window is shown; None is the operating system's user.

    Raises:
        EnvironmentProblem: The folder cannot be written, or a pane never became quiet.
    """
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise EnvironmentProblem(
            N_("{folder} cannot be written: {reason}. Nothing was done."),
            folder=out,
            reason=error.strerror or error,
        ) from error
    language = i18n.language()
    # A database that stays needs its mailbox, which lies in the home.
    with _own_home(out / "home" if url else None):
        i18n.use_language("en")
        clock.use_clock(lambda: NOW)
        try:
            return _Tour(out, themes, url, login).run()
        finally:
            clock.use_clock(None)
            i18n.use_language(language)


@contextmanager
def _own_home(kept: Path | None) -> Iterator[None]:
    """An empty home of the product, so that nobody's data is touched; removed unless kept."""
    before = os.environ.get(paths.HOME_VARIABLE)
    folder = str(kept.absolute()) if kept else tempfile.mkdtemp(prefix="desktop-crm-tour-")
    os.environ[paths.HOME_VARIABLE] = folder
    try:
        yield
    finally:
        if before is None:
            del os.environ[paths.HOME_VARIABLE]
        else:
            os.environ[paths.HOME_VARIABLE] = before
        if kept is None:
            shutil.rmtree(folder, ignore_errors=True)


class _Tour:
    """One run, its steps and its window."""

    def __init__(self, out: Path, themes: Sequence[str], url: str, login: str | None) -> None:
        self.out = out
        self.themes = themes
        self.url = url
        self.login = login
        self.steps: list[dict[str, Any]] = []
        self.tasks: Tasks
        self.window: MainWindow
        self.actor: Actor
        self.viewer: Actor

    def run(self) -> dict[str, Any]:
        """All steps in order."""
        started = time.monotonic()
        self._sample()
        self._import()
        self._sync()
        self._mail()
        self._round_trip()
        self._quote()
        self._start_window()
        try:
            for name in self.themes:
                self._dress(name)
                self._panes(name)
                self._records(name)
                self._dialogs(name)
        finally:
            self._close()
        report = {
            "version": __version__,
            "clock": NOW.isoformat().replace("+00:00", "Z"),
            "seconds": round(time.monotonic() - started, 2),
            "steps": self.steps,
        }
        text = json.dumps(report, ensure_ascii=False, indent=1)
        (self.out / "tour.json").write_text(text + "\n", encoding="utf-8")
        return report

    @contextmanager
    def step(self, name: str, did: str) -> Iterator[dict[str, Any]]:
        """Time one step; what is put into the mapping stands beside it."""
        found: dict[str, Any] = {"name": name, "did": did}
        started = time.monotonic()
        yield found
        found["seconds"] = round(time.monotonic() - started, 3)
        self.steps.append(found)

    # --- the main job ------------------------------------------------------------------------

    def _sample(self) -> None:
        from desktop_crm import demo
        from desktop_crm.services.context import sign_in
        from desktop_crm.services.query import RecordQuery, count

        with self.step("sample company", "made from the seed, with its mailbox") as facts:
            self.actor = demo.create(self.url or demo.sample_url(), zone=ZONE)
            self.viewer = sign_in(self.actor.db, self.login)
            facts["counts"] = {
                key: count(self.actor, RecordQuery(key, ("id",)))
                for key in ("account", "contact", "lead", "opportunity", "activity", "product",
                            "quote", "case", "mail_message")
            }  # fmt: skip

    def _import(self) -> None:
        from desktop_crm.services import imports

        path = self.out / "contacts.csv"
        path.write_bytes(_CSV.translate(_CEDILLAS).encode("cp1250"))
        with self.step("import", "contacts from a CSV file in cp1250") as facts:
            plan = imports.plan_file(self.actor, "contact", path)
            facts["columns"] = plan.mapping
            result = imports.apply(self.actor, plan)
            facts["counts"] = {
                "created": result.created,
                "updated": result.updated,
                "same": result.same,
                "rejected": len(result.rejected),
            }
            facts["rejected"] = [{"row": r.number, "reason": r.reason} for r in result.rejected]
            facts["files"] = [path.name]
        with self.step("import again", "the same file changes nothing") as facts:
            facts["counts"] = imports.plan_file(self.actor, "contact", path).counts

    def _sync(self) -> None:
        from desktop_crm import demo
        from desktop_crm.services.query import RecordQuery, first_page
        from desktop_crm.sync.scheduler import sync_once

        person = first_page(self.actor, RecordQuery("contact", ("full_name", "email")), 1)[0]
        box = first_page(self.actor, RecordQuery("mailbox", ("address",)), 1)[0]
        name, address = person.values
        letter = _LETTER.format(name=name, address=address, me=self.actor.name, mine=box.values[0])
        inbox = demo.mailbox_folder(self.actor.db) / "Inbox"
        (inbox / "999-new.eml").write_bytes(letter.encode("utf-8"))
        with self.step("sync", "one pass after a new message arrived") as facts:
            result = sync_once(self.actor)
            facts["counts"] = {
                key: result.count(key)
                for key in ("created", "linked", "suggested", "unchanged", "quarantined")
            }

    def _mail(self) -> None:
        from desktop_crm import demo
        from desktop_crm.tour import mailwork

        with self.step("mail", "letters wait, and a second mailbox can send"):
            mailwork.prepare(self.viewer, demo.mailbox_folder(self.actor.db), NOW)

    def _round_trip(self) -> None:
        from desktop_crm.services import excel, imports
        from desktop_crm.services.query import entity_query

        path = self.out / "accounts.xlsx"
        with self.step("export", "all accounts into a workbook") as facts:
            columns = excel.exportable(self.actor, "account")
            result = excel.export(self.actor, entity_query("account", columns), path)
            facts["counts"] = {"rows": result.rows, "columns": len(columns)}
            facts["files"] = [path.name]
        with self.step("import the workbook", "unchanged rows stay the same") as facts:
            facts["counts"] = imports.plan_file(self.actor, "account", path).counts

    def _quote(self) -> None:
        from desktop_crm.printing.quotes import print_quote

        with self.step("quote", "the longest quote printed as PDF") as facts:
            quote, number = self._long_quote(self.actor)
            assert quote is not None  # noqa: S101  the sample company has quotes
            printed = print_quote(self.actor, quote)
            path = self.out / f"{number}.pdf"
            path.write_bytes(printed.content)
            facts["counts"] = {"bytes": len(printed.content)}
            facts["files"] = [path.name]

    def _long_quote(self, actor: Actor) -> tuple[int | None, str]:
        from desktop_crm.services.query import RecordQuery, objects

        lines = objects(actor, RecordQuery("quote_line", ("quote.id", "quote.number")))
        counted: dict[tuple[int, str], int] = {}
        for line in lines:
            if line["quote.number"]:
                key = (line["quote.id"], line["quote.number"])
                counted[key] = counted.get(key, 0) + 1
        return max(counted, key=lambda key: counted[key], default=(None, ""))

    # --- the window --------------------------------------------------------------------------

    def _start_window(self) -> None:
        from PySide6.QtWidgets import QApplication

        from desktop_crm.app import make_application
        from desktop_crm.views.main_window import MainWindow
        from desktop_crm.views.tasks import Tasks

        settings = Settings(theme=self.themes[0], language="en")
        with self.step("window", "opened on the sample company"):
            if QApplication.instance() is None:
                self.app = make_application(settings)
            QApplication.setCursorFlashTime(0)
            self.tasks = Tasks()
            self.window = MainWindow(settings, self.tasks)
            self.window.resize(*SIZE)
            self.window.show()
            self.window.start(self.viewer)
            self._settle()

    def _close(self) -> None:
        self.window.windows.close_all()
        self.window.close()
        self.tasks.close()
        self.actor.db.close()

    def _dress(self, name: str) -> None:
        self.window.settings.theme = name
        self.window.restart_workspace()
        self._settle()

    def _settle(self) -> None:
        """Wait until no thread works and no pause of a pane is running any more."""
        from PySide6.QtCore import QEventLoop, QTimer

        loop = QEventLoop()
        quiet = 0
        ends = time.monotonic() + _LONGEST_WAIT_S

        def look() -> None:
            nonlocal quiet
            quiet = 0 if self.tasks.busy else quiet + 1
            if quiet >= _QUIET_TICKS or time.monotonic() > ends:
                loop.quit()

        timer = QTimer()
        timer.timeout.connect(look)
        timer.start(_TICK_MS)
        loop.exec()
        timer.stop()
        if self.tasks.busy:
            raise EnvironmentProblem(N_("The window did not become quiet; the tour was stopped."))

    def _picture(self, facts: dict[str, Any], name: str, widget: QWidget | None = None) -> None:
        shown = widget or self.window
        path = self.out / f"{name}.png"
        if not shown.grab().save(str(path)):
            raise EnvironmentProblem(
                N_("The picture {path} could not be written; the tour was stopped."), path=path
            )
        facts.setdefault("files", []).append(path.name)

    def _shot(self, name: str, did: str, theme: str, work: Callable[[], object]) -> None:
        """Do something in the window, wait, take a picture of all of it."""
        with self.step(f"{name} ({theme})", did) as facts:
            work()
            self._settle()
            self._picture(facts, f"{name}-{theme}")

    def _panes(self, theme: str) -> None:
        window = self.window
        for key, name in (
            ("home", "home"), ("mail", "mail"), ("contact", "contacts"), ("account", "accounts"),
            ("lead", "leads"), ("opportunity", "opportunities"), ("activity", "activities"),
            ("product", "products"), ("quote", "quotes"), ("case", "cases"),
        ):  # fmt: skip
            self._shot(name, "the pane opened", theme, lambda key=key: self._open(key))  # type: ignore[misc]
        self._shot("opportunities-board", "kanban by stage", theme, self._board)
        self._board_back()
        window.show_module("calendar")
        for span in self._spans():
            self._shot(
                f"calendar-{span.value.replace('_', '-')}", "the span chosen", theme,
                lambda span=span: self._pane().show_span(span),  # type: ignore[misc]
            )  # fmt: skip
        from desktop_crm.tour import diary

        for name, did, work in diary.in_window(self._pane, self._settle):
            self._shot(name, did, theme, work)
        window.show_module("settings")
        for page in ("appearance", "company", "mailboxes", "stage", "tax_code", "database"):
            self._shot(
                f"settings-{page.replace('_', '-')}", "the page opened", theme,
                lambda page=page: self._pane().show_page(page),  # type: ignore[misc]
            )  # fmt: skip

    def _calendar(self) -> Any:  # noqa: ANN401  the pane of the calendar
        self.window.show_module("calendar")
        self._settle()
        return self._pane()

    def _pane(self) -> Any:  # noqa: ANN401  panes differ in what they can do
        return self.window.workspace.current()

    def _spans(self) -> Sequence[Any]:
        from desktop_crm.views.calendar.spans import Span

        return list(Span)

    def _open(self, key: str) -> None:
        self.window.show_module(key)
        self._settle()
        pane = self._pane()
        table = getattr(getattr(pane, "list", None), "table", None)
        if table is not None and table.model().rowCount():
            table.selectRow(0)

    def _records(self, theme: str) -> None:
        from desktop_crm.tour import mailwork, workbench

        steps = (
            *workbench.in_window(self._pane_of_all),
            *mailwork.in_window(self._mail_pane),
        )
        for name, did, work in steps:
            self._shot(name, did, theme, work)

    def _pane_of_all(self, key: str) -> Any:  # noqa: ANN401  a pane of records
        """The pane of an entity, on all of its records."""
        self._open(key)
        self._pane().views.choose("all")
        self._settle()
        return self._pane()

    def _mail_pane(self) -> Any:  # noqa: ANN401  the pane of mail
        self._open("mail")
        return self._pane()

    def _board(self) -> None:
        self.window.show_module("opportunity")
        self._pane().board.show("stage")

    def _board_back(self) -> None:
        self._pane().board.show("")
        self._settle()

    # --- dialogs -----------------------------------------------------------------------------

    def _dialogs(self, theme: str) -> None:
        bench = self.window.bench
        assert bench is not None  # noqa: S101  the window was started
        from desktop_crm import demo
        from desktop_crm.tour import diary, mailwork, workbench

        folder = demo.mailbox_folder(self.actor.db)
        makers = (
            *self._dialog_makers(bench),
            *diary.dialogs(bench, self._calendar),
            *workbench.dialogs(bench, self._pane_of_all),
            *mailwork.dialogs(bench, self._mail_pane, self._settle, folder),
        )
        for name, did, make in makers:
            with self.step(f"{name} ({theme})", did) as facts:
                dialog = make()
                self._settle()
                self._picture(facts, f"{name}-{theme}", dialog)
                # A letter would ask what becomes of it.
                getattr(dialog, "close_for_good", dialog.close)()
                self._settle()

    def _dialog_makers(self, bench: Any) -> Sequence[tuple[str, str, Callable[[], QWidget]]]:  # noqa: ANN401
        from desktop_crm.services.query import RecordQuery
        from desktop_crm.views.dialogs import database, export_dialog
        from desktop_crm.views.dialogs.about import AboutDialog
        from desktop_crm.views.mailbox.wizard import MailboxWizard

        window, windows = self.window, self.window.windows
        quote = self._long_quote(self.viewer)[0]
        shown = RecordQuery("contact", ("full_name", "account", "email"))
        return (
            ("quote-form", "the long quote opened",
             lambda: windows.open(bench, "quote", quote)),
            ("quote-draft-form", "a draft opened",
             lambda: windows.open(bench, "quote", self._first("quote", "state = draft"))),
            ("contact-form", "a contact opened",
             lambda: windows.open(bench, "contact", self._first("contact"))),
            ("opportunity-form", "an opportunity opened",
             lambda: windows.open(bench, "opportunity", self._first("opportunity"))),
            ("case-form", "a case opened",
             lambda: windows.open(bench, "case", self._first("case", "state = open"))),
            ("import", "the file chosen and checked", lambda: self._wizard(bench)),
            ("export", "contacts about to be exported",
             lambda: export_dialog.open_export(bench, shown)),
            ("mailbox-add", "a mailbox about to be added",
             lambda: _shown(MailboxWizard(window, bench))),
            ("database-open", "another database about to be opened",
             lambda: database.open_dialog(bench)),
            ("database-create", "a new database about to be made",
             lambda: database.create_dialog(bench)),
            ("about", "the program about itself",
             lambda: _shown(AboutDialog(window, self.viewer))),
        )  # fmt: skip

    def _first(self, entity: str, condition: str = "") -> int | None:
        """A record the viewer may see; None opens a new one instead."""
        from desktop_crm.services.query import entity_query, first_page

        found = first_page(self.viewer, entity_query(entity, ("id",), condition), 1)
        return found[0].id if found else None

    def _wizard(self, bench: Any) -> QWidget:  # noqa: ANN401  the window's workbench
        from PySide6.QtWidgets import QPushButton

        from desktop_crm.views.dialogs.import_wizard import open_import

        wizard = open_import(bench, "contact")
        # The same people under other addresses: records that are still to be made.
        fresh = self.out / "more-contacts.csv"
        fresh.write_text(_CSV.replace("@", ".2@"), encoding="utf-16")
        wizard.path.setText(str(fresh.absolute()))
        self._settle()
        forward = wizard.findChild(QPushButton, "import.next")
        assert forward is not None  # noqa: S101  the wizard has the button
        for _page in range(2):
            forward.click()
            self._settle()
        return wizard


def _shown(dialog: QWidget) -> QWidget:
    dialog.show()
    return dialog
