"""Mail over IMAP, tried against a real server."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from imapclient import IMAPClient

from desktop_crm.core.errors import EnvironmentProblem, UserError
from desktop_crm.sync.imap.mailbox import ImapMailbox
from desktop_crm.sync.port import (
    Batch,
    Change,
    ChangeKind,
    Flag,
    Folder,
    FolderRole,
    MailItem,
    TokenInvalid,
)
from desktop_crm.sync.unknown_name import is_unknown_name
from tests.mail_servers import dovecot
from tests.mail_servers.dovecot import Dovecot
from tests.mail_servers.proxy import CuttingProxy

pytestmark = pytest.mark.skipif(dovecot.BINARY is None, reason=dovecot.MISSING)

Make = Callable[..., ImapMailbox]


@pytest.fixture(scope="module")
def modern() -> Iterator[Dovecot]:
    server = Dovecot()
    yield server
    server.close()


@pytest.fixture(scope="module")
def old() -> Iterator[Dovecot]:
    server = Dovecot(capability=dovecot.OLD, special_use=False, below_inbox=True)
    yield server
    server.close()


@pytest.fixture(params=["modern", "old"])
def server(request: pytest.FixtureRequest) -> Dovecot:
    """Both kinds of server, with a mailbox nobody has used."""
    found: Dovecot = request.getfixturevalue(request.param)
    found.next_user()
    return found


@pytest.fixture
def new_server(modern: Dovecot) -> Dovecot:
    modern.next_user()
    return modern


@pytest.fixture
def make() -> Iterator[Make]:
    made: list[ImapMailbox] = []

    def build(server: Dovecot, **changed: Any) -> ImapMailbox:
        options = {"password": dovecot.PASSWORD, "ca_file": server.ca_file, **changed}
        url = options.pop("url", server.url)
        mailbox = ImapMailbox(url, server.login, login=server.login, **options)
        made.append(mailbox)
        return mailbox

    yield build
    for mailbox in made:
        mailbox.close()


@pytest.fixture
def client(request: pytest.FixtureRequest) -> Iterator[IMAPClient]:
    name = "server" if "server" in request.fixturenames else "new_server"
    connection = request.getfixturevalue(name).client()
    yield connection
    connection.logout()


def message(key: str, body: str = "Text", header: str = "") -> bytes:
    return (
        f"From: ion@client.example\r\nSubject: {key}\r\nMessage-ID: <{key}@x>\r\n{header}"
        f"Date: Mon, 2 Mar 2026 08:00:00 +0000\r\n\r\n{body}\r\n"
    ).encode()


def inbox(mailbox: ImapMailbox) -> Folder:
    return next(f for f in mailbox.folders() if f.role is FolderRole.INBOX)


def rest(mailbox: ImapMailbox, token: str | None, limit: int = 100) -> tuple[list[Change], str]:
    folder = inbox(mailbox)
    found: list[Change] = []
    while True:
        batch = mailbox.changes(folder, token, limit)
        assert len(batch.changes) + len(batch.quarantined) <= limit
        found += batch.changes
        token = batch.token
        if not batch.more:
            return found, token


def subjects(changes: Batch | list[Change]) -> list[str]:
    found = changes.changes if isinstance(changes, Batch) else changes
    return [c.item.subject for c in found if isinstance(c.item, MailItem)]


# --- order and bounds ---------------------------------------------------------------------------


def test_the_newest_come_first_and_new_mail_before_old(
    server: Dovecot, client: IMAPClient, make: Make
) -> None:
    for number in range(6):
        client.append("INBOX", message(f"m{number}"))
    mailbox = make(server)
    folder = inbox(mailbox)
    first = mailbox.changes(folder, None, 2)
    assert subjects(first) == ["m5", "m4"]
    assert first.more
    client.append("INBOX", message("new"))
    second = mailbox.changes(folder, first.token, 2)
    assert subjects(second) == ["new", "m3"]
    left, token = rest(mailbox, second.token, 2)
    assert subjects(left) == ["m2", "m1", "m0"]
    assert rest(mailbox, token) == ([], token)


def test_an_empty_round_asks_for_nothing_but_the_folder(
    server: Dovecot, client: IMAPClient, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.append("INBOX", message("m"))
    mailbox = make(server)
    _, token = rest(mailbox, None)
    folder = inbox(mailbox)
    monkeypatch.delattr(IMAPClient, "fetch")
    assert mailbox.changes(folder, token).changes == ()


def test_a_slow_batch_ends_early_with_what_it_has(
    new_server: Dovecot, client: IMAPClient, make: Make
) -> None:
    for number in range(60):
        client.append("INBOX", message(f"m{number}"))
    mailbox = make(new_server)
    ticks = iter(range(10_000))
    mailbox._reader.elapsed = lambda: float(next(ticks))
    batch = mailbox.changes(inbox(mailbox), None)
    assert len(batch.changes) == 25
    assert batch.more
    left, _ = rest(mailbox, batch.token)
    assert sorted(subjects([*batch.changes, *left])) == sorted(f"m{n}" for n in range(60))


# --- marks --------------------------------------------------------------------------------------


def test_marks_are_told_and_never_set(server: Dovecot, client: IMAPClient, make: Make) -> None:
    for key in ("a", "b", "c"):
        client.append("INBOX", message(key))
    client.append("INBOX", message("seen"), [b"\\Seen", b"\\Flagged", b"Client&AWMA7g-"])
    mailbox = make(server)
    found, token = rest(mailbox, None)
    marks = {c.item.subject: c for c in found if isinstance(c.item, MailItem)}
    assert marks["seen"].is_read
    assert marks["seen"].flag is Flag.FLAGGED
    assert marks["seen"].categories == ("Clientţî",)
    assert marks["a"].is_read is False
    client.select_folder("INBOX")
    assert client.search("UNSEEN") == [1, 2, 3]
    client.add_flags([2], [b"\\Seen", b"VIP", b"$Forwarded"])
    client.add_flags([3], [b"$Completed"])
    client.remove_flags([4], [b"\\Seen", b"\\Flagged"])
    found, token = rest(mailbox, token, 1)
    told = {c.item_id.partition(".")[2]: c for c in found}
    assert sorted(told) == ["2", "3", "4"]
    assert all(c.kind is ChangeKind.MARKS for c in found)
    assert (told["2"].is_read, told["2"].categories) == (True, ("VIP",))
    assert told["3"].flag is Flag.COMPLETE
    assert (told["4"].is_read, told["4"].flag) == (False, Flag.NONE)
    assert rest(mailbox, token)[0] == []


def test_deletions_and_marks_come_together(server: Dovecot, client: IMAPClient, make: Make) -> None:
    for number in range(5):
        client.append("INBOX", message(f"m{number}"))
    mailbox = make(server)
    _, token = rest(mailbox, None)
    client.select_folder("INBOX")
    client.delete_messages([1, 3])
    client.expunge()
    client.add_flags([2, 5], [b"\\Seen"])
    client.append("INBOX", message("new"))
    found, token = rest(mailbox, token, 2)
    kinds = [(c.kind.value, c.item_id.partition(".")[2]) for c in found]
    assert kinds[0] == ("create", "6")
    assert sorted(kinds) == [
        ("create", "6"), ("delete", "1"), ("delete", "3"), ("marks", "2"), ("marks", "5"),
    ]  # fmt: skip
    assert rest(mailbox, token)[0] == []


# --- folders ------------------------------------------------------------------------------------


def test_special_use_says_what_a_folder_is_for(
    new_server: Dovecot, client: IMAPClient, make: Make
) -> None:
    client.create_folder("Sent")
    client.create_folder("Clienți & alții/Ședințe")
    mailbox = make(new_server)
    assert [(f.name, f.role.value) for f in mailbox.folders()] == [
        ("INBOX", "inbox"), ("Outgoing", "sent"),
    ]  # fmt: skip
    found = {f.name: f.role.value for f in mailbox.all_folders()}
    assert found["Sent"] == "other"
    assert found["Trash"] == "deleted"
    assert found["Clienți & alții/Ședințe"] == "other"
    client.append("Clienți & alții/Ședințe", message("deep"))
    folder = next(f for f in mailbox.all_folders() if f.name.endswith("Ședințe"))
    assert subjects(mailbox.changes(folder, None)) == ["deep"]


def test_usual_names_say_it_elsewhere(old: Dovecot, make: Make) -> None:
    old.next_user()
    mailbox = make(old)
    assert [(f.key, f.name, f.role.value) for f in mailbox.all_folders()] == [
        ("imap:INBOX", "INBOX", "inbox"),
        ("imap:INBOX.Gesendete Elemente", "Gesendete Elemente", "sent"),
        ("imap:INBOX.Ciorne", "Ciorne", "drafts"),
    ]


def test_a_folder_that_was_deleted_is_named(
    server: Dovecot, client: IMAPClient, make: Make
) -> None:
    prefix = "INBOX." if server.port and client.list_folders()[0][1] == b"." else ""
    client.create_folder(f"{prefix}Old")
    mailbox = make(server)
    folder = next(f for f in mailbox.all_folders() if f.name == "Old")
    token = mailbox.changes(folder, None).token
    client.delete_folder(f"{prefix}Old")
    with pytest.raises(EnvironmentProblem, match='no longer has the folder "Old"') as problem:
        mailbox.changes(folder, token)
    assert not problem.value.retryable
    assert "Old" not in [f.name for f in mailbox.all_folders()]


def test_a_folder_that_was_made_anew_is_read_anew(
    new_server: Dovecot, client: IMAPClient, make: Make
) -> None:
    client.append("INBOX", message("m"))
    mailbox = make(new_server)
    _, token = rest(mailbox, None)
    new_server.renumber("INBOX")
    with pytest.raises(TokenInvalid):
        mailbox.changes(inbox(mailbox), token)
    with pytest.raises(TokenInvalid):
        mailbox.changes(inbox(mailbox), "{")
    assert subjects(rest(mailbox, None)[0]) == ["m"]


# --- broken mail --------------------------------------------------------------------------------


def test_bytes_no_standard_allows_are_read(
    new_server: Dovecot, client: IMAPClient, make: Make
) -> None:
    client.append("INBOX", message("nul", "a\0b"))
    client.append(
        "INBOX", "From: ion@client.example\r\nSubject: Ofertă\r\n\r\nBună".encode("iso-8859-16")
    )
    client.append("INBOX", b"Subject: half\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n--x")
    mailbox = make(new_server)
    found, _ = rest(mailbox, None)
    assert len(found) == 3
    texts = [c.item.text for c in found if isinstance(c.item, MailItem)]
    assert not any("\0" in text for text in texts)


def test_a_message_that_is_too_large_is_set_aside_alone(
    new_server: Dovecot, client: IMAPClient, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("desktop_crm.sync.imap.changes.MAIL_LIMIT", 1_000_000)
    client.append("INBOX", message("a"))
    client.append("INBOX", message("big", "x" * 1_200_000))
    client.append("INBOX", message("z"))
    mailbox = make(new_server)
    batch = mailbox.changes(inbox(mailbox), None)
    assert subjects(batch) == ["z", "a"]
    assert [q.reason for q in batch.quarantined] == ["The message is larger than {limit} MB."]
    assert not batch.more


def test_a_connection_that_breaks_amid_a_message_is_told_as_such(
    new_server: Dovecot, client: IMAPClient, make: Make
) -> None:
    client.append("INBOX", message("big", "x" * 900_000))
    proxy = CuttingProxy(new_server.tls_port)
    try:
        mailbox = make(new_server, url=f"imaps://127.0.0.1:{proxy.port}")
        folder = inbox(mailbox)
        proxy.limit = 300_000
        with pytest.raises(EnvironmentProblem, match="cannot be reached") as problem:
            mailbox.changes(folder, None)
        assert problem.value.retryable
        proxy.limit = None
        assert subjects(mailbox.changes(folder, None)) == ["big"]
    finally:
        proxy.close()


def test_a_message_that_always_breaks_the_connection_costs_itself_only(
    new_server: Dovecot, client: IMAPClient, make: Make
) -> None:
    client.append("INBOX", message("a"))
    client.append("INBOX", message("big", "x" * 900_000))
    client.append("INBOX", message("z"))
    proxy = CuttingProxy(new_server.tls_port)
    proxy.limit = 300_000
    try:
        mailbox = make(new_server, url=f"imaps://127.0.0.1:{proxy.port}")
        folder = inbox(mailbox)
        for _ in range(2):
            with pytest.raises(EnvironmentProblem):
                mailbox.changes(folder, None)
        batch = mailbox.changes(folder, None)
        assert sorted(subjects(batch)) == ["a", "z"]
        assert len(batch.quarantined) == 1
        assert "breaks the connection" in batch.quarantined[0].reason
    finally:
        proxy.close()


# --- signing in and protection ------------------------------------------------------------------


def test_a_wrong_password_is_asked_with_once(new_server: Dovecot, make: Make) -> None:
    proxy = CuttingProxy(new_server.tls_port)
    try:
        mailbox = make(new_server, url=f"imaps://127.0.0.1:{proxy.port}", password="wrong")
        for _ in range(3):
            with pytest.raises(UserError, match="refused the login or password") as problem:
                mailbox.folders()
            assert problem.value.field == "password"
            assert "wrong" not in str(problem.value)
        assert proxy.connections == 1
    finally:
        proxy.close()
    assert [step.ok for step in make(new_server, password="wrong").test()] == [False]


def test_an_unknown_authority_is_told(new_server: Dovecot, make: Make) -> None:
    with pytest.raises(EnvironmentProblem, match="not signed by an authority") as problem:
        make(new_server, ca_file="").folders()
    assert not problem.value.retryable


def test_starttls_protects_the_password(new_server: Dovecot, make: Make) -> None:
    assert len(make(new_server, url=new_server.starttls_url).folders()) == 2
    with pytest.raises(EnvironmentProblem, match="not signed by an authority"):
        make(new_server, url=new_server.starttls_url, ca_file="").folders()


def test_tls_on_a_port_without_it_is_told(new_server: Dovecot, make: Make) -> None:
    with pytest.raises(EnvironmentProblem, match="does not speak TLS"):
        make(new_server, url=f"imaps://127.0.0.1:{new_server.port}").folders()


def test_a_dropped_connection_is_made_anew(
    new_server: Dovecot, client: IMAPClient, make: Make
) -> None:
    client.append("INBOX", message("m"))
    proxy = CuttingProxy(new_server.tls_port)
    try:
        mailbox = make(new_server, url=f"imaps://127.0.0.1:{proxy.port}")
        folder = inbox(mailbox)
        proxy.cut()
        with pytest.raises(EnvironmentProblem) as problem:
            mailbox.changes(folder, None)
        assert problem.value.retryable
        assert subjects(mailbox.changes(folder, None)) == ["m"]
    finally:
        proxy.close()


def test_a_misspelt_server_is_told_apart_from_one_that_is_down(
    make: Make, new_server: Dovecot, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(*_what: object, **_more: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(EnvironmentProblem, match=r"imap\.misspelt\.example is not found") as told:
        make(new_server, url="imaps://imap.misspelt.example").folders()
    assert told.value.retryable, "a computer that is offline asks again"


def test_a_name_that_is_not_found_is_known_through_other_errors() -> None:
    outer = RuntimeError("the transport failed")
    outer.__cause__ = OSError("HTTPSConnectionPool: Failed to resolve 'x.example'")
    assert is_unknown_name(outer)
    assert not is_unknown_name(TimeoutError("timed out"))


def test_a_missing_file_of_the_authority_is_no_server_that_is_down(
    make: Make, new_server: Dovecot, tmp_path: Path
) -> None:
    with pytest.raises(EnvironmentProblem, match="authority file of the mailbox is no longer"):
        make(new_server, ca_file=str(tmp_path / "gone.pem")).folders()
