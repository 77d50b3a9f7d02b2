"""POST /auth/password/forgot: mail a link with which a new password can be set."""

from authsvc.auth.asked_mail import Address, ask_for_mail
from authsvc.guard.access_token import public
from authsvc.problems import RateLimited
from authsvc.web.inputs import takes
from authsvc.web.outputs import Accepted, answers


@public
@takes(Address)
@answers(202, may=[RateLimited])
def password_forgot(body: Address) -> Accepted:
    """Mail a link for a new password, if there is an account with this address.

    The account is looked up when the mail is sent, so the response is the same, in the same time,
    for every address. A second request within five minutes sends no second mail.
    """
    ask_for_mail("reset", body)
    return Accepted()
