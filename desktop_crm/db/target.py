"""What a database address means, and which addresses are refused before anything is opened."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from desktop_crm.core.errors import EnvironmentProblem, UserError
from desktop_crm.core.i18n import N_

_NETWORK_FILE_SYSTEMS: Final = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "afpfs", "webdav", "davfs", "9p", "fuse.sshfs",
     "fuse.davfs2", "fuse.rclone", "glusterfs", "ceph", "afs"}
)  # fmt: skip
_SQLITE_MAGIC: Final = b"SQLite format 3\x00"
_DRIVE_REMOTE: Final = 4
_SECRETS: Final = frozenset({"password", "sslpassword"})


@dataclass(frozen=True, slots=True)
class Target:
    """A parsed database address.

    Attributes:
        url: SQLAlchemy's form of it, without a password.
        path: File of a SQLite database, None for one in memory or a server.
    """

    url: URL
    path: Path | None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read an address: a URL, or the path of a SQLite file.

        Raises:
            UserError: It names an unknown kind of database, holds a password, or leads to a
                network share.
        """
        if "://" not in text:
            return cls._of_file(Path(text).expanduser())
        try:
            url = make_url(text)
        except (ArgumentError, ValueError):
            raise UserError(
                N_(
                    "“{url}” is not a database address. Use a file, or "
                    "postgresql://user@server/database."
                ),
                url=text.partition("@")[2] or text,
            ) from None
        if url.password is not None or _SECRETS & url.query.keys():
            raise UserError(
                N_(
                    "The database address contains a password; nothing was opened. Leave it out: "
                    "it is asked for, or read from the keyring, pgpass or PGPASSWORD."
                )
            )
        backend = url.get_backend_name()
        if backend == "sqlite":
            if url.database in (None, "", ":memory:"):
                return cls(url, None)
            return cls._of_file(Path(str(url.database)).expanduser())
        if backend != "postgresql":
            raise UserError(
                N_("{kind} databases are not supported. Use a SQLite file or PostgreSQL."),
                kind=backend,
            )
        return cls(url, None)

    @classmethod
    def _of_file(cls, path: Path) -> Self:
        full = path.absolute()
        # A link in a local folder may lead to a share.
        if is_network_path(full) or is_network_path(Path(os.path.realpath(full))):
            raise UserError(
                N_(
                    "{path} lies on a network share, where a database file gets damaged; nothing "
                    "was opened. Keep the file on this computer, or share a PostgreSQL database."
                ),
                path=full,
            )
        return cls(URL.create("sqlite", database=str(full)), full)

    @property
    def is_sqlite(self) -> bool:
        """Whether this is a local file or memory."""
        return self.url.get_backend_name() == "sqlite"

    @property
    def exists(self) -> bool:
        """Whether the file is there; always true for servers."""
        return self.path is None or self.path.exists()

    @property
    def name(self) -> str:
        """Short name for people."""
        if self.path is not None:
            return self.path.name
        return str(self.url.database or "memory")

    def __str__(self) -> str:
        """Return the address as it is written down."""
        return self.url.render_as_string(hide_password=True)

    def require_file(self) -> None:
        """Check that a SQLite file is there, is one, and may be written.

        Raises:
            UserError: Missing, or another kind of file.
            EnvironmentProblem: It cannot be read.
        """
        if self.path is None:
            return
        if not self.path.is_file():
            raise UserError(
                N_("There is no database at {path}. Create one, or choose another file."),
                path=self.path,
            )
        try:
            with self.path.open("rb") as stream:
                head = stream.read(len(_SQLITE_MAGIC))
        except OSError as error:
            raise EnvironmentProblem(
                N_("{path} cannot be read: {reason}. Nothing was changed."),
                path=self.path,
                reason=error.strerror or error,
            ) from error
        if head and head != _SQLITE_MAGIC:
            raise UserError(
                N_("{path} is not a database of this program. It was left as it is."),
                path=self.path,
            )


def is_network_path(path: Path) -> bool:
    """Whether a file lies on another computer, as far as the operating system tells."""
    text = str(path)
    if text.startswith(("\\\\", "//")):
        return True
    if sys.platform == "win32":
        import ctypes

        root = f"{path.drive}\\"
        return bool(ctypes.windll.kernel32.GetDriveTypeW(root) == _DRIVE_REMOTE)
    if sys.platform == "darwin":
        return text.startswith("/Volumes/") and _mac_mount_is_remote(path)
    return _linux_file_system(path) in _NETWORK_FILE_SYSTEMS


def _linux_file_system(path: Path) -> str:
    try:
        mounts = Path("/proc/mounts").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    best, kind = "", ""
    for line in mounts.splitlines():
        parts = line.split()
        point = parts[1].replace("\\040", " ")
        inside = os.path.commonpath([point, str(path)]) == point
        if inside and len(point) >= len(best):
            best, kind = point, parts[2]
    return kind


def _mac_mount_is_remote(path: Path) -> bool:
    import subprocess

    listing = subprocess.run(
        ["/sbin/mount"], capture_output=True, text=True, check=False, timeout=5
    ).stdout
    for line in listing.splitlines():
        _, _, rest = line.partition(" on ")
        point, _, kind = rest.partition(" (")
        if str(path).startswith(f"{point}/"):
            return kind.partition(",")[0] in _NETWORK_FILE_SYSTEMS
    return False
