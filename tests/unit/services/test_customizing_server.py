"""On a server: a login that owns no table adds a field, when it is an administrator's."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from psycopg import sql
from sqlalchemy import func, inspect, select
from sqlalchemy.exc import DBAPIError

from desktop_crm.bench.postgres_server import Server
from desktop_crm.core.errors import CrmError
from desktop_crm.db.engine import Database
from desktop_crm.meta import registry
from desktop_crm.models.customizing import FieldKind
from desktop_crm.services import records
from desktop_crm.services.context import sign_in, system_actor
from desktop_crm.services.customizing import definitions, fields
from tests.support.company import Company, small_company

PASSWORD = "secret"


@pytest.fixture
def login(postgres_server: Server, postgres_url: str) -> Iterator[str]:
    """A login that reads and writes every table and owns none."""
    name, database = "crm_second", postgres_url.rpartition("/")[2]
    role = sql.Identifier(name)
    with postgres_server.connect() as connection:
        connection.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(role))
        connection.execute(
            sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(role, sql.Literal(PASSWORD))
        )
    with postgres_server.connect(database) as connection:
        for what in ("TABLES", "SEQUENCES"):
            connection.execute(
                sql.SQL("GRANT ALL ON ALL {} IN SCHEMA public TO {}").format(sql.SQL(what), role)
            )
    yield name
    with postgres_server.connect(database) as connection:
        connection.execute(sql.SQL("DROP OWNED BY {}").format(role))
        connection.execute(sql.SQL("DROP ROLE {}").format(role))


@pytest.fixture
def company(postgres_db: Database) -> Company:
    return small_company(postgres_db)


@pytest.fixture
def theirs(login: str, postgres_url: str, company: Company) -> Iterator[Database]:
    """The same database, opened by that login."""
    host = postgres_url.rpartition("@")[2]
    db = Database.open(f"postgresql://{login}@{host}", PASSWORD)
    yield db
    db.close()


def _user(company: Company, login: str, role: str) -> None:
    values = {"name": "Ioana", "login": login, "role": company.ids[role]}
    records.save(system_actor(company.actor.db), "user", None, None, values)


def test_an_administrator_adds_fields_without_owning_the_tables(
    theirs: Database, login: str, company: Company
) -> None:
    _user(company, login, "role")
    actor = sign_in(theirs)
    for kind in FieldKind:
        target = {"target": "contact"} if kind is FieldKind.LINK else {}
        values = ("Red", "Blue") if kind is FieldKind.CHOICE else ()
        fields.add(actor, "account", kind, f"Own {kind.label}", values=values, **target)
    own = [n for n in registry.get("account").fields if n.startswith("x_")]
    assert len(own) == len(FieldKind)
    key = records.save(actor, "account", None, None, {"name": "Nord", own[0]: "41"}).id
    assert records.get(company.actor, "account", key).values[own[0]] == "41"


def test_nobody_else_does_by_whatever_program(
    theirs: Database, login: str, company: Company
) -> None:
    _user(company, login, "seller role")

    def add(table: str = "account", name: str = "x_a_1", kind: str = "text") -> None:
        with theirs.writing() as connection:
            connection.execute(select(func.crm_add_column(table, name, kind)))

    with pytest.raises(CrmError, match="may not do this"):
        add()
    with company.actor.db.writing() as connection:
        stands = {c["name"] for c in inspect(connection).get_columns("account")}
    assert "x_a_1" not in stands


@pytest.mark.parametrize(
    ("table", "name", "kind"),
    [
        ("audit_entry", "x_a_1", "text"),
        ("account", "name", "text"),
        ("account", "x_a; DROP TABLE account", "text"),
        ("account", "x_a_1", "text; DROP TABLE account"),
    ],
)
def test_only_fields_are_added(
    theirs: Database, login: str, company: Company, table: str, name: str, kind: str
) -> None:
    _user(company, login, "role")
    with pytest.raises(DBAPIError, match="no field of this kind"), theirs.writing() as connection:
        connection.execute(select(func.crm_add_column(table, name, kind)))


def test_the_function_names_every_table_that_takes_fields(company: Company) -> None:
    system = system_actor(company.actor.db)
    for entity in definitions.customizable():
        fields.add(system, entity.key, FieldKind.BOOLEAN, "Theirs")
    with company.actor.db.reading() as connection:
        for entity in definitions.customizable():
            stands = {c["name"] for c in inspect(connection).get_columns(entity.table.name)}
            (own,) = [n for n in registry.get(entity.key).fields if n.startswith("x_")]
            assert own in stands
