"""Making records from anywhere: the short form, what may be there already, business cards."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QComboBox, QLineEdit, QMenu

from desktop_crm.meta import registry
from desktop_crm.meta.bound import Entity
from desktop_crm.services import records, undo
from desktop_crm.services.query import RecordQuery, keys, objects
from desktop_crm.views.dialogs import business_card as card_module
from desktop_crm.views.dialogs.business_card import BusinessCardDialog, open_business_card
from desktop_crm.views.forms import editing as editing_module
from desktop_crm.views.forms.link_editor import LinkEditor
from desktop_crm.views.forms.quick_create import (
    QuickCreateDialog,
    compact,
    open_quick_create,
)
from tests.support.windows import child, expect, settle, shell_of

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from desktop_crm.views.main_window import MainWindow
    from desktop_crm.views.workbench import Workbench
    from tests.support.company import Company

Open = Callable[[str], "MainWindow"]
KEYS = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
SIGNATURE = """Ioana Mărginean
Director Achiziții
Dumbrava Mobilă SRL
545300 Reghin, România
Mobil: +40 722 123 456
ioana@dumbrava-mobila.example
Lucruri bune"""


@pytest.mark.parametrize("entity", registry.all(), ids=lambda e: e.key)
def test_the_short_form_has_what_must_be_filled_in(entity: Entity) -> None:
    (section,) = compact(entity, {})
    names = {name for line in section.rows for name in line}
    fields = entity.fields
    typed = {name for name in fields if fields[name].kind.name not in {"lines", "image", "json"}}
    needed = {name for name in typed if fields[name].required}
    assert needed <= names
    assert not any(fields[name].read_only for name in names)


def quick(bench: Workbench, qtbot: QtBot, entity: str, **defaults: object) -> QuickCreateDialog:
    dialog = expect(
        open_quick_create(bench, bench.shell.window_widget(), entity, defaults), QuickCreateDialog
    )
    settle(qtbot, bench)
    return dialog


def line(dialog: QuickCreateDialog, name: str) -> QLineEdit:
    return child(dialog, QLineEdit, f"form.{dialog.form.entity.key}.{name}")


def count(company: Company, entity: str) -> int:
    return len(keys(company.actor, RecordQuery(entity, ())))


def test_ctrl_shift_n_makes_a_record_from_anywhere(
    open_window: Open, company: Company, qtbot: QtBot
) -> None:
    window = open_window("home")
    QTest.keyClick(window, Qt.Key.Key_N, KEYS)
    dialog = child(window, QuickCreateDialog)
    qtbot.waitUntil(lambda: not window.tasks.busy)
    kinds = child(dialog, QComboBox, "quickCreate.entity")
    kinds.setCurrentIndex(kinds.findData("account"))
    qtbot.waitUntil(lambda: not window.tasks.busy)
    QTest.keyClicks(line(dialog, "name"), "Carton Vest")
    QTest.keyClick(line(dialog, "name"), Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: not window.tasks.busy)
    qtbot.waitUntil(lambda: count(company, "account") == 3)
    qtbot.waitUntil(lambda: not window.findChildren(QuickCreateDialog))
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    QTest.keyClick(window, Qt.Key.Key_N, KEYS)
    again = child(window, QuickCreateDialog)
    qtbot.waitUntil(lambda: not window.tasks.busy)
    assert again.form.entity.key == "account"
    again.reject()


@pytest.mark.qt_log_ignore("raise\\(\\)", "grabbing the keyboard", "grabbing the mouse")
def test_the_plus_offers_what_one_may_create(open_window: Open, qtbot: QtBot) -> None:
    window = open_window("home")
    button = child(window.top_bar, QAbstractButton, "topbar.create")
    QTest.keyClick(button, Qt.Key.Key_Space)
    texts = [action.text() for action in child(button, QMenu).actions()]
    assert "New contact" in texts
    assert any(text.startswith("Business card…") for text in texts)
    child(button, QMenu).close()


def test_what_was_typed_moves_along_to_another_kind(
    bench: Workbench, company: Company, qtbot: QtBot
) -> None:
    dialog = quick(bench, qtbot, "")
    kinds = child(dialog, QComboBox, "quickCreate.entity")
    kinds.setCurrentIndex(kinds.findData("account"))
    settle(qtbot, bench)
    QTest.keyClicks(line(dialog, "email"), "office@vest.example")
    QTest.keyClicks(line(dialog, "name"), "Vest")
    kinds.setCurrentIndex(kinds.findData("contact"))
    settle(qtbot, bench)
    assert line(dialog, "email").text() == "office@vest.example"
    assert dialog.form.changes() == {"email": "office@vest.example"}
    dialog.form.settle()
    dialog.close()
    settle(qtbot, bench)


def test_the_link_is_filled_in_and_the_address_becomes_a_row(
    bench: Workbench, company: Company, qtbot: QtBot
) -> None:
    dialog = quick(bench, qtbot, "contact", account=company.ids["rossi"])
    account = dialog.form.boxes["account"].editor
    assert isinstance(account, LinkEditor)
    assert account.title == "Officine Rossi"
    QTest.keyClicks(line(dialog, "last_name"), "Bruni")
    QTest.keyClicks(line(dialog, "email"), "b@rossi.example")
    child(dialog, QAbstractButton, "quickCreate.open").click()
    settle(qtbot, bench)
    entity, made = shell_of(bench).opened[0]
    assert entity == "contact"
    saved = records.get(company.actor, "contact", made)
    assert saved.values["account"] == company.ids["rossi"]
    assert [row["address"] for row in saved.lines["emails"]] == ["b@rossi.example"]


def test_save_and_new_begins_again(bench: Workbench, company: Company, qtbot: QtBot) -> None:
    dialog = quick(bench, qtbot, "account")
    for name in ("First", "Second"):
        QTest.keyClicks(line(dialog, "name"), name)
        child(dialog, QAbstractButton, "quickCreate.again").click()
        settle(qtbot, bench)
        assert line(dialog, "name").text() == ""
    assert count(company, "account") == 4
    dialog.close()


def test_what_may_be_there_stands_in_front_with_its_reason(
    bench: Workbench, company: Company, qtbot: QtBot
) -> None:
    dialog = quick(bench, qtbot, "contact")
    QTest.keyClicks(line(dialog, "email"), "claire@rossi.example")
    qtbot.waitUntil(lambda: bool(dialog.alike.candidates))
    settle(qtbot, bench)
    assert dialog.alike.isVisible()
    (candidate,) = dialog.alike.candidates
    assert candidate.title == "Claire Dubois"
    assert "e-mail" in candidate.why
    child(dialog, QAbstractButton, "quickCreate.alike.1.open").click()
    assert shell_of(bench).opened == [("contact", company.ids["claire"])]
    line(dialog, "email").clear()
    QTest.keyClicks(line(dialog, "email"), "x")
    qtbot.waitUntil(lambda: not dialog.alike.isVisible())
    settle(qtbot, bench)
    dialog.form.settle()
    dialog.close()


def test_closing_asks_only_when_something_was_typed(
    bench: Workbench, company: Company, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def answer(_parent: object, title: str, *_rest: object) -> str:
        asked.append(title)
        return "discard"

    monkeypatch.setattr(editing_module, "ask", answer)
    dialog = quick(bench, qtbot, "contact", account=company.ids["rossi"])
    dialog.reject()
    assert asked == []
    dialog = quick(bench, qtbot, "contact")
    QTest.keyClicks(line(dialog, "last_name"), "X")
    QTest.keyClick(dialog, Qt.Key.Key_Escape)
    assert asked == ["Save the changes?"]
    settle(qtbot, bench)


# --- business cards -----------------------------------------------------------------------------


@pytest.fixture
def card(bench: Workbench, company: Company, qtbot: QtBot) -> BusinessCardDialog:
    dialog = open_business_card(bench, bench.shell.window_widget())
    settle(qtbot, bench)
    return dialog


def read(card: BusinessCardDialog, bench: Workbench, qtbot: QtBot, text: str) -> None:
    card.text.setPlainText(text)
    qtbot.waitUntil(lambda: not card._rest.isActive())
    settle(qtbot, bench)


def field(card: BusinessCardDialog, part: str, name: str) -> QLineEdit:
    return child(card, QLineEdit, f"form.{part}.{name}")


def test_a_pasted_signature_becomes_records(
    card: BusinessCardDialog, bench: Workbench, company: Company, qtbot: QtBot
) -> None:
    read(card, bench, qtbot, SIGNATURE)
    assert field(card, "account", "name").text() == "Dumbrava Mobilă SRL"
    assert field(card, "contact", "last_name").text() == "Mărginean"
    assert "Lucruri bune" in card._left.text()
    child(card, QAbstractButton, "businessCard.opportunity").click()
    QTest.keyClicks(field(card, "opportunity", "name"), "Chairs")
    QTest.keyClicks(field(card, "activity", "subject"), "Call Ioana")
    QTest.keyClick(field(card, "activity", "subject"), Qt.Key.Key_Return)
    settle(qtbot, bench)
    assert shell_of(bench).toasts[-1][0] == "Business card saved"
    contact = RecordQuery("contact", ("last_name", "account", "email", "phone"))
    made = next(row for row in objects(company.actor, contact) if row["last_name"] == "Mărginean")
    assert made["account"] == "Dumbrava Mobilă SRL"
    assert (made["email"], made["phone"]) == ("ioana@dumbrava-mobila.example", "+40 722 123 456")
    assert count(company, "opportunity") == 6
    undo.undo(company.actor)
    assert count(company, "opportunity") == 5
    assert count(company, "contact") == 1


def test_what_a_person_typed_is_not_overwritten(
    card: BusinessCardDialog, bench: Workbench, qtbot: QtBot
) -> None:
    QTest.keyClicks(field(card, "account", "name"), "Dumbrava")
    read(card, bench, qtbot, SIGNATURE)
    assert field(card, "account", "name").text() == "Dumbrava"
    assert field(card, "account", "city").text() == "Reghin"
    read(card, bench, qtbot, SIGNATURE.replace("Reghin", "Sibiu"))
    assert field(card, "account", "city").text() == "Sibiu"
    for part in card.parts.values():
        part.form.settle()
    card.close()


def test_a_record_that_is_there_is_used_with_its_company(
    card: BusinessCardDialog, bench: Workbench, company: Company, qtbot: QtBot
) -> None:
    read(card, bench, qtbot, "Claire Dubois\nBuyer\nclaire@rossi.example\n+39 02 1234 5678")
    part = card.parts["contact"]
    qtbot.waitUntil(lambda: bool(part.alike.candidates))
    child(part, QAbstractButton, "businessCard.contact.alike.1.use").click()
    qtbot.waitUntil(lambda: card.parts["account"].existing is not None)
    settle(qtbot, bench)
    assert part.existing == company.ids["claire"]
    assert card.parts["account"].existing == company.ids["rossi"]
    assert "Officine Rossi" in card.parts["account"]._uses.text()
    child(card, QAbstractButton, "businessCard.save").click()
    settle(qtbot, bench)
    claire = records.get(company.actor, "contact", company.ids["claire"])
    assert claire.values["job_title"] == "Buyer"
    assert claire.values["phone"] == "+39 02 1234 5678"
    assert count(company, "contact") == 1
    assert count(company, "account") == 2


def test_a_new_record_can_be_made_after_all(
    card: BusinessCardDialog, bench: Workbench, company: Company, qtbot: QtBot
) -> None:
    part = card.parts["account"]
    part.use(company.ids["rossi"], "Officine Rossi")
    child(part, QAbstractButton, "businessCard.account.new").click()
    assert part.existing is None
    assert not part.is_wanted
    settle(qtbot, bench)
    card.close()


def test_a_text_that_says_nothing_is_told(
    card: BusinessCardDialog, bench: Workbench, qtbot: QtBot
) -> None:
    read(card, bench, qtbot, "hello there")
    assert "Nothing was filled in" in card.notice.text
    card.close()


def test_an_empty_card_says_what_to_do(
    card: BusinessCardDialog, bench: Workbench, qtbot: QtBot
) -> None:
    child(card, QAbstractButton, "businessCard.save").click()
    settle(qtbot, bench)
    assert "Nothing was saved" in card.notice.text
    assert card.isVisible()
    card.close()


def test_what_is_wrong_is_told_beside_the_field(
    card: BusinessCardDialog, bench: Workbench, company: Company, qtbot: QtBot
) -> None:
    QTest.keyClicks(field(card, "account", "city"), "Cluj")
    child(card, QAbstractButton, "businessCard.save").click()
    assert card.parts["account"].form.boxes["name"].message
    QTest.keyClicks(field(card, "account", "name"), "Nou")
    QTest.keyClicks(field(card, "contact", "first_name"), "Ana")
    child(card, QAbstractButton, "form.contact.emails.add").click()
    QTest.keyClicks(child(card, QLineEdit, "form.contact.emails.1.address"), "nonsense")
    child(card, QAbstractButton, "businessCard.save").click()
    settle(qtbot, bench)
    assert card.isVisible()
    assert count(company, "account") == 2
    for part in card.parts.values():
        part.form.settle()
    card.close()


def test_closing_a_typed_card_asks(
    card: BusinessCardDialog, bench: Workbench, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = ["stay", "discard"]
    monkeypatch.setattr(card_module, "ask", lambda *_rest: answers.pop(0))
    QTest.keyClicks(field(card, "account", "name"), "Nou")
    settle(qtbot, bench)
    card.reject()
    assert card.isVisible()
    card.reject()
    assert not card.isVisible()
    settle(qtbot, bench)
