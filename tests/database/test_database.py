"""The database: times in UTC, durable and ordered writes, connections set up for both."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import (
    Column,
    Connection,
    Integer,
    MetaData,
    NullPool,
    Table,
    create_engine,
    insert,
    select,
    text,
    update,
)
from sqlalchemy.exc import OperationalError, StatementError

from authsvc.database import (
    LOCK_SECONDS,
    UTCDateTime,
    connect_app,
    db,
    prepare_engine,
    reading,
    write_options,
    writing,
)
from tests.support.processes import at_once

METADATA = MetaData()
COUNTS = Table(
    "test_counts",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("count", Integer),
    Column("at", UTCDateTime),
)
CHILDREN = "CREATE TABLE test_children (parent INTEGER REFERENCES test_counts (id))"
UPDATES = 25
WRITERS = 4


@pytest.fixture
def bare_app(database_url: str) -> Iterator[Flask]:
    """An app that has only a database, with a table of the test's own."""
    app = Flask("test", static_folder=None)
    connect_app(app, database_url)
    with app.app_context():
        with writing() as connection:
            METADATA.create_all(connection)
            connection.execute(insert(COUNTS).values(id=1, count=0))
        yield app
        with writing() as connection:
            METADATA.drop_all(connection)
        db.engine.dispose()


@pytest.mark.usefixtures("bare_app")
def test_a_time_without_a_zone_is_refused() -> None:
    naive = datetime(2026, 11, 24, 10, 57)
    with (
        pytest.raises(StatementError, match="a time must have a time zone"),
        writing() as connection,
    ):
        connection.execute(update(COUNTS).values(at=naive))


@pytest.mark.usefixtures("bare_app")
@pytest.mark.parametrize("hours", [-11, 0, 14])
def test_a_time_comes_back_as_the_same_instant_in_utc(hours: int) -> None:
    at = datetime(2026, 11, 24, 10, 57, 1, 234567, tzinfo=timezone(timedelta(hours=hours)))
    with writing() as connection:
        connection.execute(update(COUNTS).values(at=at))
    with reading() as connection:
        read = connection.execute(select(COUNTS.c.at)).scalar_one()
        assert connection.execute(select(COUNTS.c.id).where(COUNTS.c.at == at)).all() == [(1,)]
    assert read == at
    assert read.tzinfo is UTC


@pytest.mark.usefixtures("bare_app")
def test_a_null_time_is_read_as_none() -> None:
    with reading() as connection:
        assert connection.execute(select(COUNTS.c.at)).scalar_one() is None


@pytest.mark.usefixtures("bare_app")
def test_a_write_that_raises_leaves_nothing() -> None:
    with pytest.raises(LookupError):
        write_and_fail()
    assert counts() == [(1, 0)]


def write_and_fail() -> None:
    with writing() as connection:
        connection.execute(update(COUNTS).values(count=7))
        connection.execute(insert(COUNTS).values(id=2, count=8))
        raise LookupError


@pytest.mark.usefixtures("bare_app")
def test_concurrent_updates_are_all_kept(database_url: str) -> None:
    assert at_once(WRITERS, read_then_add, database_url) == [0] * WRITERS
    assert counts() == [(1, WRITERS * UPDATES)]


def read_then_add(url: str) -> None:
    """Read first, then write: only a lock from the start keeps every update."""
    app = Flask("writer", static_folder=None)
    connect_app(app, url)
    with app.app_context():
        for _ in range(UPDATES):
            with writing() as connection:
                row = select(COUNTS.c.count).where(COUNTS.c.id == 1).with_for_update()
                count = connection.execute(row).scalar_one()
                connection.execute(update(COUNTS).values(count=count + 1))


def test_every_sqlite_connection_is_durable_waits_for_locks_and_checks_foreign_keys(
    tmp_path: Path,
) -> None:
    engine = create_engine(f"sqlite:///{tmp_path / 'x.db'}", poolclass=NullPool)
    prepare_engine(engine)
    for _ in range(2):
        with engine.connect() as connection:
            assert pragma(connection, "synchronous") == 2  # FULL
            assert pragma(connection, "foreign_keys") == 1
            assert pragma(connection, "busy_timeout") == LOCK_SECONDS * 1000


def test_sqlite_refuses_a_row_whose_foreign_key_refers_to_nothing(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path / 'x.db'}", poolclass=NullPool)
    prepare_engine(engine)
    with engine.begin() as connection:
        METADATA.create_all(connection)
        connection.execute(text(CHILDREN))
    with pytest.raises(Exception, match="FOREIGN KEY constraint failed"), engine.begin() as again:
        again.execute(text("INSERT INTO test_children VALUES (7)"))


def test_a_sqlite_writer_locks_out_others_before_its_first_statement(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("authsvc.database.engine.LOCK_SECONDS", 0.05)
    engine = create_engine(
        f"sqlite:///{tmp_path / 'x.db'}", poolclass=NullPool, execution_options=write_options
    )
    prepare_engine(engine)
    locked = pytest.raises(OperationalError, match="database is locked")
    with engine.connect() as first, engine.connect() as second, first.begin(), locked:
        second.begin()


def pragma(connection: Connection, name: str) -> int:
    return int(connection.execute(text(f"PRAGMA {name}")).scalar_one())


def counts() -> list[tuple[int, int]]:
    with reading() as connection:
        return [
            (id_, count)
            for id_, count in connection.execute(
                select(COUNTS.c.id, COUNTS.c.count).order_by(COUNTS.c.id)
            )
        ]
