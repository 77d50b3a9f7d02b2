"""Why the guard refuses access tokens, for the log of the service that it protects."""

import logging
from collections.abc import Mapping
from typing import Any

from authsvc import clock
from authsvc.guard.once_per_minute import OncePerMinute
from authsvc.tokens.claims import Audience, audience_among
from authsvc.tokens.jws import TokenInvalid, verified_payload
from authsvc.tokens.keyring import Keys
from authsvc.tokens.times import LEEWAY

_log = logging.getLogger(__name__)


class RefusalLog:
    """Logs why tokens are refused, each reason at most once a minute and without token content.

    The client's response never says it. A line names only what is configured here.

    Args:
        keys: finds the key of a token.
        issuer, audience, max_life: what tokens are verified against.
    """

    def __init__(self, keys: Keys, *, issuer: str, audience: Audience, max_life: int) -> None:
        self._keys = keys
        self._issuer = issuer
        self._audiences = (audience,) if isinstance(audience, str) else audience
        self._max_life = max_life
        self._due = OncePerMinute()

    def expired(self) -> None:
        """Log that a token had expired."""
        self._log(
            "it has expired. If tokens that were just issued are refused, this machine's clock is "
            "ahead of the issuer's: synchronize both"
        )

    def invalid(self, token: str) -> None:
        """Log why a token is invalid."""
        self._log(self._reason(token))

    def _reason(self, token: str) -> str:
        try:
            payload = verified_payload(token, self._keys)
        except TokenInvalid:
            return self._reason_without_payload(token)
        return self._reason_of_claims(payload)

    def _reason_without_payload(self, token: str) -> str:
        header, _, rest = token.partition(".")
        if not rest:
            return "it is not a JWT"
        if getattr(self._keys, "is_empty", False):
            return (
                "the issuer publishes no keys. Set AUTHSVC_ACCESS_TOKEN_ALGORITHM=ES256 there, or "
                "give the guard the shared secret"
            )
        if self._keys.find(header) is None:
            return (
                "the issuer's keys do not include the key that signed it. It may be another kind "
                "of token, or come from another issuer"
            )
        return "its text was altered, or its signature is wrong"

    def _reason_of_claims(self, payload: Mapping[str, Any]) -> str:
        if payload.get("iss") != self._issuer:
            return self._reason_of_issuer(str(payload.get("iss")))
        try:
            audience_among(payload.get("aud"), frozenset(self._audiences))
        except TokenInvalid:
            return (
                f"it is for another audience than {' or '.join(self._audiences)}. Give the guard "
                "one of the names in AUTHSVC_AUDIENCE at the issuer"
            )
        issued, expires = payload.get("iat"), payload.get("exp")
        if isinstance(issued, int) and isinstance(expires, int):
            if issued > clock.now().timestamp() + LEEWAY:
                return (
                    "it was issued in the future. This machine's clock is behind the issuer's: "
                    "synchronize both"
                )
            if expires - issued > self._max_life:
                return (
                    f"it lives longer than {self._max_life} seconds. Raise max_life of the guard, "
                    "or lower AUTHSVC_ACCESS_TOKEN_TTL at the issuer"
                )
        return "its claims are not those of an access token"

    def _reason_of_issuer(self, issuer: str) -> str:
        only = (
            ", which differs only by the slash at the end"
            if issuer.rstrip("/") == self._issuer.rstrip("/")
            else ""
        )
        return (
            f"it names another issuer than {self._issuer}{only}. Give the guard the exact value of "
            "AUTHSVC_ISSUER at the issuer"
        )

    def _log(self, reason: str) -> None:
        if self._due.take(reason):
            _log.warning("An access token was refused: %s.", reason)
