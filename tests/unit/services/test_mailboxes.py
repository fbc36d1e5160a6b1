from __future__ import annotations

import logging
from pathlib import Path

import keyring
import pytest
from keyring.backends import fail

from desktop_crm.core import secrets
from desktop_crm.core.errors import NotFound, UserError
from desktop_crm.db.engine import Database
from desktop_crm.models.mail import MailboxState
from desktop_crm.services.context import Actor, system_actor
from desktop_crm.services.mail import mailboxes
from desktop_crm.services.mail.mailboxes import NewMailbox
from tests.support.keyrings import MemoryKeyring


@pytest.fixture
def actor(sqlite_db: Database) -> Actor:
    return system_actor(sqlite_db)


def exchange(name: str = "Ana", **changes: str) -> NewMailbox:
    values = {"server": "mail.firma.example", "login": "FIRMA\\ana", **changes}
    return NewMailbox(name, "exchange", "Ana@Firma.example", **values)


def graph(**changes: str) -> NewMailbox:
    values = {"client_id": "11111111-2222-3333-4444-555555555555", "tenant": "firma.example"}
    return NewMailbox("Cloud", "graph", "ana@firma.example", **values | changes)


def test_a_mailbox_of_microsoft_365(actor: Actor, memory_keyring: MemoryKeyring) -> None:
    signed = "{" + "x" * 5_000 + "}"
    added = mailboxes.add(actor, graph(tenant=" Firma.Example "), signed)
    row = mailboxes.get(actor, added.id)
    assert (row.kind, row.tenant, row.server) == ("graph", "firma.example", "")
    assert mailboxes.password_of(row) == signed
    mailboxes.renew_sign_in(row, "renewed")
    assert mailboxes.password_of(row) == "renewed"
    assert mailboxes.checked(graph(tenant="")).tenant == "organizations"
    mailboxes.remove(actor, added.id)
    assert memory_keyring.secrets == {}


def test_an_exchange_mailbox_may_need_no_password(actor: Actor, tmp_path: Path) -> None:
    mine = tmp_path / "ana.pem"
    mine.write_text("certificate")
    by_key = exchange("Key", sign_in="certificate", certificate=str(mine))
    row = mailboxes.get(actor, mailboxes.add(actor, by_key).id)
    assert (row.sign_in, row.certificate) == ("certificate", str(mine.resolve()))
    row = mailboxes.get(actor, mailboxes.add(actor, exchange("Domain", sign_in="system")).id)
    assert (row.sign_in, row.certificate) == ("system", "")
    row = mailboxes.get(actor, mailboxes.add(actor, exchange(sign_in="password"), "pw").id)
    assert row.sign_in == ""
    assert [r.name for r in mailboxes.list_mailboxes(actor)] == ["Ana", "Domain", "Key"]


def test_adding_listing_and_removing(
    actor: Actor, tmp_path: Path, memory_keyring: MemoryKeyring
) -> None:
    added = mailboxes.add(actor, exchange(), "secret")
    assert added.place is secrets.Place.KEYRING
    assert added.notice == ""
    mailboxes.add(actor, NewMailbox("Arhivă", "folder", "ana@firma.example", path=str(tmp_path)))
    first, second = mailboxes.list_mailboxes(actor)
    assert (first.name, first.address, first.login) == ("Ana", "ana@firma.example", "FIRMA\\ana")
    assert first.server == "https://mail.firma.example/EWS/Exchange.asmx"
    assert second.login == "ana@firma.example"
    assert mailboxes.password_of(first) == "secret"
    assert mailboxes.find(actor, "arhiva").id == second.id
    mailboxes.remove(actor, first.id)
    assert [row.name for row in mailboxes.list_mailboxes(actor)] == ["Arhivă"]
    assert memory_keyring.secrets == {}
    with pytest.raises(NotFound, match="There are: Arhivă"):
        mailboxes.find(actor, "Ana")
    assert mailboxes.add(actor, exchange(), "again").id != added.id


def test_the_password_is_neither_in_the_database_nor_in_the_log(
    actor: Actor, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    mailboxes.add(actor, exchange(), "sup3r-secret")
    assert actor.db.path is not None
    actor.db.close()
    for path in actor.db.path.parent.glob("crm.db*"):
        assert b"sup3r-secret" not in path.read_bytes()
    assert "sup3r-secret" not in caplog.text


def test_without_a_keyring_the_product_says_where_the_password_lies(
    actor: Actor, memory_keyring: MemoryKeyring
) -> None:
    keyring.set_keyring(fail.Keyring())  # type: ignore[no-untyped-call]
    added = mailboxes.add(actor, exchange(), "secret")
    assert added.place is secrets.Place.VAULT
    assert str(secrets.vault_folder()) in added.notice
    keyring.set_keyring(memory_keyring)


@pytest.mark.parametrize(
    ("new", "password", "field"),
    [
        (NewMailbox(" ", "folder", "a@b.example"), "", "name"),
        (NewMailbox("A", "folder", "nobody"), "", "address"),
        (NewMailbox("A", "pop", "a@b.example"), "", "kind"),
        (NewMailbox("A", "folder", "a@b.example"), "", "path"),
        (NewMailbox("A", "folder", "a@b.example", path="/no/such/folder"), "", "path"),
        (NewMailbox("A", "exchange", "a@b.example"), "x", "server"),
        (exchange(server="http://mail.firma.example"), "x", "server"),
        (exchange(ca_file="/no/such/file"), "x", "ca_file"),
        (exchange(), "", "password"),
        (exchange(sign_in="guess"), "x", "sign_in"),
        (exchange(sign_in="certificate"), "", "certificate"),
        (exchange(sign_in="certificate", certificate="/no/such/file"), "", "certificate"),
        (graph(client_id=""), "x", "client_id"),
        (graph(client_id="my program"), "x", "client_id"),
        (graph(tenant="evil.example/../x"), "x", "tenant"),
        (graph(), "", "password"),
    ],
)
def test_what_is_refused(actor: Actor, new: NewMailbox, password: str, field: str) -> None:
    with pytest.raises(UserError) as problem:
        mailboxes.add(actor, new, password)
    assert problem.value.field == field
    assert mailboxes.list_mailboxes(actor) == ()


def test_a_file_that_is_no_certificate(actor: Actor, tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("nothing")
    with pytest.raises(UserError, match="no certificate"):
        mailboxes.add(actor, exchange(ca_file=str(tmp_path / "ca.pem")), "x")


def test_names_are_unique(actor: Actor) -> None:
    mailboxes.add(actor, exchange(), "x")
    with pytest.raises(UserError, match="already"):
        mailboxes.add(actor, exchange("ANA"), "x")


def test_a_new_password_lets_a_stopped_mailbox_go_on(actor: Actor) -> None:
    key = mailboxes.add(actor, exchange(), "old").id
    mailboxes.set_state(actor, key, MailboxState.STOPPED, "refused")
    mailboxes.set_password(actor, key, "new")
    row = mailboxes.get(actor, key)
    assert (row.state, row.message) == ("new", "")
    assert mailboxes.password_of(row) == "new"
