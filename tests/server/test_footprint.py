"""What a service that has just been started has loaded, and how much memory its workers need."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from bench.peers.processes import pids_of_session, read_process
from tests.faults.visitor import PASSWORD, Visitor
from tests.support.operator_commands import Operator
from tests.support.running_service import Service, new_database, serving

WORKERS = 2
MAX_MEGABYTES = 90
"""Of a worker, its share of the master's memory included."""
ALICE = "alice@example.com"
AT_ONCE = 24
"""More than the arenas that glibc has by default for two cores."""

SHOWS_ITSELF = """
import gc
import sys
from authsvc.guard.access_token import public
from authsvc.server.boot import boot

app = boot()


@app.get("/process")
@public
def process():
    return {
        "modules": sorted(sys.modules),
        "garbage": {"is_collected": gc.isenabled(), "not_searched": gc.get_freeze_count()},
    }
"""

RARE = {
    *("alembic", "mako"),  # until a database must be upgraded
    "email_validator",  # until a person registers
    "jwt",  # unless access tokens are signed by a private key
    *("pyotp", "segno", "webauthn"),  # until a second factor is set up or used
    *("psycopg", "sqlalchemy.dialects.postgresql"),  # on SQLite
    *("publicsuffixlist", "rich", "structlog", "click.testing"),
    *("authsvc.admin", "authsvc.cli", "authsvc.doctor"),
    *("authsvc.mail.smtp", "authsvc.operations.demo"),  # unless they are configured
}

pytestmark = pytest.mark.once


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service in a Python of its own, whose workers show what they have loaded."""
    folder = tmp_path_factory.mktemp("footprint")
    database = new_database(folder)
    (folder / "wsgi.py").write_text(SHOWS_ITSELF)
    Operator(database).run("users", "create", ALICE, typed=PASSWORD)
    output, factor = folder / "output", 1_000_000
    with serving(
        database, output, workers=WORKERS, cwd=folder, anew=True, rate_limit_factor=str(factor)
    ) as service:
        yield service


def visit(service: Service) -> None:
    """Log in, use the session, and log out."""
    alice = Visitor(service.port, ALICE).logged_in()
    assert alice.refresh().status == 200
    assert alice.call("GET", "/api/me").status == 200
    assert alice.log_out().status == 204


def shown(service: Service) -> dict[str, Any]:
    with service.connected() as connection:
        connection.request("GET", "/process")
        return dict(json.loads(connection.getresponse().read()))


def test_what_few_requests_need_is_not_loaded(service: Service) -> None:
    visit(service)
    loaded = set(shown(service)["modules"])
    assert "flask" in loaded
    assert loaded & RARE == set()


def test_a_worker_collects_garbage_but_not_among_what_it_shares(service: Service) -> None:
    garbage = shown(service)["garbage"]
    assert garbage["is_collected"]
    assert garbage["not_searched"] > 100_000


def test_a_worker_needs_at_most_90_megabytes(service: Service) -> None:
    with ThreadPoolExecutor(AT_ONCE) as clients:
        list(clients.map(visit, [service] * (3 * AT_ONCE)))
    processes = [read_process(pid) for pid in pids_of_session(service.process.pid)]
    megabytes = [process.pss for process in processes if process is not None]
    print(f"MB of the master and of each worker: {megabytes}")
    assert len(megabytes) == 1 + WORKERS
    assert sum(megabytes) / WORKERS <= MAX_MEGABYTES
