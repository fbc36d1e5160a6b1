"""The designer by keyboard and by dragging, and what open windows make of it at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest
import shiboken6
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt
from PySide6.QtGui import QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QCheckBox,
    QComboBox,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QVBoxLayout,
    QWidget,
)

from desktop_crm.db.engine import Database
from desktop_crm.meta import registry
from desktop_crm.models.customizing import FieldKind
from desktop_crm.services import records
from desktop_crm.services.customizing import choices, definitions, fields, layout
from desktop_crm.services.operation import operation
from desktop_crm.views.definitions_watch import DefinitionsWatch
from desktop_crm.views.designer.choices_page import TextDialog
from desktop_crm.views.designer.field_dialog import FieldDialog
from desktop_crm.views.designer.form_canvas import MIME, FieldTile
from desktop_crm.views.designer.ordered_list import OrderedList
from desktop_crm.views.designer.window import DesignerWindow, open_designer
from desktop_crm.views.dialogs.export_dialog import ExportDialog
from desktop_crm.views.forms.form_dialog import FormDialog
from desktop_crm.views.lists import columns as list_columns
from tests.support.windows import child, expect, settle, shell_of

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from desktop_crm.views.main_window import MainWindow
    from desktop_crm.views.panes.record_pane import RecordPane
    from desktop_crm.views.workbench import Workbench
    from tests.support.company import Company

ALT = Qt.KeyboardModifier.AltModifier
CTRL = Qt.KeyboardModifier.ControlModifier
Forms = Callable[[int | None], FormDialog]
Open = Callable[[str], "MainWindow"]


@pytest.fixture
def designer(bench: Workbench, qtbot: QtBot) -> Iterator[DesignerWindow]:
    """The designer, open on accounts."""
    window = bench.shell.window_widget()
    window.resize(1440, 900)
    window.show()
    made = open_designer(bench, "account")
    qtbot.waitUntil(made.isVisible)
    settle(qtbot, bench)
    yield made
    if shiboken6.isValid(made):
        made.form.discard()
        made.close()
    qtbot.waitUntil(lambda: not shiboken6.isValid(made))


def fresh(bench: Workbench, qtbot: QtBot) -> None:
    """Wait until news were delivered and everything was read again."""
    quiet = lambda: not bench.tasks.busy and bench.bus._pending is None  # noqa: E731
    qtbot.waitUntil(quiet, timeout=10_000)


@pytest.fixture
def opened(bench: Workbench, qtbot: QtBot) -> Iterator[Callable[[int | None], FormDialog]]:
    """A function that opens the form of an account."""
    dialogs: list[FormDialog] = []

    def show(record_id: int | None) -> FormDialog:
        window = bench.shell.window_widget()
        dialog = FormDialog(window, "account", bench, record_id=record_id)
        dialogs.append(dialog)
        dialog.show()
        settle(qtbot, bench)
        return dialog

    yield show
    for dialog in filter(shiboken6.isValid, dialogs):
        dialog.form.settle()
        dialog.close()
    qtbot.waitUntil(lambda: not any(map(shiboken6.isValid, dialogs)))


def add_field(
    designer: DesignerWindow, bench: Workbench, qtbot: QtBot, label: str, kind: str = "text"
) -> str:
    """Add a field by keyboard; gives its name."""
    button = child(designer, QAbstractButton, "designer.field.add")
    QTest.keyClick(button, Qt.Key.Key_Space)
    dialog = child(designer, FieldDialog)
    QTest.keyClicks(child(dialog, QLineEdit, "field.label"), label)
    combo = child(dialog, QComboBox, "field.kind")
    combo.setFocus()
    while combo.currentData() != kind:
        before = combo.currentIndex()
        QTest.keyClick(combo, Qt.Key.Key_Down)
        assert combo.currentIndex() != before
    if kind == "choice":
        values = child(dialog, QPlainTextEdit, "field.values")
        QTest.keyClicks(values, "Gold")
        QTest.keyClick(values, Qt.Key.Key_Return)
        QTest.keyClicks(values, "Tin")
    QTest.keyClick(child(dialog, QLineEdit, "field.label"), Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: label in {f.label for f in registry.get("account").fields.values()})
    fresh(bench, qtbot)
    return next(n for n, f in registry.get("account").fields.items() if f.label == label)


# --- fields -------------------------------------------------------------------------------------


def test_a_field_is_added_by_keyboard_and_listed(
    designer: DesignerWindow, bench: Workbench, qtbot: QtBot
) -> None:
    assert designer.fields.empty.isVisible()
    add_field(designer, bench, qtbot, "Segment", "choice")
    shown = child(designer, OrderedList, "designer.fields")
    assert shown.isVisible()
    assert [shown.item(n).text() for n in range(shown.count())] == ["Segment"]
    field = next(f for f in registry.get("account").fields.values() if f.label == "Segment")
    assert [text for _, text in field.choices] == ["Gold", "Tin"]


def test_a_choice_without_values_is_refused_beside_its_values(
    designer: DesignerWindow, bench: Workbench, qtbot: QtBot
) -> None:
    designer.fields.add()
    dialog = child(designer, FieldDialog)
    QTest.keyClicks(dialog.label, "Grade")
    dialog.kind.setCurrentIndex(dialog.kind.findData("choice"))
    QTest.keyClick(dialog.label, Qt.Key.Key_Return)
    settle(qtbot, bench)
    assert dialog.isVisible()
    assert dialog.values.hasFocus()
    said = [label.text() for label in dialog.findChildren(QLabel) if label.isVisible()]
    assert any("at least one value" in text for text in said)
    dialog.reject()


def test_a_double_label_is_said_beside_the_field_and_nothing_is_lost(
    designer: DesignerWindow, bench: Workbench, qtbot: QtBot
) -> None:
    designer.fields.add()
    dialog = child(designer, FieldDialog)
    line = child(dialog, QLineEdit, "field.label")
    QTest.keyClicks(line, "name")
    QTest.keyClick(line, Qt.Key.Key_Return)
    settle(qtbot, bench)
    assert dialog.isVisible()
    assert line.text() == "name"
    assert "has a field “name” already" in line.accessibleDescription()
    dialog.reject()


def test_what_cannot_be_searched_is_not_offered(designer: DesignerWindow) -> None:
    designer.fields.add()
    dialog = child(designer, FieldDialog)
    searched = child(dialog, QCheckBox, "field.is_searchable")
    assert searched.isEnabled()
    combo = child(dialog, QComboBox, "field.kind")
    combo.setCurrentIndex(combo.findData("money"))
    assert not searched.isEnabled()
    assert not child(dialog, QPlainTextEdit, "field.values").isVisible()
    dialog.reject()


def test_fields_are_sorted_changed_retired_and_brought_back_by_keyboard(
    designer: DesignerWindow, bench: Workbench, qtbot: QtBot
) -> None:
    first = add_field(designer, bench, qtbot, "First")
    second = add_field(designer, bench, qtbot, "Second")
    shown = child(designer, OrderedList, "designer.fields")
    shown.setCurrentRow(1)
    QTest.keyClick(shown, Qt.Key.Key_Up, ALT)
    fresh(bench, qtbot)
    assert [f.name for f in fields.of_entity(bench.actor, "account")] == [second, first]
    QTest.keyClick(shown, Qt.Key.Key_Return)
    dialog = child(designer, FieldDialog)
    line = child(dialog, QLineEdit, "field.label")
    assert line.text() == "Second"
    assert not child(dialog, QComboBox, "field.kind").isEnabled()
    line.selectAll()
    QTest.keyClicks(line, "Renamed")
    QTest.keyClick(line, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: registry.get("account").fields[second].label == "Renamed")
    fresh(bench, qtbot)
    button = child(designer, QAbstractButton, "designer.field.retire")
    QTest.keyClick(button, Qt.Key.Key_Space)
    fresh(bench, qtbot)
    assert second in registry.get("account").retired
    assert button.text() == "Bring back"
    QTest.keyClick(button, Qt.Key.Key_Space)
    fresh(bench, qtbot)
    assert second in registry.get("account").fields


# --- choice lists -------------------------------------------------------------------------------


def test_values_are_added_renamed_and_no_longer_offered(
    designer: DesignerWindow, bench: Workbench, qtbot: QtBot
) -> None:
    QTest.keyClick(designer, Qt.Key.Key_Tab, CTRL)
    assert designer.tabs.currentIndex() == 1
    page = designer.choices
    page.field.setCurrentIndex(page.field.findData("relationship_type"))
    before = page.list.count()
    QTest.keyClick(child(page, QAbstractButton, "designer.value.add"), Qt.Key.Key_Space)
    ask = child(designer, TextDialog)
    ask.line.setText("Friend ș")
    QTest.keyClick(ask.line, Qt.Key.Key_Return)
    fresh(bench, qtbot)
    assert page.list.count() == before + 1
    field = registry.get("account").fields["relationship_type"]
    assert field.labels["friend_s"] == "Friend ș"
    page.list.choose("friend_s")
    QTest.keyClick(child(page, QAbstractButton, "designer.value.offer"), Qt.Key.Key_Space)
    fresh(bench, qtbot)
    assert "friend_s" not in dict(registry.get("account").fields["relationship_type"].offered)
    page.field.setCurrentIndex(page.field.findData("state"))
    assert not child(page, QAbstractButton, "designer.value.add").isEnabled()
    assert "depends on" in page.note.text()


# --- forms --------------------------------------------------------------------------------------


def tile(designer: DesignerWindow, name: str) -> FieldTile:
    return child(designer.form.canvas, FieldTile, f"tile.{name}")


def test_a_form_is_arranged_by_keyboard_and_an_open_one_follows(
    designer: DesignerWindow,
    bench: Workbench,
    qtbot: QtBot,
    company: Company,
    opened: Forms,
) -> None:
    form = opened(company.ids["rossi"])
    designer.tabs.setCurrentIndex(2)
    name = layout.names(registry.get("account").form)[1]
    field = registry.get("account").fields[name]
    assert not field.required
    tile(designer, name).setFocus()
    QTest.keyClick(tile(designer, name), Qt.Key.Key_Delete)
    assert name in designer.form.draft.hidden
    assert designer.form.is_dirty
    QTest.keyClick(tile(designer, "name"), Qt.Key.Key_Delete)
    assert "must be filled in" in designer.form.notice.text
    QTest.keyClick(tile(designer, "name"), Qt.Key.Key_Down, ALT)
    QTest.keyClick(child(designer, QAbstractButton, "designer.form.save"), Qt.Key.Key_Space)
    fresh(bench, qtbot)
    assert not designer.form.is_dirty
    assert name not in layout.names(registry.get("account").form)
    assert name not in form.form.boxes
    assert "name" in form.form.boxes


def test_tabs_and_sections_are_made_and_fields_dragged_into_them(
    designer: DesignerWindow, bench: Workbench, qtbot: QtBot
) -> None:
    page = designer.form
    designer.tabs.setCurrentIndex(2)
    page._new_tab()
    ask = child(designer, TextDialog)
    QTest.keyClicks(ask.line, "Own & more")
    QTest.keyClick(ask.line, Qt.Key.Key_Return)
    assert [tab.label for tab in page.draft.tabs][-1] == "Own & more"
    assert page.tabs.currentIndex() == page.tabs.count() - 1
    plan = expect(page.canvas.widget(), QWidget)
    plan.resize(400, 300)
    expect(plan.layout(), QVBoxLayout).activate()
    data = QMimeData()
    data.setData(MIME, b"website")
    drop = QDropEvent(
        QPointF(QPoint(60, 40)), Qt.DropAction.MoveAction, data, Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )  # fmt: skip
    plan.dropEvent(drop)
    assert page.draft.tabs[-1].parts[0].rows == (("website",),)
    page.save()
    fresh(bench, qtbot)
    assert registry.get("account").form[-1].rows == (("website",),)
    assert registry.get("account").form[-1].tab == "Own & more"


def test_leaving_with_an_arranged_form_asks(
    designer: DesignerWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    from desktop_crm.views.designer import form_page

    answers = ["stay", "discard"]
    monkeypatch.setattr(form_page, "ask", lambda *_: answers.pop(0))
    designer.tabs.setCurrentIndex(2)
    QTest.keyClick(tile(designer, "name"), Qt.Key.Key_Down, ALT)
    assert designer.form.is_dirty
    assert not designer.close()
    assert designer.close()


# --- at once, everywhere ------------------------------------------------------------------------


def test_open_lists_filters_and_exports_know_a_new_field_at_once(
    open_window: Open, qtbot: QtBot
) -> None:
    window = open_window("account")
    bench = expect_bench(window)
    pane: RecordPane = window.workspace.current()  # type: ignore[assignment]
    with operation(bench.actor) as work:
        work.create("custom_field", {"entity": "account", "kind": "integer", "label": "Fans"})
    (name,) = [n for n, f in registry.get("account").fields.items() if f.label == "Fans"]
    bench.bus.publish(work.report)
    fresh(bench, qtbot)
    offered = {column.path for column in list_columns.offered(bench.actor, pane.list.entity)}
    assert name in offered
    pane.list.arranged.change(columns=["name", name])
    pane.list.reload()
    settle(qtbot, bench)
    assert [column.label for column in pane.list.model.columns] == ["Name", "Fans"]
    pane.list.search.setText(f"={name} is empty")
    pane.list.search.searched.emit(f"={name} is empty")
    settle(qtbot, bench)
    assert pane.list.count == 2
    export = ExportDialog(window, bench, pane.list.query())
    assert export is not None
    export.reject()
    (field,) = fields.of_entity(bench.actor, "account")
    bench.bus.publish(fields.retire(bench.actor, field))
    fresh(bench, qtbot)
    assert [column.label for column in pane.list.model.columns] == ["Name"]


def expect_bench(window: MainWindow) -> Workbench:
    assert window.bench is not None
    return window.bench


def test_a_field_retired_while_its_form_is_open_keeps_what_was_typed(
    bench: Workbench,
    qtbot: QtBot,
    company: Company,
    opened: Forms,
) -> None:
    fields.add(bench.actor, "account", FieldKind.TEXT, "Segment")
    (field,) = fields.of_entity(bench.actor, "account")
    key = company.ids["rossi"]
    dialog = opened(key)
    QTest.keyClicks(child(dialog, QLineEdit, f"form.account.{field.name}"), "Gold")
    QTest.keyClicks(child(dialog, QLineEdit, "form.account.industry"), "Machines")
    # By another program: this window has not heard of it when the person saves.
    fields.retire(bench.actor, field)
    QTest.keyClick(dialog, Qt.Key.Key_S, CTRL)
    fresh(bench, qtbot)
    assert records.get(bench.actor, "account", key).values["industry"] is None
    assert child(dialog, QLineEdit, "form.account.industry").text() == "Machines"
    told = dialog.form.boxes[field.name].error.text()
    assert "Segment" in told
    assert "Gold" in told
    assert "Nothing was saved" in dialog.notice.text


def test_a_field_retired_under_the_cursor_leaves_it_on_a_field(
    bench: Workbench,
    qtbot: QtBot,
    company: Company,
    opened: Forms,
) -> None:
    fields.add(bench.actor, "account", FieldKind.TEXT, "Segment")
    (field,) = fields.of_entity(bench.actor, "account")
    dialog = opened(company.ids["rossi"])
    with qtbot.waitActive(dialog):
        dialog.activateWindow()
    dialog.form.go_to(field.name)
    QTest.keyClicks(dialog.focusWidget(), "Gold")
    bench.bus.publish(fields.retire(bench.actor, field))
    fresh(bench, qtbot)
    assert field.name not in dialog.form.boxes
    assert dialog.form.focused_field() in dialog.form.boxes
    assert "Gold" in dialog.notice.text


def test_what_another_program_changed_is_noticed(
    bench: Workbench, qtbot: QtBot, company: Company
) -> None:
    watch = DefinitionsWatch(bench.shell.window_widget())
    watch.start(bench)
    settle(qtbot, bench)
    edition = registry.edition()
    other = Database.open(str(bench.actor.db.target.path))
    with registry.as_declared():  # as in a process of its own
        values = {"entity": "account", "kind": "text", "label": "Elsewhere", "is_searchable": True}
        records.save(
            type(bench.actor)(other, bench.actor.user_id, "A", "a", is_admin=True),
            "custom_field", None, None, values,
        )  # fmt: skip
    other.close()
    assert registry.edition() == edition
    with qtbot.waitSignal(bench.bus.changed):
        watch.check()
    assert "Elsewhere" in {f.label for f in registry.get("account").fields.values()}
    with qtbot.assertNotEmitted(bench.bus.changed, wait=50):
        watch.check()
        settle(qtbot, bench)
    (field,) = fields.of_entity(bench.actor, "account")
    fields.retire(bench.actor, field)
    assert definitions.unfolded() == {"account"}
    bench.bus.publish(definitions.NEWS)
    qtbot.waitUntil(lambda: not definitions.unfolded(), timeout=5_000)
    watch.stop()


def test_the_palette_opens_the_designer_for_administrators_only(
    open_window: Open, company: Company, qtbot: QtBot
) -> None:
    window = open_window("account")
    bench = expect_bench(window)
    (action,) = [a for a in window.commands.all_actions() if a.id == "window.designer"]
    action.run()
    settle(qtbot, bench)
    designer = child(window, DesignerWindow)
    assert designer.isVisible()
    assert designer.entities.current_key() == "account"
    designer.close()
    window.bench.actor = company.other  # type: ignore[union-attr]
    assert "window.designer" not in {a.id for a in window.commands.all_actions()}


def test_a_choice_editor_offers_what_is_offered_and_shows_what_stands(
    bench: Workbench,
    qtbot: QtBot,
    company: Company,
    opened: Forms,
) -> None:
    kind = choices.of_field(registry.get("account"), "relationship_type")
    assert kind is not None
    code = kind.options[0].code
    records.save(bench.actor, "account", company.ids["rossi"], None, {"relationship_type": code})
    choices.change(bench.actor, kind, code, is_active=False)
    dialog = opened(company.ids["rossi"])
    combo = child(dialog.form.boxes["relationship_type"], QComboBox)
    assert combo.currentData() == code
    assert combo.currentText() == kind.options[0].label
    new = opened(None)
    combo = child(new.form.boxes["relationship_type"], QComboBox)
    assert combo.findData(code) < 0
    assert shell_of(bench).errors == []
