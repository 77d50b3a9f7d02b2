"""Delete an account on behalf of its owner."""

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from authsvc import clock, signals
from authsvc.admin.lookup import account_of
from authsvc.audit.operator import current_operator
from authsvc.audit.record import Event, record
from authsvc.database import transaction
from authsvc.problems import Fault, ValidationFailed
from authsvc.ratelimit.throttle import Throttle
from authsvc.sessions.revoke import Revoked, anonymize
from authsvc.users import accounts
from authsvc.users.emails import email_key
from authsvc.web import registry


def delete(email: str) -> None:
    """Delete an account, its sessions, its events and its counts of failures, for good.

    The event of the deletion names the operator and not the account.

    Raises:
        NotFound: there is no such account.
        ValidationFailed: rows of another table refer to the account.
    """
    account = account_of(email)

    def remove(connection: Connection) -> list[Revoked]:
        accounts.lock(connection, account.id)
        revoked = anonymize(connection, account.id, clock.now())
        accounts.remove(connection, account.id)
        record(connection, current_operator(), Event("account_deleted", user_id=None))
        return revoked

    try:
        revoked = transaction(remove)
    except IntegrityError:
        raise ValidationFailed([Fault("/email", _IN_USE)]) from None
    registry.get(Throttle).unlock(email_key(account.email), account.id)
    signals.send_ended(revoked, "account_deleted")
    signals.send(signals.user_deleted, user_id=account.id)


_IN_USE = (
    "Rows of another table in this database refer to the account. Remove them first; "
    "`users disable` shuts the account until then."
)
