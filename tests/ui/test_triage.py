"""Filing by keyboard alone: what waits, each decision, its undo, and the rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu, QPushButton

from desktop_crm.services import records, undo
from desktop_crm.services.context import Actor
from desktop_crm.services.mail import filing_rules
from desktop_crm.services.mail import message as mail_message
from desktop_crm.views.dialogs.find_record import FindRecordDialog
from desktop_crm.views.filing.convert_dialog import ConvertMailDialog
from desktop_crm.views.filing.file_dialog import FileDialog
from desktop_crm.views.filing.rules_page import FilingRulesPage, RuleDialog
from desktop_crm.views.panes.mail import MailPane
from tests.support.company import Company
from tests.support.post import deliver, suggest
from tests.support.windows import child, settle, shell_of

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from desktop_crm.views.workbench import Workbench

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support", extend=True)


@pytest.fixture
def pane(bench: Workbench, company: Company, qtbot: QtBot) -> MailPane:
    """Three messages that wait: one with two suggestions, two of somebody unknown."""
    ids = company.ids
    offer = deliver(company, "Offer")
    suggest(company, offer, "contact", ids["claire"], confidence=60)
    suggest(company, offer, "opportunity", ids["Packaging line"], rule="opportunity",
            confidence=50)  # fmt: skip
    deliver(company, "Delivery", hours=5, sender=("Müller, Jonas", "jonas@mueller.example"))
    deliver(company, "Invoice", hours=7, sender=("Müller, Ada", "ada@mueller.example"))
    made = MailPane(bench)
    qtbot.addWidget(made)
    made.resize(1300, 760)
    made.show()
    made.activate()
    settle(qtbot, bench)
    made.nav.chosen.emit("special/review")
    settle(qtbot, bench)
    qtbot.waitUntil(lambda: made.reading.subject.text() == "Offer")
    made.list.setFocus()
    return made


def states(company: Company, name: str) -> dict[str, str]:
    found = mail_message.message(company.actor, company.ids[name]).links
    return {one.title: one.state for one in found}


def press(pane: MailPane, key: Qt.Key) -> None:
    QTest.keyClick(pane.list, key)


def open_subject(pane: MailPane, qtbot: QtBot, subject: str) -> None:
    qtbot.waitUntil(lambda: pane.reading.subject.text() == subject, timeout=8000)
    settle(qtbot, pane.bench)


def menu(qtbot: QtBot) -> QMenu:
    qtbot.waitUntil(lambda: isinstance(QApplication.activePopupWidget(), QMenu), timeout=8000)
    found = QApplication.activePopupWidget()
    assert isinstance(found, QMenu)
    return found


def test_the_bar_shows_the_best_suggestion_and_why(pane: MailPane) -> None:
    bar = pane.triage.bar
    assert bar.isVisible()
    assert bar.title.text() == "Claire Dubois"
    assert bar.why.text() == "claire@rossi.example is an address of this contact."
    pane.nav.chosen.emit("special/all")
    assert not bar.isVisible()


@pytest.mark.parametrize("key", [Qt.Key.Key_Return, Qt.Key.Key_A])
def test_enter_accepts_and_goes_on(
    pane: MailPane, company: Company, qtbot: QtBot, key: Qt.Key
) -> None:
    press(pane, key)
    open_subject(pane, qtbot, "Delivery")
    assert states(company, "Offer") == {"Claire Dubois": "linked", "Packaging line": "rejected"}
    assert ("Linked", "Claire Dubois") in shell_of(pane.bench).toasts
    assert pane.list.messages.rowCount() == 2


def test_a_digit_accepts_that_suggestion_and_undo_brings_it_back(
    pane: MailPane, company: Company, qtbot: QtBot
) -> None:
    press(pane, Qt.Key.Key_2)
    open_subject(pane, qtbot, "Delivery")
    assert states(company, "Offer")["Packaging line"] == "linked"
    pane.bench.bus.publish(undo.undo(company.actor))
    qtbot.waitUntil(lambda: pane.list.messages.rowCount() == 3, timeout=8000)
    assert set(states(company, "Offer").values()) == {"suggested"}
    settle(qtbot, pane.bench)


def test_x_says_no_record(pane: MailPane, company: Company, qtbot: QtBot) -> None:
    press(pane, Qt.Key.Key_X)
    open_subject(pane, qtbot, "Delivery")
    press(pane, Qt.Key.Key_X)
    open_subject(pane, qtbot, "Invoice")
    assert set(states(company, "Offer").values()) == {"rejected"}
    assert pane.list.messages.rowCount() == 1


def test_later_leaves_it_waiting(pane: MailPane, qtbot: QtBot) -> None:
    child(pane, QPushButton, "triage.later").click()
    open_subject(pane, qtbot, "Delivery")
    assert pane.list.messages.rowCount() == 3


def test_o_files_to_another_record(pane: MailPane, company: Company, qtbot: QtBot) -> None:
    press(pane, Qt.Key.Key_O)
    window = pane.bench.shell.window_widget()
    qtbot.waitUntil(lambda: window.findChild(FileDialog) is not None, timeout=8000)
    dialog = child(window, FileDialog)
    QTest.keyClicks(dialog.line, "rossi")
    qtbot.waitUntil(
        lambda: [one.title for one in dialog.found.lines][1:2] == ["Officine Rossi"], timeout=8000
    )
    assert dialog.reach.currentText() == "Only this message"
    QTest.keyClick(dialog.line, Qt.Key.Key_Return)
    open_subject(pane, qtbot, "Delivery")
    found = states(company, "Offer")
    assert found["Officine Rossi"] == "linked"
    assert "suggested" not in found.values()


def test_w_always_files_mail_of_the_sender(pane: MailPane, company: Company, qtbot: QtBot) -> None:
    press(pane, Qt.Key.Key_W)
    shown = menu(qtbot)
    assert [one.text() for one in shown.actions()][
        1
    ] == "Mail of this &sender, claire@rossi.example, to Claire Dubois"
    QTest.keyClick(shown, Qt.Key.Key_S)
    open_subject(pane, qtbot, "Delivery")
    (rule,) = filing_rules.rules(company.actor)
    assert (rule.shown, rule.title) == ("claire@rossi.example", "Claire Dubois")
    assert states(company, "Offer")["Claire Dubois"] == "linked"


def test_w_asks_for_a_record_where_nobody_is_known(
    pane: MailPane, company: Company, qtbot: QtBot
) -> None:
    press(pane, Qt.Key.Key_J)
    open_subject(pane, qtbot, "Delivery")
    press(pane, Qt.Key.Key_W)
    window = pane.bench.shell.window_widget()
    qtbot.waitUntil(lambda: window.findChild(FileDialog) is not None, timeout=8000)
    dialog = child(window, FileDialog)
    dialog.reach.setFocus()
    while dialog.reach.currentText() != "All mail of @mueller.example, now and later":
        QTest.keyClick(dialog.reach, Qt.Key.Key_Down)
    QTest.keyClicks(dialog.line, "dumbrava")
    qtbot.waitUntil(
        lambda: [one.title for one in dialog.found.lines][1:2] == ["Dumbrava Mobilă"], timeout=8000
    )
    QTest.keyClick(dialog.line, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: pane.list.messages.rowCount() == 1, timeout=8000)
    settle(qtbot, pane.bench)
    assert states(company, "Invoice") == {"Dumbrava Mobilă": "linked"}


def test_v_never_files_mail_of_the_domain(pane: MailPane, company: Company, qtbot: QtBot) -> None:
    press(pane, Qt.Key.Key_J)
    open_subject(pane, qtbot, "Delivery")
    press(pane, Qt.Key.Key_V)
    QTest.keyClick(menu(qtbot), Qt.Key.Key_D)
    open_subject(pane, qtbot, "Offer")
    assert pane.list.messages.rowCount() == 1
    (rule,) = filing_rules.rules(company.actor)
    assert (rule.shown, rule.entity, rule.messages) == ("@mueller.example", "", 2)


def test_keys_of_waiting_mail_do_nothing_in_other_lists(
    pane: MailPane, company: Company, qtbot: QtBot
) -> None:
    pane.nav.chosen.emit("special/all")
    open_subject(pane, qtbot, "Offer")
    for key in (Qt.Key.Key_X, Qt.Key.Key_1, Qt.Key.Key_Return):
        press(pane, key)
    settle(qtbot, pane.bench)
    assert set(states(company, "Offer").values()) == {"suggested"}


# --- the rules in the settings -------------------------------------------------------------------


@pytest.fixture
def page(bench: Workbench, company: Company, qtbot: QtBot) -> FilingRulesPage:
    deliver(company, "Offer")
    made = FilingRulesPage(bench)
    qtbot.addWidget(made)
    made.resize(1100, 600)
    made.show()
    made.load()
    settle(qtbot, bench)
    return made


def shown(page: FilingRulesPage) -> list[tuple[str, ...]]:
    return [fact.cells for fact in page.table.facts.facts]


def test_a_rule_is_made_changed_and_deleted(
    page: FilingRulesPage, company: Company, qtbot: QtBot
) -> None:
    window = page.bench.shell.window_widget()
    child(page, QPushButton, "settings.filing.new").click()
    dialog = child(window, RuleDialog)
    QTest.keyClicks(dialog.value, "nobody")
    QTest.keyClick(dialog.target, Qt.Key.Key_Down)
    QTest.keyClick(dialog.value, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: "is no mail address" in dialog.notice.text, timeout=8000)
    dialog.value.setText("Claire@Rossi.example")
    QTest.keyClick(dialog.value, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: len(shown(page)) == 1, timeout=8000)
    assert shown(page)[0] == (
        "claire@rossi.example", "Sender", "Never filed", "Office", "1", "0",
    )  # fmt: skip
    page.table.setFocus()
    page.table.selectRow(0)
    page.change()
    find = child(window, FindRecordDialog)
    QTest.keyClicks(find.line, "dumbrava")
    qtbot.waitUntil(
        lambda: [one.title for one in find.found.lines][1:2] == ["Dumbrava Mobilă"], timeout=8000
    )
    QTest.keyClick(find.line, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: shown(page)[0][2] == "Dumbrava Mobilă", timeout=8000)
    settle(qtbot, page.bench)
    page.table.selectRow(0)
    QTest.keyClick(page.table, Qt.Key.Key_Delete)
    qtbot.waitUntil(lambda: shown(page) == [], timeout=8000)
    assert filing_rules.rules(company.actor) == ()
    settle(qtbot, page.bench)


def test_without_a_mailbox_there_is_nothing_to_make(bench: Workbench, qtbot: QtBot) -> None:
    made = FilingRulesPage(bench)
    qtbot.addWidget(made)
    made.show()
    made.load()
    settle(qtbot, bench)
    assert not child(made, QPushButton, "settings.filing.new").isEnabled()
    assert "mailbox" in made.notice.text


# --- what a message becomes ----------------------------------------------------------------------


def converting(pane: MailPane, qtbot: QtBot, command: str) -> ConvertMailDialog:
    commands = {action.id: action for action in pane.commands()}
    assert commands[command].is_enabled
    commands[command].run()
    window = pane.bench.shell.window_widget()
    qtbot.waitUntil(lambda: window.findChild(ConvertMailDialog) is not None, timeout=8000)
    return child(window, ConvertMailDialog)


def test_a_message_becomes_an_opportunity_by_keyboard(
    pane: MailPane, company: Company, qtbot: QtBot
) -> None:
    dialog = converting(pane, qtbot, "mail.convert")
    assert dialog.kind.currentText() == "Lead"
    assert dialog.form.readable()["subject"] == "Offer"
    QTest.keyClick(dialog.kind, Qt.Key.Key_Down)
    assert dialog.form.readable()["name"] == "Offer"
    qtbot.waitUntil(dialog.isActiveWindow, timeout=8000)
    QTest.keyClick(dialog, Qt.Key.Key_S, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(
        lambda: ("Opportunity made of the message", "Offer") in shell_of(pane.bench).toasts,
        timeout=8000,
    )
    settle(qtbot, pane.bench)
    assert states(company, "Offer")["Offer"] == "linked"


def test_who_may_make_nothing_is_not_offered_to_convert(
    pane: MailPane, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Actor, "can", lambda _self, _entity, action: action != "create")
    found = {action.id for action in pane.commands()}
    assert "mail.reply" in found
    assert not found & {"mail.convert", "mail.lead", "mail.case", "mail.task"}


def test_a_message_becomes_a_task_and_opens(pane: MailPane, company: Company, qtbot: QtBot) -> None:
    dialog = converting(pane, qtbot, "mail.task")
    child(dialog, QPushButton, "convertMail.open").click()
    qtbot.waitUntil(lambda: bool(shell_of(pane.bench).opened), timeout=8000)
    entity, key = shell_of(pane.bench).opened[0]
    made = records.get(company.actor, entity, key)
    assert (made.values["kind"], made.values["subject"]) == ("task", "Offer")
    settle(qtbot, pane.bench)


def test_a_wrong_field_is_said_and_nothing_is_made(pane: MailPane, qtbot: QtBot) -> None:
    dialog = converting(pane, qtbot, "mail.opportunity")
    dialog.form.put("name", "")
    dialog.save()
    assert "Nothing was saved" in dialog.notice.text
    assert shell_of(pane.bench).toasts == []
    dialog.reject()
    settle(qtbot, pane.bench)
