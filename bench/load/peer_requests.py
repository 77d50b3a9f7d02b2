"""The request to each route of a peer, with tokens from one login."""

import json
import time
from contextlib import closing
from http.client import HTTPConnection, HTTPException

from authsvc.doctor.proofs import Key
from bench.load.wrk import LoadFailed, Request
from bench.peers.definition import ALICE, Auth, Peer
from bench.peers.server import Server

JSON = {"Content-Type": "application/json"}


PROOF_SECONDS = 55
"""How far ahead a proof's time is: it may be used for a minute longer than this."""


def peer_requests(server: Server, peer: Peer) -> dict[str, Request]:
    """Return the requests that can be sent again and again, by the route's name.

    Raises:
        LoadFailed: the login was refused, or not answered.
    """
    protected = server.url + peer.protected
    if peer.auth is None:
        return {"protected": Request(protected)}
    credentials = _credentials(peer.auth)
    access, refresh = _log_in(server, peer.auth, credentials)
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


def bound_refresh(server: Server, auth: Auth) -> Request:
    """Return a refresh of a new session that is bound to a key. Its proof is good for 115 seconds.

    Raises:
        LoadFailed: the login was refused, or not answered.
    """
    key, iat = Key(), int(time.time()) + PROOF_SECONDS
    login, refresh = (
        key.proof("POST", server.url + path, iat=iat) for path in (auth.login, auth.refresh)
    )
    _, cookie = _log_in(server, auth, _credentials(auth), DPoP=login)
    headers = {"Cookie": cookie, "DPoP": refresh}
    return Request(server.url + auth.refresh, "POST", headers)


def _credentials(auth: Auth) -> str:
    return json.dumps({auth.name: ALICE["EMAIL"], "password": ALICE["PASSWORD"]})


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def _log_in(server: Server, auth: Auth, credentials: str, **headers: str) -> tuple[str, str]:
    """Return the access token, and the refresh token or the cookie that holds it."""
    try:
        with closing(HTTPConnection("127.0.0.1", server.port, timeout=15)) as connection:
            connection.request("POST", auth.login, credentials, {**JSON, **headers})
            response = connection.getresponse()
            content = response.read()
    except (OSError, HTTPException) as error:
        raise LoadFailed(f"the login was not answered: {error}") from None
    if response.status != 200:
        raise LoadFailed(f"the login was refused with {response.status}: {content[:500]!r}")
    body = json.loads(content)
    cookie = response.getheader("Set-Cookie", "").partition(";")[0]
    access = body.get("access_token") or body["access"]
    return access, cookie or body.get("refresh_token") or body["refresh"]
