"""Issue 14, number 35: the guard in another service logs why it refuses, and never a token."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import time_machine
from flask import Flask

from authsvc.guard import AccessTokenGuard
from authsvc.guard.remote_keyring import RETRY
from authsvc.tokens.key_pairs import key_from_pem
from authsvc.tokens.keyring import Key, hmac_key
from tests.attacks.tokens import Good, b64
from tests.guard.issuer import ISSUER, Issuer, token_by
from tests.support.key_pair_settings import PEM
from tests.support.people import Person
from tests.support.responses import assert_problem
from tests.support.signing_secrets import ACCESS_SECRET, REFRESH_SECRET

KEY = hmac_key(ACCESS_SECRET)
NOON = 1_795_521_600
PAIR = key_from_pem(PEM["ES256"])


@pytest.fixture(autouse=True)
def time() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    issuer = Issuer(PAIR)
    with issuer.answering():
        yield issuer


def elsewhere(**keys: Any) -> Flask:
    """Return another app, with one protected route."""
    app = Flask("elsewhere")
    app.get("/")(lambda: "accepted")
    AccessTokenGuard(app, issuer=ISSUER, **(keys or {"secret": ACCESS_SECRET.hex()}))
    return app


def get(app: Flask, token: str) -> Any:
    return app.test_client().get("/", headers={"Authorization": f"Bearer {token}"})


def good(key: Key = KEY) -> Good:
    return Good("access", token_by(key), "")


REASONS: dict[str, tuple[Callable[[], str], str]] = {
    "not a JWT": (lambda: "canary", "it is not a JWT"),
    "key": (lambda: token_by(hmac_key(REFRESH_SECRET)), "do not include the key that signed it"),
    "kind": (lambda: good().with_header(typ="canary"), "It may be another kind of token"),
    "signature": (lambda: good().spliced(2, b64(b"canary" * 5)), "its signature is wrong"),
    "issuer": (lambda: good().with_claims(iss="https://canary.example"), f"than {ISSUER}. Give"),
    "audience": (lambda: token_by(KEY, aud="https://canary.example"), f"audience than {ISSUER}."),
    "audiences": (
        lambda: token_by(KEY, aud=("https://canary.example", "canary")),
        f"audience than {ISSUER}. Give the guard one of the names in AUTHSVC_AUDIENCE",
    ),
    "no audience": (lambda: good().with_claims(aud=[]), f"audience than {ISSUER}."),
    "no issuer": (lambda: good().without_claims("iss"), f"than {ISSUER}. Give the guard the exact"),
    "slash": (
        lambda: good().with_claims(iss=f"{ISSUER}/"),
        f"it names another issuer than {ISSUER}, which differs only by the slash at the end. Give",
    ),
    "life": (lambda: token_by(KEY, ttl=901), "it lives longer than 900 seconds"),
    "a missing claim": (lambda: good().without_claims("sid"), "are not those of an access token"),
    "times": (lambda: good().with_claims(exp="canary"), "are not those of an access token"),
    "early": (lambda: good().with_claims(iat=NOON + 11), "clock is behind the issuer's"),
}


@pytest.mark.parametrize("name", REASONS)
def test_the_log_says_why_a_token_is_invalid(name: str, caplog: pytest.LogCaptureFixture) -> None:
    make_token, reason = REASONS[name]
    answer = get(elsewhere(), make_token())
    assert_problem(answer, 401, "access_token_invalid")
    assert answer.json["detail"] == "The access token is not valid."
    [line] = caplog.messages
    assert line.startswith("An access token was refused: ")
    assert reason in line
    assert "canary" not in line


@pytest.mark.parametrize(("ours", "named"), [("", "/"), ("/", ""), ("/tenant/", "/tenant")])
def test_an_issuer_that_differs_by_its_last_slash_is_named_in_the_log(
    ours: str, named: str, caplog: pytest.LogCaptureFixture
) -> None:
    app = Flask("elsewhere")
    app.get("/")(lambda: "accepted")
    AccessTokenGuard(app, issuer=f"{ISSUER}{ours}", secret=ACCESS_SECRET.hex())
    token = good().with_claims(iss=f"{ISSUER}{named}", aud=f"{ISSUER}{named}")
    assert_problem(get(app, token), 401, "access_token_invalid")
    [line] = caplog.messages
    assert f"than {ISSUER}{ours}, which differs only by the slash at the end" in line
    token = good().with_claims(iss=f"{ISSUER}{ours}", aud=f"{ISSUER}{ours}")
    assert get(app, token).text == "accepted"


def test_the_log_says_that_a_token_expired_and_what_a_wrong_clock_does(
    caplog: pytest.LogCaptureFixture, time: time_machine.Traveller
) -> None:
    token = token_by(KEY)
    time.shift(3600)
    assert_problem(get(elsewhere(), token), 401, "access_token_expired")
    [line] = caplog.messages
    assert "it has expired" in line
    assert "clock is ahead of the issuer's" in line
    assert token[:20] not in line


def test_the_log_says_that_the_issuer_publishes_no_keys(
    issuer: Issuer, caplog: pytest.LogCaptureFixture
) -> None:
    issuer.publish()
    assert_problem(get(elsewhere(jwks_url=issuer.url), token_by(PAIR)), 401, "access_token_invalid")
    [line] = caplog.messages
    assert "the issuer publishes no keys. Set AUTHSVC_ACCESS_TOKEN_ALGORITHM=ES256" in line


def test_a_reason_is_logged_once_a_minute_and_another_one_at_once(
    caplog: pytest.LogCaptureFixture, time: time_machine.Traveller
) -> None:
    app = elsewhere()
    for _ in range(3):
        get(app, "canary")
    assert len(caplog.messages) == 1
    get(app, token_by(KEY, ttl=901))
    assert len(caplog.messages) == 2
    time.shift(59)
    get(app, "canary")
    assert len(caplog.messages) == 2
    time.shift(1)
    get(app, "canary")
    assert len(caplog.messages) == 3
    time.shift(-7200)
    get(app, "canary")
    assert len(caplog.messages) == 4


def test_a_valid_token_and_a_missing_one_log_nothing(caplog: pytest.LogCaptureFixture) -> None:
    app = elsewhere()
    assert get(app, token_by(KEY)).text == "accepted"
    assert app.test_client().get("/").status_code == 401
    assert caplog.messages == []


def test_an_issuer_that_is_down_is_logged_once_a_minute(
    caplog: pytest.LogCaptureFixture, time: time_machine.Traveller
) -> None:
    app = elsewhere(jwks_url=Issuer(PAIR).url)
    for _ in range(4):
        assert get(app, token_by(PAIR)).status_code == 503
        time.shift(RETRY)
    assert len(caplog.messages) == 1
    time.shift(60)
    assert get(app, token_by(PAIR)).status_code == 503
    assert len(caplog.messages) == 2


def test_the_service_itself_logs_no_reason(alice: Person, caplog: pytest.LogCaptureFixture) -> None:
    """Its request log has the code of each refusal, and an expired token is ordinary there."""
    alice.access_token = "a.b.c"
    assert_problem(alice.call("GET", "/api/me"), 401, "access_token_invalid")
    assert [record for record in caplog.records if record.name.startswith("authsvc.guard")] == []
