"""The request to each route of a peer, with tokens from one login."""

import json
from contextlib import closing
from dataclasses import replace
from http.client import HTTPConnection, HTTPException

from authsvc.doctor.proofs import Key
from bench.load.wrk import LoadFailed, Request
from bench.peers.definition import ALICE, Auth, Peer
from bench.peers.server import Server

JSON = {"Content-Type": "application/json"}
LINES_IN = {"cookie": "Cookie", "bearer": "Authorization", "body": ""}
"""The header that holds a stored session; the body is the place without a name."""


def peer_requests(server: Server, peer: Peer) -> dict[str, Request]:
    """Return the requests that can be sent again and again, by the route's name.

    Raises:
        LoadFailed: the login was refused, or not answered.
    """
    protected = server.url + peer.protected
    if peer.auth is None:
        return {"protected": Request(protected)}
    body, cookies = _log_in(server, peer.auth)
    requests = {
        "protected": Request(protected, headers=_access(peer.auth, body, cookies)),
        "refresh": refresh_of(server, peer.auth, _refresh_token(peer.auth, body, cookies)),
        "login": _login(server, peer.auth),
    }
    if peer.auth.rotates:
        del requests["refresh"]
    return requests


def refresh_of(server: Server, auth: Auth, token: str) -> Request:
    """Return the refresh of a session.

    Args:
        server: of the peer.
        auth: its routes.
        token: what a client sends, where the peer expects it.
    """
    request = replace(
        with_stored_session(server, auth, auth.refresh), method=auth.refresh_method, lines_in=""
    )
    if place := LINES_IN[auth.refresh_in]:
        return replace(request, headers={**request.headers, place: token})
    return replace(request, headers={**request.headers, **JSON}, body=token)


def with_stored_session(server: Server, auth: Auth, path: str) -> Request:
    """Return a POST to which each client adds another stored session."""
    place = LINES_IN[auth.refresh_in]
    headers = {"Origin": server.url} if auth.origin else {}
    if auth.json or not place:
        headers |= JSON
    body = "{}" if auth.json else ""
    return Request(server.url + path, "POST", headers, body, lines_in=place)


def is_live(server: Server, auth: Auth, token: str) -> bool:
    """Return whether the session can be refreshed."""
    status, _, content = _send(server, refresh_of(server, auth, token))
    return status == 200 and content != b"null"


def bound_refresh(server: Server, auth: Auth, key: Key) -> Request:
    """Return a refresh, without its proof, of a new session that is bound to a key.

    Raises:
        LoadFailed: the login was refused, or not answered.
    """
    proof = key.proof("POST", server.url + auth.login)
    _, cookies = _log_in(server, auth, DPoP=proof)
    headers = {"Cookie": cookies[0]}
    return Request(server.url + auth.refresh, "POST", headers, lines_in="DPoP")


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def _login(server: Server, auth: Auth) -> Request:
    credentials = json.dumps({auth.name: ALICE["EMAIL"], "password": ALICE["PASSWORD"]})
    headers = {**JSON, **({"Origin": server.url} if auth.origin else {})}
    return Request(server.url + auth.login, "POST", headers, credentials)


def _access(auth: Auth, body: dict[str, str], cookies: list[str]) -> dict[str, str]:
    if auth.access_in == "cookie":
        return {"Cookie": "; ".join(cookies)}
    return bearer(body.get("access_token") or body["access"])


def _refresh_token(auth: Auth, body: dict[str, str], cookies: list[str]) -> str:
    match auth.refresh_in:
        case "cookie":
            return cookies[0]
        case "bearer":
            return f"Bearer {body['refresh_token']}"
        case "body":
            return json.dumps({"refresh": body["refresh"]})


def _log_in(server: Server, auth: Auth, **headers: str) -> tuple[dict[str, str], list[str]]:
    """Return the body of the response, and its cookies."""
    login = _login(server, auth)
    login.headers.update(headers)
    status, cookies, content = _send(server, login)
    if status != 200:
        raise LoadFailed(f"the login was refused with {status}: {content[:500]!r}")
    return json.loads(content), cookies


def _send(server: Server, request: Request) -> tuple[int, list[str], bytes]:
    """Return the status, the cookies and the body of the response.

    Raises:
        LoadFailed: there was no response.
    """
    path = request.url.removeprefix(server.url)
    try:
        with closing(HTTPConnection("127.0.0.1", server.port, timeout=15)) as connection:
            connection.request(request.method, path, request.body or None, request.headers)
            response = connection.getresponse()
            content = response.read()
    except (OSError, HTTPException) as error:
        raise LoadFailed(f"{path} was not answered: {error}") from None
    cookies = [one.partition(";")[0] for one in response.headers.get_all("Set-Cookie", [])]
    return response.status, cookies, content
