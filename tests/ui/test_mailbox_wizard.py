"""Adding a mailbox by keyboard: found, tried, made private, added."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QLineEdit, QPushButton, QWidget

from desktop_crm.db.engine import Cancel
from desktop_crm.models.mail import MailboxKind
from desktop_crm.services import records
from desktop_crm.services.mail import mailboxes
from desktop_crm.services.mail.mailboxes import NewMailbox
from desktop_crm.sync import scheduler
from desktop_crm.sync.exchange import discovery
from desktop_crm.sync.find_service import FindStep, FoundService, Outcome
from desktop_crm.sync.port import Step
from desktop_crm.views.mailbox import wizard as module
from desktop_crm.views.mailbox.wizard import (
    ADDRESS,
    DONE,
    FIND,
    PRIVACY,
    SIGN_IN,
    TEST,
    MailboxWizard,
)
from tests.ews_server import EwsServer
from tests.mail_servers.dovecot import PASSWORD
from tests.support.company import Company
from tests.support.windows import child, expect, settle

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from desktop_crm.services.context import Actor
    from desktop_crm.views.workbench import Workbench
    from tests.mail_servers.servers import Servers

ME = "mara@firm.example"
Search = Callable[..., FoundService]


@pytest.fixture
def wizard(bench: Workbench) -> MailboxWizard:
    made = MailboxWizard(bench.shell.window_widget(), bench)
    made.show()
    return made


def finds(monkeypatch: pytest.MonkeyPatch, new: NewMailbox | None, *confirm: str) -> list[str]:
    """Let the search come to a mailbox; returns the addresses that are asked about."""
    asked: list[str] = []

    def search(address: str, *, tell: Callable[[FindStep], None], cancel: Cancel) -> FoundService:
        asked.append(address)
        tell(FindStep("guess", "Usual names", Outcome.ASKING))
        step = FindStep("guess", "Usual names", Outcome.FOUND, "Mail servers: a, b.")
        tell(step)
        return FoundService(new, (step,), confirm)

    monkeypatch.setattr(module, "find_service", search)
    return asked


def press(wizard: MailboxWizard, bench: Workbench, qtbot: QtBot) -> None:
    """Go on by Return, wherever the cursor is."""
    QTest.keyClick(wizard.focusWidget(), Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: not bench.tasks.busy, timeout=30_000)


def said(wizard: MailboxWizard) -> list[str]:
    return [one.accessibleName() for one in wizard.steps.findChildren(QWidget)]


def by_hand(wizard: MailboxWizard, kind: MailboxKind) -> None:
    child(wizard, QPushButton, "mailbox.byHand").click()
    assert wizard.step == SIGN_IN
    wizard.fields.kinds[kind].setChecked(True)


def test_a_mailbox_is_found_tried_and_added_by_return(
    wizard: MailboxWizard,
    bench: Workbench,
    company: Company,
    qtbot: QtBot,
    mail_servers: Servers,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = finds(
        monkeypatch,
        NewMailbox(
            ME, "imap", ME, login=mail_servers.login, server=mail_servers.dovecot.url,
            smtp_server=mail_servers.smtp.url, dav_server=mail_servers.radicale.url,
            ca_file=str(mail_servers.ca_file),
        ),
    )  # fmt: skip
    QTest.keyClicks(wizard.address, ME)
    press(wizard, bench, qtbot)
    assert (wizard.step, asked) == (FIND, [ME])
    names = [one.accessibleName() for one in wizard.finding.findChildren(QWidget)]
    assert [name for name in names if name] == ["Usual names: Mail servers: a, b."]
    press(wizard, bench, qtbot)
    # Only what the person alone knows is asked.
    asked_now = {name for name, field in wizard.fields.fields.items() if field.isVisible()}
    assert asked_now == {"name", "login", "password"}
    assert wizard.fields.line("password").hasFocus()
    QTest.keyClicks(wizard.fields.line("password"), "wrong")
    press(wizard, bench, qtbot)
    assert wizard.step == TEST
    assert any("refused the login or password" in text for text in said(wizard))
    child(wizard, QPushButton, "mailbox.back").click()
    wizard.fields.line("password").setText(PASSWORD)
    press(wizard, bench, qtbot)
    press(wizard, bench, qtbot)
    assert wizard.step == PRIVACY
    form = wizard._form
    assert form is not None
    # What applies unless it is chosen otherwise is told.
    shared = company.actor.db.is_shared
    told = " ".join(one.text() for one in wizard._privacy.findChildren(QLabel))
    assert ("colleagues see nothing" if shared else "every message is kept") in told
    assert "two_way" in form.boxes
    form.put("never_log", "bank.example")
    child(wizard, QPushButton, "mailbox.next").click()
    settle(qtbot, bench)
    assert wizard.step == DONE
    (box,) = mailboxes.list_mailboxes(company.actor)
    assert (box.name, box.kind, box.smtp_server, box.dav_server) == (
        ME, "imap", mail_servers.smtp.url, mail_servers.radicale.url,
    )  # fmt: skip
    assert records.get(company.actor, "mailbox", box.id).values["never_log"] == "bank.example"
    # Nothing is read before the person asks for it.
    assert box.last_synced_at is None
    with qtbot.waitSignal(wizard.first_pass_wanted) as wanted:
        press(wizard, bench, qtbot)
    assert wanted.args == [box.id]


def test_what_is_no_address_is_said_beside_it(
    wizard: MailboxWizard, bench: Workbench, qtbot: QtBot
) -> None:
    wizard.address.setText("mara")
    press(wizard, bench, qtbot)
    assert wizard.step == ADDRESS
    assert "no e-mail address" in wizard._address.note.text()
    assert wizard.address.hasFocus()
    wizard.close()


def test_a_password_goes_to_a_foreign_host_only_after_agreement(
    wizard: MailboxWizard, bench: Workbench, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[str] = []

    def try_mailbox(actor: Actor, new: NewMailbox, secret: str) -> tuple[Step, ...]:
        tried.append(new.server)
        return (Step("Mail", ok=True),)

    monkeypatch.setattr(scheduler, "try_mailbox", try_mailbox)
    new = NewMailbox(ME, "imap", ME, server="imaps://imap.host.example:993")
    finds(monkeypatch, new, "imap.host.example")
    wizard.address.setText(ME)
    press(wizard, bench, qtbot)
    press(wizard, bench, qtbot)
    wizard.fields.line("password").setText("secret")
    press(wizard, bench, qtbot)
    assert (wizard.step, tried) == (SIGN_IN, [])
    assert "nothing was sent" in wizard.notice.text
    assert wizard.agreed.hasFocus()
    assert "imap.host.example" in wizard.agreed.text()
    QTest.keyClick(wizard.agreed, Qt.Key.Key_Space)
    press(wizard, bench, qtbot)
    assert (wizard.step, tried) == (TEST, ["imaps://imap.host.example:993"])
    # A server the person enters is the person's decision.
    child(wizard, QPushButton, "mailbox.back").click()
    wizard.fields.line("server").setText("imaps://own.example:993")
    assert wizard._to_agree() == []
    wizard.close()


def test_nothing_found_leads_to_all_settings(
    wizard: MailboxWizard, bench: Workbench, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    finds(monkeypatch, None)
    wizard.address.setText(ME)
    press(wizard, bench, qtbot)
    press(wizard, bench, qtbot)
    assert wizard.step == SIGN_IN
    assert wizard.fields.fields["server"].isVisible()
    assert wizard.fields.line("address").text() == ME
    wizard.close()


def test_a_search_is_stopped_and_its_late_steps_are_not_shown(
    wizard: MailboxWizard, bench: Workbench, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    goes_on = threading.Event()

    def search(address: str, *, tell: Callable[[FindStep], None], cancel: Cancel) -> FoundService:
        goes_on.wait(10)
        tell(FindStep("graph", "Late", Outcome.FOUND))
        cancel.check()
        return FoundService(None, ())

    monkeypatch.setattr(module, "find_service", search)
    wizard.address.setText(ME)
    QTest.keyClick(wizard.address, Qt.Key.Key_Return)
    assert (wizard.step, child(wizard, QPushButton, "mailbox.next").isEnabled()) == (FIND, False)
    QTest.keyClick(wizard.focusWidget(), Qt.Key.Key_Space)  # Back
    goes_on.set()
    settle(qtbot, bench)
    assert wizard.step == ADDRESS
    assert not [one for one in wizard.finding.findChildren(QWidget) if one.accessibleName()]
    wizard.close()


def test_a_folder_of_files_is_entered_by_hand(
    wizard: MailboxWizard, bench: Workbench, company: Company, qtbot: QtBot, tmp_path: Path
) -> None:
    wizard.address.setText(ME)
    by_hand(wizard, MailboxKind.FOLDER)
    wizard.fields.line("name").setText("Old mail")
    wizard.fields.line("path").setText(str(tmp_path))
    for step in (TEST, PRIVACY, DONE):
        child(wizard, QPushButton, "mailbox.next").click()
        qtbot.waitUntil(lambda: not bench.tasks.busy, timeout=20_000)
        assert wizard.step == step
        if step == PRIVACY:
            form = wizard._form
            assert form is not None
            assert "never_log" in form.boxes
            assert "two_way" not in form.boxes, "it takes no meetings"
    (box,) = mailboxes.list_mailboxes(company.actor)
    assert (box.name, box.address, box.path) == ("Old mail", ME, str(tmp_path))
    wizard.close()


@pytest.mark.parametrize(
    ("name", "address", "field"),
    [("", ME, "name"), ("Box", "nobody", "address"), ("Box", ME, "path")],
)
def test_what_is_wrong_stands_beside_its_field(
    wizard: MailboxWizard, bench: Workbench, qtbot: QtBot, name: str, address: str, field: str
) -> None:
    by_hand(wizard, MailboxKind.FOLDER)
    wizard.fields.line("name").setText(name)
    wizard.fields.line("address").setText(address)
    press(wizard, bench, qtbot)
    assert wizard.step == SIGN_IN
    assert wizard.fields.fields[field].note.property("role") == "error"
    assert expect(wizard.focusWidget(), QLineEdit) is wizard.fields.line(field)
    wizard.close()


def test_a_taken_name_is_said_before_anything_is_tried(
    wizard: MailboxWizard, bench: Workbench, company: Company, qtbot: QtBot, tmp_path: Path
) -> None:
    mailboxes.add(company.actor, NewMailbox("Old mail", "folder", ME, path=str(tmp_path)))
    by_hand(wizard, MailboxKind.FOLDER)
    for name, text in (("name", "OLD MAIL"), ("address", ME), ("path", str(tmp_path))):
        wizard.fields.line(name).setText(text)
    press(wizard, bench, qtbot)
    assert wizard.step == SIGN_IN
    assert "already" in wizard.fields.fields["name"].note.text()
    wizard.close()


def test_each_kind_has_its_own_fields_and_words(wizard: MailboxWizard) -> None:
    by_hand(wizard, MailboxKind.EXCHANGE)
    fields = wizard.fields.fields
    assert "found by your address" in fields["server"].note.text()
    wizard.fields.kinds[MailboxKind.IMAP].setChecked(True)
    texts = " ".join(one.note.text() for one in fields.values() if one.isVisible())
    assert "found by your address" not in texts
    assert "certificate of its key" not in texts
    assert fields["sign_in"].isHidden()
    wizard.fields.kinds[MailboxKind.GRAPH].setChecked(True)
    assert fields["client_id"].isVisible()
    assert fields["password"].isHidden()
    wizard.close()


def test_the_way_to_sign_in_decides_what_is_asked(wizard: MailboxWizard) -> None:
    by_hand(wizard, MailboxKind.EXCHANGE)
    shown = {}
    for way in ("password", "system", "certificate"):
        wizard.fields.sign_in.setCurrentIndex(wizard.fields.sign_in.findData(way))
        shown[way] = {
            name
            for name in ("password", "certificate")
            if not wizard.fields.fields[name].isHidden()
        }
        assert wizard.fields.said().sign_in == way
    assert shown == {
        "password": {"password"},
        "system": set(),
        "certificate": {"password", "certificate"},
    }
    wizard.close()


def test_an_unreachable_server_is_one_clear_sentence(
    wizard: MailboxWizard, bench: Workbench, qtbot: QtBot
) -> None:
    wizard.address.setText(ME)
    by_hand(wizard, MailboxKind.EXCHANGE)
    wizard.fields.line("server").setText("http://127.0.0.1:9/EWS/Exchange.asmx")
    wizard.fields.line("password").setText("secret")
    press(wizard, bench, qtbot)
    assert wizard.step == TEST
    assert "Nothing was added" in wizard.notice.text
    assert any("127.0.0.1" in text for text in said(wizard))
    assert "secret" not in " ".join((wizard.notice.text, *said(wizard)))
    wizard.close()


def test_the_server_of_an_exchange_mailbox_is_found(
    wizard: MailboxWizard,
    bench: Workbench,
    company: Company,
    qtbot: QtBot,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server = EwsServer()
    server.told_urls = {"EXPR": server.url}
    found = server.url.replace("/EWS/Exchange.asmx", "/autodiscover/autodiscover.xml")
    monkeypatch.setattr(discovery, "places", lambda _domain: [found])
    finds(monkeypatch, NewMailbox("Office", "exchange", ME))
    wizard.address.setText(ME)
    try:
        for step in (FIND, SIGN_IN):
            press(wizard, bench, qtbot)
            assert wizard.step == step
        wizard.fields.line("login").setText(server.login)
        wizard.fields.line("password").setText(server.password)
        for step in (TEST, PRIVACY):
            press(wizard, bench, qtbot)
            assert wizard.step == step
        child(wizard, QPushButton, "mailbox.next").click()
        settle(qtbot, bench)
    finally:
        server.close()
    (box,) = mailboxes.list_mailboxes(company.actor)
    assert box.server == server.url
    wizard.close()


def test_microsoft_365_signs_in_in_the_browser_once(
    wizard: MailboxWizard,
    bench: Workbench,
    company: Company,
    qtbot: QtBot,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[NewMailbox] = []

    def sign_in(new: NewMailbox, *, cancel: Cancel) -> str:
        asked.append(new)
        return "what signing in left behind"

    steps = [Step("Sign-in", ok=True, message=ME)]
    monkeypatch.setattr(scheduler, "sign_in", sign_in)
    monkeypatch.setattr(scheduler, "try_mailbox", lambda actor, new, secret: tuple(steps))
    finds(monkeypatch, NewMailbox("Cloud", "graph", ME, tenant="firm.example"))
    wizard.address.setText(ME)
    press(wizard, bench, qtbot)
    press(wizard, bench, qtbot)
    assert wizard.fields.line("client_id").hasFocus()
    wizard.fields.line("client_id").setText("11111111-2222-3333-4444-555555555555")
    press(wizard, bench, qtbot)
    assert wizard.step == TEST
    # Back and on again: the same account is not asked to sign in twice.
    child(wizard, QPushButton, "mailbox.back").click()
    for step in (TEST, PRIVACY):
        press(wizard, bench, qtbot)
        assert wizard.step == step
    child(wizard, QPushButton, "mailbox.next").click()
    settle(qtbot, bench)
    assert len(asked) == 1
    (box,) = mailboxes.list_mailboxes(company.actor)
    assert (box.kind, box.tenant) == ("graph", "firm.example")
    assert mailboxes.password_of(box) == "what signing in left behind"
    wizard.close()

    again = MailboxWizard(bench.shell.window_widget(), bench)
    again.show()
    settle(qtbot, bench)
    assert again.fields.line("client_id").text() == box.client_id
    again.close()
