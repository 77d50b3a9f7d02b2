"""The schema: models and migrations agree, upgrades may run at once, a failure changes nothing."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, NullPool, create_engine, inspect, select, text
from sqlalchemy.exc import DBAPIError

from authsvc.database import Base, boot_checks, prepare_engine, revisions, schema
from authsvc.database.copying import copy
from authsvc.database.version_table import VERSION_TABLE, present
from tests.conftest import MakeDatabase
from tests.support.processes import at_once

OF_0001 = {"users", "refresh_tokens", "rate_limits", "authsvc_version"}
OF_0003 = OF_0001 | {"security_events"}
TABLES = OF_0003 | {
    *("outbox", "one_time_tokens"),
    *("totp", "recovery_codes", "passkeys", "used_challenges"),
}
NEXT = "9999"
AN_EVENT = (
    "INSERT INTO security_events (id, at, event, user_id, actor)"
    " SELECT id, created_at, 'registered', id, 'user' FROM users"
)


@pytest.fixture
def url(make_database: MakeDatabase) -> str:
    """An empty database."""
    return make_database()


@pytest.fixture
def engine(url: str) -> Iterator[Engine]:
    """An engine for that database that connects as the service does."""
    engine = create_engine(url, poolclass=NullPool)
    prepare_engine(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def migrations(tmp_path: Path) -> Path:
    """A copy of the migrations folder, to which a test can add revisions."""
    copy = tmp_path / "100% migrations"
    shutil.copytree(revisions.MIGRATIONS, copy)
    return copy


def add(migrations: Path, *statements: str) -> None:
    """Add a revision after the newest, which runs these Python statements."""
    (migrations / "versions" / f"{NEXT}_more.py").write_text(
        "import sqlalchemy as sa\nfrom alembic import op\n\n"
        f'revision = "{NEXT}"\ndown_revision = "{revisions.newest()}"\n\n\n'
        "def upgrade() -> None:\n" + "".join(f"    {line}\n" for line in statements)
    )


def tables(engine: Engine) -> set[str]:
    return set(inspect(engine).get_table_names())


def fill(engine: Engine) -> None:
    """Insert Alice and one session of hers."""
    at = "2026-11-24 10:57:00.000000"
    alice, session = "00000000000070008000000000000001", "00000000000070008000000000000002"
    with engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO users (id, email, email_key, password_hash, created_at)"
                f" VALUES ('{alice}', 'a@example.com', 'a@example.com', 'x', '{at}')"
            )
        )
        connection.execute(
            text(
                "INSERT INTO refresh_tokens"
                " (id, user_id, token_hash, issued_at, expires_at, last_used_at)"
                f" VALUES ('{session}', '{alice}', :hash, '{at}', '{at}', '{at}')"
            ),
            {"hash": b"hash"},
        )


def owners(engine: Engine) -> list[str]:
    """Return the e-mail addresses of all sessions' users."""
    query = "SELECT email FROM refresh_tokens JOIN users ON users.id = user_id"
    with engine.connect() as connection:
        return list(connection.execute(text(query)).scalars())


def column(engine: Engine, name: str) -> list[str]:
    """Return that column of all users."""
    with engine.connect() as connection:
        return list(connection.execute(text(f"SELECT {name} FROM users")).scalars())


def events(engine: Engine) -> int:
    """Return how many security events the database has."""
    with engine.connect() as connection:
        return connection.execute(text("SELECT count(*) FROM security_events")).scalar_one()


def test_models_and_migrations_are_equal(url: str, engine: Engine) -> None:
    schema.upgrade(url)
    assert tables(engine) == TABLES
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "version_table": VERSION_TABLE}
        )
        assert compare_metadata(context, Base.metadata) == []


def test_the_revisions_that_are_read_from_the_files_are_those_of_alembic() -> None:
    scripts = ScriptDirectory(str(revisions.MIGRATIONS))
    assert revisions.revisions() == {script.revision for script in scripts.walk_revisions()}
    assert revisions.newest() == scripts.get_current_head()


def test_a_second_upgrade_changes_nothing(url: str, engine: Engine) -> None:
    schema.upgrade(url)
    fill(engine)
    schema.upgrade(url)
    assert owners(engine) == ["a@example.com"]
    with engine.connect() as connection:
        assert present(connection) == revisions.newest()


def test_eight_processes_may_start_at_once(url: str, engine: Engine) -> None:
    assert at_once(8, schema.upgrade, url) == [0] * 8
    assert tables(engine) == TABLES


def test_down_and_up_again_with_data_in_the_tables(url: str, engine: Engine) -> None:
    schema.upgrade(url)
    fill(engine)
    schema.downgrade(url, "base")
    assert tables(engine) == {"authsvc_version"}
    schema.upgrade(url)
    fill(engine)
    assert owners(engine) == ["a@example.com"]


def test_0002_keeps_existing_rows_and_grants_no_role(url: str, engine: Engine) -> None:
    schema.upgrade(url, "0001")
    fill(engine)
    schema.upgrade(url)
    assert owners(engine) == ["a@example.com"]
    assert column(engine, "roles") == [""]
    with engine.begin() as connection:
        connection.execute(text("UPDATE users SET roles = 'admin'"))
        connection.execute(text(AN_EVENT))
    schema.downgrade(url, "0001")
    assert tables(engine) == OF_0001
    assert "roles" not in {found["name"] for found in inspect(engine).get_columns("users")}
    assert owners(engine) == ["a@example.com"]
    schema.upgrade(url)
    assert column(engine, "roles") == [""]
    assert events(engine) == 0


A_MAIL = (
    "INSERT INTO outbox (id, kind, email, email_key, user_id, created_at, due_at, attempts)"
    " SELECT id, 'verification', email, email_key, id, created_at, created_at, 0 FROM users"
)
A_LINK = (
    "INSERT INTO one_time_tokens"
    " (id, purpose, token_hash, user_id, email, email_key, locale, expires_at)"
    " SELECT id, 'verification', :hash, id, email, email_key, 'de', created_at FROM users"
)


def add_mail(engine: Engine) -> None:
    """Insert a mail to Alice that waits, and the link that it carries."""
    with engine.begin() as connection:
        connection.execute(text(A_MAIL))
        connection.execute(text(A_LINK), {"hash": b"hash"})


def counts(engine: Engine, *names: str) -> list[int]:
    """Return how many rows each of these tables has."""
    with engine.connect() as connection:
        queries = [text(f"SELECT count(*) FROM {name}") for name in names]
        return [connection.execute(query).scalar_one() for query in queries]


def test_0004_keeps_existing_rows_and_a_downgrade_keeps_all_but_its_own(
    url: str, engine: Engine
) -> None:
    schema.upgrade(url, "0003")
    fill(engine)
    with engine.begin() as connection:
        connection.execute(text(AN_EVENT))
        connection.execute(text("UPDATE users SET roles = 'admin'"))
    schema.upgrade(url)
    assert owners(engine) == ["a@example.com"]
    assert (column(engine, "roles"), column(engine, "locale")) == (["admin"], [None])
    assert events(engine) == 1
    add_mail(engine)
    assert counts(engine, "outbox", "one_time_tokens") == [1, 1]
    schema.downgrade(url, "0003")
    assert tables(engine) == OF_0003
    assert "locale" not in {found["name"] for found in inspect(engine).get_columns("users")}
    assert (owners(engine), column(engine, "roles")) == (["a@example.com"], ["admin"])
    assert events(engine) == 1
    schema.upgrade(url)
    assert counts(engine, "outbox", "one_time_tokens", "users") == [0, 0, 1]


def test_deleting_a_user_by_sql_deletes_the_users_mails_and_links(url: str, engine: Engine) -> None:
    schema.upgrade(url)
    fill(engine)
    add_mail(engine)
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM users"))
    assert counts(engine, "outbox", "one_time_tokens") == [0, 0]


def test_a_copy_has_the_mails_and_links_too(url: str, engine: Engine, tmp_path: Path) -> None:
    schema.upgrade(url)
    fill(engine)
    add_mail(engine)
    target = f"sqlite:///{tmp_path / 'target.db'}"
    copied = dict(copy(url, target))
    assert [copied[name] for name in ("users", "outbox", "one_time_tokens")] == [1, 1, 1]
    other = create_engine(target, poolclass=NullPool)
    for name in ("outbox", "one_time_tokens", "users"):
        assert rows_of(other, name) == rows_of(engine, name) != []


def rows_of(engine: Engine, table: str) -> list[tuple[object, ...]]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(select(Base.metadata.tables[table]))]


def test_an_insert_without_roles_still_works(url: str, engine: Engine) -> None:
    schema.upgrade(url)
    fill(engine)  # as an import does, and the version before roles while it still runs
    assert column(engine, "roles") == [""]


def test_deleting_a_user_by_sql_deletes_the_users_events(url: str, engine: Engine) -> None:
    schema.upgrade(url)
    fill(engine)
    with engine.begin() as connection:
        connection.execute(text(AN_EVENT))
    assert events(engine) == 1
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM users"))
    assert events(engine) == 0


def test_a_failing_migration_changes_nothing(url: str, engine: Engine, migrations: Path) -> None:
    schema.upgrade(url)
    fill(engine)
    add(
        migrations,
        "op.create_table('half', sa.Column('id', sa.Integer()))",
        "op.add_column('users', sa.Column('nickname', sa.String()))",
        "op.execute('DELETE FROM users')",
        "op.execute('this is not SQL')",
    )
    with pytest.raises(DBAPIError):
        schema.upgrade(url, migrations=migrations)
    assert tables(engine) == TABLES
    assert "nickname" not in {column["name"] for column in inspect(engine).get_columns("users")}
    assert owners(engine) == ["a@example.com"]
    boot_checks.require_newest(url)


def test_a_first_migration_that_fails_leaves_an_empty_database(
    url: str, engine: Engine, migrations: Path
) -> None:
    add(migrations, "op.execute('this is not SQL')")
    with pytest.raises(DBAPIError):
        schema.upgrade(url, migrations=migrations)
    assert tables(engine) == set()


def test_rebuilding_a_table_keeps_the_rows_that_refer_to_it(
    url: str, engine: Engine, migrations: Path
) -> None:
    schema.upgrade(url)
    fill(engine)
    add(
        migrations,
        "with op.batch_alter_table('users') as users:",
        "    users.alter_column('email', existing_type=sa.String(), type_=sa.String(320))",
    )
    schema.upgrade(url, migrations=migrations)
    assert owners(engine) == ["a@example.com"]


def test_a_migration_that_orphans_rows_is_rolled_back(
    url: str, engine: Engine, migrations: Path
) -> None:
    if engine.dialect.name != "sqlite":
        return  # on Postgres the constraint itself refuses
    schema.upgrade(url)
    fill(engine)
    add(migrations, "op.execute('DELETE FROM users')")
    with pytest.raises(RuntimeError, match="rows that refer to missing rows"):
        schema.upgrade(url, migrations=migrations)
    assert owners(engine) == ["a@example.com"]


def test_an_older_database_is_refused_until_it_is_upgraded(url: str, migrations: Path) -> None:
    with pytest.raises(
        boot_checks.DatabaseUnfit, match="no tables yet: run `python -m authsvc db up"
    ):
        boot_checks.require_newest(url)
    schema.upgrade(url)
    boot_checks.require_newest(url)
    schema.downgrade(url, "base")
    with pytest.raises(boot_checks.DatabaseUnfit, match="no tables yet"):
        boot_checks.require_newest(url)
    add(migrations, "pass")
    schema.upgrade(url)
    behind = f"is at revision {revisions.newest()}, and this version needs {NEXT}: run"
    with pytest.raises(boot_checks.DatabaseUnfit, match=behind):
        boot_checks.require_newest(url, migrations)
    schema.upgrade(url, migrations=migrations)
    boot_checks.require_newest(url, migrations)


def test_a_database_newer_than_the_code_is_accepted(url: str, migrations: Path) -> None:
    add(migrations, "pass")
    schema.upgrade(url, migrations=migrations)
    boot_checks.require_newest(url)


def test_after_an_upgrade_sqlite_uses_wal_and_enforces_foreign_keys(
    url: str, engine: Engine
) -> None:
    schema.upgrade(url)
    if engine.dialect.name != "sqlite":
        return
    with engine.connect() as connection:
        assert connection.execute(text("PRAGMA journal_mode")).scalar_one() == "wal"
        assert connection.execute(text("PRAGMA foreign_keys")).scalar_one() == 1
        assert connection.execute(text("PRAGMA foreign_key_check")).all() == []


def test_a_file_that_is_not_a_database_is_refused_with_a_sentence(tmp_path: Path) -> None:
    file = tmp_path / "letter"
    file.write_text("This is a letter. " * 100)
    with pytest.raises(boot_checks.DatabaseUnfit, match="cannot be read: file is not a database"):
        boot_checks.require_newest(f"sqlite:///{file}")


def execute(engine: Engine, *statements: str) -> None:
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))


FOREIGN = (
    "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)",
    "INSERT INTO alembic_version VALUES ('0001')",
)


def test_5_the_alembic_version_of_another_application_is_left_alone(
    url: str, engine: Engine
) -> None:
    execute(engine, *FOREIGN)
    with pytest.raises(boot_checks.DatabaseUnfit, match="no tables yet"):
        boot_checks.require_newest(url)
    for _ in range(2):
        assert schema.upgrade(url) == revisions.newest()
    boot_checks.require_newest(url)
    with engine.connect() as connection:
        query = text("SELECT version_num FROM alembic_version")
        assert list(connection.execute(query).scalars()) == ["0001"]
    assert tables(engine) == TABLES | {"alembic_version"}


@pytest.mark.parametrize("revision", ["0001", "head"])
def test_5_a_database_of_an_earlier_checkout_is_adopted(
    url: str, engine: Engine, revision: str
) -> None:
    schema.upgrade(url, revision)
    fill(engine)
    execute(engine, "ALTER TABLE authsvc_version RENAME TO alembic_version")
    if revision == "0001":
        with pytest.raises(boot_checks.DatabaseUnfit, match="is at revision 0001, and this"):
            boot_checks.require_newest(url)
    else:
        boot_checks.require_newest(url)
    assert schema.upgrade(url) == revisions.newest()
    assert tables(engine) == TABLES
    assert owners(engine) == ["a@example.com"]


def test_6_an_upgrade_leaves_a_newer_database_as_it_is(
    url: str, engine: Engine, migrations: Path
) -> None:
    add(migrations, "op.create_table('newer', sa.Column('id', sa.Integer()))")
    schema.upgrade(url, migrations=migrations)
    fill(engine)
    assert schema.upgrade(url) == NEXT
    assert boot_checks.require_newest(url) == NEXT
    assert tables(engine) == TABLES | {"newer"}
    assert owners(engine) == ["a@example.com"]
