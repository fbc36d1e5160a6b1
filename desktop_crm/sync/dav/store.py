"""The calendars, task lists and address books of one person on CalDAV and CardDAV servers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo

from desktop_crm.core.errors import EnvironmentProblem, UserError
from desktop_crm.core.i18n import N_
from desktop_crm.sync.dav.changes import read_changes
from desktop_crm.sync.dav.client import DavClient, Denied, Missing
from desktop_crm.sync.dav.places import Found, Place, discover, make
from desktop_crm.sync.port import Batch, Folder, FolderRole
from desktop_crm.sync.refusals import no_folder
from desktop_crm.sync.writes import MakeFolder, Ref, Written


class DavStore:
    """Everything of a person that is no mail.

    Args:
        clients: the servers; often one, but some providers part calendars from contacts.
        address: the person's own address.
        zone: clock of times that name no zone.
    """

    def __init__(self, clients: Sequence[DavClient], address: str, zone: tzinfo) -> None:
        self.clients = tuple(clients)
        self.zone = zone
        self._address = address.casefold()
        self._found: dict[DavClient, Found] = {}

    @property
    def places(self) -> list[Place]:
        """Every collection, in the order of the servers."""
        return [place for client in self.clients for place in self.at(client).places]

    @property
    def own(self) -> frozenset[str]:
        """The person's addresses: the mailbox's own, and those the servers know."""
        found = {a for client in self.clients for a in self.at(client).addresses}
        return frozenset({self._address, *found})

    def at(self, client: DavClient) -> Found:
        """What a server has; asked for once."""
        if client not in self._found:
            try:
                self._found[client] = discover(client)
            except (Denied, Missing) as error:
                raise denied(client, error) from error
        return self._found[client]

    def place(self, folder: str) -> Place | None:
        """The collection of a folder's key; None when it is not there (any more)."""
        return next((one for one in self.places if one.folder.key == folder), None)

    def changes(self, folder: Folder, token: str | None, limit: int) -> Batch:
        """Changes since the token.

        Raises:
            TokenInvalid: the token is none.
            EnvironmentProblem: the server cannot be reached, or the folder is gone.
        """
        place = self.place(folder.key)
        if place is None:
            raise no_folder(folder.name, self.clients[0].host)
        try:
            return read_changes(place, token, limit, self.zone, self.own)
        except Missing as error:
            raise no_folder(folder.name, place.client.host) from error
        except Denied as error:
            raise denied(place.client, error) from error

    def like(self, deed: MakeFolder) -> Written | None:
        """The collection of a name and role, if there is one."""
        alike = (p for p in self.places if p.role is deed.role and p.name == deed.name)
        return next((Written(Ref(place.folder.key, "")) for place in alike), None)

    def make(self, deed: MakeFolder) -> Written:
        """Make a collection on the first server that has a place for it.

        Raises:
            UserError: none of the servers does.
        """
        found = self.like(deed)
        if found is not None:
            return found
        problem = ""
        for client in self.clients:
            at = self.at(client)
            home = at.books if deed.role is FolderRole.CONTACTS else at.calendars
            if not home:
                continue
            try:
                make(client, home, deed.name, deed.role)
            except (Denied, Missing) as error:
                problem = str(error)[:200]
                continue
            self._found.clear()
            found = self.like(deed)
            if found is not None:
                return found
        raise UserError(
            N_(
                "The server {server} makes no folder called {name} ({problem}). Nothing was "
                "changed; make one there yourself."
            ),
            server=self.clients[0].host,
            name=deed.name,
            problem=problem or "-",
        )

    def close(self) -> None:
        """Close the connections and forget what the servers have."""
        for client in self.clients:
            client.close()
        self._found.clear()


def denied(client: DavClient, error: Exception) -> EnvironmentProblem:
    """The sentence about a request the server does not carry out."""
    return EnvironmentProblem(
        N_("The server {server} does not allow this ({problem}). Nothing was changed."),
        server=client.host,
        problem=str(error)[:200],
    )
