"""POST /auth/email/resend: mail the link again that verifies an e-mail address."""

from authsvc.auth.asked_mail import Address, ask_for_mail
from authsvc.guard.access_token import public
from authsvc.problems import RateLimited
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
    ask_for_mail("resend", body)
    return Accepted()
