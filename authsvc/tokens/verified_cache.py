"""Tokens that were verified before: a page sends the same one for minutes, tabs for days."""

from collections import OrderedDict

from authsvc.tokens.claims import Claims
from authsvc.tokens.keyring import Keys

MAX_TOKENS = 4096
"""Tokens remembered in a process: a bound on memory. First in, first out."""


class VerifiedTokenCache:
    """The claims of verified tokens, by the SHA-256 of the token's text.

    No token's text is kept: what leaks from a process's memory must not open a session. Only what
    cannot change is kept: whether the token's key is still in use is checked at each look-up, and
    the caller checks the times.

    Args:
        keys: where the key of a token is found.
    """

    def __init__(self, keys: Keys) -> None:
        self._keys = keys
        self._claims: OrderedDict[bytes, Claims] = OrderedDict()

    def get(self, token_hash: bytes, token: str) -> Claims | None:
        """Return the claims of the token, if it was verified and its key is still in use."""
        claims = self._claims.get(token_hash)
        if claims is None or self._keys.find(token.partition(".")[0]) is None:
            return None
        return claims

    def add(self, token_hash: bytes, claims: Claims) -> Claims:
        """Keep the claims of a token that has just been verified, and return them."""
        self._claims[token_hash] = claims
        if len(self._claims) > MAX_TOKENS:
            self._claims.popitem(last=False)
        return claims
