"""A healthy service behind a proxy, and the doctor as a command."""

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import NullPool, create_engine, text

from authsvc.cli import main
from authsvc.doctor import session
from tests.doctor.certificate import write_certificate
from tests.doctor.front import Fault, front, no_fault
from tests.support.running_service import CHEAP_HASHES, Service, new_database, serving

ALICE = {"email": "alice@example.com", "password": "a horse that is correct"}
PAGE = "https://localhost:5173"
ELSEWHERE = "https://app.example.com"

Front = Callable[..., AbstractContextManager[str]]
Doctor = Callable[..., Result]


@pytest.fixture(scope="package")
def service_database(wsgi_server: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    return new_database(tmp_path_factory.mktemp("service"))


@pytest.fixture(scope="package")
def service(
    service_database: str, wsgi_server: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Service]:
    """The service that revokes access tokens at once."""
    folder = tmp_path_factory.mktemp("service")
    app = "tests.doctor.prompt_service:app"
    with serving_alice(service_database, folder, wsgi_server, app) as service:
        yield service


@pytest.fixture(scope="package")
def deployed_service(
    service_database: str, wsgi_server: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Service]:
    """The service that revokes access tokens within a second, as in a deployment."""
    folder = tmp_path_factory.mktemp("deployed")
    with serving_alice(service_database, folder, wsgi_server, CHEAP_HASHES) as service:
        yield service


@contextmanager
def serving_alice(database: str, folder: Path, wsgi_server: str, app: str) -> Iterator[Service]:
    """Run that app on the database, and let Alice have an account."""
    settings = {
        "server": wsgi_server,
        "allowed_origins": f"{PAGE},{ELSEWHERE}",
        "trusted_proxies": "1",
        "device_binding": "true",
        "mail_url": f"file://{folder / 'mail'}",
        "mail_from": "no-reply@example.com",
        "app_url": ELSEWHERE,
    }
    with serving(database, folder / "output", app=app, **settings) as service:
        with service.connected() as connection:
            headers = {"Content-Type": "application/json"}
            connection.request("POST", "/auth/register", json.dumps(ALICE), headers)
            assert connection.getresponse().status in (201, 409)  # by the other service
        yield service


@pytest.fixture(scope="package")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_certificate(tmp_path_factory.mktemp("certificate"))


@pytest.fixture
def behind(service: Service, certificate: Path) -> Front:
    """Return a function that starts a proxy with a fault, and gives its URL."""

    def behind(
        fault: Fault = no_fault, *, certificate: Path | None = certificate
    ) -> AbstractContextManager[str]:
        return front(service.port, certificate, fault)

    return behind


@pytest.fixture
def patient_doctor(certificate: Path) -> Doctor:
    """Return a function that runs `authsvc doctor`, where the certificate is trusted."""

    def doctor(
        *words: str, password: str = ALICE["password"], trusted: Path = certificate
    ) -> Result:
        result = CliRunner().invoke(
            main,
            ["doctor", *words],
            input=f"{password}\n",
            env={"SSL_CERT_FILE": str(trusted)},
            prog_name="authsvc",
        )
        assert result.exception is None or isinstance(result.exception, SystemExit)
        return result

    return doctor


@pytest.fixture
def doctor(patient_doctor: Doctor, monkeypatch: pytest.MonkeyPatch) -> Doctor:
    """Return the doctor of `service`: it tries a revoked access token once, at once."""
    monkeypatch.setattr(session, "MAX_WAIT", 0.0)
    return patient_doctor


def rows_of(result: Result) -> dict[str, dict[str, Any]]:
    """Return the rows of the JSON report by the check's name."""
    return {row["check"]: row for row in json.loads(result.stdout)["checks"]}


def failing(result: Result) -> dict[str, str]:
    """Return the checks that failed or warned, with their verdicts."""
    rows = rows_of(result)
    return {name: row["verdict"] for name, row in rows.items() if row["verdict"] in _FAILING}


_FAILING = ("warning", "failed")


def live_sessions(database: str) -> int:
    """Count the sessions in the service's rows that are not revoked."""
    engine = create_engine(database, poolclass=NullPool)
    with engine.connect() as connection:
        live = text("SELECT count(*) FROM refresh_tokens WHERE revoked_at IS NULL")
        return int(connection.execute(live).scalar_one())
