"""The access token: it lives minutes and is verified without the database (RFC 9068)."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal
from uuid import UUID, uuid4

from authsvc import clock
from authsvc.roles import Roles
from authsvc.tokens.amr import Amr, acr_of
from authsvc.tokens.claims import Audience, Claims, checked_claims
from authsvc.tokens.jws import TokenInvalid, sign, token_hash, verified_payload
from authsvc.tokens.keyring import Key, Keyring, Keys, header_of
from authsvc.tokens.times import refuse_before, refuse_early, refuse_expired
from authsvc.tokens.verified_cache import VerifiedTokenCache

MAX_LIFE = 15 * 60
"""The most seconds that an access token may live; a longer setting is refused (rule R2)."""

CLIENT_ID = "web"
"""The client that a token names if no other name is configured."""

_TYP = "at+jwt"


@dataclass(frozen=True)
class AccessToken:
    """An access token as the client receives it (RFC 6749 section 5.1).

    Args:
        access_token: the token. Keep it in memory only, and send it as `Bearer`.
        token_type: how it is sent.
        expires_in: seconds until it expires.
    """

    access_token: str = field(metadata={"examples": ["eyJhbGciOiJIUzI1NiIs..."]})
    token_type: Literal["Bearer"]
    expires_in: int = field(metadata={"examples": [600]})


def access_keyring(current: Key, *previous: Key) -> Keyring:
    """Return the keyring of access tokens: `current` signs, and all keys verify."""
    return Keyring(_TYP, current, *previous)


def access_header(key: Key) -> str:
    """Return the header of access tokens that this key signs (RFC 9068 section 2.1)."""
    return header_of(_TYP, key)


@dataclass(frozen=True)
class AccessTokens:
    """Issues access tokens.

    Args:
        keyring: its current key signs.
        iss: the issuer of the tokens.
        aud: the audience of the tokens, or several.
        ttl: the seconds that a token lives.
        client_id: the client of all tokens (RFC 9068 section 2.2).
        aal2_roles: the roles that a token has only if its user authenticated with two factors.
    """

    keyring: Keyring
    iss: str
    aud: Audience
    ttl: int
    client_id: str = CLIENT_ID
    aal2_roles: frozenset[str] = frozenset()

    def issue(
        self,
        *,
        sub: UUID,
        sid: UUID,
        auth_time: datetime,
        session_ends: datetime,
        now: datetime,
        amr: Amr = (),
        roles: Roles = (),
        extra_json: str = "",
    ) -> AccessToken:
        """Return a new access token of the session. It never expires after the session.

        Args:
            sub: the id of the user.
            sid: the id of the session.
            auth_time: when the user last authenticated.
            session_ends: when the session expires.
            now: the time of issue.
            amr: how the user authenticated.
            roles: the roles of the user.
            extra_json: the operator's own claims, as JSON.

        Raises:
            ValueError: the token would be longer than a verifier accepts.
        """
        iat = int(now.timestamp())
        exp = min(iat + self.ttl, int(session_ends.timestamp()))
        # the clock of the instance that opened the session may be ahead of this one
        times = {"iat": iat, "exp": exp, "auth_time": min(iat, int(auth_time.timestamp()))}
        session: dict[str, Any] = {"sub": sub, "sid": sid, "jti": uuid4(), "amr": amr, **times}
        service: dict[str, Any] = {"iss": self.iss, "aud": self.aud, "client_id": self.client_id}
        roles = self._allowed(roles, amr)
        claims = Claims(**session, **service, roles=roles, extra_json=extra_json)
        return AccessToken(sign(claims.payload(), self.keyring), "Bearer", exp - iat)

    def _allowed(self, roles: Roles, amr: Amr) -> Roles:
        """Return the roles without those that need two factors, unless there were two."""
        if not roles or not self.aal2_roles or acr_of(amr) == "aal2":
            return roles
        return tuple(role for role in roles if role not in self.aal2_roles)


class AccessTokenVerifier:
    """Verifies access tokens, in this service and in others.

    Args:
        keys: finds the key of a token.
        iss: the issuer that a token must name.
        aud: the audience that a token must name; or several, of which it must name one.
        max_life: the most seconds that a token may live.
    """

    def __init__(self, keys: Keys, *, iss: str, aud: Audience, max_life: int = MAX_LIFE) -> None:
        self._keys = keys
        self._iss = iss
        self._aud = frozenset((aud,) if isinstance(aud, str) else aud)
        self._max_life = max_life
        self._verified = VerifiedTokenCache(keys)

    def verify(self, token: str) -> Claims:
        """Return the claims of a token that is valid now.

        Raises:
            TokenExpired: the token was valid and has expired.
            TokenInvalid: the token is not valid for any other reason.
        """
        now = clock.now().timestamp()
        digest = token_hash(token)
        claims = self._verified.get(digest, token)
        if claims is None:
            claims = self._verified.add(digest, self._check(token, now))
        refuse_expired(claims, now)
        return claims

    def _check(self, token: str, now: float) -> Claims:
        payload = verified_payload(token, self._keys)
        claims = checked_claims(payload, iss=self._iss, aud=self._aud)
        refuse_early(claims, now)
        refuse_before(claims, now)
        if claims.exp - claims.iat > self._max_life:
            raise TokenInvalid
        return claims
