"""What is sent to a peer's routes: it is asked for tokens first, by one login."""

import json
from contextlib import closing
from http.client import HTTPConnection, HTTPException

from bench.load.wrk import LoadFailed, Request
from bench.peers.definition import ALICE, Auth, Peer
from bench.peers.server import Server

JSON = {"Content-Type": "application/json"}


def requests(server: Server, peer: Peer) -> dict[str, Request]:
    """A request to each route of the peer that can be sent again and again, by the route's name.

    Raises:
        LoadFailed: the login was refused, or not answered.
    """
    protected = server.url + peer.protected
    if peer.auth is None:
        return {"protected": Request(protected)}
    credentials = json.dumps({peer.auth.name: ALICE["EMAIL"], "password": ALICE["PASSWORD"]})
    access, refresh = _tokens(server, peer.auth, credentials)
    headers, body = {
        "cookie": ({"Cookie": refresh}, ""),
        "bearer": (bearer(refresh), ""),
        "body": (JSON, json.dumps({"refresh": refresh})),
    }[peer.auth.refresh_in]
    return {
        "protected": Request(protected, headers=bearer(access)),
        "refresh": Request(server.url + peer.auth.refresh, "POST", headers, body),
        "login": Request(server.url + peer.auth.login, "POST", JSON, credentials),
    }


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def _tokens(server: Server, auth: Auth, credentials: str) -> tuple[str, str]:
    """The access token, and the refresh token or the cookie that holds it."""
    try:
        with closing(HTTPConnection("127.0.0.1", server.port, timeout=15)) as connection:
            connection.request("POST", auth.login, credentials, JSON)
            answer = connection.getresponse()
            body = answer.read()
    except (OSError, HTTPException) as error:
        raise LoadFailed(f"login was not answered: {error}") from None
    if answer.status != 200:
        raise LoadFailed(f"login answered {answer.status}: {body[:500]!r}")
    told = json.loads(body)
    cookie = answer.getheader("Set-Cookie", "").partition(";")[0]
    access = told.get("access_token") or told["access"]
    return access, cookie or told.get("refresh_token") or told["refresh"]
