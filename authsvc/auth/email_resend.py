"""POST /auth/email/resend: mail the link again that verifies an e-mail address."""

from authsvc.auth.password_forgot import Address
from authsvc.database import transaction
from authsvc.guard.access_token import public
from authsvc.mail.outbox import Mail, Outbox
from authsvc.problems import RateLimited
from authsvc.ratelimit.throttle import Throttle
from authsvc.users.emails import checked_email
from authsvc.web import registry
from authsvc.web.client import remote_address
from authsvc.web.inputs import takes
from authsvc.web.outputs import Accepted, answers


@public
@takes(Address)
@answers(202, may=[RateLimited])
def email_resend(body: Address) -> Accepted:
    """Mail the newest link that verifies this address again, if it is still to be verified.

    The response is the same, in the same time, for every address. A second request within five
    minutes sends no second mail.
    """
    email, key = checked_email(body.email)
    outbox = registry.get(Outbox)
    with registry.get(Throttle).mail("resend", key, remote_address()) as is_wanted:
        if is_wanted:
            mail = Mail("resend", email, key)
            transaction(lambda connection: outbox.add(connection, mail))
            outbox.wake()
    return Accepted()
