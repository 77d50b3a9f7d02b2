"""The refresh token: long, kept in the cookie, worth nothing without its row in the database."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from authsvc import clock
from authsvc.tokens.claims import Claims, checked_claims, refuse_expired
from authsvc.tokens.jws import sign, token_hash, verified_payload
from authsvc.tokens.keyring import Key, Keyring
from authsvc.tokens.verified_cache import VerifiedTokenCache


@dataclass(frozen=True)
class RefreshClaims:
    """What a verified refresh token says, and the hash by which its row knows it."""

    claims: Claims
    token_hash: bytes


class RefreshTokens:
    """Issues and verifies refresh tokens.

    Args:
        keys: the current key, then the previous ones.
        iss: the issuer that the tokens name. Their audience is its refresh endpoint, so that
            no resource can take a refresh token for an access token.
    """

    def __init__(self, *keys: Key, iss: str) -> None:
        self._keyring = Keyring("rt+jwt", *keys)
        self._verified = VerifiedTokenCache(self._keyring)
        self._iss = iss
        self._aud = f"{iss.rstrip('/')}/auth/refresh"

    def issue(self, *, sub: UUID, sid: UUID, issued_at: datetime, expires_at: datetime) -> str:
        """The one refresh token of a session."""
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
        """The claims of a refresh token, whose row must still be asked.

        One of the future is taken, since its row knows when it was issued: where a clock was
        set back or is behind another machine's, nobody honest must be logged out.

        Args:
            token: its text.
            even_expired: take one whose time is over too, as logging out does.

        Raises:
            TokenExpired: it was valid, and its time is over.
            TokenInvalid: anything else.
        """
        name = token_hash(token)
        claims = self._verified.get(name, token)
        if claims is None:
            payload = verified_payload(token, self._keyring)
            claims = checked_claims(payload, iss=self._iss, aud=self._aud)
            if not even_expired:  # one that logs out does not come again
                self._verified.add(name, claims)
        if not even_expired:
            refuse_expired(claims, clock.now().timestamp())
        return RefreshClaims(claims, name)
