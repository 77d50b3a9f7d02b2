"""A service whose sessions are bound to devices."""

from tests.doctor.conftest import ALICE, Doctor, Front, rows_of


def test_a_key_that_registers_is_demanded(behind: Front, doctor: Doctor) -> None:
    with behind() as url:
        row = rows_of(doctor(url, "--json", "--email", ALICE["email"]))["device binding"]
    assert row["verdict"] == "ok"
    assert "a refresh demands it" in row["found"]
