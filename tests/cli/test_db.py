"""`db` and `serve` on databases as an operator meets them (issue 14, numbers 5, 6, 7, 32, 34)."""

import os
import socket
import sqlite3
import stat
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import NullPool, create_engine, text

from authsvc.cli import main
from authsvc.database import revisions, schema
from authsvc.database.sqlite_files import sqlite_url
from tests.conftest import MakeDatabase
from tests.support.running_service import ROOT, Service, environment, serving
from tests.support.warm_starts import start_module


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory of the test's own, and no settings in the environment."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("AUTHSVC_")]:
        monkeypatch.delenv(name)
    return tmp_path


def run(*words: str, url: str = "", **settings: str) -> Result:
    chosen = {name: value for name, value in environment(url, **settings).items() if value}
    result = CliRunner().invoke(main, words, env=chosen, prog_name="authsvc")
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def mode(file: Path) -> int:
    return stat.S_IMODE(file.stat().st_mode)


def execute(url: str, *statements: str) -> None:
    with create_engine(url, poolclass=NullPool).begin() as connection:
        for statement in statements:
            connection.execute(text(statement))


@contextmanager
def listening() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_7_a_new_database_is_private_whatever_the_umask(here: Path) -> None:
    before = os.umask(0)
    try:
        assert run("db", "upgrade", url=sqlite_url(here / "a.db")).exit_code == 0
        with closing(sqlite3.connect(here / "a.db")) as connection:
            connection.execute("DELETE FROM users")
            connection.commit()
            files = sorted(here.iterdir())
            assert [file.name for file in files] == ["a.db", "a.db-shm", "a.db-wal", "a.db.lock"]
            assert {mode(file) for file in files} == {0o600}
    finally:
        os.umask(before)


def test_7_an_upgrade_makes_an_existing_database_private(here: Path) -> None:
    url = sqlite_url(here / "a.db")
    run("db", "upgrade", url=url)
    (here / "a.db").chmod(0o644)
    with closing(sqlite3.connect(here / "a.db")) as connection:
        connection.execute("SELECT 1 FROM users").fetchall()
        (here / "a.db-wal").chmod(0o644)
        assert run("db", "upgrade", url=url).exit_code == 0
        assert mode(here / "a.db") == mode(here / "a.db-wal") == 0o600


@pytest.mark.parametrize("words", [("db", "upgrade"), ("serve",), ("users", "list")])
def test_7_a_missing_folder_is_a_sentence_and_is_not_created(
    here: Path, words: tuple[str, ...]
) -> None:
    result = run(*words, url=sqlite_url(here / "typo" / "a.db"))
    assert result.exit_code == 1
    assert result.stderr == (
        f"Error: The database's folder {here}/typo does not exist: "
        "create it, or correct AUTHSVC_DATABASE_URL\n"
    )
    assert list(here.iterdir()) == []


def test_7_the_default_instance_folder_is_created(here: Path) -> None:
    assert run("db", "upgrade").exit_code == 0
    assert (here / "instance" / "authsvc.db").exists()


def test_7_a_working_directory_may_have_any_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "what?now #1 100%41"
    folder.mkdir()
    monkeypatch.chdir(folder)
    assert run("db", "upgrade").exit_code == 0
    assert run("users", "list").exit_code == 0
    assert (folder / "instance" / "authsvc.db").exists()


def test_7_backup_and_restore_by_command(here: Path) -> None:
    url, copy = sqlite_url(here / "a.db"), str(here / "copy.db")
    run("db", "upgrade", url=url)
    assert f"Wrote {copy}." in run("db", "backup", copy, url=url).stdout
    assert "choose a name that is free" in run("db", "backup", copy, url=url).stderr
    result = run("db", "restore", copy, url=url)
    assert result.exit_code == 0
    assert f"Restored {here}/a.db.\nThe old database is {here}/a.db.before-" in result.stdout
    assert "sessions revoke --all" in result.stdout


def test_7_on_postgres_backup_and_restore_name_its_own_programs() -> None:
    url = "postgresql://alice:canary@127.0.0.1:1/authsvc"
    for words, program in [(("backup", "x"), "pg_dump"), (("restore", "x"), "pg_restore")]:
        result = run("db", *words, url=url)
        assert result.stderr == f"Error: The database is not SQLite: use Postgres' {program}.\n"
        assert result.exit_code == 1


@pytest.fixture
def service(here: Path) -> Iterator[Service]:
    """A service on `a.db`, which it has opened."""
    url = sqlite_url(here / "a.db")
    schema.upgrade(url)
    with serving(url, here / "output", workers=2) as service:
        with service.connected() as connection:
            connection.request("GET", "/readyz")
            assert connection.getresponse().status == 200
        yield service


def test_7_restore_is_refused_while_the_service_is_running_and_works_after_it(
    here: Path, service: Service
) -> None:
    url = sqlite_url(here / "a.db")
    assert run("db", "backup", "copy.db", url=url).exit_code == 0
    refused = run("db", "restore", "copy.db", url=url)
    assert refused.exit_code == 1
    assert f"The service is running on {here}/a.db: stop it before you restore" in refused.stderr
    service.process.terminate()  # a master that is killed may end before its workers do
    service.process.wait(timeout=30)
    assert run("db", "restore", "copy.db", url=url).exit_code == 0


def test_7_a_clean_stop_leaves_one_complete_file(here: Path, service: Service) -> None:
    body = '{"email": "alice@example.com", "password": "a horse that is correct"}'
    with service.connected() as connection:
        connection.request("POST", "/auth/register", body, {"Content-Type": "application/json"})
        assert connection.getresponse().status == 201
    service.process.terminate()
    assert service.process.wait(timeout=30) == 0
    assert sorted(path.name for path in here.glob("a.db*")) == [
        "a.db",
        "a.db.lock",
        "a.db.serving",
    ]
    alone = (here / "alone.db").write_bytes((here / "a.db").read_bytes())
    assert alone > 0
    with closing(sqlite3.connect(here / "alone.db")) as connection:
        assert connection.execute("SELECT email FROM users").fetchall() == [("alice@example.com",)]


def test_6_a_schema_newer_than_the_code_is_left_as_it_is(make_database: MakeDatabase) -> None:
    url = make_database()
    run("db", "upgrade", url=url)
    execute(url, "UPDATE authsvc_version SET version_num = '9999'")
    result = run("db", "upgrade", url=url)
    assert result.exit_code == 0
    assert result.stdout == (
        f"The database is at revision 9999, which is newer than {revisions.newest()}, this"
        " version's. It was not changed: a migration only adds.\n"
    )
    assert run("users", "list", url=url).exit_code == 0


def test_34_db_copy_names_the_tables_that_it_leaves_behind(
    make_database: MakeDatabase, here: Path
) -> None:
    source, target = make_database(), sqlite_url(here / "target.db")
    run("db", "upgrade", url=source)
    assert "not copied" not in run("db", "copy", source, sqlite_url(here / "x.db")).stdout
    execute(source, "CREATE TABLE orders (id INTEGER)", "CREATE TABLE items (id INTEGER)")
    result = run("db", "copy", source, target)
    assert result.exit_code == 0
    assert "These tables are not authsvc's and were not copied: items, orders." in result.stdout


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://alice:can@ry@db.example/authsvc",
        "postgresql://alice:can@r/y@db.example/authsvc",
        "postgres://alice:can@ry:secret@db.example/authsvc",
    ],
)
def test_32_an_at_sign_in_a_password_is_explained_and_no_piece_of_it_is_shown(url: str) -> None:
    result = run("db", "upgrade", url=url)
    assert result.exit_code == 1
    assert "AUTHSVC_DATABASE_URL must have one @" in result.stderr
    assert "write %40 for each @" in result.stderr
    assert not {"can", "ry", "r/y", "secret"} & set(result.stderr.replace("@", " ").split())
    assert "db.example" not in result.stderr


@pytest.mark.parametrize(
    ("package", "settings", "extra"),
    [
        ("redis", {"url": "sqlite:///a.db", "rate_limit_storage": "redis://127.0.0.1/0"}, "redis"),
        ("psycopg", {"url": "postgresql://127.0.0.1/authsvc"}, "postgres"),
    ],
)
def test_32_a_missing_package_is_a_sentence_that_names_the_extra(
    monkeypatch: pytest.MonkeyPatch, package: str, settings: dict[str, str], extra: str
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    result = run("users", "list", **settings)
    assert result.exit_code == 1
    assert f"needs the [{extra}] extra ({package} is not installed)" in result.stderr


def test_32_a_busy_port_is_a_sentence_that_says_how_to_choose_another(here: Path) -> None:
    with listening() as port:
        env = {**environment(sqlite_url(here / "a.db")), "PYTHONPATH": str(ROOT), "PORT": str(port)}
        done = start_module(["authsvc", "serve", "--workers", "1"], here, env, here / "output")
        assert done.wait(timeout=30) == 1
    said = (here / "output").read_text()
    assert f"another program uses 127.0.0.1:{port}. Stop it, or choose another port" in said
    assert "such as PORT=8001" in said
    assert "Traceback" not in said
