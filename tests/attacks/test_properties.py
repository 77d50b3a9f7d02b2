"""Any text or bytes give claims, a JSON value or the documented refusal, and never a crash."""

import json
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from authsvc import clock, strict_json
from authsvc.strict_json import NotStrictJson
from authsvc.tokens.access import AccessTokens, AccessTokenVerifier, access_keyring
from authsvc.tokens.claims import Claims
from authsvc.tokens.jws import TokenExpired, TokenInvalid
from authsvc.tokens.keyring import hmac_key
from authsvc.tokens.refresh import RefreshTokens
from tests.attacks.tokens import Good, b64, unb64
from tests.support.signing_secrets import ACCESS_SECRET, REFRESH_SECRET

KEYRING = access_keyring(hmac_key(ACCESS_SECRET))
ACCESS = AccessTokens(KEYRING, "authsvc", "authsvc", 600)
VERIFIER = AccessTokenVerifier(KEYRING, iss="authsvc", aud="authsvc")
REFRESH = RefreshTokens(hmac_key(REFRESH_SECRET), iss="authsvc")
KINDS = pytest.mark.parametrize("kind", ["access", "refresh"])
quick = settings(max_examples=60, deadline=None, derandomize=True)
over_http = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)

scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
json_values = st.recursive(
    scalars,
    lambda inside: st.lists(inside, max_size=4) | st.dictionaries(st.text(), inside, max_size=4),
    max_leaves=12,
)
json_like = st.text(alphabet='{}[]":,\\ue0123456789.-+truefalsn \t\n\0\ufeff\ud800éNI', max_size=60)
claim_names = st.sampled_from(
    ["sub", "sid", "jti", "iss", "aud", "exp", "iat", "auth_time", "roles", "x"]
)


def good(kind: str) -> Good:
    now = clock.now_in_seconds()
    sub, sid = uuid4(), uuid4()
    ends = now.replace(year=2100)
    access = ACCESS.issue(sub=sub, sid=sid, auth_time=now, session_ends=ends, now=now)
    refresh = REFRESH.issue(
        sub=sub, sid=sid, issued_at=now, expires_at=now.replace(year=now.year + 1)
    )
    texts = access.access_token, refresh
    return Good(kind, *(texts if kind == "access" else reversed(texts)))


def read(kind: str, token: str) -> Claims | None:
    """Return the claims, or None for a refusal; any other exception fails the test."""
    try:
        return VERIFIER.verify(token) if kind == "access" else REFRESH.verify(token).claims
    except (TokenInvalid, TokenExpired):
        return None


@KINDS
@quick
@given(text=st.text(max_size=200) | st.from_regex(r"[\w=-]{1,40}\.[\w=-]{1,40}\.[\w=-]{1,40}"))
def test_no_text_is_a_token(kind: str, text: str) -> None:
    assert read(kind, text) is None


@KINDS
@quick
@given(payload=json_values.map(lambda value: json.dumps(value).encode()) | st.binary(max_size=100))
def test_a_rightly_signed_payload_without_our_claims_is_refused(kind: str, payload: bytes) -> None:
    assert read(kind, good(kind).signed(payload=payload)) is None


@KINDS
@quick
@given(header=json_values.map(lambda value: json.dumps(value).encode()) | st.binary(max_size=100))
def test_a_rightly_signed_token_with_another_header_is_refused(kind: str, header: bytes) -> None:
    assert read(kind, good(kind).signed(header=header)) is None


@KINDS
@quick
@given(changed=st.dictionaries(claim_names, json_values, min_size=1, max_size=3))
def test_changed_claims_are_refused_or_read_as_they_stand(
    kind: str, changed: dict[str, Any]
) -> None:
    token = good(kind)
    claims = read(kind, token.with_claims(**changed))
    if claims is not None:
        assert claims.payload() == {**token.claims, **changed}
        assert all(type(claims.payload()[name]) is int for name in ("exp", "iat", "auth_time"))


@KINDS
def test_any_single_character_changed_is_refused(kind: str) -> None:
    text = good(kind).text
    assert read(kind, text) is not None
    for at, character in enumerate(text):
        for other in "AQgwB-_.=+/ \n\0é":
            if other != character:
                assert read(kind, f"{text[:at]}{other}{text[at + 1 :]}") is None


@KINDS
def test_every_other_last_character_is_refused(kind: str) -> None:
    text = good(kind).text
    for other in map(chr, range(0x180)):
        assert (read(kind, text[:-1] + other) is not None) == (other == text[-1])


@KINDS
@quick
@given(data=st.data())
def test_any_character_inserted_or_removed_is_refused(kind: str, data: st.DataObject) -> None:
    text = good(kind).text
    at = data.draw(st.integers(0, len(text) - 1))
    inserted = data.draw(st.characters(codec=None))
    assert read(kind, text[:at] + inserted + text[at:]) is None
    assert read(kind, text[:at] + text[at + 1 :]) is None


@KINDS
@quick
@given(data=st.data())
def test_any_bit_of_the_signature_counts(kind: str, data: st.DataObject) -> None:
    token = good(kind)
    signature = bytearray(unb64(token.parts[2]))
    bit = data.draw(st.integers(0, len(signature) * 8 - 1))
    signature[bit // 8] ^= 1 << bit % 8
    assert read(kind, token.spliced(2, b64(bytes(signature)))) is None


@quick
@given(text=st.binary(max_size=300) | json_like.map(lambda text: text.encode(errors="replace")))
def test_any_bytes_are_a_json_value_or_refused(text: bytes) -> None:
    try:
        value = strict_json.loads(text)
    except NotStrictJson:
        return
    assert value == json.loads(text)


@quick
@given(value=json_values)
def test_json_is_read_as_python_reads_it_except_for_nan_and_infinity(value: Any) -> None:
    text = json.dumps(value)
    try:
        json.dumps(value, allow_nan=False)
    except ValueError:
        with pytest.raises(NotStrictJson):
            strict_json.loads(text.encode())
    else:
        assert strict_json.loads(text.encode()) == value


@over_http
@given(
    body=st.binary(max_size=300)
    | json_like.map(lambda text: text.encode(errors="surrogatepass"))
    | json_values.map(lambda value: json.dumps(value).encode())
)
def test_any_body_at_login_is_a_problem(app: Flask, body: bytes) -> None:
    answer = app.test_client().post("/auth/login", data=body, content_type="application/json")
    assert answer.status_code in (400, 422)
    assert answer.mimetype == "application/problem+json"


@over_http
@given(email=json_values, password=json_values)
def test_any_members_at_login_are_wrong_or_invalid(app: Flask, email: Any, password: Any) -> None:
    body = json.dumps({"email": email, "password": password})
    answer = app.test_client().post("/auth/login", data=body, content_type="application/json")
    assert answer.status_code in (400, 401, 422, 429)
    assert answer.mimetype == "application/problem+json"


@over_http
@given(
    content_type=st.text(st.characters(codec="latin-1", exclude_characters="\r\n"), max_size=60),
    encoding=st.sampled_from(["identity", "gzip", "", "x"]),
)
def test_any_content_type_is_read_or_a_problem(
    app: Flask, content_type: str, encoding: str
) -> None:
    headers = {"Content-Type": content_type, "Content-Encoding": encoding}
    answer = app.test_client().post("/auth/login", data=b"{}", headers=headers)
    assert answer.status_code in (415, 422)
    assert answer.mimetype == "application/problem+json"
