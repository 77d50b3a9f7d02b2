"""Where Postgres makes every transaction serializable, conflicts are retried and not a 503."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy.engine import make_url

from tests.faults.conftest import Serve
from tests.faults.visitor import Visitor
from tests.support.postgres_cluster import Cluster


@pytest.mark.only("postgres")
def test_thirty_logins_at_contention_all_succeed_on_a_serializable_database(
    serve: Serve, url: str, own_cluster: Cluster
) -> None:
    with own_cluster.address.connect() as connection:
        name = make_url(url).database
        isolation = f"ALTER DATABASE {name} SET default_transaction_isolation = 'serializable'"
        connection.execute(isolation)
    conflicts_before = conflicts(own_cluster)
    with serve(workers=2) as service, ThreadPoolExecutor(8) as threads:
        alice = Visitor(service.port, "alice@example.com").registered()
        logins = list(threads.map(lambda _: alice.log_in().status, range(30)))
        output = service.output.read_text()
    assert logins == [200] * 30
    assert conflicts(own_cluster) > conflicts_before
    assert "the database did not answer" not in output


def conflicts(cluster: Cluster) -> int:
    return cluster.log.read_text().count("could not serialize access")
