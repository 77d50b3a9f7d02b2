"""Issue 14, number 5: Postgres with other settings than the usual ones."""

import pytest
from sqlalchemy import NullPool, create_engine, inspect, text
from sqlalchemy.engine import make_url

from authsvc.database import boot_checks, schema
from tests.conftest import MakeApp, MakeDatabase
from tests.support.people import Person

pytestmark = pytest.mark.only("postgres")


@pytest.fixture
def url(make_database: MakeDatabase) -> str:
    """An empty database."""
    return make_database()


def execute(url: str, statement: str) -> None:
    engine = create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(statement))


@pytest.mark.parametrize(
    "setting",
    [
        "datestyle TO 'German'",
        "datestyle TO 'SQL, DMY'",
        "intervalstyle TO 'sql_standard'",
        "bytea_output TO 'escape'",
        "standard_conforming_strings TO off",
        "client_encoding TO 'LATIN1'",
        "timezone TO 'Asia/Kathmandu'",
    ],
)
def test_5_the_service_works_with_any_setting_of_the_database(
    url: str, make_app: MakeApp, setting: str
) -> None:
    execute(url, f"ALTER DATABASE {make_url(url).database} SET {setting}")
    schema.upgrade(url)
    boot_checks.require_newest(url)
    app = make_app(database_url=url)
    alice = Person(app, "alice@example.com", "a horse that is correct").register()
    jörg = Person(app, "jörg.żółć@example.com", "a horse that is correct").register()
    for person in (alice, jörg):
        assert person.logged_in().refresh().status_code == 200
    assert alice.log_out().status_code == 204


@pytest.fixture(params=["LATIN1", "SQL_ASCII"])
def narrow_url(url: str, request: pytest.FixtureRequest) -> tuple[str, str]:
    """A database with another encoding than UTF-8, and the encoding's name."""
    name = f"{make_url(url).database}_{request.param}".lower()
    execute(url, f"CREATE DATABASE {name} ENCODING '{request.param}' TEMPLATE template0 LOCALE 'C'")
    narrow = make_url(url).set(database=name).render_as_string(hide_password=False)
    return narrow, request.param


def test_5_a_database_that_is_not_in_utf8_is_refused_with_one_sentence(
    narrow_url: tuple[str, str],
) -> None:
    url, encoding = narrow_url
    refused = pytest.raises(
        boot_checks.DatabaseUnfit,
        match=f"the database's encoding is {encoding}, which cannot hold every character: create",
    )
    with refused:
        schema.upgrade(url)
    with refused:
        boot_checks.require_newest(url)


@pytest.mark.parametrize("options", ["-csearch_path%3Dauth", "-c%20search_path%3Dauth"])
def test_5_options_in_the_url_are_kept(url: str, make_app: MakeApp, options: str) -> None:
    execute(url, "CREATE SCHEMA auth")
    with_options = f"{url}&options={options}"
    schema.upgrade(with_options)
    inspector = inspect(create_engine(url, poolclass=NullPool))
    assert "authsvc_version" in inspector.get_table_names("auth")
    assert "users" in inspector.get_table_names("auth")
    assert inspector.get_table_names("public") == []
    app = make_app(database_url=with_options)
    alice = Person(app, "alice@example.com", "a horse that is correct").register()
    assert alice.logged_in().refresh().status_code == 200
    boot_checks.require_newest(with_options)


def test_5_options_in_the_url_cannot_make_commits_less_safe(url: str) -> None:
    schema.upgrade(url)
    boot_checks.require_durable(f"{url}&options=-csynchronous_commit%3Doff")
