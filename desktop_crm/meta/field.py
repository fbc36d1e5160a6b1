"""What the mapping cannot know about a field and an entity, as frozen declarations."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import NamedTuple, Self

from desktop_crm.meta.kinds import Kind


class Tone(StrEnum):
    """Colour of a pill: what a value feels like."""

    OK = "ok"
    WARN = "warn"
    BAD = "bad"
    INFO = "info"
    NEUTRAL = "neutral"


class Option(NamedTuple):
    """One value of a choice: stable code, label to translate, tone of its pill.

    One that is no longer ``offered`` is still shown and understood.
    """

    code: str
    label: str
    tone: Tone
    offered: bool = True


class Choice(StrEnum):
    """Base of the fixed value sets; members are ``NAME = "code", N_("Label"), Tone.OK``."""

    label: str
    tone: Tone

    def __new__(cls, code: str, label: str = "", tone: Tone = Tone.NEUTRAL) -> Self:
        """Make the member a plain string that also carries label and tone."""
        member = str.__new__(cls, code)
        member._value_ = code
        member.label = label
        member.tone = tone
        return member

    @classmethod
    def options(cls) -> tuple[Option, ...]:
        """All members in declared order."""
        return tuple(Option(m.value, m.label, m.tone) for m in cls)


class Level(Enum):
    """Who may know a field at all."""

    NORMAL = "normal"
    CONFIDENTIAL = "confidential"


@dataclass(frozen=True, eq=False)
class Field:
    """Meaning of one column; everything else is read back from the mapping.

    Attributes:
        label: English label, marked for translation; ``help`` is a sentence in the same way.
        searchable: Part of the folded text that search looks through.
        importable: A file may set it.
        personal: Personal data in the sense of the GDPR.
        read_only: Set by rules alone.
        hidden: Of no use to a person; neither list nor form offers it.
        needed: A person must fill it in though the column may be empty.
        free: An administrator may add values and stop offering them; no rule depends on one.
        width: Column width in pixels; 0 takes the kind's.
        copy_of: ``(lines, field)``: this is the stored copy of the primary child row's field.
        currency: Name of the field that holds the currency of a money field.
        target: Entity a link points to when no foreign key says so.
    """

    kind: Kind
    label: str
    help: str = ""
    level: Level = Level.NORMAL
    audited: bool = True
    searchable: bool = False
    importable: bool = True
    personal: bool = False
    read_only: bool = False
    hidden: bool = False
    needed: bool = False
    free: bool = False
    width: int = 0
    options: tuple[Option, ...] = ()
    copy_of: tuple[str, str] | None = None
    currency: str = ""
    target: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """Part of a form: rows of one or several fields; ``tab`` labels a tab that begins with it."""

    label: str
    rows: tuple[str | tuple[str, ...], ...]
    tab: str = ""


@dataclass(frozen=True, slots=True)
class Lines:
    """Child rows edited inside their parent's form and saved with it.

    Attributes:
        name: Field name on the parent, e.g. ``emails``.
        label: English label, marked for translation.
        entity: Key of the child entity.
        via: Column of the child that points to the parent.
        columns: Child fields shown in the grid.
    """

    name: str
    label: str
    entity: str
    via: str
    columns: tuple[str, ...]


class Private(NamedTuple):
    """Where ``field`` is ``code``, only the owner sees more than what ``stays``."""

    field: str
    code: str
    stays: frozenset[str]


class Menu(StrEnum):
    """Where an entity stands in the window."""

    MAIN = "main"
    SETUP = "setup"
    NONE = "none"


@dataclass(frozen=True, eq=False)
class EntityMeta:
    """Meaning and arrangement of one entity.

    Attributes:
        key: Stable lower-case name used in files, links and on the command line.
        label: English singular; ``plural`` likewise.
        title: Field that names a record to a person; ``subtitle`` stands under it.
        order: Default sort; a leading ``-`` sorts descending. Empty sorts by the title.
        natural_key: Fields that identify a record outside, tried in order when importing.
        lines: Child collections.
        parent: Link fields to the records whose rights decide over this one.
        menu: Where the window offers it.
        reference: Everybody may read it; changing it takes the administrator's right.
        private: How an owner keeps a record's content from everybody else.
    """

    key: str
    label: str
    plural: str
    icon: str
    title: str
    columns: tuple[str, ...]
    form: tuple[Section, ...] = ()
    subtitle: str = ""
    order: str = ""
    natural_key: tuple[str, ...] = ()
    lines: tuple[Lines, ...] = ()
    parent: tuple[str, ...] = ()
    menu: Menu = Menu.NONE
    reference: bool = False
    private: Private | None = None
