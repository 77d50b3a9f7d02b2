"""Canonical e-mail keys, verified addresses, and which operator caused an event.

Revision ID: 0003
Revises: 0002
"""

import logging
from collections.abc import Iterator
from uuid import UUID

import sqlalchemy as sa
from alembic import op
from sqlalchemy.exc import IntegrityError

from authsvc.users.emails import email_key

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

PAGE = 1000
"""Rows read at a time."""

USERS = sa.table(
    "users",
    sa.column("id", sa.Uuid()),
    sa.column("email", sa.String()),
    sa.column("email_key", sa.String()),
)
_log = logging.getLogger("authsvc.migrations")


def upgrade() -> None:
    op.add_column("users", sa.Column("email_verified_at", sa.DateTime(timezone=True)))
    op.add_column("security_events", sa.Column("operator", sa.String()))
    _update_keys(op.get_bind())


def downgrade() -> None:
    # The keys stay: earlier versions computed other keys only for a few addresses.
    op.drop_column("security_events", "operator")
    op.drop_column("users", "email_verified_at")


def _update_keys(connection: sa.Connection) -> None:
    """Store the canonical form of each address.

    Two accounts may have one address: earlier versions took two spellings for two addresses.
    The account that has the canonical key already keeps it; otherwise the one with the smaller
    id gets it. The other account keeps its key and is reported.
    """
    left = list(_outdated(connection))
    while True:
        taken = [(id, key) for id, key in left if not _update(connection, id, key)]
        if len(taken) == len(left):
            break
        left = taken  # a row that was updated may have had the key of one of these
    for id, key in left:
        owner = connection.scalar(sa.select(USERS.c.id).where(USERS.c.email_key == key))
        _log.warning(
            "Accounts %s and %s have the same e-mail address. It logs in to the first; the second "
            "can log in only after `authsvc users email %s NEW` has given it another address.",
            *(owner, id, id),
        )


def _outdated(connection: sa.Connection) -> Iterator[tuple[UUID, str]]:
    last = UUID(int=0)
    page = sa.select(USERS).order_by(USERS.c.id).limit(PAGE)
    while rows := connection.execute(page.where(USERS.c.id > last)).all():
        for row in rows:
            key = email_key(row.email)
            if key != row.email_key:
                yield row.id, key
        last = rows[-1].id


def _update(connection: sa.Connection, id: UUID, key: str) -> bool:
    try:
        with connection.begin_nested():
            connection.execute(sa.update(USERS).where(USERS.c.id == id).values(email_key=key))
    except IntegrityError:
        return False
    return True
