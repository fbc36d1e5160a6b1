"""The other side of a mailbox under faults: IMAP, SMTP and CalDAV servers behind bad lines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from email import message_from_bytes
from functools import partial

from desktop_crm.sync.dav.items import path_and_occurrence
from desktop_crm.sync.writes import Ref, WritableMailbox
from tests.contract.test_imap_writes import ImapDriver
from tests.mail_servers.lines import Lines
from tests.mail_servers.servers import Servers, missing
from tests.soak.sides import KINDS, SIDES, Side

QUICK_S = 3.0
"""More than real servers need on a busy computer; what takes longer is a fault nobody ordered."""


class RealServers(Side):
    """Dovecot, Radicale and an SMTP server, with a user who has nothing."""

    driver: ImapDriver

    def __init__(self, servers: Servers, lines: Lines) -> None:
        self.servers, self.lines = servers, lines
        servers.next_user()
        super().__init__()
        self.struck = lines.struck = Counter()
        self.driver = ImapDriver(servers)
        self.driver.mailbox.close()

    @property
    def requests(self) -> int:
        return self.lines.requests

    def port(self, *, quick: bool) -> WritableMailbox:
        return self.servers.mailbox(**self.lines.urls, timeout_s=QUICK_S if quick else 60.0)

    def settle(self) -> None:
        """A line that broke brings nothing late."""

    def aim(self, faults: Sequence[str | None]) -> None:
        self.lines.aim(faults)

    def forget_tokens(self) -> None:
        # Dovecot hangs up on whoever has the folder open.
        self.driver.client.logout()
        self.servers.dovecot.renumber("INBOX")
        self.driver.client = self.servers.dovecot.client()
        self.servers.radicale.forget_tokens()

    def remove(self, ref: Ref) -> None:
        path, _ = path_and_occurrence(ref.item_id)
        if path.rpartition("/")[2] in self.servers.radicale.stored(path.rstrip("/").split("/")[2]):
            self.driver.remove(ref)

    def decide(self, message_id: str) -> None:
        """A person asks who was to get it, and does what the program says then."""
        known = message_id.encode()
        arrived = any(known in data for _, data in self.servers.smtp.delivered)
        client = self.driver.client
        client.select_folder("Drafts")
        found = client.search(["HEADER", "Message-ID", message_id])
        if found and arrived:
            client.move(found, "Outgoing")
        elif found:
            client.delete_messages(found)
            client.expunge()

    def copies(self) -> Counter[str]:
        found: Counter[str] = Counter()
        for folder in ("Drafts", "Outgoing"):
            self.driver.client.select_folder(folder, readonly=True)
            uids = self.driver.client.search()
            for answer in self.driver.client.fetch(uids, ["BODY[HEADER]"]).values():
                found[str(message_from_bytes(answer[b"BODY[HEADER]"])["Subject"])] += 1
        return found

    def items(self) -> Counter[str]:
        found: Counter[str] = Counter()
        for collection in ("calendar", "tasks"):
            for data in self.servers.radicale.stored(collection).values():
                _, _, after = data.replace("\r\n ", "").partition("\r\nSUMMARY:")
                found[after.partition("\r\n")[0]] += 1
        return found

    def close(self) -> None:
        self.driver.close()


@contextmanager
def sides_here(
    kinds: Collection[str] = KINDS, told: Callable[[str], None] = print
) -> Iterator[dict[str, Callable[[], Side]]]:
    """Those of some kinds that this computer has; servers are started once for all machines."""
    found = {kind: make for kind, make in SIDES.items() if kind in kinds}
    reason = missing() if "imap" in kinds else ""
    if reason:
        told(f"imap is left out: {reason}")
    if "imap" not in kinds or reason:
        yield found
        return
    servers = Servers()
    lines = Lines(servers)
    try:
        yield {**found, "imap": partial(RealServers, servers, lines)}
    finally:
        lines.close()
        servers.close()
