"""The keys and secrets of the settings: the current one first, then those that it replaced."""

from pydantic import SecretBytes

from authsvc.settings import Settings
from authsvc.tokens.keyring import Key, hmac_key


def access_keys(settings: Settings) -> list[Key]:
    """Return the key that signs, then those of either kind that still verify."""
    key_pair = settings.access_token_private_key
    signing = _shared(settings.access_token_secret) if key_pair is None else [key_pair]
    previous = settings.access_token_private_key_previous
    return [
        *signing,
        *([] if previous is None else [previous]),
        *_shared(settings.access_token_secret_previous),
    ]


def refresh_secrets(settings: Settings) -> list[bytes]:
    """Return the refresh secret and the one before it, from which other keys are derived."""
    return _bytes(settings.refresh_token_secret, settings.refresh_token_secret_previous)


def refresh_keys(settings: Settings) -> list[Key]:
    """Return the keys that sign and verify refresh tokens."""
    return [hmac_key(secret) for secret in refresh_secrets(settings)]


def factor_secrets(settings: Settings) -> list[bytes]:
    """Return the secrets that encrypt what factors have at rest; empty if there are none."""
    return _bytes(settings.factor_secret, settings.factor_secret_previous)


def _shared(*secrets: SecretBytes | None) -> list[Key]:
    return [hmac_key(secret) for secret in _bytes(*secrets)]


def _bytes(*secrets: SecretBytes | None) -> list[bytes]:
    return [secret.get_secret_value() for secret in secrets if secret is not None]
