"""POST /auth/register."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask
from sqlalchemy import Connection

from tests.audit.test_one_transaction import without
from tests.conftest import MakeApp
from tests.support.mailbox import Mailbox, token_in
from tests.support.people import Person
from tests.support.responses import assert_problem, pointers, users

GOOD = {"email": "carol@example.com", "password": "a lamp that is not lit"}


@pytest.fixture
def carol(app: Flask) -> Person:
    return Person(app, **GOOD)


def register(person: Person, **changes: object):
    return person.call("POST", "/auth/register", json=GOOD | changes)


def test_registering_creates_an_account_and_issues_no_tokens(
    carol: Person, connection: Connection
) -> None:
    answer = register(carol)
    (user,) = users(connection)
    assert answer.status_code == 201
    assert answer.json == {
        "id": str(user.id),
        "email": "carol@example.com",
        "created_at": user.created_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    assert "Set-Cookie" not in answer.headers


def test_the_password_is_stored_as_an_argon2id_hash_only(
    carol: Person, connection: Connection
) -> None:
    register(carol)
    (user,) = users(connection)
    assert user.password_hash.startswith("$argon2id$")
    assert GOOD["password"] not in str(user)


@pytest.mark.every_case
@pytest.mark.parametrize("again", ["carol@example.com", "CAROL@example.com", "Carol@EXAMPLE.com"])
def test_an_address_is_taken_whatever_its_case(carol: Person, again: str) -> None:
    assert register(carol).status_code == 201
    assert_problem(register(carol, email=again), 409, "email_taken")


def test_the_address_is_kept_as_it_was_written(carol: Person) -> None:
    assert register(carol, email="Carol@example.com").json["email"] == "Carol@example.com"


@pytest.mark.parametrize("email", ["", "carol", "carol@", "@example.com", "a b@example.com", "\0"])
def test_an_invalid_address_is_refused(carol: Person, email: str) -> None:
    answer = register(carol, email=email)
    assert pointers(answer) == ["/email"]
    assert answer.json["errors"][0]["detail"] == "This is not an e-mail address."


@pytest.mark.parametrize(
    "password", ["too few", "x" * 257, "passwordpassword", "carol@example.com", "CAROL@EXAMPLE.COM"]
)
def test_a_weak_password_is_refused_and_not_echoed(
    carol: Person, password: str, connection: Connection
) -> None:
    answer = register(carol, password=password)
    assert pointers(answer) == ["/password"]
    assert password not in answer.text
    assert users(connection) == []


WRONG_MEMBERS = [
    ({}, ["/email", "/password"]),
    ({"email": "carol@example.com"}, ["/password"]),
    ({"password": "a lamp that is not lit"}, ["/email"]),
    ({"email": ["carol@example.com"], "password": {"a": 1}}, ["/email", "/password"]),
    ({"email": None, "password": 15}, ["/email", "/password"]),
    ({"email": True, "password": "a lamp that is not lit"}, ["/email"]),
    ({"email": "carol@example.com", "password": "\ud800" * 15}, ["/password"]),
]


@pytest.mark.parametrize(("body", "wrong"), WRONG_MEMBERS)
@pytest.mark.parametrize("path", ["/auth/register", "/auth/login"])
def test_each_wrong_member_has_a_pointer(
    carol: Person, path: str, body: dict[str, object], wrong: list[str]
) -> None:
    assert pointers(carol.call("POST", path, json=body)) == wrong


UNREADABLE = [b"", b"{", b"[]", b"null", b'"text"', b"1", b'{"email": 1, "email": 2}', b"\xff{}"]


@pytest.mark.parametrize("body", UNREADABLE)
@pytest.mark.parametrize("path", ["/auth/register", "/auth/login"])
def test_a_body_that_is_not_a_json_object_is_400(carol: Person, path: str, body: bytes) -> None:
    answer = carol.call("POST", path, data=body, content_type="application/json")
    assert_problem(answer, 400, "invalid_request")


@pytest.mark.parametrize("kind", [None, "text/plain", "application/x-www-form-urlencoded"])
@pytest.mark.parametrize("path", ["/auth/register", "/auth/login"])
def test_a_body_that_is_not_declared_as_json_is_415(
    carol: Person, path: str, kind: str | None
) -> None:
    answer = carol.call("POST", path, data=b"{}", content_type=kind)
    assert_problem(answer, 415, "unsupported_media_type")


@pytest.mark.parametrize(
    "headers",
    [{"Content-Encoding": "gzip"}, {"Content-Type": "application/json; charset=utf-16"}],
)
def test_a_body_in_another_encoding_is_415(carol: Person, headers: dict[str, str]) -> None:
    headers = {"Content-Type": "application/json", **headers}
    answer = carol.call("POST", "/auth/register", data=b"{}", headers=headers)
    assert_problem(answer, 415, "unsupported_media_type")


def test_a_body_of_16_kib_is_read_and_a_longer_one_is_413(carol: Person) -> None:
    for size, status in ((16 * 1024, 400), (16 * 1024 + 1, 413), (10**6, 413)):
        body = b" " * size
        answer = carol.call("POST", "/auth/login", data=body, content_type="application/json")
        assert answer.status_code == status


def test_unknown_members_are_ignored(carol: Person) -> None:
    assert register(carol, id="mine", roles=["admin"]).status_code == 201


def test_registration_can_be_closed(make_app: MakeApp) -> None:
    answer = register(Person(make_app(registration="closed"), **GOOD))
    assert_problem(answer, 403, "registration_closed")


def test_concurrent_registrations_of_one_address_create_one_account(
    carol: Person, connection: Connection
) -> None:
    with ThreadPoolExecutor(3) as threads:
        answers = list(threads.map(lambda _: register(carol).status_code, range(12)))
    assert sorted(answers) == [201] + [409] * 11
    assert len(users(connection)) == 1


def test_where_verification_is_optional_a_link_is_mailed_in_the_same_transaction(
    mail_app: Flask, mailbox: Mailbox, connection: Connection
) -> None:
    carol = Person(mail_app, **GOOD)
    with without(connection, "outbox"):
        assert register(carol).status_code in (500, 503)
    assert users(connection) == []
    assert register(carol, email="Carol@EXAMPLE.com").status_code == 201
    mail = mailbox.only()
    assert mail["To"] == "Carol@example.com"
    assert len(token_in(mail, "verify-email")) == 43
    assert carol.log_in().status_code == 200


def test_where_verification_is_off_no_link_is_mailed(
    make_app: MakeApp, mail_settings: dict[str, str], mailbox: Mailbox
) -> None:
    carol = Person(make_app(**mail_settings, email_verification="off"), **GOOD)
    assert register(carol).status_code == 201
    assert mailbox.deliver() == []
    assert carol.log_in().status_code == 200


@pytest.mark.parametrize("locale", ["de", "pt-BR", "zh-Hant-TW", None])
def test_the_language_of_the_person_is_stored(
    carol: Person, connection: Connection, locale: str | None
) -> None:
    assert register(carol, locale=locale).status_code == 201
    assert users(connection)[0].locale == locale


@pytest.mark.parametrize("locale", ["", "d", "pt_BR", "../de", "de\n", "deutsch", "\u0435n", 7])
def test_what_is_not_a_language_tag_is_refused(carol: Person, locale: object) -> None:
    answer = register(carol, locale=locale)
    assert pointers(answer) == ["/locale"]
    code = "wrong_type" if locale == 7 else "invalid_format"
    assert answer.json["errors"][0]["code"] == code
