"""Second factors of people, put into the database without a request."""

from datetime import timedelta
from uuid import UUID

from pyotp import TOTP

from authsvc import clock
from authsvc.database import writing
from authsvc.factors import totp
from authsvc.factors.recovery_codes import replace_codes
from authsvc.factors.second_factor import Factors
from authsvc.users import accounts
from authsvc.web import registry
from tests.support.people import Person


def give_totp(person: Person) -> TOTP:
    """Give the account of a person a confirmed TOTP, and return their authenticator app.

    The code that confirmed it is two minutes old, so the current code was not used.
    """
    then = clock.now() - timedelta(minutes=2)
    with person.app.app_context(), writing() as connection:
        user_id, box = id_of(person), registry.get(Factors).box
        secret = totp.begin(connection, box, user_id, then)
        assert secret is not None
        app = totp.totp_of(secret)
        assert totp.confirm(connection, box, user_id, app.at(then), then)
    return app


def give_recovery_codes(person: Person) -> list[str]:
    """Give the account of a person ten recovery codes, and return them."""
    with person.app.app_context(), writing() as connection:
        return replace_codes(connection, id_of(person))


def take_totp(person: Person) -> None:
    """Remove the TOTP of the account of a person."""
    with person.app.app_context(), writing() as connection:
        totp.remove_totp(connection, id_of(person))


def id_of(person: Person) -> UUID:
    """Return the id of the account of a person. An app context must be there."""
    account = accounts.find_by_email(person.email)
    assert account is not None
    return account.id
