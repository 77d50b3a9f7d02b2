"""Counts are exact over processes, and requests are refused while Redis does not answer."""

import multiprocessing
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask
from sqlalchemy import text

from authsvc import create_app
from authsvc.database import reading
from authsvc.problems import InvalidCredentials, RateLimited
from authsvc.ratelimit.throttle import Throttle
from authsvc.settings import Settings
from authsvc.web import registry
from tests.conftest import MakeApp, empty_tables
from tests.ratelimit.cases import HOME, attempt, statuses
from tests.support.people import Person
from tests.support.redis_server import RedisServer, redis_server
from tests.support.signing_secrets import ACCESS_SECRET, REFRESH_SECRET

PROCESSES = 4
THREADS = 10


def fail_together(database_url: str, storage: str, start: object, outcomes: object) -> None:
    """In one process, fail to log in from ten threads, at the same time as the other processes."""
    app = create_app(
        Settings.model_validate(
            {
                "database_url": database_url,
                "rate_limit_storage": storage,
                "access_token_secret": ACCESS_SECRET.hex(),
                "refresh_token_secret": REFRESH_SECRET.hex(),
            }
        )
    )

    def fail() -> None:
        with app.app_context():
            start.wait()  # type: ignore[attr-defined]
            try:
                with registry.get(Throttle).login("nobody@example.com", HOME):
                    raise InvalidCredentials
            except (InvalidCredentials, RateLimited) as problem:
                outcomes.put(problem.code)  # type: ignore[attr-defined]

    threads = [threading.Thread(target=fail) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_exactly_ten_of_forty_simultaneous_failures_in_four_processes_pass(
    limited: Flask, database_url: str
) -> None:
    with limited.app_context():
        storage = registry.get(Settings).rate_limit_storage.get_secret_value()
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    start, outcomes = context.Barrier(PROCESSES * THREADS), context.Queue()
    processes = [
        context.Process(target=fail_together, args=(database_url, storage, start, outcomes))
        for _ in range(PROCESSES)
    ]
    for process in processes:
        process.start()
    codes = [outcomes.get(timeout=30) for _ in range(PROCESSES * THREADS)]
    for process in processes:
        process.join(timeout=10)
    assert codes.count("invalid_credentials") == 10
    assert codes.count("rate_limited") == 30
    assert attempt(limited, "nobody@example.com").status_code == 429


@pytest.fixture
def own_redis() -> Iterator[RedisServer]:
    with redis_server() as server:
        yield server


@pytest.fixture
def app(make_app: MakeApp, own_redis: RedisServer) -> Iterator[Flask]:
    """The app on a Redis that the test can stop."""
    app = make_app(rate_limit_storage=own_redis.url)
    yield app
    empty_tables(app)


def rows(app: Flask, table: str) -> int:
    with app.app_context(), reading() as connection:
        return connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one()


def test_while_redis_is_down_limited_routes_answer_503_and_change_nothing(
    app: Flask, alice: Person, own_redis: RedisServer
) -> None:
    alice.logged_in()
    own_redis.stop()
    change = {"current_password": alice.password, "new_password": "a raincoat in the snow"}
    eve = {"email": "eve@example.com", "password": "an apple from a tree"}
    answers = [
        alice.on_another_device().log_in(),
        attempt(app, "nobody@example.com"),
        alice.call("POST", "/auth/register", json=eve),
        alice.call("PUT", "/api/me/password", json=change),
        alice.call("DELETE", "/api/me", json={"password": alice.password}),
    ]
    own_redis.start()
    assert [answer.status_code for answer in answers] == [503] * 5
    assert {answer.json["code"] for answer in answers} == {"service_unavailable"}
    assert all(int(answer.headers["Retry-After"]) >= 1 for answer in answers)
    assert not any("Set-Cookie" in answer.headers for answer in answers)
    assert (rows(app, "users"), rows(app, "refresh_tokens")) == (1, 1)
    assert alice.on_another_device().log_in().status_code == 200


@pytest.mark.once
def test_redis_counts_again_after_a_restart(app: Flask, own_redis: RedisServer) -> None:
    own_redis.stop()
    assert statuses(app, "nobody@example.com", 3) == {503}
    own_redis.start()
    assert statuses(app, "nobody@example.com", 10) == {401}
    assert attempt(app, "nobody@example.com").status_code == 429


@pytest.mark.once
def test_the_log_says_that_redis_is_down_and_why(
    app: Flask, own_redis: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    own_redis.stop()
    assert attempt(app, "nobody@example.com").status_code == 503
    own_redis.start()
    (message,) = {
        line for line in caplog.messages if line.startswith("the storage of the rate limits")
    }
    assert "did not answer: " in message
    assert "Connection refused" in message


def test_while_redis_is_down_refreshes_pass_until_they_must_be_reported(
    app: Flask, alice: Person, own_redis: RedisServer
) -> None:
    alice.logged_in()
    own_redis.stop()
    answers = [alice.refresh().status_code for _ in range(12)]
    own_redis.start()
    assert answers == [200] * 5 + [503] * 7
    assert alice.refresh().status_code == 200
    assert alice.call("GET", "/api/me").status_code == 200


@pytest.mark.once
def test_a_redis_that_hangs_is_a_503_within_ten_seconds(
    make_app: MakeApp, alice: Person, own_redis: RedisServer
) -> None:
    own_redis.client.execute_command("CLIENT", "PAUSE", "12000", "ALL")
    began = time.monotonic()
    assert alice.log_in().status_code == 503
    assert time.monotonic() - began < 10


def test_simultaneous_successes_do_not_deadlock_and_leave_no_count(
    limited: Flask,
) -> None:
    def succeed(_: int) -> None:
        with limited.app_context():
            for _ in range(10):
                with registry.get(Throttle).login("carol@example.com", HOME):
                    pass

    with ThreadPoolExecutor(8) as devices:
        list(devices.map(succeed, range(8)))
    assert statuses(limited, "carol@example.com", 10) == {401}
    assert attempt(limited, "carol@example.com").status_code == 429
