"""Read a shared secret from its text: 64 random bytes as hex (rule R11)."""

SECRET_BYTES = 64
MAKE_SECRETS = "run `python -m authsvc secrets` and keep the lines that it prints"

# Values that our own documents show. A value copied from there is not a secret.
EXAMPLE_SECRETS = frozenset({bytes(range(SECRET_BYTES)), bytes.fromhex("0123456789abcdef" * 8)})


def secret_from_hex(text: str) -> bytes:
    """Return the bytes of the secret.

    Raises:
        ValueError: the text is not a secret. The message says what to do and never contains the
            text.
    """
    try:
        secret = bytes.fromhex(text)
    except (TypeError, ValueError):
        raise ValueError(f"is not hexadecimal: {MAKE_SECRETS}") from None
    if len(secret) < SECRET_BYTES:
        raise ValueError(
            f"has {len(secret)} bytes, not the {SECRET_BYTES} that it needs: {MAKE_SECRETS}"
        )
    if len(set(secret)) == 1 or secret in EXAMPLE_SECRETS:
        raise ValueError(f"is a placeholder, not a secret: {MAKE_SECRETS}")
    return secret
