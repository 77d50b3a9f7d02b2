"""POST /auth/email/change: give the account its new address with the link of a mail."""

from authsvc.guard.access_token import public
from authsvc.mail.outbox import Outbox
from authsvc.problems import EmailTaken, TokenInvalid
from authsvc.users import one_time_tokens
from authsvc.users.change_email import change_email
from authsvc.users.one_time_tokens import LinkToken
from authsvc.web import log_context, registry
from authsvc.web.client import current_client
from authsvc.web.inputs import Body, takes
from authsvc.web.outputs import answers


class EmailChange(Body):
    """The token of a link to a new address.

    Args:
        token: what follows `#token=` in the link of the mail.
    """

    token: LinkToken


@public
@takes(EmailChange)
@answers(204, may=[TokenInvalid, EmailTaken])
def email_change(body: EmailChange) -> None:
    """Give the account the address that the link was mailed to.

    The address counts as verified. Sessions stay. A mail to the old address tells the owner. A link
    works once and for an hour; a newer one or a new password voids it. If another account has the
    address by now, nothing changes and the link stays good.
    """
    token = one_time_tokens.find("change", body.token)
    log_context.bind(user=token.user_id)
    change_email(token, registry.get(Outbox), current_client())
