"""TLS as browsers check it; the doctor sends no password over a connection that is not private."""

from pathlib import Path

import pytest

from tests.doctor.certificate import write_certificate
from tests.doctor.conftest import ALICE, PAGE, Doctor, Front, failing, rows_of
from tests.doctor.front import Answer, Forward, Request
from tests.support.running_service import Service


def test_an_untrusted_certificate_fails_and_gets_no_password(
    behind: Front, doctor: Doctor, tmp_path: Path
) -> None:
    bodies = []

    def listening(request: Request, forward: Forward) -> Answer:
        bodies.append(request.body)
        return forward(request)

    another = write_certificate(tmp_path)
    with behind(listening, certificate=another) as url:
        result = doctor(url, "--json", "--email", ALICE["email"], "--origin", PAGE)
    assert result.exit_code == 1
    assert failing(result) == {"TLS": "failed"}
    rows = rows_of(result)
    assert "self-signed" in rows["TLS"]["found"]
    assert rows["login"]["found"].startswith("no password is sent")
    assert rows["CORS"]["verdict"] == "ok"
    assert bodies
    assert not [body for body in bodies if b"alice" in body]


@pytest.mark.parametrize(
    ("days", "host", "verdict", "found"),
    [
        (10, "localhost", "warning", "for 10 more days"),
        (-1, "localhost", "failed", "expired"),
        (90, "other.example", "failed", "ostname mismatch"),
    ],
)
def test_an_expiring_or_wrong_certificate_is_found(
    behind: Front, doctor: Doctor, tmp_path: Path, days: int, host: str, verdict: str, found: str
) -> None:
    bad = write_certificate(tmp_path, days=days, host=host)
    with behind(certificate=bad) as url:
        result = doctor(url, "--json", trusted=bad)
    assert failing(result) == {"TLS": verdict}
    assert found in rows_of(result)["TLS"]["found"]


def test_plain_http_to_another_machine_fails_and_gets_no_password(
    service: Service, doctor: Doctor
) -> None:
    elsewhere = f"http://127.1:{service.port}"  # a host name to us that leads to the test's service
    result = doctor(elsewhere, "--json", "--email", ALICE["email"])
    assert failing(result) == {"TLS": "failed", "proxy headers": "failed"}  # it is past the proxy
    rows = rows_of(result)
    assert rows["login"]["found"].startswith("no password is sent")
    assert rows["HSTS"]["verdict"] == "not checked"
