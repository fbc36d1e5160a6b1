"""Mailboxes as records: adding, listing, removing; passwords go to the keyring or the vault."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from sqlalchemy import RowMapping, Select, select

from desktop_crm.core import secrets
from desktop_crm.core.errors import NotFound, UserError
from desktop_crm.core.i18n import N_, tr
from desktop_crm.core.text import canonical_email, clean, fold
from desktop_crm.meta import registry
from desktop_crm.models import Mailbox
from desktop_crm.models.mail import MailboxKind, MailboxState, SignInBy
from desktop_crm.services import records
from desktop_crm.services.changes import ChangeSet
from desktop_crm.services.context import Actor
from desktop_crm.services.mail.cloud_registration import registration
from desktop_crm.services.mail.mailbox_kinds import PROTECTED, USED, needs_password, refuse_unused
from desktop_crm.services.mail.policy import stated
from desktop_crm.services.mail.servers import imap_address, smtp_address, web_address
from desktop_crm.services.permissions import require, row_clause
from desktop_crm.services.records_kept import update_rows

SERVICE_PATH: Final = "/EWS/Exchange.asmx"
"""Where an Exchange server answers, unless its address says otherwise."""


@dataclass(frozen=True, slots=True)
class NewMailbox:
    """What a person says about a mailbox; the password is handed over apart.

    Attributes:
        name: what it is called; unique.
        kind: folder, exchange, graph or imap.
        address: the person's own address in it.
        login: what to sign in with, when that is not the address.
        server: host name or URL of an Exchange server, or address of an IMAP server.
        ca_file: file with the certificates of the server's own authority.
        sign_in: password, system or certificate; empty is by password.
        certificate: PEM file of the person's own certificate and key.
        path: folder of a folder mailbox.
        smtp_server: address of the server an IMAP mailbox sends through; empty for none.
        dav_server: addresses of its calendars and contacts, parted by blanks; empty for none.
        tenant: directory of the organisation in Microsoft 365.
        client_id: this program as the organisation registered it there.
    """

    name: str
    kind: str
    address: str
    login: str = ""
    server: str = ""
    ca_file: str = ""
    path: str = ""
    smtp_server: str = ""
    dav_server: str = ""
    tenant: str = ""
    client_id: str = ""
    sign_in: str = ""
    certificate: str = ""

    @property
    def needs_password(self) -> bool:
        """Whether it cannot be opened without a secret."""
        return needs_password(self.kind, self.sign_in)


@dataclass(frozen=True, slots=True)
class MailboxRow:
    """One mailbox as it stands; `login` is what it signs in with."""

    id: int
    uid: str
    version: int
    name: str
    kind: str
    address: str
    login: str
    server: str
    ca_file: str
    path: str
    smtp_server: str
    dav_server: str
    tenant: str
    client_id: str
    sign_in: str
    certificate: str
    user_id: int | None
    state: str
    message: str
    last_synced_at: datetime | None
    leased_by: str = ""
    leased_until: datetime | None = None

    def held_by(self, now: datetime) -> str:
        """Machine that is synchronising it at a moment (R61); empty for none."""
        if self.leased_until is None or self.leased_until <= now:
            return ""
        return self.leased_by.partition("/")[0]


@dataclass(frozen=True, slots=True)
class Added:
    """A mailbox that was added; `place` says where its password lies, None when it has none."""

    id: int
    changes: ChangeSet
    place: secrets.Place | None = None

    @property
    def notice(self) -> str:
        """What the person should know about where the password lies; empty for the keyring."""
        return vault_notice(self.place)


def vault_notice(place: secrets.Place | None) -> str:
    """Say that a password lies in the vault; empty when it lies in the keyring."""
    if place is not secrets.Place.VAULT:
        return ""
    return tr(secrets.VAULT_NOTICE, folder=secrets.vault_folder())


def server_address(server: str) -> str:
    """Address of the web service from what a person typed: a host name or a URL.

    Raises:
        UserError: it is no address, or plain http to another machine.
    """
    url = web_address(server, "server")
    parts = urlsplit(url)
    path = parts.path if parts.path not in ("", "/") else SERVICE_PATH
    return f"{parts.scheme}://{parts.netloc}{path}"


def checked(new: NewMailbox) -> NewMailbox:
    """The same mailbox with clean values; looks at files, never at the network.

    Raises:
        UserError: something is missing or wrong; `field` names it.
    """
    name, address = clean(new.name), canonical_email(new.address)
    if not name:
        raise UserError(N_("Give the mailbox a name."), field="name")
    if address is None:
        raise UserError(
            N_('"{address}" is no e-mail address; write it like name@company.com.'),
            field="address",
            address=new.address,
        )
    if new.kind == MailboxKind.FOLDER.value:
        return NewMailbox(name, new.kind, address, path=_folder(new.path))
    if new.kind == MailboxKind.GRAPH.value:
        return _graph(new, name, address)
    if new.kind not in PROTECTED:
        raise UserError(
            N_('"{kind}" is no kind of mailbox; choose folder, exchange, graph or imap.'),
            field="kind",
            kind=new.kind,
        )
    return NewMailbox(
        name,
        new.kind,
        address,
        login=clean(new.login),
        server=_server(new),
        ca_file=_authority(new.ca_file),
        **_beside(new),
        sign_in=_sign_in(new),
        certificate=_certificate(new),
    )


def _beside(new: NewMailbox) -> dict[str, str]:
    """The servers an IMAP mailbox has beside the one its mail is read from."""
    if new.kind != MailboxKind.IMAP.value:
        return {}
    sending = new.smtp_server.strip()
    return {
        "smtp_server": smtp_address(sending) if sending else "",
        "dav_server": " ".join(web_address(one, "dav_server") for one in new.dav_server.split()),
    }


def _sign_in(new: NewMailbox) -> str:
    if new.kind != MailboxKind.EXCHANGE.value or new.sign_in in ("", SignInBy.PASSWORD.value):
        return ""
    if new.sign_in not in {one.value for one in SignInBy}:
        raise UserError(
            N_('"{sign_in}" is no way to sign in; choose password, system or certificate.'),
            field="sign_in",
            sign_in=new.sign_in,
        )
    return new.sign_in


def _certificate(new: NewMailbox) -> str:
    if new.sign_in != SignInBy.CERTIFICATE.value:
        return ""
    found = Path(new.certificate).expanduser()
    if not new.certificate.strip() or not found.is_file():
        raise UserError(
            N_("Give the PEM file with your certificate and its key."), field="certificate"
        )
    return str(found.resolve())


def _server(new: NewMailbox) -> str:
    if new.kind == MailboxKind.IMAP.value:
        if not new.server.strip():
            raise UserError(N_("Give the address of the IMAP server."), field="server")
        return imap_address(new.server)
    if not new.server.strip():
        raise UserError(N_("Give the address of the Exchange server."), field="server")
    return server_address(new.server)


def _graph(new: NewMailbox, name: str, address: str) -> NewMailbox:
    client_id, tenant = registration(new.client_id, new.tenant)
    ca_file = _authority(new.ca_file)
    return NewMailbox(name, new.kind, address, ca_file=ca_file, tenant=tenant, client_id=client_id)


def _folder(path: str) -> str:
    if not path.strip():
        raise UserError(N_("Give the folder with the mail files."), field="path")
    found = Path(path).expanduser()
    if not found.is_dir():
        raise UserError(
            N_('There is no folder "{path}"; the mailbox was not added.'), field="path", path=path
        )
    return str(found.resolve())


def _authority(path: str) -> str:
    if not path.strip():
        return ""
    found = Path(path).expanduser()
    try:
        ssl.create_default_context(cafile=str(found))
    except (OSError, ValueError) as error:
        raise UserError(
            N_('There is no file "{path}".')
            if not found.is_file()
            else N_('The file "{path}" holds no certificate of an authority.'),
            field="ca_file",
            path=path,
        ) from error
    return str(found.resolve())


def add(
    actor: Actor,
    new: NewMailbox,
    password: str | None = None,
    choices: Mapping[str, object] | None = None,
) -> Added:
    """Add a mailbox of the acting user.

    Args:
        actor: who acts.
        new: what was said about it.
        password: its password, or what signing in to Microsoft 365 left behind.
        choices: further fields of its record, such as what is never stored of it.

    Raises:
        UserError: something is missing or wrong, or the name is taken.
        PermissionDenied: the user may not add mailboxes.
    """
    box = checked(new)
    refuse_unused(box.kind, {name: getattr(new, name) for name in USED})
    require(actor, registry.get("mailbox"), "create")
    if box.needs_password and not password:
        raise UserError(
            N_("This mailbox needs a password; it is kept in the keyring, not here."),
            field="password",
        )
    if box.kind == MailboxKind.GRAPH.value and not password:
        raise UserError(N_("Sign in to Microsoft 365 first; nothing was added."), field="password")
    require_free(actor, box.name)
    values = {
        **(choices or {}),
        "name": box.name,
        "kind": box.kind,
        "address": box.address,
        "login": box.login or None,
        "server": box.server or None,
        "ca_file": box.ca_file or None,
        "path": box.path or None,
        "smtp_server": box.smtp_server or None,
        "dav_server": box.dav_server or None,
        "tenant": box.tenant or None,
        "client_id": box.client_id or None,
        "sign_in": box.sign_in or None,
        "certificate": box.certificate or None,
        "user": actor.user_id,
        **stated(shared_db=actor.db.is_shared),
    }
    saved = records.save(actor, "mailbox", None, None, values)
    place = set_password(actor, saved.id, password) if password else None
    return Added(saved.id, saved.changes, place)


def require_free(actor: Actor, name: str) -> None:
    """Refuse a name that another mailbox has, without regard to case and accents.

    Raises:
        UserError: it is taken.
    """
    if any(fold(row.name) == fold(name) for row in list_mailboxes(actor)):
        raise UserError(
            N_('There is a mailbox "{name}" already; choose another name.'),
            field="name",
            name=clean(name),
        )


def list_mailboxes(actor: Actor) -> tuple[MailboxRow, ...]:
    """The mailboxes the user may see, by name; one statement."""
    require(actor, registry.get("mailbox"), "read")
    with actor.db.reading() as connection:
        rows = connection.execute(_statement(actor).order_by(Mailbox.title_key, Mailbox.id))
        return tuple(_row(row._mapping) for row in rows)


def get(actor: Actor, mailbox_id: int) -> MailboxRow:
    """One mailbox.

    Raises:
        NotFound: it does not exist, or the user may not see it.
    """
    require(actor, registry.get("mailbox"), "read")
    with actor.db.reading() as connection:
        row = connection.execute(_statement(actor).where(Mailbox.id == mailbox_id)).one_or_none()
    if row is None:
        raise NotFound(N_("This mailbox does not exist, or you may not see it."))
    return _row(row._mapping)


def find(actor: Actor, name: str) -> MailboxRow:
    """The mailbox of a name, without regard to case and accents.

    Raises:
        NotFound: there is none; the sentence names those there are.
    """
    rows = list_mailboxes(actor)
    for row in rows:
        if fold(row.name) == fold(name):
            return row
    raise NotFound(
        N_('There is no mailbox "{name}". There are: {names}.'),
        field="mailbox",
        name=name,
        names=", ".join(row.name for row in rows) or "-",
    )


def remove(actor: Actor, mailbox_id: int) -> ChangeSet:
    """Remove a mailbox and its password; the mail and meetings it brought stay (R30).

    Raises:
        NotFound: it does not exist.
        PermissionDenied: the user may not remove it.
    """
    row = get(actor, mailbox_id)
    changes = records.delete(actor, "mailbox", [row.id])
    secrets.forget(_secret(row.uid))
    return changes


def set_password(actor: Actor, mailbox_id: int, password: str) -> secrets.Place:
    """Keep the password of a mailbox and let it be tried again.

    Raises:
        NotFound: the mailbox does not exist.
        EnvironmentProblem: neither keyring nor vault can keep it.
    """
    row = get(actor, mailbox_id)
    place = secrets.store(_secret(row.uid), password)
    if row.state == MailboxState.STOPPED.value:
        set_state(actor, row.id, MailboxState.NEW, "")
    return place


def password_of(row: MailboxRow) -> str | None:
    """The password of a mailbox on this computer, or what signing in left behind; or None."""
    return secrets.load(_secret(row.uid))


def renew_sign_in(row: MailboxRow, secret: str) -> None:
    """Keep what signing in left behind after the service renewed it by itself."""
    secrets.store(_secret(row.uid), secret)


def set_two_way(actor: Actor, mailbox_id: int, *, on: bool) -> ChangeSet:
    """Have meetings and tasks written to a mailbox, too, or only read from it.

    Raises:
        NotFound: it does not exist.
        PermissionDenied: the user may not change it.
    """
    row = get(actor, mailbox_id)
    return records.save(actor, "mailbox", row.id, row.version, {"two_way": on}).changes


def set_state(
    actor: Actor,
    mailbox_id: int,
    state: MailboxState,
    message: str,
    synced_at: datetime | None = None,
) -> None:
    """Show how the last pass went; not a change of the record, so it leaves no audit."""
    values: dict[str, object] = {"state": state.value, "message": message[:500] or None}
    if synced_at is not None:
        values["last_synced_at"] = synced_at
    with actor.db.writing() as connection:
        update_rows(connection, Mailbox, [(mailbox_id, values)], actor.user_id)


def _secret(uid: str) -> str:
    return f"mailbox {uid}"


def _statement(actor: Actor) -> Select[*tuple[object, ...]]:
    statement: Select[*tuple[object, ...]] = select(
        Mailbox.id,
        Mailbox.uid,
        Mailbox.version,
        Mailbox.name,
        Mailbox.kind,
        Mailbox.address,
        Mailbox.login,
        Mailbox.server,
        Mailbox.ca_file,
        Mailbox.path,
        Mailbox.smtp_server,
        Mailbox.dav_server,
        Mailbox.sign_in,
        Mailbox.certificate,
        Mailbox.tenant,
        Mailbox.client_id,
        Mailbox.user_id,
        Mailbox.state,
        Mailbox.message,
        Mailbox.last_synced_at,
        Mailbox.leased_by,
        Mailbox.leased_until,
    ).where(Mailbox.deleted_at.is_(None))
    rights = row_clause(actor, registry.get("mailbox"), Mailbox.__table__, "read")
    return statement if rights is None else statement.where(rights)


def _row(found: RowMapping) -> MailboxRow:
    return MailboxRow(
        id=found["id"],
        uid=found["uid"],
        version=found["version"],
        name=found["name"],
        kind=found["kind"],
        address=found["address"],
        login=found["login"] or found["address"],
        server=found["server"] or "",
        ca_file=found["ca_file"] or "",
        path=found["path"] or "",
        smtp_server=found["smtp_server"] or "",
        dav_server=found["dav_server"] or "",
        sign_in=found["sign_in"] or "",
        certificate=found["certificate"] or "",
        tenant=found["tenant"] or "",
        client_id=found["client_id"] or "",
        user_id=found["user_id"],
        state=found["state"],
        message=found["message"] or "",
        last_synced_at=found["last_synced_at"],
        leased_by=found["leased_by"] or "",
        leased_until=found["leased_until"],
    )
