"""Which cases of a test run on which database."""

from typing import Any

import pytest

from tests.support.running_service import GRANIAN

WHOLE = {"audit", "database", "faults", "tests"}
"""The rooms of which every case runs on every database, since the cases differ in statements."""


def leave_out_cases(metafunc: pytest.Metafunc, first: str) -> None:
    """Leave out cases on other databases than the first. One of each test is enough, since all of
    them run on the first, and the cases differ in what the client sends. A test that is marked
    `once` has none, nor has what is repeated under granian.

    They are removed before pytest makes tests of them, which would take seconds in each process.
    """
    test = metafunc.definition
    once = test.get_closest_marker("once") is not None
    is_repeated = test.get_closest_marker("both_servers") and not test.get_closest_marker("only")
    keeps_all = test.path.parent.name in WHOLE or test.get_closest_marker("every_case")
    seen: set[str] = set()

    def is_left_out(case: Any) -> bool:
        name = case.params.get("database", first)
        if name == first:
            return False
        if once or any(mark.name == "once" for mark in case.marks):
            return True
        if is_repeated and case.params.get("wsgi_server") == GRANIAN:
            return True
        if keeps_all and name != "pgbouncer":
            return False
        is_further = name in seen
        seen.add(name)
        return is_further

    kept = [case for case in metafunc._calls if not is_left_out(case)]
    # Without any case pytest would make a test without a database.
    metafunc._calls[:] = kept or metafunc._calls[:1]
