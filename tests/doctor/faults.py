"""The faults of deployments, one for each way in which a check can fail.

Each is in the proxy in front of a healthy service, so nothing else is wrong.
"""

import json
import time
from base64 import urlsafe_b64decode
from collections.abc import Callable
from dataclasses import replace
from email.utils import formatdate
from http.cookies import SimpleCookie
from typing import Any
from uuid import uuid4

from authsvc.tokens.keyring import Keyring, encode, hmac_key
from tests.doctor.front import Answer, Fault, Forward, Request
from tests.support.signing_secrets import ACCESS_SECRET

COOKIE = "__Host-refresh_token"
KEYRING = Keyring("at+jwt", hmac_key(ACCESS_SECRET))


def without(name: str, on: Callable[[Answer], bool] = lambda _: True) -> Fault:
    """Remove a header from all answers, or from some."""

    def fault(request: Request, forward: Forward) -> Answer:
        answer = forward(request)
        return answer.without(name) if on(answer) else answer

    return fault


def instead(name: str, value: str) -> Fault:
    """Replace a header's value."""
    return lambda request, forward: forward(request).without(name).with_header(name, value)


def set_cookie(old: str, new: str, path: str = "/") -> Fault:
    """Replace a part of Set-Cookie, at paths with this prefix."""

    def fault(request: Request, forward: Forward) -> Answer:
        answer = forward(request)
        if not request.path.startswith(path):
            return answer
        return answer.changed("Set-Cookie", lambda value: value.replace(old, new))

    return fault


def header_changed(name: str, old: str, new: str) -> Fault:
    """Replace a part of a header's value."""
    return lambda request, forward: forward(request).changed(
        name, lambda value: value.replace(old, new)
    )


def both(outer: Fault, inner: Fault) -> Fault:
    """Have two faults."""
    return lambda request, forward: outer(request, lambda request: inner(request, forward))


def answers(path: str, answer: Answer, when: Callable[[Request], bool] = lambda _: True) -> Fault:
    """Answer in the service's place, with the headers that the contract requires."""

    def fault(request: Request, forward: Forward) -> Answer:
        if not request.path.startswith(path) or not when(request):
            return forward(request)
        real = forward(replace(request, method="GET"))
        due = [pair for pair in real.headers if pair[0] not in ("Content-Type", "Set-Cookie")]
        return Answer(answer.status, due + answer.headers, answer.body)

    return fault


def is_login(request: Request) -> bool:
    return request.headers.get("Content-Type") == "application/json"


def html_for_everything(_: Request, __: Forward) -> Answer:
    return Answer(200, [("Content-Type", "text/html")], b"<!doctype html><title>Welcome</title>")


def pages_for_errors(request: Request, forward: Forward) -> Answer:
    answer = forward(request)
    if answer.status in (404, 405, 415):
        answer = answer.without("Content-Type").with_header("Content-Type", "text/html")
    return answer


def clock_ahead(seconds: int) -> Fault:
    return lambda request, forward: (
        forward(request)
        .without("Date")
        .with_header("Date", formatdate(time.time() + seconds, usegmt=True))
    )


def refresh_cookie_twice(request: Request, forward: Forward) -> Answer:
    answer = forward(request)
    cookie = answer.header("Set-Cookie")
    return answer.with_header("Set-Cookie", cookie) if cookie else answer


def host_of_the_inside(request: Request, forward: Forward) -> Answer:
    """Forward another host than the client's."""
    request.headers["Host"] = request.forwarded["X-Forwarded-Host"] = "inside:8000"
    return forward(request)


def origin_shared_twice(request: Request, forward: Forward) -> Answer:
    answer = forward(request)
    origin = answer.header("Access-Control-Allow-Origin")
    return answer.with_header("Access-Control-Allow-Origin", origin) if origin else answer


def origin_echoed(request: Request, forward: Forward) -> Answer:
    origin = request.headers.get("Origin")
    answer = forward(request).without("Access-Control-Allow-Origin")
    return answer.with_header("Access-Control-Allow-Origin", origin) if origin else answer


def origin_hidden(request: Request, forward: Forward) -> Answer:
    request.headers.pop("Origin", None)
    request.headers.pop("Sec-Fetch-Site", None)
    return forward(request)


def fetch_site_hidden(request: Request, forward: Forward) -> Answer:
    request.headers.pop("Sec-Fetch-Site", None)
    return forward(request)


def believes(name: str) -> Fault:
    """Forward a client's own value of a proxy's header."""

    def fault(request: Request, forward: Forward) -> Answer:
        if name in request.forged:
            request.forwarded[name] = request.forged[name]
        return forward(request)

    return fault


def body_changed(path: str, change: Callable[[dict[str, Any], Answer], None]) -> Fault:
    """Change the JSON of a successful answer."""

    def fault(request: Request, forward: Forward) -> Answer:
        answer = forward(request)
        if request.method == "POST" and request.path == path and answer.status == 200:
            body = json.loads(answer.body)
            change(body, answer)
            answer.body = json.dumps(body).encode()
        return answer

    return fault


def passkeys(**members: Any) -> Fault:
    """Answer with other options for passkeys."""
    return body_changed("/auth/passkey/options", lambda body, _: body.update(members))


def tells_of_factors(request: Request, forward: Forward) -> Answer:
    """Refuse a code in another way than a password: the account has no second factor."""
    answer = forward(request)
    if answer.status == 401 and b'"code"' in request.body:
        answer.body = answer.body.replace(b"invalid_credentials", b"wrong_code")
    return answer


def tells_of_accounts(request: Request, forward: Forward) -> Answer:
    """Refuse an unknown address in other words."""
    answer = forward(request)
    if answer.status == 401 and b"authsvc-doctor-" in request.body:
        answer.body = answer.body.replace(b"These credentials are wrong.", b"Who are you?")
    return answer


def asks_for_a_code(request: Request, forward: Forward) -> Answer:
    """Answer each login as if the account had a second factor."""
    request.body = request.body.replace(b"a horse", b"a mule")
    answer = forward(request)
    answer.body = answer.body.replace(b"invalid_credentials", b"second_factor_required")
    return answer


def lives_an_hour(body: dict[str, Any], _: Answer) -> None:
    body["expires_in"] = 3600


def of_another_type(body: dict[str, Any], _: Answer) -> None:
    body["token_type"] = "DPoP"


def no_jwt(body: dict[str, Any], _: Answer) -> None:
    body["access_token"] = "line\r\nbreak \x1b[31m ☃"


def shows_the_refresh_token(body: dict[str, Any], answer: Answer) -> None:
    body["refresh_token"] = SimpleCookie(answer.header("Set-Cookie"))[COOKIE].value


def issued_a_minute_ago(body: dict[str, Any], _: Answer) -> None:
    """Return a valid token of a service whose clock is a minute behind."""
    claims = json.loads(decoded(body["access_token"].split(".")[1]))
    claims |= {name: claims[name] - 60 for name in ("iat", "exp", "auth_time")}
    body["access_token"] = signed(encode(json.dumps(claims).encode()))


def token_from_a_cookie(request: Request, forward: Forward) -> Answer:
    cookie = SimpleCookie(request.headers.get("Cookie", ""))
    if "access_token" in cookie:
        request.headers["Authorization"] = f"Bearer {cookie['access_token'].value}"
    return forward(request)


def token_from_the_url(request: Request, forward: Forward) -> Answer:
    path, _, query = request.path.partition("?access_token=")
    if query:
        request.path = path
        request.headers["Authorization"] = f"Bearer {query}"
    return forward(request)


def accepts(is_taken: Callable[[dict[str, Any], str], bool]) -> Fault:
    """Sign access tokens with such a header and signature again, whatever their signature was."""

    def fault(request: Request, forward: Forward) -> Answer:
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        header, payload, signature = [*token.split("."), "", ""][:3]
        if header and is_taken(json.loads(decoded(header)), signature):
            request.headers["Authorization"] = f"Bearer {signed(payload)}"
        return forward(request)

    return fault


def alg_none(header: dict[str, Any], _: str) -> bool:
    return str(header["alg"]).lower() == "none"


def any_signature(header: dict[str, Any], signature: str) -> bool:
    return header["typ"] == "at+jwt" and header["alg"] == "HS256" and len(signature) == 43


def beginning_of_signature(header: dict[str, Any], signature: str) -> bool:
    return header["alg"] == "HS256" and 0 < len(signature) < 43


def refresh_token_as_bearer(request: Request, forward: Forward) -> Answer:
    token = request.headers.get("Authorization", "").removeprefix("Bearer ")
    answer = forward(request)
    if token and b"rt+jwt" in decoded(token.partition(".")[0]):
        answer.status = 200
    return answer


def breaks_on_forgeries(request: Request, forward: Forward) -> Answer:
    answer = forward(request)
    if b"access_token_invalid" in answer.body:
        answer.status = 500
    return answer


def refreshes_by_payload() -> Fault:
    """Ignore the signature of the refresh token."""
    good: dict[str, str] = {}

    def fault(request: Request, forward: Forward) -> Answer:
        sent = SimpleCookie(request.headers.get("Cookie", "")).get(COOKIE)
        if sent is not None and sent.value.count(".") == 2:
            token = good.get(sent.value.split(".")[1], sent.value)
            request.headers["Cookie"] = f"{COOKIE}={token}"
        answer = forward(request)
        given = SimpleCookie(answer.header("Set-Cookie") or "").get(COOKIE)
        if given is not None and given.value:
            good[given.value.split(".")[1]] = given.value
        return answer

    return fault


def sticky_by_cookie(request: Request, forward: Forward) -> Answer:
    answer = forward(request)
    refreshed = request.path == "/auth/refresh" and answer.status == 200
    return answer.with_header("Set-Cookie", "server=3; Path=/") if refreshed else answer


def one_refresh_only() -> Fault:
    """Refresh once only, as a service that rotates refresh tokens does."""
    used: set[str] = set()

    def fault(request: Request, forward: Forward) -> Answer:
        cookie = request.headers.get("Cookie", "")
        answer = forward(request)
        if request.path == "/auth/refresh" and answer.status == 200:
            if cookie in used:
                return Answer(401, answer.headers, b"{}")
            used.add(cookie)
        return answer

    return fault


def logout_without_effect(request: Request, forward: Forward) -> Answer:
    """Answer 204 to a logout, and keep the session."""
    if request.path == "/auth/logout" and request.headers.get("Cookie"):
        request.headers["Cookie"] = f"{COOKIE}=gone"
    return forward(request)


def logs_out_once_unwell() -> Fault:
    """Fail the first logout, as a service without its database does."""
    logouts: list[str] = []

    def fault(request: Request, forward: Forward) -> Answer:
        if request.path == "/auth/logout" and "Cookie" in request.headers:
            logouts.append(request.path)
            if len(logouts) == 1:
                request.headers["Cookie"] = ""
                return Answer(503, forward(request).without("Set-Cookie").headers, b"")
        return forward(request)

    return fault


def access_outlives_logout(seconds: float) -> Fault:
    """Accept access tokens after the logout, as a worker with an old revocation list does."""
    logged_out: list[float] = []

    def fault(request: Request, forward: Forward) -> Answer:
        answer = forward(request)
        if request.path == "/auth/logout" and "Cookie" in request.headers:
            logged_out.append(time.monotonic())
        revoked = b"access_token_revoked" in answer.body
        if revoked and time.monotonic() - logged_out[0] < seconds:
            answer.status = 200
        return answer

    return fault


def hidden(name: str) -> Fault:
    """Do not forward a header of requests."""

    def fault(request: Request, forward: Forward) -> Answer:
        request.headers.pop(name, None)
        return forward(request)

    return fault


def requires_proofs(request: Request, forward: Forward) -> Answer:
    """Refuse a login without a proof, as AUTHSVC_REQUIRE_BOUND_SESSIONS=true does."""
    if request.path != "/auth/login" or not is_login(request) or "DPoP" in request.headers:
        return forward(request)
    answer = forward(replace(request, method="GET"))
    answer.status, answer.body = 400, b'{"code": "invalid_request"}'
    return answer


def needs_no_key(code: str) -> Fault:
    """Accept a refresh of a bound session that the service refused with this code."""

    def fault(request: Request, forward: Forward) -> Answer:
        answer = forward(request)
        if request.path == "/auth/refresh" and code.encode() in answer.body:
            answer.status = 200
        return answer

    return fault


def another_account_each_time(request: Request, forward: Forward) -> Answer:
    """Replace the e-mail address of each wrong login, so that no account's limit is reached."""
    if request.path == "/auth/login" and b"authsvc-doctor" in request.body:
        body = json.dumps({**json.loads(request.body), "email": f"{uuid4()}@example.com"})
        request.body = body.encode()
    return forward(request)


def tells_unknown_addresses(request: Request, forward: Forward) -> Answer:
    """Answer as a service does that looks the account up first."""
    answer = forward(request)
    if request.path == "/auth/password/forgot" and answer.status == 202:
        answer.body = b'{"sent": false}'
    return answer


def signed(payload: str) -> str:
    text = f"{KEYRING.header}.{payload}"
    return f"{text}.{encode(KEYRING.current.sign(text.encode()))}"


def decoded(part: str) -> bytes:
    return urlsafe_b64decode(part + "=" * (-len(part) % 4))
