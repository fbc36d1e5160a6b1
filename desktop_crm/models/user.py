"""Users, teams and roles: who works here and what each may do."""

from __future__ import annotations

from desktop_crm.core.i18n import N_
from desktop_crm.meta.columns import Stored, boolean, choice, email, link, multiline, phone, text
from desktop_crm.meta.field import Choice, EntityMeta, Lines, Menu, Section, Tone
from desktop_crm.models.base import Base, Titled, Tracked, titled, unique_live


class UserState(Choice):
    """Whether a user may sign in."""

    ACTIVE = "active", N_("Active"), Tone.OK
    INACTIVE = "inactive", N_("Inactive"), Tone.NEUTRAL


class RightLevel(Choice):
    """Whose records an action reaches, from nobody's to everybody's."""

    NONE = "none", N_("None"), Tone.NEUTRAL
    OWN = "own", N_("Own"), Tone.INFO
    TEAM = "team", N_("Team"), Tone.WARN
    ALL = "all", N_("All"), Tone.OK


class Team(Titled, Base):
    """Group of users who see each other's records."""

    __tablename__ = "team"
    __table_args__ = titled("team")
    __entity__ = EntityMeta(
        key="team",
        label=N_("Team"),
        plural=N_("Teams"),
        icon="people",
        title="name",
        columns=("name", "description"),
        form=(Section(N_("Team"), ("name", "description")),),
        natural_key=("name",),
        menu=Menu.SETUP,
        reference=True,
    )
    name: Stored[str] = text(N_("Name"), searchable=True)
    description: Stored[str | None] = multiline(N_("Description"))


class Role(Titled, Base):
    """Named set of rights."""

    __tablename__ = "role"
    __table_args__ = titled("role")
    __entity__ = EntityMeta(
        key="role",
        label=N_("Role"),
        plural=N_("Roles"),
        icon="person",
        title="name",
        columns=("name", "is_admin", "sees_confidential"),
        form=(Section(N_("Role"), ("name", ("is_admin", "sees_confidential"), "rights")),),
        natural_key=("name",),
        lines=(
            Lines(
                "rights",
                N_("Rights"),
                "role_right",
                "role_id",
                ("entity", "read", "create", "edit", "remove"),
            ),
        ),
        menu=Menu.SETUP,
        reference=True,
    )
    name: Stored[str] = text(N_("Name"), searchable=True)
    is_admin: Stored[bool] = boolean(
        N_("Administrator"), help=N_("May do everything, also change users and settings.")
    )
    sees_confidential: Stored[bool] = boolean(
        N_("Sees confidential fields"), help=N_("Costs, margins and credit limits, for example.")
    )


class RoleRight(Tracked, Base):
    """What a role may do with one entity; ``*`` stands for every entity not named."""

    __tablename__ = "role_right"
    __table_args__ = (unique_live("role_right", "role_id", "entity"),)
    __entity__ = EntityMeta(
        key="role_right",
        label=N_("Right"),
        plural=N_("Rights"),
        icon="checkmark_circle",
        title="entity",
        columns=("role", "entity", "read", "create", "edit", "remove"),
        form=(Section(N_("Right"), (("role", "entity"), ("read", "create"), ("edit", "remove"))),),
        parent=("role",),
        reference=True,
    )
    role_id: Stored[int] = link(N_("Role"), "role.id", cascade=True)
    entity: Stored[str] = text(N_("Entity"), length=60)
    read: Stored[str] = choice(N_("Read"), RightLevel, default=RightLevel.NONE)
    create: Stored[str] = choice(N_("Create"), RightLevel, default=RightLevel.NONE)
    edit: Stored[str] = choice(N_("Edit"), RightLevel, default=RightLevel.NONE)
    remove: Stored[str] = choice(N_("Delete"), RightLevel, default=RightLevel.NONE)


class User(Titled, Base):
    """Person who works with the product, or who only owns records (no login)."""

    __tablename__ = "user"
    __table_args__ = titled("user")
    __entity__ = EntityMeta(
        key="user",
        label=N_("User"),
        plural=N_("Users"),
        icon="person",
        title="name",
        columns=("name", "login", "email", "team", "role", "manager", "state"),
        form=(
            Section(N_("Person"), (("name", "email"), ("phone", "job_title"))),
            Section(
                N_("Access"),
                (("login", "state"), ("team", "role"), ("manager", "language"), "time_zone"),
            ),
        ),
        natural_key=("login", "email", "name"),
        menu=Menu.SETUP,
        reference=True,
    )
    name: Stored[str] = text(N_("Name"), searchable=True, personal=True)
    login: Stored[str | None] = text(
        N_("Login"),
        length=120,
        unique=True,
        help=N_(
            "Name in the operating system, or the database login on a shared database. "
            "A user without a login owns records but cannot sign in."
        ),
    )
    email: Stored[str | None] = email(N_("E-mail"), searchable=True, personal=True)
    phone: Stored[str | None] = phone(N_("Phone"), personal=True)
    job_title: Stored[str | None] = text(N_("Job title"), length=120)
    team_id: Stored[int | None] = link(N_("Team"), "team.id")
    role_id: Stored[int | None] = link(N_("Role"), "role.id")
    manager_id: Stored[int | None] = link(N_("Manager"), "user.id")
    state: Stored[str] = choice(N_("State"), UserState, default=UserState.ACTIVE)
    language: Stored[str | None] = text(N_("Language"), length=8)
    time_zone: Stored[str | None] = text(N_("Time zone"), length=60)
