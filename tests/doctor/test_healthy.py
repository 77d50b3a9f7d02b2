"""A healthy service passes every check, in the table and in JSON, and is left as it was."""

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import NullPool, create_engine, text
from time_machine import travel

from authsvc.doctor.examination import CHECKS
from tests.doctor.conftest import (
    ALICE,
    PAGE,
    Doctor,
    Front,
    failing,
    live_sessions,
    rows_of,
)
from tests.doctor.faults import requires_proofs
from tests.doctor.front import Answer, Forward, Request, front
from tests.support.running_service import ROOT, Service

EVERYTHING = ("--email", ALICE["email"], "--origin", PAGE, "--limits")


@pytest.mark.both_servers
def test_every_check_passes_behind_a_proxy_that_ends_tls(
    deployed_service: Service, certificate: Path, patient_doctor: Doctor
) -> None:
    with front(deployed_service.port, certificate) as url:
        result = patient_doctor(url, "--json", *EVERYTHING)
    report = json.loads(result.stdout)
    assert {name: row["verdict"] for name, row in rows_of(result).items()} == dict.fromkeys(
        CHECKS, "ok"
    )
    assert [row["next"] for row in report["checks"]] == [None] * len(CHECKS)
    assert report["verdicts"] == {"ok": len(CHECKS), "warning": 0, "failed": 0, "not checked": 0}
    assert (report["url"], report["origin"]) == (url, PAGE)
    assert result.exit_code == 0


def test_the_table_has_the_same_verdicts_in_80_columns(behind: Front, doctor: Doctor) -> None:
    with behind() as url:
        result = doctor(url, *EVERYTHING)
    lines = result.stdout.splitlines()
    assert [line[12:32].strip() for line in lines if line.startswith("ok ")] == CHECKS
    assert lines[-1] == f"{len(CHECKS)} ok, 0 warning, 0 failed, 0 not checked"
    assert max(map(len, lines)) <= 80
    assert "\x1b" not in result.stdout  # colours are for terminals
    assert result.exit_code == 0


def test_plain_http_on_this_machine_skips_only_tls_limits_and_hsts(
    behind: Front, doctor: Doctor
) -> None:
    with behind(certificate=None) as url:
        result = doctor(url, "--json", "--email", ALICE["email"], "--origin", "http://localhost:1")
    rows = rows_of(result)
    assert [name for name in CHECKS if rows[name]["verdict"] == "not checked"] == [
        "TLS",
        "limits",
        "HSTS",
    ]
    assert [name for name in CHECKS if rows[name]["verdict"] == "failed"] == ["CORS"]


def test_a_page_of_the_services_own_origin_needs_no_cors(behind: Front, doctor: Doctor) -> None:
    with behind() as url:
        rows = rows_of(doctor(url, "--json", "--origin", url))
    assert rows["CORS"]["verdict"] == rows["SameSite"]["verdict"] == "ok"
    assert "needs no CORS" in rows["CORS"]["found"]


def test_without_an_account_the_checks_that_need_one_are_listed_as_not_checked(
    behind: Front, doctor: Doctor
) -> None:
    sent = []

    def listening(request: Request, forward: Forward) -> Answer:
        sent.append(f"{request.method} {request.path}")
        return forward(request)

    with behind(listening) as url:
        result = doctor(url, "--json")
    rows = rows_of(result)
    left_out = [name for name in CHECKS if rows[name]["verdict"] == "not checked"]
    assert left_out == ["SameSite", "CORS", *CHECKS[CHECKS.index("login") : CHECKS.index("HSTS")]]
    assert "--email" in rows["login"]["next"]
    assert "--origin" in rows["SameSite"]["next"]
    assert sent.count("POST /auth/login") == 1  # with text/plain, which is refused unread
    assert result.exit_code == 0


def test_limits_are_checked_where_proofs_are_required(behind: Front, doctor: Doctor) -> None:
    with behind(requires_proofs) as url:
        result = doctor(url, "--json", "--limits")
    assert rows_of(result)["limits"]["verdict"] == "ok"


def test_a_doctor_whose_own_clock_is_wrong_sees_that_alone(behind: Front, doctor: Doctor) -> None:
    with behind(requires_proofs) as url, travel(datetime.now(UTC) + timedelta(hours=2)):
        result = doctor(url, "--json", "--email", ALICE["email"])
    assert failing(result) == {"clock": "failed", "clock of tokens": "failed"}


def test_a_network_that_has_asked_for_too_many_mails_is_not_a_fault(
    behind: Front, doctor: Doctor
) -> None:
    def limited(request: Request, forward: Forward) -> Answer:
        answer = forward(request)
        if answer.status == 202:
            answer.status = 429
        return answer

    with behind(limited) as url:
        result = doctor(url, "--json")
    assert rows_of(result)["recovery"]["verdict"] == "not checked"
    assert result.exit_code == 0


def test_below_a_path_that_the_service_does_not_know_only_the_bindings_fail(
    behind: Front, doctor: Doctor
) -> None:
    def mounted(request: Request, forward: Forward) -> Answer:
        assert request.path.startswith("/accounts/")
        request.path = request.path.removeprefix("/accounts")
        return forward(request)

    with behind(mounted) as url:
        result = doctor(f"{url}/accounts/", "--json", "--email", ALICE["email"])
    assert failing(result) == {"binding": "failed", "device binding": "failed"}
    assert f"Set AUTHSVC_ISSUER={url}/accounts," in rows_of(result)["binding"]["next"]
    assert json.loads(result.stdout)["url"] == f"{url}/accounts"


def test_doctor_leaves_no_session_and_locks_no_account(
    behind: Front, doctor: Doctor, service_database: str
) -> None:
    before = live_sessions(service_database)
    with behind() as url:
        assert doctor(url, *EVERYTHING).exit_code == 0
        assert doctor(url, "--email", ALICE["email"]).exit_code == 0
    assert live_sessions(service_database) == before


def test_docs_doctor_md_lists_each_check_in_order() -> None:
    document = (ROOT / "docs" / "doctor.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| \*\*(.+?)\*\* \|", document, re.MULTILINE) == CHECKS


def test_at_a_network_address_passkeys_are_not_checked(behind: Front, doctor: Doctor) -> None:
    with behind(certificate=None) as url:
        result = doctor(url.replace("localhost", "127.0.0.1"), "--json")
    assert rows_of(result)["passkeys"]["verdict"] == "not checked"


def test_too_many_wrong_passwords_are_not_a_fault(behind: Front, doctor: Doctor) -> None:
    def limited(request: Request, forward: Forward) -> Answer:
        answer = forward(request)
        if request.path == "/auth/login" and b'"code"' in request.body:
            answer.status = 429
        return answer

    with behind(limited) as url:
        result = doctor(url, "--json", "--email", ALICE["email"])
    assert rows_of(result)["wrong password"]["verdict"] == "not checked"
    assert result.exit_code == 0


def test_a_run_leaves_one_failed_login_in_the_audit_trail(
    behind: Front, doctor: Doctor, service_database: str
) -> None:
    with create_engine(service_database, poolclass=NullPool).connect() as connection:
        query = text("SELECT count(*) FROM security_events WHERE detail = 'wrong_password'")
        before = connection.execute(query).scalar_one()
        with behind() as url:
            assert doctor(url, "--email", ALICE["email"]).exit_code == 0
        assert connection.execute(query).scalar_one() == before + 1
