"""Signing in to Microsoft 365: the real library against a scripted sign-in over TLS."""

from __future__ import annotations

import logging
import threading
import webbrowser
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from desktop_crm.core.errors import Cancelled, CrmError, EnvironmentProblem, UserError
from desktop_crm.db.engine import Cancel
from desktop_crm.sync.graph.mailbox import INBOX, GraphMailbox
from desktop_crm.sync.graph.signin import MsalTokens, problem_of
from tests.ews_server.certificates import make_certificates
from tests.graph_server import GraphServer
from tests.graph_server.authority import CLIENT, TENANT


@dataclass
class Place:
    """A service with its sign-in, and the authority that signed its certificate."""

    server: GraphServer
    ca: str

    def tokens(self, kept: str = "", tenant: str = TENANT) -> MsalTokens:
        self.stored: list[str] = []
        return MsalTokens(
            CLIENT,
            tenant,
            self.server.store.address,
            kept=kept,
            keep=self.stored.append,
            authority=self.server.root,
            ca_file=self.ca,
        )

    def visit(self, url: str) -> None:
        """Sign in in the browser and agree to everything."""
        form = requests.get(url, verify=self.ca, timeout=10).json()
        requests.post(form["action"], data=form["fields"], timeout=10)

    def box(self, tokens: MsalTokens) -> GraphMailbox:
        return GraphMailbox(
            self.server.store.address, tokens=tokens, service=self.server.url, ca_file=self.ca
        )


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = make_certificates(tmp_path)
    server = GraphServer(certificate=(made.server, made.key))
    yield Place(server, str(made.authority))
    server.close()


@pytest.fixture
def browser(monkeypatch: pytest.MonkeyPatch, place: Place) -> Iterator[list[str]]:
    """A browser whose person agrees to everything."""
    opened: list[str] = []
    threads: list[threading.Thread] = []

    def open_(url: str, *args: object) -> bool:
        opened.append(url)
        threads.append(threading.Thread(target=place.visit, args=(url,)))
        threads[-1].start()
        return True

    monkeypatch.setattr(webbrowser, "open", open_)
    yield opened
    for thread in threads:
        thread.join()


def test_in_the_browser_with_pkce(place: Place, browser: list[str]) -> None:
    kept = place.tokens().sign_in()
    assert "code_challenge_method=S256" in browser[0]
    assert "Mail.ReadWrite" in browser[0]
    assert place.server.authority.asked == ["authorization_code"]
    tokens = place.tokens(kept)
    box = place.box(tokens)
    assert box.changes(INBOX, None).changes == ()
    box.close()
    # The token that was kept served; nothing was asked for again, nothing kept anew.
    assert place.server.authority.asked == ["authorization_code"]
    assert place.stored == []


def test_nobody_waits_for_a_browser_that_was_left(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    cancel = Cancel()
    opened: list[str] = []

    def left_alone(url: str, *args: object) -> bool:
        opened.append(url)
        cancel.cancel()
        return True

    monkeypatch.setattr(webbrowser, "open", left_alone)
    with pytest.raises(Cancelled):
        place.tokens().sign_in(cancel=cancel)
    place.visit(opened[0])  # the person comes back: what waited in the background ends
    waiting = [one for one in threading.enumerate() if "sign-in" in one.name]
    for thread in waiting:
        thread.join(10)


def test_by_a_code_on_another_device(place: Place) -> None:
    shown: list[tuple[str, str]] = []
    place.server.authority.pending = 1
    kept = place.tokens().sign_in(lambda address, code: shown.append((address, code)))
    assert shown == [("https://microsoft.com/devicelogin", "ABC-DEF")]
    assert place.tokens(kept).token().startswith("access-")


def test_a_revoked_token_is_renewed_silently_and_kept(
    place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    kept = place.tokens().sign_in(lambda address, code: None)
    place.server.authority.revoke()
    box = place.box(place.tokens(kept))
    assert box.changes(INBOX, None).changes == ()
    box.close()
    (renewed,) = place.stored
    assert place.server.authority.refresh in renewed
    assert place.server.authority.asked == ["device_code", "refresh_token"]
    assert place.server.authority.refresh not in caplog.text


def test_a_sign_in_that_ended_asks_the_person_once(place: Place) -> None:
    kept = place.tokens().sign_in(lambda address, code: None)
    place.server.authority.revoke()
    place.server.authority.refresh = "another"
    box = place.box(place.tokens(kept))
    with pytest.raises(UserError, match="sign in anew"):
        box.changes(INBOX, None)
    box.close()
    assert place.server.authority.asked == ["device_code", "refresh_token"]


@pytest.mark.parametrize("kept", ["", "{}", "no json at all"])
def test_without_a_sign_in_nothing_is_asked(place: Place, kept: str) -> None:
    with pytest.raises(UserError, match="sign in once"):
        place.tokens(kept).token()
    assert place.server.authority.asked == []


def test_a_tenant_that_is_none(place: Place) -> None:
    with pytest.raises(EnvironmentProblem, match="directory"):
        place.tokens(tenant="wrong.example").sign_in(lambda address, code: None)


def test_a_sign_in_that_cannot_be_reached(place: Place) -> None:
    tokens = MsalTokens(CLIENT, TENANT, "ana@firma.example", authority="https://127.0.0.1:1")
    with pytest.raises(EnvironmentProblem, match="cannot be reached") as told:
        tokens.sign_in(lambda address, code: None)
    assert told.value.retryable


def test_a_sign_in_with_a_certificate_nobody_signed(place: Place) -> None:
    place.ca = ""
    with pytest.raises(EnvironmentProblem, match="certificate"):
        place.tokens().sign_in(lambda address, code: None)


def test_the_person_says_no_in_the_browser(place: Place, browser: list[str]) -> None:
    place.server.authority.refuse = ("access_denied", "AADSTS65004: User declined to consent.")
    with pytest.raises(CrmError, match="administrator"):
        place.tokens().sign_in()


@pytest.mark.parametrize(
    ("error", "text", "kind", "sentence"),
    [
        ("invalid_grant", "AADSTS50173: expired", UserError, "sign in anew"),
        ("access_denied", "The user left", UserError, "refused or left"),
        ("unauthorized_client", "AADSTS700016: not found", EnvironmentProblem, "client id"),
        ("invalid_request", "AADSTS50020: other tenant", EnvironmentProblem, "tenant"),
        ("invalid_grant", "AADSTS65001: consent", EnvironmentProblem, "grant its permissions"),
        ("invalid_grant", "AADSTS53003: blocked", EnvironmentProblem, "rules of your organisation"),
        ("invalid_client", "AADSTS7000218: secret", EnvironmentProblem, "public client flows"),
        ("invalid_request", "AADSTS50011: redirect", EnvironmentProblem, "http://localhost"),
        ("server_error", "busy", EnvironmentProblem, "failed"),
    ],
)
def test_what_the_sign_in_refuses(
    error: str, text: str, kind: type[CrmError], sentence: str
) -> None:
    answer = {"error": error, "error_description": f"{text}\r\nTrace ID: 00-11"}
    told = problem_of(answer, "ana@firma.example")
    assert isinstance(told, kind)
    assert sentence in str(told)
    assert "Trace" not in str(told)
