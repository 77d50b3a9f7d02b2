"""Private keys of the apps under test, made once for each run."""

from authsvc.tokens.key_pairs import generate_pem

ED25519 = generate_pem("EdDSA")
P256 = generate_pem("ES256")
PEM = {"EdDSA": ED25519, "ES256": P256}

P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
ED25519_ORDER = 2**252 + 27742317777372353535851937790883648493


def signed_by(algorithm: str, pem: str | None = None) -> dict[str, str]:
    """Return the settings of a service that signs access tokens with a private key."""
    return {
        "access_token_algorithm": algorithm,
        "access_token_private_key": pem or PEM[algorithm],
    }
