"""The tokens of a user who is logged in, and tokens with one flaw each."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jwt

from authsvc.tokens.key_pairs import generate_pem
from tests.support.responses import claims
from tests.support.signing_secrets import REFRESH_SECRET

ROLES = ["admin", "editor"]
"""The roles of the user."""


@dataclass(frozen=True)
class Tokens:
    """The tokens of a user with `ROLES`, and the key that signs them.

    Args:
        access: the access token.
        refresh: the refresh token.
        key: the private key in PEM form, or the shared secret.
        algorithm: the algorithm of that key.
    """

    access: str
    refresh: str
    key: str | bytes
    algorithm: str

    @property
    def claims(self) -> dict[str, Any]:
        return claims(self.access)

    def signed(
        self, key: str | bytes = b"", header: Mapping[str, str] | None = None, **changed: Any
    ) -> str:
        """Return a token like the access token, with those changes; None removes a claim."""
        head = {**jwt.get_unverified_header(self.access), **(header or {})}
        algorithm = head.pop("alg")
        payload = {
            name: said for name, said in {**self.claims, **changed}.items() if said is not None
        }
        return jwt.encode(payload, key or self.key, algorithm, headers=head)

    def flawed(self) -> dict[str, str]:
        """Return tokens that every API must refuse, by their flaw."""
        head, body, signature = self.access.split(".")
        unsigned = jwt.encode(self.claims, None, "none", headers={"typ": "at+jwt"})
        other_key = generate_pem("ES256") if self.algorithm == "ES256" else REFRESH_SECRET
        other_body = jwt.utils.base64url_encode(
            json.dumps({**self.claims, "roles": ["owner"]}).encode()
        ).decode()
        return {
            "garbage": "garbage",
            "three parts of garbage": "a.b.c",
            "without its signature": f"{head}.{body}.",
            "cut": self.access[:-4],
            "another body": f"{head}.{other_body}.{signature}",
            "unsigned": unsigned,
            "signed with another key": self.signed(other_key),
            "expired": self.signed(iat=int(time.time()) - 700, exp=int(time.time()) - 100),
            "that never expires": self.signed(exp=None),
            "of another issuer": self.signed(iss="https://other.example.com"),
            "for another audience": self.signed(aud="https://other.example.com"),
            "of another type": self.signed(header={"typ": "JWT"}),
            "a refresh token": self.refresh,
        }
