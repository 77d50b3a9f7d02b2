"""Cache the claims of verified tokens: a page sends the same token for minutes or days."""

from collections import OrderedDict

from authsvc.tokens.claims import Claims
from authsvc.tokens.keyring import Keys

MAX_TOKENS = 4096
"""Cached tokens per process, which bounds the memory. First in, first out."""


class VerifiedTokenCache:
    """The claims of verified tokens, by the SHA-256 of the token's text.

    The token's text is not cached: a leak of the process's memory must not open a session. Only
    facts that cannot change are cached: each look-up checks that the token's key is still in use,
    and the caller checks the times.

    Args:
        keys: finds the key of a token.
    """

    def __init__(self, keys: Keys) -> None:
        self._keys = keys
        self._claims: OrderedDict[bytes, Claims] = OrderedDict()

    def get(self, token_hash: bytes, token: str) -> Claims | None:
        """Return the claims of a token that was verified and whose key is still in use, or None."""
        claims = self._claims.get(token_hash)
        if claims is None or self._keys.find(token.partition(".")[0]) is None:
            return None
        return claims

    def add(self, token_hash: bytes, claims: Claims) -> Claims:
        """Cache the claims of a token that was just verified, and return them."""
        self._claims[token_hash] = claims
        if len(self._claims) > MAX_TOKENS:
            self._claims.popitem(last=False)
        return claims
