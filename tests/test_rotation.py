"""Rotating the secrets logs no user out, and a removed key is refused (M2)."""

import hashlib
import json
from base64 import urlsafe_b64decode
from collections.abc import Iterator

import pytest
from flask import Flask

from authsvc.tokens.key_pairs import generate_pem
from tests.conftest import MakeApp, empty_tables
from tests.support.key_pair_settings import ED25519, P256, signed_by
from tests.support.people import Person
from tests.support.signing_secrets import ACCESS_SECRET, REFRESH_SECRET

NEW_ACCESS = hashlib.sha512(b"the next access secret").digest().hex()
OTHER_ED25519 = generate_pem("EdDSA")
NEW_REFRESH = hashlib.sha512(b"the next refresh secret").digest().hex()
ACCESS_ROTATED = {
    "access_token_secret": NEW_ACCESS,
    "access_token_secret_previous": ACCESS_SECRET.hex(),
}
REFRESH_ROTATED = {
    "refresh_token_secret": NEW_REFRESH,
    "refresh_token_secret_previous": REFRESH_SECRET.hex(),
}


@pytest.fixture
def dora(app: Flask, make_app: MakeApp) -> Iterator[Person]:
    """A user who logged in under the old secrets."""
    yield Person(app, "dora@example.com", "the map is in the bag").register().logged_in()
    empty_tables(app)


def kid(token: str) -> str:
    header = token.partition(".")[0]
    return str(json.loads(urlsafe_b64decode(header + "=" * (-len(header) % 4)))["kid"])


def me(person: Person) -> int:
    return person.call("GET", "/api/me").status_code


@pytest.mark.parametrize(
    "rotated",
    [ACCESS_ROTATED, REFRESH_ROTATED, {**ACCESS_ROTATED, **REFRESH_ROTATED}],
    ids=["access", "refresh", "both"],
)
def test_a_rotation_logs_no_user_out(
    make_app: MakeApp, dora: Person, rotated: dict[str, str]
) -> None:
    dora.app = make_app(**rotated)
    assert me(dora) == 200
    assert dora.refresh().status_code == 200
    assert me(dora) == 200


def test_new_tokens_are_signed_with_the_new_keys_only(make_app: MakeApp, dora: Person) -> None:
    old = kid(dora.access_token), kid(dora.refresh_token)
    dora.app = make_app(**ACCESS_ROTATED, **REFRESH_ROTATED)
    dora.refresh()
    refreshed = kid(dora.access_token)
    dora.logged_in()
    assert refreshed == kid(dora.access_token)
    assert refreshed not in old
    assert kid(dora.refresh_token) not in (*old, refreshed)
    dora.app = make_app(access_token_secret=NEW_ACCESS, refresh_token_secret=NEW_REFRESH)
    assert me(dora) == 200
    assert dora.refresh().status_code == 200


def test_after_a_removed_access_key_a_refresh_gets_a_valid_token(
    make_app: MakeApp, dora: Person
) -> None:
    dora.app = make_app(access_token_secret=NEW_ACCESS)
    answer = dora.call("GET", "/api/me")
    assert (answer.status_code, answer.json["code"]) == (401, "access_token_invalid")
    assert dora.refresh().status_code == 200
    assert me(dora) == 200


def test_a_removed_refresh_key_is_refused_and_the_access_token_stays_valid(
    make_app: MakeApp, dora: Person
) -> None:
    dora.app = make_app(refresh_token_secret=NEW_REFRESH)
    assert me(dora) == 200
    answer = dora.refresh()
    assert (answer.status_code, answer.json["code"]) == (401, "refresh_token_invalid")
    assert dora.log_in().status_code == 200


def test_a_session_of_the_old_key_can_be_logged_out_during_a_rotation(
    make_app: MakeApp, app: Flask, dora: Person
) -> None:
    kept = dora.refresh_token
    dora.app = make_app(**REFRESH_ROTATED)
    assert dora.log_out().status_code == 204
    dora.app, dora.refresh_token = app, kept
    assert dora.refresh().json["code"] == "refresh_token_revoked"


OLD_SECRET = {"access_token_secret_previous": ACCESS_SECRET.hex()}
MOVES = {
    "HS256 to EdDSA": ({}, {**signed_by("EdDSA"), **OLD_SECRET}),
    "HS256 to ES256": ({}, {**signed_by("ES256"), **OLD_SECRET}),
    "EdDSA to HS256": (signed_by("EdDSA"), {"access_token_private_key_previous": ED25519}),
    "EdDSA to ES256": (
        signed_by("EdDSA"),
        {**signed_by("ES256"), "access_token_private_key_previous": ED25519},
    ),
    "one EdDSA key to another": (
        signed_by("EdDSA"),
        {**signed_by("EdDSA", OTHER_ED25519), "access_token_private_key_previous": ED25519},
    ),
}


@pytest.mark.parametrize("move", MOVES)
def test_a_change_of_algorithm_logs_no_user_out(make_app: MakeApp, dora: Person, move: str) -> None:
    before, after = (
        {"access_token_secret": None, **settings}
        if "access_token_algorithm" in settings
        else settings
        for settings in MOVES[move]
    )
    dora.app = make_app(**before)
    dora.refresh()
    old = kid(dora.access_token)
    dora.app = make_app(**after)
    assert me(dora) == 200
    assert dora.refresh().status_code == 200
    assert kid(dora.access_token) != old
    assert me(dora) == 200
    assert dora.log_out().status_code == 204


def test_after_a_removed_private_key_a_refresh_gets_a_valid_token(
    make_app: MakeApp, dora: Person
) -> None:
    dora.app = make_app(**signed_by("EdDSA"))
    dora.refresh()
    dora.app = make_app(**signed_by("ES256", P256))
    assert dora.call("GET", "/api/me").json["code"] == "access_token_invalid"
    assert dora.refresh().status_code == 200
    assert me(dora) == 200


def test_with_a_private_key_the_access_secret_verifies_nothing(
    make_app: MakeApp, dora: Person
) -> None:
    assert me(dora) == 200
    dora.app = make_app(access_token_secret=ACCESS_SECRET.hex(), **signed_by("EdDSA"))
    assert me(dora) == 401
