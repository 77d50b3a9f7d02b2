"""How the tests of a run are shared among its processes: long files first, and each file by itself
on each database, so that a process changes its database twice and not with each file.
"""

import re
from typing import Any

import pytest

FIRST = (
    "server/test_flood.py",
    "server/test_honest_logins.py",
    "server/test_burst.py",
    "doctor/test_each_check.py",
    "browser/test_demo_states.py",
    "client/test_client.py",
    "browser/test_examples.py",
    "http/test_framing.py",
    "openapi/test_answers.py",
    "http/test_hostile_requests.py",
    "openapi/test_fuzz.py",
    "faults/test_silent_database.py",
    "docs/test_your_app.py",
    "browser/test_recovery.py",
    "generated_clients/test_generated_clients.py",
    "browser/test_device_binding.py",
    "browser/test_sessions.py",
    "deploy/test_systemd.py",
    "browser/test_docs.py",
    "tests/test_packaging.py",
    "faults/test_news_of_revocations.py",
    "faults/test_factor_races.py",
    "faults/test_database_away.py",
    "browser/test_bound_sessions.py",
    "faults/test_logout_is_for_good.py",
    "monitoring/test_metrics_of_workers.py",
    "server/test_boot.py",
    "mail/test_many_senders.py",
    "faults/test_factor_faults.py",
    "ratelimit/test_throttle.py",
    "browser/test_demo.py",
    "doctor/test_healthy.py",
    "browser/test_demo_step_up.py",
    "browser/test_demo_factors.py",
    "factors/test_mutated_logins.py",
    "attacks/test_corpus.py",
)
"""The files that take more than fifteen seconds, the longest first. One that starts late keeps one
process busy while the others have nothing left to do.

The three with tests that run `alone` begin, beside a file of short tests: such a test waits for
those that have begun, and keeps the processes that have ended theirs waiting.
"""

_DATABASE = re.compile(r"\[(?:.*-)?(sqlite|postgres|pgbouncer)(?:-.*)?\]$")


def longest_first(items: list[pytest.Item]) -> None:
    """Move the tests of the long files to the front; the others keep their order."""
    items.sort(key=_place)


def _place(item: pytest.Item) -> int:
    path = item.path.as_posix()
    return next((place for place, end in enumerate(FIRST) if path.endswith(f"/{end}")), len(FIRST))


def share(nodeid: str) -> str:
    """Return the name of the share that a test belongs to: its file, and its database if any."""
    file, _, test = nodeid.partition("::")
    database = _DATABASE.search(test)
    return f"{file}@{database[1]}" if database else file


def scheduler(config: pytest.Config, log: Any) -> Any:
    """Return what gives each process of pytest-xdist one share after another."""
    from xdist.scheduler import LoadFileScheduling

    class Shares(LoadFileScheduling):  # type: ignore[misc]
        def _split_scope(self, nodeid: str) -> str:
            return share(nodeid)

    config.option.loadscopereorder = False  # it would begin with the shares of the most tests
    return Shares(config, log)
