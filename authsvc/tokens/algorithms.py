"""The algorithms of private keys. The commands list them, so this module is quick to import."""

from typing import Literal

Algorithm = Literal["EdDSA", "ES256"]
"""EdDSA is Ed25519 (RFC 8037), ES256 is ECDSA on P-256 with SHA-256 (RFC 7518 section 3.4)."""
