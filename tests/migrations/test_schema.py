"""The migration scripts make exactly what the models say, and bring older files up to it."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, select, text
from sqlalchemy import column as sa_column
from sqlalchemy import table as sa_table

from desktop_crm.core import clock
from desktop_crm.core.errors import EnvironmentProblem, UserError
from desktop_crm.db import migrate
from desktop_crm.db.engine import Database
from desktop_crm.db.migrate import SchemaState
from desktop_crm.db.search_index import SEARCHED
from desktop_crm.models import Base, FilingRule
from desktop_crm.services import records
from desktop_crm.services.context import system_actor
from desktop_crm.services.search import everything

NEXT = '''"""A later revision, as one may come."""

import sqlalchemy as sa
from alembic import op

revision = "9999"
down_revision = "{head}"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add a column, and make a table with children anew."""
    anew = "always" if op.get_bind().dialect.name == "sqlite" else "never"
    with op.batch_alter_table("account", recreate=anew) as batch:
        batch.add_column(sa.Column("nickname", sa.String(40), nullable=True))
    {more}
'''


@pytest.fixture
def newer(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str], None]:
    """A function that makes this program one revision newer than the templates."""

    def grow(more: str = "pass") -> None:
        scripts = tmp_path / "migrations"
        shutil.copytree(Path(migrate.__file__).with_name("migrations"), scripts)
        head = migrate.HEAD
        code = NEXT.format(head=head, more=more)
        (scripts / "versions" / "9999_later.py").write_text(code, encoding="utf-8")
        config = migrate._config()
        config.set_main_option("script_location", str(scripts))
        monkeypatch.setattr(migrate, "_config", lambda: config)
        monkeypatch.setattr(migrate, "HEAD", "9999")
        migrate._revisions.cache_clear()
        monkeypatch.setattr(migrate, "_revisions", lambda: frozenset({head, "9999"}))

    return grow


def test_the_schema_is_what_the_models_say(database: Database) -> None:
    def ours(thing: object, name: str | None, kind: str, *_: object) -> bool:
        # The search index belongs to no model; triggers and extensions keep it. Fields of one's
        # own stay in the mapped tables of the process that saw them.
        if kind == "column" and (name or "").startswith("x_"):
            return False
        return not (name or "").endswith(("_trigram", "_words")) and "_fts" not in (name or "")

    with database.reading() as connection:
        context = MigrationContext.configure(
            connection, opts={"include_object": ours, "compare_type": True}
        )
        assert compare_metadata(context, Base.metadata) == []


def test_every_index_stands_with_its_condition(database: Database) -> None:
    with database.reading() as connection:
        looked = inspect(connection)
        for table in Base.metadata.sorted_tables:
            stands = {index["name"]: index for index in looked.get_indexes(table.name)}
            for wanted in table.indexes:
                found = stands[str(wanted.name)]
                assert found["column_names"] == [c.name for c in wanted.columns]
                assert bool(found["unique"]) == bool(wanted.unique)
                options = found.get("dialect_options", {})
                condition = options.get(f"{database.dialect}_where")
                declared = wanted.dialect_options[database.dialect]["where"]
                assert (condition is None) == (declared is None), wanted.name


def test_titles_sort_by_bytes_on_a_server(postgres_db: Database) -> None:
    statement = text(
        "SELECT count(*), count(*) FILTER (WHERE c.collname = 'C') FROM pg_attribute a"
        " JOIN pg_class t ON t.oid = a.attrelid AND t.relkind = 'r'"
        " LEFT JOIN pg_collation c ON c.oid = a.attcollation WHERE a.attname = 'title_key'"
    )
    with postgres_db.reading() as connection:
        columns, plain = connection.execute(statement).one()
    assert columns == plain > 0


def test_head_is_the_newest_script() -> None:
    assert ScriptDirectory.from_config(migrate._config()).get_current_head() == migrate.HEAD


def test_searched_tables_are_indexed(sqlite_db: Database) -> None:
    with sqlite_db.reading() as connection:
        tables = set(inspect(connection).get_table_names())
    assert {f"{name}_fts" for name in SEARCHED} <= tables


def test_an_older_database_is_upgraded_with_its_children(
    database_url: str, newer: Callable[[str], None]
) -> None:
    db = Database.open(database_url)
    actor = system_actor(db)
    values = {"name": "Vâlcea", "emails": [{"address": "a@b.example"}]}
    key = records.save(actor, "account", None, None, values).id
    db.close()
    head = migrate.HEAD
    newer("pass")
    with pytest.raises(UserError, match="older version"):
        migrate.open_current(database_url)
    backup = migrate.upgrade(database_url)
    db = migrate.open_current(database_url)
    try:
        read = records.get(system_actor(db), "account", key)
        with db.reading() as connection:
            connection.execute(text("SELECT nickname FROM account"))
    finally:
        db.close()
    assert read.values["name"] == "Vâlcea"
    assert [line["address"] for line in read.lines["emails"]] == ["a@b.example"]
    assert migrate.upgrade(database_url) is None
    if db.path is None:
        assert backup is None
        return
    assert backup is not None
    with sqlite3.connect(backup) as kept:
        assert kept.execute("SELECT version_num FROM alembic_version").fetchone() == (head,)
        assert kept.execute("SELECT name FROM account").fetchall() == [("Vâlcea",)]
    kept.close()


def test_an_upgrade_that_fails_leaves_the_old_schema(
    database_url: str, newer: Callable[[str], None]
) -> None:
    head = migrate.HEAD
    newer('op.execute("SELECT * FROM nothing_of_this_name")')
    with pytest.raises(Exception, match="nothing_of_this_name"):
        migrate.upgrade(database_url)
    db = Database.open(database_url)
    try:
        found = migrate.look(db)
        with db.reading() as connection:
            columns = {c["name"] for c in inspect(connection).get_columns("account")}
    finally:
        db.close()
    assert (found.state, found.revision) == (SchemaState.OLDER, head)
    assert "nickname" not in columns


def test_a_broken_reference_stops_an_upgrade(sqlite_url: str, newer: Callable[[str], None]) -> None:
    newer(
        'op.execute("INSERT INTO bank_account (own_company_id, iban, is_primary, uid, version,'
        " created_at, modified_at) VALUES (77, 'x', 0, 'u', 1, '2026-01-01', '2026-01-01')\")"
    )
    with pytest.raises(EnvironmentProblem, match="broken reference"):
        migrate.upgrade(sqlite_url)


def test_a_newer_database_is_left_alone(database_url: str) -> None:
    db = Database.open(database_url)
    with db.writing() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '7777'"))
    assert migrate.look(db).state is SchemaState.NEWER
    db.close()
    for attempt in (migrate.open_current, migrate.upgrade):
        with pytest.raises(UserError, match="newer version"):
            attempt(database_url)


@pytest.mark.parametrize("revision", ["0001", "abcd"])
def test_the_database_of_another_program_is_left_alone(tmp_path: Path, revision: str) -> None:
    path = tmp_path / "other.db"
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE alembic_version (version_num TEXT)")
        other.execute("INSERT INTO alembic_version VALUES (?)", (revision,))
        other.execute("CREATE TABLE customers (id INTEGER)")
    other.close()
    before = path.read_bytes()
    for attempt in (migrate.open_current, migrate.upgrade, migrate.create):
        with pytest.raises(UserError, match=r"not a database of this program|exists already"):
            attempt(f"sqlite:///{path}")
    assert path.read_bytes() == before


def test_a_foreign_server_database_is_left_alone(
    new_postgres_database: Callable[[str | None], str],
) -> None:
    url = new_postgres_database(None)
    db = Database.open(url)
    with db.writing() as connection:
        connection.execute(text("CREATE TABLE customers (id INTEGER)"))
    db.close()
    with pytest.raises(UserError, match="not a database of this program"):
        migrate.open_current(url)
    with pytest.raises(UserError, match="not empty"):
        migrate.create(url)


def test_an_empty_database_is_told_from_a_foreign_one(
    tmp_path: Path, new_postgres_database: Callable[[str | None], str]
) -> None:
    path = tmp_path / "empty.db"
    path.touch()
    for url in (f"sqlite:///{path}", new_postgres_database(None)):
        with pytest.raises(UserError, match="is empty"):
            migrate.open_current(url)
    migrate.create(f"sqlite:///{path}").close()
    migrate.open_current(f"sqlite:///{path}").close()


@pytest.mark.parametrize("existed", [False, True])
def test_a_creation_that_fails_leaves_nothing(
    tmp_path: Path, newer: Callable[[str], None], existed: bool
) -> None:
    newer('op.execute("SELECT * FROM nothing_of_this_name")')
    path = tmp_path / "new" / "crm.db"
    if existed:
        path.parent.mkdir()
        path.touch()
    with pytest.raises(Exception, match="nothing_of_this_name"):
        migrate.create(str(path))
    left = [(file.name, file.stat().st_size) for file in path.parent.iterdir()]
    assert left == ([("crm.db", 0)] if existed else [])


def test_a_failed_creation_on_a_server_leaves_nothing(
    newer: Callable[[str], None], new_postgres_database: Callable[[str | None], str]
) -> None:
    newer('op.execute("SELECT * FROM nothing_of_this_name")')
    url = new_postgres_database(None)
    with pytest.raises(Exception, match="nothing_of_this_name"):
        migrate.create(url)
    db = Database.open(url)
    assert migrate.look(db).state is SchemaState.EMPTY
    db.close()


def test_an_existing_file_is_never_written_over(sqlite_url: str) -> None:
    with pytest.raises(UserError, match="exists already"):
        migrate.create(sqlite_url)
    migrate.open_current(sqlite_url).close()


@pytest.fixture(params=["sqlite", "postgresql"])
def first_revision(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """URL of a database of the first revision with one account, which has a second number."""
    url = f"sqlite:///{tmp_path / 'first.db'}"
    if request.param == "postgresql":
        url = request.getfixturevalue("new_postgres_database")(None)
    db = Database.open(url)
    if db.path is not None:
        migrate._mark(db)
    config = migrate._config()
    with db.migrating() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        at = clock.now()
        stamp = {"version": 1, "created_at": at, "modified_at": at}
        flags = {"do_not_email": False, "do_not_phone": False, "do_not_bulk": False}
        _put(connection, "account", {
            "id": 7, "uid": "a", "name": "Vâlcea", "title_key": "valcea", "search_text": "valcea",
            "state": "active", **flags, **stamp,
        })  # fmt: skip
        _put(connection, "phone", {
            "uid": "b", "number": "(0721) 234-567", "type": "work", "is_primary": False,
            "account_id": 7, **stamp,
        })  # fmt: skip
        _put(connection, "mailbox", {
            "id": 3, "uid": "c", "name": "Ana", "kind": "folder", "address": "ana@firma.example",
            "filing": "Proiecte = valcea\nVIP=VÂLCEA\nno sign\nX = nobody", "state": "never",
            "title_key": "ana", "search_text": "ana", **stamp,
        })  # fmt: skip
    db.close()
    return url


def _put(connection: Connection, table: str, values: dict[str, object]) -> None:
    now = Base.metadata.tables[table].c
    columns = (sa_column(name, now[name].type if name in now else None) for name in values)
    connection.execute(sa_table(table, *columns).insert(), [values])


def test_search_texts_of_an_older_database_are_written_anew(first_revision: str) -> None:
    migrate.upgrade(first_revision)
    db = migrate.open_current(first_revision)
    try:
        actor = system_actor(db)
        for typed in ("+40 721 234 567", "234567", "VÂLC", "lcea 0721"):
            (section,) = everything.find(actor, typed).sections
            assert [(hit.entity, hit.id) for hit in section.hits] == [("account", 7)], typed
        assert records.get(actor, "account", 7).version == 1
    finally:
        db.close()


def test_lines_that_filed_folders_become_filing_rules(first_revision: str) -> None:
    migrate.upgrade(first_revision)
    db = migrate.open_current(first_revision)
    try:
        with db.reading() as connection:
            rows = connection.execute(
                select(
                    FilingRule.mailbox_id,
                    FilingRule.kind,
                    FilingRule.value,
                    FilingRule.shown,
                    FilingRule.record_type,
                    FilingRule.record_id,
                ).order_by(FilingRule.id)
            ).all()
    finally:
        db.close()
    assert [tuple(row) for row in rows] == [
        (3, "category", "proiecte", "Proiecte", "account", 7),
        (3, "category", "vip", "VIP", "account", 7),
    ]
