"""POST /auth/login with the code of an authenticator app, or with a recovery code."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pyotp
import pytest
import time_machine
from flask import Flask
from sqlalchemy import Connection
from werkzeug.test import TestResponse

from tests.conftest import MakeApp
from tests.support.authenticator_app import AuthenticatorApp, log_in_with, set_up
from tests.support.factor_rows import recovery_code_rows, totp_rows
from tests.support.factor_secrets import LOST, ROTATED, ROTATING
from tests.support.mailbox import Mailbox, text_of
from tests.support.passkeys import add_passkey, assertion, log_in_by_passkey
from tests.support.people import Person
from tests.support.responses import assert_problem, claims, events, live_sessions, sessions
from tests.support.second_factors import give_recovery_codes, give_totp

NOON = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)
STEP = timedelta(seconds=30)


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOON, tick=False) as clock:
        yield clock


class Set:
    """A person with an authenticator app and recovery codes, logged in by the password alone.

    Args:
        person: has an account.
    """

    def __init__(self, person: Person) -> None:
        self.person = person.logged_in()
        self.phone = AuthenticatorApp(give_totp(person).provisioning_uri())
        self.codes = give_recovery_codes(person)

    def log_in(self, **factor: object) -> TestResponse:
        """Log in on another device."""
        return log_in_with(self.person.on_another_device(), **factor)

    def opens(self, **factor: object) -> bool:
        """Return whether this factor opens a session; otherwise it must be refused like others."""
        answer = self.log_in(**factor)
        if answer.status_code == 200:
            return True
        assert_problem(answer, 401, "invalid_credentials")
        assert "Set-Cookie" not in answer.headers
        return False


@pytest.fixture
def alice(app: Flask, clock: time_machine.Traveller) -> Set:
    """Alice, with an app that was set up ten minutes ago."""
    clock.shift(-600)
    alice = Set(Person(app, "alice@example.com", "a horse that is correct").register())
    clock.shift(600)
    return alice


@pytest.fixture
def bob(app: Flask, clock: time_machine.Traveller) -> Set:
    """Bob, the same."""
    clock.shift(-600)
    bob = Set(Person(app, "bob@example.com", "a staple for a battery").register())
    clock.shift(600)
    return bob


def refusals(connection: Connection) -> list[str | None]:
    """Return the details of all refused logins."""
    return [event.detail for event in events(connection) if event.event == "login_refused"]


def test_the_password_alone_opens_nothing_and_the_response_says_what_to_give(
    alice: Set, connection: Connection
) -> None:
    """V1."""
    before = sessions(connection)
    answer = alice.log_in()
    assert_problem(answer, 401, "second_factor_required")
    assert answer.json["methods"] == ["totp", "recovery_code"]
    assert "Set-Cookie" not in answer.headers
    assert "WWW-Authenticate" not in answer.headers
    assert sessions(connection) == before


def test_the_password_and_the_code_open_a_session_of_two_factors(
    alice: Set, connection: Connection
) -> None:
    answer = alice.log_in(code=alice.phone.code())
    assert answer.status_code == 200
    token = claims(answer.json["access_token"])
    assert (token["amr"], token["acr"]) == (["pwd", "otp", "mfa"], "aal2")
    assert sessions(connection)[-1].amr == "pwd otp mfa"
    logged_in = [event.detail for event in events(connection) if event.event == "logged_in"]
    assert sorted(logged_in, key=str) == [None, "pwd otp mfa"]


def test_pyotp_as_the_phone_shows_the_same_code(alice: Set) -> None:
    phone = pyotp.TOTP(alice.phone.parameters["secret"])
    assert phone.now() == alice.phone.code()
    assert alice.opens(code=phone.now())


@pytest.mark.parametrize(
    ("steps", "opens"), [(-3, False), (-2, False), (-1, True), (1, True), (2, False), (3, False)]
)
def test_a_clock_may_differ_by_one_step_and_no_more(alice: Set, steps: int, opens: bool) -> None:
    """RFC 6238 section 5.2."""
    assert alice.opens(code=alice.phone.code(steps)) is opens


@pytest.mark.parametrize(("seconds", "opens"), [(59, True), (60, False)])
def test_a_code_works_until_the_end_of_the_step_after_its_own(
    alice: Set, clock: time_machine.Traveller, seconds: int, opens: bool
) -> None:
    code = alice.phone.code()
    clock.shift(seconds)
    assert alice.opens(code=code) is opens


def test_a_code_works_once(
    alice: Set, connection: Connection, clock: time_machine.Traveller
) -> None:
    """V2."""
    code = alice.phone.code()
    assert alice.opens(code=code)
    assert not alice.opens(code=code)
    clock.shift(STEP)
    assert not alice.opens(code=code)
    assert alice.opens(code=alice.phone.code())
    assert refusals(connection) == ["wrong_code", "wrong_code"]


def test_a_code_of_a_step_before_the_last_accepted_one_is_refused(alice: Set) -> None:
    """Or a code that another person has seen would work after a newer one."""
    assert alice.opens(code=alice.phone.code(1))
    for steps in (-1, 0, 1):
        assert not alice.opens(code=alice.phone.code(steps))


@pytest.mark.parametrize("steps", [-1, 0, 1])
def test_the_code_that_confirmed_the_app_does_not_log_in(
    app: Flask, clock: time_machine.Traveller, steps: int
) -> None:
    carol = Person(app, "carol@example.com", "an umbrella in the sun").register().logged_in()
    uri = carol.call("POST", "/api/me/totp", json={}).json["uri"]
    code = (phone := AuthenticatorApp(uri)).code(steps)
    assert carol.call("PUT", "/api/me/totp", json={"code": code}).status_code == 200
    refused = log_in_with(carol.on_another_device(), code=code)
    assert_problem(refused, 401, "invalid_credentials")
    clock.shift(2 * STEP)
    assert log_in_with(carol.on_another_device(), code=phone.code()).status_code == 200


def test_after_a_clock_was_set_back_old_codes_stay_used_until_it_has_caught_up(
    alice: Set, clock: time_machine.Traveller
) -> None:
    assert alice.opens(code=alice.phone.code())
    clock.shift(-3600)
    assert not alice.opens(code=alice.phone.code())
    assert alice.opens(recovery_code=alice.codes[0])
    clock.shift(3600 + 30)
    assert alice.opens(code=alice.phone.code())


@pytest.mark.once
@pytest.mark.parametrize(
    "spelt",
    ["{0}{1}", "{0} {1}", " {0}{1}\n", "{0}\u00a0{1}", "{0}\u2009{1}", "{0}\t{1}"],
)
def test_spaces_in_a_code_are_ignored(alice: Set, spelt: str) -> None:
    """Apps show codes as two groups of three."""
    code = alice.phone.code()
    assert alice.opens(code=spelt.format(code[:3], code[3:]))


def test_full_width_digits_are_digits(alice: Set) -> None:
    """The keyboards of Japanese phones type them."""
    code = alice.phone.code().translate({ord("0") + n: 0xFF10 + n for n in range(10)})
    assert not code.isascii()
    assert alice.opens(code=code)


@pytest.mark.once
@pytest.mark.parametrize(
    "change",
    [
        lambda code: "",
        lambda code: " ",
        lambda code: code[:5],
        lambda code: code[1:],
        lambda code: f"{code}0",
        lambda code: f"0{code}",
        lambda code: f"{code[:3]}-{code[3:]}",
        lambda code: f"+{code}",
        lambda code: f"{code}.0",
        lambda code: f"{code}\0",
        lambda code: "abcdef",
        lambda code: code.translate({ord("0") + n: 0x0660 + n for n in range(10)}),
        lambda code: code * 2,
        lambda code: code * 1000,
    ],
    ids=[
        *("empty", "a space", "the first five", "the last five", "a digit after", "a digit before"),
        *("a hyphen", "a sign", "a fraction", "a null", "letters", "arabic digits", "twice"),
        "6000 digits",
    ],
)
def test_what_is_not_the_six_digits_is_refused(
    alice: Set, connection: Connection, change: object
) -> None:
    assert not alice.opens(code=change(alice.phone.code()))  # type: ignore[operator]
    assert refusals(connection) == ["wrong_code"]
    assert alice.opens(code=alice.phone.code())


@pytest.mark.once
@pytest.mark.parametrize("code", [123456, 123456.0, ["123456"], {"code": "123456"}, True])
def test_a_code_that_is_not_text_is_refused_as_invalid(alice: Set, code: object) -> None:
    assert_problem(alice.log_in(code=code), 422, "validation_failed")


def test_two_second_factors_at_once_are_refused_and_neither_is_used(alice: Set) -> None:
    both = {"code": alice.phone.code(), "recovery_code": alice.codes[0]}
    assert_problem(alice.log_in(**both), 422, "validation_failed")
    assert alice.opens(code=both["code"])
    assert alice.opens(recovery_code=both["recovery_code"])


def test_the_code_of_another_account_is_wrong(alice: Set, bob: Set) -> None:
    assert not alice.opens(code=bob.phone.code())
    assert bob.opens(code=bob.phone.code())


def test_a_wrong_password_uses_neither_a_code_nor_a_recovery_code(
    alice: Set, connection: Connection
) -> None:
    wrong = {**alice.person.credentials, "password": "this is the wrong one"}
    code, recovery = alice.phone.code(), alice.codes[0]
    for factor in ({"code": code}, {"recovery_code": recovery}):
        answer = alice.person.call("POST", "/auth/login", json={**wrong, **factor})
        assert_problem(answer, 401, "invalid_credentials")
    assert refusals(connection) == ["wrong_password", "wrong_password"]
    assert alice.opens(code=code)
    assert alice.opens(recovery_code=recovery)


def test_a_code_of_an_account_without_a_factor_is_ignored(app: Flask) -> None:
    carol = Person(app, "carol@example.com", "an umbrella in the sun").register()
    for factor in ({"code": "123456"}, {"recovery_code": "AAAAA"}):
        answer = log_in_with(carol, **factor)
        assert answer.status_code == 200
        assert claims(answer.json["access_token"])["acr"] == "aal1"


@pytest.mark.parametrize(
    "spelt",
    [
        lambda code: code,
        lambda code: code.lower(),
        lambda code: code.replace("-", ""),
        lambda code: code.replace("-", "").lower(),
        lambda code: code.replace("-", " "),
        lambda code: f"  {code}\n",
        lambda code: "-".join(code.replace("-", "")),
        lambda code: code.replace("-", "\u2013"),
        lambda code: code.title(),
    ],
    ids=[
        *("as shown", "lower case", "ungrouped", "ungrouped lower case", "spaces", "around"),
        *("each letter", "dashes", "title case"),
    ],
)
def test_a_recovery_code_works_in_any_case_and_grouping(alice: Set, spelt: object) -> None:
    assert alice.opens(recovery_code=spelt(alice.codes[3]))  # type: ignore[operator]
    assert not alice.opens(recovery_code=alice.codes[3])


def test_each_of_the_ten_recovery_codes_works_once(alice: Set, connection: Connection) -> None:
    """V2."""
    for code in reversed(alice.codes):
        assert alice.opens(recovery_code=code)
        assert not alice.opens(recovery_code=code)
    assert {row.used_at for row in recovery_code_rows(connection)} == {NOON}
    assert alice.log_in().json["methods"] == ["totp"]
    assert alice.opens(code=alice.phone.code())


def test_a_recovery_code_opens_a_session_of_two_factors_and_is_recorded(
    alice: Set, connection: Connection
) -> None:
    answer = alice.log_in(recovery_code=alice.codes[0])
    token = claims(answer.json["access_token"])
    assert (token["amr"], token["acr"]) == (["pwd", "otp", "mfa"], "aal2")
    (used,) = [event for event in events(connection) if event.event == "recovery_code_used"]
    assert (used.actor, used.detail, str(used.user_id)) == ("user", None, token["sub"])


@pytest.mark.once
@pytest.mark.parametrize(
    "change",
    [
        lambda code: "",
        lambda code: "-",
        lambda code: code[:-1],
        lambda code: f"{code}A",
        lambda code: code[:5],
        lambda code: code[::-1],
        lambda code: code.replace(code[0], "B" if code[0] != "B" else "C", 1),
        lambda code: "AAAAA-AAAAA-AAAAA-AAAAA-AAAAA",
        lambda code: code * 400,
    ],
    ids=[
        *("empty", "a hyphen", "too short", "too long", "one group", "reversed"),
        *("another letter", "guessed", "12000 characters"),
    ],
)
def test_a_wrong_recovery_code_is_refused_and_uses_none(
    alice: Set, connection: Connection, change: object
) -> None:
    assert not alice.opens(recovery_code=change(alice.codes[0]))  # type: ignore[operator]
    assert refusals(connection) == ["wrong_recovery_code"]
    assert {row.used_at for row in recovery_code_rows(connection)} == {None}


def test_the_recovery_code_of_another_account_is_wrong_and_is_not_used(
    alice: Set, bob: Set
) -> None:
    assert not alice.opens(recovery_code=bob.codes[0])
    assert bob.opens(recovery_code=bob.codes[0])


def test_a_code_is_not_a_recovery_code_and_the_other_way_round(alice: Set) -> None:
    assert not alice.opens(recovery_code=alice.phone.code())
    assert not alice.opens(code=alice.codes[0])


def test_the_owner_gets_a_mail_when_a_recovery_code_is_used_and_only_then(
    mail_app: Flask, mailbox: Mailbox, clock: time_machine.Traveller
) -> None:
    alice = Person(mail_app, "alice@example.com", "a horse that is correct").register()
    body = {"token": mailbox.token("verify-email"), "password": alice.password}
    alice.call("POST", "/auth/email/verify", json=body)
    hers = Set(alice)
    mailbox.deliver()
    assert not hers.opens(recovery_code="AAAAA-AAAAA-AAAAA-AAAAA-AAAAA")
    assert mailbox.deliver() == []
    assert hers.opens(recovery_code=hers.codes[0])
    mail = mailbox.only()
    assert mail["To"] == alice.email
    assert hers.codes[0] not in text_of(mail)
    clock.shift(STEP)
    assert hers.opens(code=hers.phone.code())
    assert mailbox.deliver() == []


def test_wrong_codes_count_as_failed_logins_of_the_account(
    alice: Set, connection: Connection
) -> None:
    """V3."""
    for _ in range(5):
        assert not alice.opens(code=alice.phone.wrong_code())
        assert not alice.opens(recovery_code="AAAAA-AAAAA-AAAAA-AAAAA-AAAAA")
    for factor in ({"code": alice.phone.code()}, {"recovery_code": alice.codes[0]}, {}):
        assert_problem(alice.log_in(**factor), 429, "rate_limited")
    assert live_sessions(connection) == 1


def test_the_right_password_without_the_factor_does_not_clear_the_failures(alice: Set) -> None:
    """V3: or a thief of the password could guess codes without an end."""
    for _ in range(9):
        assert not alice.opens(code=alice.phone.wrong_code())
        assert_problem(alice.log_in(), 401, "second_factor_required")
    assert not alice.opens(code=alice.phone.wrong_code())
    assert_problem(alice.log_in(code=alice.phone.code()), 429, "rate_limited")


def test_a_wrong_code_is_refused_like_a_wrong_password(alice: Set) -> None:
    """The response does not say which of the two was wrong."""
    wrong = {**alice.person.credentials, "password": "this is the wrong one"}
    by_password = alice.person.on_another_device().call("POST", "/auth/login", json=wrong)
    by_code = alice.log_in(code=alice.phone.wrong_code())
    assert (by_code.status_code, by_code.data) == (by_password.status_code, by_password.data)


def test_a_wrong_code_leaves_the_session_of_the_cookie_alive(alice: Set) -> None:
    answer = log_in_with(alice.person, code=alice.phone.wrong_code())
    assert_problem(answer, 401, "invalid_credentials")
    assert alice.person.refresh().status_code == 200


@pytest.mark.parametrize("secret", [LOST, ROTATED, {"factor_secret": None}])
def test_with_a_wrong_or_missing_factor_secret_no_code_and_no_password_alone_logs_in(
    make_app: MakeApp,
    alice: Set,
    connection: Connection,
    caplog: pytest.LogCaptureFixture,
    secret: dict[str, str | None],
) -> None:
    """V5: it fails closed, and the log says what to set."""
    before = totp_rows(connection)
    alice.person.app = make_app(**secret)
    caplog.clear()
    assert_problem(alice.log_in(), 401, "second_factor_required")
    assert not alice.opens(code=alice.phone.code())
    written = caplog.text
    assert f"The TOTP secret of user {before[0].user_id} cannot be decrypted" in written
    assert "AUTHSVC_FACTOR_SECRET, or AUTHSVC_FACTOR_SECRET_PREVIOUS" in written
    values = [value for value in secret.values() if value is not None]
    assert not [one for one in (*values, alice.phone.parameters["secret"]) if one in written]
    assert totp_rows(connection) == before


@pytest.mark.parametrize("secret", [LOST, {"factor_secret": None}])
def test_with_a_lost_factor_secret_recovery_codes_still_work_and_help_to_set_up_a_new_app(
    make_app: MakeApp,
    alice: Set,
    clock: time_machine.Traveller,
    secret: dict[str, str | None],
) -> None:
    alice.person.app = make_app(**secret)
    assert alice.opens(recovery_code=alice.codes[0])
    phone = alice.person.on_another_device()
    phone.app = make_app(**LOST)
    assert log_in_with(phone, recovery_code=alice.codes[1]).status_code == 200
    assert phone.call("DELETE", "/api/me/totp").status_code == 204
    new, _ = set_up(phone)
    clock.shift(STEP)
    assert log_in_with(phone, code=new.code()).status_code == 200


@pytest.mark.parametrize("secret", [LOST, {"factor_secret": None}])
def test_with_a_lost_factor_secret_a_passkey_still_logs_in_alone_and_beside_the_password(
    make_app: MakeApp, app: Flask, secret: dict[str, str | None]
) -> None:
    carol = Set(Person(app, "carol@example.com", "an umbrella in the sun").register())
    assert log_in_with(carol.person, code=carol.phone.code()).status_code == 200
    authenticator = add_passkey(carol.person)
    carol.person.app = make_app(**secret)
    assert carol.opens(passkey=assertion(carol.person, authenticator))
    assert log_in_by_passkey(carol.person, authenticator).status_code == 200
    assert_problem(carol.log_in(), 401, "second_factor_required")


def test_during_a_rotation_the_codes_of_old_and_new_apps_work(
    make_app: MakeApp, alice: Set, clock: time_machine.Traveller
) -> None:
    alice.person.app = rotating = make_app(**ROTATING)
    assert alice.opens(code=alice.phone.code())
    bob = Set(Person(rotating, "bob@example.com", "a staple for a battery").register())
    clock.shift(STEP)
    bob.person.app = make_app(**ROTATED)
    assert bob.opens(code=bob.phone.code())
