"""Issue 14.19: migration 0003 stores the canonical keys of accounts that exist."""

import logging
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import UUID

import pytest
from sqlalchemy import Engine, NullPool, create_engine, insert, select

from authsvc.database import prepare_engine, schema
from authsvc.users.model import User
from tests.conftest import MakeDatabase
from tests.support.operator_commands import Operator
from tests.support.running_service import ROOT

NOW = datetime(2026, 11, 24, tzinfo=UTC)
COLUMNS = ("id", "email", "email_key", "password_hash", "created_at")


@pytest.fixture
def url(make_database: MakeDatabase) -> str:
    """A database of the version before."""
    url = make_database()
    schema.upgrade(url, "0002")
    return url


@pytest.fixture
def engine(url: str) -> Iterator[Engine]:
    engine = create_engine(url, poolclass=NullPool)
    prepare_engine(engine)
    yield engine
    engine.dispose()


def add(engine: Engine, *accounts: tuple[str, str]) -> list[UUID]:
    """Insert accounts with these addresses and keys, and return their ids."""
    table = User.__table__
    ids = [UUID(int=number) for number in range(1, len(accounts) + 1)]
    rows = [(id, *account, "hash", NOW) for id, account in zip(ids, accounts, strict=True)]
    values = [dict(zip(COLUMNS, row, strict=True)) for row in rows]
    with engine.begin() as connection:
        connection.execute(insert(table), values)
    return ids


def keys(engine: Engine) -> list[str]:
    with engine.connect() as connection:
        return list(connection.execute(select(User.email_key).order_by(User.id)).scalars())


def test_keys_of_the_version_before_become_canonical(url: str, engine: Engine) -> None:
    add(
        engine,
        ("alice@example.com", "alice@example.com"),
        ("straße@example.com", "strasse@example.com"),
        ("anna@bücher.example", "anna@bücher.example"),
        (" Ken@example。com", " ken@example。com"),
    )
    schema.upgrade(url)
    assert keys(engine) == [
        "alice@example.com",
        "straße@example.com",
        "anna@xn--bcher-kva.example",
        "ken@example.com",
    ]


def test_more_accounts_than_one_page_are_updated(url: str, engine: Engine) -> None:
    count = 2100
    add(engine, *((f"{number}@ß.example", f"{number}@ss.example") for number in range(count)))
    schema.upgrade(url)
    assert keys(engine) == [f"{number}@xn--zca.example" for number in range(count)]


def test_an_account_whose_key_is_taken_keeps_its_own_and_is_reported_without_its_address(
    url: str, engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    first, second, third = add(
        engine,
        ("anna@bücher.example", "anna@bücher.example"),
        ("anna@xn--bcher-kva.example", "anna@xn--bcher-kva.example"),
        ("Anna@BÜCHER.example", "anna@BÜCHER.example"),
    )
    with caplog.at_level(logging.WARNING):
        schema.upgrade(url)
    assert keys(engine) == [
        "anna@bücher.example",
        "anna@xn--bcher-kva.example",
        "anna@BÜCHER.example",
    ]
    reports = [record.getMessage() for record in caplog.records]
    assert [
        f"{second} and {id} have the same" in line
        for id, line in zip([first, third], reports, strict=True)
    ] == [True] * 2
    assert "anna" not in str(reports).lower()


def test_of_two_accounts_without_the_canonical_key_the_one_with_the_smaller_id_gets_it(
    url: str, engine: Engine
) -> None:
    add(
        engine,
        ("anna@bücher.example", "anna@bücher.example"),
        ("Anna@BÜCHER.example", "anna@BÜCHER.example"),
    )
    schema.upgrade(url)
    assert keys(engine) == ["anna@xn--bcher-kva.example", "anna@BÜCHER.example"]


def test_a_key_that_another_account_gives_up_is_free(url: str, engine: Engine) -> None:
    add(engine, ("strasse@example.com", "other"), ("straße@example.com", "strasse@example.com"))
    schema.upgrade(url)
    assert keys(engine) == ["strasse@example.com", "straße@example.com"]


def test_after_a_downgrade_the_keys_are_canonical_still(url: str, engine: Engine) -> None:
    add(engine, ("straße@example.com", "strasse@example.com"))
    schema.upgrade(url)
    schema.downgrade(url, "0002")
    assert keys(engine) == ["straße@example.com"]
    schema.upgrade(url)
    assert keys(engine) == ["straße@example.com"]


def test_db_upgrade_shows_the_accounts_that_collide(url: str, engine: Engine) -> None:
    first, second = add(
        engine, ("a@ß.example", "a@xn--zca.example"), ("a@ß.example", "a@ss.example")
    )
    done = subprocess.run(
        [sys.executable, "-m", "authsvc", "db", "upgrade"],
        env={**Operator(url).environment, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0
    assert f"Accounts {first} and {second} have the same e-mail address." in done.stderr
