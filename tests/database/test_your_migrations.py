"""An operator's Flask-Migrate beside our migrations: neither touches the other's tables."""

from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import click
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.operations import Operations
from flask import Flask
from sqlalchemy import Column, Connection, Integer, MetaData, Table, Text, inspect, text
from sqlalchemy.exc import IntegrityError

from authsvc import db
from authsvc.database import Base, schema
from authsvc.database.boot_checks import require_newest
from authsvc.database.version_table import VERSION_TABLE
from authsvc.database.your_migrations import authsvc_first, include_object
from tests.conftest import MakeApp, MakeDatabase


@pytest.fixture
def fresh(make_app: MakeApp, make_database: MakeDatabase) -> Flask:
    """An app on a database without tables."""
    return make_app(database_url=make_database())


@pytest.fixture
def parents(fresh: Flask) -> Iterator[Flask]:
    """The app with an operator's two tables, one of which refers to the other."""
    with fresh.app_context():
        authsvc_first(None)
        with db.engine.begin() as connection:
            connection.execute(text("CREATE TABLE notes (id INTEGER PRIMARY KEY, body TEXT)"))
            connection.execute(
                text(
                    "CREATE TABLE tags (id INTEGER PRIMARY KEY, note_id INTEGER NOT NULL"
                    " REFERENCES notes (id) ON DELETE CASCADE)"
                )
            )
            connection.execute(text("INSERT INTO notes VALUES (1, 'milk')"))
            connection.execute(text("INSERT INTO tags VALUES (7, 1)"))
        yield fresh


def differences(connection: Connection, metadata: MetaData, **options: object) -> list[object]:
    context = MigrationContext.configure(connection, opts={"compare_type": True, **options})
    return list(compare_metadata(context, metadata))


def test_autogenerate_compares_none_of_our_tables(app: Flask) -> None:
    own = MetaData(naming_convention=Base.metadata.naming_convention)
    with app.app_context(), db.engine.connect() as connection:
        assert differences(connection, Base.metadata, include_object=include_object) == []
        # Without it our version table, or with other metadata all of our tables, would be dropped.
        assert len(differences(connection, Base.metadata)) == 1
        assert len(differences(connection, own)) > 4
        assert differences(connection, own, include_object=include_object) == []


def test_an_operators_table_in_another_schema_may_have_the_name_of_ours() -> None:
    column = Column("id", Integer)
    theirs = Table("users", MetaData(), column, schema="crm")
    assert include_object(theirs, "users", "table", False, None)
    assert include_object(column, "users", "column", False, None)
    assert not include_object(Table("users", MetaData()), "users", "table", True, None)
    assert not include_object(Table(VERSION_TABLE, MetaData()), VERSION_TABLE, "table", True, None)


def test_a_downgrade_leaves_our_tables_as_they_are(parents: Flask) -> None:
    with db.engine.begin() as connection:
        connection.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = '0001'"))
    with click.Context(click.Command("downgrade"), info_name="downgrade"):
        authsvc_first(None)
    with db.engine.connect() as connection:
        found = connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}"))
        assert found.scalar_one() == "0001"


def test_our_tables_are_created_first_and_the_others_do_not_hinder_the_boot(
    parents: Flask,
) -> None:
    with db.engine.begin() as connection:
        connection.execute(text("CREATE TABLE alembic_version (version_num TEXT)"))
        connection.execute(text("INSERT INTO alembic_version VALUES ('156af422a86b')"))
    assert require_newest(parents.config["SQLALCHEMY_DATABASE_URI"]) is None
    authsvc_first(None)
    with db.engine.connect() as connection:
        assert connection.execute(text("SELECT * FROM alembic_version")).all() == [
            ("156af422a86b",)
        ]


@pytest.mark.parametrize(
    ("command", "params", "created"),
    [
        ("upgrade", {"sql": False}, True),
        ("migrate", {}, True),
        ("check", {}, True),
        ("upgrade", {"sql": True}, False),
        ("history", {}, False),
        ("init", {}, False),
    ],
)
def test_only_a_command_that_needs_our_tables_creates_them(
    fresh: Flask, command: str, params: dict[str, bool], created: bool
) -> None:
    with fresh.app_context():
        with click.Context(click.Command(command), info_name=command) as context:
            context.params = params
            assert authsvc_first("config") == "config"
        assert inspect(db.engine).has_table("users") is created


def test_two_commands_run_one_after_the_other(fresh: Flask) -> None:
    url = fresh.config["SQLALCHEMY_DATABASE_URI"]
    other = Thread(target=schema.upgrade, args=[url])
    with fresh.app_context():
        with click.Context(click.Command("upgrade"), info_name="upgrade"):
            authsvc_first(None)
            other.start()
            other.join(0.3)
            assert other.is_alive()
        other.join(20)
        assert not other.is_alive()


@pytest.mark.only("sqlite")
def test_a_folder_that_does_not_exist_is_said_in_a_sentence(
    make_app: MakeApp, tmp_path: Path
) -> None:
    app = make_app(database_url=f"sqlite:///{tmp_path}/nowhere/authsvc.db")
    with (
        app.app_context(),
        click.Context(click.Command("upgrade"), info_name="upgrade"),
        pytest.raises(click.ClickException, match="nowhere does not exist"),
    ):
        authsvc_first(None)


def recreate(connection: Connection) -> None:
    """Alter the table that others refer to; Alembic copies it, and drops the old one."""
    operations = Operations(MigrationContext.configure(connection))
    with operations.batch_alter_table("notes", recreate="always") as batch:
        batch.alter_column("body", existing_type=Text(), nullable=False)


@pytest.mark.only("postgres")
@pytest.mark.usefixtures("parents")
def test_a_statement_of_a_migration_may_take_longer_than_one_of_a_request() -> None:
    timeout = text("SHOW statement_timeout")
    authsvc_first(None)
    with db.engine.connect() as connection:
        for _ in range(2):
            with connection.begin():
                assert connection.execute(timeout).scalar_one() == "0"
        assert connection.connection.driver_connection.deadline > 3600
    with db.engine.begin() as connection:
        assert connection.execute(timeout).scalar_one() == "5s"
        assert connection.connection.driver_connection.deadline < 10


@pytest.mark.only("sqlite")
@pytest.mark.usefixtures("parents")
def test_a_table_that_others_refer_to_can_be_altered_without_losing_their_rows() -> None:
    authsvc_first(None)
    with db.engine.begin() as connection:
        recreate(connection)
    with db.engine.connect() as connection:
        assert connection.execute(text("SELECT * FROM tags")).all() == [(7, 1)]
        with pytest.raises(IntegrityError):
            connection.execute(text("INSERT INTO tags VALUES (8, 2)"))


@pytest.mark.only("sqlite")
@pytest.mark.usefixtures("parents")
def test_without_it_the_rows_would_be_lost() -> None:
    with db.engine.begin() as connection:
        recreate(connection)
    with db.engine.connect() as connection:
        assert connection.execute(text("SELECT * FROM tags")).all() == []


@pytest.mark.only("sqlite")
@pytest.mark.usefixtures("parents")
def test_a_migration_that_leaves_rows_without_their_parents_is_rolled_back() -> None:
    authsvc_first(None)
    with pytest.raises(RuntimeError, match="rows of tags that refer to missing rows of notes"):
        delete_parents()
    with db.engine.connect() as connection:
        assert connection.execute(text("SELECT body FROM notes")).all() == [("milk",)]


def delete_parents() -> None:
    with db.engine.begin() as connection:
        connection.execute(text("DELETE FROM notes"))
