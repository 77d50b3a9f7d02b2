"""POST /auth/password/reset: set a new password with the link of a mail."""

from authsvc.guard.access_token import public
from authsvc.mail.outbox import Outbox
from authsvc.problems import TokenInvalid
from authsvc.ratelimit.throttle import Throttle
from authsvc.sessions.reset_password import account_of, reset_password
from authsvc.users import one_time_tokens
from authsvc.users.one_time_tokens import LinkToken
from authsvc.users.passwords import ChosenPassword, Passwords
from authsvc.web import log_context, registry
from authsvc.web.client import current_client
from authsvc.web.inputs import Body, takes
from authsvc.web.outputs import answers


class PasswordReset(Body):
    """The token of a link, and the new password.

    Args:
        token: what follows `#token=` in the link of the mail.
        new_password: the new password, with the same rules as at registration.
    """

    token: LinkToken
    new_password: ChosenPassword


@public
@takes(PasswordReset)
@answers(204, may=[TokenInvalid])
def password_reset(body: PasswordReset) -> None:
    """Set a new password, and revoke every session of the account.

    It opens no session: the client logs in next. A link works once and for 30 minutes, and a newer
    link or a new password voids it. A password that is refused does not use it up. The owner gets
    a mail about it.
    """
    passwords = registry.get(Passwords)
    token = one_time_tokens.find("reset", body.token)
    user_id, email = account_of(token)
    log_context.bind(user=user_id)
    passwords.refuse_weak(body.new_password, email, "/new_password")
    with passwords.admitted():
        new_hash = passwords.hash(body.new_password)
    # Before the token is used: if the counts cannot be cleared, the client can try again.
    registry.get(Throttle).password_replaced(token.email_key, user_id)
    reset_password(token, new_hash, registry.get(Outbox), current_client())
