"""What search looks through of each record, and writing it anew for records that are stored.

A record is found by its title, its searchable fields and those of its child rows (every e-mail
address and number, everybody who took part). Telephone numbers also stand as bare digits. Blind
copies, which only who entered them sees, are left out: who finds a record by a word knows of it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Connection, bindparam, select, update

from desktop_crm.core.text import phone_digits, search_text
from desktop_crm.meta import kinds, registry
from desktop_crm.meta.bound import Entity
from desktop_crm.meta.field import Lines
from desktop_crm.models import OwnCompany
from desktop_crm.models.activity import FOR_ITS_WRITER

LONGEST_PIECE: Final = 20_000
"""So many characters of one field are searched; more is the history below a long mail."""
CHUNK: Final = 2_000
_ELSEWHERE: Final = "RO"

Rows = Mapping[str, Sequence[Mapping[str, Any]]]


def is_searched(entity: Entity) -> bool:
    """Whether records of the entity can be found by words."""
    return "search_text" in entity.fields


def searched_lines(entity: Entity) -> tuple[Lines, ...]:
    """Child collections whose rows are searched with their parent."""
    if not is_searched(entity):
        return ()
    return tuple(lines for lines in entity.lines if registry.get(lines.entity).search_fields)


def has_numbers(entity: Entity) -> bool:
    """Whether telephone numbers are among what is searched."""
    searched = [*entity.search_fields]
    for lines in searched_lines(entity):
        searched += registry.get(lines.entity).search_fields
    return any(field.kind is kinds.PHONE for field in searched)


def parents_of(child: Entity) -> tuple[tuple[str, Entity], ...]:
    """Link field and entity of the records that are searched by rows of a child entity."""
    if not child.search_fields:
        return ()
    return tuple(
        (lines.via.removesuffix("_id"), entity)
        for entity in registry.all()
        for lines in searched_lines(entity)
        if lines.entity == child.key
    )


def text_of(entity: Entity, values: Mapping[str, Any], lines: Rows, region: str) -> str:
    """Return the search text of one record.

    Args:
        entity: What it is.
        values: Its values by field name.
        lines: Its child rows by lines field.
        region: ISO country of telephone numbers without a prefix.
    """
    pieces: list[str] = []
    numbers: list[str] = []
    _take(entity, values, (entity.title,), pieces, numbers)
    _take(entity, values, (f.name for f in entity.search_fields), pieces, numbers)
    for collection in searched_lines(entity):
        child = registry.get(collection.entity)
        names = tuple(f.name for f in child.search_fields)
        name, code = FOR_ITS_WRITER.get(child.key, ("", ""))
        for row in lines.get(collection.name, ()):
            if not name or row.get(name) != code:
                _take(child, row, names, pieces, numbers)
    digits = (found for number in numbers for found in phone_digits(number, region))
    return search_text([*pieces, *digits])


def _take(
    entity: Entity,
    values: Mapping[str, Any],
    names: Iterable[str],
    pieces: list[str],
    numbers: list[str],
) -> None:
    for name in names:
        value = values.get(name)
        if not value:
            continue
        text = str(value)[:LONGEST_PIECE]
        pieces.append(text)
        if entity.fields[name].kind is kinds.PHONE:
            numbers.append(text)


def phone_region(connection: Connection) -> str:
    """ISO country of telephone numbers without a prefix; one statement."""
    region = connection.execute(select(OwnCompany.__table__.c.phone_region).limit(1)).scalar()
    return region or _ELSEWHERE


def refold(
    connection: Connection,
    entity: Entity,
    ids: Sequence[int] | None = None,
    tell: Callable[[int], object] | None = None,
) -> int:
    """Write search texts anew where they are not what they should be.

    Versions and time stamps stay: the records themselves do not change. Costs a few statements
    for each 2,000 records.

    Args:
        connection: An open writing transaction.
        entity: Whose records.
        ids: Keys of the records; None takes all.
        tell: Called with the number of records looked at so far.

    Returns:
        How many were written.
    """
    if not is_searched(entity):
        return 0
    region = phone_region(connection) if has_numbers(entity) else ""
    written = seen = 0
    for rows in _chunks(connection, entity, ids):
        lines = lines_of(connection, entity, [row["id"] for row in rows])
        changed = []
        for row in rows:
            text = text_of(entity, row, lines.get(row["id"], {}), region)
            if text != row["search_text"]:
                changed.append({"k": row["id"], "t": text})
        _write(connection, entity, changed)
        written += len(changed)
        seen += len(rows)
        if tell is not None:
            tell(seen)
    return written


def _write(connection: Connection, entity: Entity, changed: Sequence[Mapping[str, Any]]) -> None:
    if changed:
        table = entity.table
        statement = update(table).where(table.c.id == bindparam("k"))
        connection.execute(statement.values(search_text=bindparam("t")), changed)


def _chunks(
    connection: Connection, entity: Entity, ids: Sequence[int] | None
) -> Iterator[list[dict[str, Any]]]:
    table = entity.table
    names = dict.fromkeys(
        ("id", "search_text", entity.title, *(f.name for f in entity.search_fields))
    )
    columns = []
    for name in names:
        column = entity.fields[name].column
        if column is not None:
            columns.append(column.label(name))
    read = select(*columns).order_by(table.c.id)
    if ids is not None:
        wanted = sorted(set(ids))
        for start in range(0, len(wanted), CHUNK):
            part = read.where(table.c.id.in_(wanted[start : start + CHUNK]))
            yield [dict(row) for row in connection.execute(part).mappings()]
        return
    last = 0
    while rows := [
        dict(row)
        for row in connection.execute(read.where(table.c.id > last).limit(CHUNK)).mappings()
    ]:
        last = rows[-1]["id"]
        yield rows


def lines_of(connection: Connection, entity: Entity, ids: Sequence[int]) -> dict[int, Rows]:
    """Read living child rows that are searched, by parent and lines field; a statement a field."""
    found: dict[int, dict[str, list[dict[str, Any]]]] = defaultdict(lambda: defaultdict(list))
    if not ids:
        return {}
    for collection in searched_lines(entity):
        child = registry.get(collection.entity)
        via = child.table.c[collection.via]
        columns = [f.column.label(f.name) for f in child.search_fields if f.column is not None]
        statement = (
            select(via.label("via"), *columns)
            .where(via.in_(ids), child.table.c.deleted_at.is_(None))
            .order_by(child.table.c.id)
        )
        if child.key in FOR_ITS_WRITER:
            name, code = FOR_ITS_WRITER[child.key]
            statement = statement.where(child.table.c[name] != code)
        for row in connection.execute(statement).mappings():
            found[row["via"]][collection.name].append(dict(row))
    return dict(found)
