"""Statements that the driver executes raise the same errors as SQLAlchemy Core."""

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import NamedTuple
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import Connection, bindparam, func, insert, select
from sqlalchemy.exc import IntegrityError, OperationalError

from authsvc import clock
from authsvc.database import reading, writing
from authsvc.database.compiled import Command, Query
from authsvc.users.model import User

ALICE = {
    "id": UUID(int=1),
    "email": "Alice@example.com",
    "email_key": "alice@example.com",
    "password_hash": "secret",
    "created_at": clock.now(),
    "disabled_at": None,
    "email_verified_at": None,
    "locale": None,
    "roles": "",
}


class Email(NamedTuple):
    email: str


ADD = Command(insert(User))
EMAIL = Query(select(User.email).where(User.id == bindparam("id")), Email)


def test_a_violated_constraint_is_an_integrity_error_that_shows_no_value(app: Flask) -> None:
    with app.app_context():
        with writing() as connection:
            ADD.run(connection, **ALICE)
        with pytest.raises(IntegrityError) as refused, writing() as connection:
            ADD.run(connection, **ALICE | {"id": UUID(int=2)})
        assert "secret" not in str(refused.value)
        assert EMAIL.look_up(id=UUID(int=1)) == Email("Alice@example.com")
        assert EMAIL.look_up(id=UUID(int=2)) is None


@pytest.mark.only("postgres")
@pytest.mark.parametrize("connected", [reading, writing])
def test_a_lost_connection_raises_an_operational_error_and_is_replaced_without_a_log_line(
    app: Flask,
    caplog: pytest.LogCaptureFixture,
    connected: Callable[[], AbstractContextManager[Connection]],
) -> None:
    with app.app_context(), caplog.at_level(logging.INFO):
        with pytest.raises(OperationalError):
            read_over_a_lost_connection(connected)
        assert caplog.text == ""
        assert EMAIL.look_up(id=UUID(int=1)) is None


def read_over_a_lost_connection(
    connected: Callable[[], AbstractContextManager[Connection]],
) -> None:
    with connected() as connection:
        pid = connection.connection.driver_connection.info.backend_pid
        with reading() as other:
            assert other.execute(select(func.pg_terminate_backend(pid))).scalar()
        EMAIL.all(connection, id=UUID(int=1))
