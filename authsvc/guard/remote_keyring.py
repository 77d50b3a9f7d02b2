"""The issuer's public keys, fetched from its /.well-known/jwks.json by a service elsewhere."""

import logging
from contextlib import closing
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from threading import Lock
from time import monotonic
from typing import Any
from urllib.parse import SplitResult, urlsplit

from authsvc import clock, strict_json
from authsvc.origins import is_this_machine
from authsvc.problems import RETRY_SECONDS, ServiceUnavailable
from authsvc.tokens.access import access_header
from authsvc.tokens.key_pairs import key_from_jwk
from authsvc.tokens.keyring import Key

FRESH_FOR = timedelta(minutes=10)
"""How long the keys are used before the issuer is asked whether it still has them."""
EVERY = timedelta(minutes=1)
"""How often the issuer is asked at most, whatever keys the tokens name."""
RETRY = timedelta(seconds=RETRY_SECONDS)
"""The same for as long as there are no keys at all, and so no request can be let in."""
TIMEOUT = 3.0
"""Seconds that the issuer has for each step of its answer."""
MAX_BYTES = 64 * 1024

_NEVER = datetime(1970, 1, 1, tzinfo=UTC)
_log = logging.getLogger(__name__)


class RemoteKeyring:
    """The keys that verify the access tokens of an issuer, as that publishes them.

    They are fetched when the first token comes, and again, on the way of a request, when a token
    names another key or when they are no longer fresh. When the issuer does not answer, or
    answers what is no set of keys, those that are known stay in use.

    Args:
        jwks_url: where the issuer publishes its keys; https, but on this machine itself.

    Raises:
        ValueError: it is not such a URL.
    """

    def __init__(self, jwks_url: str) -> None:
        self._url = _checked(jwks_url)
        self._keys: dict[str, Key] | None = None
        self._asked_at = _NEVER
        self._answered_at = _NEVER
        self._asking = Lock()

    def find(self, header: str) -> Key | None:
        """The key that signs tokens with this header, if the issuer has such a key.

        Raises:
            ServiceUnavailable: the issuer has never answered yet.
        """
        if self._keys is None or header not in self._keys:
            self._ask(wait=True)
        elif _is_past(self._answered_at, FRESH_FOR):
            self._ask(wait=False)  # the others go on with the keys that are known
        if self._keys is None:
            raise ServiceUnavailable
        return self._keys.get(header)

    def _ask(self, *, wait: bool) -> None:
        if self._due() and self._asking.acquire(blocking=wait):
            try:
                if self._due():  # else another request has just asked
                    self._fetch()
                    self._asked_at = clock.now()
            finally:
                self._asking.release()

    def _due(self) -> bool:
        return _is_past(self._asked_at, RETRY if self._keys is None else EVERY)

    def _fetch(self) -> None:
        try:
            self._keys = _usable(strict_json.loads(_get(self._url)))
        except (OSError, HTTPException, ValueError) as error:
            _log.warning("the keys of %s could not be fetched: %s", self._url.geturl(), error)
        else:
            self._answered_at = clock.now()


def _is_past(since: datetime, wait: timedelta) -> bool:
    """Whether the wait is over, or the clock was set back since."""
    return not timedelta() <= clock.now() - since < wait


def _checked(jwks_url: str) -> SplitResult:
    url = urlsplit(jwks_url)
    private = url.scheme == "https" or (
        url.scheme == "http" and is_this_machine(url.hostname or "")
    )
    if not url.hostname or not private:
        raise ValueError("jwks_url must be an https:// URL, or http:// on localhost.")
    return url


def _get(url: SplitResult) -> bytes:
    """The body at this very place: a redirect is not followed, and leads nowhere."""
    connect = HTTPSConnection if url.scheme == "https" else HTTPConnection
    with closing(connect(url.hostname or "", url.port, timeout=TIMEOUT)) as connection:
        target = url._replace(scheme="", netloc="", path=url.path or "/", fragment="").geturl()
        connection.request("GET", target, headers={"Accept": "application/json"})
        answer = connection.getresponse()
        if answer.status != 200:
            raise ValueError(f"its status is {answer.status}")
        body, end = b"", monotonic() + TIMEOUT
        while chunk := answer.read1(MAX_BYTES):
            body += chunk
            if len(body) > MAX_BYTES or monotonic() > end:
                raise ValueError("it is too long, or takes too long")
        return body


def _usable(jwks: Any) -> dict[str, Key]:
    """The keys of the set that we can use, by the header of their tokens; others are passed over.

    RFC 7517 section 5: a set may hold keys that a reader does not know.
    """
    if not isinstance(jwks, dict) or not isinstance(jwks.get("keys"), list):
        raise ValueError("it is not a set of keys")
    usable = {}
    for jwk in jwks["keys"]:
        try:
            key = key_from_jwk(jwk)
        except ValueError:
            continue
        usable[access_header(key)] = key
    return usable
