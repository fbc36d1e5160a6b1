from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
import time_machine

from desktop_crm.core.errors import EnvironmentProblem, UserError
from desktop_crm.services.mail.mailboxes import server_address as endpoint
from desktop_crm.sync.exchange.mailbox import INBOX, ExchangeMailbox
from tests.contract.writing_driver import sending
from tests.ews_server import EwsServer, soap
from tests.ews_server import faults as script
from tests.unit.sync.conftest import mailbox_of

BACK_OFF = '<m:MessageXml><t:Value Name="BackOffMilliseconds">6000</t:Value></m:MessageXml>'

# --- signing in --------------------------------------------------------------------------------


def test_a_wrong_password_is_told_once_and_never_repeated(ews: EwsServer) -> None:
    mailbox = mailbox_of(ews, password="wrong")
    with pytest.raises(UserError, match="refused the login or password") as problem:
        mailbox.changes(INBOX, None)
    assert ews.refusals == 1
    assert "wrong" not in str(problem.value)


def test_after_a_wrong_password_the_right_one_works(ews: EwsServer) -> None:
    with pytest.raises(UserError):
        mailbox_of(ews, password="wrong").folders()
    mailbox = mailbox_of(ews)
    assert [f.name for f in mailbox.folders()] == ["Inbox", "Sent Items", "Calendar"]
    mailbox.close()


def test_a_refusal_where_nothing_hangs_on_the_answer_is_the_last_request(
    ews: EwsServer, mailbox: ExchangeMailbox
) -> None:
    """Where the copy of a sent message lies can be asked later; the password must not be."""
    assert mailbox.folders()
    # The first one asks for what an earlier try left.
    ews.fault("FindItem", lambda handler: False)
    ews.fault("FindItem", script.status(401))
    assert mailbox.do(sending()).ref is None
    asked = len(ews.requests)
    with pytest.raises(UserError, match="refused") as problem:
        mailbox.changes(INBOX, None)
    assert problem.value.field == "password"
    assert len(ews.requests) == asked


def test_a_refusal_that_closes_the_connection_is_still_a_refusal(
    ews: EwsServer, mailbox: ExchangeMailbox
) -> None:
    ews.fault("GetFolder", script.status(401, Connection="close"))
    with pytest.raises(UserError, match="refused"):
        mailbox.folders()


@pytest.mark.parametrize("offers", [("NTLM",), ("Negotiate", "NTLM", "Basic"), ("Negotiate",)])
def test_ntlm_with_a_domain(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, offers: tuple[str, ...]
) -> None:
    monkeypatch.setenv("NTLM_USER_FILE", "")
    server = EwsServer("FIRMA\\ana", "parola", offers, user_file=tmp_path / "users")
    server.put("inbox", "A=", soap.mail("A=", "m1@x"))
    try:
        mailbox = mailbox_of(server)
        assert len(mailbox.changes(INBOX, None).changes) == 1
        mailbox.close()
        with pytest.raises(UserError, match="refused"):
            mailbox_of(server, password="wrong").folders()
        assert server.refusals == 1
    finally:
        server.close()


def test_a_realm_may_be_called_anything(ews: EwsServer) -> None:
    ews.offers = ("Basic",)
    ews.realm = "our old ntlm, negotiate server"
    mailbox = mailbox_of(ews)
    assert mailbox.folders()
    mailbox.close()


def test_a_sign_in_that_is_not_supported_is_named(ews: EwsServer) -> None:
    ews.offers = ("Bearer",)
    with pytest.raises(EnvironmentProblem, match="bearer") as problem:
        mailbox_of(ews).folders()
    assert not problem.value.retryable


def test_the_steps_of_a_test(ews: EwsServer, mailbox: ExchangeMailbox) -> None:
    ews.put("inbox", "A=", soap.mail("A=", "m1@x"))
    ews.missing_folders.add("calendar")
    steps = mailbox.test()
    assert [(s.name, s.ok) for s in steps] == [
        ("Server", True),
        ("Inbox", True),
        ("Sent Items", True),
        ("Calendar", False),
    ]
    assert [f.name for f in mailbox.folders()] == ["Inbox", "Sent Items"]
    refused = mailbox_of(ews, password="wrong").test()
    assert [(s.name, s.ok) for s in refused] == [("Server", True), ("Sign-in", False)]


# --- trouble on the way ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("act", "retry_after"),
    [
        (script.status(503), None),
        (script.status(502), None),
        (script.status(429, Retry_After="7"), 7.0),
        (script.soap_fault("ErrorServerBusy", back_off_ms=4000), 4.0),
        (script.status(503, Retry_After="9"), 9.0),
        (script.status(503, Retry_After="9", Connection="close"), 9.0),
        (script.soap_error("SyncFolderItems", "ErrorServerBusy"), None),
        (script.soap_error("SyncFolderItems", "ErrorServerBusy", BACK_OFF), 6.0),
        (script.soap_fault("ErrorInternalServerTransientError"), None),
        (script.half, None),
        (script.short, None),
        (script.raw("<html>proxy</html>"), None),
    ],
    ids=[
        "503",
        "502",
        "429",
        "500-busy",
        "503-after",
        "503-after-close",
        "200-busy",
        "200-busy-after",
        "transient",
        "half",
        "short",
        "proxy",
    ],
)
def test_trouble_that_may_pass(
    ews: EwsServer,
    mailbox: ExchangeMailbox,
    act: object,
    retry_after: float | None,
) -> None:
    ews.put("inbox", "A=", soap.mail("A=", "m1@x"))
    mailbox.folders()
    ews.fault("SyncFolderItems", act)  # type: ignore[arg-type]
    with pytest.raises(EnvironmentProblem) as problem:
        mailbox.changes(INBOX, None)
    assert problem.value.retryable
    if retry_after is not None:
        assert problem.value.params["retry_after"] == retry_after
    # The next try finds everything.
    assert len(mailbox.changes(INBOX, None).changes) == 1


def test_a_server_may_say_by_a_date_how_long_to_wait(
    ews: EwsServer, mailbox: ExchangeMailbox
) -> None:
    mailbox.folders()
    with time_machine.travel(dt.datetime(2026, 3, 2, 8, tzinfo=dt.UTC), tick=False):
        later = script.status(503, Retry_After="Mon, 02 Mar 2026 08:00:12 GMT")
        ews.fault("SyncFolderItems", later)
        with pytest.raises(EnvironmentProblem) as problem:
            mailbox.changes(INBOX, None)
    assert problem.value.params["retry_after"] == 12.0


@pytest.mark.parametrize("code", [400, 411, 413])
def test_a_request_the_server_does_not_understand_is_not_called_busy(
    ews: EwsServer, mailbox: ExchangeMailbox, code: int
) -> None:
    mailbox.folders()
    ews.fault("SyncFolderItems", script.status(code, Connection="close"))
    with pytest.raises(EnvironmentProblem, match="not Exchange"):
        mailbox.changes(INBOX, None)


def test_the_library_never_waits_by_itself(ews: EwsServer, mailbox: ExchangeMailbox) -> None:
    mailbox.folders()
    busy = script.soap_fault("ErrorServerBusy", back_off_ms=60_000)
    ews.fault("SyncFolderItems", busy, times=2)
    for _ in range(2):
        with pytest.raises(EnvironmentProblem) as problem:
            mailbox.changes(INBOX, None)
        assert problem.value.params["retry_after"] == 60.0
    assert ews.requests.count("SyncFolderItems") == 2


@pytest.mark.parametrize("code", ["ErrorExceededConnectionCount", "ErrorTooManyObjectsOpened"])
def test_too_many_connections_hang_nothing(
    ews: EwsServer, mailbox: ExchangeMailbox, code: str
) -> None:
    mailbox.folders()
    ews.fault("SyncFolderItems", script.soap_fault(code))
    with pytest.raises(EnvironmentProblem) as problem:
        mailbox.changes(INBOX, None)
    assert problem.value.retryable
    assert mailbox.changes(INBOX, None).token


def test_a_mailbox_that_is_being_moved_is_tried_later(
    ews: EwsServer, mailbox: ExchangeMailbox
) -> None:
    mailbox.folders()
    ews.fault("SyncFolderItems", script.soap_error("SyncFolderItems", "ErrorMailboxMoveInProgress"))
    with pytest.raises(EnvironmentProblem, match="being moved") as problem:
        mailbox.changes(INBOX, None)
    assert problem.value.retryable


def test_a_redirect_of_the_service_is_not_followed_with_the_password(
    ews: EwsServer, mailbox: ExchangeMailbox
) -> None:
    mailbox.folders()
    ews.fault("SyncFolderItems", script.status(302, Location="https://other.example/EWS"))
    with pytest.raises(EnvironmentProblem, match="elsewhere"):
        mailbox.changes(INBOX, None)


def test_a_slow_answer_ends_in_time(ews: EwsServer) -> None:
    mailbox = mailbox_of(ews, timeout_s=0.3)
    mailbox.folders()
    ews.fault("SyncFolderItems", script.slow(0.8))
    with pytest.raises(EnvironmentProblem, match="did not answer in time") as problem:
        mailbox.changes(INBOX, None)
    assert problem.value.retryable
    mailbox.close()


def test_a_server_that_is_not_there() -> None:
    mailbox = ExchangeMailbox(
        "http://127.0.0.1:9/EWS/Exchange.asmx", "a@b.example", login="a", password="b"
    )
    with pytest.raises(EnvironmentProblem, match=r"127\.0\.0\.1 cannot be reached") as problem:
        mailbox.folders()
    assert problem.value.retryable


def test_an_address_that_is_no_exchange_server(ews: EwsServer) -> None:
    ews.fault("GetFolder", script.status(404))
    with pytest.raises(EnvironmentProblem, match="not Exchange"):
        mailbox_of(ews).folders()


@pytest.mark.parametrize(
    ("typed", "url"),
    [
        ("mail.firma.example", "https://mail.firma.example/EWS/Exchange.asmx"),
        ("https://mail.firma.example/", "https://mail.firma.example/EWS/Exchange.asmx"),
        ("https://mail.firma.example/ews/x.asmx", "https://mail.firma.example/ews/x.asmx"),
        ("http://localhost:8080", "http://localhost:8080/EWS/Exchange.asmx"),
        ("http://[::1]:8080", "http://[::1]:8080/EWS/Exchange.asmx"),
    ],
)
def test_addresses_of_servers(typed: str, url: str) -> None:
    assert endpoint(typed) == url


@pytest.mark.parametrize("typed", ["http://mail.firma.example", "ftp://x", "https://", "a b@c:z"])
def test_addresses_that_are_refused(typed: str) -> None:
    with pytest.raises(UserError):
        endpoint(typed)
