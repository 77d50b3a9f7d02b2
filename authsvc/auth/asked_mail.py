"""What the routes share by which a person asks for a mail to an address."""

from typing import Literal

from authsvc.database import transaction
from authsvc.mail.outbox import Mail, Outbox
from authsvc.ratelimit.mail_limits import MailLimits
from authsvc.users.emails import EmailAddress, checked_email
from authsvc.web import registry
from authsvc.web.client import remote_address
from authsvc.web.inputs import Body


class Address(Body):
    """The e-mail address of an account.

    Args:
        email: the account's address; case does not matter.
    """

    email: EmailAddress


def ask_for_mail(kind: Literal["reset", "resend"], body: Address) -> None:
    """Put a mail into the outbox, without looking up whether there is an account.

    A second request of a kind for an address within some minutes puts none.

    Raises:
        ValidationFailed: the text is not an e-mail address.
        RateLimited: too many mails were asked for.
    """
    email, key = checked_email(body.email)
    outbox = registry.get(Outbox)
    with registry.get(MailLimits).request(kind, key, remote_address()) as is_wanted:
        if is_wanted:
            mail = Mail(kind, email, key)
            transaction(lambda connection: outbox.add(connection, mail))
            outbox.wake()
