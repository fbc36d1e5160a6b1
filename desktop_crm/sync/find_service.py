"""Which service holds the mailbox of an address, step by step.

Nothing is signed in to and no password is used: every question is one that anybody may ask.
What is found names the hosts a person has to agree to before a password goes there: those that
neither lie in the address's own domain nor were named by it over TLS.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Protocol
from urllib.parse import urlsplit

from desktop_crm.core.errors import UserError
from desktop_crm.core.i18n import N_, tr
from desktop_crm.core.text import canonical_email, email_domain
from desktop_crm.db.engine import Cancel
from desktop_crm.models.mail import MailboxKind
from desktop_crm.services.mail.mailboxes import NewMailbox
from desktop_crm.sync.find_servers import Lookups, Servers, by_file, by_guess, by_records

STEP_LIMIT_S: Final = 20.0
"""Seconds a step may take; what was not asked by then is left out."""

_CLOUD_MX: Final = (".mail.protection.outlook.com", ".mx.microsoft")
_PERSONAL_MX: Final = ".olc.protection.outlook.com"
_CLOUD_NAMES: Final = (".outlook.com", ".office365.us", ".partner.outlook.cn")
_PERSONAL_TENANT: Final = "consumers"


class Outcome(StrEnum):
    """How a step of the search ended; ASKING while it lasts."""

    ASKING = "asking"
    FOUND = "found"
    NOTHING = "nothing"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class FindStep:
    """One step: `key` stays the same while it lasts, `message` is one sentence for a person."""

    key: str
    name: str
    outcome: Outcome
    message: str = ""


@dataclass(frozen=True, slots=True)
class FoundService:
    """What the search came to.

    Attributes:
        new: the mailbox as far as it is known; None when nothing was found.
        steps: what was asked, in order.
        confirm: hosts a password goes to only after a person agreed.
    """

    new: NewMailbox | None
    steps: tuple[FindStep, ...]
    confirm: tuple[str, ...] = ()


class ServiceLookups(Lookups, Protocol):
    """The questions that are put to the network; each may take seconds."""

    def mail_hosts(self, domain: str) -> list[str]:
        """Hosts that take in a domain's mail."""
        ...

    def alias(self, name: str) -> str:
        """The name another name stands for."""
        ...

    def directory(self, domain: str) -> str:
        """Id of a domain's directory in Microsoft 365."""
        ...

    def challenges(self, url: str) -> bool:
        """Whether an address asks for a sign-in."""
        ...


class _TimeUp(Exception):
    """A step lasted too long."""


@dataclass(slots=True)
class _Limited:
    """The same questions, until a person stops the search or the step's time is up."""

    inner: ServiceLookups
    cancel: Cancel
    now: Callable[[], float]
    ends: float = 0.0

    def begin(self) -> None:
        self.ends = self.now() + STEP_LIMIT_S

    def _check(self) -> None:
        self.cancel.check()
        if self.now() > self.ends:
            raise _TimeUp

    def services(self, name: str) -> list[tuple[str, int]]:
        self._check()
        return self.inner.services(name)

    def file(self, url: str) -> bytes | None:
        self._check()
        return self.inner.file(url)

    def listens(self, host: str, port: int) -> bool:
        self._check()
        return self.inner.listens(host, port)

    def mail_hosts(self, domain: str) -> list[str]:
        self._check()
        return self.inner.mail_hosts(domain)

    def alias(self, name: str) -> str:
        self._check()
        return self.inner.alias(name)

    def directory(self, domain: str) -> str:
        self._check()
        return self.inner.directory(domain)

    def challenges(self, url: str) -> bool:
        self._check()
        return self.inner.challenges(url)


def find_service(
    address: str,
    lookups: ServiceLookups | None = None,
    *,
    tell: Callable[[FindStep], None] | None = None,
    cancel: Cancel | None = None,
    now: Callable[[], float] = time.monotonic,
) -> FoundService:
    """Find the service of an address.

    Args:
        address: an e-mail address.
        lookups: how to ask; None asks the network.
        tell: told of each step when it begins and when it ends.
        cancel: stops between two questions.
        now: a clock in seconds, for the time limit of a step.

    Returns:
        The mailbox as far as it is known, with what was asked.

    Raises:
        UserError: it is no address.
        Cancelled: the search was stopped.

    Cost: usually under five seconds; at most :data:`STEP_LIMIT_S` and one question a step.
    """
    canonical = canonical_email(address)
    if canonical is None:
        raise UserError(
            N_('"{address}" is no e-mail address; write it like name@company.com.'),
            field="address",
            address=address,
        )
    if lookups is None:
        from desktop_crm.sync.server_lookups import NetworkLookups

        lookups = NetworkLookups()
    domain = email_domain(canonical)
    limited = _Limited(lookups, cancel or Cancel(), now)
    return _Search(canonical, domain, limited, tell or (lambda _step: None)).run()


@dataclass(slots=True)
class _Search:
    address: str
    domain: str
    ask: _Limited
    tell: Callable[[FindStep], None]
    steps: list[FindStep] = field(default_factory=list)
    new: NewMailbox | None = None
    confirm: tuple[str, ...] = ()
    directory: str = ""

    def run(self) -> FoundService:
        found = False
        for key, name, work in (
            ("graph", tr("Microsoft 365"), self._cloud),
            ("exchange", tr("Exchange Server"), self._exchange),
            ("file", tr("Settings file of the provider"), self._file),
            ("records", tr("Service records of the domain"), self._records),
            ("guess", tr("Usual names of mail servers"), self._guess),
        ):
            if found:
                self._end(FindStep(key, name, Outcome.SKIPPED, tr("Not needed any more.")))
                continue
            self.tell(FindStep(key, name, Outcome.ASKING))
            self.ask.begin()
            try:
                found, message = work()
            except _TimeUp:
                found, message = False, tr("No answer in time; this step was left.")
            outcome = Outcome.FOUND if found else Outcome.NOTHING
            self._end(FindStep(key, name, outcome, message))
        if self.new is None and self.directory:
            # The domain signs in there, and nothing else answers for its mail.
            self.new = self._mailbox(MailboxKind.GRAPH, tenant=self.directory)
        return FoundService(self.new, tuple(self.steps), self.confirm)

    def _end(self, step: FindStep) -> None:
        self.steps.append(step)
        self.tell(step)

    def _mailbox(self, kind: MailboxKind, **more: str) -> NewMailbox:
        return NewMailbox(self.address, kind.value, self.address, **more)

    def _cloud(self) -> tuple[bool, str]:
        hosts = self.ask.mail_hosts(self.domain)
        if any(host.endswith(_PERSONAL_MX) for host in hosts):
            self.new = self._mailbox(MailboxKind.GRAPH, tenant=_PERSONAL_TENANT)
            return True, tr("A personal account of Microsoft; you sign in in the browser.")
        self.directory = self.ask.directory(self.domain)
        mail_is_there = any(host.endswith(_CLOUD_MX) for host in hosts) or (
            bool(self.directory)
            and self.ask.alias(f"autodiscover.{self.domain}").endswith(_CLOUD_NAMES)
        )
        if mail_is_there:
            self.new = self._mailbox(MailboxKind.GRAPH, tenant=self.directory or self.domain)
            return True, tr(
                "The mail of {domain} lies there. It lets no program in by password or EWS any "
                "more; you sign in in the browser.",
                domain=self.domain,
            )
        if self.directory:
            return False, tr(
                "{domain} signs in there, but its mail goes elsewhere.", domain=self.domain
            )
        return False, tr("{domain} is not served there.", domain=self.domain)

    def _exchange(self) -> tuple[bool, str]:
        # Its library is not imported for an address that Microsoft 365 serves.
        from desktop_crm.sync.exchange import discovery

        for place in discovery.places(self.domain):
            if self.ask.challenges(place):
                self.new = self._mailbox(MailboxKind.EXCHANGE)
                return True, tr(
                    "{host} asks for a sign-in; it names your server once you gave the password.",
                    host=urlsplit(place).hostname or "",
                )
        return False, tr("No server of {domain} answers as Exchange.", domain=self.domain)

    def _file(self) -> tuple[bool, str]:
        return self._servers(by_file(self.address, self.domain, self.ask), named=True)

    def _records(self) -> tuple[bool, str]:
        return self._servers(by_records(self.domain, self.ask))

    def _guess(self) -> tuple[bool, str]:
        return self._servers(by_guess(self.domain, self.ask))

    def _servers(self, found: Servers | None, *, named: bool = False) -> tuple[bool, str]:
        """Take servers over; `named` are those that the domain itself named over TLS."""
        if found is None:
            return False, tr("{domain} names no mail server this way.", domain=self.domain)
        hosts = dict.fromkeys(urlsplit(one).hostname or "" for one in found.addresses)
        self.confirm = () if named else tuple(h for h in hosts if not self._is_own(h))
        self.new = self._mailbox(
            MailboxKind.IMAP,
            server=found.imap,
            smtp_server=found.smtp,
            dav_server=found.dav,
            login=found.login,
        )
        text = tr("Mail servers: {servers}.", servers=", ".join(found.addresses))
        if self.confirm:
            text += " " + tr(
                "Outside {domain}: {hosts}. Your password goes there only after you agree.",
                hosts=", ".join(self.confirm),
                domain=self.domain,
            )
        return True, text

    def _is_own(self, host: str) -> bool:
        return host == self.domain or host.endswith(f".{self.domain}")
