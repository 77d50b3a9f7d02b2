"""TLS as browsers judge it; no password goes where others may read it."""

from pathlib import Path

import pytest

from tests.doctor.certificate import write_certificate
from tests.doctor.conftest import ALICE, PAGE, Doctor, Front, ill, rows_of
from tests.doctor.front import Answer, Forward, Request
from tests.support.gunicorn_server import Service


def test_a_certificate_that_nobody_vouches_for_fails_and_gets_no_password(
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
    assert ill(result) == {"TLS": "failed"}
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
def test_a_certificate_that_is_old_or_anothers_is_found(
    behind: Front, doctor: Doctor, tmp_path: Path, days: int, host: str, verdict: str, found: str
) -> None:
    bad = write_certificate(tmp_path, days=days, host=host)
    with behind(certificate=bad) as url:
        result = doctor(url, "--json", trusted=bad)
    assert ill(result) == {"TLS": verdict}
    assert found in rows_of(result)["TLS"]["found"]


def test_plain_http_beyond_this_machine_fails_and_gets_no_password(
    service: Service, doctor: Doctor
) -> None:
    elsewhere = f"http://127.1:{service.port}"  # a name to us, and yet where the test serves
    result = doctor(elsewhere, "--json", "--email", ALICE["email"])
    assert ill(result) == {"TLS": "failed", "proxy headers": "failed"}  # it is past the proxy
    rows = rows_of(result)
    assert rows["login"]["found"].startswith("no password is sent")
    assert rows["HSTS"]["verdict"] == "not checked"
