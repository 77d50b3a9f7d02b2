"""POST /auth/register where addresses must be verified: nothing exists before the link is used."""

from authsvc.auth.register import NewAccount
from authsvc.guard.access_token import public
from authsvc.mail.outbox import Outbox
from authsvc.problems import RateLimited, RegistrationClosed
from authsvc.ratelimit.failed_networks import FailedNetworks
from authsvc.ratelimit.throttle import Throttle
from authsvc.settings import Settings
from authsvc.tokens.one_time import OneTimeTokens
from authsvc.users import unverified_registration
from authsvc.users.passwords import Passwords
from authsvc.web import registry
from authsvc.web.client import remote_address
from authsvc.web.inputs import takes
from authsvc.web.outputs import Accepted, answers


@public
@takes(NewAccount)
@answers(202, may=[RegistrationClosed, RateLimited], operation_id="register")
def register_unverified(body: NewAccount) -> Accepted:
    """Ask for an account.

    A link is mailed to the address. It creates the account, together with the password: see
    `POST /auth/email/verify`. If an account has the address, its owner gets a mail that says so.
    The response is the same, in the same time, for every address.
    """
    if registry.get(Settings).registration == "closed":
        raise RegistrationClosed
    passwords, outbox = registry.get(Passwords), registry.get(Outbox)
    address = remote_address()
    failed_lately = registry.get(FailedNetworks).contains(address)
    with passwords.admitted(failed_lately), registry.get(Throttle).registration(address):
        unverified_registration.wait_for_proof(
            passwords, registry.get(OneTimeTokens), outbox, body.email, body.password, body.locale
        )
    outbox.wake()
    return Accepted()
