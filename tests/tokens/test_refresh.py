"""The refresh token: its type and audience are its own, and its row has its hash."""

import hashlib
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
import time_machine
from joserfc import jws
from joserfc.jwk import OctKey

from authsvc.tokens.access import AccessTokens, access_keyring
from authsvc.tokens.jws import MAX_LENGTH, TokenExpired, TokenInvalid, token_hash
from authsvc.tokens.keyring import decode, hmac_key
from authsvc.tokens.refresh import RefreshTokens
from authsvc.tokens.times import LEEWAY
from authsvc.tokens.verified_cache import MAX_TOKENS
from tests.support.signing_secrets import ACCESS_SECRET, REFRESH_SECRET
from tests.tokens.forgery import ALICE, EPOCH, ISS, NOW, SESSION, by_hand, by_joserfc, payload

WEEK = 7 * 24 * 60 * 60
AUD = f"{ISS}/auth/refresh"
KEY = hmac_key(REFRESH_SECRET)
HEADER = {"alg": "HS256", "kid": KEY.kid, "typ": "rt+jwt"}
TOKENS = RefreshTokens(KEY, iss=ISS)


def issue(tokens: RefreshTokens = TOKENS) -> str:
    ends = NOW + timedelta(seconds=WEEK)
    return tokens.issue(sub=ALICE, sid=SESSION, issued_at=NOW, expires_at=ends)


def claims(**changed: Any) -> dict[str, Any]:
    return payload(**{"aud": AUD, "exp": EPOCH + WEEK, **changed})


def assert_refused(token: str, tokens: RefreshTokens = TOKENS) -> None:
    for even_expired in (False, True):
        with pytest.raises(TokenInvalid):
            tokens.verify(token, even_expired=even_expired)


def test_the_header_has_alg_kid_and_typ_only() -> None:
    header = decode(issue().split(".")[0])
    assert header == json.dumps(HEADER, separators=(",", ":")).encode()


def test_the_claims_are_the_eight_and_nothing_personal() -> None:
    written = json.loads(decode(issue().split(".")[1]))
    assert written.pop("jti") != claims()["jti"]
    assert written == {name: value for name, value in claims().items() if name != "jti"}


def test_an_issued_token_is_verified_and_hashed_with_sha256() -> None:
    token = issue()
    verified = TOKENS.verify(token)
    assert (verified.claims.sub, verified.claims.sid) == (ALICE, SESSION)
    assert (verified.claims.iat, verified.claims.exp) == (EPOCH, EPOCH + WEEK)
    assert verified.token_hash == token_hash(token) == hashlib.sha256(token.encode()).digest()


@pytest.mark.parametrize("aud", [[AUD], [AUD, "b"], [], ["b"]])
def test_a_list_of_audiences_is_refused(aud: list[str]) -> None:
    assert_refused(by_hand(REFRESH_SECRET, HEADER, claims(aud=aud)))


def test_joserfc_and_pyjwt_verify_it() -> None:
    token = issue()
    read = jws.deserialize_compact(token, OctKey.import_key(REFRESH_SECRET), algorithms=["HS256"])
    assert read.headers() == HEADER
    options = {"enforce_minimum_key_length": True}
    decoded = jwt.decode(
        token, REFRESH_SECRET, algorithms=["HS256"], audience=AUD, issuer=ISS, options=options
    )
    assert decoded == json.loads(read.payload)


def test_a_token_that_joserfc_signs_under_our_header_is_accepted() -> None:
    assert TOKENS.verify(by_joserfc(REFRESH_SECRET, HEADER, claims())).claims.sub == ALICE


def test_a_refresh_token_expires_on_the_second_and_is_still_accepted_at_logout(
    clock: time_machine.Traveller,
) -> None:
    token = issue()
    clock.move_to(datetime.fromtimestamp(EPOCH + WEEK + LEEWAY, UTC) - timedelta(microseconds=1))
    assert TOKENS.verify(token)
    clock.move_to(datetime.fromtimestamp(EPOCH + WEEK + LEEWAY, UTC))
    with pytest.raises(TokenExpired):
        TOKENS.verify(token)
    clock.move_to(NOW + timedelta(days=4000))
    assert TOKENS.verify(token, even_expired=True).claims.sid == SESSION


def test_the_cache_is_bounded_and_does_not_contain_the_token() -> None:
    tokens = RefreshTokens(KEY, iss=ISS)
    for _ in range(MAX_TOKENS + 1):
        tokens.verify(issue())
    cached = tokens._verified._claims
    assert 0 < len(cached) <= MAX_TOKENS
    assert {(type(name), len(name)) for name in cached} == {(bytes, 32)}
    token = issue()
    assert tokens.verify(token).claims is tokens.verify(token).claims


def test_a_cached_token_does_not_make_a_different_token_valid() -> None:
    tokens = RefreshTokens(KEY, iss=ISS)
    token = issue()
    tokens.verify(token)
    header, body, signature = token.split(".")
    for other in (f"{header}.{body}.{signature[::-1]}", f"x{token}", f"{token}?", f"{token}é"):
        assert_refused(other, tokens)


@pytest.mark.parametrize("even_expired", [False, True])
def test_a_token_issued_in_the_future_is_accepted_because_its_row_decides(
    even_expired: bool,
) -> None:
    times = {"iat": EPOCH + 3600, "auth_time": EPOCH + 3600}
    token = by_hand(REFRESH_SECRET, HEADER, claims(**times))
    assert TOKENS.verify(token, even_expired=even_expired).claims.sid == SESSION


def test_a_token_is_refused_before_its_nbf_and_accepted_at_logout() -> None:
    """T6; issue 14, 17."""
    early = by_hand(REFRESH_SECRET, HEADER, claims(nbf=EPOCH + LEEWAY + 1))
    with pytest.raises(TokenInvalid):
        TOKENS.verify(early)
    assert TOKENS.verify(early, even_expired=True).claims.sid == SESSION
    past = by_hand(REFRESH_SECRET, HEADER, claims(nbf=EPOCH + LEEWAY))
    assert TOKENS.verify(past).claims.sid == SESSION


@pytest.mark.parametrize("name", claims())
def test_every_claim_is_required_even_at_logout(name: str) -> None:
    assert_refused(by_hand(REFRESH_SECRET, HEADER, claims(**{name: None})))


WRONG: list[tuple[str, Any]] = [
    ("aud", ISS),
    ("aud", [AUD]),
    ("aud", f"{ISS}//auth/refresh"),
    ("iss", f"{ISS}/"),
    ("sub", ALICE.hex),
    ("sid", str(SESSION).upper()),
    ("exp", str(EPOCH + WEEK)),
    ("exp", float(EPOCH + WEEK)),
    ("exp", True),
    ("iat", -1),
    ("nbf", str(EPOCH)),
    ("nbf", True),
]


@pytest.mark.parametrize(("name", "value"), WRONG)
def test_a_wrong_claim_is_refused_even_at_logout(name: str, value: object) -> None:
    assert_refused(by_hand(REFRESH_SECRET, HEADER, claims(**{name: value})))


@pytest.mark.parametrize("typ", ["at+jwt", "JWT", "RT+JWT", "", None, 7])
def test_another_typ_is_refused(typ: object) -> None:
    assert_refused(by_hand(REFRESH_SECRET, {**HEADER, "typ": typ}, claims()))


def test_an_access_token_is_refused_as_refresh_token_even_with_one_secret() -> None:
    tokens = AccessTokens(access_keyring(KEY), ISS, ISS, 600)
    ends = NOW + timedelta(days=7)
    issued = tokens.issue(sub=ALICE, sid=SESSION, auth_time=NOW, session_ends=ends, now=NOW)
    access = issued.access_token
    assert_refused(access)
    assert_refused(by_hand(REFRESH_SECRET, HEADER, decode(access.split(".")[1])))


def test_the_previous_key_verifies_and_never_signs() -> None:
    old = issue()
    new_key = hmac_key(bytes(range(100, 164)))
    rotated = RefreshTokens(new_key, KEY, iss=ISS)
    assert rotated.verify(old).claims.sid == SESSION
    assert_refused(issue(rotated))
    assert_refused(old, RefreshTokens(new_key, iss=ISS))


def test_wrong_secrets_and_spellings_are_refused() -> None:
    token = issue()
    assert_refused(by_hand(ACCESS_SECRET, HEADER, claims()))
    for changed in (token + "=", token + "\n", f'"{token}"', token[:-1], "", "x" * MAX_LENGTH):
        assert_refused(changed)
    assert_refused(by_hand(REFRESH_SECRET, HEADER, claims(x="x" * MAX_LENGTH)))


@pytest.mark.parametrize("issuer", [ISS, f"{ISS}/"])
def test_the_audience_is_the_refresh_endpoint_of_the_issuer(issuer: str) -> None:
    written = json.loads(decode(issue(RefreshTokens(KEY, iss=issuer)).split(".")[1]))
    assert (written["iss"], written["aud"]) == (issuer, AUD)
