"""Mark the address of an account as verified."""

from sqlalchemy import Connection, update

from authsvc import clock
from authsvc.admin.lookup import account_of
from authsvc.audit.operator import current_operator
from authsvc.audit.record import Event, record
from authsvc.database import transaction
from authsvc.users.model import User


def verify(email: str) -> bool:
    """Mark an address as verified, and return whether it was not before.

    Raises:
        NotFound: there is no such account.
    """
    user_id = account_of(email).id

    def mark(connection: Connection) -> bool:
        now = clock.now()
        marked = connection.execute(
            update(User)
            .where(User.id == user_id, User.email_verified_at.is_(None))
            .values(email_verified_at=now)
            .returning(User.id)
        )
        if marked.one_or_none() is None:
            return False
        record(connection, current_operator(), Event("email_verified", user_id), at=now)
        return True

    return transaction(mark)
