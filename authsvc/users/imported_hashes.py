"""Hashes of imported users: verified until their next login, and never created."""

from pwdlib.hashers.bcrypt import BcryptHasher
from werkzeug.security import check_password_hash


class ImportedBcrypt(BcryptHasher):
    """bcrypt hashes; the algorithm reads only the first 72 bytes of a password."""

    def verify(self, password: str | bytes, hash: str | bytes) -> bool:
        data = password.encode() if isinstance(password, str) else password
        return super().verify(data[:72], hash)


class ImportedWerkzeug:
    """Hashes that `werkzeug.security.generate_password_hash` created, scrypt or PBKDF2."""

    @classmethod
    def identify(cls, hash: str | bytes) -> bool:
        return str(hash).startswith(("scrypt:", "pbkdf2:"))

    def hash(self, password: str | bytes, *, salt: bytes | None = None) -> str:
        raise NotImplementedError("new passwords are hashed with argon2id")

    def verify(self, password: str | bytes, hash: str | bytes) -> bool:
        return check_password_hash(str(hash), str(password))

    def check_needs_rehash(self, hash: str | bytes) -> bool:
        return True
