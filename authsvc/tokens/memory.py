"""Tokens that were verified before: a page sends the same one for minutes, tabs for days."""

from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

from authsvc.tokens.claims import Claims
from authsvc.tokens.keyring import Keys

MOST = 4096
"""Tokens remembered in a process: a bound on memory; the one kept first is forgotten first."""

Name = TypeVar("Name", bound=Hashable)


class Memory(Generic[Name]):
    """The claims of verified tokens.

    Only what cannot change is remembered: whether a token's key is still one of ours is asked
    each time, and whoever recalls claims asks whether their time is over.

    Args:
        keys: where the key of a token is found.
    """

    def __init__(self, keys: Keys) -> None:
        self._keys = keys
        self._claims: OrderedDict[Name, Claims] = OrderedDict()

    def recall(self, name: Name, token: str) -> Claims | None:
        """The claims of the token that was kept under this name, which no other token has."""
        claims = self._claims.get(name)
        if claims is None or self._keys.find(token.partition(".")[0]) is None:
            return None
        return claims

    def keep(self, name: Name, claims: Claims) -> Claims:
        """Remember the claims of a token that has just been verified."""
        self._claims[name] = claims
        if len(self._claims) > MOST:
            self._claims.popitem(last=False)
        return claims
