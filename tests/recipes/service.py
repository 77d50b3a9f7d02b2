"""Calls to the service that issues the tokens."""

import json
from typing import Any

from tests.recipes.tokens import Tokens
from tests.support.key_pair_settings import P256
from tests.support.running_service import Service

ALICE = {"email": "alice@example.com", "password": "a horse that is correct"}


def register(service: Service) -> None:
    """Create Alice's account."""
    status, body, _ = _post(service, "/auth/register", ALICE)
    assert status == 201, body


def log_in(service: Service) -> Tokens:
    """Return Alice's tokens."""
    status, body, cookie = _post(service, "/auth/login", ALICE)
    assert status == 200, body
    refresh = cookie.partition(";")[0].partition("=")[2]
    return Tokens(body["access_token"], refresh, P256, "ES256")


def log_out(service: Service, tokens: Tokens) -> None:
    """End the session of these tokens."""
    status, body, _ = _post(service, "/auth/logout", {}, f"__Host-refresh_token={tokens.refresh}")
    assert status == 204, body


def _post(service: Service, path: str, body: object, cookie: str = "") -> tuple[int, Any, str]:
    """Return the status, the body and the cookie of the response."""
    with service.connected() as connection:
        headers = {"Content-Type": "application/json", **({"Cookie": cookie} if cookie else {})}
        connection.request("POST", path, json.dumps(body), headers)
        answer = connection.getresponse()
        text = answer.read()
        return answer.status, json.loads(text or b"null"), answer.headers["Set-Cookie"] or ""
