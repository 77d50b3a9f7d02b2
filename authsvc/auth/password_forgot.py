"""POST /auth/password/forgot: mail a link with which a new password can be set."""

from authsvc.database import transaction
from authsvc.guard.access_token import public
from authsvc.mail.outbox import Mail, Outbox
from authsvc.problems import RateLimited
from authsvc.ratelimit.throttle import Throttle
from authsvc.users.emails import Email, checked_email
from authsvc.web import registry
from authsvc.web.client import remote_address
from authsvc.web.inputs import Body, takes
from authsvc.web.outputs import Accepted, answers


class Address(Body):
    """The e-mail address of an account.

    Args:
        email: the account's address; case does not matter.
    """

    email: Email


@public
@takes(Address)
@answers(202, may=[RateLimited])
def password_forgot(body: Address) -> Accepted:
    """Mail a link for a new password, if there is an account with this address.

    The account is looked up when the mail is sent, so the response is the same, in the same time,
    for every address. A second request within five minutes sends no second mail.
    """
    email, key = checked_email(body.email)
    outbox = registry.get(Outbox)
    with registry.get(Throttle).mail("reset", key, remote_address()) as is_wanted:
        if is_wanted:
            mail = Mail("reset", email, key)
            transaction(lambda connection: outbox.add(connection, mail))
            outbox.wake()
    return Accepted()
