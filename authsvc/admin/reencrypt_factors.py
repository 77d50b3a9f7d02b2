"""Encrypt all TOTP secrets again, so that the secret that encrypted them before can be unset."""

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Connection, Row, select, update

from authsvc.admin.lookup import Refused
from authsvc.database import reading, transaction
from authsvc.factors.encryption import SecretBox
from authsvc.factors.model import Totp
from authsvc.factors.second_factor import Factors
from authsvc.settings import PREFIX, Settings
from authsvc.users import accounts
from authsvc.web import registry

PAGE = 500
"""Secrets in one transaction."""

Stored = Row[UUID, str]


@dataclass(frozen=True)
class Reencrypted:
    """What became of a page of secrets.

    Args:
        secrets: how many are encrypted under the current secret now.
        lost: the addresses of the accounts whose secret cannot be decrypted; it stays as it is.
    """

    secrets: int
    lost: list[str]


def encrypt_again() -> Iterator[Reencrypted]:
    """Encrypt each TOTP secret under AUTHSVC_FACTOR_SECRET, and yield what became of each page.

    A page is one transaction. After an interruption, start again. A secret that is replaced
    meanwhile is left alone, since a worker has encrypted it.

    Raises:
        Refused: AUTHSVC_FACTOR_SECRET is not set.
    """
    if registry.get(Settings).factor_secret is None:
        raise Refused(f"{PREFIX}FACTOR_SECRET is not set, so there is nothing to encrypt with.")
    box, after = registry.get(Factors).box, None
    while page := _page_after(after):
        yield _encrypt(box, page)
        after = page[-1].user_id


def _page_after(user_id: UUID | None) -> list[Stored]:
    query = select(Totp.user_id, Totp.secret).order_by(Totp.user_id).limit(PAGE)
    if user_id is not None:
        query = query.where(Totp.user_id > user_id)
    with reading() as connection:
        return list(connection.execute(query).all())


def _encrypt(box: SecretBox, page: list[Stored]) -> Reencrypted:
    encrypted = [(row, box.encrypt_again(row.secret)) for row in page]
    new = {row: secret for row, secret in encrypted if secret is not None}
    done = transaction(lambda connection: sum(_replace(connection, *item) for item in new.items()))
    emails = accounts.emails([row.user_id for row, secret in encrypted if secret is None])
    return Reencrypted(done, sorted(emails.values()))


def _replace(connection: Connection, row: Stored, secret: str) -> int:
    """Store the secret if the row did not change since it was read, and return how many it did."""
    query = update(Totp).where(Totp.user_id == row.user_id, Totp.secret == row.secret)
    return connection.execute(query.values(secret=secret)).rowcount
