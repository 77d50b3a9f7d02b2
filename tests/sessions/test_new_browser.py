"""A mail about a login by a browser that is new to the account."""

from collections.abc import Callable

import pytest
import time_machine
from flask import Flask
from sqlalchemy import Connection, text

from authsvc.web.browsers import Browser, browser_of
from tests.conftest import MakeApp
from tests.support.mailbox import Mailbox, text_of
from tests.support.people import Person
from tests.support.responses import counted_statements

CHROME = "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{} Safari/537"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1 (KHTML) {}"
ANDROID = "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) {}"

LogsInWith = Callable[[str], list[str]]


@pytest.fixture
def dora(mail_app: Flask) -> Person:
    return Person(mail_app, "Dora@example.com", "a door that is ajar").register()


@pytest.fixture
def notices(dora: Person, mailbox: Mailbox) -> LogsInWith:
    """A function that logs Dora in with a User-Agent, and returns the texts of notices."""

    def log_in(user_agent: str) -> list[str]:
        answer = dora.on_another_device().log_in(**{"User-Agent": user_agent})
        assert answer.status_code == 200
        answer.close()
        mails = [mail for mail in mailbox.deliver() if "New login" in mail["Subject"]]
        assert all(mail["To"] == "Dora@example.com" for mail in mails)
        return [text_of(mail) for mail in mails]

    return log_in


@time_machine.travel("2026-11-24T12:34:00Z")
def test_a_login_by_another_browser_sends_one_mail(notices: LogsInWith) -> None:
    assert notices(FIREFOX) == []
    (notice,) = notices(CHROME.format("130.0.0.0"))
    assert "Browser: Chrome on Windows\nTime: 2026-11-24 12:34 UTC\n" in notice
    assert "Network address: 127.0.0.1\n" in notice
    assert notices(CHROME.format("130.0.0.0")) == notices(FIREFOX) == []


def test_a_new_version_is_not_a_new_browser(notices: LogsInWith) -> None:
    assert notices(CHROME.format("130.0.0.0")) == notices(CHROME.format("131.0.0.0")) == []


def test_an_unknown_browser_is_new_once(notices: LogsInWith) -> None:
    notices(FIREFOX)
    (notice,) = notices("<b>buy</b> https://evil.example/")
    assert "Browser: unknown\n" in notice
    assert "evil" not in notice
    assert notices("another/1.0") == []


def test_a_refused_login_makes_no_browser_known(notices: LogsInWith, dora: Person) -> None:
    notices(FIREFOX)
    thief = Person(dora.app, dora.email, "not the password of Dora")
    assert thief.log_in(**{"User-Agent": CHROME}).status_code == 401
    assert len(notices(CHROME)) == 1


def test_the_browsers_of_another_account_do_not_count(notices: LogsInWith, dora: Person) -> None:
    erik = Person(dora.app, "erik@example.com", "a yard with two hens").register()
    erik.log_in(**{"User-Agent": CHROME}).close()
    assert notices(FIREFOX) == []


def test_the_notice_costs_nothing_before_the_response(dora: Person, notices: LogsInWith) -> None:
    notices(FIREFOX)
    with counted_statements(dora.app) as statements:
        answer = dora.log_in(**{"User-Agent": CHROME})
        before = len(statements)
        answer.close()
    assert before == 11  # as without mail: see tests/test_budget.py
    assert len(statements) > before


@pytest.mark.parametrize("with_mail", [True, False])
def test_no_notice_is_stored_if_notices_or_mail_are_off(
    make_app: MakeApp,
    mail_settings: dict[str, str],
    notices: LogsInWith,
    dora: Person,
    with_mail: bool,
) -> None:
    notices(FIREFOX)
    without_notices = {**mail_settings, "mail_new_logins": False}
    dora.app = make_app(**without_notices if with_mail else {})
    assert notices(CHROME) == []


def test_a_login_does_not_fail_when_the_notice_does(
    dora: Person, notices: LogsInWith, connection: Connection
) -> None:
    notices(FIREFOX)
    with dora.app.app_context():
        answer = dora.log_in(**{"User-Agent": CHROME})
        connection.execute(text("ALTER TABLE outbox RENAME TO hidden"))
        try:
            answer.close()
        finally:
            connection.execute(text("ALTER TABLE hidden RENAME TO outbox"))
    assert answer.status_code == 200
    assert notices(FIREFOX) == []


@pytest.mark.parametrize(
    ("user_agent", "browser"),
    [
        (None, ("", "")),
        ("curl/8.5.0", ("curl", "")),
        (FIREFOX, ("Firefox", "Linux")),
        (CHROME, ("Chrome", "Windows")),
        (f"{CHROME} Edg/130.0", ("Edge", "Windows")),
        (f"{CHROME} OPR/114.0", ("Opera", "Windows")),
        (ANDROID.format("Chrome/130 Mobile Safari/537.36"), ("Chrome", "Android")),
        (ANDROID.format("SamsungBrowser/26 Chrome/122 Safari/5"), ("Samsung Internet", "Android")),
        (IPHONE.format("Version/18.0 Mobile/15E148 Safari/604.1"), ("Safari", "iOS")),
        (IPHONE.format("CriOS/130 Mobile/15E148 Safari/604.1"), ("Chrome", "iOS")),
        (IPHONE.format("FxiOS/130 Mobile/15E148 Safari/604.1"), ("Firefox", "iOS")),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15) Safari/605.1", ("Safari", "macOS")),
    ],
)
def test_a_browser_is_recognised_by_its_user_agent(
    user_agent: str | None, browser: tuple[str, str]
) -> None:
    assert browser_of(user_agent) == Browser(*browser)


def test_an_account_gets_five_such_mails_an_hour_at_most(mail_app: Flask, mailbox: Mailbox) -> None:
    """A stranger who registered another person's address cannot fill that mailbox."""
    victim = Person(mail_app, "victim@example.com", "a horse that is correct").register()
    mailbox.deliver()
    systems = ("Windows", "iPhone", "Android", "Macintosh", "X11", "")
    for browser in ("curl/8", *(f"Firefox/1 ({system})" for system in systems)):
        with victim.log_in(**{"User-Agent": browser}) as answer:
            assert answer.status_code == 200
    assert len(mailbox.deliver()) == 5
