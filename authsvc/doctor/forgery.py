"""Send forged tokens, derived from a valid one; the service must refuse each."""

import hashlib
import hmac
import json
import secrets
from base64 import urlsafe_b64decode
from typing import Any

from authsvc.doctor.deployment import Deployment, Session
from authsvc.doctor.encoding import base64url, json_part
from authsvc.doctor.findings import Finding, ok_unless
from authsvc.doctor.response import Response

CHECK_PROXY = (
    "Check that no proxy answers for the service or changes Authorization and Cookie. If authsvc "
    "itself accepts these tokens, stop it and report a security fault."
)


def check_access_token(deployment: Deployment, session: Session) -> Finding:
    """Check that the token is accepted as Bearer, and not from a cookie or the URL."""
    request, token = deployment.client.request, session.access_token
    good = request("GET", "/api/me", session.bearer)
    faults = [f"as Bearer: {good}, not 200"] * (good.status != 200)
    elsewhere = {
        "in a cookie": request("GET", "/api/me", {"Cookie": f"access_token={token}"}),
        "in the refresh cookie": request("GET", "/api/me", session.cookie.request_header(token)),
        "in the query string": request("GET", f"/api/me?access_token={token}"),
    }
    faults += [
        f"{where}: {response}" for where, response in elsewhere.items() if response.status != 401
    ]
    return ok_unless(faults, "GET /api/me: 200 as Bearer, 401 from a cookie or URL", CHECK_PROXY)


def check_forged_access_tokens(deployment: Deployment, session: Session) -> Finding:
    """Check that forged access tokens are refused."""
    forged = forgeries(session.access_token)
    forged["the refresh token"] = session.cookie.value
    responses = {
        name: deployment.client.request("GET", "/api/me", {"Authorization": f"Bearer {token}"})
        for name, token in forged.items()
    }
    return _all_refused("GET /api/me", responses)


def check_forged_refresh_tokens(deployment: Deployment, session: Session) -> Finding:
    """Check that forged refresh tokens are refused."""
    forged = forgeries(session.cookie.value)
    forged["the access token"] = session.access_token
    responses = {
        name: deployment.refresh(session, session.cookie.request_header(token))
        for name, token in forged.items()
    }
    return _all_refused("POST /auth/refresh", responses)


def forgeries(token: str) -> dict[str, str]:
    """Return variants of a JWT without a valid signature, by name (RFC 8725)."""
    header, payload, signature = token.split(".")
    named = _object(header)
    longer = json_part({**claims_of(token), "exp": 2**33})
    return {
        "alg none": f"{json_part({**named, 'alg': 'none'})}.{payload}.",
        "alg none with a signature": f"{json_part({**named, 'alg': 'none'})}.{payload}.{signature}",
        "alg nOnE": f"{json_part({**named, 'alg': 'nOnE'})}.{payload}.",
        "another key": _signed(f"{header}.{payload}", secrets.token_bytes(64)),
        "an empty key": _signed(f"{header}.{payload}", b""),
        "alg HS256 and another key": _signed(
            f"{json_part({**named, 'alg': 'HS256'})}.{payload}", secrets.token_bytes(64)
        ),
        "a longer life": f"{header}.{longer}.{signature}",
        "a truncated signature": token[:-4],
        "no signature": f"{header}.{payload}.",
        "two parts": f"{header}.{payload}",
    }


def claims_of(token: str) -> dict[str, Any]:
    """Return a JWT's claims, unverified; empty if they cannot be read."""
    return _object(token.split(".")[1])


def _all_refused(what: str, responses: dict[str, Response]) -> Finding:
    faults = [
        f"{name}: {response}" for name, response in responses.items() if response.status != 401
    ]
    return ok_unless(
        faults, f"{what}: {len(responses)} forged or changed tokens, 401 each", CHECK_PROXY
    )


def _object(part: str) -> dict[str, Any]:
    try:
        value = json.loads(urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _signed(text: str, key: bytes) -> str:
    return f"{text}.{base64url(hmac.digest(key, text.encode(), hashlib.sha256))}"
