"""Setting, clearing and reckoning fields of many records, and giving them to somebody."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from typing import Any, Final

from desktop_crm.core.errors import UserError
from desktop_crm.core.i18n import N_, tr
from desktop_crm.core.text import fold, join_tags, split_tags
from desktop_crm.db.engine import Cancel
from desktop_crm.meta import kinds, registry
from desktop_crm.meta.bound import SYSTEM_FIELDS, BoundField
from desktop_crm.services import query
from desktop_crm.services.bulk.job import SOURCE, BulkReport, Progress, Targets, run
from desktop_crm.services.changes import ChangeSet
from desktop_crm.services.context import Actor
from desktop_crm.services.filters.fields import of_retired
from desktop_crm.services.permissions import denial, require, visible_fields
from desktop_crm.services.query import RecordQuery
from desktop_crm.services.records import Change, save_many
from desktop_crm.services.values import checked

_NUMBERS: Final = (kinds.INTEGER, kinds.QUANTITY, kinds.MONEY, kinds.PERCENT)
_SINGLE: Final = (kinds.LINES, kinds.IMAGE, kinds.JSON)


class Mode(StrEnum):
    """What is done with a field."""

    SET = "set"
    CLEAR = "clear"
    ADD = "add"
    REMOVE = "remove"
    PERCENT = "percent"


@dataclass(frozen=True, slots=True)
class FieldEdit:
    """One field of a change of many records.

    Attributes:
        field: Name of the field.
        mode: Set a value or clear it; add an amount (a negative one subtracts) or a percentage to
            a number; add tags to the tags or remove them.
        value: The value, amount, percentage or tags; text is read as a person types it.
    """

    field: str
    mode: Mode = Mode.SET
    value: Any = None


def editable(actor: Actor, entity_key: str) -> list[BoundField]:
    """Fields that a change of many records may set, in the entity's order."""
    return [
        field
        for name, field in visible_fields(actor, registry.get(entity_key)).items()
        if field.kind not in _SINGLE
        and not (field.read_only or field.hidden or name in SYSTEM_FIELDS)
        and not (field.column is not None and field.column.unique)
    ]


def modes(field: BoundField) -> tuple[Mode, ...]:
    """What may be done with a field."""
    if field.kind is kinds.TAGS:
        return (Mode.ADD, Mode.REMOVE, Mode.SET, Mode.CLEAR)
    found = [Mode.SET]
    if field.nullable:
        found.append(Mode.CLEAR)
    if field.kind in _NUMBERS:
        found += [Mode.ADD, Mode.PERCENT]
    return tuple(found)


def edit(
    actor: Actor,
    targets: Targets,
    edits: Sequence[FieldEdit],
    progress: Progress | None = None,
    cancel: Cancel | None = None,
) -> BulkReport:
    """Change fields of many records, with rights, rules, audit and one undo.

    Raises:
        UserError: A value cannot be read, or a field cannot be changed so; nothing was done.
        PermissionDenied: The role may not change such records, or not such a field.
    """
    entity = registry.get(targets.entity)
    require(actor, entity, "edit")
    fields = {field.name: field for field in editable(actor, targets.entity)}
    fixed: dict[str, Any] = {}
    reckoned: list[_Reckoned] = []
    for wish in edits:
        field = fields.get(wish.field)
        if field is None:
            if wish.field in entity.fields:
                raise denial(actor, entity, "edit")
            raise of_retired(entity, wish.field) or UserError(
                N_("There is no field “{name}”."), name=wish.field
            )
        if wish.mode not in modes(field):
            raise UserError(
                N_("{label} cannot be changed in this way. Choose another change."),
                field=field.name,
                label=tr(field.label),
            )
        if wish.mode in {Mode.SET, Mode.CLEAR}:
            fixed[field.name] = _fixed(actor, field, wish)
        else:
            reckoned.append(_Reckoned.of(actor, field, wish))

    def write(ids: Sequence[int], operation: str) -> ChangeSet:
        changes = [Change(key, None, fixed) for key in ids]
        if reckoned:
            changes = _reckoned(actor, targets.entity, ids, fixed, reckoned)
        return save_many(actor, targets.entity, changes, source=SOURCE, operation=operation).changes

    return run(actor, targets, "edit", write, progress, cancel)


def _fixed(actor: Actor, field: BoundField, wish: FieldEdit) -> Any:  # noqa: ANN401  any kind
    value = None if wish.mode is Mode.CLEAR else checked(field, wish.value, actor.formats)
    if value in (None, "") and not field.nullable:
        raise UserError(N_("{label} is missing."), field=field.name, label=tr(field.label))
    return value


@dataclass(frozen=True, slots=True)
class _Reckoned:
    """A field whose new value follows from the old one."""

    field: BoundField
    mode: Mode
    amount: Decimal
    tags: tuple[str, ...] = ()

    @classmethod
    def of(cls, actor: Actor, field: BoundField, wish: FieldEdit) -> _Reckoned:
        if field.kind is kinds.TAGS:
            return cls(field, wish.mode, Decimal(0), tuple(split_tags(str(wish.value or ""))))
        text = str(wish.value if wish.value is not None else "").strip().rstrip("%").strip()
        if not text:
            raise UserError(N_("{label} is missing."), field=field.name, label=tr(field.label))
        exact = isinstance(wish.value, int | Decimal)
        return cls(field, wish.mode, Decimal(text) if exact else actor.formats.parse_decimal(text))

    def value(self, old: Any) -> Any:  # noqa: ANN401  any kind
        """New value; an empty number stays empty."""
        if self.field.kind is kinds.TAGS:
            return self._tagged(old)
        if old is None:
            return None
        number = Decimal(old)
        factor = number * self.amount / 100 if self.mode is Mode.PERCENT else self.amount
        if self.field.kind is kinds.INTEGER:
            return int((number + factor).to_integral_value(ROUND_HALF_UP))
        return number + factor

    def _tagged(self, old: Any) -> str | None:  # noqa: ANN401  text or None
        present = split_tags(str(old or ""))
        named = {fold(tag) for tag in self.tags}
        if self.mode is Mode.REMOVE:
            return join_tags(tag for tag in present if fold(tag) not in named)
        return join_tags(split_tags("|".join((*present, *self.tags))))


def _reckoned(
    actor: Actor,
    entity_key: str,
    ids: Sequence[int],
    fixed: Mapping[str, Any],
    reckoned: Sequence[_Reckoned],
) -> list[Change]:
    """Changes that start from the stored values; one statement.

    They carry the version read, so that a value somebody changes meanwhile is not reckoned twice.
    """
    names = tuple(one.field.name for one in reckoned)
    paths = tuple(
        f"{one.field.name}.id" if one.field.target else one.field.name for one in reckoned
    )
    changes: list[Change] = []
    for row in query.rows(actor, RecordQuery(entity_key, paths), ids):
        old = dict(zip(names, row.values, strict=True))
        new = {one.field.name: one.value(old[one.field.name]) for one in reckoned}
        changes.append(Change(row.id, row.version, {**fixed, **new}, old))
    return changes
