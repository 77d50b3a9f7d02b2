"""The shares of a test run: each long file exists, and a share has one file and one database."""

from pathlib import Path

from tests.support.shares import FIRST, share

TESTS = Path(__file__).parent


def test_each_file_that_begins_first_exists() -> None:
    paths = [path.as_posix() for path in TESTS.rglob("test_*.py")]
    assert [end for end in FIRST if not any(path.endswith(f"/{end}") for path in paths)] == []
    assert len(FIRST) == len(set(FIRST))


def test_a_share_has_the_tests_of_one_file_on_one_database() -> None:
    shares = {
        "tests/auth/test_a.py::test_a[sqlite]": "tests/auth/test_a.py@sqlite",
        "tests/auth/test_a.py::test_a[postgres-a case]": "tests/auth/test_a.py@postgres",
        "tests/auth/test_a.py::test_a[a-case-pgbouncer]": "tests/auth/test_a.py@pgbouncer",
        "tests/auth/test_a.py::test_a[a case]": "tests/auth/test_a.py",
        "tests/auth/test_a.py::test_sqlite": "tests/auth/test_a.py",
    }
    assert {test: share(test) for test in shares} == shares
