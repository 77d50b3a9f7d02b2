"""The issuer's keys: fetched when needed, kept through an outage, dropped when removed."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import pytest
import time_machine
from flask import Flask

from authsvc.guard import AccessTokenGuard
from authsvc.guard.remote_keyring import EVERY, FRESH_FOR, MAX_BYTES, RETRY, TIMEOUT
from authsvc.tokens.key_pairs import generate_pem, key_from_pem
from authsvc.tokens.keyring import hmac_key
from tests.doctor.certificate import write_certificate
from tests.guard.issuer import ISSUER, Issuer, token_by
from tests.support.key_pair_settings import PEM
from tests.support.responses import assert_problem
from tests.support.signing_secrets import ACCESS_SECRET

OLD, NEW = key_from_pem(PEM["EdDSA"]), key_from_pem(PEM["ES256"])
STRANGER = key_from_pem(generate_pem("EdDSA"))


@pytest.fixture(autouse=True)
def time() -> Iterator[time_machine.Traveller]:
    with time_machine.travel("2026-11-24T12:00:00Z", tick=False) as traveller:
        yield traveller


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    issuer = Issuer(OLD)
    with issuer.answering():
        yield issuer


def app_of(issuer: Issuer) -> Flask:
    return app_that_asks(issuer.url)


def app_that_asks(url: str) -> Flask:
    """Return another Flask app, with one protected route."""
    app = Flask("elsewhere")
    app.get("/")(lambda: "accepted")
    AccessTokenGuard(app, issuer=ISSUER, jwks_url=url)
    return app


def get(app: Flask, token: str) -> Any:
    return app.test_client().get("/", headers={"Authorization": f"Bearer {token}"})


def test_keys_are_fetched_when_the_first_token_comes_and_only_once(issuer: Issuer) -> None:
    app = app_of(issuer)
    assert app.test_client().get("/").status_code == 401
    assert issuer.asked == []
    for _ in range(5):
        assert get(app, token_by(OLD)).text == "accepted"
    assert issuer.asked == ["/.well-known/jwks.json"]
    assert issuer.accepted == ["application/json"]


@pytest.mark.parametrize(
    ("place", "asked"), [("", "/"), ("?of=one", "/?of=one"), ("/keys#of-one", "/keys")]
)
def test_exactly_the_configured_url_is_fetched(issuer: Issuer, place: str, asked: str) -> None:
    app = app_that_asks(f"http://localhost:{issuer.port}{place}")
    assert get(app, token_by(OLD)).status_code == 200
    assert issuer.asked == [asked]


@pytest.mark.parametrize(("trusted", "status"), [(True, 200), (False, 503)])
def test_over_https_the_issuer_must_have_a_certificate_that_is_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trusted: bool, status: int
) -> None:
    issuer, certificate = Issuer(OLD), write_certificate(tmp_path)
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with issuer.answering(certificate):
        app = app_that_asks(issuer.url.replace("http:", "https:"))
        assert get(app, token_by(OLD)).status_code == status
    assert len(issuer.asked) == trusted


def test_an_https_url_is_never_fetched_in_the_clear(issuer: Issuer) -> None:
    app = app_that_asks(issuer.url.replace("http:", "https:"))
    assert_problem(get(app, token_by(OLD)), 503, "service_unavailable")
    assert issuer.asked == []


def test_many_threads_make_one_fetch_and_all_wait_for_it(issuer: Issuer) -> None:
    app = app_of(issuer)
    issuer.may_answer.clear()
    with ThreadPoolExecutor(12) as threads:
        answers = [threads.submit(get, app, token_by(OLD)) for _ in range(12)]
        while not issuer.asked:
            sleep(0.01)
        issuer.may_answer.set()
        assert {answer.result().status_code for answer in answers} == {200}
    assert len(issuer.asked) == 1


def test_a_new_key_is_found_by_the_first_token_that_it_signs(
    issuer: Issuer, time: time_machine.Traveller
) -> None:
    app = app_of(issuer)
    assert get(app, token_by(OLD)).status_code == 200
    time.shift(EVERY)
    issuer.publish(NEW, OLD)
    for key in (NEW, OLD):
        assert get(app, token_by(key)).status_code == 200
    assert len(issuer.asked) == 2


def test_unknown_keys_cause_one_fetch_a_minute_at_most(
    issuer: Issuer, time: time_machine.Traveller
) -> None:
    app = app_of(issuer)
    assert get(app, token_by(OLD)).status_code == 200
    for minute in range(1, 4):
        time.shift(EVERY)
        for _ in range(20):
            assert_problem(get(app, token_by(STRANGER)), 401, "access_token_invalid")
            time.shift(2)
        assert_problem(get(app, f"{minute}.b.c"), 401, "access_token_invalid")
        assert len(issuer.asked) == 1 + minute
    assert get(app, token_by(OLD)).status_code == 200


def test_a_service_that_is_not_up_yet_is_a_503_until_it_is(time: time_machine.Traveller) -> None:
    issuer = Issuer(OLD)
    app = app_of(issuer)
    for _ in range(2):
        answer = get(app, token_by(OLD))
        assert_problem(answer, 503, "service_unavailable")
        assert answer.headers["Retry-After"] == str(int(RETRY.total_seconds()))
    with issuer.answering():
        time.shift(RETRY)
        assert get(app, token_by(OLD)).status_code == 200


def test_known_keys_are_used_while_the_issuer_is_down(time: time_machine.Traveller) -> None:
    issuer = Issuer(OLD)
    app = app_of(issuer)
    with issuer.answering():
        assert get(app, token_by(OLD)).status_code == 200
    time.shift(10 * FRESH_FOR)
    assert get(app, token_by(OLD)).status_code == 200
    assert_problem(get(app, token_by(NEW)), 401, "access_token_invalid")
    issuer.publish(NEW)
    with issuer.answering():
        time.shift(EVERY)
        assert get(app, token_by(NEW)).status_code == 200


def test_a_removed_key_is_refused_once_the_keys_are_no_longer_fresh(
    issuer: Issuer, time: time_machine.Traveller
) -> None:
    app = app_of(issuer)
    token = token_by(OLD, ttl=900)
    assert get(app, token).status_code == 200
    issuer.publish(NEW)
    time.shift(FRESH_FOR.total_seconds() - 1)
    assert get(app, token).status_code == 200
    assert len(issuer.asked) == 1
    time.shift(1)
    assert_problem(get(app, token), 401, "access_token_invalid")
    assert_problem(get(app, token_by(OLD)), 401, "access_token_invalid")
    assert len(issuer.asked) == 2


def test_while_one_request_renews_the_keys_the_others_do_not_wait(
    issuer: Issuer, time: time_machine.Traveller
) -> None:
    app = app_of(issuer)
    assert get(app, token_by(OLD)).status_code == 200
    time.shift(FRESH_FOR)
    issuer.may_answer.clear()
    with ThreadPoolExecutor(1) as thread:
        renews = thread.submit(get, app, token_by(OLD))
        while len(issuer.asked) < 2:
            sleep(0.01)
        for _ in range(3):
            assert get(app, token_by(OLD)).status_code == 200
        assert not renews.done()
        issuer.may_answer.set()
        assert renews.result().status_code == 200
    assert len(issuer.asked) == 2


def test_the_clock_set_back_does_not_stop_the_renewals(
    issuer: Issuer, time: time_machine.Traveller
) -> None:
    app = app_of(issuer)
    assert get(app, token_by(OLD)).status_code == 200
    time.shift(-3600)
    assert get(app, token_by(OLD)).status_code == 200
    assert len(issuer.asked) == 2


GARBAGE = [
    *(b"", b"{", b"null", b"[]", b"{}", b'{"keys": {}}', b'{"keys": null}', b"\xff", b"<html>"),
    *(b'{"keys": [], "keys": []}', b'{"keys": [NaN]}', b"[" * 100_000),
    b'{"keys": []}'.ljust(MAX_BYTES + 1),
]


@pytest.mark.parametrize("body", GARBAGE, ids=range(len(GARBAGE)))
def test_a_response_that_is_not_a_set_of_keys_changes_nothing(
    issuer: Issuer, time: time_machine.Traveller, body: bytes
) -> None:
    good, app, fresh = issuer.body, app_of(issuer), app_of(issuer)
    assert get(app, token_by(OLD)).status_code == 200
    issuer.body = body
    time.shift(FRESH_FOR)
    assert get(app, token_by(OLD)).status_code == 200
    assert_problem(get(fresh, token_by(OLD)), 503, "service_unavailable")
    assert len(issuer.asked) == 3
    issuer.body = good
    time.shift(EVERY)
    assert get(app, token_by(OLD)).status_code == get(fresh, token_by(OLD)).status_code == 200


@pytest.mark.parametrize("status", [204, 301, 302, 307, 404, 500, 503])
def test_an_answer_that_is_not_200_changes_nothing(issuer: Issuer, status: int) -> None:
    elsewhere = Issuer(OLD)
    issuer.status, issuer.headers = status, {"Location": elsewhere.url}
    with elsewhere.answering():
        assert_problem(get(app_of(issuer), token_by(OLD)), 503, "service_unavailable")
    assert (len(issuer.asked), elsewhere.asked) == (1, [])


def test_keys_of_another_kind_are_passed_over(issuer: Issuer) -> None:
    good = dict(OLD.jwk or {})
    odd: list[Any] = [
        *(None, 7, "key", [], {}),
        *({**good, name: value} for name in good if name != "kid" for value in (None, 1, "?")),
        {**good, "use": "enc"},
        {"kty": "oct", "k": "AAAA", "alg": "HS256", "use": "sig", "kid": "shared"},
        {"kty": "RSA", "n": "AQAB", "e": "AQAB", "alg": "RS256", "use": "sig"},
    ]
    issuer.body = json.dumps({"keys": [*odd, dict(NEW.jwk or {}), *odd]}).encode()
    app = app_of(issuer)
    assert get(app, token_by(NEW)).status_code == 200
    assert get(app, token_by(OLD)).status_code == 401
    assert get(app, token_by(hmac_key(ACCESS_SECRET))).status_code == 401


def test_with_an_empty_set_of_keys_every_token_is_refused(issuer: Issuer) -> None:
    issuer.publish()
    assert_problem(get(app_of(issuer), token_by(OLD)), 401, "access_token_invalid")


@pytest.mark.parametrize(
    ("status", "body", "why"),
    [
        (404, b"", "the status is 404, not 200"),
        (200, b"[]", "the response is not a set of keys"),
        (200, b" " * (MAX_BYTES + 1), "the response is too long or takes too long"),
    ],
)
def test_the_log_says_why_the_keys_could_not_be_fetched(
    issuer: Issuer, caplog: pytest.LogCaptureFixture, status: int, body: bytes, why: str
) -> None:
    issuer.status, issuer.body = status, body
    assert get(app_of(issuer), token_by(OLD)).status_code == 503
    assert caplog.messages == [f"The keys at {issuer.url} could not be fetched: {why}"]


def halves(file: Any, body: bytes) -> None:
    """Write the body in two parts."""
    file.write(body[:20])
    file.flush()
    sleep(0.05)
    file.write(body[20:])


def test_a_set_may_come_in_parts_and_be_as_long_as_is_allowed(issuer: Issuer) -> None:
    issuer.body = issuer.body.ljust(MAX_BYTES)
    issuer.write = halves
    assert get(app_of(issuer), token_by(OLD)).status_code == 200


def drip(file: Any, body: bytes) -> None:
    """Write the body a byte at a time, for longer than a client should wait."""
    with suppress(OSError):
        for byte in b" " * 10_000:
            file.write(bytes([byte]))
            file.flush()
            sleep(0.05)


@pytest.mark.parametrize("begins", [True, False])
def test_a_response_that_takes_too_long_is_abandoned(issuer: Issuer, begins: bool) -> None:
    issuer.write = drip
    if not begins:
        issuer.may_answer.clear()
    began = monotonic()
    assert_problem(get(app_of(issuer), token_by(OLD)), 503, "service_unavailable")
    assert monotonic() - began < 3 * TIMEOUT
    issuer.may_answer.set()


@pytest.mark.parametrize(
    "url",
    [
        *("", "auth.example.com", "http://auth.example.com/jwks", "ftp://localhost/jwks"),
        *("file:///etc/passwd", "https://", "http://127.evil.example/", "http://localhost.evil/"),
        *("http://192.168.0.1/jwks", "http://[fe80::1]/jwks", "https://[::1", "//localhost/jwks"),
    ],
)
def test_keys_come_over_https_or_from_this_machine(url: str) -> None:
    message = r"jwks_url must be an https:// URL, or http:// on localhost\.|Invalid IPv6 URL"
    with pytest.raises(ValueError, match=f"^({message})$"):
        app_that_asks(url)


@pytest.mark.parametrize(
    "url",
    [
        *(
            "https://auth.example.com/jwks.json",
            "https://auth.example.com:8443",
            "HTTPS://a.example/",
        ),
        *(
            "http://localhost:8000/jwks",
            "http://127.0.0.7/",
            "http://[::1]:80/",
            "http://a.localhost",
        ),
    ],
)
def test_a_valid_url_is_accepted_and_not_fetched_yet(url: str) -> None:
    app_that_asks(url)
