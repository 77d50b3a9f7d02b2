"""What clients should not send: each happens once in a visit, at a random time."""

import random
import secrets
from collections.abc import Callable

from authsvc.web.json_body import MAX_BODY
from bench.soak.people import Person
from bench.soak.visit import Visit, credentials


def mistype_password(visit: Visit) -> None:
    if random.random() < 0.5:
        wrong = credentials(Person(visit.person.email, visit.person.password + "x"))
        visit.client.request("wrong password", "POST", "/auth/login", wrong, expected=401)


def forge_tokens(visit: Visit) -> None:
    forged = _with_another_signature(visit.access_token)
    visit.request_protected("forged", "/api/me", token=forged, expected=401)
    cookie = {"Cookie": _with_another_signature(visit.person.cookie)}
    visit.client.request("forged", "POST", "/auth/refresh", headers=cookie, expected=401)


def send_expired_token(visit: Visit) -> None:
    token = visit.people.take_expired_token()
    if token:
        visit.request_protected("expired", "/api/me", token=token, expected=401)


def send_too_large_body(visit: Visit) -> None:
    visit.client.post_once("oversized", "/auth/login", " " * (2 * MAX_BODY), expected=413)


def send_malformed_json(visit: Visit) -> None:
    visit.client.post_once("malformed JSON", "/auth/login", "{", expected=400)


def request_unknown_path(visit: Visit) -> None:
    visit.request_protected("unknown", f"/api/{secrets.token_hex(4)}", expected=404)


def drop_within_headers(visit: Visit) -> None:
    visit.client.drop_connection(b"POST /auth/refresh HTTP/1.1\r\nHost: localhost\r\nCoo")


def drop_within_body(visit: Visit) -> None:
    head = "POST /auth/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    visit.client.drop_connection(f'{head}Content-Length: 100\r\n\r\n{{"email"'.encode())


def drop_before_response(visit: Visit) -> None:
    head = f"GET /api/me HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {visit.access_token}"
    visit.client.drop_connection(f"{head}\r\n\r\n".encode())


def _with_another_signature(token: str) -> str:
    return token[:-10] + "A" * 10


MISUSES: list[Callable[[Visit], None]] = [
    mistype_password,
    forge_tokens,
    send_expired_token,
    send_too_large_body,
    send_malformed_json,
    request_unknown_path,
    drop_within_headers,
    drop_within_body,
    drop_before_response,
]
