"""The commands, as an operator types them."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import NullPool, create_engine, text

from authsvc.cli import main
from authsvc.database import revisions, schema
from authsvc.settings.sources import load_settings
from tests.support.processes import at_once
from tests.support.running_service import ROOT, environment, free_port
from tests.support.terminal import at_terminal

PASSWORD = "a horse that is correct"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory of the test's own, and no settings in the environment."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("AUTHSVC_")]:
        monkeypatch.delenv(name)
    return tmp_path


def run(*words: str, stdin: str = "", **settings: str) -> Result:
    result = CliRunner().invoke(main, words, input=stdin, env=settings, prog_name="authsvc")
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def python_m_authsvc(*words: str, settings: dict[str, str]) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "authsvc", *words],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **settings},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture
def url(here: Path) -> str:
    return f"sqlite:///{here / 'authsvc.db'}"


@pytest.fixture
def settings(url: str) -> dict[str, str]:
    """Valid settings, with an upgraded database."""
    schema.upgrade(url)
    return environment(url)


def emails(url: str) -> list[str]:
    with create_engine(url, poolclass=NullPool).connect() as connection:
        return list(connection.execute(text("SELECT email FROM users ORDER BY email")).scalars())


def test_the_version_is_printed() -> None:
    assert run("--version").stdout == "authsvc, version 0.1.0\n"


def test_secrets_prints_three_lines_that_are_valid_settings(instance: Path) -> None:
    (instance / "authsvc.env").write_text(run("secrets").stdout)
    settings = load_settings(instance, {})
    found = (settings.access_token_secret, settings.refresh_token_secret, settings.factor_secret)
    secrets = {secret.get_secret_value() for secret in found}
    assert [len(secret) for secret in secrets] == [64] * 3
    assert len((instance / "authsvc.env").read_text().splitlines()) == 3


def test_a_service_of_the_version_before_gets_the_line_that_it_lacks(instance: Path) -> None:
    file = instance / "authsvc.env"
    file.write_text("".join(run("secrets").stdout.splitlines(keepends=True)[:2]))
    before = load_settings(instance, {})
    assert before.factor_secret is None
    with file.open("a") as appended:
        grep = ["grep", "FACTOR"]  # as docs/deploy.md and the help say
        subprocess.run(grep, input=run("secrets").stdout, stdout=appended, text=True, check=True)
    after = load_settings(instance, {})
    assert after.factor_secret is not None
    assert after == before.model_copy(update={"factor_secret": after.factor_secret})


def test_secrets_are_fresh_each_time() -> None:
    lines = [line for _ in range(20) for line in run("secrets").stdout.splitlines()]
    assert len({line.partition("=")[2] for line in lines}) == 60


@pytest.mark.parametrize("algorithm", ["EdDSA", "ES256"])
@pytest.mark.parametrize("shell", [False, True])
def test_keys_generate_prints_two_lines_that_are_valid_settings(
    instance: Path, algorithm: str, shell: bool
) -> None:
    words = [] if algorithm == "ES256" else ["--algorithm", algorithm]
    lines = run("keys", "generate", *words).stdout
    assert len(lines.splitlines()) == 2
    refresh = run("secrets").stdout.splitlines()[1]
    environ = {}
    if shell:  # as a shell and systemd read them
        script = f"set -a\n{lines}{refresh}\nenv -0"
        printed = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True)
        environ = dict(line.split("=", 1) for line in printed.stdout.split("\0") if line)
    else:
        (instance / "authsvc.env").write_text(f"{lines}{refresh}\n")
    settings = load_settings(instance, environ)
    assert settings.access_token_algorithm == algorithm
    assert settings.access_token_private_key is not None
    assert settings.access_token_private_key.algorithm == algorithm
    assert settings.access_token_secret is None


def test_keys_are_fresh_each_time() -> None:
    assert len({run("keys", "generate").stdout for _ in range(20)}) == 20


def test_an_unknown_algorithm_is_refused_with_the_known_ones() -> None:
    result = run("keys", "generate", "--algorithm", "RS256")
    assert result.exit_code == 2
    assert "is not one of 'EdDSA', 'ES256'" in result.stderr


def test_init_writes_a_file_that_only_its_owner_reads(here: Path) -> None:
    before = os.umask(0)
    try:
        result = run("init")
    finally:
        os.umask(before)
    file = here / "instance" / "authsvc.env"
    assert result.exit_code == 0
    assert str(file) in result.stdout
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert load_settings(here / "instance", {})
    assert file.read_text().partition("=")[2][:20] not in result.stdout


def test_init_does_not_change_an_existing_file(here: Path) -> None:
    run("init")
    file = here / "instance" / "authsvc.env"
    before = file.read_text()
    result = run("init")
    assert result.exit_code == 0
    assert "exists already and was not changed" in result.stdout
    assert file.read_text() == before


def test_eight_inits_at_once_write_one_complete_file(here: Path) -> None:
    assert at_once(8, init_in, str(here)) == [0] * 8
    written = [path for path in here.iterdir() if path.is_file() and "Wrote" in path.read_text()]
    assert len(written) == 1
    assert [path.name for path in (here / "instance").iterdir()] == ["authsvc.env"]
    assert load_settings(here / "instance", {})


def init_in(folder: str) -> None:
    os.chdir(folder)
    result = run("init")
    (Path(folder) / f"output.{os.getpid()}").write_text(result.output)
    sys.exit(result.exit_code)


def test_init_says_that_it_cannot_write_the_file(here: Path) -> None:
    (here / "instance").write_text("a file in the folder's place")
    result = run("init")
    assert result.exit_code == 1
    assert result.stderr == f"Error: {here}/instance/authsvc.env cannot be written: File exists.\n"


def test_db_upgrade_creates_the_tables_and_may_be_repeated(here: Path) -> None:
    run("init")
    for _ in range(2):
        result = run("db", "upgrade")
        assert result.exit_code == 0
        assert result.stdout == f"The database is up to date (revision {revisions.newest()}).\n"
    assert emails(f"sqlite:///{here / 'instance' / 'authsvc.db'}") == []


@pytest.mark.parametrize("words", [["db", "upgrade"], ["users", "create", "alice@example.com"]])
def test_without_settings_each_command_says_what_to_do(words: list[str], here: Path) -> None:
    result = run(*words, stdin=PASSWORD)
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: Invalid settings:\n")
    assert "AUTHSVC_ACCESS_TOKEN_SECRET is missing: run `python -m authsvc secrets`" in (
        result.stderr
    )
    assert list(here.iterdir()) == []


@pytest.mark.parametrize("words", [["db", "upgrade"], ["users", "create", "alice@example.com"]])
def test_an_unreachable_database_is_named_without_its_password(words: list[str]) -> None:
    away = environment(f"postgresql://alice:canary@127.0.0.1:{free_port()}/authsvc")
    process = python_m_authsvc(*words, settings=away)
    stdout, stderr = process.communicate(timeout=30)
    assert process.returncode == 1
    assert stderr.startswith("Error: The database at 127.0.0.1 cannot be used: ")
    assert "Check that it is running and that AUTHSVC_DATABASE_URL is right." in stderr
    assert "Traceback" not in stderr
    assert "canary" not in stdout + stderr


def test_a_file_that_is_not_a_database_is_named(here: Path, url: str) -> None:
    (here / "authsvc.db").write_text("This is a letter. " * 100)
    upgrade = run("db", "upgrade", **environment(url))
    assert upgrade.exit_code == 1
    assert f"The database {here}/authsvc.db cannot be used: file is not" in upgrade.stderr
    create = run("users", "create", "alice@example.com", stdin=PASSWORD, **environment(url))
    assert create.exit_code == 1
    assert "The database cannot be read: file is not a database" in create.stderr


def test_users_create_reads_the_password_from_stdin(settings: dict[str, str], url: str) -> None:
    result = run("users", "create", "alice@example.com", stdin=f"{PASSWORD}\n", **settings)
    assert result.exit_code == 0, result.stderr
    assert result.stdout.startswith("alice@example.com can log in now (id ")
    assert PASSWORD not in result.output
    assert emails(url) == ["alice@example.com"]


def test_at_a_terminal_the_password_is_typed_twice_and_not_shown(
    settings: dict[str, str], url: str
) -> None:
    env = {**settings, "PYTHONPATH": str(ROOT)}
    with at_terminal("users", "create", "alice@example.com", env=env) as terminal:
        terminal.wait_for("Password:")
        terminal.type(PASSWORD)
        terminal.wait_for("Repeat for confirmation:")
        terminal.type(PASSWORD)
        terminal.wait_for("can log in now")
        assert terminal.exit_code() == 0
    assert PASSWORD.encode() not in terminal.shown
    assert emails(url) == ["alice@example.com"]


REFUSED = [
    ("alice@example.com", "short", "Use at least 15 characters"),
    ("alice@example.com", "", "The password is empty."),
    ("alice@example.com", "alice@example.com", "Your own e-mail address is not a password."),
    ("alice", PASSWORD, "This is not an e-mail address."),
]


@pytest.mark.parametrize(("email", "password", "said"), REFUSED)
def test_an_invalid_account_is_refused_with_a_sentence(
    settings: dict[str, str], url: str, email: str, password: str, said: str
) -> None:
    result = run("users", "create", email, stdin=f"{password}\n", **settings)
    assert result.exit_code == 1
    assert result.stderr.startswith(f"Error: {said}")
    assert emails(url) == []


def test_an_e_mail_that_is_taken_is_refused_whatever_its_case(
    settings: dict[str, str], url: str
) -> None:
    run("users", "create", "alice@example.com", stdin=PASSWORD, **settings)
    result = run("users", "create", "ALICE@example.com", stdin=PASSWORD, **settings)
    assert result.exit_code == 1
    assert result.stderr == "Error: There is an account with this e-mail address.\n"
    assert emails(url) == ["alice@example.com"]


def test_without_tables_users_create_asks_for_db_upgrade(here: Path, url: str) -> None:
    words = ("users", "create", "alice@example.com")
    result = run(*words, stdin=PASSWORD, **environment(url))
    assert result.exit_code == 1
    assert result.stderr == (
        "Error: The database has no tables yet: run `python -m authsvc db upgrade`\n"
    )
    assert list(here.iterdir()) == []


def test_a_password_is_never_a_word_on_the_command_line(settings: dict[str, str]) -> None:
    result = run("users", "create", "alice@example.com", PASSWORD, **settings)
    assert result.exit_code == 2
