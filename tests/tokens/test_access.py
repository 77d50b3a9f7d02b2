"""The access token: what we issue, what other libraries verify, and what we refuse."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import jwt
import pytest
import time_machine
from joserfc import jws
from joserfc.jwk import OctKey

from authsvc.roles import MAX_ROLES, Roles
from authsvc.settings.token_names import MAX_AUDIENCES, MAX_CLIENT_ID
from authsvc.tokens.access import (
    AccessTokens,
    AccessTokenVerifier,
    access_keyring,
)
from authsvc.tokens.claims import Claims
from authsvc.tokens.jws import MAX_LENGTH, TokenExpired, TokenInvalid, token_hash
from authsvc.tokens.keyring import Key, decode, encode, hmac_key
from authsvc.tokens.refresh import RefreshTokens
from authsvc.tokens.times import LEEWAY
from authsvc.tokens.verified_cache import MAX_TOKENS
from tests.support.signing_secrets import ACCESS_SECRET, REFRESH_SECRET
from tests.tokens.forgery import (
    ALICE,
    EPOCH,
    ISS,
    NOW,
    SESSION,
    b64,
    by_hand,
    by_joserfc,
    payload,
)

AUD = "https://api.example.com"
KEY = hmac_key(ACCESS_SECRET)
HEADER = {"alg": "HS256", "kid": KEY.kid, "typ": "at+jwt"}
TOKENS = AccessTokens(access_keyring(KEY), ISS, AUD, 600)


def verifier(*keys: Key, max_life: int = 600) -> AccessTokenVerifier:
    return AccessTokenVerifier(access_keyring(*keys), iss=ISS, aud=AUD, max_life=max_life)


def verified(token: str) -> Claims:
    return verifier(KEY).verify(token)


def issue(
    tokens: AccessTokens = TOKENS, *, ends: datetime = NOW + timedelta(days=7), roles: Roles = ()
) -> str:
    issued = tokens.issue(
        sub=ALICE, sid=SESSION, roles=roles, auth_time=NOW, session_ends=ends, now=NOW
    )
    return issued.access_token


def assert_refused(token: str, by: AccessTokenVerifier | None = None) -> None:
    with pytest.raises(TokenInvalid):
        (by or verifier(KEY)).verify(token)


def test_the_header_has_alg_kid_and_typ_only() -> None:
    header = decode(issue().split(".")[0])
    assert header == json.dumps(HEADER, separators=(",", ":")).encode()


def test_the_claims_are_the_nine_and_nothing_personal() -> None:
    claims = json.loads(decode(issue().split(".")[1]))
    jti = claims.pop("jti")
    assert str(UUID(jti)) == jti
    assert claims == {
        "iss": ISS,
        "sub": str(ALICE),
        "aud": AUD,
        "exp": EPOCH + 600,
        "iat": EPOCH,
        "sid": str(SESSION),
        "auth_time": EPOCH,
        "client_id": "web",
    }


def test_each_token_has_an_id_of_its_own() -> None:
    assert len({verified(issue()).jti for _ in range(100)}) == 100


def test_what_is_issued_is_verified() -> None:
    claims = verified(issue())
    assert (claims.sub, claims.sid, claims.iss, claims.aud) == (ALICE, SESSION, ISS, AUD)
    assert (claims.iat, claims.exp, claims.auth_time) == (EPOCH, EPOCH + 600, EPOCH)


def test_joserfc_verifies_it() -> None:
    token = issue()
    read = jws.deserialize_compact(token, OctKey.import_key(ACCESS_SECRET), algorithms=["HS256"])
    assert read.headers() == HEADER
    assert json.loads(read.payload)["sub"] == str(ALICE)


def test_pyjwt_verifies_it() -> None:
    required = ["iss", "sub", "aud", "exp", "iat", "jti"]
    claims = jwt.decode(
        issue(),
        ACCESS_SECRET,
        algorithms=["HS256"],
        audience=AUD,
        issuer=ISS,
        options={"require": required, "enforce_minimum_key_length": True},
    )
    assert claims["sid"] == str(SESSION)


def test_a_token_that_joserfc_signs_under_our_header_is_accepted() -> None:
    assert verified(by_joserfc(ACCESS_SECRET, HEADER, payload())).sub == ALICE


def test_a_token_that_pyjwt_signs_under_our_header_is_accepted() -> None:
    token = jwt.encode(
        payload(),
        ACCESS_SECRET,
        "HS256",
        headers={"kid": KEY.kid, "typ": "at+jwt"},
        sort_headers=True,
    )
    assert verified(token).sub == ALICE


def test_a_token_for_several_services_is_accepted_by_each_of_them() -> None:
    several = AccessTokens(access_keyring(KEY), ISS, (AUD, "b"), 600)
    token = issue(several)
    assert json.loads(decode(token.split(".")[1]))["aud"] == [AUD, "b"]
    keyring = access_keyring(KEY)
    for aud in (AUD, "b", ("b", "c"), ("b", AUD)):
        accepted = AccessTokenVerifier(keyring, iss=ISS, aud=aud).verify(token)
        assert accepted.aud == (AUD, "b")
    for aud in ("c", f"{AUD},b", "", ("c", "d")):
        assert_refused(token, AccessTokenVerifier(keyring, iss=ISS, aud=aud))


def test_a_list_of_one_audience_is_accepted() -> None:
    assert verified(by_hand(ACCESS_SECRET, HEADER, payload(aud=[AUD]))).aud == (AUD,)


def test_another_library_reads_several_audiences() -> None:
    token = issue(AccessTokens(access_keyring(KEY), ISS, (AUD, "b"), 600))
    for audience in (AUD, "b"):
        options = {"audience": audience, "issuer": ISS}
        assert jwt.decode(token, ACCESS_SECRET, algorithms=["HS256"], **options)["aud"] == [
            AUD,
            "b",
        ]
    with pytest.raises(jwt.InvalidAudienceError):
        jwt.decode(token, ACCESS_SECRET, algorithms=["HS256"], audience="c", issuer=ISS)


def test_an_access_token_never_expires_after_its_session() -> None:
    issued = TOKENS.issue(
        sub=ALICE,
        sid=SESSION,
        auth_time=NOW,
        session_ends=NOW + timedelta(seconds=42),
        now=NOW,
    )
    assert issued.expires_in == 42
    assert verified(issued.access_token).exp == EPOCH + 42


def test_an_access_token_expires_on_the_second(clock: time_machine.Traveller) -> None:
    token = issue()
    clock.move_to(datetime.fromtimestamp(EPOCH + 600 + LEEWAY, UTC) - timedelta(microseconds=1))
    assert verified(token)
    clock.move_to(datetime.fromtimestamp(EPOCH + 600 + LEEWAY, UTC))
    with pytest.raises(TokenExpired):
        verified(token)


BOUNDARIES = [
    ({"iat": EPOCH + LEEWAY, "auth_time": EPOCH, "exp": EPOCH + 600}, True),
    ({"iat": EPOCH + LEEWAY + 1, "exp": EPOCH + 600}, False),
    ({"iat": EPOCH, "exp": EPOCH + 600}, True),
    ({"iat": EPOCH, "exp": EPOCH + 601}, False),
    ({"iat": EPOCH - 600, "auth_time": EPOCH - 600, "exp": EPOCH}, True),
    ({"iat": EPOCH, "auth_time": EPOCH + 1}, False),
    ({"iat": EPOCH, "auth_time": 0}, True),
    ({"iat": EPOCH - 10**6, "auth_time": 0, "exp": EPOCH + 1}, False),
    ({"nbf": 0}, True),
    ({"nbf": EPOCH - 3600}, True),
    ({"nbf": EPOCH + LEEWAY}, True),
    ({"nbf": EPOCH + LEEWAY + 1}, False),
    ({"nbf": EPOCH + 3600}, False),
    ({"nbf": 10**40}, False),
]


@pytest.mark.parametrize(("changed", "good"), BOUNDARIES)
def test_times_are_checked_on_the_second(changed: dict[str, int], good: bool) -> None:
    token = by_hand(ACCESS_SECRET, HEADER, payload(**changed))
    if good:
        assert verified(token).sub == ALICE
    else:
        assert_refused(token)


def test_an_invalid_token_that_has_expired_is_refused_as_invalid() -> None:
    past = {"iat": EPOCH - 700, "auth_time": EPOCH - 700, "exp": EPOCH - 100}
    assert_refused(by_hand(ACCESS_SECRET, HEADER, payload(**past, iss="https://evil.example.com")))
    assert_refused(by_hand(REFRESH_SECRET, HEADER, payload(**past)))
    with pytest.raises(TokenExpired):
        verified(by_hand(ACCESS_SECRET, HEADER, payload(**past)))


def test_a_token_has_the_roles_and_no_claim_without_roles() -> None:
    token = issue(roles=("admin", "editor"))
    assert json.loads(decode(token.split(".")[1]))["roles"] == ["admin", "editor"]
    assert verified(token).roles == ("admin", "editor")
    assert verified(issue()).roles == ()


def test_a_token_with_the_longest_names_and_a_kibibyte_of_other_claims_is_below_4_kib() -> None:
    roles = tuple(f"{number:02}".ljust(64, "x") for number in range(MAX_ROLES))
    audiences = ("a" * 124, "b" * 124)
    assert len(json.dumps(audiences)) == MAX_AUDIENCES
    issuer = f"https://{'a' * 92}"
    tokens = AccessTokens(
        access_keyring(KEY), issuer, audiences, 600, client_id="x" * MAX_CLIENT_ID
    )
    token = issue(tokens, roles=roles)
    assert len(token) + len(encode(b"x" * 1024)) < MAX_LENGTH


def test_ten_thousand_roles_are_refused() -> None:
    many = [f"role-{number}" for number in range(10_000)]
    assert_refused(by_hand(ACCESS_SECRET, HEADER, payload(roles=many)))


@pytest.mark.parametrize("name", payload())
def test_every_claim_is_required(name: str) -> None:
    assert_refused(by_hand(ACCESS_SECRET, HEADER, payload(**{name: None})))


def test_a_token_from_before_the_client_id_is_accepted() -> None:
    assert verified(by_hand(ACCESS_SECRET, HEADER, payload())).client_id == ""
    assert verified(by_hand(ACCESS_SECRET, HEADER, payload(client_id="a"))).client_id == "a"


NOT_UUIDS: list[Any] = [
    "",
    "\0",
    "\ud800",
    7,
    True,
    [str(ALICE)],
    {},
    str(ALICE).upper(),
    ALICE.hex,
    f"{{{ALICE}}}",
    f"urn:uuid:{ALICE}",
    f" {ALICE}",
    f"{ALICE}\n",
    f"{ALICE}\0",
    str(ALICE).replace("0", "\u0660"),
]
NOT_SECONDS: list[Any] = [
    str(EPOCH + 60),
    float(EPOCH + 60),
    "\u0661\u0667",
    True,
    False,
    -1,
    [EPOCH + 60],
    {},
    10**40,
]
NOT_EQUAL: list[Any] = ["", ISS + "/", ISS.upper(), [ISS], {ISS: 1}, 1, True, AUD + "\0"]
NOT_AUDIENCES: list[Any] = [
    [],
    ["https://another.example"],
    [AUD, AUD],
    [AUD, ""],
    [AUD, 7],
    [AUD, None],
    [AUD, "\ud800"],
    [AUD, ["https://another.example"]],
    [[AUD]],
    [{AUD: 1}],
    f"{AUD},https://another.example",
    f"{AUD} https://another.example",
]
NOT_TEXT: list[Any] = ["", "\0", "\ud800", "a\nb", 7, True, ["web"], {}]
WRONG = [
    *((name, value) for name in ("sub", "sid", "jti") for value in NOT_UUIDS),
    *((name, value) for name in ("exp", "iat", "nbf", "auth_time") for value in NOT_SECONDS),
    *(("iss", value) for value in [*NOT_EQUAL, [ISS]]),
    *(("aud", value) for value in [*NOT_EQUAL, *NOT_AUDIENCES]),
    *(("client_id", value) for value in NOT_TEXT),
]


@pytest.mark.parametrize(("name", "value"), WRONG)
def test_a_claim_of_another_type_is_refused(name: str, value: object) -> None:
    assert_refused(by_hand(ACCESS_SECRET, HEADER, payload(**{name: value})))


def test_a_null_claim_is_refused() -> None:
    for name in [*payload(), "client_id"]:
        claims = json.dumps({**payload(), name: None}).encode()
        assert_refused(by_hand(ACCESS_SECRET, HEADER, claims))


HEADERS: list[dict[str, Any] | bytes] = [
    {**HEADER, "alg": "none"},
    {**HEADER, "alg": "hs256"},
    {**HEADER, "alg": "HS512"},
    {**HEADER, "alg": "HS"},
    {**HEADER, "alg": ["HS256"]},
    {"kid": KEY.kid, "typ": "at+jwt"},
    {**HEADER, "typ": "JWT"},
    {**HEADER, "typ": "rt+jwt"},
    {**HEADER, "typ": "AT+JWT"},
    {**HEADER, "typ": "application/at+jwt"},
    {"alg": "HS256", "kid": KEY.kid},
    {**HEADER, "kid": "another"},
    {**HEADER, "kid": ""},
    {**HEADER, "kid": "../../dev/null"},
    {**HEADER, "kid": 7},
    {**HEADER, "kid": None},
    {**HEADER, "kid": [KEY.kid]},
    {"alg": "HS256", "typ": "at+jwt"},
    {**HEADER, "jwk": {"kty": "oct", "k": "AA"}},
    {**HEADER, "jku": "https://evil.example.com"},
    {**HEADER, "x5u": "https://evil.example.com"},
    {**HEADER, "x5c": ["AA"]},
    {**HEADER, "x5t": "AA"},
    {**HEADER, "zip": "DEF"},
    {**HEADER, "enc": "A256GCM"},
    {**HEADER, "cty": "JWT"},
    {**HEADER, "b64": False, "crit": ["b64"]},
    {**HEADER, "crit": []},
    json.dumps(HEADER).encode(),
    b'{"alg":"HS256","alg":"HS256","kid":"' + KEY.kid.encode() + b'","typ":"at+jwt"}',
    b'{"alg":"none","\\u0061lg":"HS256","kid":"' + KEY.kid.encode() + b'","typ":"at+jwt"}',
    b"\xef\xbb\xbf" + json.dumps(HEADER, separators=(",", ":")).encode(),
    json.dumps(HEADER, separators=(",", ":")).encode("utf-16"),
    b"[" * 1500,
    b"null",
]


@pytest.mark.parametrize("header", HEADERS)
def test_any_other_header_is_refused_although_the_signature_is_valid(
    header: dict[str, Any] | bytes,
) -> None:
    assert_refused(by_hand(ACCESS_SECRET, header, payload()))


GOOD_BODY = json.dumps(payload(), separators=(",", ":")).encode()
BODIES = [
    b"[]",
    b"null",
    b'"text"',
    b"{}",
    b"\xef\xbb\xbf" + GOOD_BODY,
    GOOD_BODY.decode().encode("utf-16"),
    GOOD_BODY[:-1] + b',"iss":"https://auth.example.com"}',
    GOOD_BODY[:-1] + b',"\\u0069ss":"https://auth.example.com"}',
    GOOD_BODY[:-1] + b',"x":NaN}',
    GOOD_BODY[:-1] + b',"x":' + b"[" * 65 + b"]" * 65 + b"}",
    GOOD_BODY[:-1] + b',"x":' + b"[" * 1200 + b"]" * 1200 + b"}",
    GOOD_BODY.replace(str(EPOCH + 600).encode(), b"9" * 2000),
    GOOD_BODY[:-1],
    GOOD_BODY + b"{}",
    b"\xff" + GOOD_BODY,
]


@pytest.mark.parametrize("body", BODIES)
def test_a_payload_that_is_not_strict_json_is_refused(body: bytes) -> None:
    assert verified(by_hand(ACCESS_SECRET, HEADER, GOOD_BODY))
    assert_refused(by_hand(ACCESS_SECRET, HEADER, body))


def test_an_unknown_claim_is_ignored() -> None:
    assert verified(by_hand(ACCESS_SECRET, HEADER, payload(scope="x"))).sub == ALICE


def test_another_secret_is_refused() -> None:
    assert_refused(by_hand(REFRESH_SECRET, HEADER, payload()))
    assert_refused(by_hand(b"", HEADER, payload()))


def test_a_refresh_token_is_refused_as_access_token_even_with_one_secret() -> None:
    issued = {"sub": ALICE, "sid": SESSION, "issued_at": NOW}
    ends = NOW + timedelta(seconds=600)
    refresh = RefreshTokens(KEY, iss=ISS).issue(**issued, expires_at=ends)
    assert_refused(refresh)
    _, body, _ = refresh.split(".")
    assert_refused(by_hand(ACCESS_SECRET, HEADER, decode(body)))


def test_the_previous_key_verifies_and_never_signs() -> None:
    old = issue()
    new_key = hmac_key(bytes(range(100, 164)))
    assert verifier(new_key, KEY).verify(old).sub == ALICE
    new = issue(AccessTokens(access_keyring(new_key, KEY), ISS, AUD, 600))
    assert json.loads(decode(new.split(".")[0]))["kid"] == new_key.kid
    assert_refused(new)
    assert verifier(new_key).verify(new).sub == ALICE
    assert_refused(old, verifier(new_key))


def test_a_key_under_another_keys_name_is_refused() -> None:
    new_secret = bytes(range(100, 164))
    rotated = verifier(hmac_key(new_secret), KEY)
    assert_refused(by_hand(new_secret, HEADER, payload()), rotated)


def test_a_life_longer_than_the_configured_one_is_refused() -> None:
    assert_refused(issue(), verifier(KEY, max_life=599))


def test_a_token_over_4_kib_is_refused() -> None:
    tokens = [by_hand(ACCESS_SECRET, HEADER, payload(x="x" * n)) for n in range(2600, 2800)]
    # A base64url text has three of four lengths, so this token cannot have exactly 4096.
    assert {MAX_LENGTH - 1, MAX_LENGTH + 1} <= {len(token) for token in tokens}
    for token in tokens:
        if len(token) <= MAX_LENGTH:
            assert verified(token)
        else:
            assert_refused(token)


def test_each_changed_character_of_a_token_is_refused() -> None:
    token = issue()
    for at, character in enumerate(token):
        changed = "A" if character != "A" else "B"
        assert_refused(token[:at] + changed + token[at + 1 :])


SPELLINGS = [
    lambda token: "",
    lambda token: ".",
    lambda token: "..",
    lambda token: token.rpartition(".")[0],
    lambda token: token.rpartition(".")[0] + ".",
    lambda token: token + ".",
    lambda token: token + ".AA",
    lambda token: "." + token,
    lambda token: token + "=",
    lambda token: token.replace(".", "=.", 1),
    lambda token: token + "\n",
    lambda token: " " + token,
    lambda token: token + " ",
    lambda token: "Bearer " + token,
    lambda token: token[:-1],
    lambda token: token + "A",
    lambda token: token + "\0",
    lambda token: token.replace("e", "\u0435", 1),
    lambda token: token + "\ud800",
    lambda token: b64(token.encode()),
]


@pytest.mark.parametrize("spell", SPELLINGS)
def test_a_token_has_one_spelling(spell: Any) -> None:
    assert_refused(spell(issue()))


def test_unused_bits_that_are_set_are_refused() -> None:
    token = by_hand(ACCESS_SECRET, HEADER, payload())
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    last = alphabet.index(token[-1])
    assert last % 4 == 0  # 32 bytes leave two unused bits
    for bits in (1, 2, 3):
        assert_refused(token[:-1] + alphabet[last + bits])


def test_the_cache_is_bounded_and_first_in_first_out() -> None:
    own = verifier(KEY)
    tokens = [issue() for _ in range(MAX_TOKENS + 2)]
    for token in tokens:
        own.verify(token)
    assert list(own._verified._claims) == [token_hash(token) for token in tokens[2:]]


def test_a_cached_token_still_expires(clock: time_machine.Traveller) -> None:
    own = verifier(KEY)
    first = issue()
    assert own.verify(first) is own.verify(first)
    clock.shift(600 + LEEWAY)
    with pytest.raises(TokenExpired):
        own.verify(first)
