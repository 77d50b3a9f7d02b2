"""A database that tests may kill, real services on it, and the number of rounds.

Of the tests that start a service, a sample runs under granian too (`both_servers`), and with
`--server granian` all of them run under it alone.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from authsvc.database import schema
from tests.support.postgres_cluster import CRASH_SAFE, Cluster, find_binaries
from tests.support.running_service import Service, serving

Rounds = Callable[[int, int], Iterator[int]]
Serve = Callable[..., AbstractContextManager[Service]]


@pytest.fixture
def rounds(request: pytest.FixtureRequest) -> Rounds:
    """Yield as many rounds as the first number in an ordinary run, as the second in a soak."""
    soak = request.config.getoption("--soak")
    terminal = request.config.pluginmanager.get_plugin("terminalreporter")
    capture = request.config.pluginmanager.get_plugin("capturemanager")

    def counted(few: int, many: int) -> Iterator[int]:
        for number in range(many if soak else few):
            yield number
            request.node.user_properties[:] = [("rounds", number + 1)]
            if soak and terminal:  # the processes of xdist have none
                with capture.global_and_fixture_disabled():
                    terminal.write(f"{number + 1} ", flush=True)

    return counted


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    if not config.getoption("--soak"):
        return
    for report in terminalreporter.getreports("passed"):
        done = dict(report.user_properties).get("rounds")
        if report.when == "call" and done:
            name = report.nodeid.partition("::")[2]
            terminalreporter.write_line(f"{done:3} rounds in {report.duration:5.0f} s: {name}")


@pytest.fixture(scope="session")
def own_cluster() -> Iterator[Cluster]:
    """A crash-safe cluster that the fault tests stop and kill."""
    binaries = find_binaries()
    assert binaries is not None
    cluster = Cluster(binaries, CRASH_SAFE).start()
    yield cluster
    cluster.destroy()


numbers = count(1)


@pytest.fixture
def url(database: str, tmp_path: Path, request: pytest.FixtureRequest) -> str:
    """A migrated database for this test alone, whose commits reach the disk."""
    if database == "sqlite":
        url = f"sqlite:///{tmp_path / 'authsvc.db'}"
    else:
        cluster: Cluster = request.getfixturevalue("own_cluster")
        cluster.start()  # a test that failed may have left it stopped
        url = cluster.address.create_database(f"faults_{next(numbers)}")
    schema.upgrade(url)
    return url


@pytest.fixture
def serve(url: str, wsgi_server: str, tmp_path: Path) -> Serve:
    """Starts the service with the probe, on that database and under the server of the test."""
    output = tmp_path / "output"
    app = "tests.faults.probe:app"
    return partial(serving, url, output, server=wsgi_server, app=app, rate_limit_factor="1000")
