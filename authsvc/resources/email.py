"""POST /api/me/email: mail a link to the new address of the account."""

from sqlalchemy import Connection

from authsvc import clock
from authsvc.audit.record import Event, record, user_at
from authsvc.database import transaction
from authsvc.guard.access_token import current_access_token
from authsvc.mail.outbox import Mail, Outbox
from authsvc.problems import RateLimited, ReauthenticationRequired
from authsvc.ratelimit.mail_limits import MailLimits
from authsvc.sessions.recent import demand_recent_login
from authsvc.users.emails import EmailAddress, checked_email
from authsvc.users.voided_links import change_waits, void_change
from authsvc.web import registry
from authsvc.web.client import current_client
from authsvc.web.inputs import Body, takes
from authsvc.web.outputs import Accepted, answers


class NewAddress(Body):
    """The new e-mail address of the account.

    Args:
        email: the new address; the link goes there.
    """

    email: EmailAddress


@takes(NewAddress)
@answers(202, may=[ReauthenticationRequired, RateLimited], operation_id="email_request_change")
def request_change(body: NewAddress) -> Accepted:
    """Mail a link to a new address. Nothing changes before the link is used.

    The response is the same, in the same time, whether or not another account has the address. A
    newer request voids the link of an older one. A second request for the same address within five
    minutes sends no second mail, unless the first one's link is void.
    """
    email, key = checked_email(body.email)
    token, client, outbox = current_access_token(), current_client(), registry.get(Outbox)
    mail = Mail("change", email, key, token.sub)

    def request(connection: Connection) -> None:
        now = clock.now()
        demand_recent_login(connection, token, now)
        if not is_wanted and change_waits(connection, token.sub, key):
            return
        void_change(connection, token.sub)
        outbox.add(connection, mail)
        event = Event("email_change_requested", token.sub, token.sid)
        record(connection, user_at(client), event, at=now)

    with registry.get(MailLimits).request("change", key, client.ip_address, token.sub) as is_wanted:
        transaction(request)
        outbox.wake()
    return Accepted()
