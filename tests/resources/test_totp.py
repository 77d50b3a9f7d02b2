"""/api/me/totp."""

from collections.abc import Callable, Iterator
from xml.etree import ElementTree

import pyotp
import pytest
import time_machine
from flask import Flask
from sqlalchemy import Connection, text
from werkzeug.test import TestResponse

from authsvc.factors.totp_setup import setup_of
from tests.conftest import MakeApp
from tests.support.api_description import Description
from tests.support.authenticator_app import (
    PATH,
    AuthenticatorApp,
    confirm,
    log_in_with,
    scan,
    set_up,
)
from tests.support.factor_rows import insert_passkey, recovery_code_rows, totp_rows
from tests.support.mailbox import Mailbox, text_of
from tests.support.people import Person
from tests.support.responses import assert_problem, claims, events, sessions, users

NOON = "2026-11-24T12:00:00Z"
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOON, tick=False) as clock:
        yield clock


@pytest.fixture
def alice(app: Flask) -> Person:
    """Alice, logged in."""
    return Person(app, "alice@example.com", "a horse that is correct").register().logged_in()


@pytest.fixture
def writer(mail_app: Flask, mailbox: Mailbox) -> Person:
    """Alice, logged in to the service with mail; her address is verified, her mails are read."""
    alice = Person(mail_app, "alice@example.com", "a horse that is correct").register()
    body = {"token": mailbox.token("verify-email"), "password": alice.password}
    assert alice.call("POST", "/auth/email/verify", json=body).status_code == 204
    alice.logged_in()
    mailbox.deliver()
    return alice


Change = Callable[[Person, AuthenticatorApp], TestResponse]


def begin(person: Person) -> TestResponse:
    return person.call("POST", PATH, json={})


def remove(person: Person) -> TestResponse:
    return person.call("DELETE", PATH)


def kinds(connection: Connection) -> list[str]:
    return sorted(event.event for event in events(connection))


def test_a_phone_takes_over_the_secret_by_text_uri_and_qr_code(alice: Person) -> None:
    answer = begin(alice)
    assert answer.status_code == 200
    assert set(answer.json) == {"secret", "uri", "qr_svg"}
    phone = pyotp.parse_uri(answer.json["uri"])
    assert isinstance(phone, pyotp.TOTP)
    assert (phone.secret, phone.issuer, phone.name) == (
        answer.json["secret"],
        "localhost",
        "alice@example.com",
    )
    assert len(phone.byte_secret()) == 20  # RFC 4226 section 4: 160 bits
    assert phone.now() == AuthenticatorApp(answer.json["uri"]).code()
    assert confirm(alice, phone.now()).status_code == 200


def test_the_uri_has_only_parameters_that_every_app_knows(alice: Person) -> None:
    """Many apps ignore other digests, lengths and periods, and show wrong codes then."""
    app = scan(alice)
    assert app.label == "localhost:alice@example.com"
    assert set(app.parameters) == {"secret", "issuer"}


def test_the_issuer_in_the_app_is_the_domain_of_passkeys(make_app: MakeApp, alice: Person) -> None:
    alice.app = make_app(
        issuer="https://auth.example.com",
        audience="https://auth.example.com",
        passkey_domain="example.com",
    )
    app = scan(alice.logged_in())
    assert app.label == "example.com:alice@example.com"
    assert app.parameters["issuer"] == "example.com"


def test_the_qr_code_is_an_image_without_scripts_styles_and_references(alice: Person) -> None:
    """So a page can show it inline or as a data: URI, whatever its Content-Security-Policy."""
    image = begin(alice).json["qr_svg"]
    assert len(image) < 8_000
    assert image.startswith("<svg ")
    root = ElementTree.fromstring(image)
    assert {element.tag for element in root.iter()} == {f"{SVG}svg", f"{SVG}path"}
    attributes = {name for element in root.iter() for name in element.attrib}
    assert attributes <= {"viewBox", "fill", "stroke", "d"}
    assert image.count("://") == image.count("http://www.w3.org/2000/svg") == 1


@pytest.mark.once
def test_the_longest_address_fits_into_a_qr_code() -> None:
    email = "ü" * 32 + "@" + "a." * 94 + "example"
    setup = setup_of(pyotp.random_base32(), "a." * 100 + "example", email)
    assert pyotp.parse_uri(setup.uri).name == email
    assert setup.qr_svg.startswith("<svg ")


def test_a_new_secret_changes_nothing_before_it_is_confirmed(
    alice: Person, connection: Connection
) -> None:
    before = events(connection)
    scan(alice)
    assert events(connection) == before
    assert alice.on_another_device().log_in().status_code == 200
    assert alice.call("GET", "/api/me/factors").json["totp"] == {"enabled": False, "since": None}
    assert alice.call("POST", "/api/me/recovery-codes", json={}).status_code == 404


def test_the_secret_is_encrypted_in_its_row(alice: Person, connection: Connection) -> None:
    """V5."""
    first, second = begin(alice).json["secret"], begin(alice).json["secret"]
    assert first != second
    (row,) = totp_rows(connection)
    assert row.confirmed_at is None
    assert not any(secret in row.secret for secret in (first, second))


def test_asking_again_replaces_a_secret_that_was_not_confirmed(alice: Person) -> None:
    old, new = scan(alice), scan(alice)
    assert_problem(confirm(alice, old.code()), 403, "wrong_code")
    assert confirm(alice, new.code()).status_code == 200


def test_confirming_gives_ten_recovery_codes_and_from_then_on_a_login_needs_a_code(
    alice: Person, clock: time_machine.Traveller
) -> None:
    app, codes = set_up(alice)
    assert len(codes) == len(set(codes)) == 10
    assert_problem(alice.on_another_device().log_in(), 401, "second_factor_required")
    clock.shift(30)
    assert log_in_with(alice.on_another_device(), code=app.code()).status_code == 200


def test_confirming_raises_the_session_that_did_it_and_no_other(
    alice: Person, connection: Connection
) -> None:
    other = alice.on_another_device().logged_in()
    set_up(alice)
    assert [row.amr for row in sessions(connection)] == ["pwd otp mfa", "pwd"]
    assert alice.refresh().status_code == other.refresh().status_code == 200
    raised, plain = claims(alice.access_token), claims(other.access_token)
    assert (raised["amr"], raised["acr"]) == (["pwd", "otp", "mfa"], "aal2")
    assert (plain["amr"], plain["acr"]) == (["pwd"], "aal1")


def test_confirming_does_not_move_the_time_of_the_login(
    alice: Person, clock: time_machine.Traveller
) -> None:
    at = claims(alice.access_token)["auth_time"]
    clock.shift(300)
    set_up(alice)
    alice.refresh()
    assert claims(alice.access_token)["auth_time"] == at


def test_a_new_factor_is_recorded_and_mailed(
    writer: Person, mailbox: Mailbox, connection: Connection
) -> None:
    set_up(writer)
    (added,) = [event for event in events(connection) if event.event == "factor_added"]
    assert (added.actor, added.detail) == ("user", "totp")
    assert str(added.user_id) == claims(writer.access_token)["sub"]
    assert added.session is not None
    mail = mailbox.only()
    assert mail["To"] == writer.email


@pytest.mark.parametrize("code", ["", "12345", "1234567", "abcdef", "12 34", "-12345", "12345.0"])
def test_what_is_not_a_code_is_wrong(alice: Person, connection: Connection, code: str) -> None:
    scan(alice)
    before = kinds(connection)
    assert_problem(confirm(alice, code), 403, "wrong_code")
    assert kinds(connection) == before
    assert totp_rows(connection)[0].confirmed_at is None
    assert sessions(connection)[0].amr == "pwd"


def test_a_wrong_code_changes_nothing_and_the_right_one_still_confirms(
    alice: Person, connection: Connection
) -> None:
    app = scan(alice)
    assert_problem(confirm(alice, app.wrong_code()), 403, "wrong_code")
    assert recovery_code_rows(connection) == []
    assert confirm(alice, app.code()).status_code == 200


@pytest.mark.parametrize(("steps", "status"), [(-2, 403), (-1, 200), (0, 200), (1, 200), (2, 403)])
def test_a_code_of_one_step_before_or_after_confirms_and_no_further(
    alice: Person, steps: int, status: int
) -> None:
    """RFC 6238 section 5.2."""
    assert confirm(alice, scan(alice).code(steps)).status_code == status


@pytest.mark.parametrize("body", [{}, {"code": None}, {"code": 123456}, {"code": ["123456"]}])
def test_a_body_without_a_code_is_refused(alice: Person, body: dict[str, object]) -> None:
    assert_problem(alice.call("PUT", PATH, json=body), 422, "validation_failed")


def test_there_is_nothing_to_confirm_before_a_secret_was_asked_for(alice: Person) -> None:
    assert_problem(confirm(alice, "123456"), 404, "not_found")


def test_an_app_that_was_confirmed_is_neither_replaced_nor_confirmed_again(
    alice: Person, connection: Connection, clock: time_machine.Traveller
) -> None:
    app, _ = set_up(alice)
    before = totp_rows(connection), recovery_code_rows(connection), kinds(connection)
    clock.shift(30)
    assert_problem(begin(alice), 409, "factor_exists")
    for code in (app.code(), app.wrong_code()):
        assert_problem(confirm(alice, code), 409, "factor_exists")
    assert (totp_rows(connection), recovery_code_rows(connection), kinds(connection)) == before
    assert log_in_with(alice, code=app.code()).status_code == 200


def test_removing_the_app_removes_its_recovery_codes_and_the_password_is_enough_again(
    alice: Person, connection: Connection
) -> None:
    set_up(alice)
    assert remove(alice).status_code == 204
    assert (totp_rows(connection), recovery_code_rows(connection)) == ([], [])
    assert alice.on_another_device().log_in().status_code == 200
    assert_problem(remove(alice), 404, "not_found")


def test_removing_the_app_keeps_the_recovery_codes_if_a_passkey_is_left(
    alice: Person, connection: Connection
) -> None:
    _, codes = set_up(alice)
    insert_passkey(connection, alice)
    assert remove(alice).status_code == 204
    assert totp_rows(connection) == []
    assert len(recovery_code_rows(connection)) == 10
    login = log_in_with(alice.on_another_device(), recovery_code=codes[0])
    assert login.status_code == 200


def test_a_removal_is_recorded_and_mailed(
    writer: Person, mailbox: Mailbox, connection: Connection
) -> None:
    set_up(writer)
    mailbox.deliver()
    assert remove(writer).status_code == 204
    (removed,) = [event for event in events(connection) if event.event == "factor_removed"]
    assert (removed.actor, removed.detail) == ("user", "totp")
    assert mailbox.only()["To"] == writer.email


def test_a_secret_that_was_not_confirmed_is_removed_without_a_word(
    writer: Person, mailbox: Mailbox, connection: Connection
) -> None:
    scan(writer)
    before = kinds(connection)
    assert remove(writer).status_code == 204
    assert (totp_rows(connection), kinds(connection)) == ([], before)
    assert mailbox.deliver() == []


def test_after_a_removal_the_app_can_be_set_up_anew_with_another_secret(alice: Person) -> None:
    old, old_codes = set_up(alice)
    remove(alice)
    new, new_codes = set_up(alice)
    assert old.parameters["secret"] != new.parameters["secret"]
    assert not set(old_codes) & set(new_codes)
    stolen = log_in_with(alice.on_another_device(), recovery_code=old_codes[0])
    assert_problem(stolen, 401, "invalid_credentials")


@pytest.mark.parametrize(
    ("method", "body"), [("POST", {}), ("PUT", {"code": "123456"}), ("DELETE", None)]
)
def test_ten_minutes_after_the_login_each_change_takes_a_reauthentication(
    alice: Person, clock: time_machine.Traveller, method: str, body: dict[str, str] | None
) -> None:
    """V4; a refresh is not a login."""
    clock.shift(601)
    assert alice.refresh().status_code == 200
    answer = alice.call(method, PATH, json=body)
    assert_problem(answer, 401, "reauthentication_required")


@pytest.mark.parametrize(
    ("method", "body"), [("POST", {}), ("PUT", {"code": "123456"}), ("DELETE", None)]
)
def test_a_session_without_the_second_factor_changes_nothing(
    alice: Person, connection: Connection, method: str, body: dict[str, str] | None
) -> None:
    """V4: it was opened by the password alone, before the factor existed."""
    before = alice.on_another_device().logged_in()
    set_up(alice)
    rows = totp_rows(connection), recovery_code_rows(connection)
    answer = before.call(method, PATH, json=body)
    assert_problem(answer, 401, "reauthentication_required")
    assert 'acr_values="aal2"' in answer.headers["WWW-Authenticate"]
    assert (totp_rows(connection), recovery_code_rows(connection)) == rows


def test_an_address_that_is_not_verified_prepares_no_factor_for_its_owner(
    mail_app: Flask, mailbox: Mailbox, connection: Connection
) -> None:
    """E6."""
    eve = Person(mail_app, "alice@example.com", "a stranger has chosen it").register().logged_in()
    assert_problem(begin(eve), 403, "email_unverified")
    assert_problem(confirm(eve, "123456"), 403, "email_unverified")
    assert totp_rows(connection) == []


def test_where_addresses_are_not_verified_an_app_needs_no_verified_address(
    make_app: MakeApp, mail_settings: dict[str, str], mailbox: Mailbox, alice: Person
) -> None:
    alice.app = make_app(**mail_settings, email_verification="off")
    set_up(alice.logged_in())


def test_accounts_do_not_see_each_others_secrets(
    alice: Person, bob: Person, clock: time_machine.Traveller
) -> None:
    hers, his = scan(alice), scan(bob.logged_in())
    assert_problem(confirm(bob, hers.code()), 403, "wrong_code")
    assert confirm(bob, his.code()).status_code == 200
    assert_problem(remove(alice.on_another_device()), 401, "access_token_missing")
    assert remove(alice).status_code == 204
    clock.shift(30)
    assert log_in_with(bob, code=his.code()).status_code == 200


def test_the_session_must_be_in_force_in_the_database(
    alice: Person, connection: Connection
) -> None:
    """A worker accepts an access token up to a second after its session was revoked."""
    app = scan(alice)
    alice.on_same_device().log_out()
    for answer in (begin(alice), confirm(alice, app.code()), remove(alice)):
        assert_problem(answer, 401, "access_token_revoked")
    assert totp_rows(connection)[0].confirmed_at is None


def test_a_deleted_account_leaves_no_secret_and_no_code(
    alice: Person, connection: Connection
) -> None:
    set_up(alice)
    answer = alice.call("DELETE", "/api/me", json={"password": alice.password})
    assert answer.status_code == 204
    assert users(connection) == totp_rows(connection) == recovery_code_rows(connection) == []


@pytest.mark.every_case
@pytest.mark.parametrize(
    "change",
    [
        lambda alice, app: confirm(alice, app.code()),
        lambda alice, app: remove(alice),
        lambda alice, app: alice.call("POST", "/api/me/recovery-codes", json={}),
    ],
    ids=["confirm", "remove", "new recovery codes"],
)
def test_a_change_that_cannot_be_recorded_is_not_made(
    alice: Person, connection: Connection, request: pytest.FixtureRequest, change: Change
) -> None:
    app = scan(alice) if "confirm" in request.node.name else set_up(alice)[0]
    before = totp_rows(connection), recovery_code_rows(connection), sessions(connection)
    connection.execute(text("ALTER TABLE security_events RENAME TO hidden"))
    try:
        assert change(alice, app).status_code in (500, 503)
    finally:
        connection.execute(text("ALTER TABLE hidden RENAME TO security_events"))
    assert (totp_rows(connection), recovery_code_rows(connection), sessions(connection)) == before
    assert change(alice, app).status_code in (200, 204)


@pytest.mark.once
def test_the_answers_are_as_described(app: Flask, alice: Person) -> None:
    description = Description(app)
    description.assert_describes(begin(alice))
    phone = scan(alice)
    for answer in (
        confirm(alice, phone.wrong_code()),
        alice.call("PUT", PATH, json={}),
        confirm(alice, phone.code()),
        begin(alice),
        remove(alice),
        remove(alice),
    ):
        description.assert_describes(answer)
    for method, more in (("POST", "factor_exists"), ("PUT", "wrong_code"), ("DELETE", "not_found")):
        codes = description.codes(description.operation(method, PATH))
        assert codes >= {"reauthentication_required", more}


@pytest.mark.once
def test_without_a_factor_secret_the_routes_do_not_exist(make_app: MakeApp, alice: Person) -> None:
    alice.app = make_app(factor_secret=None)
    alice.logged_in()
    for answer in (begin(alice), confirm(alice, "123456"), remove(alice)):
        assert_problem(answer, 404, "not_found")
    assert PATH not in Description(alice.app).document["paths"]
    assert alice.call("GET", "/api/me/factors").status_code == 200


def test_a_mail_names_neither_the_secret_nor_a_code(writer: Person, mailbox: Mailbox) -> None:
    app, codes = set_up(writer)
    body = text_of(mailbox.only())
    assert not [secret for secret in (app.parameters["secret"], *codes) if secret in body]
