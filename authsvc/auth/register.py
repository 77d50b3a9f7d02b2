"""POST /auth/register: create an account. It issues no tokens; the client logs in next."""

from dataclasses import dataclass, field
from typing import Annotated
from uuid import UUID

from pydantic import Field

from authsvc.audit.record import user_at
from authsvc.guard.access_token import public
from authsvc.problems import EmailTaken, RateLimited, RegistrationClosed
from authsvc.ratelimit.throttle import Throttle
from authsvc.settings import Settings
from authsvc.users import accounts
from authsvc.users.emails import Email
from authsvc.users.passwords import ChosenPassword, Passwords
from authsvc.web import registry
from authsvc.web.client import current_client
from authsvc.web.inputs import Body, takes
from authsvc.web.outputs import Instant, answers


class NewAccount(Body):
    """The e-mail address and password of the new account.

    Args:
        email: an address that no account has yet; case does not matter. No mail is sent to it.
        password: long enough, and not on the lists of passwords that attackers try first. All
            characters are allowed; they are counted after normalisation (NFC).
    """

    email: Annotated[Email, Field(json_schema_extra={"format": "email"})]
    password: ChosenPassword


@dataclass(frozen=True)
class Registered:
    """The account that was created.

    Args:
        id: the account's id, which never changes; the `sub` claim of its access tokens.
        email: the address as the client sent it.
        created_at: the time of the registration.
    """

    id: UUID
    email: str = field(metadata={"examples": ["alice@example.com"]})
    created_at: Instant


@public
@takes(NewAccount)
@answers(201, may=[RegistrationClosed, EmailTaken, RateLimited])
def register(body: NewAccount) -> Registered:
    """Create an account.

    No session is opened and no token issued: the client logs in next.
    """
    if registry.get(Settings).registration == "closed":
        raise RegistrationClosed
    passwords, client = registry.get(Passwords), current_client()
    with passwords.admitted(), registry.get(Throttle).registration(client.ip_address):
        account = accounts.register(passwords, body.email, body.password, user_at(client))
    return Registered(account.id, account.email, account.created_at)
