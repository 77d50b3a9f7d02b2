"""Each check fails, and it alone, at a deployment with one fault."""

import pytest

from authsvc.doctor.examination import CHECKS
from tests.doctor import faults
from tests.doctor.cases import CASES
from tests.doctor.conftest import ALICE, Doctor, Front, failing, live_sessions, rows_of

TESTED_ELSEWHERE = {"TLS", "the contract"}
"""The checks that fail in test_tls.py and test_strange_servers.py."""


@pytest.mark.parametrize("name", CASES)
def test_a_fault_fails_the_checks_that_look_for_it_and_no_others(
    behind: Front, service_database: str, name: str, request: pytest.FixtureRequest
) -> None:
    case = CASES[name]
    doctor: Doctor = request.getfixturevalue("patient_doctor" if case.waits else "doctor")
    account = ("--email", ALICE["email"]) if case.logs_in else ()
    live_before = live_sessions(service_database)
    with behind(case.fault) as url:
        result = doctor(url, "--json", *account, *case.words)
    assert failing(result) == case.found_by, result.stdout
    assert result.exit_code == (1 if "failed" in case.found_by.values() else 0)
    for row in rows_of(result).values():
        assert bool(row["next"]) == (row["verdict"] != "ok")
        assert row["found"]
    left_behind = live_sessions(service_database) - live_before
    assert (left_behind > 0) == ("left behind" in case.found_by)


def test_a_second_factor_is_reported(behind: Front, doctor: Doctor) -> None:
    with behind(faults.asks_for_a_code) as url:
        row = rows_of(doctor(url, "--json", "--email", ALICE["email"]))["login"]
    assert row["found"] == "POST /auth/login: 401 second_factor_required"
    assert row["next"].startswith("Use a test account without a second factor")


def test_every_check_fails_in_some_test() -> None:
    found = {check for case in CASES.values() for check in case.found_by}
    assert found | TESTED_ELSEWHERE == set(CHECKS)
