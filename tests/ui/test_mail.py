"""Mail: reading, why a message is linked, and deciding it by keyboard."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QDesktopServices, QImage, QTextDocument
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QLabel, QLineEdit, QMenu, QPushButton, QWidget

from desktop_crm.services import records, viewed
from desktop_crm.services.mail import lines, listing
from desktop_crm.services.mail import message as mail_message
from desktop_crm.services.mail.listing import MailQuery, Special
from desktop_crm.views.charts.line_list import Line
from desktop_crm.views.dialogs.business_card import BusinessCardDialog
from desktop_crm.views.dialogs.find_record import FindRecordDialog
from desktop_crm.views.forms.sections import FoldButton
from desktop_crm.views.mail import pane_deeds
from desktop_crm.views.mail.categories_dialog import CategoriesDialog
from desktop_crm.views.panes.mail import MailPane
from desktop_crm.views.panes.mail_folders import OUTBOX, special_key
from desktop_crm.views.panes.mail_reading import SafeBrowser
from desktop_crm.views.stored_files import is_harmless, safe_name
from desktop_crm.views.widgets.labels import Pill
from tests.support.company import Company
from tests.support.post import HTML, deliver, suggest
from tests.support.windows import child, expect, settle, shell_of

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from desktop_crm.views.workbench import Workbench

PIXEL = base64.b64encode(
    bytes.fromhex(
        "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489"
        "0000000d49444154789c6360606060000000050001a5f645400000000049454e44ae426082"
    )
).decode()


@pytest.fixture
def pane(bench: Workbench, company: Company, qtbot: QtBot) -> MailPane:
    ids = company.ids
    offer = deliver(company, "Offer", html=HTML, files={"offer.pdf": b"%PDF", "run.exe": b"MZ"},
                    is_read=False, contact=ids["claire"])  # fmt: skip
    deliver(company, "Delivery", hours=5, sender=("Müller, Jonas", "jonas@mueller.example"))
    deliver(company, "Answer", folder="Sent", hours=9)
    suggest(company, offer, "contact", ids["claire"], state="linked", confidence=98)
    suggest(company, offer, "opportunity", ids["Packaging line"], rule="opportunity")
    made = MailPane(bench)
    qtbot.addWidget(made)
    made.resize(1300, 760)
    made.show()
    made.activate()
    settle(qtbot, bench)
    qtbot.waitUntil(lambda: made.reading.subject.text() == "Offer")
    made.list.setFocus()
    return made


def quiet(qtbot: QtBot, pane: MailPane) -> None:
    qtbot.waitUntil(lambda: not pane.bench.tasks.busy, timeout=10_000)


def cards(pane: MailPane) -> dict[str, str]:
    return {card.link.title: card.link.state for card in pane.links.cards()}


def test_the_newest_message_is_open_with_its_links(pane: MailPane) -> None:
    assert pane.status_text() == "3 messages"
    assert cards(pane) == {"Claire Dubois": "linked", "Packaging line": "suggested"}
    assert "attached is our offer" in pane.reading.browser.toPlainText()
    card = next(one for one in pane.links.cards() if one.link.title == "Packaging line")
    why = child(card, QLabel, f"link.{card.link.id}.why")
    assert why.text().startswith("Those who take part have this opportunity open:")
    assert why.text().endswith("A suggestion, 70% sure.")
    assert why.accessibleName().startswith("Why here:")


def test_j_and_k_go_through_the_list(pane: MailPane, qtbot: QtBot) -> None:
    QTest.keyClick(pane.list, Qt.Key.Key_J)
    qtbot.waitUntil(lambda: pane.reading.subject.text() == "Delivery")
    QTest.keyClick(pane.list, Qt.Key.Key_K)
    qtbot.waitUntil(lambda: pane.reading.subject.text() == "Offer")


def test_a_accepts_the_suggestion(pane: MailPane, qtbot: QtBot) -> None:
    QTest.keyClick(pane.list, Qt.Key.Key_A)
    qtbot.waitUntil(lambda: cards(pane).get("Packaging line") == "linked")
    assert ("Linked", "Packaging line") in shell_of(pane.bench).toasts
    quiet(qtbot, pane)
    assert pane.reading.subject.text() == "Offer"


def rejected(pane: MailPane) -> list[QPushButton]:
    found = pane.findChildren(QPushButton, "mailRejected")
    return [button for button in found if button.isVisible()]


def test_u_unlinks_and_the_decision_can_be_found_again(pane: MailPane, qtbot: QtBot) -> None:
    QTest.keyClick(pane.list, Qt.Key.Key_U)
    qtbot.waitUntil(lambda: "Claire Dubois" not in cards(pane))
    quiet(qtbot, pane)
    qtbot.waitUntil(lambda: bool(rejected(pane)))
    rejected(pane)[0].click()
    qtbot.waitUntil(lambda: cards(pane).get("Claire Dubois") == "rejected")


def test_rejecting_a_suggestion(pane: MailPane, qtbot: QtBot) -> None:
    card = next(one for one in pane.links.cards() if one.link.state == "suggested")
    child(card, QAbstractButton, f"link.{card.link.id}.reject").click()
    qtbot.waitUntil(lambda: "Packaging line" not in cards(pane))
    quiet(qtbot, pane)


def test_l_links_to_a_record_by_typing(pane: MailPane, qtbot: QtBot, company: Company) -> None:
    QTest.keyClick(pane.list, Qt.Key.Key_J)
    qtbot.waitUntil(lambda: pane.reading.subject.text() == "Delivery")
    QTest.keyClick(pane.list, Qt.Key.Key_L)
    window = pane.bench.shell.window_widget()
    qtbot.waitUntil(lambda: window.findChild(FindRecordDialog) is not None)
    dialog = child(window, FindRecordDialog)
    QTest.keyClicks(dialog.line, "rossi")
    qtbot.waitUntil(
        lambda: [one.title for one in dialog.found.lines][1:2] == ["Officine Rossi"],
        timeout=8000,
    )
    QTest.keyClick(dialog.line, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: cards(pane) == {"Officine Rossi": "linked"})
    quiet(qtbot, pane)
    message = mail_message.message(company.actor, company.ids["Delivery"])
    assert message.links[0].rule == "manual"


def test_arrows_in_the_search_line_choose_what_was_found(bench: Workbench, qtbot: QtBot) -> None:
    dialog = FindRecordDialog(bench.shell.window_widget(), bench, "Link", ("account", "contact"))
    dialog.show()
    settle(qtbot, bench)
    chosen = []
    dialog.chosen.connect(lambda entity, _id, title: chosen.append((entity, title)))
    first = expect(dialog.found.current_line(), Line).title
    QTest.keyClick(dialog.line, Qt.Key.Key_Down)
    assert expect(dialog.found.current_line(), Line).title != first
    QTest.keyClick(dialog.line, Qt.Key.Key_Return)
    assert len(chosen) == 1


def test_what_was_opened_lately_stands_first_while_nothing_is_typed(
    bench: Workbench, company: Company, qtbot: QtBot
) -> None:
    for entity, name in (("account", "dumbrava"), ("contact", "claire"), ("account", "rossi")):
        viewed.note(company.actor, entity, company.ids[name])
    dialog = FindRecordDialog(bench.shell.window_widget(), bench, "Link", ("account",))
    dialog.show()
    settle(qtbot, bench)
    shown = [(one.entity, one.title) for one in dialog.found.lines]
    assert shown[0] == ("", "Recently opened")
    assert shown[1] == ("account", "Officine Rossi")
    assert [entity for entity, _title in shown[2:4]] == ["account", ""]
    QTest.keyClicks(dialog.line, "rossi")
    qtbot.waitUntil(lambda: dialog.found.lines[0].title == "Accounts", timeout=8000)


def test_folders_and_search(pane: MailPane, qtbot: QtBot) -> None:
    assert "special/review" in pane._titles
    box = next(key for key in pane._titles if key.endswith("/Sent"))
    pane.nav.chosen.emit(box)
    qtbot.waitUntil(lambda: pane.reading.subject.text() == "Answer")
    pane.nav.chosen.emit("special/all")
    settle(qtbot, pane.bench)
    pane.focus_filter()
    QTest.keyClicks(pane.search, "mueller")
    qtbot.waitUntil(lambda: pane.reading.subject.text() == "Delivery", timeout=8000)
    pane.search.setText("nowhere")
    qtbot.waitUntil(lambda: child(pane, QWidget, "mailListEmpty").isVisible(), timeout=8000)
    settle(qtbot, pane.bench)


def test_a_contact_is_made_of_an_unknown_sender(
    pane: MailPane, company: Company, qtbot: QtBot
) -> None:
    QTest.keyClick(pane.list, Qt.Key.Key_J)
    qtbot.waitUntil(lambda: pane.reading.subject.text() == "Delivery")
    commands = {action.id: action for action in pane.commands()}
    assert commands["mail.contact"].is_enabled
    commands["mail.contact"].run()
    window = pane.bench.shell.window_widget()
    qtbot.waitUntil(lambda: window.findChild(BusinessCardDialog) is not None)
    dialog = child(window, BusinessCardDialog)
    values = dialog.parts["contact"].values()
    assert (values["first_name"], values["last_name"]) == ("Jonas", "Müller")
    QTest.keyClick(dialog, Qt.Key.Key_S, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: cards(pane) == {"Jonas Müller": "linked"}, timeout=8000)
    quiet(qtbot, pane)
    found = mail_message.message(company.actor, company.ids["Delivery"])
    assert [one.rule for one in found.links] == ["manual"]


def test_a_new_contact_is_offered_as_a_link_at_once(
    pane: MailPane, company: Company, qtbot: QtBot
) -> None:
    QTest.keyClick(pane.list, Qt.Key.Key_J)
    qtbot.waitUntil(lambda: pane.reading.subject.text() == "Delivery")
    saved = records.save(
        company.actor, "contact", None, None,
        {"first_name": "Jonas", "last_name": "Müller", "email": "jonas@mueller.example"},
    )  # fmt: skip
    pane.bench.bus.publish(saved.changes)
    qtbot.waitUntil(lambda: cards(pane) == {"Jonas Müller": "suggested"}, timeout=8000)
    quiet(qtbot, pane)


def test_a_known_sender_offers_no_contact(pane: MailPane) -> None:
    commands = {action.id: action for action in pane.commands()}
    assert not commands["mail.contact"].is_enabled
    assert commands["mail.accept"].is_enabled


def test_programs_can_be_saved_but_not_opened(pane: MailPane, company: Company) -> None:
    offer, run = (company.ids[name] for name in ("offer.pdf", "run.exe"))
    texts = {
        key: [one.text() for one in child(pane, QMenu, f"attachment.{key}.menu").actions()]
        for key in (offer, run)
    }
    kept = ["Save as…", "Attach to Claire Dubois"]
    assert texts == {offer: ["Open file", *kept], run: kept}


def test_place_is_kept_over_a_rebuild(pane: MailPane, company: Company, qtbot: QtBot) -> None:
    QTest.keyClick(pane.list, Qt.Key.Key_J)
    qtbot.waitUntil(lambda: pane.reading.subject.text() == "Delivery")
    place = pane.place()
    other = MailPane(pane.bench)
    qtbot.addWidget(other)
    other.show()
    other.activate()
    other.return_to(place)
    qtbot.waitUntil(lambda: other.reading.subject.text() == "Delivery")
    settle(qtbot, pane.bench)


def test_without_a_mailbox_it_says_what_to_do(bench: Workbench, qtbot: QtBot) -> None:
    made = MailPane(bench)
    qtbot.addWidget(made)
    made.show()
    made.activate()
    settle(qtbot, bench)
    made.refresh()
    settle(qtbot, bench)
    button = child(made, QAbstractButton, "mailListEmpty.action")
    assert button.isVisible()
    assert button.text() == "Add mailbox"


# --- safety ------------------------------------------------------------------------------------


def test_pictures_of_the_network_and_the_disk_are_never_loaded(
    qtbot: QtBot, tmp_path: Path
) -> None:
    browser = SafeBrowser()
    qtbot.addWidget(browser)
    secret = tmp_path / "secret.png"
    secret.write_bytes(base64.b64decode(PIXEL))
    kind = QTextDocument.ResourceType.ImageResource.value
    for address in ("https://tracker.example/x.gif", secret.as_uri(), str(secret)):
        image = browser.loadResource(kind, QUrl(address))
        assert isinstance(image, QImage)
        assert image.pixelColor(0, 0).alpha() == 0


def test_pictures_inside_the_message_are_shown(qtbot: QtBot) -> None:
    browser = SafeBrowser()
    qtbot.addWidget(browser)
    kind = QTextDocument.ResourceType.ImageResource.value
    image = expect(browser.loadResource(kind, QUrl(f"data:image/png;base64,{PIXEL}")), QImage)
    assert (image.width(), image.height()) == (1, 1)


def test_a_link_asks_before_it_opens_and_scripts_never_do(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    from desktop_crm.views.panes import mail_reading

    asked: list[str] = []
    opened: list[str] = []

    def ask(*args: object) -> str:
        asked.append(str(args[2]))
        return "open"

    monkeypatch.setattr(mail_reading, "ask", ask)
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: opened.append(url.toString()))
    browser = SafeBrowser()
    qtbot.addWidget(browser)
    for address in ("https://rossi.example/", "javascript:alert(1)", "file:///etc/passwd"):
        browser.anchorClicked.emit(QUrl(address))
    assert opened == ["https://rossi.example/"]
    assert "rossi.example" in asked[0]


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("offer.pdf", "offer.pdf"),
        ("../../etc/passwd", "passwd"),
        ("C:\\temp\\run.exe", "run.exe"),
        ('a"b|c?.txt', "a_b_c_.txt"),
        ("  ..  ", "attachment"),
        ("ofertă țevi.pdf", "ofertă țevi.pdf"),
    ],
)
def test_names_of_attachments_are_made_safe(name: str, safe: str) -> None:
    assert safe_name(name) == safe


@pytest.mark.parametrize(
    ("name", "harmless"), [("a.pdf", True), ("a.PDF", True), ("a.pdf.exe", False), ("a", False)]
)
def test_only_known_kinds_are_opened(name: str, harmless: bool) -> None:
    assert is_harmless(name) is harmless


def test_behind_the_outbox_the_list_opens_nothing(
    pane: MailPane, company: Company, qtbot: QtBot
) -> None:
    other = company.ids["Answer"]
    pane._choose_folder(OUTBOX)
    quiet(qtbot, pane)
    pane.outbox.chosen.emit(other)
    qtbot.waitUntil(lambda: pane.reading.subject.text() == "Answer")
    pane.refresh()
    quiet(qtbot, pane)
    pane.list.current_changed.emit(company.ids["Offer"])
    pane._reload()
    quiet(qtbot, pane)
    assert pane.reading.subject.text() == "Answer"
    pane._choose_folder(special_key(Special.ALL))
    qtbot.waitUntil(lambda: pane.reading.subject.text() == "Offer")


def test_on_a_low_window_a_conversation_leaves_the_room_to_the_text(
    pane: MailPane, company: Company, qtbot: QtBot
) -> None:
    deliver(company, "again", subject="Re: Delivery", hours=1)
    strip = pane.reading.conversation
    rows = listing.message_keys(company.actor, MailQuery())
    found = lines.messages(company.actor, list(rows)[:2])
    pane.resize(1100, 600)
    strip._show(found)
    head = child(strip, FoldButton, "mailThread.head")
    assert not head.isChecked()
    assert strip.list.isHidden()
    QTest.keyClick(head, Qt.Key.Key_Return)
    assert not strip.list.isHidden()
    strip._show(found)
    assert not strip.list.isHidden(), "what the person chose stays"


def test_a_message_that_is_deleted_is_not_missed(
    pane: MailPane, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pane_deeds, "ask", lambda *_what: "delete")
    QTest.keyClick(pane.list, Qt.Key.Key_J)
    qtbot.waitUntil(lambda: pane.reading.subject.text() == "Delivery")
    quiet(qtbot, pane)
    QTest.keyClick(pane.list, Qt.Key.Key_Delete)
    quiet(qtbot, pane)
    qtbot.waitUntil(lambda: pane.status_text() == "2 messages")
    quiet(qtbot, pane)
    assert shell_of(pane.bench).errors == []
    assert shell_of(pane.bench).toasts[-1] == ("Message deleted", "Delivery")


def test_categories_are_set_by_keyboard_and_shown(pane: MailPane, qtbot: QtBot) -> None:
    pane.deeds.categorise()
    dialog = child(pane.window(), CategoriesDialog)
    line = child(dialog, QLineEdit, "categories.line")
    QTest.keyClicks(line, "VIP, Offer,VIP,")
    QTest.keyClick(line, Qt.Key.Key_Return)
    quiet(qtbot, pane)

    def shown() -> list[str]:
        holder = child(pane.reading, QWidget, "mailCategories")
        return [one.text() for one in holder.findChildren(Pill) if not one.isHidden()]

    qtbot.waitUntil(lambda: shown() == ["VIP", "Offer"])
    holder = child(pane.reading, QWidget, "mailCategories")
    assert holder.accessibleName() == "Categories: VIP, Offer"


def test_down_goes_from_the_search_to_what_was_found(pane: MailPane, qtbot: QtBot) -> None:
    pane.focus_filter()
    QTest.keyClicks(pane.search, "Delivery")
    QTest.keyClick(pane.search, Qt.Key.Key_Down)
    assert pane.list.hasFocus()
    quiet(qtbot, pane)
    qtbot.waitUntil(lambda: pane.reading.subject.text() == "Delivery")
