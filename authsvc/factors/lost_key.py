"""Notice at boot that TOTP secrets in the database cannot be decrypted."""

from sqlalchemy import Connection, select

from authsvc.factors.encryption import SecretBox
from authsvc.factors.model import Totp


def is_key_lost(connection: Connection, box: SecretBox) -> bool:
    """Return whether there are TOTP secrets, and that of the newest account cannot be decrypted.

    It costs one SELECT of one row, by the primary key: ids of accounts are in the order of time.

    Args:
        connection: to the database.
        box: with the configured secrets.
    """
    newest = select(Totp.secret).order_by(Totp.user_id.desc()).limit(1)
    stored = connection.execute(newest).scalar_one_or_none()
    return stored is not None and box.decrypt(stored) is None
