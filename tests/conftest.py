"""What every test stands on: an empty home, a forgetful keyring, databases, no leftovers."""

from __future__ import annotations

import atexit
import gc
import itertools
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from desktop_crm.bench.postgres_server import Server
    from desktop_crm.db.engine import Database
    from tests.mail_servers.servers import Servers
    from tests.support.keyrings import MemoryKeyring

TOP = Path(__file__).resolve().parent.parent
RUN_FOLDER = "DESKTOP_CRM_TEST_RUN"
MEMORY = Path("/dev/shm")
MEMORY_B = 4 * 2**30
"""What must be free there; a run holds some hundred megabytes at once."""

# Before anything of the product or of Qt is imported.
os.environ["QT_QPA_PLATFORM"] = "offscreen"
os.environ["LANGUAGE"] = os.environ["LC_ALL"] = "C.UTF-8"
# For programs that tests start: without a keyring the product keeps its own vault in the home.
os.environ["PYTHON_KEYRING_BACKEND"] = "keyring.backends.fail.Keyring"


def pytest_configure(config: pytest.Config) -> None:
    """Make the folder that all processes of this run share."""
    if RUN_FOLDER not in os.environ:
        folder = _run_folder()
        os.environ[RUN_FOLDER] = folder
        # Last of all: what is loaded later clears up after itself there, too.
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        config.add_cleanup(lambda: _end_run(Path(folder)))
    run = Path(os.environ[RUN_FOLDER])
    runtime = run / "runtime"
    runtime.mkdir(mode=0o700, exist_ok=True)
    os.environ["XDG_RUNTIME_DIR"] = str(runtime)
    os.environ["DESKTOP_CRM_HOME"] = str(run / "home")


def _run_folder() -> str:
    """A new folder; all temporary files lie below it, in memory where there is room for them.

    Most tests make a database, and one of PostgreSQL is a thousand files: on a disk that takes
    longer than most tests. Who sets TMPDIR keeps what failed tests leave there.
    """
    if "TMPDIR" in os.environ or not os.access(MEMORY, os.W_OK):
        return tempfile.mkdtemp(prefix="desktop-crm-run-")
    if shutil.disk_usage(MEMORY).free < MEMORY_B:
        return tempfile.mkdtemp(prefix="desktop-crm-run-")
    folder = tempfile.mkdtemp(prefix="desktop-crm-run-", dir=MEMORY)
    Path(folder).chmod(0o711)  # servers run under accounts of their own
    tempfile.tempdir = os.environ["TMPDIR"] = folder
    return folder


def _end_run(folder: Path) -> None:
    from desktop_crm.bench.postgres_server import stop_server_of_run

    del os.environ[RUN_FOLDER]
    if os.environ.get("TMPDIR") == str(folder):
        del os.environ["TMPDIR"]
        tempfile.tempdir = None
    stop_server_of_run(folder)


def pytest_collection_finish() -> None:
    """Keep what was loaded and collected out of all later rounds of the garbage collector.

    It stays to the end, and is most of what each full round would go through. Compiled statements
    stay long, too: rounds as frequent as usual took a fifth of the time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000)


@pytest.fixture(scope="session")
def run_folder() -> Path:
    """Folder shared by the worker processes of this run."""
    return Path(os.environ[RUN_FOLDER])


@pytest.fixture(scope="session")
def top() -> Path:
    """The checkout."""
    return TOP


@pytest.fixture(scope="session")
def samples() -> Path:
    """Real input beside the checkout: ``../shared/samples``."""
    folder = TOP.parent / "shared" / "samples"
    if not folder.is_dir():
        pytest.skip("the samples are not beside this checkout (../shared/samples)")
    return folder


# --- a world of its own for each test -----------------------------------------------------------

_homes = itertools.count()


@pytest.fixture(autouse=True)
def home(run_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home folder of the product; made when the product writes to it."""
    folder = run_folder / f"home-{os.getpid()}-{next(_homes)}"
    monkeypatch.setenv("DESKTOP_CRM_HOME", str(folder))
    return folder


@pytest.fixture(autouse=True)
def memory_keyring() -> Iterator[MemoryKeyring]:
    """An empty keyring in memory, in place of the system's."""
    import keyring

    from tests.support.keyrings import MemoryKeyring

    ring = MemoryKeyring()
    before = keyring.get_keyring()
    keyring.set_keyring(ring)
    yield ring
    keyring.set_keyring(before)


@pytest.fixture(autouse=True)
def _language_and_clock() -> Iterator[None]:
    from desktop_crm.core import clock, i18n

    i18n.use_language("en")
    yield
    i18n.use_language("en")
    clock.use_clock(None)


@pytest.fixture(autouse=True)
def _nothing_left_behind(request: pytest.FixtureRequest) -> Iterator[None]:
    from tests.support.leaks import LeakGuard, watched_timers

    guard = LeakGuard()
    if "qapp" in request.fixturenames:
        with watched_timers():
            yield
            left = guard.left_behind()
    else:
        yield
        left = guard.left_behind()
    if left:
        pytest.fail("left behind: " + ", ".join(left), pytrace=False)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Forget fields of one's own that another test's database defined.

    Before any fixture, also those of the whole run. What the database defines that the
    conformance tests share stays from one of them to the next.
    """
    definitions = sys.modules.get("desktop_crm.services.customizing.definitions")
    if definitions is not None and "_world" not in getattr(item, "fixturenames", ()):
        definitions.forget()


# --- databases ----------------------------------------------------------------------------------


@pytest.fixture(scope="session", autouse=True)
def _compiled_once() -> Iterator[None]:
    from tests.support.compiled import compiled_once

    with compiled_once():
        yield


@pytest.fixture(scope="session")
def _sqlite_template(run_folder: Path) -> Path:
    from desktop_crm.bench.postgres_server import locked
    from desktop_crm.db import migrate

    template = run_folder / "template.db"
    with locked(run_folder / "template.lock"):
        if not template.exists():
            draft = run_folder / "draft.db"
            draft.unlink(missing_ok=True)
            migrate.create(f"sqlite:///{draft}").close()
            draft.rename(template)
    return template


@pytest.fixture
def sqlite_url(_sqlite_template: Path, tmp_path: Path) -> str:
    """URL of a new SQLite file with the current schema and no record."""
    path = tmp_path / "crm.db"
    shutil.copyfile(_sqlite_template, path)
    return f"sqlite:///{path}"


@pytest.fixture
def sqlite_db(sqlite_url: str) -> Iterator[Database]:
    """A new SQLite file with the current schema and no record, open."""
    yield from _opened(sqlite_url)


@pytest.fixture(scope="session")
def postgres_server(run_folder: Path) -> Server:
    """The PostgreSQL server of this run; skips with the reason where there is none."""
    from desktop_crm.bench.postgres_server import NoServer, server_of_run

    try:
        return server_of_run(run_folder)
    except NoServer as problem:
        pytest.skip(str(problem))


@pytest.fixture(scope="session")
def _postgres_template(run_folder: Path, postgres_server: Server) -> str:
    from desktop_crm.bench.postgres_server import locked
    from desktop_crm.db import migrate

    name = f"{postgres_server.prefix}_template"
    ready = run_folder / "postgres.template"
    with locked(run_folder / "postgres.template.lock"):
        if not ready.exists():
            postgres_server.drop_database(name)
            migrate.create(postgres_server.create_database(name)).close()
            ready.touch()
    return name


@pytest.fixture
def new_postgres_database(postgres_server: Server) -> Iterator[Callable[[str | None], str]]:
    """A function that creates an empty database (or a copy of a template) and returns its URL."""
    names: list[str] = []

    def create(template: str | None = None) -> str:
        name = f"{postgres_server.prefix}_{os.getpid()}_{next(_homes)}"
        names.append(name)
        return postgres_server.create_database(name, template)

    yield create
    for name in names:
        postgres_server.drop_database(name)


@pytest.fixture
def postgres_url(
    _postgres_template: str, new_postgres_database: Callable[[str | None], str]
) -> str:
    """URL of a new PostgreSQL database with the current schema and no record."""
    return new_postgres_database(_postgres_template)


@pytest.fixture
def postgres_db(postgres_url: str) -> Iterator[Database]:
    """A new PostgreSQL database with the current schema and no record, open."""
    yield from _opened(postgres_url)


@pytest.fixture
def postgres_trigrams(postgres_server: Server) -> None:
    """Skips where the server has no pg_trgm (the one from the wheel)."""
    query = "SELECT 1 FROM pg_available_extensions WHERE name = 'pg_trgm'"
    with postgres_server.connect() as connection:
        if connection.execute(query).fetchone() is None:
            pytest.skip("this PostgreSQL has no pg_trgm")


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """URL of a new database with the current schema and no record, on both systems in turn."""
    return str(
        request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_url")
    )


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A new database with the current schema and no record, open, on both systems in turn."""
    yield from _opened(database_url)


def _opened(url: str) -> Iterator[Database]:
    from desktop_crm.db.engine import Database

    db = Database.open(url)
    yield db
    db.close()


# --- mailboxes ----------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def _mail_servers() -> Iterator[Servers]:
    from tests.mail_servers.servers import Servers, missing

    if missing():
        pytest.skip(missing())
    servers = Servers()
    yield servers
    servers.close()


@pytest.fixture
def mail_servers(_mail_servers: Servers) -> Servers:
    """IMAP, SMTP and DAV servers with a user who has nothing; skips where they are missing."""
    _mail_servers.next_user()
    return _mail_servers
