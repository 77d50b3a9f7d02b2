"""GET /.well-known/jwks.json."""

import pytest
from flask import Flask

from authsvc.tokens.key_pairs import key_from_pem
from tests.conftest import MakeApp
from tests.support.key_pair_settings import ED25519, P256, signed_by

ROUTE = "/.well-known/jwks.json"


def test_with_a_shared_secret_no_key_is_published(app: Flask) -> None:
    answer = app.test_client().get(ROUTE)
    assert (answer.status_code, answer.json) == (200, {"keys": []})


@pytest.mark.parametrize(
    ("algorithm", "previous"), [("EdDSA", P256), ("ES256", ED25519)], ids=["EdDSA", "ES256"]
)
def test_the_current_and_the_previous_public_key_are_published(
    make_app: MakeApp, algorithm: str, previous: str
) -> None:
    settings = signed_by(algorithm)
    app = make_app(**settings, access_token_private_key_previous=previous)
    keys = app.test_client().get(ROUTE).json["keys"]
    expected = [settings["access_token_private_key"], previous]
    assert keys == [key_from_pem(pem).jwk for pem in expected]
    assert not {member for key in keys for member in key} & {"d", "k", "p", "q"}


def test_after_a_move_back_to_a_secret_the_previous_public_key_stays_published(
    make_app: MakeApp,
) -> None:
    app = make_app(access_token_private_key_previous=ED25519)
    assert app.test_client().get(ROUTE).json == {"keys": [key_from_pem(ED25519).jwk]}


def test_caches_may_keep_the_keys_for_a_minute_and_revalidate_them(make_app: MakeApp) -> None:
    client = make_app(**signed_by("EdDSA")).test_client()
    first = client.get(ROUTE)
    assert first.headers.getlist("Cache-Control") == ["public, max-age=60"]
    again = client.get(ROUTE, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    assert again.headers["Cache-Control"] == "public, max-age=60"
    assert client.get(ROUTE, headers={"If-None-Match": '"another"'}).status_code == 200
    other = make_app(**signed_by("ES256")).test_client().get(ROUTE)
    assert other.headers["ETag"] != first.headers["ETag"]
