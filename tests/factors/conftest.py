"""An account of its own database, for the cases whose responses are refused and change nothing."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection

from authsvc.database import our_engine, schema
from tests.conftest import MakeApp, MakeDatabase
from tests.support.people import Person


@pytest.fixture(scope="module")
def owner(make_app: MakeApp, make_database: MakeDatabase) -> Person:
    """A person with an account and a session, whose many failures reach no limit."""
    url = make_database()
    schema.upgrade(url)
    app = make_app(database_url=url, rate_limit_factor=1000)
    return Person(app, "owner@example.com", "a lamp for the attic").register().logged_in()


@pytest.fixture(scope="module")
def rows(owner: Person) -> Iterator[Connection]:
    """A connection to the owner's database, past the app."""
    with owner.app.app_context():
        engine = our_engine()
    with engine.connect() as connection:
        yield connection.execution_options(isolation_level="AUTOCOMMIT")
