"""Who acts: the first parameter of every public function of the services."""

from __future__ import annotations

import getpass
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import Connection, and_, select

from desktop_crm.core.errors import UserError
from desktop_crm.core.formats import Formats
from desktop_crm.core.i18n import N_, language
from desktop_crm.db.engine import Database
from desktop_crm.meta import registry
from desktop_crm.meta.bound import Entity
from desktop_crm.models import Role, RoleRight, User
from desktop_crm.models.user import RightLevel, UserState
from desktop_crm.services.customizing import definitions

if TYPE_CHECKING:
    from desktop_crm.services.prepared import Prepared
    from desktop_crm.services.record_statements import RecordStatements

ACTIONS: Final = ("read", "create", "edit", "remove")
EVERY: Final = "*"
_FALLBACK_ZONE: Final = "Europe/Bucharest"


@dataclass(frozen=True)
class Actor:
    """A signed-in user of one database, with everything rights need already resolved.

    Attributes:
        db: The database.
        user_id: Key of the user; None acts as the product itself (set-up, migrations).
        name: Shown name.
        login: Login name.
        is_admin: May do everything.
        sees_confidential: May know confidential fields.
        levels: ``(entity, action)`` to the level the role grants; ``*`` for the other entities.
        team_ids: Users whose records count as the team's, the actor included.
        language: Interface language.
        zone: Zone of shown and typed moments.
    """

    db: Database
    user_id: int | None
    name: str
    login: str
    is_admin: bool = False
    sees_confidential: bool = False
    levels: Mapping[tuple[str, str], RightLevel] = field(default_factory=dict)
    team_ids: frozenset[int] = frozenset()
    language: str = "en"
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("UTC"))

    @cached_property
    def formats(self) -> Formats:
        """How this user reads and writes values."""
        return Formats(self.language, self.zone)

    @property
    def statements(self) -> dict[Hashable, Prepared]:
        """Statements of lists made ready for this user; rights stand in them as literals.

        They are forgotten when entities get other fields.
        """
        edition = registry.edition()
        if edition not in self._statements:
            self._statements.clear()
        return self._statements.setdefault(edition, {})

    @cached_property
    def _statements(self) -> dict[int, dict[Hashable, Prepared]]:
        return {}

    @cached_property
    def reaches(self) -> dict[Hashable, int]:
        """About how many records are within reach, where that decides how they are read."""
        return {}

    @cached_property
    def records(self) -> dict[Entity, RecordStatements]:
        """Statements that read one record; an entity with other fields is another one."""
        return {}

    def level(self, entity: Entity | str, action: str) -> RightLevel:
        """Level the role grants for an action on an entity.

        Everybody reads reference data; changing it takes a right given by name.
        """
        found = registry.get(entity) if isinstance(entity, str) else entity
        if self.is_admin:
            return RightLevel.ALL
        granted = self.levels.get((found.key, action))
        if granted is not None:
            return granted
        if found.reference:
            return RightLevel.ALL if action == "read" else RightLevel.NONE
        return self.levels.get((EVERY, action), RightLevel.NONE)

    def can(self, entity: Entity | str, action: str) -> bool:
        """Whether the user may do this with at least some records of the entity."""
        found = registry.get(entity) if isinstance(entity, str) else entity
        if found.parent and not found.reference:
            # Children are read with their parent and changed by whoever may edit it.
            needed = "read" if action == "read" else "edit"
            return any(self.can(found.fields[name].target, needed) for name in found.parent)
        return self.level(found, action) is not RightLevel.NONE

    def owners(self, entity: Entity, action: str) -> frozenset[int] | None:
        """Owner ids an action reaches; None reaches every record."""
        level = self.level(entity, action)
        if level is RightLevel.ALL:
            return None
        if self.user_id is None or level is RightLevel.NONE:
            return frozenset()
        return self.team_ids if level is RightLevel.TEAM else frozenset({self.user_id})

    def speaking(self, code: str) -> Actor:
        """Return the same user with another interface language."""
        return replace(self, language=code)


def system_actor(db: Database) -> Actor:
    """The product itself, for set-up work that no person does."""
    return Actor(db, None, "Desktop CRM", "", is_admin=True, sees_confidential=True)


def os_user() -> str:
    """Name of the operating system's user."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        # No passwd entry and no environment: a container or a service account.
        return "user"


def own_login(db: Database) -> str:
    """Login that acts when nobody is named: the OS user, or the server login."""
    if db.is_shared:
        return db.target.url.username or os_user()
    return os_user()


def sign_in(db: Database, login: str | None = None) -> Actor:
    """Resolve a user and all rights; three statements, and one for what administrators added.

    From now on the process sees entities as this database has them.

    Args:
        db: An open, current database.
        login: Whom to act as; None is :func:`own_login`. Another than the own login takes an
            administrator.

    Raises:
        UserError: No active user has this login, or acting as somebody else is not allowed.
    """
    own = own_login(db)
    actor = _resolve(db, login or own)
    if login is not None and login.casefold() != own.casefold() and not _may_impersonate(db, own):
        raise UserError(
            N_("Only an administrator may act as another user. Nothing was done."), field="as"
        )
    definitions.load(db)
    return actor


def as_seen_by(db: Database, login: str) -> Actor:
    """Another user with all rights, to tell what that one would see or to end what he began.

    Raises:
        UserError: no active user has this login.
    """
    return _resolve(db, login)


def _may_impersonate(db: Database, own: str) -> bool:
    try:
        return _resolve(db, own).is_admin
    except UserError:
        # On a local file its owner may be anybody; on a server an unknown login is nobody.
        return not db.is_shared


def _resolve(db: Database, login: str) -> Actor:
    with db.reading() as connection:
        user = _find_user(connection, login)
        if user is None:
            raise UserError(
                N_(
                    "There is no active user “{login}” in {database}. Ask an administrator to add "
                    "the login, or name another user."
                ),
                login=login,
                database=db.name,
            )
        rights = connection.execute(
            select(
                RoleRight.entity,
                RoleRight.read,
                RoleRight.create,
                RoleRight.edit,
                RoleRight.remove,
            ).where(RoleRight.role_id == user["role_id"], RoleRight.deleted_at.is_(None))
        ).all()
        mates = {user["id"]}
        if user["team_id"] is not None:
            mates |= set(
                connection.execute(select(User.id).where(User.team_id == user["team_id"])).scalars()
            )
    levels = {
        (granted[0], action): RightLevel(level)
        for granted in rights
        for action, level in zip(ACTIONS, granted[1:], strict=True)
    }
    return Actor(
        db=db,
        user_id=user["id"],
        name=user["name"],
        login=user["login"],
        is_admin=bool(user["is_admin"]),
        sees_confidential=bool(user["is_admin"] or user["sees_confidential"]),
        levels=MappingProxyType(levels),
        team_ids=frozenset(mates),
        language=language(),
        zone=zone_named(user["time_zone"]),
    )


def _find_user(connection: Connection, login: str) -> Mapping[str, Any] | None:
    of_person = and_(Role.id == User.role_id, Role.deleted_at.is_(None))
    users = connection.execute(
        select(
            User.id,
            User.name,
            User.login,
            User.team_id,
            Role.id.label("role_id"),
            User.time_zone,
            Role.is_admin,
            Role.sees_confidential,
        )
        .outerjoin_from(User, Role, of_person)
        .where(
            User.login.is_not(None),
            User.state == UserState.ACTIVE,
            User.deleted_at.is_(None),
        )
    ).mappings()
    wanted = login.casefold()
    return next((dict(u) for u in users if str(u["login"]).casefold() == wanted), None)


def zone_named(name: str | None) -> ZoneInfo:
    """Zone by IANA name; the system's own when there is none, Bucharest when that is unknown."""
    return _zone(name) or _zone(_system_zone()) or _zone(_FALLBACK_ZONE) or ZoneInfo("UTC")


def _zone(name: str | None) -> ZoneInfo | None:
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError):
        return None


def _system_zone() -> str:
    import tzlocal

    try:
        return str(tzlocal.get_localzone_name() or "")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ""
