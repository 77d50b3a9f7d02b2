"""A database that can be killed, real services on it, and how many rounds to go."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import partial
from itertools import count
from pathlib import Path

import pytest

from authsvc import schema
from tests.gunicorn import Service, serving
from tests.postgres import CRASH_SAFE, Cluster, find_binaries

Serve = Callable[..., AbstractContextManager[Service]]


@pytest.fixture
def rounds(pytestconfig: pytest.Config) -> Callable[[int, int], int]:
    """The first number in an ordinary run, the second in `make soak`."""
    return lambda few, many: many if pytestconfig.getoption("--soak") else few


@pytest.fixture(scope="session")
def own_cluster() -> Iterator[Cluster]:
    """A crash-safe cluster of the fault tests' own, which they stop and kill."""
    binaries = find_binaries()
    assert binaries is not None
    cluster = Cluster(binaries, CRASH_SAFE).start()
    yield cluster
    cluster.destroy()


numbers = count(1)


@pytest.fixture
def url(database: str, tmp_path: Path, request: pytest.FixtureRequest) -> str:
    """A migrated database of this test's own, whose commits reach the disk."""
    if database == "sqlite":
        url = f"sqlite:///{tmp_path / 'authsvc.db'}"
    else:
        cluster: Cluster = request.getfixturevalue("own_cluster")
        cluster.start()  # a test that failed may have left it stopped
        url = cluster.address.create_database(f"faults_{next(numbers)}")
    schema.upgrade(url)
    return url


@pytest.fixture
def serve(url: str, tmp_path: Path) -> Serve:
    """Starts the service with the probe, on that database."""
    return partial(
        serving, url, tmp_path / "output", app="tests.faults.probe:app", rate_limit_factor="1000"
    )
