"""One-time tokens: what a mailed link carries. A row has the same token each time it is asked for.

A token is an HMAC of its row's id, so that it can be mailed again without being stored. The row
keeps the token's SHA-256: nothing in the database opens an account.
"""

import hmac
from typing import Literal
from uuid import UUID

from authsvc.tokens.jws import token_hash
from authsvc.tokens.keyring import encode

Purpose = Literal["reset", "verification", "change"]
"""What a token is for: a new password, a proof of the address, or another address."""


class OneTimeTokens:
    """Issues the token of each row.

    Args:
        secrets: the current secret, then those that it replaced.
    """

    def __init__(self, *secrets: bytes) -> None:
        self._keys = [
            hmac.digest(secret, b"authsvc one-time tokens", "sha256") for secret in secrets
        ]

    def issue(self, purpose: Purpose, id: UUID) -> str:
        """Return the token of a new row: 256 bits, as base64url."""
        return self._tokens(purpose, id)[0]

    def again(self, purpose: Purpose, id: UUID, stored_hash: bytes) -> str | None:
        """Return the token that was issued for a row, also by a secret that was replaced.

        None if it was issued by a secret that is no longer configured.
        """
        for token in self._tokens(purpose, id):
            if hmac.compare_digest(token_hash(token), stored_hash):
                return token
        return None

    def _tokens(self, purpose: Purpose, id: UUID) -> list[str]:
        text = f"{purpose}:{id}".encode()
        return [encode(hmac.digest(key, text, "sha256")) for key in self._keys]
