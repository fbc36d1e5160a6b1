"""Dovecot, started with a configuration of its own in a folder of its own."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from imapclient import IMAPClient

from tests.ews_server.certificates import make_certificates

BINARY = shutil.which("dovecot", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
MISSING = "dovecot is not installed (Debian: dovecot-imapd)"
PASSWORD = "parolă ș€cretă"
USERS = 500

_CONF = """
base_dir = {top}/run
state_dir = {top}/state
log_path = {top}/log
info_log_path = {top}/log
protocols = imap
listen = 127.0.0.1
ssl = yes
ssl_cert = <{top}/tls/server.pem
ssl_key = <{top}/tls/key.pem
disable_plaintext_auth = {protected}
auth_mechanisms = plain
auth_failure_delay = 0
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {login_user}
first_valid_uid = 1
first_valid_gid = 1
mail_location = maildir:{top}/mail/%n
mail_plugins =
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = {tls_port}
    ssl = yes
  }}
}}
service anvil {{
  chroot =
  # Who gave a wrong password does not wait at the next sign-in.
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service imap {{
  process_limit = 20
}}
passdb {{
  driver = passwd-file
  args = scheme=PLAIN username_format=%u {top}/users
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={top}/home
}}
namespace inbox {{
  inbox = yes
  separator = {separator}
  prefix = {prefix}
{special}
}}
protocol imap {{
  {capability}
}}
"""

_SPECIAL = """
  mailbox Drafts {
    auto = create
    special_use = \\Drafts
  }
  mailbox Trash {
    auto = create
    special_use = \\Trash
  }
  mailbox Outgoing {
    auto = create
    special_use = \\Sent
  }
"""
_PLAIN = """
  mailbox "Gesendete Elemente" {
    auto = create
  }
  mailbox "Ciorne" {
    auto = create
  }
"""
OLD = "IMAP4rev1 LITERAL+ SASL-IR NAMESPACE ID"
"""Capabilities of a server of long ago: no CONDSTORE, UIDPLUS, MOVE or SPECIAL-USE."""


class Dovecot:
    """One running server, one user at a time; `close` ends it and removes its folder.

    Args:
        capability: what it says it can, in place of what it really can.
        special_use: whether its folders are marked; else they have German and Romanian names.
        below_inbox: whether every folder lies below the inbox, parted by dots.
        protected: whether it refuses a password on an unprotected connection.
    """

    def __init__(
        self,
        *,
        capability: str = "",
        special_use: bool = True,
        below_inbox: bool = False,
        protected: bool = True,
    ) -> None:
        # Paths of sockets are short, so the folder is not pytest's.
        self.top = Path(tempfile.mkdtemp(prefix="dc-"))
        self.top.chmod(0o755)
        tls = self.top / "tls"
        tls.mkdir()
        self.certificates = make_certificates(tls)
        self.port, self.tls_port = free_port(), free_port()
        root = os.getuid() == 0
        me = pwd.getpwuid(os.getuid())
        owner = pwd.getpwnam("nobody") if root else me
        for name in ("mail", "home", "state", "run"):
            (self.top / name).mkdir()
        for name in ("mail", "home"):
            os.chown(self.top / name, owner.pw_uid, owner.pw_gid)
        logins = [f"ana{number}@firma.example" for number in range(USERS)]
        lines = [f"{login}:{{PLAIN}}{PASSWORD}::::::\n" for login in logins]
        (self.top / "users").write_text("".join(lines), encoding="utf-8")
        self._unused = iter(logins)
        self.login = next(self._unused)
        text = _CONF.format(
            top=self.top,
            port=self.port,
            tls_port=self.tls_port,
            protected="yes" if protected else "no",
            user="dovecot" if root else me.pw_name,
            group="dovecot" if root else str(me.pw_gid),
            login_user="dovenull" if root else me.pw_name,
            uid=owner.pw_uid,
            gid=owner.pw_gid,
            special=_SPECIAL if special_use else _PLAIN,
            separator="." if below_inbox else "/",
            prefix="INBOX." if below_inbox else "",
            capability=f"imap_capability = {capability}" if capability else "",
        )
        self._conf = self.top / "dovecot.conf"
        self._conf.write_text(text, encoding="utf-8")
        assert BINARY is not None
        self._process = subprocess.Popen(
            [BINARY, "-F", "-c", str(self._conf)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self._wait_for_it()

    @property
    def url(self) -> str:
        """Written form of its address, TLS from the first byte."""
        return f"imaps://127.0.0.1:{self.tls_port}"

    @property
    def starttls_url(self) -> str:
        """Written form of its address for STARTTLS."""
        return f"imap://127.0.0.1:{self.port}"

    @property
    def ca_file(self) -> str:
        """Certificate of its authority."""
        return str(self.certificates.authority)

    def client(self) -> IMAPClient:
        """A connection of the test's own, signed in."""
        import ssl

        context = ssl.create_default_context(cafile=self.ca_file)
        client = IMAPClient("127.0.0.1", self.tls_port, ssl=True, ssl_context=context, timeout=30)
        client.plain_login(self.login, PASSWORD)
        return client

    def next_user(self) -> str:
        """Go on with a user whose mailbox nobody has used."""
        self.login = next(self._unused)
        return self.login

    def kick(self) -> None:
        """End every session of the user, in the middle of whatever it does."""
        self._admin("kick", self.login)

    def renumber(self, folder: str) -> None:
        """Give a folder another UIDVALIDITY, as after a restored backup."""
        later = str(int(time.time()) + 100)
        self._admin("mailbox", "update", "-u", self.login, "--uid-validity", later, folder)

    def _admin(self, *words: str) -> None:
        assert BINARY is not None
        doveadm = shutil.which("doveadm", path=f"/usr/bin:{Path(BINARY).parent}")
        assert doveadm is not None
        done = subprocess.run(
            [doveadm, "-c", str(self._conf), *words], capture_output=True, text=True, check=False
        )
        assert done.returncode in (0, 68), done.stderr

    def close(self) -> None:
        """End the server and everything it started."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGTERM)
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(10)
        shutil.rmtree(self.top, ignore_errors=True)

    def _wait_for_it(self) -> None:
        ends = time.monotonic() + 20
        while True:
            try:
                with socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
                    assert connection.recv(4) == b"* OK"
                    return
            except OSError:
                if self._process.poll() is not None or time.monotonic() > ends:
                    log = self.top / "log"
                    raise RuntimeError(log.read_text() if log.exists() else "no log") from None
                time.sleep(0.05)


def free_port() -> int:
    """A port of this computer nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
