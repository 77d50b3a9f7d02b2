"""The app under test, its database, and the cast: Alice, and Bob who must never see her things."""

import gc
import os
import shutil
import tempfile
from collections.abc import Callable, Generator, Iterator
from fcntl import LOCK_EX, LOCK_SH, LOCK_UN, flock
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Connection, delete

from authsvc import create_app
from authsvc.database import dispose, our_engine, our_tables, schema, writing
from authsvc.server.cores import usable_cores
from authsvc.sessions.own_claims import AccessClaims
from authsvc.settings import Settings
from authsvc.users.passwords import Argon2id, Passwords
from authsvc.web import registry
from tests.browser.chromium import NO_CHROMIUM, find_chromium
from tests.support import few_reports, shares
from tests.support.left_out_cases import leave_out_cases
from tests.support.mailbox import APP_URL, Mailbox
from tests.support.operator_commands import Operator
from tests.support.people import Person
from tests.support.pgbouncer_server import pgbouncer
from tests.support.postgres_cluster import Address, Cluster, find_binaries
from tests.support.running_service import GUNICORN, SERVERS
from tests.support.signing_secrets import ACCESS_SECRET, FACTOR_SECRET, REFRESH_SECRET

MakeApp = Callable[..., Flask]
MakeDatabase = Callable[[], str]


DATABASES = ["sqlite", "postgres", "pgbouncer"]
POOLED = {"mail", "sessions"}
"""The rooms whose tests run through PgBouncer too: those with transactions of each kind."""
DOOR, ROOM = (
    os.open(Path(__file__).with_name(name), os.O_RDONLY) for name in ("conftest.py", "__init__.py")
)
"""Two files to lock; any two will do."""
NUMBERS = count(1)
"""Numbers of databases: pytest may return to a database that it has left."""
MADE: list[Flask] = []
"""The apps that the tests of the current file have made: they live as long as their connections."""
SHARED: list[Flask] = []
"""The apps that the tests of several files share."""
CLUSTER = pytest.StashKey[Cluster]()
NO_POSTGRES = (
    "Postgres is not installed here, so only SQLite was tested: apt-get install postgresql"
)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--database", choices=DATABASES, help="run on this database only")
    parser.addoption(
        "--server", choices=SERVERS, help="run the service under this server alone (gunicorn)"
    )
    parser.addoption(
        "--soak", action="store_true", help="run many rounds of tests that depend on timing"
    )


def pytest_configure(config: pytest.Config) -> None:
    gc.set_threshold(10_000, 10, 20)  # by default the search for garbage takes 5 % of the time
    config.addinivalue_line("markers", "only(database): run on that database alone")
    config.addinivalue_line(
        "markers", "alone: run while no other test runs, because it measures time"
    )
    config.addinivalue_line("markers", "soak: run with --soak only, because it takes long")
    config.addinivalue_line(
        "markers", "once: run on one database, because it does not depend on the database"
    )
    config.addinivalue_line(
        "markers", "every_case: run all cases on every database, because their statements differ"
    )
    config.addinivalue_line(
        "markers",
        "both_servers: run what starts the service under gunicorn and under granian; other tests "
        "do so under granian only with --server granian",
    )
    if hasattr(config, "workerinput") and config.getoption("durations") is None:
        config.pluginmanager.register(few_reports)
    wanted = config.getoption("--database")
    if find_binaries() is None and (
        wanted in ("postgres", "pgbouncer") or os.environ.get("CI") == "true"
    ):
        raise pytest.UsageError("Postgres is not installed here: apt-get install postgresql")
    if find_chromium() is None and os.environ.get("CI") == "true":
        raise pytest.UsageError("Chromium is not installed here: apt-get install chromium")


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    if find_binaries() is None:
        terminalreporter.write_line(NO_POSTGRES, yellow=True)
    if find_chromium() is None:
        terminalreporter.write_line(NO_CHROMIUM, yellow=True)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Return two processes more than there are cores: many tests wait for a second to pass."""
    return usable_cores() + 2


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Give each process one file on one database after another."""
    return shares.scheduler(config, log)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Let the processes of one run share one cluster, which the first process owns."""
    if databases(node.config) != ["sqlite"]:
        node.workerinput["cluster"] = str(cluster_of(node.config).folder)


def pytest_unconfigure(config: pytest.Config) -> None:
    cluster = config.stash.get(CLUSTER, None)
    if cluster is not None:
        cluster.destroy()


@pytest.hookimpl(wrapper=True)
def pytest_generate_tests(metafunc: pytest.Metafunc) -> Generator[None]:
    """Run each test that needs a database on all databases, or on those of its `only` mark.

    A test of a running service runs under both servers if it is marked so.
    """
    if "wsgi_server" in metafunc.fixturenames:
        wanted = metafunc.config.getoption("--server")
        both = metafunc.definition.get_closest_marker("both_servers") is not None
        if both or wanted:
            servers = [wanted] if wanted else SERVERS
            metafunc.parametrize("wsgi_server", servers, indirect=True, scope="session")
    if "database" in metafunc.fixturenames:
        only = metafunc.definition.get_closest_marker("only")
        chosen = databases(metafunc.config)
        if metafunc.definition.path.parent.name not in POOLED:
            chosen = [name for name in chosen if name != "pgbouncer"]
        if only is not None:
            chosen = [name for name in chosen if name in only.args]
        metafunc.parametrize("database", chosen, indirect=True, scope="session")
    yield
    leave_out_cases(metafunc, databases(metafunc.config)[0])


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """While a test marked `alone` runs, start no other test in the other processes."""
    alone = item.get_closest_marker("alone") is not None
    flock(DOOR, LOCK_EX)  # a test that waits for the room to empty keeps others out
    flock(ROOM, LOCK_EX if alone else LOCK_SH)
    if not alone:
        flock(DOOR, LOCK_UN)
    try:
        return (yield)
    finally:
        flock(ROOM, LOCK_UN)
        flock(DOOR, LOCK_UN)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not config.getoption("--soak"):
        soak = [item for item in items if item.get_closest_marker("soak") is not None]
        config.hook.pytest_deselected(items=soak)
        items[:] = [item for item in items if item not in soak]
    if hasattr(config, "workerinput"):  # a process of pytest-xdist
        shares.longest_first(items)


def databases(config: pytest.Config) -> list[str]:
    wanted = config.getoption("--database")
    if wanted is not None:
        return [wanted]
    return ["sqlite"] if find_binaries() is None else DATABASES


def cluster_of(config: pytest.Config) -> Address:
    """Return the cluster of this test run, started at the first call."""
    if workerinput := getattr(config, "workerinput", None):
        return Address(Path(workerinput["cluster"]))
    if CLUSTER not in config.stash:
        binaries = find_binaries()
        assert binaries is not None
        config.stash[CLUSTER] = Cluster(binaries).start()
    return config.stash[CLUSTER].address


@pytest.fixture(scope="session")
def wsgi_server(request: pytest.FixtureRequest) -> str:
    """The server under which the test's service runs: gunicorn, or granian if it is marked so."""
    return str(getattr(request, "param", GUNICORN))


@pytest.fixture(scope="session")
def database(request: pytest.FixtureRequest) -> str:
    """The name of the database that the test runs on."""
    return str(request.param)


@pytest.fixture(scope="session")
def pooler(pytestconfig: pytest.Config) -> Iterator[Address]:
    """PgBouncer in front of the cluster of this test run."""
    with pgbouncer(cluster_of(pytestconfig)) as address:
        yield address


@pytest.fixture(scope="session")
def folder_in_memory() -> Iterator[Path]:
    """A folder in memory, where a commit does not wait for the disk."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(
        prefix="tests-", dir=memory if memory.is_dir() else None
    ) as folder:
        yield Path(folder)


@pytest.fixture(scope="session")
def make_database(
    database: str,
    request: pytest.FixtureRequest,
    pytestconfig: pytest.Config,
    worker_id: str,
    folder_in_memory: Path,
) -> MakeDatabase:
    """A function that creates a database without tables, and returns its URL."""

    def make() -> str:
        if database == "sqlite":
            return f"sqlite:///{folder_in_memory / f'{next(NUMBERS)}.db'}"
        name = f"{database}_{worker_id}_{next(NUMBERS)}"
        url = cluster_of(pytestconfig).create_database(name)
        return request.getfixturevalue("pooler").url(name) if database == "pgbouncer" else url

    return make


@pytest.fixture(scope="session")
def database_url(make_database: MakeDatabase) -> str:
    """A migrated database that only this test process uses."""
    url = make_database()
    schema.upgrade(url)
    return url


@pytest.fixture(scope="module", autouse=True)
def close_connections() -> Iterator[None]:
    """Close the connections of all apps after each file: a database has a limited number of them.

    An app that the tests of other files use connects again.
    """
    yield
    close(*MADE, *SHARED)
    MADE.clear()


def close(*apps: Flask) -> None:
    for app in apps:
        with app.app_context():
            dispose()


@pytest.fixture(scope="session")
def make_app(database_url: str) -> Iterator[MakeApp]:
    """A function that makes an app on that database; other keywords are settings in lower case.

    An app that lives longer than the tests of one file is made with `is_shared=True`.
    """

    def make(
        access_claims: AccessClaims | None = None, *, is_shared: bool = False, **settings: object
    ) -> Flask:
        chosen = {
            "database_url": database_url,
            "access_token_secret": ACCESS_SECRET.hex(),
            "refresh_token_secret": REFRESH_SECRET.hex(),
            "factor_secret": FACTOR_SECRET.hex(),
            **settings,
        }
        app = create_app(Settings.model_validate(chosen), access_claims=access_claims)
        cheapest = Argon2id(time_cost=1, memory_cost=8)
        registry.add(app, Passwords(min_length=15, argon2id=cheapest))
        (SHARED if is_shared else MADE).append(app)
        return app

    yield make
    close(*SHARED)
    SHARED.clear()


@pytest.fixture(scope="session")
def shared_app(make_app: MakeApp) -> Flask:
    return make_app(is_shared=True)


@pytest.fixture
def app(shared_app: Flask) -> Iterator[Flask]:
    """The app with default settings and an empty database."""
    yield shared_app
    empty_tables(shared_app)


@pytest.fixture(scope="session")
def mail_settings(folder_in_memory: Path) -> dict[str, str]:
    """The settings of an app that writes its mails into a folder."""
    return {
        "mail_url": f"file://{folder_in_memory / 'mail'}",
        "mail_from": "Example <no-reply@example.com>",
        "app_url": APP_URL,
    }


@pytest.fixture(scope="session")
def shared_mail_app(make_app: MakeApp, mail_settings: dict[str, str]) -> Flask:
    return make_app(is_shared=True, **mail_settings, device_binding=True)


@pytest.fixture
def mail_app(shared_mail_app: Flask) -> Iterator[Flask]:
    """The app with mail, which has every route, and an empty database. Verification is optional,
    as by default.
    """
    yield shared_mail_app
    empty_tables(shared_mail_app)


@pytest.fixture(scope="session")
def shared_required_app(make_app: MakeApp, mail_settings: dict[str, str]) -> Flask:
    return make_app(is_shared=True, **mail_settings, email_verification="required")


@pytest.fixture
def required_app(mail_app: Flask, shared_required_app: Flask) -> Flask:
    """An app whose accounts exist only once their address is verified, on `mail_app`'s database."""
    return shared_required_app


@pytest.fixture
def mailbox(mail_app: Flask, folder_in_memory: Path) -> Iterator[Mailbox]:
    """The mails of `mail_app`, and of other apps on its database once they are delivered."""
    folder = folder_in_memory / "mail"
    yield Mailbox(mail_app, folder)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def connection(app: Flask) -> Iterator[Connection]:
    """A connection past the app; each statement sees what the app has committed."""
    with app.app_context():
        engine = our_engine()
    with engine.connect() as connection:
        yield connection.execution_options(isolation_level="AUTOCOMMIT")


@pytest.fixture
def alice(app: Flask) -> Person:
    return Person(app, "alice@example.com", "a horse that is correct").register()


@pytest.fixture
def bob(app: Flask) -> Person:
    return Person(app, "bob@example.com", "a staple for a battery").register()


@pytest.fixture
def operator(database_url: str) -> Operator:
    """An operator, on the database of the test."""
    return Operator(database_url)


@pytest.fixture
def mail_operator(database_url: str, mail_settings: dict[str, str]) -> Operator:
    """An operator of a service that sends mail."""
    return Operator(database_url, **mail_settings)


def empty_tables(app: Flask) -> None:
    with app.app_context(), writing() as connection:
        for table in reversed(our_tables()):
            connection.execute(delete(table))


@pytest.fixture
def instance(tmp_path: Path) -> Path:
    """An empty folder in place of `instance/`."""
    folder = tmp_path / "instance"
    folder.mkdir()
    return folder
