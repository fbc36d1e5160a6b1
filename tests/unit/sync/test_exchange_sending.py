"""Exchange sends a message once, whatever is lost, late or refused on the way."""

from __future__ import annotations

import base64
import contextlib
import logging

import pytest

from desktop_crm.core.errors import EnvironmentProblem, UserError
from desktop_crm.core.identity import new_uid
from desktop_crm.sync.exchange.mailbox import SENT, ExchangeMailbox
from desktop_crm.sync.writes import Send
from tests.contract.writing_driver import message, sending
from tests.ews_server import EwsServer
from tests.ews_server import faults as script
from tests.unit.sync.conftest import mailbox_of


def test_a_message_whose_answer_was_lost_is_found_and_not_sent_again(
    ews: EwsServer, mailbox: ExchangeMailbox
) -> None:
    deed = sending()
    mailbox.folders()
    ews.fault("SendItem", script.lost)
    with pytest.raises(EnvironmentProblem) as problem:
        mailbox.do(deed)
    assert problem.value.retryable
    assert len(ews.store.delivered) == 1
    found = mailbox.find(deed)
    assert found is not None
    assert found.ref is not None
    assert found.ref.folder == SENT.key


def test_a_message_that_was_sent_is_sent_whatever_comes_after(
    ews: EwsServer, mailbox: ExchangeMailbox
) -> None:
    mailbox.folders()
    # The first one asks for what an earlier try left.
    ews.fault("FindItem", lambda handler: False)
    ews.fault("FindItem", script.status(503))
    assert mailbox.do(sending()).ref is None
    assert len(ews.store.delivered) == 1


@pytest.mark.parametrize("place", ["CreateItem", "SendItem"])
def test_a_message_the_server_sends_late_is_not_sent_twice(ews: EwsServer, place: str) -> None:
    deed = sending(bcc=("boss@firma.example",))
    with contextlib.closing(mailbox_of(ews, timeout_s=0.3)) as mailbox:
        mailbox.folders()
        ews.fault(place, script.slow(0.8))
        with pytest.raises(EnvironmentProblem, match="did not answer in time"):
            mailbox.do(deed)
        assert mailbox.find(deed) is None
        assert mailbox.do(deed).ref is not None
        ews.settle()
        assert mailbox.find(deed) is not None
    ((people, _data),) = ews.store.delivered
    assert people == {"ion@client.example", "boss@firma.example"}


@pytest.mark.parametrize("sent", [True, False])
def test_a_draft_that_goes_away_while_it_is_taken_back_proves_nothing(
    ews: EwsServer, mailbox: ExchangeMailbox, sent: bool
) -> None:
    deed = sending()
    ews.fault("SendItem", script.reset)
    with pytest.raises(EnvironmentProblem):
        mailbox.do(deed)
    (key,) = ews.boxes["drafts"].items

    def goes_away(handler: object) -> bool:
        if sent:
            draft = ews.store.element(key)
            ews.store._deliver(draft)
            ews.store._store("sentitems", "late", draft)
        ews.delete("drafts", key)
        return False

    ews.fault("DeleteItem", goes_away)
    with pytest.raises(EnvironmentProblem) as problem:
        mailbox.do(deed)
    assert problem.value.retryable
    assert (mailbox.find(deed) is not None) == sent
    if not sent:
        mailbox.do(deed)
    assert len(ews.store.delivered) == 1


def test_what_an_earlier_try_left_goes_with_the_next(
    ews: EwsServer, mailbox: ExchangeMailbox
) -> None:
    deed = sending()
    ews.fault("SendItem", script.reset)
    with pytest.raises(EnvironmentProblem):
        mailbox.do(deed)
    assert len(ews.boxes["drafts"].items) == 1
    mailbox.do(deed)
    assert ews.boxes["drafts"].items == {}
    assert len(ews.store.delivered) == 1


def test_nothing_goes_to_anybody_who_is_no_recipient(
    ews: EwsServer, mailbox: ExchangeMailbox
) -> None:
    key = new_uid()
    mime = message(key, to=("ion@client.example", "spy@client.example"))
    deed = Send(key, f"{key}@x", mime, "ana@firma.example", ("ion@client.example",))
    with pytest.raises(UserError, match=r"spy@client\.example"):
        mailbox.do(deed)
    assert "CreateItem" not in ews.requests


def test_a_recipient_the_server_does_not_take_is_told(
    ews: EwsServer, mailbox: ExchangeMailbox
) -> None:
    with pytest.raises(UserError, match="does not take a recipient"):
        mailbox.do(sending(bcc=("nobody@refused.example",)))
    assert ews.store.delivered == []
    assert ews.boxes["drafts"].items == {}


def test_neither_content_nor_password_reach_the_log(
    ews: EwsServer, mailbox: ExchangeMailbox, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    mailbox.do(sending("Confidential offer"))
    for act in (script.short, script.raw("<html>no</html>"), script.soap_fault("ErrorServerBusy")):
        ews.fault("CreateItem", act)
        with pytest.raises(EnvironmentProblem):
            mailbox.do(sending("Confidential offer"))
    secret = base64.b64encode(f"{ews.login}:{ews.password}".encode()).decode()
    for word in ("Confidential", ews.password, secret, "MimeContent"):
        assert word not in caplog.text
