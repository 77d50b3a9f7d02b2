"""Tokens that nobody issued, made from one that somebody did: each must be refused."""

import hashlib
import hmac
import json
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any

from authsvc.doctor.findings import Finding, all_well
from authsvc.doctor.visit import Session, Visit
from authsvc.doctor.wire import Answer

SEE_THE_KEYS = (
    "Let nothing in front answer for the service or change Authorization and Cookie; if it is "
    "authsvc itself that takes them, stop it and report this as a security fault."
)


def check_access_token(visit: Visit, session: Session) -> Finding:
    """The token opens a protected route as Bearer, and from no other place."""
    ask, token = visit.wire.ask, session.access_token
    good = ask("GET", "/api/me", session.bearer)
    faults = [f"as Bearer: {good}, not 200"] * (good.status != 200)
    elsewhere = {
        "in a cookie": ask("GET", "/api/me", {"Cookie": f"access_token={token}"}),
        "in the refresh cookie": ask("GET", "/api/me", session.cookie.sent_back(token)),
        "in the query string": ask("GET", f"/api/me?access_token={token}"),
    }
    faults += [f"{where}: {answer}" for where, answer in elsewhere.items() if answer.status != 401]
    return all_well("GET /api/me: 200 as Bearer, 401 from a cookie or URL", faults, SEE_THE_KEYS)


def check_forged_access_tokens(visit: Visit, session: Session) -> Finding:
    forged = forgeries(session.access_token)
    forged["the refresh token"] = session.cookie.value
    answers = {
        name: visit.wire.ask("GET", "/api/me", {"Authorization": f"Bearer {token}"})
        for name, token in forged.items()
    }
    return _all_refused("GET /api/me", answers)


def check_forged_refresh_tokens(visit: Visit, session: Session) -> Finding:
    forged = forgeries(session.cookie.value)
    forged["the access token"] = session.access_token
    answers = {
        name: visit.wire.ask("POST", "/auth/refresh", session.cookie.sent_back(token))
        for name, token in forged.items()
    }
    return _all_refused("POST /auth/refresh", answers)


def forgeries(token: str) -> dict[str, str]:
    """Variants of a JWT that bear no right signature, by what was done to it (RFC 8725)."""
    header, payload, signature = token.split(".")
    named = _object(header)
    longer = _text({**claims_of(token), "exp": 2**33})
    return {
        "alg none": f"{_text({**named, 'alg': 'none'})}.{payload}.",
        "alg none with a signature": f"{_text({**named, 'alg': 'none'})}.{payload}.{signature}",
        "alg nOnE": f"{_text({**named, 'alg': 'nOnE'})}.{payload}.",
        "another key": _signed(f"{header}.{payload}", secrets.token_bytes(64)),
        "an empty key": _signed(f"{header}.{payload}", b""),
        "alg HS256 and another key": _signed(
            f"{_text({**named, 'alg': 'HS256'})}.{payload}", secrets.token_bytes(64)
        ),
        "a longer life": f"{header}.{longer}.{signature}",
        "a truncated signature": token[:-4],
        "no signature": f"{header}.{payload}.",
        "two parts": f"{header}.{payload}",
    }


def claims_of(token: str) -> dict[str, Any]:
    """What a JWT's payload says, unverified; empty where it cannot be read."""
    return _object(token.split(".")[1])


def _all_refused(what: str, answers: dict[str, Answer]) -> Finding:
    faults = [f"{name}: {answer}" for name, answer in answers.items() if answer.status != 401]
    return all_well(
        f"{what}: {len(answers)} forged or mutated ones, 401 each", faults, SEE_THE_KEYS
    )


def _object(part: str) -> dict[str, Any]:
    try:
        value = json.loads(urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _text(value: dict[str, Any]) -> str:
    return _b64(json.dumps(value, separators=(",", ":")).encode())


def _signed(text: str, key: bytes) -> str:
    return f"{text}.{_b64(hmac.digest(key, text.encode(), hashlib.sha256))}"


def _b64(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()
