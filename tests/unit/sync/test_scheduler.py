from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from desktop_crm.core.errors import EnvironmentProblem, UserError
from desktop_crm.services import records
from desktop_crm.services.mail import mailboxes
from desktop_crm.services.mail.mailboxes import NewMailbox
from desktop_crm.sync.scheduler import sync_once, test_mailbox, try_mailbox
from tests.ews_server import EwsServer, soap
from tests.ews_server import faults as script
from tests.ews_server.certificates import Certificates, make_certificates
from tests.unit.sync.conftest import World
from tests.unit.sync.test_folder import eml, write

test_mailbox.__test__ = False  # type: ignore[attr-defined]  # the product's, no test


@pytest.fixture
def ews() -> Iterator[EwsServer]:
    server = EwsServer(login="FIRMA\\ana")
    yield server
    server.close()


@pytest.fixture
def mine(world: World) -> World:
    """The world without the mailbox that other tests read by hand."""
    records.delete(world.actor, "mailbox", [world.mailbox])
    return world


def add(world: World, ews: EwsServer, **changes: str) -> int:
    values = {"server": ews.url, "login": ews.login, **changes}
    password = values.pop("password", ews.password)
    new = NewMailbox("Ana", "exchange", "ana@firma.example", **values)
    return mailboxes.add(world.actor, new, password).id


def test_mail_and_calendar_of_an_exchange_server(mine: World, ews: EwsServer) -> None:
    key = add(mine, ews)
    ews.put("inbox", "A=", soap.mail("A=", "m1@x", sender="ion@client.example"))
    ews.put(
        "sentitems", "B=", soap.mail("B=", "m2@x", sender="ana@firma.example", to=("x@y.example",))
    )
    ews.put("calendar", "C=", soap.meeting("C=", "u1"))
    tried = sync_once(mine.actor, dry_run=True)
    assert tried.count("created") == 3
    assert mine.activities == []
    result = sync_once(mine.actor)
    assert result.problem is None
    assert [(f.folder, f.created) for f in result.mailboxes[0].folders] == [
        ("Inbox", 1),
        ("Sent Items", 1),
        ("Calendar", 1),
    ]
    assert ("contact", mine.contact, "contact", "linked") in mine.links()
    row = mailboxes.get(mine.actor, key)
    assert (row.state, row.message) == ("ok", "")
    assert row.last_synced_at is not None
    assert sync_once(mine.actor).count("created") == 0


def test_a_move_on_the_server_keeps_the_record(mine: World, ews: EwsServer) -> None:
    add(mine, ews)
    ews.put("inbox", "A=", soap.mail("A=", "m1@x"))
    sync_once(mine.actor)
    ews.move("inbox", "sentitems", "A=", "B=")
    result = sync_once(mine.actor)
    assert (result.count("created"), result.count("known"), result.count("gone")) == (0, 1, 1)


def test_a_forgotten_state_duplicates_nothing(mine: World, ews: EwsServer) -> None:
    add(mine, ews)
    for n in range(120):
        ews.put("inbox", f"A{n}=", soap.mail(f"A{n}=", f"m{n}@x"))
    sync_once(mine.actor)
    ews.generation += 1
    result = sync_once(mine.actor)
    assert result.count("created") == 0
    assert len(mine.messages) == 120


def test_a_broken_page_is_fetched_again_and_nothing_is_lost(mine: World, ews: EwsServer) -> None:
    add(mine, ews)
    for n in range(4):
        ews.put("inbox", f"A{n}=", soap.mail(f"A{n}=", f"m{n}@x"))
    ews.fault("SyncFolderItems", script.half)
    result = sync_once(mine.actor)
    assert result.problem is None
    assert result.count("created") == 4


def test_a_wrong_password_stops_the_mailbox_and_says_so_once(mine: World, ews: EwsServer) -> None:
    key = add(mine, ews, password="wrong")
    result = sync_once(mine.actor)
    assert isinstance(result.problem, UserError)
    row = mailboxes.get(mine.actor, key)
    assert row.state == "stopped"
    assert "refused" in row.message
    assert ews.refusals == 1
    # Nobody asked: the timer leaves it alone.
    assert sync_once(mine.actor, automatic=True).mailboxes == []
    assert ews.refusals == 1
    mailboxes.set_password(mine.actor, key, ews.password)
    assert sync_once(mine.actor, automatic=True).problem is None
    assert mailboxes.get(mine.actor, key).state == "ok"


def test_one_mailbox_in_trouble_does_not_stop_the_others(mine: World, tmp_path: Path) -> None:
    write(tmp_path / "mail" / "a.eml", eml())
    new = NewMailbox("Z", "folder", "ana@firma.example", path=str(tmp_path / "mail"))
    mailboxes.add(mine.actor, new)
    gone = tmp_path / "gone"
    gone.mkdir()
    first = mailboxes.add(
        mine.actor, NewMailbox("A", "folder", "ana@firma.example", path=str(gone))
    ).id
    gone.rmdir()
    result = sync_once(mine.actor)
    assert [(m.name, m.problem is None) for m in result.mailboxes] == [("A", False), ("Z", True)]
    assert len(mine.messages) == 1
    assert mailboxes.get(mine.actor, first).state == "stopped"


def test_a_server_that_is_away_is_waited_for_and_then_left(
    mine: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    from desktop_crm.sync import engine

    monkeypatch.setattr(engine, "PATIENCE", (0.0, 0.0))
    new = NewMailbox("Ana", "exchange", "ana@firma.example", server="http://127.0.0.1:9")
    key = mailboxes.add(mine.actor, new, "x").id
    problem = sync_once(mine.actor).problem
    assert isinstance(problem, EnvironmentProblem)
    assert problem.retryable
    assert mailboxes.get(mine.actor, key).state == "waiting"


def test_a_password_that_is_on_another_computer(mine: World, ews: EwsServer) -> None:
    from desktop_crm.core import secrets

    key = add(mine, ews)
    secrets.forget(f"mailbox {mailboxes.get(mine.actor, key).uid}")
    problem = sync_once(mine.actor).problem
    assert isinstance(problem, UserError)
    assert "not on this computer" in str(problem)


def test_trying_before_adding(mine: World, ews: EwsServer, tmp_path: Path) -> None:
    new = NewMailbox("Ana", "exchange", "ana@firma.example", server=ews.url, login=ews.login)
    assert all(step.ok for step in try_mailbox(mine.actor, new, ews.password))
    assert not all(step.ok for step in try_mailbox(mine.actor, new, "wrong"))
    folder = NewMailbox("F", "folder", "ana@firma.example", path=str(tmp_path))
    assert [step.ok for step in try_mailbox(mine.actor, folder)] == [True]
    assert mailboxes.list_mailboxes(mine.actor) == ()
    key = add(mine, ews)
    assert all(step.ok for step in test_mailbox(mine.actor, key))


def test_nothing_is_kept_in_the_shared_temporary_folder(mine: World, ews: EwsServer) -> None:
    add(mine, ews)
    sync_once(mine.actor)
    assert list(Path(tempfile.gettempdir()).glob("exchangelib.*")) == []


# --- certificates ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("ca"))


@pytest.fixture
def secure(certificates: Certificates) -> Iterator[EwsServer]:
    server = EwsServer(certificate=(certificates.server, certificates.key))
    server.put("inbox", "A=", soap.mail("A=", "m1@x"))
    yield server
    server.close()


def test_an_unknown_authority_is_refused_at_once(mine: World, secure: EwsServer) -> None:
    key = add(mine, secure)
    problem = sync_once(mine.actor).problem
    assert isinstance(problem, EnvironmentProblem)
    assert not problem.retryable
    assert "authority" in str(problem)
    assert secure.requests == []
    assert mailboxes.get(mine.actor, key).state == "stopped"


def test_an_authority_of_ones_own_is_trusted(
    mine: World, secure: EwsServer, certificates: Certificates
) -> None:
    add(mine, secure, ca_file=str(certificates.authority))
    assert sync_once(mine.actor).count("created") == 1


def test_the_bundle_of_the_environment_is_honoured(
    mine: World,
    secure: EwsServer,
    certificates: Certificates,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificates.authority))
    add(mine, secure)
    assert sync_once(mine.actor).count("created") == 1


def test_a_file_of_ones_own_stands_before_the_environment(
    mine: World,
    secure: EwsServer,
    certificates: Certificates,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    other = make_certificates(tmp_path)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(other.authority))
    add(mine, secure, ca_file=str(certificates.authority))
    assert sync_once(mine.actor).count("created") == 1
