"""An authenticator app that shares no code with the service (RFC 6238)."""

import hmac
import time
from base64 import b32decode
from urllib.parse import parse_qs, unquote, urlsplit

from werkzeug.test import TestResponse

from tests.support.people import Person

PATH = "/api/me/totp"
STEP = 30
"""Seconds."""


def hotp(secret: bytes, counter: int, digits: int = 6) -> str:
    """Return the code of a counter (RFC 4226 section 5.3)."""
    mac = hmac.digest(secret, counter.to_bytes(8, "big"), "sha1")
    start = mac[-1] & 0xF
    number = int.from_bytes(mac[start : start + 4], "big") & 0x7FFF_FFFF
    return f"{number % 10**digits:0{digits}}"


def totp(secret: bytes, seconds: int, digits: int = 6) -> str:
    """Return the code of a time, in seconds since the epoch (RFC 6238 section 4)."""
    return hotp(secret, seconds // STEP, digits)


class AuthenticatorApp:
    """The app of a person's phone, which has scanned a URI.

    Args:
        uri: an `otpauth://` URI.
    """

    def __init__(self, uri: str) -> None:
        parts = urlsplit(uri)
        assert (parts.scheme, parts.netloc) == ("otpauth", "totp")
        self.label = unquote(parts.path[1:])
        self.parameters = {name: only for name, (only,) in parse_qs(parts.query).items()}

    def code(self, steps: int = 0) -> str:
        """Return the code that the app shows now, or a number of steps later."""
        return totp(b32decode(self.parameters["secret"]), int(time.time()) + steps * STEP)

    def wrong_code(self) -> str:
        """Return six digits that are not the code of any step near now."""
        near = {self.code(steps) for steps in range(-3, 4)}
        return next(code for code in ("000000", "111111", "222222") if code not in near)


def scan(person: Person) -> AuthenticatorApp:
    """Ask for a new secret, and return the app that has taken it over."""
    answer = person.call("POST", PATH, json={})
    assert answer.status_code == 200, answer.json
    return AuthenticatorApp(answer.json["uri"])


def confirm(person: Person, code: str) -> TestResponse:
    """Send the first code of the app."""
    return person.call("PUT", PATH, json={"code": code})


def set_up(person: Person) -> tuple[AuthenticatorApp, list[str]]:
    """Set up an app, and return it with the recovery codes. The code of the step is used then."""
    app = scan(person)
    answer = confirm(person, app.code())
    assert answer.status_code == 200, answer.json
    return app, answer.json["recovery_codes"]


def log_in_with(person: Person, **factor: object) -> TestResponse:
    """Log in with the password and this second factor."""
    return person.call("POST", "/auth/login", json={**person.credentials, **factor})
