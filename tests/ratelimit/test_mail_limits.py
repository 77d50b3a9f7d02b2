"""The limits on requests for mails, on both storages; with a moved clock on the database alone."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import Connection, func, select
from time_machine import travel
from werkzeug.test import TestResponse

from authsvc.mail.model import WaitingMail
from tests.conftest import MakeApp, empty_tables
from tests.ratelimit.cases import HOME, assert_limited
from tests.support.people import Person

HOUR = 3600
ELSEWHERE = "198.51.100.7"
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
FORGOT, RESEND = "/auth/password/forgot", "/auth/email/resend"


@pytest.fixture(params=["database", pytest.param("redis", marks=pytest.mark.once)])
def limited(
    request: pytest.FixtureRequest, make_app: MakeApp, mail_settings: dict[str, str]
) -> Iterator[Flask]:
    """The app with mail, once with each storage, without counts; Alice has an account."""
    if request.param == "redis":
        redis = request.getfixturevalue("redis")
        redis.client.flushall()
        app = make_app(rate_limit_storage=redis.url, **mail_settings)
    else:
        app = request.getfixturevalue("shared_mail_app")
    Person(app, "alice@example.com", "a horse that is correct").register()
    yield app
    empty_tables(app)


def ask(app: Flask, email: str, path: str = FORGOT, network: str = HOME) -> TestResponse:
    return app.test_client().post(
        path, json={"email": email}, environ_base={"REMOTE_ADDR": network}
    )


def waiting(connection: Connection) -> int:
    links = select(func.count()).where(WaitingMail.kind.in_(["reset", "resend"]))
    return int(connection.execute(links).scalar_one())


@pytest.mark.parametrize("email", ["alice@example.com", "unknown@example.com"])
def test_the_sixth_mail_to_an_address_is_refused_however_it_is_spelt(
    limited: Flask, email: str
) -> None:
    spelt = [email, email.upper(), f" {email}", email.title(), f"{email}\n"]
    for turn, one in enumerate(spelt):
        path = [FORGOT, RESEND][turn % 2]
        assert ask(limited, one, path, network=f"192.0.2.{turn}").status_code == 202
    for path in (FORGOT, RESEND):
        assert_limited(ask(limited, email, path, ELSEWHERE), HOUR - 5, HOUR)
    assert ask(limited, f"another-{email}").status_code == 202


def test_the_twenty_first_mail_from_a_network_is_refused(limited: Flask) -> None:
    for turn in range(20):
        path = [FORGOT, RESEND][turn % 2]
        assert ask(limited, f"person{turn}@example.com", path).status_code == 202
    for path in (FORGOT, RESEND):
        assert_limited(ask(limited, "alice@example.com", path), HOUR - 5, HOUR)
    assert ask(limited, "alice@example.com", network=ELSEWHERE).status_code == 202


def test_a_second_mail_of_a_kind_is_silent(limited: Flask, connection: Connection) -> None:
    before = waiting(connection)
    for path in (FORGOT, RESEND, FORGOT, RESEND):
        assert ask(limited, "alice@example.com", path).status_code == 202
    assert waiting(connection) == before + 2


def test_of_requests_at_once_one_sends_a_mail(limited: Flask, connection: Connection) -> None:
    before = waiting(connection)
    with ThreadPoolExecutor(4) as threads:
        answers = threads.map(lambda _: ask(limited, "alice@example.com").status_code, range(8))
        assert sorted(answers) == [202] * 5 + [429] * 3
    assert waiting(connection) == before + 1


def test_refused_requests_for_a_mail_store_nothing_and_do_not_prolong_the_wait(
    mail_app: Flask, connection: Connection
) -> None:
    with travel(NOON, tick=False) as clock:
        for _ in range(5):
            ask(mail_app, "alice@example.com")
        for minutes in (5, 30, 59):
            clock.move_to(NOON + timedelta(minutes=minutes))
            rest = HOUR - minutes * 60
            assert_limited(ask(mail_app, "alice@example.com"), rest, rest)
        assert waiting(connection) == 1
        clock.move_to(NOON + timedelta(hours=1))
        assert ask(mail_app, "alice@example.com").status_code == 202
        assert waiting(connection) == 2


def test_a_person_may_ask_again_after_five_minutes_in_any_case(
    mail_app: Flask, connection: Connection
) -> None:
    with travel(NOON, tick=False) as clock:
        for minutes in range(5):
            clock.move_to(NOON + timedelta(minutes=5 * minutes))
            assert ask(mail_app, "alice@example.com").status_code == 202
        assert waiting(connection) == 5


def test_the_factor_multiplies_the_limits_of_mails_and_not_the_silence(
    make_app: MakeApp, mail_settings: dict[str, str], mail_app: Flask, connection: Connection
) -> None:
    doubled = make_app(rate_limit_factor=2, **mail_settings)
    assert {ask(doubled, "alice@example.com").status_code for _ in range(10)} == {202}
    assert ask(doubled, "alice@example.com").status_code == 429
    assert waiting(connection) == 1
