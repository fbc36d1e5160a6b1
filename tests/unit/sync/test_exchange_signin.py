"""Signing in to an Exchange server, and finding it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

from desktop_crm.core.errors import EnvironmentProblem, UserError
from desktop_crm.sync.exchange import discovery
from desktop_crm.sync.exchange.mailbox import ExchangeMailbox
from desktop_crm.sync.exchange.signin import SignIn
from tests.ews_server import EwsServer, soap
from tests.ews_server import faults as script
from tests.ews_server.certificates import PERSON_PASSWORD, Certificates, make_certificates
from tests.unit.sync.conftest import mailbox_of

Serve = Callable[..., EwsServer]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Starts servers and stops them again."""
    started: list[EwsServer] = []

    def start(*args: object, **options: object) -> EwsServer:
        started.append(EwsServer(*args, **options))  # type: ignore[arg-type]
        return started[-1]

    yield start
    for server in started:
        server.close()


@pytest.fixture
def certificates(tmp_path: Path) -> Certificates:
    return make_certificates(tmp_path)


@contextmanager
def opened(server: EwsServer, **options: object) -> Iterator[ExchangeMailbox]:
    mailbox = mailbox_of(server, **options)
    try:
        yield mailbox
    finally:
        mailbox.close()


def names(mailbox: ExchangeMailbox) -> list[str]:
    return [folder.name for folder in mailbox.folders()]


# --- certificates ------------------------------------------------------------------------------


def test_two_mailboxes_trust_two_authorities(serve: Serve, tmp_path: Path) -> None:
    homes = [tmp_path / "a", tmp_path / "b"]
    for home in homes:
        home.mkdir()
    made = [make_certificates(home) for home in homes]
    servers = [serve(certificate=(one.server, one.key)) for one in made]
    for server, own, other in zip(servers, made, reversed(made), strict=True):
        with opened(server, ca_file=str(own.authority)) as mailbox:
            assert "Inbox" in names(mailbox)
        with opened(server, ca_file=str(other.authority)) as mailbox:
            with pytest.raises(EnvironmentProblem, match="not signed by an authority") as problem:
                mailbox.folders()
            assert not problem.value.retryable
    with opened(servers[0]) as mailbox, pytest.raises(EnvironmentProblem, match="authority"):
        mailbox.folders()


def test_a_certificate_signs_in(serve: Serve, certificates: Certificates) -> None:
    server = serve(
        offers=(),
        certificate=(certificates.server, certificates.key),
        people_authority=certificates.authority,
    )
    known = {"ca_file": str(certificates.authority), "password": ""}
    person = str(certificates.person)
    with opened(server, **known, certificate=person, key_password=PERSON_PASSWORD) as mailbox:
        assert "Inbox" in names(mailbox)
    with opened(server, **known) as mailbox, pytest.raises(EnvironmentProblem):
        mailbox.folders()


@pytest.mark.parametrize("password", ["", "wrong"])
def test_a_key_that_does_not_open_is_named(
    serve: Serve, certificates: Certificates, password: str
) -> None:
    server = serve(certificate=(certificates.server, certificates.key))
    person = str(certificates.person)
    with opened(
        server, ca_file=str(certificates.authority), certificate=person, key_password=password
    ) as mailbox:
        with pytest.raises(UserError, match="certificate cannot be used"):
            mailbox.folders()
        assert [step.ok for step in mailbox.test()] == [False]


def test_a_certificate_the_server_does_not_know_is_a_refusal(
    serve: Serve, certificates: Certificates
) -> None:
    server = serve(certificate=(certificates.server, certificates.key))
    with (
        opened(
            server,
            ca_file=str(certificates.authority),
            certificate=str(certificates.person),
            key_password=PERSON_PASSWORD,
            password="",
        ) as mailbox,
        pytest.raises(UserError, match="refused"),
    ):
        mailbox.folders()


# --- the system's own sign-in ------------------------------------------------------------------


def _binding(certificate: Path) -> bytes:
    found = x509.load_pem_x509_certificate(certificate.read_bytes())
    digest = hashes.Hash(hashes.SHA256())
    digest.update(found.public_bytes(serialization.Encoding.DER))
    return b"tls-server-end-point:" + digest.finalize()


def test_the_systems_sign_in_is_bound_to_the_servers_certificate(
    serve: Serve,
    certificates: Certificates,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("NTLM_USER_FILE", "")
    server = serve(
        "FIRMA\\ana",
        "parola",
        ("Negotiate",),
        certificate=(certificates.server, certificates.key),
        user_file=tmp_path / "users",
    )
    server.bindings = _binding(certificates.server)
    known = {"ca_file": str(certificates.authority), "password": "", "by_system": True}
    with opened(server, **known) as mailbox:
        assert "Inbox" in names(mailbox)
    server.bindings = b"tls-server-end-point:another"
    with opened(server, **known) as mailbox, pytest.raises(UserError, match="refused"):
        mailbox.folders()


def test_without_a_sign_in_of_the_system_the_sentence_says_what_to_do(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NTLM_USER_FILE", raising=False)
    server = serve(offers=("Negotiate",))
    with opened(server, password="", by_system=True) as mailbox:
        with pytest.raises(EnvironmentProblem, match="kinit") as problem:
            mailbox.folders()
        assert not problem.value.retryable


def test_a_server_that_wants_a_password_says_so_to_the_systems_sign_in(serve: Serve) -> None:
    server = serve()
    with (
        opened(server, password="", by_system=True) as mailbox,
        pytest.raises(EnvironmentProblem, match="basic"),
    ):
        mailbox.folders()
    assert server.seen_passwords == 0


# --- finding the server ------------------------------------------------------------------------

ADDRESS = "ana@firma.example"


@pytest.fixture
def around(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Names the hosts that are asked instead of those of the domain."""

    def set_places(*urls: str, signpost: str = "http://127.0.0.1:9/x") -> None:
        monkeypatch.setattr(discovery, "places", lambda _domain: urls)
        monkeypatch.setattr(discovery, "signpost", lambda _domain: signpost)

    return set_places


def place(server: EwsServer) -> str:
    return server.url.replace("/EWS/Exchange.asmx", "/autodiscover/autodiscover.xml")


def sign_in(server: EwsServer, password: str | None = None, ca: Path | None = None) -> SignIn:
    return SignIn(server.login, password or server.password, str(ca or ""))


def test_hosts_of_the_domain_are_asked() -> None:
    assert [*discovery.places("firma.example"), discovery.signpost("firma.example")] == [
        "https://autodiscover.firma.example/autodiscover/autodiscover.xml",
        "https://firma.example/autodiscover/autodiscover.xml",
        "http://autodiscover.firma.example/autodiscover/autodiscover.xml",
    ]


def test_the_server_is_found_and_its_outer_address_is_taken(
    serve: Serve, around: Callable[..., None]
) -> None:
    server = serve()
    server.told_urls = {"EXCH": "https://inner.firma.example/x", **server.told_urls}
    around("http://127.0.0.1:9/nothing", place(server))
    found = discovery.find_server(ADDRESS, sign_in(server))
    assert found == "https://mail.firma.example/EWS/Exchange.asmx"


def test_a_refused_password_is_tried_at_one_host_only(
    serve: Serve, around: Callable[..., None]
) -> None:
    first, second = serve(), serve()
    around(place(first), place(second))
    with pytest.raises(UserError, match="refused"):
        discovery.find_server(ADDRESS, sign_in(first, "wrong"))
    assert (first.refusals, second.refusals) == (1, 0)
    assert second.seen_passwords == 0


def test_a_password_never_goes_to_another_domain_or_without_protection(
    serve: Serve, around: Callable[..., None]
) -> None:
    server = serve()
    server.signpost = "https://outlook.other.example/autodiscover/autodiscover.xml"
    around("http://127.0.0.1:9/nothing", signpost=place(server))
    with pytest.raises(UserError, match=r"outlook\.other\.example") as problem:
        discovery.find_server(ADDRESS, sign_in(server))
    assert problem.value.field == "server"
    server.signpost = "http://mail.firma.example/autodiscover/autodiscover.xml"
    with pytest.raises(UserError, match=r"mail\.firma\.example"):
        discovery.find_server(ADDRESS, sign_in(server))
    assert server.seen_passwords == 0


def test_answers_may_lead_on_within_the_domain(serve: Serve, around: Callable[..., None]) -> None:
    server = serve()
    onward = f"<RedirectUrl>{place(server)}</RedirectUrl>"

    server.fault("Autodiscover", script.raw(soap.discovered({}, onward)))
    around(place(server))
    assert discovery.find_server(ADDRESS, sign_in(server)).startswith("https://mail.firma")
    away = "<RedirectAddr>ana@other.example</RedirectAddr>"
    server.fault("Autodiscover", script.raw(soap.discovered({}, away)))
    discovery_places = discovery.places

    def places(domain: str) -> tuple[str, ...]:
        if domain == "other.example":
            return ("https://autodiscover.other.example/x",)
        return tuple(discovery_places(domain))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(discovery, "places", places)
        with pytest.raises(UserError, match=r"autodiscover\.other\.example"):
            discovery.find_server(ADDRESS, sign_in(server))


@pytest.mark.parametrize("answer", ["<html>shop</html>", "<broken", soap.discovered({})])
def test_a_host_that_is_no_exchange_server_is_passed_over(
    serve: Serve, around: Callable[..., None], answer: str
) -> None:
    server = serve(offers=())
    server.fault("Autodiscover", script.raw(answer))
    around(place(server))
    with pytest.raises(EnvironmentProblem, match="No Exchange server was found"):
        discovery.find_server(ADDRESS, sign_in(server))
    assert server.seen_passwords == 0


def test_a_host_of_an_unknown_authority_never_sees_the_password(
    serve: Serve, around: Callable[..., None], certificates: Certificates
) -> None:
    server = serve(certificate=(certificates.server, certificates.key))
    around(place(server))
    with pytest.raises(EnvironmentProblem, match="No Exchange server was found"):
        discovery.find_server(ADDRESS, sign_in(server))
    assert server.seen_passwords == 0
    found = discovery.find_server(ADDRESS, sign_in(server, ca=certificates.authority))
    assert found.startswith("https://mail.firma.example")
