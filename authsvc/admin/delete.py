"""Delete an account on behalf of its owner."""

from sqlalchemy import Connection

from authsvc import clock, signals
from authsvc.admin.lookup import account_of
from authsvc.audit.operator import current_operator
from authsvc.audit.record import Event, record
from authsvc.ratelimit.throttle import Throttle
from authsvc.sessions.revoke import Revoked, anonymize
from authsvc.users import accounts
from authsvc.users.deletion import delete_account
from authsvc.users.emails import email_key
from authsvc.users.voided_links import forget_person
from authsvc.web import registry


def delete(email: str) -> None:
    """Delete an account, its sessions, events, mails, links and counts of failures, for good.

    The event of the deletion names the operator and not the account.

    Raises:
        NotFound: there is no such account.
        AccountInUse: rows of another table refer to the account.
    """
    account = account_of(email)

    def remove(connection: Connection) -> list[Revoked]:
        accounts.lock(connection, account.id)
        revoked = anonymize(connection, account.id, clock.now())
        forget_person(connection, account.id)
        accounts.remove(connection, account.id)
        record(connection, current_operator(), Event("account_deleted", user_id=None))
        return revoked

    revoked = delete_account(account.id, remove)
    registry.get(Throttle).unlock(email_key(account.email), account.id)
    signals.send_ended(revoked, "account_deleted")
    signals.send(signals.user_deleted, user_id=account.id)
