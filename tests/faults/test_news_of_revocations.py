"""Every worker of every instance learns of a revoked session, with few queries."""

import re
import time
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from tests.faults.conftest import Serve
from tests.faults.visitor import PASSWORD, Visitor
from tests.support.operator_commands import Operator
from tests.support.postgres_cluster import Cluster
from tests.support.running_service import Service

KNOWN_WITHIN = 1.5
"""Seconds from the answer to the logout. The promise is one second; the rest is this machine's."""
WORKERS = 4


@pytest.mark.both_servers
def test_every_worker_refuses_the_access_token_of_a_revoked_session(serve: Serve, url: str) -> None:
    with serve(workers=WORKERS) as one, serve(workers=2) as two:
        names = ["logout", "password", "disabled", "deleted", "witness"]
        people = {
            name: Visitor(one.port, f"{name}@example.com").registered().logged_in()
            for name in names
        }
        password = people["password"]
        elsewhere = Visitor(one.port, password.email).logged_in()
        gone = [people["logout"], elsewhere, password, people["disabled"], people["deleted"]]
        all_visitors = [*gone, people["witness"]]
        for visitor in all_visitors:
            assert said_at(one, visitor, WORKERS) == said_at(two, visitor, 2) == {"ok"}

        assert people["logout"].log_out().status == 204
        change = {"current_password": PASSWORD, "new_password": "a mule that is correct"}
        assert password.patient("PUT", "/api/me/password", change).status == 200
        disabled = Operator(url).run("users", "disable", people["disabled"].email)
        assert disabled.exit_code == 0, disabled.output
        answer = people["deleted"].patient("DELETE", "/api/me", {"password": PASSWORD})
        assert answer.status == 204
        time.sleep(KNOWN_WITHIN)

        for visitor in all_visitors:
            expected = {"access_token_revoked"} if visitor in gone else {"ok"}
            assert said_at(one, visitor, WORKERS) == said_at(two, visitor, 2) == expected


def said_at(service: Service, visitor: Visitor, workers: int) -> set[str]:
    return replace(visitor, port=service.port).probe_each_worker(workers)


STATEMENT = re.compile(r"LOG:  (?:statement|execute [^:]+): (.*)")
PING = ";"  # of the pool, which makes sure that its connection still stands
QUERY = re.compile(r"SELECT refresh_tokens\.id, refresh_tokens\.revoked_at .*revoked_at > ")


@pytest.mark.only("postgres")
def test_protected_requests_query_only_the_recently_revoked_sessions(
    serve: Serve, url: str, own_cluster: Cluster
) -> None:
    workers, seconds = 2, 2.0
    with own_cluster.address.connect() as connection:
        name = make_url(url).database
        connection.execute(f"ALTER DATABASE {name} SET log_statement = 'all'")
    with serve(workers=workers) as service:
        alice = Visitor(service.port, "alice@example.com").registered().logged_in()
        alice.probe_each_worker(workers)  # each has its connection now
        asked_before = len(statements(own_cluster.log))
        until = time.monotonic() + seconds
        requests = 0
        while time.monotonic() < until:
            assert alice.probe().status == 200
            requests += 1
            time.sleep(0.005)
        asked = statements(own_cluster.log)[asked_before:]
    queries = [statement for statement in asked if QUERY.match(statement)]
    others = {statement for statement in asked if not QUERY.match(statement)}
    assert others <= {"BEGIN", "ROLLBACK", PING}, others
    assert 1 <= len(queries) <= workers * (seconds + 1)
    assert requests > 10 * len(queries)


def statements(log: Path) -> list[str]:
    text = re.sub(r"\n\t", " ", log.read_text())
    return [match.group(1).strip() for match in STATEMENT.finditer(text)]
