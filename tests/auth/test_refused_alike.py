"""A stranger learns from no refusal whether an account, a second factor or a passkey exists."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Connection, text
from werkzeug.test import TestResponse

from tests.support.hash_counts import counted_hashes
from tests.support.passkeys import add_passkey, assertion, request_options
from tests.support.people import Person
from tests.support.responses import assert_problem, counted_statements
from tests.support.second_factors import give_recovery_codes, give_totp
from tests.support.software_authenticator import SoftwareAuthenticator, new_key

WRONG = "not the password of Alice"
Request = tuple[str, dict[str, Any]]


def sent(app: Flask, request: Request) -> TestResponse:
    """Send a request whose id is always the same, so that whole responses can be compared."""
    path, body = request
    return app.test_client().post(path, json=body, headers={"X-Request-ID": "always-the-same"})


def whole(answer: TestResponse) -> tuple[int, list[tuple[str, str]], bytes]:
    return answer.status_code, sorted(answer.headers.to_wsgi_list()), answer.data


def login(email: str, password: str, **factor: Any) -> Request:
    return "/auth/login", {"email": email, "password": password, **factor}


def unknown(alice: Person) -> Request:
    return login("unknown@example.com", WRONG)


def unknown_with_code(alice: Person) -> Request:
    return login("unknown@example.com", WRONG, code="123456")


def wrong_password(alice: Person) -> Request:
    return login(alice.email, WRONG)


def wrong_password_beside_an_app(alice: Person) -> Request:
    give_totp(alice)
    return login(alice.email, WRONG)


def wrong_password_with_the_right_code(alice: Person) -> Request:
    return login(alice.email, WRONG, code=give_totp(alice).now())


def wrong_password_with_a_recovery_code(alice: Person) -> Request:
    give_totp(alice)
    return login(alice.email, WRONG, recovery_code=give_recovery_codes(alice)[0])


def wrong_password_beside_a_passkey(alice: Person) -> Request:
    add_passkey(alice.logged_in())
    return login(alice.email, WRONG)


def wrong_password_with_the_passkey(alice: Person) -> Request:
    return login(alice.email, WRONG, passkey=assertion(alice, add_passkey(alice.logged_in())))


def wrong_code(alice: Person) -> Request:
    give_totp(alice)
    return login(alice.email, alice.password, code="12345")


def used_code(alice: Person) -> Request:
    code = give_totp(alice).now()
    sent(alice.app, login(alice.email, alice.password, code=code))
    return login(alice.email, alice.password, code=code)


def wrong_recovery_code(alice: Person) -> Request:
    give_totp(alice)
    return login(alice.email, alice.password, recovery_code="AAAAA-AAAAA-AAAAA-AAAAA-AAAAA")


def wrong_passkey(alice: Person) -> Request:
    add_passkey(alice.logged_in())
    other = SoftwareAuthenticator()
    return login(alice.email, alice.password, passkey=assertion(alice, other))


LOGINS = [
    unknown_with_code,
    wrong_password,
    wrong_password_beside_an_app,
    wrong_password_with_the_right_code,
    wrong_password_with_a_recovery_code,
    wrong_password_beside_a_passkey,
    wrong_password_with_the_passkey,
    wrong_code,
    used_code,
    wrong_recovery_code,
    wrong_passkey,
]


@pytest.mark.parametrize("refused", LOGINS)
def test_a_refused_login_is_that_of_an_unknown_address_and_costs_one_hash(
    alice: Person, refused: Callable[[Person], Request]
) -> None:
    reference = sent(alice.app, unknown(alice))
    assert_problem(reference, 401, "invalid_credentials")
    request = refused(alice)
    with counted_hashes(alice.app) as hasher:
        answer = sent(alice.app, request)
    assert whole(answer) == whole(reference)
    assert hasher.calls == 1


def test_a_wrong_password_costs_the_same_statements_with_and_without_factors(
    alice: Person, bob: Person
) -> None:
    sent(alice.app, login(alice.email, WRONG))  # the first failure of an account counts apart
    sent(bob.app, login(bob.email, WRONG))
    add_passkey(alice.logged_in())
    give_totp(alice)
    give_recovery_codes(alice)
    statements = []
    for person in (alice, bob):
        sent(person.app, login(person.email, WRONG))
        with counted_statements(person.app) as counted:
            sent(person.app, login(person.email, WRONG, code="123456"))
        statements.append(list(counted))
    assert statements[0] == statements[1]


def known_but_badly_signed(alice: Person, passkey: SoftwareAuthenticator) -> dict[str, Any]:
    passkey.key = new_key("ES256")
    return assertion(alice, passkey)


def known_but_of_another_user(alice: Person, passkey: SoftwareAuthenticator) -> dict[str, Any]:
    return assertion(alice, passkey, user_handle=bytes(16))


def known_but_without_a_user(alice: Person, passkey: SoftwareAuthenticator) -> dict[str, Any]:
    credential = assertion(alice, passkey)
    del credential["response"]["userHandle"]
    return credential


def known_but_to_no_challenge_of_ours(
    alice: Person, passkey: SoftwareAuthenticator
) -> dict[str, Any]:
    return passkey.get(request_options(alice) | {"challenge": "AAAA"})


def known_but_of_another_site(alice: Person, passkey: SoftwareAuthenticator) -> dict[str, Any]:
    return assertion(alice, passkey, origin="https://elsewhere.example")


def known_but_unverified(alice: Person, passkey: SoftwareAuthenticator) -> dict[str, Any]:
    return assertion(alice, passkey, flags=1)


def known_but_used(alice: Person, passkey: SoftwareAuthenticator) -> dict[str, Any]:
    credential = assertion(alice, passkey)
    assert sent(alice.app, ("/auth/passkey", {"credential": credential})).status_code == 200
    return credential


def known_but_unreadable(alice: Person, passkey: SoftwareAuthenticator) -> dict[str, Any]:
    return assertion(alice, passkey, client_data_json=b"{")


KNOWN = [
    known_but_badly_signed,
    known_but_of_another_user,
    known_but_without_a_user,
    known_but_to_no_challenge_of_ours,
    known_but_of_another_site,
    known_but_unverified,
    known_but_used,
    known_but_unreadable,
]


@pytest.mark.parametrize("refused", KNOWN)
def test_a_refused_passkey_is_answered_like_an_unknown_one_and_costs_no_hash(
    alice: Person, refused: Callable[[Person, SoftwareAuthenticator], dict[str, Any]]
) -> None:
    passkey = add_passkey(alice.logged_in())
    unknown = {"credential": assertion(alice, SoftwareAuthenticator())}
    known = {"credential": refused(alice, passkey)}
    with counted_hashes(alice.app) as hasher:
        reference = sent(alice.app, ("/auth/passkey", unknown))
        answer = sent(alice.app, ("/auth/passkey", known))
    assert_problem(reference, 401, "invalid_credentials")
    assert whole(answer) == whole(reference)
    assert hasher.calls == 0


def test_a_passkey_of_a_disabled_account_is_answered_like_an_unknown_one(
    alice: Person, connection: Connection
) -> None:
    passkey = add_passkey(alice.logged_in())
    connection.execute(text("UPDATE users SET disabled_at = created_at"))
    unknown = {"credential": assertion(alice, SoftwareAuthenticator())}
    known = {"credential": assertion(alice, passkey)}
    reference = sent(alice.app, ("/auth/passkey", unknown))
    assert whole(sent(alice.app, ("/auth/passkey", known))) == whole(reference)


def test_the_options_of_a_passkey_depend_on_no_account(alice: Person, bob: Person) -> None:
    add_passkey(alice.logged_in())
    strangers = Person(alice.app, "unknown@example.com", WRONG)
    options = [request_options(person) for person in (alice, bob.logged_in(), strangers)]
    assert len({option.pop("challenge") for option in options}) == 3
    assert options[0] == options[1] == options[2]
    assert set(options[0]) == {"timeout", "rpId", "userVerification"}
