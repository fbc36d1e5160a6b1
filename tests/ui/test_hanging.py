"""What hangs on records, by keyboard: files, connections, hierarchy, history."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest
from PySide6.QtCore import QBuffer, QMimeData, Qt, QUrl
from PySide6.QtGui import QColor, QGuiApplication, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QCompleter, QFileDialog, QInputDialog, QWidget
from sqlalchemy import select

from desktop_crm.models.company import Currency
from desktop_crm.services import (
    attachments,
    connections,
    query,
    records,
    undo,
)
from desktop_crm.services.filters import Rule
from desktop_crm.services.query import RecordQuery
from desktop_crm.views.dialogs.connection_dialog import ConnectionDialog
from desktop_crm.views.forms.form_dialog import FormDialog
from desktop_crm.views.panes import files_page
from desktop_crm.views.panes.connections_page import ConnectionsPage
from desktop_crm.views.panes.files_page import FilesPage
from desktop_crm.views.panes.hierarchy_page import HierarchyPage
from desktop_crm.views.panes.history_page import HistoryDialog, HistoryPage
from tests.support.windows import child, settle, shell_of

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from desktop_crm.views.workbench import Workbench
    from tests.support.company import Company

Show = Callable[[Callable[[str, Any], QWidget], str, int], QWidget]


@pytest.fixture
def show(bench: Workbench, qtbot: QtBot) -> Show:
    """A function that shows a tab's page for a record, kept true by the bus."""

    def shown(page: Callable[[str, Any], QWidget], entity: str, key: int) -> QWidget:
        made: Any = page(entity, bench)
        qtbot.addWidget(made)
        made.resize(420, 640)
        made.show()

        def again(_changes: object = None) -> None:
            made.show_record(records.get(bench.actor, entity, key))

        again()
        bench.bus.changed.connect(again)
        settle(qtbot, bench)
        return cast("QWidget", made)

    return shown


def said(asked: list[str], title: str) -> str:
    """Remember a question and say no."""
    asked.append(title)
    return "cancel"


def quiet(qtbot: QtBot, bench: Workbench) -> None:
    """Wait for what was begun and for the news it brings."""
    for _ in range(3):
        settle(qtbot, bench)
        qtbot.waitUntil(lambda: bench.bus._pending is None)


# --- files --------------------------------------------------------------------------------------


@pytest.fixture
def files(show: Show, company: Company) -> FilesPage:
    page = show(FilesPage, "account", company.ids["rossi"])
    assert isinstance(page, FilesPage)
    return page


def names(page: FilesPage) -> list[str]:
    return [line.title for line in page.list.lines]


def test_files_are_added_by_dialog_renamed_and_deleted_by_keyboard(
    files: FilesPage, bench: Workbench, qtbot: QtBot, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    assert files.empty.isVisibleTo(files)
    path = tmp_path / "Contract.txt"
    path.write_text("signed")
    monkeypatch.setattr(QFileDialog, "getOpenFileNames", lambda *_: ([str(path)], ""))
    button = child(files, QWidget, "files.account.add")
    button.setFocus()
    QTest.keyClick(button, Qt.Key.Key_Space)
    quiet(qtbot, bench)
    assert names(files) == ["Contract.txt"]
    assert shell_of(bench).toasts[-1][0] == "1 file attached"
    files.list.setFocus()
    QTest.keyClick(files.list, Qt.Key.Key_F2)
    box = next(w for w in QGuiApplication.instance().topLevelWidgets()  # type: ignore[union-attr]
               if isinstance(w, QInputDialog))  # fmt: skip
    box.setTextValue("Signed contract 1.2")
    box.accept()
    quiet(qtbot, bench)
    assert names(files) == ["Signed contract 1.2.txt"]
    QTest.keyClick(files.list, Qt.Key.Key_Delete)
    quiet(qtbot, bench)
    assert names(files) == []
    bench.bus.publish(undo.undo(bench.actor))
    quiet(qtbot, bench)
    assert names(files) == ["Signed contract 1.2.txt"]


def test_files_and_pictures_are_pasted_and_previewed(
    files: FilesPage, bench: Workbench, qtbot: QtBot, tmp_path: Path
) -> None:
    image = QImage(80, 40, QImage.Format.Format_RGB32)
    image.fill(QColor("red"))
    board = QGuiApplication.clipboard()
    board.setImage(image)
    QTest.keyClick(files, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    quiet(qtbot, bench)
    assert names(files) == ["Picture 2026-11-25 10.20.png"]
    assert files._picture.isVisibleTo(files)
    assert not files._picture.pixmap().isNull()
    path = tmp_path / "notes.txt"
    path.write_text("notes")
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path))])
    board.setMimeData(data)
    QTest.keyClick(files, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    quiet(qtbot, bench)
    assert names(files)[0] == "notes.txt"
    assert files.list.ready is not None
    assert files.list.ready.suffix in {".txt", ".png"}
    board.setText("only text")
    files.paste()
    assert shell_of(bench).toasts[-1][0] == "There is nothing to attach"


def test_files_before_an_unreadable_one_are_shown(
    files: FilesPage, bench: Workbench, qtbot: QtBot, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    paths = [tmp_path / "one.txt", tmp_path / "two.txt"]
    for path in paths:
        path.write_text(path.name)
    read = attachments._hash

    def gone(path: Path, limit: int) -> tuple[str, int]:
        if path == paths[1]:
            path.unlink()  # somebody takes the stick out
        return read(path, limit)

    monkeypatch.setattr(attachments, "_hash", gone)
    files.add(paths)
    quiet(qtbot, bench)
    assert "two.txt" in str(shell_of(bench).errors[-1])
    assert names(files) == ["one.txt"]


def test_the_chosen_file_stays_in_sight_beside_its_preview(
    files: FilesPage, bench: Workbench, qtbot: QtBot, company: Company
) -> None:
    key = company.ids["rossi"]
    image = QImage(300, 300, QImage.Format.Format_RGB32)
    image.fill(QColor("red"))
    store = QBuffer()
    store.open(QBuffer.OpenModeFlag.WriteOnly)
    image.save(store, "PNG")  # type: ignore[call-overload]
    picture = bytes(store.data().data())
    for number in range(7):
        bench.bus.publish(
            attachments.add_bytes(bench.actor, "account", key, f"{number}.txt", b"text")
        )
        if number == 0:
            bench.bus.publish(
                attachments.add_bytes(bench.actor, "account", key, "logo.png", picture)
            )
    quiet(qtbot, bench)
    files.list.setFocus()
    before = files.list.height()
    while files.list.current_line() is None or files.list.current_line().title != "logo.png":  # type: ignore[union-attr]
        QTest.keyClick(files.list, Qt.Key.Key_Down)
    quiet(qtbot, bench)
    qtbot.waitUntil(lambda: files.list.height() < before)
    shown = files.list.visualRect(files.list.currentIndex())
    assert shown.bottom() <= files.list.viewport().height()


def test_a_damaged_pdf_has_no_preview_and_a_program_is_not_opened(
    files: FilesPage, bench: Workbench, qtbot: QtBot, company: Company,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    key = company.ids["rossi"]
    bench.bus.publish(attachments.add_bytes(bench.actor, "account", key, "bad.pdf", b"no pdf"))
    quiet(qtbot, bench)
    assert "damaged" in files._note.text()
    bench.bus.publish(attachments.add_bytes(bench.actor, "account", key, "run.exe", b"MZ"))
    quiet(qtbot, bench)
    files.list.setCurrentIndex(files.list.model().index(0, 0))
    asked: list[str] = []
    monkeypatch.setattr(files_page, "ask", lambda _w, title, *_: said(asked, title))
    monkeypatch.setattr(files_page, "open_with_system", lambda _path: pytest.fail("it ran"))
    QTest.keyClick(files.list, Qt.Key.Key_Return)
    quiet(qtbot, bench)
    assert asked == ["This file is not opened from here"]


def test_a_harmless_file_is_opened_and_saved(
    files: FilesPage, bench: Workbench, qtbot: QtBot, company: Company, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    key = company.ids["rossi"]
    bench.bus.publish(attachments.add_bytes(bench.actor, "account", key, "a.txt", b"text"))
    quiet(qtbot, bench)
    opened: list[bytes] = []
    monkeypatch.setattr(files_page, "open_with_system", lambda p: opened.append(p.read_bytes()))
    QTest.keyClick(files.list, Qt.Key.Key_Return)
    quiet(qtbot, bench)
    assert opened == [b"text"]
    target = tmp_path / "out.txt"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(target), ""))
    files.save()
    quiet(qtbot, bench)
    assert target.read_bytes() == b"text"


def test_who_may_not_change_the_record_sees_files_and_adds_none(
    company: Company, bench: Workbench, qtbot: QtBot, show: Show
) -> None:
    key = company.ids["rossi"]
    attachments.add_bytes(bench.actor, "account", key, "a.txt", b"text")
    bench.actor = company.other
    seen = [f.name for f in attachments.files(company.other, "account", key)]
    try:
        page = show(FilesPage, "account", key)
    except Exception:
        assert seen == []
        return
    assert isinstance(page, FilesPage)
    assert page.can_add == records.get(company.other, "account", key).can_edit


def test_a_record_has_its_files_in_its_own_window_once_it_is_saved(
    company: Company, bench: Workbench, qtbot: QtBot
) -> None:
    key = company.ids["rossi"]
    attachments.add_bytes(bench.actor, "account", key, "a.txt", b"text")
    dialog = FormDialog(None, "account", bench, record_id=key)
    dialog.show()
    settle(qtbot, bench)
    tabs = dialog.form.pages.tabs
    shown = [tabs.tabText(n) for n in range(tabs.count()) if tabs.isTabVisible(n)]
    assert shown[-4:] == ["Files", "Connections", "Hierarchy", "History"]
    tabs.setCurrentIndex([tabs.tabText(n) for n in range(tabs.count())].index("Files"))
    settle(qtbot, bench)
    page = child(dialog, FilesPage)
    assert names(page) == ["a.txt"]
    bench.bus.publish(attachments.add_bytes(bench.actor, "account", key, "b.txt", b"more"))
    quiet(qtbot, bench)
    assert names(page) == ["b.txt", "a.txt"]
    dialog.close()
    fresh = FormDialog(None, "account", bench)
    fresh.show()
    settle(qtbot, bench)
    tabs = fresh.form.pages.tabs
    shown = [tabs.tabText(n) for n in range(tabs.count()) if tabs.isTabVisible(n)]
    assert "Files" not in shown
    fresh.close()


# --- connections --------------------------------------------------------------------------------


def test_a_connection_is_made_by_keyboard(
    show: Show, company: Company, bench: Workbench, qtbot: QtBot,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    # The platform without a screen cannot let a popup grab the keyboard.
    monkeypatch.setattr(QCompleter, "complete", lambda *_: None)
    records.save(
        bench.actor, "connection_role", None, None,
        {"name": "Supplier", "reverse_name": "Customer", "position": 1},
    )  # fmt: skip
    page = show(ConnectionsPage, "account", company.ids["rossi"])
    assert isinstance(page, ConnectionsPage)
    QTest.keyClick(page, Qt.Key.Key_Insert)
    settle(qtbot, bench)
    dialog = child(bench.shell.window_widget(), ConnectionDialog)
    dialog.kind.setCurrentIndex(dialog.kind.findData("account"))
    save = child(dialog, QWidget, "connectionDialog.save")
    save.setFocus()
    QTest.keyClick(save, Qt.Key.Key_Space)
    assert "Choose the other record" in dialog._record.note.text()
    dialog.link.line.setFocus()
    QTest.keyClicks(dialog.link.line, "Dumb")
    qtbot.waitUntil(lambda: dialog.link._found.rowCount() == 1)
    dialog.link._popup.setCurrentIndex(dialog.link._found.index(0, 0))
    dialog.link._choose(dialog.link._found.item(0).text())
    dialog.role.setCurrentIndex(dialog.role.findText("Customer"))
    dialog.note.setPlainText("Buys from us")
    save.setFocus()
    QTest.keyClick(save, Qt.Key.Key_Space)
    quiet(qtbot, bench)
    assert [(line.id is None, line.title) for line in page.list.lines] == [
        (True, "Customer"), (False, "Dumbrava Mobilă"),
    ]  # fmt: skip
    other = connections.of_record(bench.actor, "account", company.ids["dumbrava"])
    assert [one.role for one in other] == ["Supplier"]
    page.list.setFocus()
    QTest.keyClick(page.list, Qt.Key.Key_Return)
    assert shell_of(bench).opened == [("account", company.ids["dumbrava"])]
    QTest.keyClick(page.list, Qt.Key.Key_F2)
    settle(qtbot, bench)
    dialog = next(d for d in bench.shell.window_widget().findChildren(ConnectionDialog)
                  if d._connected is not None)  # fmt: skip
    assert dialog.role.currentText() == "Customer"
    dialog.last.line.setText("no day")
    dialog.save()
    assert dialog.notice.text
    dialog.last.line.setText("31.12.2027")
    dialog.save()
    quiet(qtbot, bench)
    assert page.list.lines[1].right.startswith("until")
    QTest.keyClick(page.list, Qt.Key.Key_Delete)
    quiet(qtbot, bench)
    assert page.list.lines == ()


# --- hierarchy ----------------------------------------------------------------------------------


def test_sums_stand_whole_one_currency_in_a_line(
    show: Show, company: Company, bench: Workbench, qtbot: QtBot
) -> None:
    key = company.ids["rossi"]
    with bench.actor.db.reading() as connection:
        currencies = list(connection.execute(select(Currency.id, Currency.code)).all())[:2]
    for one, _code in currencies:
        records.save(
            bench.actor, "opportunity", None, None,
            {"name": "Bridge", "account": key, "currency": one, "amount": "123456789012"},
        )  # fmt: skip
    page = show(HierarchyPage, "account", key)
    assert isinstance(page, HierarchyPage)
    cell = page.model.item(0, 2)
    lines = cell.text().split("\n")
    assert {line.split()[-1] for line in lines} >= {code for _one, code in currencies}
    metrics = page.tree.fontMetrics()
    assert page.tree.columnWidth(2) > max(metrics.horizontalAdvance(line) for line in lines)
    assert page.tree.visualRect(cell.index()).height() >= len(lines) * metrics.height()
    assert "\n" not in page.model.item(0, 0).data(Qt.ItemDataRole.AccessibleTextRole)


def test_the_hierarchy_is_walked_by_arrows(
    show: Show, company: Company, bench: Workbench, qtbot: QtBot
) -> None:
    actor = bench.actor
    top = records.save(actor, "account", None, None, {"name": "Holding"}).id
    here = company.ids["rossi"]
    records.save(actor, "account", here, None, {"parent": top})
    leaf = records.save(actor, "account", None, None, {"name": "Branch", "parent": here}).id
    deep = records.save(actor, "account", None, None, {"name": "Shop", "parent": leaf}).id
    page = show(HierarchyPage, "account", here)
    assert isinstance(page, HierarchyPage)
    quiet(qtbot, bench)
    tree = page.tree
    assert tree.currentIndex().data(Qt.ItemDataRole.UserRole) == here
    assert tree.isExpanded(tree.model().index(0, 0))
    tree.setFocus()
    QTest.keyClick(tree, Qt.Key.Key_Down)
    assert tree.currentIndex().data() == "Branch"
    QTest.keyClick(tree, Qt.Key.Key_Right)
    quiet(qtbot, bench)
    QTest.keyClick(tree, Qt.Key.Key_Down)
    assert tree.currentIndex().data() == "Shop"
    QTest.keyClick(tree, Qt.Key.Key_Return)
    assert shell_of(bench).opened == [("account", deep)]


def test_no_amount_of_the_hierarchy_is_cut(
    show: Show, company: Company, bench: Workbench, qtbot: QtBot
) -> None:
    actor, here = bench.actor, company.ids["rossi"]
    stage = query.keys(actor, RecordQuery("stage", (), Rule("state", "=", "open")))[0]
    currencies = query.keys(actor, RecordQuery("currency", ()))[:2]
    for currency in currencies:
        values = {"name": "Line", "account": here, "amount": Decimal(123_456_789),
                  "currency": currency, "stage": stage}  # fmt: skip
        records.save(actor, "opportunity", None, None, values)
    page = show(HierarchyPage, "account", here)
    assert isinstance(page, HierarchyPage)
    quiet(qtbot, bench)
    tree = page.tree
    found = tree.currentIndex().siblingAtColumn(2)
    amounts = str(found.data()).split("\n")
    assert len(amounts) == len(currencies)
    assert all("123" in amount for amount in amounts)
    area = tree.visualRect(found)
    metrics = tree.fontMetrics()
    assert area.width() > max(metrics.horizontalAdvance(amount) for amount in amounts)
    assert area.height() >= len(amounts) * metrics.height()
    assert tree.header().sectionSize(0) < 420


# --- history ------------------------------------------------------------------------------------


def test_one_value_is_put_back_from_the_history(
    show: Show, company: Company, bench: Workbench, qtbot: QtBot
) -> None:
    key = company.ids["rossi"]
    actor = bench.actor
    before = records.get(actor, "account", key).values["city"]
    records.save(actor, "account", key, None, {"city": "Turda", "industry": "Glass"})
    page = show(HistoryPage, "account", key)
    assert isinstance(page, HistoryPage)
    page.field.setCurrentIndex(page.field.findData("city"))
    lines = [line for line in page.list.lines if line.id is not None]
    assert lines[0].subtitle.endswith("→ Turda")
    page.list.setCurrentIndex(page.list.model().index(1, 0))
    button = child(page, QWidget, "history.account.restore")
    button.setFocus()
    QTest.keyClick(button, Qt.Key.Key_Space)
    quiet(qtbot, bench)
    stands = records.get(actor, "account", key).values
    assert (stands["city"], stands["industry"]) == (before, "Glass")
    assert shell_of(bench).toasts[-1][0] == "City was put back"
    page.field.setCurrentIndex(page.field.findData("industry"))
    page.list.setCurrentIndex(page.list.model().index(1, 0))
    page.undo_step()
    quiet(qtbot, bench)
    assert shell_of(bench).errors, "the city was changed since"


def test_the_history_opens_in_a_window_and_stays_true(
    company: Company, bench: Workbench, qtbot: QtBot
) -> None:
    key = company.ids["rossi"]
    dialog = HistoryDialog(bench, records.get(bench.actor, "account", key))
    dialog.open()
    settle(qtbot, bench)
    count = len(dialog.page.list.lines)
    bench.bus.publish(records.save(bench.actor, "account", key, None, {"city": "Turda"}).changes)
    quiet(qtbot, bench)
    assert len(dialog.page.list.lines) > count
    dialog.close()
