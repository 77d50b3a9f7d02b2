"""POST /auth/register: a new account, and no tokens: the client logs in next."""

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
    """Who wants an account.

    Args:
        email: an address that no account has yet, in whatever case; no mail is sent to it.
        password: at least so many characters, and none of those that attackers try first. Any
            characters will do; they are counted after normalisation (NFC).
    """

    email: Annotated[Email, Field(json_schema_extra={"format": "email"})]
    password: ChosenPassword


@dataclass(frozen=True)
class Registered:
    """The account that was made.

    Args:
        id: never changes, and is the `sub` claim of the access tokens.
        email: as it was written.
        created_at: now.
    """

    id: UUID
    email: str = field(metadata={"examples": ["alice@example.com"]})
    created_at: Instant


@public
@takes(NewAccount)
@answers(201, may=[RegistrationClosed, EmailTaken, RateLimited])
def register(body: NewAccount) -> Registered:
    """Make an account; log in next."""
    if registry.get(Settings).registration == "closed":
        raise RegistrationClosed
    passwords, client = registry.get(Passwords), current_client()
    with passwords.admitted(), registry.get(Throttle).registration(client.ip_address):
        account = accounts.register(passwords, body.email, body.password, user_at(client))
    return Registered(account.id, account.email, account.created_at)
