"""A good token, and functions that build wrong ones with valid signatures."""

from __future__ import annotations

import hashlib
import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.support.signing_secrets import ACCESS_SECRET, REFRESH_SECRET

SECRETS = {"access": ACCESS_SECRET, "refresh": REFRESH_SECRET}


def b64(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def compact(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def signature(signed: str, key: bytes, digest: str = "sha256") -> str:
    return b64(hmac.digest(key, signed.encode("utf-8", "surrogatepass"), digest))


@dataclass(frozen=True)
class Good:
    """A token that the service has just issued, and the other token of its session.

    Args:
        kind: "access" or "refresh".
        text: the token.
        other: the text of the token of the other kind.
        sign: signs this kind at the service, if that is not HMAC-SHA256 with its secret.
    """

    kind: str
    text: str
    other: str
    sign: Callable[[bytes], bytes] | None = None

    @property
    def key(self) -> bytes:
        return SECRETS[self.kind]

    @property
    def parts(self) -> list[str]:
        return self.text.split(".")

    @property
    def header(self) -> dict[str, Any]:
        return dict(json.loads(unb64(self.parts[0])))

    @property
    def claims(self) -> dict[str, Any]:
        return dict(json.loads(unb64(self.parts[1])))

    def with_header(self, **members: Any) -> str:
        """Return the token, validly signed, with header members added or replaced."""
        return self.signed(header=compact({**self.header, **members}))

    def without_header(self, *names: str) -> str:
        kept = {name: value for name, value in self.header.items() if name not in names}
        return self.signed(header=compact(kept))

    def with_claims(self, **members: Any) -> str:
        """Return the token, validly signed, with claims added or replaced."""
        return self.signed(payload=compact({**self.claims, **members}))

    def without_claims(self, *names: str) -> str:
        kept = {name: value for name, value in self.claims.items() if name not in names}
        return self.signed(payload=compact(kept))

    def with_raw_claim(self, name: str, spelling: str) -> str:
        """Return the token, validly signed, with one claim spelled this way in its JSON."""
        marked = compact({**self.claims, name: "@@"}).decode()
        return self.signed(payload=marked.replace('"@@"', spelling).encode("utf-8"))

    def signed(
        self,
        *,
        header: bytes | None = None,
        payload: bytes | None = None,
        key: bytes | None = None,
        digest: str = "sha256",
    ) -> str:
        """Return a signed token of these bytes; by default those of the good token."""
        head = self.parts[0] if header is None else b64(header)
        body = self.parts[1] if payload is None else b64(payload)
        return self.signed_text(f"{head}.{body}", key, digest)

    def signed_text(self, signed: str, key: bytes | None = None, digest: str = "sha256") -> str:
        if self.sign is not None and key is None and digest == "sha256":
            return f"{signed}.{b64(self.sign(signed.encode('utf-8', 'surrogatepass')))}"
        return f"{signed}.{signature(signed, self.key if key is None else key, digest)}"

    def spliced(self, index: int, text: str) -> str:
        """Return the good token with one of its three parts replaced and nothing signed again."""
        parts = self.parts
        parts[index] = text
        return ".".join(parts)


def hash_of(token: str) -> bytes:
    """Return the hash that a session's row stores."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
