"""What people put on records beside their fields: tags, stars, connections between two of them."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import Index, UniqueConstraint

from desktop_crm.core.i18n import N_
from desktop_crm.meta.columns import Stored, choice, day, integer, link, moment, multiline, text
from desktop_crm.meta.field import Choice, EntityMeta, Menu, Section, Tone
from desktop_crm.models.base import Base, Titled, Tracked, titled, unique_live


class PillTone(Choice):
    """Colour a person gives to a tag or to the value of a choice."""

    NEUTRAL = "neutral", N_("Grey"), Tone.NEUTRAL
    INFO = "info", N_("Blue"), Tone.INFO
    OK = "ok", N_("Green"), Tone.OK
    WARN = "warn", N_("Orange"), Tone.WARN
    BAD = "bad", N_("Red"), Tone.BAD


class MarkKind(Choice):
    """What a user's mark on a record means."""

    FAVOURITE = "favourite", N_("Favourite"), Tone.WARN
    FOLLOW = "follow", N_("Followed"), Tone.INFO
    VIEWED = "viewed", N_("Recently viewed"), Tone.NEUTRAL
    PINNED = "pinned", N_("Pinned"), Tone.NEUTRAL
    FIRST = "first", N_("Opens first"), Tone.NEUTRAL


class Tag(Titled, Base):
    """A word that can stand on records of every kind, with its colour.

    Records keep the names themselves in their field ``tags``; this list proposes and colours.
    """

    __tablename__ = "tag"
    __table_args__ = (*titled("tag"), unique_live("tag", "title_key"))
    __entity__ = EntityMeta(
        key="tag",
        label=N_("Tag"),
        plural=N_("Tags"),
        icon="tag",
        title="name",
        columns=("name", "tone", "description"),
        form=(Section(N_("Tag"), (("name", "tone"), "description")),),
        natural_key=("name",),
        menu=Menu.SETUP,
    )
    name: Stored[str] = text(N_("Name"), length=60, searchable=True)
    tone: Stored[str] = choice(N_("Colour"), PillTone, default=PillTone.NEUTRAL)
    description: Stored[str | None] = text(N_("Description"), length=400)


class RecordMark(Base):
    """A user's own mark on a record: favourite, followed, viewed lately; nobody else sees it."""

    __tablename__ = "record_mark"
    __table_args__ = (
        UniqueConstraint("user_id", "kind", "record_type", "record_id"),
        Index("ix_record_mark_record", "record_type", "record_id", "kind"),
        Index("ix_record_mark_latest", "user_id", "record_type", "kind", "marked_at"),
    )
    __entity__ = EntityMeta(
        key="record_mark",
        label=N_("Mark"),
        plural=N_("Marks"),
        icon="star",
        title="kind",
        columns=("kind", "record_type", "record_id", "marked_at", "user"),
        order="-marked_at",
    )
    user_id: Stored[int] = link(N_("User"), "user.id", cascade=True)
    kind: Stored[str] = choice(N_("Kind"), MarkKind)
    record_type: Stored[str] = text(N_("Record kind"), length=40)
    record_id: Stored[int] = integer(N_("Record"))
    marked_at: Stored[datetime] = moment(N_("When"))


class ConnectionRole(Titled, Base):
    """What one record is to another, read from both ends."""

    __tablename__ = "connection_role"
    __table_args__ = titled("connection_role")
    __entity__ = EntityMeta(
        key="connection_role",
        label=N_("Connection role"),
        plural=N_("Connection roles"),
        icon="link",
        title="name",
        columns=("name", "reverse_name", "position"),
        form=(Section(N_("Connection role"), (("name", "reverse_name"), "position")),),
        order="position",
        natural_key=("name",),
        menu=Menu.SETUP,
        reference=True,
    )
    name: Stored[str] = text(
        N_("Role"), length=80, searchable=True, help=N_("What the second record is to the first.")
    )
    reverse_name: Stored[str | None] = text(
        N_("Role the other way"),
        length=80,
        searchable=True,
        help=N_("What the first record is to the second; empty when it is the same both ways."),
    )
    position: Stored[int] = integer(N_("Position"), default=0)


class Connection(Tracked, Base):
    """Two records of any kind that have to do with each other, with the role of each."""

    __tablename__ = "connection"
    __table_args__ = (
        Index("ix_connection_from", "from_type", "from_id"),
        Index("ix_connection_to", "to_type", "to_id"),
    )
    __entity__ = EntityMeta(
        key="connection",
        label=N_("Connection"),
        plural=N_("Connections"),
        icon="link",
        title="role",
        columns=("from_type", "from_id", "role", "to_type", "to_id", "valid_from", "valid_to"),
        form=(
            Section(
                N_("Connection"),
                (
                    ("from_type", "from_id"),
                    "role",
                    ("to_type", "to_id"),
                    ("valid_from", "valid_to"),
                    "note",
                ),
            ),
        ),
    )
    from_type: Stored[str] = text(N_("First record kind"), length=40)
    from_id: Stored[int] = integer(N_("First record"))
    role_id: Stored[int | None] = link(N_("Role"), "connection_role.id")
    to_type: Stored[str] = text(N_("Second record kind"), length=40)
    to_id: Stored[int] = integer(N_("Second record"))
    valid_from: Stored[date | None] = day(N_("Valid from"))
    valid_to: Stored[date | None] = day(N_("Valid to"))
    note: Stored[str | None] = multiline(N_("Note"))
