"""Planning an import: the file, the matching, the database and the options make one plan."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from sqlalchemy import Connection

from desktop_crm.core.errors import UserError
from desktop_crm.core.formats import Formats
from desktop_crm.core.i18n import N_, ntr, tr
from desktop_crm.core.text import fold
from desktop_crm.meta import registry
from desktop_crm.meta.bound import BoundField, Entity
from desktop_crm.services import permissions
from desktop_crm.services.context import Actor, zone_named
from desktop_crm.services.excel import cells, layout
from desktop_crm.services.excel.table import Source, Table
from desktop_crm.services.imports import (
    alike,
    drafting,
    existing,
    finding,
    lookups,
    planning,
    recipes,
)
from desktop_crm.services.imports.draft import (
    REJECTED,
    Draft,
    LinkText,
    NewRecord,
    Notice,
    NoticeKind,
    Outcome,
    PlannedRow,
)
from desktop_crm.services.imports.existing import Existing
from desktop_crm.services.imports.lookups import Links, nearest
from desktop_crm.services.imports.matching import ColumnMatch, Matches, field_named, match
from desktop_crm.services.imports.options import ImportOptions, OnConflict
from desktop_crm.services.imports.profile import YMD, Profile, profiles
from desktop_crm.services.imports.source import open_table


@dataclass(slots=True)
class ImportPlan:
    """What an import would do; nothing is written yet.

    Attributes:
        entity: Key of the entity.
        source: The file and how it was read.
        columns: Which column is which field, and why.
        profiles: Decimal mark and order of dates by column, in the same order.
        rows: One outcome for every row of the file.
        notices: Sentences for a person, each said once.
        table: The file's rows, for samples and for the report.
    """

    entity: str
    source: Source
    columns: tuple[ColumnMatch, ...]
    profiles: tuple[Profile, ...]
    rows: list[PlannedRow]
    notices: list[Notice]
    table: Table = field(repr=False)

    @property
    def counts(self) -> dict[str, int]:
        """Rows by outcome; every outcome has a number."""
        found = Counter(row.outcome for row in self.rows)
        return {outcome.value: found[outcome] for outcome in Outcome}

    @property
    def rejected(self) -> list[PlannedRow]:
        """Rows that will not be taken, with their reasons."""
        return [row for row in self.rows if row.outcome in REJECTED]

    @property
    def mapping(self) -> dict[str, str]:
        """Column to field, for the columns that are taken."""
        return {c.header: c.field for c in self.columns if c.field}

    @property
    def changes_anything(self) -> bool:
        """Whether applying it would write."""
        return any(row.outcome in {Outcome.CREATE, Outcome.UPDATE} for row in self.rows)

    def sample(self, count: int = 20) -> list[PlannedRow]:
        """The first rows."""
        return self.rows[:count]

    def take_as_same(self, rows: Sequence[PlannedRow]) -> None:
        """Let new rows be the records they are like."""
        for row in rows:
            planning.take_instead(row)

    def settle(self, rows: Sequence[PlannedRow] | None = None, *, mine: bool) -> None:
        """Decide conflicts for the file (``mine``) or for the database.

        Args:
            rows: Rows to decide; all of them by default.
            mine: The file's values win.
        """
        for row in self.rows if rows is None else rows:
            if row.outcome is Outcome.CONFLICT:
                planning.settle(row, mine=mine)


def plan_file(
    actor: Actor, entity: str, path: Path, options: ImportOptions | None = None
) -> ImportPlan:
    """Read a file and say what importing it would do; reads only.

    Args:
        actor: Who imports; their rights, language and zone count.
        entity: Key of what the rows are.
        path: A .csv, .xlsx or .vcf file.
        options: What the person said about it.

    Raises:
        UserError: The file, the mapping or the options cannot be used.
        PermissionDenied: The actor may neither create nor edit such records.
        EnvironmentProblem: The file cannot be read.
    """
    chosen = options or ImportOptions()
    target = _target(actor, entity)
    return plan_table(actor, target, open_table(path, chosen), chosen)


def plan_table(actor: Actor, entity: Entity, table: Table, options: ImportOptions) -> ImportPlan:
    """Plan the rows of a table; see :func:`plan_file`."""
    _check_kind(entity, table)
    matches = match(table, entity, {} if table.meta else options.mapping)
    options = replace(options, match=_match_field(entity, table, matches, options.match))
    columns = profiles(table, dates=options.dates, decimal=options.decimal)
    formats = _formats(actor, table)
    meant = _meant(entity, options)
    drafts = drafting.draft(table, matches, entity, columns, formats, meant)
    notices = [Notice(NoticeKind.FILE, text) for text in (*table.notices, *matches.notices)]
    notices += _reading_notices(entity, matches.columns, columns)
    _drop_confidential(actor, entity, drafts.rows)
    with actor.db.reading() as connection:
        rows = _decide(connection, actor, entity, table, options, drafts, notices=notices)
    plan = ImportPlan(entity.key, table.source, matches.columns, columns, rows, notices, table)
    if options.conflicts is not OnConflict.ASK:
        plan.settle(mine=options.conflicts is OnConflict.MINE)
    _check_rights(actor, entity, plan)
    return plan


def _target(actor: Actor, key: str) -> Entity:
    entity = registry.find(key)
    if entity is None or not entity.is_record or entity.parent:
        known = [e.key for e in registry.all() if e.is_record and not e.parent and e.form]
        raise UserError(
            N_("There are no “{name}” records to import. Known: {known}."),
            name=key,
            known=", ".join(known),
        )
    if not actor.can(entity, "create") and not actor.can(entity, "edit"):
        raise permissions.denial(actor, entity, "create")
    return entity


def _check_kind(entity: Entity, table: Table) -> None:
    if table.source.kind == "vcf" and entity.key not in {"contact", "lead"}:
        raise UserError(
            N_("{file} holds contact cards; import it as contacts. Nothing was imported."),
            file=table.source.name,
        )
    exported = table.meta.get(layout.META_ENTITY, entity.key)
    if exported != entity.key:
        found = registry.find(exported)
        raise UserError(
            N_("{file} was exported with {exported}, not with {wanted}. Nothing was imported."),
            file=table.source.name,
            exported=tr(found.plural) if found else exported,
            wanted=tr(entity.plural),
        )


def _formats(actor: Actor, table: Table) -> Formats:
    """Our own workbooks are read in the language and zone in which they were written."""
    if not table.meta:
        return actor.formats
    language = table.meta.get(layout.META_LANGUAGE, actor.language)
    zone = table.meta.get(layout.META_ZONE)
    return Formats(language, zone_named(zone) if zone else actor.zone)


def _meant(entity: Entity, options: ImportOptions) -> Mapping[tuple[str, str], str]:
    return {
        (field_named(entity, name), fold(text)): title
        for (name, text), title in options.values.items()
    }


def _match_field(entity: Entity, table: Table, matches: Matches, wanted: str) -> str:
    """The field that identifies records, as a person named it; it must come from the file."""
    if not wanted:
        return ""
    name = field_named(entity, wanted)
    derived = name == entity.title and recipes.makes_title(entity)
    if not derived and name not in {column.field for column in matches.columns}:
        raise UserError(
            N_("No column of {file} belongs to “{field}”, which is to identify the records."),
            file=table.source.name,
            field=tr(entity.fields[name].label),
        )
    return name


def _drop_confidential(actor: Actor, entity: Entity, rows: Sequence[Draft]) -> None:
    hidden = entity.fields.keys() - permissions.visible_fields(actor, entity).keys()
    if hidden:
        for row in rows:
            for name in hidden:
                row.values.pop(name, None)


def _decide(
    connection: Connection,
    actor: Actor,
    entity: Entity,
    table: Table,
    options: ImportOptions,
    drafts: drafting.Drafts,
    *,
    notices: list[Notice],
) -> list[PlannedRow]:
    rows = drafts.rows
    own_titles = _own_titles(entity, rows)
    links = lookups.resolve(
        connection,
        actor,
        entity,
        rows,
        own_titles,
        creatable=options.create_missing,
        from_cards=table.source.kind == "vcf",
    )
    _derive(connection, entity, rows, links)
    found = finding.find(connection, actor, entity, rows, links, options.match)
    known = _known(connection, actor, entity, table, rows, found.matched)
    _note_merged(rows, known, found.repeated)
    kept = planning.Kept()
    planned = planning.build(entity, rows, links, known, found.repeated, kept)
    notices += links.notices
    notices += alike.note(connection, actor, entity, rows, planned, links)
    notices += _choice_notices(entity, drafts)
    notices += _kept_notices(kept, drafts)
    return planned


def _note_merged(rows: Sequence[Draft], known: planning.Known, repeated: dict[int, int]) -> None:
    """Where a workbook holds a record and one that was merged into it, its own row counts."""
    own: dict[int, int] = {}
    led: list[tuple[Draft, int]] = []
    for row in rows:
        key = known.uids.get(row.uid) if row.uid else None
        record = known.records.get(key) if key is not None else None
        if record is not None and record.uid == row.uid:
            own[record.id] = row.number
        elif record is not None:
            led.append((row, record.id))
    for row, record_id in led:
        earlier = own.setdefault(record_id, row.number)
        if earlier != row.number:
            repeated[row.position] = earlier


def _own_titles(entity: Entity, rows: Sequence[Draft]) -> dict[str, int]:
    found: dict[str, int] = {}
    for row in rows:
        title = recipes.own_title(entity, row)
        if title and not row.problems:
            found.setdefault(existing.title_key(title), row.position)
    return found


def _derive(connection: Connection, entity: Entity, rows: Sequence[Draft], links: Links) -> None:
    open_stages: set[int] = set()
    if entity.key == "opportunity":
        stages = existing.stages_by_state(connection)
        open_stages = {key for key, state in stages if state == "open"}
    for row in rows:
        if row.problems or row.uid:
            continue
        stage = row.values.get("stage")
        answer = links.of("stage", stage.text) if isinstance(stage, LinkText) else None
        if isinstance(answer, NewRecord):
            is_open = recipes.stage_state(answer.title) == "open"
        else:
            is_open = answer in open_stages
        recipes.derive(entity, row, {}, is_open)


def _known(
    connection: Connection,
    actor: Actor,
    entity: Entity,
    table: Table,
    rows: Sequence[Draft],
    matched: Mapping[int, Sequence[int]],
) -> planning.Known:
    uids = existing.keys_of_uids(connection, actor, entity, (r.uid for r in rows if r.uid))
    keys = {key for several in matched.values() for key in several} | set(uids.values())
    fields = sorted({name for row in rows for name in row.values if name in entity.fields})
    records = existing.load(connection, actor, entity, keys, fields)
    known = planning.Known(records, matched, uids)
    if table.meta:
        formats = _formats(actor, table)
        named = _link_titles(connection, actor, entity, records.values())
        known.cell_text = partial(_cell_text, formats=formats, titles=named)
    return known


def _link_titles(
    connection: Connection, actor: Actor, entity: Entity, records: object
) -> Mapping[tuple[str, int], str]:
    found: dict[tuple[str, int], str] = {}
    held: dict[str, set[int]] = {}
    for record in records if not isinstance(records, str) else ():  # type: ignore[attr-defined]
        for name, value in record.values.items():
            if entity.fields[name].target and isinstance(value, int):
                held.setdefault(name, set()).add(value)
    for name, keys in held.items():
        target = registry.get(entity.fields[name].target)
        titles = existing.titles_of(connection, actor, target, keys)
        found.update({(name, key): title for key, title in titles.items()})
    return found


def _cell_text(
    bound: BoundField,
    record: Existing,
    *,
    formats: Formats,
    titles: Mapping[tuple[str, int], str],
) -> str:
    value = record.values.get(bound.name)
    if bound.target:
        value = titles.get((bound.name, value), "") if isinstance(value, int) else None
    return cells.read_back(cells.cell(bound, value, formats))


def _reading_notices(
    entity: Entity, columns: Sequence[ColumnMatch], habits: Sequence[Profile]
) -> list[Notice]:
    """Say how ambiguous dates and numbers were read, and where leading zeros may be lost."""
    found: list[Notice] = []
    orders = {"dmy": tr("day, month, year"), "mdy": tr("month, day, year"), YMD: ""}
    for column in columns:
        if not column.field or column.field not in entity.fields:
            continue
        habit, kind = habits[column.index], entity.fields[column.field].kind.name
        message = ""
        if kind in {"date", "datetime"} and habit.dates in {"dmy", "mdy"}:
            message = tr(
                "Dates in “{column}” were read as {order}.",
                column=column.header,
                order=orders[habit.dates],
            )
            if not habit.sure:
                message += " " + tr("They could be read another way; check them.")
        elif kind in {"money", "quantity", "percent"} and habit.decimal == ",":
            message = tr("Numbers in “{column}” have a decimal comma.", column=column.header)
        elif kind == "percent" and habit.fractions:
            message = tr("Fractions in “{column}” were read as percentages.", column=column.header)
        elif habit.numeric and column.field in {"postal_code", "phone", "code", "tax_id"}:
            message = tr(
                "“{column}” holds numbers; zeros in front of them may have been lost before.",
                column=column.header,
            )
        if message:
            found.append(Notice(NoticeKind.READING, message, field=column.field))
    return found


def _choice_notices(entity: Entity, drafts: drafting.Drafts) -> list[Notice]:
    found: list[Notice] = []
    for name, texts in drafts.unknown.items():
        bound = entity.fields[name]
        labels = [tr(label) for _, label in bound.choices]
        for text, count in texts.items():
            near = nearest(text, labels)
            message = ntr(
                "{field} has no value “{text}”; it stays empty in {n} row.",
                "{field} has no value “{text}”; it stays empty in {n} rows.",
                count,
                field=tr(bound.label),
                text=text,
            )
            if near:
                message = f"{message} " + tr("The nearest is “{title}”.", title=near)
            found.append(Notice(NoticeKind.NOT_FOUND, message, count, name, text, near))
    return found


def _kept_notices(kept: planning.Kept, drafts: drafting.Drafts) -> list[Notice]:
    found: list[Notice] = []
    if kept.consents:
        message = ntr(
            "{n} refusal (no e-mail, no calls) stays although the file does not hold it.",
            "{n} refusals (no e-mail, no calls) stay although the file does not hold them.",
            kept.consents,
        )
        found.append(Notice(NoticeKind.KEPT, message, kept.consents))
    if drafts.emptied:
        message = ntr(
            "{n} emptied cell changes nothing; write <clear> into it to empty the field.",
            "{n} emptied cells change nothing; write <clear> into them to empty the fields.",
            drafts.emptied,
        )
        found.append(Notice(NoticeKind.KEPT, message, drafts.emptied))
    return found


def _check_rights(actor: Actor, entity: Entity, plan: ImportPlan) -> None:
    for outcome, action in ((Outcome.CREATE, "create"), (Outcome.UPDATE, "edit")):
        if any(row.outcome is outcome for row in plan.rows) and not actor.can(entity, action):
            raise permissions.denial(actor, entity, action)
