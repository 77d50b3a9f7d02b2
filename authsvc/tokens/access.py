"""The access token: short, sent by the page, verified without the database (RFC 9068)."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal
from uuid import UUID, uuid4

from authsvc import clock
from authsvc.roles import Roles
from authsvc.tokens.claims import Claims, checked_claims, refuse_early, refuse_expired
from authsvc.tokens.jws import TokenInvalid, sign, token_hash, verified_payload
from authsvc.tokens.keyring import Key, Keyring, Keys, header_of
from authsvc.tokens.verified_cache import VerifiedTokenCache

MAX_LIFE = 15 * 60
"""Seconds that an access token may live at most, whatever is set (rule R2)."""

_TYP = "at+jwt"


@dataclass(frozen=True)
class AccessToken:
    """A token just issued, as the page is given it (RFC 6749 section 5.1).

    Args:
        access_token: its text. Keep it in memory only, and send it back as `Bearer`.
        token_type: how it is sent.
        expires_in: the seconds that it lives from now on.
    """

    access_token: str = field(metadata={"examples": ["eyJhbGciOiJIUzI1NiIs..."]})
    token_type: Literal["Bearer"]
    expires_in: int = field(metadata={"examples": [600]})


def access_keyring(current: Key, *previous: Key) -> Keyring:
    """The keys of access tokens: one that signs, and those that still verify."""
    return Keyring(_TYP, current, *previous)


def access_header(key: Key) -> str:
    """The header of access tokens that this key signs (RFC 9068 section 2.1)."""
    return header_of(_TYP, key)


@dataclass(frozen=True)
class AccessTokens:
    """Issues access tokens.

    Args:
        keyring: whose current key signs.
        iss: the issuer that the tokens name.
        aud: the audience that the tokens name.
        ttl: the seconds that a token lives.
    """

    keyring: Keyring
    iss: str
    aud: str
    ttl: int

    def issue(
        self,
        *,
        sub: UUID,
        sid: UUID,
        auth_time: datetime,
        session_ends: datetime,
        roles: Roles = (),
    ) -> AccessToken:
        """An access token of that session, which never outlives the session."""
        now = int(clock.now().timestamp())
        exp = min(now + self.ttl, int(session_ends.timestamp()))
        claims = Claims(
            sub=sub,
            sid=sid,
            jti=uuid4(),
            iss=self.iss,
            aud=self.aud,
            iat=now,
            exp=exp,
            # where the session was opened, a clock may have been ahead of this one
            auth_time=min(now, int(auth_time.timestamp())),
            roles=roles,
        )
        return AccessToken(sign(claims.payload(), self.keyring), "Bearer", exp - now)


class AccessTokenVerifier:
    """Verifies access tokens, in the service and wherever else they are sent.

    Args:
        keys: where the key of a token is found.
        iss: the issuer that the tokens must name.
        aud: the audience that they must name.
        max_life: the seconds that a token may live.
    """

    def __init__(self, keys: Keys, *, iss: str, aud: str, max_life: int = MAX_LIFE) -> None:
        self._keys = keys
        self._iss = iss
        self._aud = aud
        self._max_life = max_life
        self._verified = VerifiedTokenCache(keys)

    def verify(self, token: str) -> Claims:
        """The claims of a token that is valid now.

        Raises:
            TokenExpired: it was valid, and its time is over.
            TokenInvalid: anything else.
        """
        now = clock.now().timestamp()
        name = token_hash(token)
        claims = self._verified.get(name, token)
        if claims is None:
            claims = self._verified.add(name, self._check(token, now))
        refuse_expired(claims, now)
        return claims

    def _check(self, token: str, now: float) -> Claims:
        payload = verified_payload(token, self._keys)
        claims = checked_claims(payload, iss=self._iss, aud=self._aud)
        refuse_early(claims, now)
        if claims.exp - claims.iat > self._max_life:
            raise TokenInvalid
        return claims
