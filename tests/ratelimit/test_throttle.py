"""The limits, on both storages; tests that move the clock run on the database alone."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from datetime import UTC, datetime, timedelta
from threading import Barrier

import pytest
from flask import Flask
from sqlalchemy import Connection, select, text
from time_machine import travel

from authsvc import clock
from authsvc.database import reading, writing
from authsvc.factors import challenges
from authsvc.problems import RateLimited, ServiceUnavailable
from authsvc.ratelimit import database_counts
from authsvc.ratelimit.database_counts import SWEEP, RateLimit
from authsvc.ratelimit.throttle import Throttle
from authsvc.settings import Settings
from authsvc.users.passwords import Argon2id, Passwords
from authsvc.web import registry
from tests.conftest import MakeApp, empty_tables
from tests.ratelimit.cases import HOME, assert_limited, attempt, statuses
from tests.support.operator_commands import Operator
from tests.support.people import Person
from tests.support.redis_server import RedisServer
from tests.support.responses import counted_statements

QUARTER = 15 * 60
ELSEWHERE = "198.51.100.7"
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


def carol(app: Flask) -> Person:
    return Person(app, "carol@example.com", "an umbrella in the sun").register()


def register(
    app: Flask, email: str, password: str = "an umbrella in the sun", address: str = HOME
) -> int:
    sent = {"email": email, "password": password}
    base = {"REMOTE_ADDR": address}
    return app.test_client().post("/auth/register", json=sent, environ_base=base).status_code


@pytest.mark.parametrize("email", ["carol@example.com", "CAROL@Example.com", "nobody@example.com"])
def test_the_eleventh_failure_of_an_account_is_refused(limited: Flask, email: str) -> None:
    carol(limited)
    assert statuses(limited, email, 10) == {401}
    assert_limited(attempt(limited, email), QUARTER - 5, QUARTER)


def test_an_account_that_has_reached_its_limit_refuses_the_right_password_too(
    limited: Flask,
) -> None:
    person = carol(limited)
    statuses(limited, person.email, 10)
    assert_limited(person.log_in(), QUARTER - 5, QUARTER)


def test_failures_are_counted_however_the_address_is_spelt(limited: Flask) -> None:
    spelt = ["nobody@example.com", "Nobody@example.com", "NOBODY@EXAMPLE.COM"]
    for turn in range(10):
        assert attempt(limited, spelt[turn % 3]).status_code == 401
    assert attempt(limited, "nobody@Example.com").status_code == 429


def test_the_hundred_and_first_failure_of_an_address_is_refused(limited: Flask) -> None:
    for turn in range(100):
        assert attempt(limited, f"nobody{turn}@example.com").status_code == 401
    assert_limited(attempt(limited, "another@example.com"), QUARTER - 10, QUARTER)
    assert attempt(limited, "another@example.com", address=ELSEWHERE).status_code == 401


@pytest.mark.parametrize(
    ("first", "second", "shared"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.2", False),
        ("192.0.2.1", "192.0.2.2", False),
    ],
)
def test_ipv6_is_counted_by_its_64_bit_network_and_ipv4_by_its_address(
    app: Flask, first: str, second: str, shared: bool
) -> None:
    assert 429 not in {register(app, "person@example.com", address=first) for _ in range(20)}
    refused = register(app, "person@example.com", address=second) == 429
    assert refused is shared


def test_another_account_is_not_affected(limited: Flask) -> None:
    person = carol(limited)
    statuses(limited, "nobody@example.com", 12)
    assert person.log_in().status_code == 200


def test_a_success_resets_the_failures_of_the_account(limited: Flask) -> None:
    person = carol(limited)
    for _ in range(3):
        assert statuses(limited, person.email, 9) == {401}
        assert person.log_in().status_code == 200


def test_14_22_unlock_clears_the_failures_in_either_storage(
    limited: Flask, operator: Operator
) -> None:
    person = carol(limited)
    with limited.app_context():
        storage = registry.get(Settings).rate_limit_storage.get_secret_value()
    operator.environment["AUTHSVC_RATE_LIMIT_STORAGE"] = storage
    assert statuses(limited, person.email, 10) == {401}
    assert person.log_in().status_code == 429
    assert operator.run("users", "unlock", person.email).exit_code == 0
    assert person.log_in().status_code == 200


def test_a_success_is_not_counted_for_the_address_and_its_failures_stay(limited: Flask) -> None:
    person = carol(limited)
    for turn in range(99):
        attempt(limited, f"nobody{turn}@example.com")
    for _ in range(5):
        assert attempt(limited, person.email, person.password).status_code == 200
    assert attempt(limited, "nobody@example.com").status_code == 401
    assert attempt(limited, "nobody@example.com").status_code == 429


class Busy(Argon2id):
    """A hasher that refuses every password because it is busy."""

    def verify(self, password: str | bytes, hash: str | bytes) -> bool:
        raise ServiceUnavailable


@pytest.fixture
def busy(make_app: MakeApp) -> Iterator[Flask]:
    app = make_app()
    yield app
    empty_tables(app)


def test_an_attempt_that_ends_in_503_is_not_counted(busy: Flask) -> None:
    with busy.app_context():
        honest = registry.get(Passwords)
    registry.add(busy, Passwords(15, Busy(time_cost=1, memory_cost=8)))
    assert statuses(busy, "nobody@example.com", 12) == {503}
    registry.add(busy, honest)
    assert statuses(busy, "nobody@example.com", 10) == {401}


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ({"data": "email=nobody@example.com"}, 415),
        ({"json": {"email": "nobody@example.com"}}, 422),
        ({"json": {"email": "nobody@example.com", "password": "\ud800"}}, 422),
    ],
)
def test_a_body_that_is_refused_is_not_counted(
    limited: Flask, sent: dict[str, object], status: int
) -> None:
    for _ in range(12):
        answer = limited.test_client().post("/auth/login", **sent)  # type: ignore[arg-type]
        assert answer.status_code == status
    assert statuses(limited, "nobody@example.com", 10) == {401}


def test_refused_attempts_are_not_counted_if_the_attempts_before_them_did_not_fail(
    limited: Flask,
) -> None:
    start, decided = Barrier(20), Barrier(20)

    def run_out_of_time(_: int) -> None:
        with limited.app_context():
            start.wait()
            try:
                with registry.get(Throttle).login("nobody@example.com", HOME):
                    decided.wait()
                    raise ServiceUnavailable
            except ServiceUnavailable:
                return
            except RateLimited:
                decided.wait()

    with ThreadPoolExecutor(20) as clients:
        list(clients.map(run_out_of_time, range(20)))
    assert statuses(limited, "nobody@example.com", 10) == {401}


def test_decrementing_a_removed_count_allows_no_further_attempts(limited: Flask) -> None:
    with limited.app_context():
        throttle = registry.get(Throttle)
        with suppress(ServiceUnavailable), ExitStack() as slow:
            for _ in range(5):
                slow.enter_context(throttle.login("nobody@example.com", HOME))
            with throttle.login("nobody@example.com", HOME):
                pass  # a success, which resets the account
            raise ServiceUnavailable
    assert statuses(limited, "nobody@example.com", 10) == {401}
    assert attempt(limited, "nobody@example.com").status_code == 429


def test_a_guesser_does_not_hinder_a_person_with_a_live_session(limited: Flask) -> None:
    person = carol(limited).logged_in()
    statuses(limited, person.email, 12)
    assert person.refresh().status_code == 200
    change = {"current_password": person.password, "new_password": "a raincoat in the snow"}
    assert person.call("PUT", "/api/me/password", json=change).status_code == 200
    assert person.call("GET", "/api/me").status_code == 200


def test_the_eleventh_wrong_confirmation_is_refused_on_both_routes_and_login_stays_open(
    limited: Flask,
) -> None:
    person = carol(limited).logged_in()
    wrong = {"current_password": "this is the wrong one", "new_password": "a raincoat in the snow"}
    for _ in range(10):
        assert person.call("PUT", "/api/me/password", json=wrong).status_code == 403
    assert_limited(person.call("PUT", "/api/me/password", json=wrong), QUARTER - 5, QUARTER)
    confirmation = {"password": person.password}
    assert_limited(person.call("DELETE", "/api/me", json=confirmation), QUARTER - 5, QUARTER)
    assert person.on_another_device().log_in().status_code == 200


def test_a_right_confirmation_resets_the_wrong_ones(limited: Flask) -> None:
    person = carol(limited).logged_in()
    wrong = {"current_password": "this is the wrong one", "new_password": "a raincoat in the snow"}
    right = {"current_password": person.password, "new_password": person.password}
    for _ in range(2):
        for _ in range(9):
            assert person.call("PUT", "/api/me/password", json=wrong).status_code == 403
        assert person.call("PUT", "/api/me/password", json=right).status_code == 200


def test_the_twenty_first_registration_of_an_address_is_refused(limited: Flask) -> None:
    assert [register(limited, f"person{turn}@example.com") for turn in range(10)] == [201] * 10
    assert [register(limited, "person1@example.com") for _ in range(10)] == [409] * 10
    person = Person(limited, "late@example.com", "an umbrella in the sun")
    answer = person.call(
        "POST",
        "/auth/register",
        json=person.credentials,
        environ_base={"REMOTE_ADDR": HOME},
    )
    assert_limited(answer, 3600 - 10, 3600)


def test_a_registration_that_is_refused_as_invalid_is_not_counted(limited: Flask) -> None:
    for _ in range(25):
        assert register(limited, "person@example.com", "short") == 422
        assert register(limited, "not an address") == 422
    assert [register(limited, "person@example.com") for _ in range(20)] == [201, *[409] * 19]


def test_the_sixty_first_refresh_of_a_session_in_a_minute_is_refused(limited: Flask) -> None:
    person = carol(limited).logged_in()
    other = person.on_another_device().logged_in()
    assert [person.refresh().status_code for _ in range(60)] == [200] * 60
    assert_limited(person.refresh(), 50, 60)
    assert [other.refresh().status_code for _ in range(10)] == [200] * 10


def test_each_further_worker_allows_at_most_five_refreshes_more(
    make_app: MakeApp, limited: Flask
) -> None:
    person = carol(limited).logged_in()
    with limited.app_context():
        storage = registry.get(Settings).rate_limit_storage
    workers = [make_app(rate_limit_storage=storage) for _ in range(3)]
    passed = 0
    for turn in range(120):
        person.app = workers[turn % 3]
        passed += person.refresh().status_code == 200
    assert 60 < passed <= 60 + 5 * len(workers)


@pytest.mark.parametrize("step", [0.1, 0])
def test_a_session_may_be_refreshed_again_when_retry_after_has_passed(
    alice: Person, step: float
) -> None:
    with travel(NOON, tick=False) as clock:
        alice.logged_in()
        for turn in range(70):
            answer = alice.refresh()
            clock.shift(step if turn < 59 else 0)
        assert answer.status_code == 429
        clock.shift(int(answer.headers["Retry-After"]))
        assert alice.refresh().status_code == 200


def test_retry_after_is_right_if_another_worker_reached_the_limit(
    make_app: MakeApp, alice: Person
) -> None:
    with travel(NOON, tick=False) as clock:
        alice.logged_in()
        for _ in range(60):
            assert alice.refresh().status_code == 200
        clock.shift(50)
        alice.app = make_app()
        answers = [alice.refresh() for _ in range(7)]
        assert [answer.status_code for answer in answers] == [200] * 5 + [429] * 2
        assert {answer.headers.get("Retry-After") for answer in answers[5:]} == {"10"}
        clock.shift(10)
        assert alice.refresh().status_code == 200


@pytest.mark.parametrize(("seconds", "status"), [(QUARTER - 1, 429), (QUARTER, 401)])
def test_an_account_can_be_tried_again_after_a_quarter_of_an_hour(
    app: Flask, seconds: int, status: int
) -> None:
    with travel(NOON, tick=False) as clock:
        statuses(app, "nobody@example.com", 10)
        clock.shift(seconds)
        answer = attempt(app, "nobody@example.com")
    assert answer.status_code == status
    assert answer.headers.get("Retry-After") == ("1" if status == 429 else None)


def test_refused_attempts_do_not_prolong_the_wait(app: Flask) -> None:
    with travel(NOON, tick=False) as clock:
        statuses(app, "nobody@example.com", 10)
        for _ in range(QUARTER // 60):
            assert attempt(app, "nobody@example.com").status_code == 429
            clock.shift(60)
        assert attempt(app, "nobody@example.com").status_code == 401


def test_refused_attempts_write_nothing(app: Flask) -> None:
    statuses(app, "nobody@example.com", 10)
    with counted_statements(app) as statements:
        assert attempt(app, "nobody@example.com").status_code == 429
    assert statements == ["SELECT"]


def test_a_registration_is_possible_again_after_an_hour(app: Flask) -> None:
    with travel(NOON, tick=False) as clock:
        register(app, "person@example.com")
        assert [register(app, "person@example.com") for _ in range(19)] == [409] * 19
        clock.shift(3599)
        assert register(app, "another@example.com") == 429
        clock.shift(1)
        assert register(app, "another@example.com") == 201


def test_after_a_hundred_failures_in_a_row_an_account_rests_until_a_day_after_the_first(
    app: Flask,
) -> None:
    with travel(NOON, tick=False) as clock:
        for _ in range(10):
            assert statuses(app, "nobody@example.com", 10) == {401}
            clock.shift(QUARTER)
        rest = 24 * 3600 - 10 * QUARTER
        assert_limited(attempt(app, "nobody@example.com"), rest, rest)
        clock.shift(rest - 1)
        assert_limited(attempt(app, "nobody@example.com"), 1, 1)
        clock.shift(1)
        assert attempt(app, "nobody@example.com").status_code == 401


def test_retry_after_is_the_longest_wait_of_all_reached_limits(app: Flask) -> None:
    with travel(NOON, tick=False) as clock:
        for _ in range(9):
            statuses(app, "nobody@example.com", 10)
            clock.shift(QUARTER)
        statuses(app, "nobody@example.com", 10)
        rest = 24 * 3600 - 9 * QUARTER
        assert_limited(attempt(app, "nobody@example.com"), rest, rest)


def test_the_factor_multiplies_every_limit(make_app: MakeApp, app: Flask) -> None:
    tripled = make_app(rate_limit_factor=3)
    assert statuses(tripled, "nobody@example.com", 30) == {401}
    assert attempt(tripled, "nobody@example.com").status_code == 429
    assert [register(tripled, f"p{turn}@example.com") for turn in range(60)] == [201] * 60
    assert register(tripled, "late@example.com") == 429
    person = Person(tripled, "p1@example.com", "an umbrella in the sun").logged_in()
    assert [person.refresh().status_code for _ in range(181)] == [200] * 180 + [429]


def test_the_counts_in_the_database_contain_no_address(app: Flask, connection: Connection) -> None:
    attempt(app, "nobody@example.com")
    rows = connection.execute(text("SELECT key FROM rate_limits")).scalars().all()
    assert len(rows) == 3
    assert not [row for row in rows if "nobody" in row or HOME in row]


def test_the_counts_in_redis_contain_no_address_and_expire(
    app_on_redis: Flask, redis: RedisServer
) -> None:
    redis.client.flushall()
    attempt(app_on_redis, "nobody@example.com")
    keys = sorted(key.decode() for key in redis.client.scan_iter())
    assert not [key for key in keys if "nobody" in key or HOME in key]
    lives = sorted(redis.client.ttl(key) for key in keys)
    expected = [QUARTER, QUARTER, 24 * 3600]
    assert all(0 <= full - left <= 5 for left, full in zip(lives, expected, strict=True))


def rows(app: Flask) -> int:
    with app.app_context(), reading() as connection:
        return connection.execute(text("SELECT count(*) FROM rate_limits")).scalar_one()


def test_the_table_of_counts_does_not_grow(app: Flask) -> None:
    with travel(NOON, tick=False) as clock:
        for turn in range(50):
            attempt(app, f"nobody{turn}@example.com")
        assert rows(app) == 101
        clock.shift(timedelta(days=2))
        attempt(app, "somebody@example.com")
        assert rows(app) == 101 + 2 - 3 * SWEEP  # the address has its count already
        for turn in range(1, 50):
            attempt(app, f"somebody{turn}@example.com")
        assert rows(app) == 101


PLAN = ("enable_hashjoin", "enable_mergejoin", "enable_hashagg", "enable_sort", "enable_material")
"""Without them Postgres joins in nested loops, which evaluate a subquery for each row."""


@pytest.mark.every_case
@pytest.mark.only("postgres")
@pytest.mark.parametrize(
    ("fill", "sweep"),
    [
        (
            "INSERT INTO rate_limits SELECT 'k' || i, 1, now() - interval '1 day'"
            " FROM generate_series(1, 100) i",
            lambda connection: database_counts._sweep(connection, clock.now(), SWEEP),
        ),
        (
            "INSERT INTO used_challenges SELECT gen_random_uuid(), now() - interval '1 day'"
            " FROM generate_series(1, 100)",
            lambda connection: challenges._sweep(connection, clock.now()),
        ),
    ],
    ids=["counts", "challenges"],
)
def test_a_sweep_keeps_to_its_number_whatever_the_plan(
    app: Flask, fill: str, sweep: Callable[[Connection], None]
) -> None:
    table = fill.split()[2]
    with app.app_context(), writing() as connection:
        connection.execute(text(fill))
        for setting in PLAN:
            connection.execute(text(f"SET LOCAL {setting} = off"))
        sweep(connection)
        left = connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one()
    assert left == 100 - SWEEP


@pytest.mark.only("postgres")
def test_an_attempt_does_not_wait_for_a_transaction_that_removes_expired_counts(app: Flask) -> None:
    with travel(NOON, tick=False) as clock:
        attempt(app, "nobody@example.com")
        clock.shift(timedelta(days=2))
        with app.app_context(), writing() as other:
            other.execute(select(RateLimit.key).with_for_update())
            assert attempt(app, "somebody@example.com", address=ELSEWHERE).status_code == 401


@pytest.mark.parametrize("address", ["", "not an address"])
def test_clients_without_an_address_share_one_count(app: Flask, address: str) -> None:
    for number in range(100):
        assert attempt(app, f"nobody{number}@example.com", address=address).status_code == 401
    assert attempt(app, "nobody@example.com", address="unix:").status_code == 429
    assert attempt(app, "nobody@example.com").status_code == 401
