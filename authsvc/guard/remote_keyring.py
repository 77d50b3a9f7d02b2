"""The issuer's public keys, which another service fetches from /.well-known/jwks.json."""

import logging
from contextlib import closing
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from threading import Lock
from time import monotonic
from typing import Any
from urllib.parse import SplitResult, urlsplit

from authsvc import clock, strict_json
from authsvc.guard.once_per_minute import OncePerMinute
from authsvc.origins import is_this_machine
from authsvc.problems import RETRY_SECONDS, ServiceUnavailable
from authsvc.tokens.access import access_header
from authsvc.tokens.key_pairs import key_from_jwk
from authsvc.tokens.keyring import Key

FRESH_FOR = timedelta(minutes=10)
"""How long keys are used before they are fetched again."""
EVERY = timedelta(minutes=1)
"""The shortest time between two fetches, whatever keys the tokens name."""
RETRY = timedelta(seconds=RETRY_SECONDS)
"""The same while there are no keys at all, and so every request is refused."""
TIMEOUT = 3.0
"""Seconds that the issuer has for each step of its response."""
MAX_BYTES = 64 * 1024

_NEVER = datetime(1970, 1, 1, tzinfo=UTC)
_log = logging.getLogger(__name__)


class RemoteKeyring:
    """The keys that verify the access tokens of an issuer, as the issuer publishes them.

    They are fetched for the first token, and again, during a request, when a token names another
    key or when they are no longer fresh. If the issuer does not respond, or its response is not
    a set of keys, the known keys stay in use.

    Args:
        jwks_url: where the issuer publishes its keys: https, or http on this machine.

    Raises:
        ValueError: it is not such a URL.
    """

    def __init__(self, jwks_url: str) -> None:
        self._url = _checked(jwks_url)
        self._keys: dict[str, Key] | None = None
        self._fetched_at = _NEVER
        self._fresh_at = _NEVER
        self._fetching = Lock()
        self._log_due = OncePerMinute()

    @property
    def is_empty(self) -> bool:
        """Whether the issuer publishes keys, but none that can verify tokens."""
        return self._keys == {}

    def find(self, header: str) -> Key | None:
        """Return the key that signs tokens with this header; None if the issuer has no such key.

        Raises:
            ServiceUnavailable: no keys could be fetched yet.
        """
        if self._keys is None or header not in self._keys:
            self._renew(wait=True)
        elif _is_past(self._fresh_at, FRESH_FOR):
            self._renew(wait=False)  # other requests go on with the known keys
        if self._keys is None:
            raise ServiceUnavailable
        return self._keys.get(header)

    def _renew(self, *, wait: bool) -> None:
        if self._due() and self._fetching.acquire(blocking=wait):
            try:
                if self._due():  # otherwise another request has just fetched them
                    self._fetch()
                    self._fetched_at = clock.now()
            finally:
                self._fetching.release()

    def _due(self) -> bool:
        return _is_past(self._fetched_at, RETRY if self._keys is None else EVERY)

    def _fetch(self) -> None:
        try:
            self._keys = _usable(strict_json.loads(_get(self._url)))
        except (OSError, HTTPException, ValueError) as error:
            if self._log_due.take(str(error)):
                _log.warning("The keys at %s could not be fetched: %s", self._url.geturl(), error)
        else:
            self._fresh_at = clock.now()


def _is_past(since: datetime, wait: timedelta) -> bool:
    """Return whether the wait is over, or the clock was set back since."""
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
    """Return the body at exactly this URL: a redirect is an error."""
    connect = HTTPSConnection if url.scheme == "https" else HTTPConnection
    with closing(connect(url.hostname or "", url.port, timeout=TIMEOUT)) as connection:
        target = url._replace(scheme="", netloc="", path=url.path or "/", fragment="").geturl()
        connection.request("GET", target, headers={"Accept": "application/json"})
        response = connection.getresponse()
        if response.status != 200:
            raise ValueError(f"the status is {response.status}, not 200")
        body, end = b"", monotonic() + TIMEOUT
        while chunk := response.read1(MAX_BYTES):
            body += chunk
            if len(body) > MAX_BYTES or monotonic() > end:
                raise ValueError("the response is too long or takes too long")
        return body


def _usable(jwks: Any) -> dict[str, Key]:
    """Return the usable keys of the set, by the header of their tokens, and skip the others.

    RFC 7517 section 5: a set may hold keys that a reader does not know.
    """
    if not isinstance(jwks, dict) or not isinstance(jwks.get("keys"), list):
        raise ValueError("the response is not a set of keys")
    usable = {}
    for jwk in jwks["keys"]:
        try:
            key = key_from_jwk(jwk)
        except ValueError:
            continue
        usable[access_header(key)] = key
    return usable
