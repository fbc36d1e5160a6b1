"""``mailbox`` and ``sync``."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from desktop_crm.services.mail.mailboxes import NewMailbox
from desktop_crm.sync.exchange import discovery
from desktop_crm.sync.find_service import FindStep, FoundService, Outcome
from desktop_crm.sync.graph import mailbox as graph
from desktop_crm.sync.graph import signin
from tests.ews_server.certificates import make_certificates
from tests.ews_server.server import EwsServer
from tests.graph_server import GraphServer
from tests.graph_server.authority import CLIENT, TENANT
from tests.mail_servers.dovecot import PASSWORD

if TYPE_CHECKING:
    from tests.mail_servers.servers import Servers
    from tests.unit.cli.conftest import Ran, Run

LETTER = """From: "Claire" <claire@rossi.example>
To: me@firm.example
Subject: {subject}
Date: Wed, 25 Nov 2026 09:52:00 +0200
Message-ID: <{subject}@rossi.example>

Hello
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "mail" / "Inbox"
    place.mkdir(parents=True)
    for name in ("one", "two"):
        (place / f"{name}.eml").write_text(LETTER.format(subject=name), encoding="utf-8")
    (place / "broken.eml").write_bytes(b"")
    return place.parent


@pytest.fixture
def mailbox(run: Run, empty: Path, folder: Path) -> Path:
    ran = run("mailbox", "add", "Archive", "--kind", "folder", "--address", "me@firm.example",
              "--path", folder, "--db", empty, "--json")  # fmt: skip
    assert ran.code == 0
    assert ran.json["mailbox"]["name"] == "Archive"
    return empty


def test_a_pass_stores_and_a_second_changes_nothing(run: Run, mailbox: Path) -> None:
    first = run("sync", "--db", mailbox, "--json")
    assert first.code == 0
    assert (first.json["created"], first.json["rejected"]) == (2, 1)
    (box,) = first.json["mailboxes"]
    bad = [item for part in box["folders"] for item in part["quarantined"]]
    assert [item["item"] for item in bad] == ["Inbox/broken.eml"]
    assert bad[0]["reason"]

    second = run("sync", "--mailbox", "archive", "--db", mailbox, "--json")
    assert (second.code, second.json["created"]) == (0, 0)
    assert len(run("query", "mail_message", "--db", mailbox, "--json").json) == 2


def test_a_dry_run_stores_nothing(run: Run, mailbox: Path) -> None:
    ran = run("sync", "--dry-run", "--db", mailbox, "--json")

    assert (ran.code, ran.json["dry_run"], ran.json["created"]) == (0, True, 2)
    assert run("query", "mail_message", "--db", mailbox, "--json").json == []
    assert "Nothing was stored" in run("sync", "--dry-run", "--db", mailbox).out


def test_people_read_one_line_for_each_folder(run: Run, mailbox: Path) -> None:
    ran = run("sync", "--db", mailbox)

    assert ran.code == 0
    assert "Archive, Inbox: 2 new" in ran.out
    assert "Inbox/broken.eml" in ran.out


def test_one_that_fails_is_named_and_the_others_are_told(
    run: Run, mailbox: Path, tmp_path: Path
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    run("mailbox", "add", "Zebra", "--kind", "folder", "--address", "z@firm.example",
        "--path", gone, "--db", mailbox)  # fmt: skip
    gone.rmdir()
    ran = run("sync", "--db", mailbox)
    assert ran.code == 3
    assert "Archive, Inbox: 2 new" in ran.out
    assert ran.err.startswith("Zebra: ")


def test_without_a_mailbox_a_pass_says_so(run: Run, empty: Path) -> None:
    assert "no mailbox yet" in run("sync", "--db", empty).out
    assert run("sync", "--db", empty, "--json").json["mailboxes"] == []


def test_list_test_and_remove(run: Run, mailbox: Path, folder: Path) -> None:
    (row,) = run("mailbox", "list", "--db", mailbox, "--json").json
    assert (row["name"], row["kind"], row["path"]) == ("Archive", "folder", str(folder))
    assert "Archive" in run("mailbox", "list", "--db", mailbox).out

    tested = run("mailbox", "test", "Archive", "--db", mailbox, "--json")
    assert (tested.code, tested.json["steps"][0]["ok"]) == (0, True)

    assert run("mailbox", "remove", "Archive", "--db", mailbox, "--json").code == 0
    assert run("mailbox", "list", "--db", mailbox, "--json").json == []
    again = run("mailbox", "remove", "Archive", "--db", mailbox, "--json")
    assert again.code == 1
    assert "Archive" in again.json["error"]


def test_a_folder_that_is_gone_is_the_surroundings_fault(
    run: Run, mailbox: Path, folder: Path
) -> None:
    folder.rename(folder.with_name("elsewhere"))

    for command in (("sync",), ("mailbox", "test", "Archive")):
        ran = run(*command, "--db", mailbox, "--json")
        assert ran.code == 3
        assert str(folder) in ran.json["error"]


def test_what_is_wrong_with_a_new_mailbox_is_said(run: Run, empty: Path, folder: Path) -> None:
    base = ("mailbox", "add", "M", "--db", empty, "--json")
    for more, part in (
        (("--kind", "folder", "--address", "nobody", "--path", folder), "nobody"),
        (("--kind", "folder", "--address", "a@b.example", "--path", folder / "no"), "no"),
        (("--kind", "exchange", "--address", "a@b.example", "--server", "x"), "--password-stdin"),
    ):
        ran = run(*base, *more)
        assert ran.code == 1
        assert part in ran.json["error"]
    path = ("--kind", "folder", "--address", "a@b.example", "--path", folder)
    for unused in (
        ("--server", "https://x.example"), ("--user", "ana"), ("--smtp", "x.example"),
        ("--dav", "https://x.example"), ("--tenant", "b.example"), ("--client-id", "7"),
        ("--sign-in", "system"), ("--certificate", folder),
    ):  # fmt: skip
        ran = run(*base, *path, *unused)
        assert ran.code == 1, unused
        assert str(unused[1]) in ran.json["error"]
    assert run("mailbox", "list", "--db", empty, "--json").json == []


# --- Exchange, over real HTTP -------------------------------------------------------------------


@pytest.fixture
def server() -> Iterator[EwsServer]:
    running = EwsServer()
    yield running
    running.close()


def _add(run: Run, db: Path, monkeypatch: pytest.MonkeyPatch, server: str, password: str) -> Ran:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(f"{password}\r\n".encode())))
    return run("mailbox", "add", "Office", "--kind", "exchange", "--address", "ana@firma.example",
               "--server", server, "--password-stdin", "--db", db, "--json")  # fmt: skip


def test_exchange_with_a_password_from_the_input(
    run: Run, empty: Path, monkeypatch: pytest.MonkeyPatch, server: EwsServer
) -> None:
    added = _add(run, empty, monkeypatch, server.url, server.password)
    assert added.code == 0
    assert server.password not in added.out + added.err
    assert server.password.encode() not in empty.read_bytes()

    assert run("mailbox", "test", "Office", "--db", empty).code == 0
    assert run("sync", "--db", empty, "--json").json["ok"] is True


def test_the_exchange_server_is_found_when_it_is_left_out(
    run: Run, empty: Path, monkeypatch: pytest.MonkeyPatch, server: EwsServer
) -> None:
    server.told_urls = {"EXPR": server.url}
    place = server.url.replace("/EWS/Exchange.asmx", "/autodiscover/autodiscover.xml")
    monkeypatch.setattr(discovery, "places", lambda _domain: [place])
    added = _add(run, empty, monkeypatch, "", server.password)
    assert added.code == 0, added.err
    assert added.json["mailbox"]["server"] == server.url


def test_an_exchange_mailbox_without_a_password(run: Run, empty: Path, tmp_path: Path) -> None:
    mine = tmp_path / "ana.pem"
    mine.write_text("certificate")
    base = ("--kind", "exchange", "--address", "ana@firma.example",
            "--server", "mail.firma.example", "--db", empty, "--json")  # fmt: skip
    assert run("mailbox", "add", "Domain", *base, "--sign-in", "system").code == 0
    words = ("--sign-in", "certificate", "--certificate", mine)
    assert run("mailbox", "add", "Key", *base, *words).code == 0
    refused = run("mailbox", "add", "None", *base, "--sign-in", "certificate")
    assert (refused.code, "PEM" in refused.json["error"]) == (1, True)


def test_a_wrong_password_is_one_sentence(
    run: Run, empty: Path, monkeypatch: pytest.MonkeyPatch, server: EwsServer
) -> None:
    assert _add(run, empty, monkeypatch, server.url, "wrong-one").code == 0

    for command in (("mailbox", "test", "Office"), ("sync",)):
        ran = run(*command, "--db", empty, "--json")
        assert ran.code == 3
        assert ran.json["ok"] is False
        assert len(ran.err.splitlines()) == 1
        assert "wrong-one" not in ran.out + ran.err
    (row,) = run("mailbox", "list", "--db", empty, "--json").json
    assert row["state"] == "stopped"


def test_an_unreachable_server_is_one_sentence(
    run: Run, empty: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert _add(run, empty, monkeypatch, "http://127.0.0.1:9/ews", "pw").code == 0

    ran = run("mailbox", "test", "Office", "--db", empty, "--json")

    assert ran.code == 3
    assert "127.0.0.1" in ran.json["error"]


def test_plain_http_is_for_this_computer_only(
    run: Run, empty: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran = _add(run, empty, monkeypatch, "http://mail.firma.example/ews", "pw")

    assert ran.code == 1
    assert "https" in ran.json["error"]


# --- Microsoft 365 -----------------------------------------------------------------------------


@pytest.fixture
def cloud(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[GraphServer, list[str]]]:
    """A service with its sign-in, and what the command line says of them."""
    made = make_certificates(tmp_path)
    server = GraphServer(certificate=(made.server, made.key))
    monkeypatch.setattr(graph, "SERVICE", server.url)
    monkeypatch.setattr(signin, "AUTHORITY", server.root)
    yield server, ["--kind", "graph", "--client-id", CLIENT, "--tenant", TENANT,
                   "--ca", str(made.authority)]  # fmt: skip
    server.close()


def test_a_mailbox_of_microsoft_365_is_added_read_and_signed_in_again(
    run: Run, empty: Path, cloud: tuple[GraphServer, list[str]]
) -> None:
    server, words = cloud
    text = LETTER.format(subject="cloud").encode()
    server.store.put_mail("inbox", text)
    ran = run("mailbox", "add", "Cloud", "--address", "ana@firma.example", *words,
              "--db", empty, "--json")  # fmt: skip
    assert ran.code == 0, ran.err
    assert "ABC-DEF" in ran.err
    assert ran.json["mailbox"]["tenant"] == TENANT
    assert server.authority.refresh not in ran.out + ran.err

    ran = run("sync", "--db", empty, "--json")
    assert (ran.code, ran.json["created"]) == (0, 1)

    server.authority.revoke()
    server.authority.refresh = "ended"
    ran = run("sync", "--db", empty)
    assert "sign in anew" in ran.out + ran.err
    assert run("mailbox", "sign-in", "cloud", "--db", empty).code == 0
    ran = run("sync", "--db", empty, "--json")
    assert (ran.code, ran.json["created"]) == (0, 0)
    assert server.authority.refresh.encode() not in empty.read_bytes()


def test_somebody_elses_account_is_not_added(
    run: Run, empty: Path, cloud: tuple[GraphServer, list[str]]
) -> None:
    _, words = cloud
    ran = run("mailbox", "add", "Cloud", "--address", "maria@firma.example", *words, "--db", empty)
    assert ran.code == 3
    assert "ana@firma.example" in ran.err
    assert run("mailbox", "list", "--db", empty, "--json").json == []


def test_only_a_mailbox_of_microsoft_365_is_signed_in_to(run: Run, mailbox: Path) -> None:
    ran = run("mailbox", "sign-in", "Archive", "--db", mailbox)
    assert ran.code == 1
    assert "nothing was changed" in ran.err


# --- a mail server --------------------------------------------------------------------------------


def test_a_mail_server_is_added_tried_and_read(
    run: Run, empty: Path, mail_servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = mail_servers.dovecot.client()
    client.append("INBOX", LETTER.format(subject="hello").replace("\n", "\r\n").encode())
    client.logout()
    event = (
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//y\r\nBEGIN:VEVENT\r\nUID:u\r\nSUMMARY:Hi\r\n"
        "DTSTAMP:20260101T000000Z\r\nDTSTART:20260302T080000Z\r\nDTEND:20260302T090000Z\r\n"
        "END:VEVENT\r\nEND:VCALENDAR\r\n"
    )
    mail_servers.radicale.request("PUT", "calendar/u.ics", event)
    command = (
        "mailbox", "add", "Office", "--kind", "imap", "--address", "me@firm.example",
        "--user", mail_servers.login, "--server", mail_servers.dovecot.url,
        "--smtp", mail_servers.smtp.url, "--dav", mail_servers.radicale.url,
        "--ca", mail_servers.ca_file, "--db", empty, "--json",
    )  # fmt: skip
    refused = run(*command)
    assert (refused.code, "--password-stdin" in refused.err + refused.out) == (1, True)
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{PASSWORD}\n"))
    added = run(*command, "--password-stdin")
    assert added.code == 0
    assert added.json["mailbox"]["smtp_server"] == mail_servers.smtp.url
    assert PASSWORD not in added.out + added.err
    tried = run("mailbox", "test", "office", "--db", empty, "--json")
    assert [step["ok"] for step in tried.json["steps"]] == [True, True, True]
    ran = run("sync", "--db", empty, "--json")
    assert (ran.code, ran.json["created"], ran.json["rejected"]) == (0, 2, 0)
    assert run("sync", "--db", empty, "--json").json["created"] == 0


def _finds(monkeypatch: pytest.MonkeyPatch, box: NewMailbox | None, *confirm: str) -> None:
    steps = (FindStep("graph", "Microsoft 365", Outcome.NOTHING, "It is not served there."),)
    found = FoundService(box, steps, confirm)

    def find_service(address: str, *, tell: Callable[[FindStep], None] | None = None) -> object:
        if tell is not None:
            for step in found.steps:
                tell(step)
        return found

    monkeypatch.setattr("desktop_crm.cli.mailboxes.find_service", find_service)


def test_the_service_of_an_address_is_found_step_by_step(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    _finds(monkeypatch, NewMailbox("me", "graph", "me@firm.example", tenant="firm.example"))
    ran = run("mailbox", "find", "me@firm.example", "--json")
    assert (ran.code, ran.json["kind"], ran.json["tenant"]) == (0, "graph", "firm.example")
    assert ran.json["steps"][0]["ok"] is False
    said = run("mailbox", "find", "me@firm.example").out
    assert "Microsoft 365: It is not served there." in said
    assert "--kind graph --tenant firm.example" in said
    _finds(monkeypatch, None)
    ran = run("mailbox", "find", "me@firm.example", "--json")
    assert (ran.code, len(ran.json["steps"])) == (3, 1)


def test_a_password_is_sent_to_no_host_outside_the_domain_unasked(
    run: Run, empty: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    box = NewMailbox("me", "imap", "me@firm.example", server="imaps://imap.host.example:993")
    _finds(monkeypatch, box, "imap.host.example")
    monkeypatch.setattr("sys.stdin", io.StringIO("secret\n"))
    words = ("--kind", "imap", "--address", "me@firm.example", "--password-stdin")
    ran = run("mailbox", "add", "Office", *words, "--db", empty, "--json")
    assert ran.code == 1
    assert "--server imaps://imap.host.example:993" in ran.json["error"]
    assert run("mailbox", "list", "--db", empty, "--json").json == []


def test_a_mail_server_is_found_from_the_address(
    run: Run, empty: Path, mail_servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    box = NewMailbox(
        "me", "imap", "me@firm.example",
        server=mail_servers.dovecot.url, login=mail_servers.login,
    )  # fmt: skip
    _finds(monkeypatch, box)
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{PASSWORD}\n"))
    added = run(
        "mailbox", "add", "Office", "--kind", "imap", "--address", "me@firm.example",
        "--ca", mail_servers.ca_file, "--db", empty, "--json", "--password-stdin",
    )  # fmt: skip
    assert added.code == 0
    assert mail_servers.dovecot.url in added.err
    assert added.json["mailbox"]["login"] == mail_servers.login


def test_lines_of_a_dry_run_can_be_struck_and_allowed_again(run: Run, mailbox: Path) -> None:
    dry = ("sync", "--dry-run", "--db", mailbox)
    (box,) = run(*dry, "--json").json["mailboxes"]
    assert [(x["side"], x["what"], x["kind"]) for x in box["lines"]] == [
        ("here", "create", "message"),
        ("here", "create", "message"),
    ]
    one, two = box["lines"]
    ran = run(*dry, "--strike", one["key"], "--json")
    assert [x["struck"] for x in ran.json["mailboxes"][0]["lines"]] == [True, False]
    assert "(struck)" in run(*dry).out
    run("sync", "--db", mailbox)
    messages = run("query", "mail_message", "--db", mailbox, "--json").json
    assert [m["subject"] for m in messages] == [two["title"]]
    assert run(*dry, "--strike", "item:nowhere").code == 1
    assert run("sync", "--strike", one["key"], "--db", mailbox).code == 1


def test_a_mailbox_goes_both_ways_when_it_is_told_to(
    run: Run, empty: Path, tmp_path: Path, server: EwsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert _add(run, empty, monkeypatch, server.url, server.password).code == 0
    ran = run("mailbox", "two-way", "office", "--on", "--db", empty, "--json")
    assert (ran.code, ran.json["two_way"]) == (0, True)
    ran = run("mailbox", "two-way", "office", "--off", "--db", empty)
    assert "only read" in ran.out


def test_a_folder_of_files_is_never_said_to_go_both_ways(run: Run, mailbox: Path) -> None:
    ran = run("mailbox", "two-way", "archive", "--on", "--db", mailbox)
    assert ran.code == 1
    assert "takes no meetings" in ran.err


def test_what_a_dry_run_has_no_use_for_is_refused(run: Run, mailbox: Path) -> None:
    ran = run("sync", "--dry-run", "--reviewed", "--db", mailbox)
    assert ran.code == 1
    assert "leave out --reviewed" in ran.err


def test_what_could_not_be_taken_over_of_a_meeting_is_said(
    run: Run, mailbox: Path, folder: Path, tmp_path: Path
) -> None:
    lines = (
        "BEGIN:VCALENDAR", "BEGIN:VEVENT", "UID:z", "SUMMARY:Visit",
        "DTSTART;TZID=Mars/Olympus:20260302T090000", "DURATION:PT1H", "END:VEVENT",
        "BEGIN:VEVENT", "UID:n", "SUMMARY:Nowhen", "END:VEVENT", "END:VCALENDAR", "",
    )  # fmt: skip
    text = "\r\n".join(lines)
    (folder / "Calendar").mkdir()
    (folder / "Calendar" / "odd.ics").write_text(text, encoding="utf-8")
    ran = run("sync", "--db", mailbox, "--json")
    (box,) = ran.json["mailboxes"]
    (remark,) = [one for part in box["folders"] for one in part["remarks"]]
    assert remark["item"] == "Visit"
    assert "“Mars/Olympus” is not known" in remark["remark"]
    again = run("sync", "--db", mailbox, "--json").json["mailboxes"][0]
    assert not [one for part in again["folders"] for one in part["remarks"]], "said once"
    listed = run("query", "mailbox_item", "--db", mailbox, "--json").json
    assert [one for one in listed if "Mars/Olympus" in (one["reason"] or "")]
    other = tmp_path / "other.ics"
    other.write_text(text.replace("UID:", "UID:o"), encoding="utf-8")
    ran = run("import", "--mail", other, "--db", mailbox)
    assert (ran.code, "Visit: Its time zone" in ran.out) == (0, True)
    assert "Not taken in: other.ics: Nowhen. The event has no start." in ran.out


def test_a_line_without_a_subject_says_so(run: Run, mailbox: Path, folder: Path) -> None:
    letter = LETTER.format(subject="three").replace("Subject: three", "Subject:")
    (folder / "Inbox" / "three.eml").write_text(letter, encoding="utf-8")
    ran = run("sync", "--dry-run", "--db", mailbox)
    assert "“(no subject)”" in ran.out


@pytest.mark.parametrize("command", [("mailbox", "find", "me@firm.example"), ("linking", "report")])
def test_what_opens_no_database_takes_none(run: Run, command: tuple[str, ...]) -> None:
    for option in (("--db", "x.db"), ("--as", "ana")):
        assert run(*command, *option).code == 2
