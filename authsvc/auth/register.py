"""POST /auth/register: a new account, and no tokens: the client logs in next."""

from dataclasses import dataclass, field
from typing import Annotated
from uuid import UUID

from pydantic import Field

from authsvc.guard.access_token import public
from authsvc.problems import EmailTaken, RateLimited, RegistrationClosed
from authsvc.ratelimit.throttle import Throttle
from authsvc.settings import Settings
from authsvc.users import accounts
from authsvc.users.passwords import ChosenPassword, Passwords
from authsvc.web.inputs import Body, remote_address, takes
from authsvc.web.outputs import Instant, answers
from authsvc.web.registry import component


class NewAccount(Body):
    """Who wants an account.

    Args:
        email: an address that no account has yet, in whatever case; no mail is sent to it.
        password: at least so many characters, and none of those that attackers try first. Any
            characters will do; they are counted after normalisation (NFC).
    """

    email: Annotated[accounts.Email, Field(json_schema_extra={"format": "email"})]
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
    if component(Settings).registration == "closed":
        raise RegistrationClosed
    with component(Passwords).admitted(), component(Throttle).registration(remote_address()):
        account = accounts.register(body.email, body.password)
    return Registered(account.id, account.email, account.created_at)
