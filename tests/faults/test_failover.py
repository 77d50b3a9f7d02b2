"""Postgres becomes read-only, or fails over to a standby: nothing acknowledged is lost."""

import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from http.client import HTTPException
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from authsvc.database import schema
from tests.faults.conftest import Rounds, Serve
from tests.faults.test_database_away import assert_unavailable, credentials_of
from tests.faults.visitor import Answer, Visitor
from tests.support.database_proxy import proxy_before, wait_until
from tests.support.postgres_cluster import FAST, SUPERUSER, Cluster, find_binaries
from tests.support.running_service import serving

pytestmark = pytest.mark.only("postgres")

BACK_WITHIN = 10
DEVICES = 6


def test_connections_that_became_read_only_are_replaced_when_the_database_can_be_written(
    serve: Serve, url: str, own_cluster: Cluster
) -> None:
    with serve(workers=1) as service:
        alice = Visitor(service.port, "alice@example.com").registered().logged_in()
        with read_only(own_cluster, make_url(url).database or ""):
            assert_unavailable(alice.call("POST", "/auth/login", credentials_of(alice)))
            assert_unavailable(alice.log_out())
            assert_unavailable(alice.call("GET", "/readyz"))
            assert alice.refresh().status == 200
        wait_for_status(lambda: alice.call("GET", "/readyz"), 200)
        wait_for_status(alice.log_out, 204)  # each pooled connection is replaced when it is used
        assert alice.log_in().status == 200


@contextmanager
def read_only(cluster: Cluster, database: str) -> Iterator[None]:
    """Connections that are opened within the block are read-only for as long as they live."""
    setting = f"ALTER DATABASE {database} SET default_transaction_read_only = "
    with cluster.address.connect() as connection:
        connection.execute(setting + "on")
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [database]
        )
        yield
        connection.execute(setting + "off")


def test_a_failover_to_a_synchronous_standby_loses_nothing_acknowledged(
    rounds: Rounds, tmp_path: Path
) -> None:
    binaries = find_binaries()
    assert binaries is not None
    with ExitStack() as stack, ThreadPoolExecutor(DEVICES) as threads:
        primary = Cluster(binaries, FAST).start()
        stack.callback(primary.destroy)
        schema.upgrade(primary.address.create_database("authsvc"))
        standby = Cluster(binaries, FAST, primary.address).start()
        stack.callback(standby.destroy)
        primary.require_standby()
        proxies = [stack.enter_context(proxy_before(each.address)) for each in (primary, standby)]
        hosts = ",".join(f"127.0.0.1:{proxy.port}" for proxy in proxies)
        url = f"postgresql://{SUPERUSER}@{hosts}/authsvc?target_session_attrs=read-write"
        service = stack.enter_context(
            serving(url, tmp_path / "output", workers=1, rate_limit_factor="1000")
        )
        alice = Visitor(service.port, "alice@example.com").registered()
        for number in rounds(2, 20):
            if number > 0:
                primary.follow(standby.address)
                primary, standby = standby, primary
                primary.require_standby()
            devices = [Visitor(service.port, alice.email).logged_in() for _ in range(DEVICES)]
            kept, *leaving = devices
            logouts = threads.map(acknowledged, leaving)
            time.sleep(0.03)
            primary.stop(signal.SIGKILL)
            standby.promote()
            ended = [device for device, done in zip(leaving, logouts, strict=True) if done]
            wait_for_status(kept.refresh, 200)
            wait_for_status(kept.log_out, 204)
            codes = {device.refresh().code for device in (kept, *ended)}
            assert codes == {"refresh_token_revoked"}


def wait_for_status(request: Callable[[], Answer], status: int) -> None:
    wait_until(lambda: request().status == status, BACK_WITHIN)


def acknowledged(device: Visitor) -> bool:
    """Log out, and return whether the service said that it happened."""
    try:
        return device.log_out().status == 204
    except (ConnectionError, HTTPException):
        return False
