"""Sessions work behind PgBouncer in transaction mode, and unsafe commits stop the boot."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from authsvc.database import boot_checks, schema
from tests.faults.visitor import Visitor
from tests.support.pgbouncer_server import pgbouncer
from tests.support.postgres_cluster import Cluster
from tests.support.running_service import serving

pytestmark = pytest.mark.only("postgres")


@pytest.fixture
def pooled(url: str, own_cluster: Cluster) -> Iterator[str]:
    """The same database by way of the pooler."""
    with pgbouncer(own_cluster.address) as address:
        yield address.url(make_url(url).database or "")


def test_sessions_work_as_without_pgbouncer(pooled: str, tmp_path: Path) -> None:
    app = "tests.faults.probe:app"
    with (
        serving(pooled, tmp_path / "output", app=app, rate_limit_factor="1000") as service,
        ThreadPoolExecutor(8) as threads,
    ):
        people = [Visitor(service.port, f"{number}@example.com") for number in range(8)]
        assert set().union(*threads.map(a_life, people)) == {"ok", "refresh_token_revoked"}


def a_life(visitor: Visitor) -> set[str]:
    visitor.registered().logged_in()
    said = {said_of(visitor.refresh().code) for _ in range(12)}
    assert len(visitor.call("GET", "/api/me/sessions").body["sessions"]) == 1
    # psycopg prepares what it has run five times with no rollback between, as here it would.
    assert {visitor.log_out().status for _ in range(40)} == {204}
    return said | {said_of(visitor.refresh().code)}


def said_of(code: str) -> str:
    return code or "ok"


def test_the_migrations_run_through_pgbouncer(pooled: str) -> None:
    schema.downgrade(pooled, "base")
    schema.upgrade(pooled)
    boot_checks.require_newest(pooled)


def test_the_boot_stops_where_a_commit_would_not_be_durable(
    pooled: str, own_cluster: Cluster
) -> None:
    boot_checks.require_durable(pooled)
    name = make_url(pooled).database or ""
    with own_cluster.address.connect() as connection:
        connection.execute(f"ALTER DATABASE {name} SET synchronous_commit = off")
    unsafe = pytest.raises(boot_checks.DatabaseUnfit, match="synchronous_commit is off")
    with pgbouncer(own_cluster.address) as another, unsafe:  # which has no connection from before
        boot_checks.require_durable(another.url(name))


def test_without_pgbouncer_connections_are_durable_whatever_the_server_sets(
    url: str, own_cluster: Cluster
) -> None:
    with own_cluster.address.connect() as connection:
        name = make_url(url).database
        connection.execute(f"ALTER DATABASE {name} SET synchronous_commit = off")
    boot_checks.require_durable(url)
