"""/auth/verify behind a proxy that forwards a body, or only its Content-Length."""

from collections.abc import Callable
from contextlib import ExitStack

import pytest

from tests.http.conftest import JSON, Session
from tests.http.raw import Connection, chunked, request
from tests.support.running_service import THREADS, Service

pytestmark = pytest.mark.both_servers
CHUNKED = "Transfer-Encoding: chunked"
ROUTE = "POST /auth/verify/notes/7"


@pytest.mark.parametrize("bearer", [True, False])
def test_a_body_that_is_never_sent_is_not_waited_for(
    service: Service, log_in: Callable[..., Session], bearer: bool
) -> None:
    token = [log_in().bearer] if bearer else []
    # Without a header, a small body is read, since it may hold the access token (R3).
    small = ["Content-Length: 5"] if bearer else []
    for declared in (*small, "Content-Length: 100000000", CHUNKED):
        with ExitStack() as open_connections:
            for _ in range(THREADS + 1):  # none of them keeps a thread
                connection = open_connections.enter_context(Connection(service.port, seconds=4))
                answer = connection.ask(request(ROUTE, JSON, declared, *token))
                assert answer.status == (200 if bearer else 401)
                assert answer.headers["connection"] == "close"


@pytest.mark.parametrize("size", [2, 16 * 1024 + 1, 3_000_000])
def test_a_body_of_any_size_is_discarded(
    service: Service, log_in: Callable[..., Session], size: int
) -> None:
    bearer = log_in().bearer
    whole = request(ROUTE, JSON, bearer, body=b"{" * size)
    in_chunks = request(ROUTE, JSON, CHUNKED, bearer) + chunked(b"{" * size)
    for data in (whole, in_chunks):
        with Connection(service.port) as connection:
            (answer,) = connection.answers(data, end="by itself")
        assert (answer.status, answer.body) == (200, b"")
        assert answer.headers["connection"] == "close"


def test_without_a_body_the_connection_is_kept(
    service: Service, log_in: Callable[..., Session]
) -> None:
    bearer = log_in().bearer
    with Connection(service.port) as connection:
        for line, *length in (("GET /auth/verify",), (ROUTE, "Content-Length: 0"), (ROUTE,)):
            answer = connection.ask(request(line, bearer, *length))
            kept = answer.headers.get("connection", "keep-alive")  # granian says nothing
            assert (answer.status, kept) == (200, "keep-alive")
