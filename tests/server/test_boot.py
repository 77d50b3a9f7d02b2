"""Starting and stopping the service under gunicorn, as it is deployed."""

import re
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy import NullPool, create_engine, text

from authsvc.database import schema
from tests.conftest import MakeDatabase
from tests.support.running_service import (
    ROOT,
    Service,
    environment,
    free_port,
    serving,
    wait_until_it_answers,
)
from tests.support.signing_secrets import ACCESS_SECRET, FACTOR_SECRET
from tests.support.warm_starts import start_module

OUR_CONFIG = ["--config", "python:authsvc.gunicorn"]
BARE = ["--config", "/dev/null", "--no-control-socket"]


def command(config: list[str]) -> list[str]:
    return ["gunicorn", *config, "--bind", f"127.0.0.1:{free_port()}", "wsgi:app"]


def boot_anew(config: list[str], settings: dict[str, str]) -> tuple[int, str]:
    """Run gunicorn in a new Python, and return its exit status and its output; the boot must end
    by itself.
    """
    words = [sys.executable, "-m", *command(config)]
    done = subprocess.run(words, cwd=ROOT, env=settings, capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout + done.stderr


def boot(config: list[str], settings: dict[str, str], folder: Path) -> tuple[int, str]:
    """Do so in a fork of a process that has imported the service."""
    log = folder / "boot"
    status = start_module(command(config), ROOT, settings, log).wait(timeout=60)
    return status, log.read_text()


def get(service: Service, path: str) -> int:
    with service.connected() as connection:
        connection.request("GET", path)
        return connection.getresponse().status


def empty(folder: Path) -> str:
    return f"sqlite:///{folder / 'empty.db'}"


@pytest.mark.parametrize("config", [OUR_CONFIG, BARE], ids=["our config", "bare"])
def test_bad_settings_stop_the_boot_with_one_message(config: list[str], tmp_path: Path) -> None:
    settings = environment(empty(tmp_path), access_token_ttl="901", colour="blue")
    settings["AUTHSVC_REFRESH_TOKEN_SECRET"] = ACCESS_SECRET.hex()
    status, output = boot_anew(config, settings)
    assert status != 0
    assert output.count("authsvc cannot start") == 1
    for name in ("ACCESS_TOKEN_TTL", "REFRESH_TOKEN_SECRET", "COLOUR"):
        assert f"  - AUTHSVC_{name}" in output
    assert "Traceback" not in output
    assert ACCESS_SECRET.hex() not in output


def test_a_database_without_tables_stops_the_boot(tmp_path: Path) -> None:
    status, output = boot(OUR_CONFIG, environment(empty(tmp_path)), tmp_path)
    assert status != 0
    assert output.count("the database has no tables yet: run `python -m authsvc db upgrade`") == 1
    assert "Traceback" not in output
    assert not (tmp_path / "empty.db").exists()


def test_an_unreachable_database_does_not_stop_the_boot(tmp_path: Path) -> None:
    url = f"postgresql://alice:canary@127.0.0.1:{free_port()}/authsvc"
    with serving(url, tmp_path / "output", workers=1) as service:
        assert get(service, "/healthz") == 200
        assert get(service, "/readyz") == 503
    output = service.output.read_text()
    said = "the database 127.0.0.1 does not answer"  # issue 14, number 32
    assert output.count(said) == 1
    assert "the service starts, and /readyz returns 503 until it does" in output
    assert "Traceback" not in output
    assert "canary" not in output


TOTP = (
    """
    INSERT INTO users (id, email, email_key, password_hash, roles, created_at)
    VALUES ('{id}', 'alice@example.com', 'alice@example.com', '!', '', '{at}')
""",
    """
    INSERT INTO totp (user_id, secret, created_at, confirmed_at, last_step)
    VALUES ('{id}', 'encrypted under a secret that is lost', '{at}', '{at}', 0)
""",
)


@pytest.mark.only("sqlite")
def test_a_lost_factor_secret_is_one_warning_and_does_not_stop_the_boot(
    make_database: MakeDatabase, tmp_path: Path
) -> None:
    url = make_database()
    schema.upgrade(url)
    values = {"id": "01a224ccc1fe7144913f2080d740720d", "at": "2026-11-24 12:00:00"}
    with create_engine(url, poolclass=NullPool).begin() as connection:
        for statement in TOTP:
            connection.execute(text(statement.format_map(values)))
    with serving(url, tmp_path / "output", factor_secret=FACTOR_SECRET.hex()) as service:
        assert get(service, "/readyz") == 200
    output = service.output.read_text()
    said = "the TOTP secrets in the database cannot be decrypted: the service starts"
    assert output.count(said) == 1
    assert "Set AUTHSVC_FACTOR_SECRET, or AUTHSVC_FACTOR_SECRET_PREVIOUS" in output


def test_a_good_boot_is_ready_and_ends_at_sigterm(database_url: str, tmp_path: Path) -> None:
    port = free_port()
    with serving(database_url, tmp_path / "output", port=port) as service:
        assert get(service, "/healthz") == 200
        assert get(service, "/readyz") == 200
        assert service.port == port
        service.kill(signal.SIGTERM)
    assert service.process.returncode == 0
    assert "Traceback" not in service.output.read_text()


SIGTERM_AT_FORK = """
import os, signal
from authsvc.gunicorn import *
from authsvc.gunicorn import post_fork as ours

def post_fork(server, worker):
    ours(server, worker)
    os.kill(os.getppid(), signal.SIGTERM)
    server.SIG_QUEUE.put(server.SIG_QUEUE.get())  # returns when the master has forwarded it
"""


@pytest.mark.only("sqlite")
def test_a_worker_that_gets_sigterm_while_it_starts_ends_gracefully(
    database_url: str, tmp_path: Path
) -> None:
    config = tmp_path / "config.py"
    config.write_text(SIGTERM_AT_FORK)
    words = ["--config", str(config), "--workers", "1"]
    status, output = boot(words, environment(database_url), tmp_path)
    assert status == 0, output
    assert "Worker exiting" in output


ANOTHER_PARSER = """
import os, sys
from authsvc.gunicorn import *

class Parser:
    def __getattr__(self, name):
        os._exit(1)

sys.modules["gunicorn_h1c"] = Parser()
"""


@pytest.mark.only("sqlite")
def test_another_http_parser_is_not_used_even_if_it_is_installed(
    database_url: str, tmp_path: Path
) -> None:
    config = tmp_path / "config.py"
    config.write_text(ANOTHER_PARSER)
    with serving(database_url, tmp_path / "output", config=str(config)) as service:
        assert get(service, "/readyz") == 200


@pytest.mark.parametrize("config", [OUR_CONFIG, BARE], ids=["our config", "bare"])
def test_5_without_our_tables_the_boot_stops_with_one_sentence(
    make_database: MakeDatabase, config: list[str], tmp_path: Path
) -> None:
    url = make_database()
    schema.upgrade(url)
    with create_engine(url, poolclass=NullPool).begin() as connection:
        connection.execute(text("DROP TABLE rate_limits"))
    status, output = boot(config, environment(url), tmp_path)
    assert status != 0
    assert output.count("the database lacks authsvc's tables rate_limits: restore a backup") == 1
    assert "Traceback" not in output


def test_6_a_schema_newer_than_the_code_is_served_and_named_in_one_line(
    make_database: MakeDatabase, tmp_path: Path
) -> None:
    url = make_database()
    schema.upgrade(url)
    with create_engine(url, poolclass=NullPool).begin() as connection:
        connection.execute(text("UPDATE authsvc_version SET version_num = '9999'"))
    with serving(url, tmp_path / "output", workers=1) as service:
        assert get(service, "/readyz") == 200
    newer = "the database is at revision 9999, which is newer than this version of authsvc"
    assert service.output.read_text().count(newer) == 1


NO_SHARED_MEMORY = """
import tempfile
from pathlib import Path

real = tempfile.TemporaryFile

def read_only(*args, dir=None, **kwargs):
    if str(dir) == "/dev/shm":
        raise OSError(30, "Read-only file system")
    return real(*args, dir=dir, **kwargs)

tempfile.TemporaryFile = read_only

from authsvc.gunicorn import *
"""


@pytest.mark.only("sqlite")
def test_7_with_a_read_only_dev_shm_the_temporary_folder_is_used(
    database_url: str, tmp_path: Path
) -> None:
    config = tmp_path / "config.py"
    config.write_text(NO_SHARED_MEMORY)
    with serving(database_url, tmp_path / "output", config=str(config)) as service:
        assert get(service, "/readyz") == 200
        opened = [file for worker in children(service.process.pid) for file in open_files(worker)]
    metrics = [file for file in opened if "authsvc-metrics-" in file]
    assert metrics
    assert not [file for file in metrics if file.startswith("/dev/shm")]


LIKE_MACOS = """
import os

del os.sched_getaffinity
os.cpu_count = lambda: 3

from authsvc.gunicorn import *
"""


@pytest.mark.only("sqlite")
@pytest.mark.parametrize(("concurrency", "workers"), [(None, 3), ("2", 2)])
def test_8_workers_are_counted_without_sched_getaffinity_and_by_web_concurrency(
    tmp_path: Path, concurrency: str | None, workers: int
) -> None:
    config = tmp_path / "config.py"
    config.write_text(LIKE_MACOS)
    env = environment(empty(tmp_path)) | ({"WEB_CONCURRENCY": concurrency} if concurrency else {})
    schema.upgrade(empty(tmp_path))
    _, output = boot(["--config", str(config), "--print-config"], env, tmp_path)
    assert re.search(rf"^workers +: {workers}$|^workers += {workers}$", output, re.MULTILINE)


@pytest.mark.only("sqlite")
def test_30_serve_in_a_folder_without_wsgi_py_serves_the_packaged_app(tmp_path: Path) -> None:
    port = free_port()
    env = {**environment(empty(tmp_path)), "PORT": str(port), "PYTHONPATH": str(ROOT)}
    output = tmp_path / "output"
    process = start_module(["authsvc", "serve", "--workers", "1"], tmp_path, env, output)
    service = Service(process, port, output)
    try:
        wait_until_it_answers(service)
        assert get(service, "/readyz") == 200
    finally:
        service.kill()


@pytest.mark.only("sqlite")
def test_30_a_wsgi_py_in_the_working_directory_wins(tmp_path: Path) -> None:
    (tmp_path / "wsgi.py").write_text("raise SystemExit('this is the folder of its own app')")
    env = {**environment(empty(tmp_path)), "PORT": str(free_port()), "PYTHONPATH": str(ROOT)}
    started = start_module(["authsvc", "serve"], tmp_path, env, tmp_path / "output")
    assert started.wait(timeout=60) != 0
    assert "this is the folder of its own app" in (tmp_path / "output").read_text()


HIDDEN_NAMES = """
from gunicorn.workers import gthread

del gthread._DEFER

from authsvc.gunicorn import *
"""


@pytest.mark.only("sqlite")
def test_without_gunicorns_private_names_plain_gthread_serves_with_one_warning(
    database_url: str, tmp_path: Path
) -> None:
    config = tmp_path / "config.py"
    config.write_text(HIDDEN_NAMES)
    with serving(database_url, tmp_path / "output", config=str(config)) as service:
        assert get(service, "/readyz") == 200
        lines = service.output.read_text().splitlines()
    warnings = [line for line in lines if '"warning"' in line]
    assert len(warnings) == 1
    assert "which lacks gthread._DEFER: serving with plain gthread" in warnings[0]
    assert any("Using worker: gthread" in line for line in lines)


@pytest.mark.only("sqlite")
def test_workers_share_no_database_connection(database_url: str, tmp_path: Path) -> None:
    with serving(database_url, tmp_path / "output", workers=2) as service:
        for _ in range(20):
            assert get(service, "/readyz") == 200
        file = database_url.removeprefix("sqlite:///")
        master = service.process.pid
        while (
            len(workers := children(master)) < 2
        ):  # the first worker may answer before the second has started
            assert get(service, "/readyz") == 200
        assert file not in open_files(master)  # so the workers inherited no connection
        assert any(file in open_files(worker) for worker in workers)


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def open_files(pid: int) -> list[str]:
    files = []
    for link in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed in the meantime
            files.append(str(link.readlink()))
    return files
