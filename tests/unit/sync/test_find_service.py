"""From an address to its service, step by step, without the network."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import urlsplit

import pytest
import requests

from desktop_crm.core.errors import Cancelled, UserError
from desktop_crm.db.engine import Cancel
from desktop_crm.services.mail.mailboxes import NewMailbox
from desktop_crm.sync import server_lookups
from desktop_crm.sync.find_service import (
    STEP_LIMIT_S,
    FindStep,
    FoundService,
    Outcome,
    find_service,
)
from tests.unit.sync.test_find_servers import CONFIG

TENANT = "11111111-2222-3333-4444-555555555555"


@dataclass
class Fake:
    """Answers from tables, and everything that was asked."""

    records: dict[str, list[tuple[str, int]]] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    ports: set[tuple[str, int]] = field(default_factory=set)
    mail: list[str] = field(default_factory=list)
    aliases: dict[str, str] = field(default_factory=dict)
    tenant: str = ""
    guarded: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)
    lasting: float = 0.0
    time: float = 0.0

    def _note(self, question: str) -> None:
        self.asked.append(question)
        self.time += self.lasting

    def services(self, name: str) -> list[tuple[str, int]]:
        self._note(name)
        return self.records.get(name, [])

    def file(self, url: str) -> bytes | None:
        self._note(url)
        return self.files.get(url.partition("?")[0])

    def listens(self, host: str, port: int) -> bool:
        self._note(f"{host}:{port}")
        return (host, port) in self.ports

    def mail_hosts(self, domain: str) -> list[str]:
        self._note(f"MX {domain}")
        return self.mail

    def alias(self, name: str) -> str:
        self._note(f"CNAME {name}")
        return self.aliases.get(name, "")

    def directory(self, domain: str) -> str:
        self._note(f"directory {domain}")
        return self.tenant

    def challenges(self, url: str) -> bool:
        self._note(url)
        return urlsplit(url).hostname in self.guarded


def found(fake: Fake, address: str = "Ana@Firma.example") -> FoundService:
    return find_service(address, fake, now=lambda: fake.time)


def mailbox(service: FoundService) -> NewMailbox:
    assert service.new is not None
    return service.new


def outcomes(service: FoundService) -> list[str]:
    return [f"{step.key} {step.outcome}" for step in service.steps]


def test_mail_in_microsoft_365_is_known_by_where_it_goes() -> None:
    service = found(Fake(mail=["firma-example.mail.protection.outlook.com"], tenant=TENANT))
    new = mailbox(service)
    assert (new.kind, new.address, new.tenant) == ("graph", "ana@firma.example", TENANT)
    assert outcomes(service) == [
        "graph found", "exchange skipped", "file skipped", "records skipped", "guess skipped",
    ]  # fmt: skip
    assert "password or EWS" in service.steps[0].message


def test_behind_a_filter_the_name_outlook_asks_tells_it() -> None:
    fake = Fake(mail=["in.filter.example"], tenant=TENANT)
    fake.aliases["autodiscover.firma.example"] = "autodiscover.outlook.com"
    assert mailbox(found(fake)).kind == "graph"


def test_a_personal_account_signs_in_among_the_personal_ones() -> None:
    fake = Fake(mail=["outlook-com.olc.protection.outlook.com"])
    assert mailbox(found(fake, "ana@outlook.example")).tenant == "consumers"


def test_a_server_of_the_domain_that_asks_for_a_sign_in_is_exchange() -> None:
    service = found(Fake(tenant=TENANT, guarded={"autodiscover.firma.example"}))
    new = mailbox(service)
    # The server itself is named only to who signs in.
    assert (new.kind, new.server, service.confirm) == ("exchange", "", ())
    assert "its mail goes elsewhere" in service.steps[0].message


def test_the_domains_own_file_needs_nobodys_agreement() -> None:
    url = "https://autoconfig.firma.example/mail/config-v1.1.xml"
    service = found(Fake(files={url: CONFIG.replace(b"mx.firma", b"mx.host")}))
    new = mailbox(service)
    assert (new.kind, new.server, new.login) == ("imap", "imap://mx.host.example:143", "ana")
    assert service.confirm == ()


def test_records_that_lead_outside_are_agreed_to_first() -> None:
    fake = Fake(
        records={
            "_imaps._tcp.firma.example": [("imap.host.example", 993)],
            "_submissions._tcp.firma.example": [("smtp.firma.example", 465)],
            "_caldavs._tcp.firma.example": [("dav.other.example", 443)],
        }
    )
    service = found(fake)
    assert service.confirm == ("imap.host.example", "dav.other.example")
    assert "only after you agree" in service.steps[3].message


def test_usual_names_are_of_the_domain() -> None:
    service = found(Fake(ports={("imap.firma.example", 993)}))
    assert mailbox(service).server == "imaps://imap.firma.example:993"
    assert service.confirm == ()


def test_a_directory_alone_is_the_last_resort() -> None:
    service = found(Fake(tenant=TENANT))
    assert (mailbox(service).kind, outcomes(service)[0]) == ("graph", "graph nothing")


def test_nothing_found_leaves_a_sentence_for_each_step() -> None:
    service = found(Fake())
    assert service.new is None
    assert all(step.outcome is Outcome.NOTHING and step.message for step in service.steps)


def test_no_question_is_asked_about_what_is_no_address() -> None:
    fake = Fake()
    with pytest.raises(UserError, match="no e-mail address"):
        found(fake, "ana")
    assert fake.asked == []


def test_the_address_of_the_person_is_told_to_nobody_but_the_domain() -> None:
    fake = Fake()
    found(fake)
    told = [question for question in fake.asked if "ana" in question]
    assert told
    assert all(urlsplit(url).hostname.endswith("firma.example") for url in told)  # type: ignore[union-attr]


def test_a_step_that_lasts_is_left_and_the_next_begins() -> None:
    fake = Fake(lasting=STEP_LIMIT_S + 1)
    service = found(fake)
    assert "No answer in time" in service.steps[0].message
    # Each step had its first question, and no second one.
    assert len(fake.asked) == len(service.steps)


def test_a_person_stops_the_search_between_two_questions() -> None:
    fake, cancel, told = Fake(), Cancel(), list[FindStep]()

    def tell(step: FindStep) -> None:
        told.append(step)
        cancel.cancel()

    with pytest.raises(Cancelled):
        find_service("ana@firma.example", fake, tell=tell, cancel=cancel)
    assert (fake.asked, [step.outcome for step in told]) == ([], [Outcome.ASKING])


def test_a_file_that_came_unprotected_for_a_part_of_its_way_is_not_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Answer:
        status_code = 200

        def __init__(self, url: str, *history: Answer) -> None:
            self.url, self.history = url, history
            self.raw = self

        def __enter__(self) -> Answer:
            return self

        def __exit__(self, *_: object) -> None:
            pass

        def read(self, _most: int, *, decode_content: bool) -> bytes:
            return b"file"

    ways = {
        "https://a": Answer("https://b", Answer("https://a")),
        "https://c": Answer("https://b", Answer("https://c"), Answer("http://c")),
    }
    monkeypatch.setattr(requests, "get", lambda url, **_: ways[url])
    lookups = server_lookups.NetworkLookups()
    assert lookups.file("https://a") == b"file"
    assert lookups.file("https://c") is None
