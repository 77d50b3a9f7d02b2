"""The device of a browser that binds sessions (W3C DBSC draft), with its key in software."""

import json
import re
from typing import Any

from joserfc import jws
from joserfc.jwk import ECKey
from werkzeug.test import TestResponse

from tests.support.people import Person

MARKER = "__Host-device"
_OFFER = re.compile(r'\(ES256\);path="([^"]+)";challenge="([A-Za-z0-9_-]+)"')
_CHALLENGE = re.compile(r'"([A-Za-z0-9_-]+)";id="([0-9a-f-]{36})"')


def offered(answer: TestResponse) -> tuple[str, str]:
    """Return the path and the challenge of a registration that a response offers."""
    match = _OFFER.fullmatch(answer.headers["Secure-Session-Registration"])
    assert match is not None
    return match[1], match[2]


def challenge_of(answer: TestResponse) -> str:
    """Return the challenge that a response asks the browser to sign."""
    match = _CHALLENGE.fullmatch(answer.headers["Secure-Session-Challenge"])
    assert match is not None
    return match[1]


class Device:
    """A browser's device, which holds one key."""

    def __init__(self) -> None:
        self.key = ECKey.generate_key("P-256")
        public = self.key.as_dict(private=False)
        self.jwk = {name: public[name] for name in ("kty", "crv", "x", "y")}

    def signed(self, payload: Any, *, with_key: bool, header: dict[str, Any] | None = None) -> str:
        """Return what the key signs; further header members replace the usual ones."""
        usual = {"typ": "dbsc+jwt", "alg": "ES256", **({"jwk": self.jwk} if with_key else {})}
        registry = jws.JWSRegistry(algorithms=["ES256"], strict_check_header=False)
        protected = {**usual, **(header or {})}
        return jws.serialize_compact(
            protected, json.dumps(payload).encode(), self.key, registry=registry
        )

    def register(self, person: Person, challenge: str, **options: Any) -> TestResponse:
        """Register the key, as a browser does after a login that offers it."""
        proof = self.signed({"jti": challenge}, with_key=True, **options)
        return send(person, "/auth/device", proof)

    def renew(self, person: Person, challenge: str, **options: Any) -> TestResponse:
        """Sign a challenge, as a browser does when the marker has expired."""
        proof = self.signed({"jti": challenge}, with_key=False, **options)
        return send(person, "/auth/device/refresh", proof)

    def bind(self, person: Person) -> str:
        """Log the person in, register the key, and return the marker."""
        answer = person.log_in()
        assert answer.status_code == 200, answer.json
        path, challenge = offered(answer)
        assert path == "/auth/device"
        return marker_of(self.register(person, challenge))


def send(person: Person, path: str, proof: str | None, **headers: str) -> TestResponse:
    """Send a request of the browser itself: it has no body and no access token."""
    sent = {} if proof is None else {"Secure-Session-Response": proof}
    return person.call("POST", path, headers={**sent, **headers})


def ask(person: Person) -> str:
    """Ask for a challenge, and return it."""
    answer = send(person, "/auth/device/refresh", None)
    assert answer.status_code == 403, answer.json
    return challenge_of(answer)


def marker_of(answer: TestResponse) -> str:
    """Return the marker that a response sets."""
    assert answer.status_code == 200, answer.json
    [cookie] = answer.headers.getlist("Set-Cookie")
    name, _, value = cookie.partition(";")[0].partition("=")
    assert name == MARKER
    return value


def refresh(person: Person, marker: str | None, **headers: str) -> TestResponse:
    """Refresh with the cookie and a marker."""
    cookies = [f"{person.cookie_name}={person.refresh_token}"]
    cookies += [] if marker is None else [f"{MARKER}={marker}"]
    return person.call("POST", "/auth/refresh", headers={"Cookie": "; ".join(cookies), **headers})
