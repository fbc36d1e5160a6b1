"""A message leaves exactly once, whatever breaks in between."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from imapclient import IMAPClient

from desktop_crm.core.errors import EnvironmentProblem, UserError
from desktop_crm.sync.imap import mails
from desktop_crm.sync.imap import writes as imap_writes
from desktop_crm.sync.imap.mailbox import ImapMailbox
from desktop_crm.sync.imap.smtp import Postman, blinded
from desktop_crm.sync.writes import SaveDraft
from tests.contract.writing_driver import message, sending
from tests.mail_servers.dovecot import PASSWORD
from tests.mail_servers.servers import Servers


@pytest.fixture
def mailbox(mail_servers: Servers) -> Iterator[ImapMailbox]:
    made = mail_servers.mailbox()
    yield made
    made.close()


@pytest.fixture
def client(mail_servers: Servers) -> Iterator[IMAPClient]:
    connection = mail_servers.dovecot.client()
    yield connection
    connection.logout()


def held(client: IMAPClient, folder: str) -> int:
    return int(client.folder_status(folder, ["MESSAGES"])[b"MESSAGES"])


def test_one_copy_lies_in_sent_read_and_no_draft(
    mail_servers: Servers, mailbox: ImapMailbox, client: IMAPClient
) -> None:
    deed = sending()
    written = mailbox.do(deed)
    assert (held(client, "Outgoing"), held(client, "Drafts")) == (1, 0)
    client.select_folder("Outgoing", readonly=True)
    flags = client.get_flags([1])[1]
    assert b"\\Seen" in flags
    assert not {b"\\Draft", imap_writes.HANDED_OVER} & set(flags)
    assert written == mailbox.find(deed)
    assert len(mail_servers.smtp.delivered) == 1


def test_its_own_draft_goes_when_it_is_sent(mailbox: ImapMailbox, client: IMAPClient) -> None:
    deed = sending()
    mailbox.do(SaveDraft("d", deed.message_id, message(deed.own_key, "Not yet ready")))
    assert mailbox.find(deed) is None
    mailbox.do(deed)
    assert (held(client, "Outgoing"), held(client, "Drafts")) == (1, 0)


def test_a_refused_recipient_stops_it_for_all(
    mail_servers: Servers, mailbox: ImapMailbox, client: IMAPClient
) -> None:
    mail_servers.smtp.refuse = {"boss@firma.example": "550 5.1.1 No such user here"}
    deed = sending(bcc=("boss@firma.example",))
    with pytest.raises(UserError, match=r"refuses boss@firma\.example: 550 5\.1\.1 No such user"):
        mailbox.do(deed)
    assert mail_servers.smtp.delivered == []
    assert (held(client, "Outgoing"), held(client, "Drafts")) == (0, 0)
    assert mailbox.find(deed) is None
    mail_servers.smtp.refuse = {"boss@firma.example": "451 4.7.1 Greylisted"}
    with pytest.raises(EnvironmentProblem, match="Greylisted") as problem:
        mailbox.do(deed)
    assert problem.value.retryable


def test_a_refused_message_was_not_sent(
    mail_servers: Servers, mailbox: ImapMailbox, client: IMAPClient
) -> None:
    mail_servers.smtp.data_answer = "554 5.7.1 Looks like spam"
    deed = sending()
    with pytest.raises(UserError, match="Looks like spam"):
        mailbox.do(deed)
    assert mailbox.find(deed) is None
    mail_servers.smtp.data_answer = ""
    mailbox.do(deed)
    assert (len(mail_servers.smtp.delivered), held(client, "Outgoing")) == (1, 1)


def test_why_it_was_not_sent_is_told_though_its_draft_stays(
    mail_servers: Servers,
    mailbox: ImapMailbox,
    client: IMAPClient,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(*_args: object) -> None:
        raise EnvironmentProblem("The line is down.", retryable=True)

    mail_servers.smtp.refuse = {"ion@client.example": "550 5.1.1 No such user here"}
    deed = sending()
    with monkeypatch.context() as patched:
        patched.setattr(mails.Mails, "delete", broken)
        with pytest.raises(UserError, match="No such user"):
            mailbox.do(deed)
    mail_servers.smtp.refuse = {}
    mailbox.do(deed)
    assert (len(mail_servers.smtp.delivered), held(client, "Outgoing"), held(client, "Drafts")) == (
        1, 1, 0,
    )  # fmt: skip


def test_what_nobody_knows_is_not_sent_again(
    mail_servers: Servers, mailbox: ImapMailbox, client: IMAPClient
) -> None:
    mail_servers.smtp.dies = True
    deed = sending()
    with pytest.raises(EnvironmentProblem, match="nobody knows") as problem:
        mailbox.do(deed)
    assert problem.value.retryable
    mail_servers.smtp.dies = False
    for attempt in (mailbox.find, mailbox.do):
        with pytest.raises(UserError, match="It was not sent again"):
            attempt(deed)
    assert len(mail_servers.smtp.delivered) == 1
    # A person looks and moves it to the sent mail: then it is known.
    client.select_folder("Drafts")
    client.move(client.search(), "Outgoing")
    assert mailbox.find(deed) is not None


def test_a_person_lets_it_be_sent_again_by_deleting_the_draft(
    mail_servers: Servers, mailbox: ImapMailbox, client: IMAPClient
) -> None:
    mail_servers.smtp.dies = True
    deed = sending()
    with pytest.raises(EnvironmentProblem):
        mailbox.do(deed)
    mail_servers.smtp.dies = False
    client.select_folder("Drafts")
    client.delete_messages(client.search())
    client.expunge()
    assert mailbox.find(deed) is None
    mailbox.do(deed)
    assert held(client, "Outgoing") == 1


def test_a_confirmed_message_finds_its_way_to_sent_later(
    mail_servers: Servers,
    mailbox: ImapMailbox,
    client: IMAPClient,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(*_args: object) -> None:
        raise EnvironmentProblem("The line is down.", retryable=True)

    deed = sending()
    with monkeypatch.context() as patched:
        patched.setattr(mails.Mails, "move", broken)
        with pytest.raises(EnvironmentProblem, match="line is down"):
            mailbox.do(deed)
    assert mailbox.find(deed) is not None
    assert (len(mail_servers.smtp.delivered), held(client, "Outgoing"), held(client, "Drafts")) == (
        1, 1, 0,
    )  # fmt: skip


@pytest.mark.parametrize("breaks", ["move", "store"])
def test_a_confirmed_message_is_not_sent_again_by_another_pass(
    mail_servers: Servers,
    mailbox: ImapMailbox,
    client: IMAPClient,
    monkeypatch: pytest.MonkeyPatch,
    breaks: str,
) -> None:
    """The line breaks on the way from the drafts to the sent mail, and the program is closed."""
    store = mails.Mails.store

    def broken(self: mails.Mails, *args: object, **flags: object) -> None:
        if "add" in flags:
            store(self, *args, **flags)  # type: ignore[arg-type]
            return
        raise EnvironmentProblem("The line is down.", retryable=True)

    deed = sending()
    with monkeypatch.context() as patched:
        patched.setattr(mails.Mails, breaks, broken)
        with pytest.raises(EnvironmentProblem, match="line is down"):
            mailbox.do(deed)
    another = mail_servers.mailbox()
    if breaks == "move":
        for attempt in (another.find, another.do):
            with pytest.raises(UserError, match="It was not sent again"):
                attempt(deed)
        # A person looks and moves it to the sent mail.
        client.select_folder("Drafts")
        client.move(client.search(), "Outgoing")
    assert another.find(deed) is not None
    another.close()
    assert (len(mail_servers.smtp.delivered), held(client, "Outgoing"), held(client, "Drafts")) == (
        1, 1, 0,
    )  # fmt: skip
    client.select_folder("Outgoing", readonly=True)
    assert not {b"\\Draft", imap_writes.HANDED_OVER} & set(client.get_flags([1])[1])


def test_a_copy_the_server_kept_itself_is_the_only_one(
    mail_servers: Servers, mailbox: ImapMailbox, client: IMAPClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    submit = Postman.submit

    def keeps(self: Postman, sender: str, to: tuple[str, ...], mime: bytes, over: object) -> None:
        submit(self, sender, to, mime, over)  # type: ignore[arg-type]
        client.append("Outgoing", mime, [b"\\Seen"])

    monkeypatch.setattr(Postman, "submit", keeps)
    mailbox.do(sending())
    assert (held(client, "Outgoing"), held(client, "Drafts")) == (1, 0)


def test_a_wrong_password_is_asked_with_once(mail_servers: Servers) -> None:
    smtp = mail_servers.smtp
    postman = Postman(smtp.url, "ana", "wrong", ca_file=smtp.ca_file)
    for _ in range(3):
        with pytest.raises(UserError, match="refused the login or password") as problem:
            postman.test()
        assert "wrong" not in str(problem.value)
    assert smtp.logins == 1


def test_the_server_must_be_the_right_one(mail_servers: Servers) -> None:
    smtp = mail_servers.smtp
    with pytest.raises(EnvironmentProblem, match="not signed by an authority"):
        Postman(smtp.url, "ana", PASSWORD).test()
    assert smtp.logins == 0
    with pytest.raises(EnvironmentProblem, match="cannot be reached") as problem:
        Postman("smtp://127.0.0.1:1", "ana", PASSWORD, timeout_s=2).test()
    assert problem.value.retryable


def test_foreign_letters_in_an_address_need_a_server_that_takes_them(
    mail_servers: Servers, mailbox: ImapMailbox
) -> None:
    deed = replace(sending(), recipients=("ștefan@client.example",))
    with pytest.raises(UserError, match="letters such as those"):
        mailbox.do(deed)


def test_blind_copies_are_taken_out_of_the_header_only() -> None:
    mime = (
        b"From: a@x\nBcc: boss@x,\n other@x\nSubject: Bcc: is a word\nresent-bcc: c@x\n"
        b"To: b@x\n\nBcc: stays\n.dot\n"
    )
    assert blinded(mime) == (
        b"From: a@x\r\nSubject: Bcc: is a word\r\nTo: b@x\r\n\r\nBcc: stays\r\n.dot\r\n"
    )
    assert blinded(b"Bcc: a@x\r\n\r\n") == b"\r\n"


def test_dots_and_lines_arrive_as_they_left(mail_servers: Servers, mailbox: ImapMailbox) -> None:
    deed = sending()
    body = b"\n.\n..two\nlast"
    mailbox.do(
        replace(deed, mime=f"Message-ID: <{deed.message_id}>\nFrom: a@x\n\n".encode() + body)
    )
    ((_, data),) = mail_servers.smtp.delivered
    assert data.partition(b"\r\n\r\n")[2] == b"\r\n.\r\n..two\r\nlast\r\n"


def test_only_the_message_itself_is_deleted_on_an_old_server(
    mailbox: ImapMailbox, client: IMAPClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    from desktop_crm.sync.imap.session import Session
    from desktop_crm.sync.writes import Delete, Ref

    monkeypatch.setattr(Session, "offers", lambda *_names: False)
    for key in ("a", "b"):
        client.append("INBOX", message(key))
    state = client.select_folder("INBOX")
    client.add_flags([1], [b"\\Deleted"])
    mailbox.do(Delete("k", Ref("imap:INBOX", f"{state[b'UIDVALIDITY']}.2")))
    client.noop()
    assert client.search() == [1]
    assert client.search("DELETED") == [1]
