"""Microsoft 365 in trouble: each fault is one clear sentence, nothing is lost or asked for ever."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import time_machine

from desktop_crm.core.errors import EnvironmentProblem, UserError
from desktop_crm.sync.graph import calls
from desktop_crm.sync.graph.mailbox import CALENDAR, INBOX, GraphMailbox
from desktop_crm.sync.graph.problems import GraphError
from desktop_crm.sync.port import TokenInvalid
from tests.contract.writing_driver import sending
from tests.ews_server.certificates import make_certificates
from tests.graph_server import GraphServer
from tests.graph_server.faults import half, reset, says, short, slow, status
from tests.graph_server.routes import Reply, problem

MIME = b"From: a@x.example\r\nMessage-ID: <%s@x>\r\nSubject: S\r\n\r\nText\r\n"


class Tokens:
    """Counts how often a token was asked for anew."""

    def __init__(self) -> None:
        self.renewed = 0

    def token(self, *, renew: bool = False) -> str:
        self.renewed += renew
        return "renewed" if self.renewed else "a-token"


@pytest.fixture
def server() -> Iterator[GraphServer]:
    server = GraphServer()
    for key in ("m1", "m2", "m3"):
        server.store.put_mail("inbox", MIME % key.encode(), key)
    yield server
    server.close()


@pytest.fixture
def tokens() -> Tokens:
    return Tokens()


@pytest.fixture
def box(server: GraphServer, tokens: Tokens) -> Iterator[GraphMailbox]:
    box = GraphMailbox(server.store.address, tokens=tokens, service=server.url, timeout_s=2)
    yield box
    box.close()


@pytest.mark.parametrize(
    ("act", "word", "wait"),
    [
        (status(429, "TooManyRequests", Retry_After="7"), "busy", 7.0),
        (status(503, "serviceNotAvailable", Retry_After="120"), "busy", 120.0),
        (status(503), "busy", None),
        (status(504), "busy", None),
        (status(500, "InternalServerError"), "answered with an error", None),
        (half, "not Microsoft 365", None),
        (short, "cannot be reached", None),
        (reset, "cannot be reached", None),
        (slow(5), "cannot be reached", None),
        (says({"value": []}), "not Microsoft 365", None),
        (status(302, Location="https://proxy.example/login"), "not Microsoft 365", None),
    ],
    ids=["429", "503", "503 bare", "504", "500", "half", "short", "reset", "slow", "odd", "302"],
)
def test_what_may_pass_is_tried_again_later(
    server: GraphServer, box: GraphMailbox, act: Callable[..., bool], word: str, wait: float | None
) -> None:
    server.fault("delta", act)
    with pytest.raises(EnvironmentProblem, match=word) as told:
        box.changes(INBOX, None)
    assert told.value.retryable
    assert told.value.params["retry_after"] == wait
    assert len(box.changes(INBOX, None).changes) == 3


def test_a_wait_told_as_a_date(server: GraphServer, box: GraphMailbox) -> None:
    with time_machine.travel(dt.datetime(2026, 3, 2, 8, tzinfo=dt.UTC), tick=False):
        at = "Mon, 02 Mar 2026 08:00:30 GMT"
        server.fault("delta", status(429, "TooManyRequests", Retry_After=at))
        with pytest.raises(EnvironmentProblem) as told:
            box.changes(INBOX, None)
    assert told.value.params["retry_after"] == 30.0


def test_throttled_inside_a_batch(server: GraphServer, box: GraphMailbox) -> None:
    server.part_fault("m1", problem(429, "ApplicationThrottled", "", Retry_After="3"))
    server.part_fault("m2", problem(429, "ApplicationThrottled", "", Retry_After="11"))
    with pytest.raises(EnvironmentProblem, match="busy") as told:
        box.changes(INBOX, None)
    assert told.value.params["retry_after"] == 11.0
    assert len(box.changes(INBOX, None).changes) == 3


def test_one_answer_of_a_batch_that_failed_is_asked_for_alone(
    server: GraphServer, box: GraphMailbox
) -> None:
    server.part_fault("m2", problem(500, "ErrorInternalServerError"))
    assert len(box.changes(INBOX, None).changes) == 3
    assert "GET /me/messages/m2/$value" in server.calls


def test_a_text_that_broke_off_is_asked_for_again_before_it_is_set_aside(
    server: GraphServer, box: GraphMailbox
) -> None:
    for key in ("m2", "m3"):
        server.store.folders["id-inbox"].mail.drop(key)
    server.fault(r"/\$value$", half)
    batch = box.changes(INBOX, None)
    assert [change.item_id for change in batch.changes] == ["m1"]
    assert batch.quarantined == ()


def test_a_batch_with_an_answer_missing_is_asked_for_one_by_one(
    server: GraphServer, box: GraphMailbox
) -> None:
    server.fault("batch", says({"responses": []}))
    assert len(box.changes(INBOX, None).changes) == 3


@pytest.mark.parametrize(
    ("code", "word"), [(410, "syncStateNotFound"), (400, "SyncStateNotFound"), (410, "-")]
)
def test_a_forgotten_position(server: GraphServer, box: GraphMailbox, code: int, word: str) -> None:
    token = box.changes(INBOX, None).token
    server.fault("delta", status(code, word))
    with pytest.raises(TokenInvalid):
        box.changes(INBOX, token)


@pytest.mark.parametrize(
    "token",
    [
        "https://evil.example/v1.0/me/messages",
        "http://127.0.0.1:1/v1.0/me",
        "https://graph.microsoft.com.evil.example/v1.0/me",
        "https://graph.microsoft.com@evil.example/v1.0/me",
        "file:///etc/passwd",
        "H4sIAAAA",
        "http://[::1",
    ],
)
def test_a_token_that_leads_elsewhere_is_no_token(
    server: GraphServer, box: GraphMailbox, token: str
) -> None:
    for folder, stored in (
        (INBOX, token),
        (CALENDAR, token),
        (
            CALENDAR,
            f'{{"since":"2026-01-01","until":"2028-01-01","link":"{token}"}}',
        ),
    ):
        with pytest.raises(TokenInvalid):
            box.changes(folder, stored)
    assert server.calls == []


def test_a_link_of_the_service_that_leads_elsewhere_is_not_followed(
    server: GraphServer, box: GraphMailbox
) -> None:
    server.fault("delta", says({"value": [], "@odata.nextLink": "https://evil.example/v1.0/x"}))
    with pytest.raises(EnvironmentProblem, match="not Microsoft 365"):
        box.changes(INBOX, None)


def test_a_token_that_expired_is_renewed_once(
    server: GraphServer, box: GraphMailbox, tokens: Tokens
) -> None:
    server.authority.valid = {"renewed"}
    assert len(box.changes(INBOX, None).changes) == 3
    assert tokens.renewed == 1


def test_a_sign_in_that_was_revoked_is_never_a_loop(
    server: GraphServer, box: GraphMailbox, tokens: Tokens
) -> None:
    server.authority.revoke()
    with pytest.raises(UserError, match="sign in anew") as told:
        box.changes(INBOX, None)
    assert (told.value.field, tokens.renewed) == ("password", 1)
    assert len(server.calls) == 2


def test_a_refusal_where_nothing_hangs_on_the_answer_is_the_last_request(
    server: GraphServer, box: GraphMailbox
) -> None:
    """Where the copy of a sent message lies can be asked later; the sign-in must not be."""
    refuse = status(401, "InvalidAuthenticationToken")

    def once_it_was_sent(handler: Any) -> bool:
        return bool(server.store.sent) and refuse(handler)

    server.fault(r"/me/messages/[^/]+$", once_it_was_sent, times=20)
    assert box.do(sending()).ref is None
    asked = len(server.calls)
    with pytest.raises(UserError, match="no longer accepts") as problem:
        box.changes(INBOX, None)
    assert problem.value.field == "password"
    assert len(server.calls) == asked


def test_conditional_access_is_told_as_what_it_is(server: GraphServer, box: GraphMailbox) -> None:
    challenge = 'Bearer realm="", error="insufficient_claims", claims="eyJh"'
    server.fault(
        "delta", status(401, "InvalidAuthenticationToken", WWW_Authenticate=challenge), times=2
    )
    with pytest.raises(EnvironmentProblem, match="second factor") as told:
        box.changes(INBOX, None)
    assert not told.value.retryable


@pytest.mark.parametrize(
    ("code", "word", "sentence"),
    [
        (403, "ErrorAccessDenied", "grant its permissions"),
        (403, "Authorization_RequestDenied", "grant its permissions"),
        (404, "MailboxNotEnabledForRESTAPI", "Exchange server of your own"),
        (404, "ErrorItemNotFound", "no longer in the mailbox"),
        (400, "RequestBroker--ParseUri", "answered with an error"),
    ],
)
def test_what_trying_again_cannot_mend(
    server: GraphServer, box: GraphMailbox, code: int, word: str, sentence: str
) -> None:
    server.fault("delta", status(code, word))
    with pytest.raises(EnvironmentProblem, match=sentence) as told:
        box.changes(INBOX, None)
    assert not told.value.retryable


def test_a_series_that_cannot_be_read_costs_itself_only(
    server: GraphServer, box: GraphMailbox
) -> None:
    weekly = {"pattern": {"type": "daily", "interval": 1}, "range": {"type": "noEnd"}}
    server.store.put_event("series", recurrence=weekly)
    server.store.put_event("plain")
    server.part_fault("instances", problem(500, "ErrorInternalServerError"))
    batch = box.changes(CALENDAR, None, 2_000)
    assert [c.item_id for c in batch.changes] == ["plain"]
    assert [q.item_id for q in batch.quarantined] == ["series"]


def test_throttled_while_a_series_is_read_loses_nothing(
    server: GraphServer, box: GraphMailbox
) -> None:
    weekly = {
        "pattern": {"type": "weekly", "interval": 1, "daysOfWeek": ["monday"]},
        "range": {"type": "numbered", "numberOfOccurrences": 2},
    }
    server.store.put_event("series", recurrence=weekly)
    server.part_fault("instances", Reply(429, None, {"Retry-After": "1"}))
    with pytest.raises(EnvironmentProblem, match="busy"):
        box.changes(CALENDAR, None)
    assert [c.item_id for c in box.changes(CALENDAR, None).changes] == ["series"]


def test_a_certificate_nobody_signed_and_the_authority_that_did(tmp_path: Path) -> None:
    made = make_certificates(tmp_path)
    server = GraphServer(certificate=(made.server, made.key))
    options: dict[str, Any] = {"tokens": Tokens(), "service": server.url}
    stranger = GraphMailbox(server.store.address, **options)
    friend = GraphMailbox(server.store.address, ca_file=str(made.authority), **options)
    try:
        with pytest.raises(EnvironmentProblem, match="certificate") as told:
            stranger.changes(INBOX, None)
        assert not told.value.retryable
        assert friend.changes(INBOX, None).changes == ()
    finally:
        stranger.close()
        friend.close()
        server.close()


def test_testing_tells_whose_mailbox_it_is(server: GraphServer, box: GraphMailbox) -> None:
    steps = box.test()
    assert [step.ok for step in steps] == [True] * 4
    assert steps[0].message == server.store.address
    assert steps[1].message == "3"


def test_testing_with_an_alias_is_well(server: GraphServer, tokens: Tokens) -> None:
    alias = GraphMailbox("alias@firma.example", tokens=tokens, service=server.url)
    assert all(step.ok for step in alias.test())
    alias.close()


def test_testing_with_somebody_elses_account_says_so(server: GraphServer, tokens: Tokens) -> None:
    other = GraphMailbox("maria@firma.example", tokens=tokens, service=server.url)
    (step,) = other.test()
    assert not step.ok
    assert "ana@firma.example" in step.message
    assert "maria@firma.example" in step.message
    other.close()


def test_testing_stops_at_the_first_step_that_fails(server: GraphServer, box: GraphMailbox) -> None:
    server.fault("inbox", status(403, "ErrorAccessDenied"))
    steps = box.test()
    assert [step.ok for step in steps] == [True, False]
    assert "administrator" in steps[-1].message


@pytest.mark.parametrize("depth", [2_000, 500_000])
def test_an_answer_nested_without_end_is_a_damaged_one(depth: int) -> None:
    for content in (b"[" * depth, b'{"a":' * depth + b"1" + b"}" * depth):
        with pytest.raises(GraphError, match="damaged"):
            calls._decoded(content, "application/json")
