"""Encrypt TOTP secrets at rest, under a secret of their own that can be rotated."""

import hmac
from base64 import urlsafe_b64encode

from cryptography.fernet import Fernet, InvalidToken, MultiFernet


class SecretBox:
    """Encrypts and decrypts what the database stores.

    Args:
        secrets: the current secret, then those that it replaced. Without any, nothing can be
            encrypted or decrypted.
    """

    def __init__(self, *secrets: bytes) -> None:
        self._fernet = MultiFernet([_fernet(secret) for secret in secrets]) if secrets else None

    def encrypt(self, text: str) -> str:
        """Return the text encrypted under the current secret.

        Raises:
            RuntimeError: there is none; the routes that encrypt do not exist then.
        """
        if self._fernet is None:
            raise RuntimeError("AUTHSVC_FACTOR_SECRET is not set")
        return self._fernet.encrypt(text.encode()).decode()

    def decrypt(self, stored: str) -> str | None:
        """Return the text; None if it was encrypted under a secret that is not configured."""
        if self._fernet is None:
            return None
        try:
            return self._fernet.decrypt(stored.encode()).decode()
        except InvalidToken:
            return None

    def encrypt_again(self, stored: str) -> str | None:
        """Return what was stored, encrypted under the current secret; None as in `decrypt`."""
        text = self.decrypt(stored)
        return None if text is None else self.encrypt(text)


def _fernet(secret: bytes) -> Fernet:
    return Fernet(urlsafe_b64encode(hmac.digest(secret, b"authsvc factors", "sha256")))
