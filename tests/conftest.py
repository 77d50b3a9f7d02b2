"""The app under test, its database, and the cast: Alice, and Bob who must never see her things."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from pwdlib.hashers.argon2 import Argon2Hasher
from sqlalchemy import Connection, delete

from authsvc import create_app, schema
from authsvc.components import install
from authsvc.database import Base, db, writing
from authsvc.settings import Settings
from authsvc.users.passwords import Passwords
from tests.people import Person
from tests.secrets import ACCESS_SECRET, REFRESH_SECRET

MakeApp = Callable[..., Flask]


@pytest.fixture(scope="session")
def database_url(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A migrated database of this test process's own."""
    url = f"sqlite:///{tmp_path_factory.mktemp('database') / 'authsvc.db'}"
    schema.upgrade(url)
    return url


@pytest.fixture(scope="session")
def make_app(database_url: str) -> MakeApp:
    """Makes an app on that database; keywords are settings in lower case."""

    def make(**settings: object) -> Flask:
        chosen = {
            "database_url": database_url,
            "access_token_secret": ACCESS_SECRET.hex(),
            "refresh_token_secret": REFRESH_SECRET.hex(),
            **settings,
        }
        app = create_app(Settings.model_validate(chosen))
        cheapest = Argon2Hasher(time_cost=1, memory_cost=8, parallelism=1)
        install(app, Passwords(min_length=15, hasher=cheapest))
        return app

    return make


@pytest.fixture(scope="session")
def shared_app(make_app: MakeApp) -> Flask:
    return make_app()


@pytest.fixture
def app(shared_app: Flask) -> Iterator[Flask]:
    """The app with default settings and an empty database."""
    yield shared_app
    empty_tables(shared_app)


@pytest.fixture
def connection(app: Flask) -> Iterator[Connection]:
    """A look at the rows, past the app: what it commits is seen from the next statement on."""
    with app.app_context():
        engine = db.engine
    with engine.connect() as connection:
        yield connection.execution_options(isolation_level="AUTOCOMMIT")


@pytest.fixture
def alice(app: Flask) -> Person:
    return Person(app, "alice@example.com", "a horse that is correct").register()


@pytest.fixture
def bob(app: Flask) -> Person:
    return Person(app, "bob@example.com", "a staple for a battery").register()


def empty_tables(app: Flask) -> None:
    with app.app_context(), writing() as connection:
        for table in reversed(Base.metadata.sorted_tables):
            connection.execute(delete(table))


@pytest.fixture
def instance(tmp_path: Path) -> Path:
    """An empty folder in the place of `instance/`."""
    folder = tmp_path / "instance"
    folder.mkdir()
    return folder
