"""Transactions lose nothing, statements can be stopped, and every trouble is one sentence."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import text

from desktop_crm.core.errors import Cancelled, CrmError, EnvironmentProblem
from desktop_crm.db import engine as engines
from desktop_crm.db import migrate
from desktop_crm.db.engine import Cancel, Database
from desktop_crm.services import records
from desktop_crm.services.context import system_actor

_FOREVER = {
    "sqlite": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)"
    " SELECT count(*) FROM n",
    "postgresql": "SELECT pg_sleep(60)",
}


@pytest.fixture
def counter(database: Database) -> Database:
    with database.writing() as connection:
        connection.execute(text("CREATE TABLE counter (n INTEGER)"))
        connection.execute(text("INSERT INTO counter VALUES (0)"))
    return database


def test_three_threads_that_read_and_write_lose_nothing(counter: Database) -> None:
    lock = " FOR UPDATE" if counter.is_shared else ""

    def work() -> None:
        for _ in range(100):
            with counter.writing() as connection:
                n = connection.execute(text(f"SELECT n FROM counter{lock}")).scalar_one()
                connection.execute(text("UPDATE counter SET n = :n"), {"n": n + 1})

    with ThreadPoolExecutor(3) as pool:
        for done in [pool.submit(work) for _ in range(3)]:
            done.result()
    with counter.reading() as connection:
        assert connection.execute(text("SELECT n FROM counter")).scalar_one() == 300


def test_a_long_row_of_changes_lets_others_in_between(sqlite_url: str) -> None:
    """Another window of the program waits for one transaction, not for the whole row of them."""
    here, elsewhere = Database.open(sqlite_url), Database.open(sqlite_url)
    begun = threading.Event()
    done: list[int] = []

    def write_on_and_on() -> None:
        for number in range(30):
            with here.writing():
                begun.set()
                time.sleep(0.06)
            done.append(number)

    passed: list[int] = []
    with ThreadPoolExecutor(1) as pool:
        work = pool.submit(write_on_and_on)
        assert begun.wait(10)
        for _ in range(5):
            before = len(done)
            with elsewhere.writing():
                passed.append(len(done) - before)
        work.result()
    here.close()
    elsewhere.close()
    assert max(passed) <= 2


def test_a_writing_transaction_that_fails_writes_nothing(counter: Database) -> None:
    def fail() -> None:
        with counter.writing() as connection:
            connection.execute(text("UPDATE counter SET n = 7"))
            raise RuntimeError("broken")

    with pytest.raises(RuntimeError, match="broken"):
        fail()
    with counter.reading() as connection:
        assert connection.execute(text("SELECT n FROM counter")).scalar_one() == 0


def test_what_is_only_tried_is_seen_inside_and_not_kept(counter: Database) -> None:
    with counter.trying() as connection:
        connection.execute(text("UPDATE counter SET n = 7"))
        assert connection.execute(text("SELECT n FROM counter")).scalar_one() == 7
    with counter.writing() as connection:
        assert connection.execute(text("SELECT n FROM counter")).scalar_one() == 0


def test_a_reading_transaction_sees_one_state(counter: Database) -> None:
    with counter.reading() as reading:
        before = reading.execute(text("SELECT n FROM counter")).scalar_one()
        with counter.writing() as connection:
            connection.execute(text("UPDATE counter SET n = n + 1"))
        assert reading.execute(text("SELECT n FROM counter")).scalar_one() == before


def test_a_read_through_a_whole_table_uses_little_of_the_cache(sqlite_db: Database) -> None:
    size = "SELECT cache_size FROM pragma_cache_size"
    usual = sqlite_db.read(size, (), lambda cursor: cursor.fetchone()[0])
    during = sqlite_db.read(size, (), lambda cursor: cursor.fetchone()[0], whole=True)
    assert abs(during) < abs(usual)
    with pytest.raises(ValueError, match="stop"):
        sqlite_db.read(size, (), _stop, whole=True)
    assert sqlite_db.read(size, (), lambda cursor: cursor.fetchone()[0]) == usual


def _stop(_cursor: object) -> None:
    raise ValueError("stop")


@pytest.mark.parametrize("way", ["reading", "read", "whole"])
def test_a_long_statement_is_stopped(database: Database, way: str) -> None:
    cancel = Cancel()
    began = threading.Event()

    def run() -> None:
        statement = _FOREVER[database.dialect]
        began.set()
        if way == "reading":
            with database.reading(cancel) as connection:
                connection.execute(text(statement)).all()
        else:
            whole = way == "whole"
            database.read(statement, (), lambda cursor: cursor.fetchall(), cancel, whole=whole)

    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(run)
        began.wait()
        while not cancel._running and not running.done():
            time.sleep(0.005)
        time.sleep(0.05)  # let the statement reach the database
        cancel.cancel()
        with pytest.raises(Cancelled):
            running.result(timeout=20)
    with database.reading() as connection:
        assert connection.execute(text("SELECT 1")).scalar_one() == 1
    with pytest.raises(Cancelled), database.reading(cancel):
        pass


def test_foreign_keys_are_watched(sqlite_db: Database) -> None:
    with sqlite_db.reading() as connection:
        assert connection.execute(text("PRAGMA foreign_keys")).scalar_one() == 1
    with sqlite_db.migrating() as connection:
        assert connection.execute(text("PRAGMA foreign_keys")).scalar_one() == 0
    with sqlite_db.reading() as connection:
        assert connection.execute(text("PRAGMA foreign_keys")).scalar_one() == 1


# --- trouble ------------------------------------------------------------------------------------


def sentence(attempt: Callable[[], object]) -> str:
    """What a person is told; anything but a sentence fails."""
    with pytest.raises(CrmError) as caught:
        attempt()
    told = str(caught.value)
    assert told.endswith(".")
    assert "{" not in told
    assert "sqlalche" not in told.lower()
    return told


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://ana:geheim@server/crm",
        "postgresql://server/crm?user=ana&password=geheim",
        "postgresql://server/crm?sslpassword=geheim",
    ],
)
def test_a_password_in_the_address_is_refused_and_not_repeated(url: str) -> None:
    told = sentence(lambda: Database.open(url))
    assert "password" in told
    assert "geheim" not in told


def test_other_systems_and_nonsense_are_refused() -> None:
    assert "mysql" in sentence(lambda: Database.open("mysql://server/crm"))
    assert "not a database address" in sentence(
        lambda: Database.open("postgresql://ana@server:port/crm")
    )


def test_a_file_on_a_share_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert "network share" in sentence(lambda: Database.open("//server/share/crm.db"))
    share = tmp_path / "mounted"
    share.mkdir()
    local = tmp_path / "local"
    local.symlink_to(share)
    monkeypatch.setattr("sys.platform", "linux")
    mounts = (
        f"disk / ext4 rw 0 0\nserver:/x {str(share).replace(' ', chr(92) + '040')} nfs4 rw 0 0\n"
    )
    real = Path.read_text

    def read_text(path: Path, *args: str, **options: str) -> str:
        return mounts if str(path) == "/proc/mounts" else real(path, *args, **options)

    monkeypatch.setattr(Path, "read_text", read_text)
    for path in (share / "crm.db", local / "crm.db"):
        assert "network share" in sentence(lambda: Database.open(str(path)))  # noqa: B023
    Database.open(str(tmp_path / "crm.db")).close()


@pytest.fixture
def damaged(tmp_path: Path) -> Callable[[bytes], str]:
    def make(content: bytes) -> str:
        path = tmp_path / "damaged.db"
        path.write_bytes(content)
        return str(path)

    return make


def test_files_that_are_no_database_are_left_as_they_are(
    damaged: Callable[[bytes], str], tmp_path: Path
) -> None:
    pdf = b"%PDF-1.7 not a database at all, but long enough to look at" * 50
    path = damaged(pdf)
    for attempt in (migrate.open_current, migrate.upgrade):
        assert "not a database of this program" in sentence(lambda: attempt(path))  # noqa: B023
    assert "exists already" in sentence(lambda: migrate.create(path))
    assert Path(path).read_bytes() == pdf
    head = damaged(b"SQLite format 3\x00" + b"\x07" * 5000)
    sentence(lambda: migrate.open_current(head))
    assert "no database at" in sentence(lambda: migrate.open_current(str(tmp_path / "none.db")))
    assert "no database at" in sentence(lambda: migrate.open_current(str(tmp_path)))
    sentence(lambda: migrate.create(str(tmp_path)))
    sentence(lambda: Database.open(str(tmp_path)))
    assert tmp_path.is_dir()


def test_a_file_in_the_way_of_a_folder_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    told = sentence(lambda: migrate.create(str(tmp_path / "file" / "crm.db")))
    assert "cannot be made" in told


def test_a_read_only_database_is_told(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    db = Database.open(sqlite_url)
    real = sqlite3.connect

    def connect(name: str, **options: object) -> sqlite3.Connection:
        # Rights do not stop the administrator who runs the tests; SQLite's own mode does.
        return real(f"file:{name}?mode=ro", uri=True, **options)  # type: ignore[call-overload, no-any-return]

    db.close()
    monkeypatch.setattr(db.engine.dialect.loaded_dbapi, "connect", connect)
    try:
        told = sentence(lambda: records.save(system_actor(db), "team", None, None, {"name": "A"}))
    finally:
        db.close()
    assert "read-only" in told


def test_a_full_disk_is_told_and_loses_nothing(sqlite_db: Database) -> None:
    actor = system_actor(sqlite_db)
    kept = records.save(actor, "team", None, None, {"name": "Before"}).id
    with sqlite_db.engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()

    def limit(driver: sqlite3.Connection, *_: object) -> None:
        driver.execute(f"PRAGMA max_page_count = {pages + 2}")

    from sqlalchemy import event

    event.listen(sqlite_db.engine, "checkout", limit)
    large = {"name": "After", "description": "x" * 500_000}
    told = sentence(lambda: records.save(actor, "team", None, None, large))
    event.remove(sqlite_db.engine, "checkout", limit)
    assert "full" in told
    sqlite_db.close()
    with sqlite_db.reading() as connection:
        names = connection.execute(text("SELECT name FROM team")).scalars().all()
        assert connection.execute(text("PRAGMA quick_check")).scalar_one() == "ok"
    assert names == ["Before"]
    assert records.get(actor, "team", kept).title == "Before"


def test_a_locked_file_is_told(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "_BUSY_MS", 50)
    first, second = Database.open(sqlite_url), Database.open(sqlite_url)
    try:
        with first.writing() as connection:
            connection.execute(text("DELETE FROM team"))
            with pytest.raises(EnvironmentProblem, match="busy") as caught:
                records.save(system_actor(second), "team", None, None, {"name": "A"})
            assert caught.value.retryable
            # Readers never wait for the writer.
            assert records.new(system_actor(second), "team").version == 0
            with second.reading() as reading:
                reading.execute(text("SELECT count(*) FROM team")).scalar_one()
    finally:
        first.close()
        second.close()


def test_an_unreachable_server_is_told(postgres_url: str) -> None:
    host = postgres_url.rpartition("/")[0]
    assert "no database" in sentence(lambda: Database.open(f"{host}/nothing_of_this_name"))
    told = sentence(lambda: Database.open("postgresql://crm@127.0.0.1:1/crm"))
    assert "cannot be reached" in told


def test_a_lost_connection_is_told_and_the_next_one_works(postgres_db: Database) -> None:
    actor = system_actor(postgres_db)

    def lose() -> None:
        with postgres_db.writing() as connection:
            connection.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))

    assert "cannot be reached" in sentence(lose)
    assert records.save(actor, "team", None, None, {"name": "A"}).version == 1
