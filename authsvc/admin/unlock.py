"""Let the owner of an account log in again after too many failures."""

from authsvc.admin.lookup import account_of
from authsvc.audit.operator import current_operator
from authsvc.audit.record import Event, record
from authsvc.database import transaction
from authsvc.ratelimit.throttle import Throttle
from authsvc.users.emails import email_key
from authsvc.web import registry


def unlock(email: str) -> None:
    """Clear the failed logins of an account, and its failed confirmations.

    A confirmation is a password, a code or a passkey that is given again within a session. Wrong
    codes of the authenticator app are counted apart, and are cleared too.

    The failures of a network address stay: they protect other accounts too.

    Raises:
        NotFound: there is no such account.
        ServiceUnavailable: the storage of the counts does not answer.
    """
    account = account_of(email)
    unlocked = Event("account_unlocked", account.id)
    transaction(lambda connection: record(connection, current_operator(), unlocked))
    registry.get(Throttle).unlock(email_key(account.email), account.id)
