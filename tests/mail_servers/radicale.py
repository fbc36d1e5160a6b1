"""Radicale, started in a process of its own with calendars and an address book."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from shutil import rmtree

import requests
from requests.auth import HTTPBasicAuth

from tests.ews_server.certificates import make_certificates
from tests.mail_servers.dovecot import PASSWORD, free_port

_CONF = """
[server]
hosts = 127.0.0.1:{port}
ssl = True
certificate = {tls}/server.pem
key = {tls}/key.pem
[auth]
type = htpasswd
htpasswd_filename = {top}/users
htpasswd_encryption = plain
delay = 0
[storage]
filesystem_folder = {top}/data
[logging]
level = warning
"""
_CALENDAR = (
    '<c:mkcalendar xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav"><d:set><d:prop>'
    "<d:displayname>{name}</d:displayname><c:supported-calendar-component-set>{components}"
    "</c:supported-calendar-component-set></d:prop></d:set></c:mkcalendar>"
)
_BOOK = (
    '<d:mkcol xmlns:d="DAV:" xmlns:r="urn:ietf:params:xml:ns:carddav"><d:set><d:prop>'
    "<d:resourcetype><d:collection/><r:addressbook/></d:resourcetype>"
    "<d:displayname>Contacte</d:displayname></d:prop></d:set></d:mkcol>"
)


class Radicale:
    """One running server; each user has a calendar, a task list and an address book."""

    def __init__(self) -> None:
        self.top = Path(tempfile.mkdtemp(prefix="radicale-"))
        tls = self.top / "tls"
        tls.mkdir()
        self.ca_file = str(make_certificates(tls).authority)
        self.port = free_port()
        (self.top / "config").write_text(_CONF.format(port=self.port, tls=tls, top=self.top))
        self._users: list[str] = []
        self._write_users()
        self._log = (self.top / "log").open("w")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "radicale", "--config", str(self.top / "config")],
            stdout=self._log,
            stderr=self._log,
            env={**os.environ, "PYTHONWARNINGS": "ignore"},
        )
        self._wait_for_it()
        self._session = requests.Session()

    @property
    def url(self) -> str:
        """Address of the server, as a person types it."""
        return f"https://127.0.0.1:{self.port}"

    def user(self, login: str) -> None:
        """Make a user with three collections; further requests are theirs."""
        self._users.append(login)
        self._write_users()
        self._session.auth = HTTPBasicAuth(login.encode(), PASSWORD.encode())
        self.home = f"/{login}/"
        for name, components in (("calendar", ("VEVENT",)), ("tasks", ("VTODO",))):
            named = "".join(f'<c:comp name="{one}"/>' for one in components)
            body = _CALENDAR.format(name=name.capitalize(), components=named)
            self.request("MKCALENDAR", f"{name}/", body)
        self.request("MKCOL", "contacts/", _BOOK)

    def request(self, method: str, path: str, body: str = "", **headers: str) -> requests.Response:
        """A request of the user, as another program of theirs would make it."""
        url = self.url + (path if path.startswith("/") else self.home + path)
        done = self._session.request(
            method, url, data=body.encode(), headers=headers, timeout=30, verify=self.ca_file
        )
        assert done.status_code < 400, (method, path, done.status_code, done.text[:500])
        return done

    def stored(self, collection: str) -> dict[str, str]:
        """What one of the user's collections holds: names and contents, asked of nobody."""
        files = (self._folder / collection).glob("[!.]*")
        return {file.name: file.read_bytes().decode() for file in files}

    def forget_tokens(self) -> None:
        """Make every token the user was handed so far invalid."""
        for tokens in self._folder.glob("*/.Radicale.cache/sync-token"):
            rmtree(tokens)

    @property
    def _folder(self) -> Path:
        return self.top / "data" / "collection-root" / self._users[-1]

    def close(self) -> None:
        """End the server and remove what it stored."""
        self._session.close()
        self._process.terminate()
        self._process.wait(20)
        self._log.close()
        rmtree(self.top, ignore_errors=True)

    def _write_users(self) -> None:
        lines = [f"{login}:{PASSWORD}\n" for login in self._users]
        (self.top / "users").write_text("".join(lines), encoding="utf-8")

    def _wait_for_it(self) -> None:
        ends = time.monotonic() + 30
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return
            except OSError:
                if self._process.poll() is not None or time.monotonic() > ends:
                    raise RuntimeError((self.top / "log").read_text()) from None
                time.sleep(0.05)
