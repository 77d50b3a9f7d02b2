"""The refresh token: it lives days, in a cookie, and is valid only with its row in the database."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from authsvc import clock
from authsvc.tokens.claims import Claims, checked_claims
from authsvc.tokens.jws import sign, token_hash, verified_payload
from authsvc.tokens.keyring import Key, Keyring
from authsvc.tokens.times import refuse_before, refuse_expired
from authsvc.tokens.verified_cache import VerifiedTokenCache


@dataclass(frozen=True)
class RefreshClaims:
    """The claims of a verified refresh token, and the hash that its row stores."""

    claims: Claims
    token_hash: bytes


class RefreshTokens:
    """Issues and verifies refresh tokens.

    Args:
        keys: the current key, then the previous ones.
        iss: the issuer of the tokens. Their audience is its refresh endpoint, so that no
            resource accepts a refresh token as an access token.
    """

    def __init__(self, *keys: Key, iss: str) -> None:
        self._keyring = Keyring("rt+jwt", *keys)
        self._verified = VerifiedTokenCache(self._keyring)
        self._iss = iss
        self._aud = f"{iss.rstrip('/')}/auth/refresh"

    def issue(self, *, sub: UUID, sid: UUID, issued_at: datetime, expires_at: datetime) -> str:
        """Return the refresh token of a new session."""
        seconds = int(issued_at.timestamp())
        claims = Claims(
            sub=sub,
            sid=sid,
            jti=uuid4(),
            iss=self._iss,
            aud=self._aud,
            iat=seconds,
            exp=int(expires_at.timestamp()),
            auth_time=seconds,
        )
        return sign(claims.payload(), self._keyring)

    def verify(self, token: str, *, even_expired: bool = False) -> RefreshClaims:
        """Return the claims of a refresh token. The caller must still check its row.

        An `iat` in the future is accepted, because the row has the time of issue: a clock that
        was set back, or is behind another machine's, must not log a user out.

        Args:
            token: the token's text.
            even_expired: accept a token that is expired or not yet valid, as a logout does.

        Raises:
            TokenExpired: the token was valid and has expired.
            TokenInvalid: the token is not valid for any other reason.
        """
        digest = token_hash(token)
        claims = self._verified.get(digest, token)
        if claims is None:
            payload = verified_payload(token, self._keyring)
            claims = checked_claims(payload, iss=self._iss, aud=self._aud)
            if not even_expired:  # a token that logs out is not used again
                self._verified.add(digest, claims)
        if not even_expired:
            now = clock.now().timestamp()
            refuse_before(claims, now)
            refuse_expired(claims, now)
        return RefreshClaims(claims, digest)
