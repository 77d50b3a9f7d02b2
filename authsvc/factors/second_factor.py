"""Use the second factor of an account, in the transaction of what it allows."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection

from authsvc.audit.record import Event, record, user_at
from authsvc.factors.ceremonies import CeremonyFailed, read_assertion
from authsvc.factors.challenges import Challenges
from authsvc.factors.credentials import AuthenticationCredential
from authsvc.factors.encryption import SecretBox
from authsvc.factors.lookup import second_factors
from authsvc.factors.news import tell
from authsvc.factors.passkeys import ProvenPasskey, find_passkey, use_passkey, verify_passkey
from authsvc.factors.recovery_codes import use_code
from authsvc.factors.refused import FactorRefused
from authsvc.factors.relying_party import Site
from authsvc.factors.totp import use_totp
from authsvc.mail.outbox import Outbox
from authsvc.problems import SecondFactorRequired
from authsvc.tokens.amr import ONE_TIME_CODE, Amr
from authsvc.web.client import Client


@dataclass(frozen=True)
class Factors:
    """What factors are verified with.

    Args:
        box: decrypts TOTP secrets.
        challenges: recognizes the challenges of passkeys.
        outbox: takes the mails that tell the owner.
    """

    box: SecretBox
    challenges: Challenges
    outbox: Outbox


@dataclass(frozen=True)
class Given:
    """The second factor that came with a request: at most one.

    Args:
        code: of the authenticator app.
        recovery_code: one of the recovery codes.
        passkey: a passkey whose response was verified, or why the response was refused.
    """

    code: str | None = field(default=None, repr=False)
    recovery_code: str | None = field(default=None, repr=False)
    passkey: ProvenPasskey | FactorRefused | None = None


def proven_passkey(
    by: Factors, site: Site, credential: AuthenticationCredential, user_id: UUID, now: datetime
) -> ProvenPasskey:
    """Return the passkey of an account, whose response to a challenge is verified.

    Args:
        by: what it is verified with.
        site: the relying party.
        credential: the response.
        user_id: the account.
        now: our time.

    Raises:
        FactorRefused: the response is not one of a passkey of this account.
    """
    try:
        assertion = read_assertion(credential)
    except CeremonyFailed:
        raise FactorRefused("passkey_refused") from None
    found = find_passkey(assertion)
    if found is None or found.user_id != user_id:
        raise FactorRefused("passkey_refused")
    return verify_passkey(by.challenges, site, assertion, found, now)


def use_second_factor(
    connection: Connection, by: Factors, user_id: UUID, given: Given, client: Client, now: datetime
) -> Amr:
    """Use what the person gave beside the password, and return the methods; none without factors.

    Args:
        connection: in a transaction that has locked the account, so that no factor is added
            meanwhile.
        by: what factors are verified with.
        user_id: the account, whose password is right.
        given: what the person gave; it is ignored if the account has no second factor.
        client: where the request came from.
        now: our time.

    Raises:
        SecondFactorRequired: the account has one, and none was given.
        FactorRefused: the one that was given is wrong, or was used before.
    """
    factors = second_factors(connection, user_id)
    if not factors.exist:
        return ()
    if given.code is not None:
        if not use_totp(connection, by.box, user_id, given.code, now):
            raise FactorRefused("wrong_code")
        return ONE_TIME_CODE
    if given.recovery_code is not None:
        if not use_code(connection, user_id, given.recovery_code, now):
            raise FactorRefused("wrong_recovery_code")
        record(connection, user_at(client), Event("recovery_code_used", user_id), at=now)
        tell(connection, by.outbox, "recovery_code_used", user_id)
        return ONE_TIME_CODE
    if isinstance(given.passkey, FactorRefused):
        raise given.passkey
    if given.passkey is not None:
        return use_passkey(connection, given.passkey, user_id, now)
    raise SecondFactorRequired(factors.methods())
