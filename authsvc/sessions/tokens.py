"""The two tokens of a session: how they are issued and verified, and how long they are valid."""

from dataclasses import dataclass, field
from datetime import timedelta

from authsvc.problems import RefreshTokenExpired, RefreshTokenInvalid
from authsvc.sessions.own_claims import OwnClaims
from authsvc.tokens.access import AccessTokens
from authsvc.tokens.jws import TokenExpired, TokenInvalid
from authsvc.tokens.refresh import RefreshClaims, RefreshTokens
from authsvc.web import log_context


@dataclass(frozen=True)
class SessionTokens:
    """Issues and verifies the tokens of all sessions.

    Args:
        access: issues access tokens.
        refresh: issues and verifies refresh tokens.
        ttl: how long a session lives; nothing extends it.
        idle_ttl: how long a session may go unused.
        own_claims: the operator's own claims of an access token.
    """

    access: AccessTokens
    refresh: RefreshTokens
    ttl: timedelta
    idle_ttl: timedelta
    own_claims: OwnClaims = field(default_factory=OwnClaims)

    def verify(self, refresh_token: str) -> RefreshClaims:
        """Return the claims of a refresh token, without checking whether its session is live.

        Raises:
            RefreshTokenExpired: it has expired.
            RefreshTokenInvalid: it is not a refresh token of this service.
        """
        try:
            verified = self.refresh.verify(refresh_token)
        except TokenExpired:
            raise RefreshTokenExpired from None
        except TokenInvalid:
            raise RefreshTokenInvalid from None
        log_context.bind(user=verified.claims.sub, session=verified.claims.sid)
        return verified

    def of_this_service(self, refresh_tokens: list[str]) -> list[RefreshClaims]:
        """Return the claims of the strings that are our refresh tokens, expired or not."""
        verified = []
        for refresh_token in refresh_tokens:
            try:
                verified.append(self.refresh.verify(refresh_token, even_expired=True))
            except TokenInvalid:
                continue
        return verified
