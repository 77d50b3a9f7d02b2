"""POST /auth/register: create an account. It issues no tokens; the client logs in next."""

from dataclasses import dataclass, field
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from authsvc.audit.record import user_at
from authsvc.guard.access_token import public
from authsvc.locales import PATTERN, is_locale
from authsvc.mail.outbox import Outbox
from authsvc.problems import EmailTaken, FaultCode, RateLimited, RegistrationClosed
from authsvc.ratelimit.failed_networks import FailedNetworks
from authsvc.ratelimit.throttle import Throttle
from authsvc.settings import Settings
from authsvc.users import registration
from authsvc.users.emails import EmailAddress
from authsvc.users.passwords import ChosenPassword, Passwords
from authsvc.web import registry
from authsvc.web.client import current_client
from authsvc.web.inputs import Body, takes
from authsvc.web.outputs import Instant, answers


def _locale(text: str) -> str:
    if not is_locale(text):
        raise PydanticCustomError(
            FaultCode.INVALID_FORMAT.value, "This is not a language tag, such as en or pt-BR."
        )
    return text


Locale = Annotated[str, AfterValidator(_locale), Field(json_schema_extra={"pattern": PATTERN})]


class NewAccount(Body):
    """The e-mail address and password of the new account.

    Args:
        email: an address that no account has yet; case does not matter. A link that verifies it
            is mailed to it, if the service sends mail.
        password: long enough, and not on the lists of passwords that attackers try first. All
            characters are allowed; they are counted after normalisation (NFC).
        locale: the language of the person's mails (BCP 47).
    """

    email: EmailAddress
    password: ChosenPassword
    locale: Locale | None = Field(None, examples=["pt-BR"])


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

    No session is opened and no token issued: the client logs in next. If the service sends mail, a
    link that verifies the address is mailed to it.
    """
    settings, outbox = registry.get(Settings), registry.get(Outbox)
    if settings.registration == "closed":
        raise RegistrationClosed
    passwords, client = registry.get(Passwords), current_client()
    failed_lately = registry.get(FailedNetworks).contains(client.ip_address)
    with (
        passwords.admitted(failed_lately),
        registry.get(Throttle).registration(client.ip_address),
    ):
        account = registration.register(
            passwords,
            body.email,
            body.password,
            user_at(client),
            locale=body.locale,
            outbox=None if settings.verification == "off" else outbox,
        )
    outbox.wake()
    return Registered(account.id, account.email, account.created_at)
