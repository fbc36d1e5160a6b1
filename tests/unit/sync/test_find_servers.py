"""From an address to its servers, without the network."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from desktop_crm.core.errors import UserError
from desktop_crm.services.mail.servers import imap_address, mail_server, smtp_address, web_address
from desktop_crm.sync.find_servers import Servers, by_file, by_guess, by_records

CONFIG = b"""<?xml version="1.0"?><clientConfig version="1.1"><emailProvider id="firma.example">
<incomingServer type="pop3"><hostname>pop.firma.example</hostname><port>995</port>
<socketType>SSL</socketType></incomingServer>
<incomingServer type="imap"><hostname>plain.firma.example</hostname><port>143</port>
<socketType>plain</socketType></incomingServer>
<incomingServer type="imap"><hostname>mx.firma.example</hostname><port>143</port>
<socketType>STARTTLS</socketType><username>%EMAILLOCALPART%</username></incomingServer>
<outgoingServer type="smtp"><hostname>mx.firma.example</hostname><port>465</port>
<socketType>SSL</socketType></outgoingServer></emailProvider>
<webMail/><calendar type="caldav"><serverURL>https://dav.firma.example/</serverURL></calendar>
<addressBook type="carddav"><serverURL>https://dav.firma.example/</serverURL></addressBook>
</clientConfig>"""


@dataclass
class Fake:
    """Answers from tables, and what was asked."""

    records: dict[str, list[tuple[str, int]]] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    ports: set[tuple[str, int]] = field(default_factory=set)

    def services(self, name: str) -> list[tuple[str, int]]:
        return self.records.get(name, [])

    def file(self, url: str) -> bytes | None:
        return self.files.get(url)

    def listens(self, host: str, port: int) -> bool:
        return (host, port) in self.ports


def find_servers(fake: Fake) -> Servers | None:
    """As the search goes on: the provider's own words first, then names that answer."""
    domain = "firma.example"
    return (
        by_file(f"ana@{domain}", domain, fake) or by_records(domain, fake) or by_guess(domain, fake)
    )


def test_the_providers_file_comes_first() -> None:
    url = "https://autoconfig.firma.example/mail/config-v1.1.xml?emailaddress=ana%40firma.example"
    fake = Fake(files={url: CONFIG}, records={"_imaps._tcp.firma.example": [("other", 1)]})
    assert find_servers(fake) == Servers(
        "imap://mx.firma.example:143",
        "smtps://mx.firma.example:465",
        "https://dav.firma.example/",
        "ana",
        "the provider's settings file",
    )


def test_service_records_come_next_even_when_the_file_is_nonsense() -> None:
    url = "https://firma.example/.well-known/autoconfig/mail/config-v1.1.xml"
    fake = Fake(
        files={f"{url}?emailaddress=ana%40firma.example": b"<html>"},
        records={
            "_imaps._tcp.firma.example": [("imap.host.example", 993)],
            "_submission._tcp.firma.example": [("smtp.host.example", 587)],
            "_caldavs._tcp.firma.example": [("dav.host.example", 443)],
            "_carddavs._tcp.firma.example": [("cards.host.example", 8443)],
        },
    )
    found = find_servers(fake)
    assert found is not None
    assert (found.imap, found.smtp) == (
        "imaps://imap.host.example:993", "smtp://smtp.host.example:587",
    )  # fmt: skip
    assert found.dav == "https://dav.host.example https://cards.host.example:8443"


def test_usual_names_come_last() -> None:
    fake = Fake(ports={("mail.firma.example", 993), ("smtp.firma.example", 587)})
    found = find_servers(fake)
    assert found is not None
    assert (found.imap, found.smtp, found.dav) == (
        "imaps://mail.firma.example:993", "smtp://smtp.firma.example:587", "",
    )  # fmt: skip


def test_where_nothing_answers_there_is_none() -> None:
    assert find_servers(Fake()) is None


# --- written forms ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("mail.firma.ro", "imaps://mail.firma.ro:993"),
        (" mail.firma.ro:143 ", "imap://mail.firma.ro:143"),
        ("mail.firma.ro:1993", "imaps://mail.firma.ro:1993"),
        ("imap://mail.firma.ro", "imap://mail.firma.ro:143"),
        ("[::1]:993", "imaps://[::1]:993"),
    ],
)
def test_addresses_are_completed(text: str, written: str) -> None:
    assert imap_address(text) == written
    assert imap_address(written) == written


def test_sending_is_protected_by_default() -> None:
    assert smtp_address("smtp.firma.ro") == "smtps://smtp.firma.ro:465"
    assert smtp_address("smtp.firma.ro:587") == "smtp://smtp.firma.ro:587"
    assert not mail_server("smtp://smtp.firma.ro:587").tls
    assert mail_server("imap://127.0.0.1:143").is_loopback


@pytest.mark.parametrize(
    "text", ["", "a b", "https://x.ro", "imaps://u@x.ro", "imaps://x.ro/INBOX", "x.ro:port"]
)
def test_nonsense_is_refused(text: str) -> None:
    with pytest.raises(UserError) as problem:
        imap_address(text)
    assert problem.value.field == "server"


def test_calendars_are_asked_over_https() -> None:
    assert web_address("dav.firma.ro", "dav_server") == "https://dav.firma.ro"
    with pytest.raises(UserError, match="unprotected"):
        web_address("http://dav.firma.ro", "dav_server")
    assert web_address("http://localhost:5232/ana", "dav_server").startswith("http://localhost")
