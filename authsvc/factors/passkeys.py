"""The passkeys of accounts: find one, verify its response to a challenge, and use it once."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, and_, literal, or_, select, update

from authsvc.database import reading
from authsvc.factors.ceremonies import Assertion, CeremonyFailed, verify_assertion
from authsvc.factors.challenges import Challenge, ChallengeInvalid, Challenges, use
from authsvc.factors.model import Passkey
from authsvc.factors.refused import FactorRefused
from authsvc.factors.relying_party import Site
from authsvc.tokens.amr import Amr, passkey_amr
from authsvc.users.model import User


@dataclass(frozen=True)
class FoundPasskey:
    """A registered passkey, and the account that it is of.

    Args:
        id: of its row.
        user_id: the account.
        public_key: verifies its signatures (COSE).
        synced: whether it may be copied to other devices.
        email_key: the account's address in canonical form.
        is_verified: whether the address is verified.
    """

    id: UUID
    user_id: UUID
    public_key: bytes
    synced: bool
    email_key: str
    is_verified: bool


@dataclass(frozen=True)
class ProvenPasskey:
    """A passkey that signed a challenge of ours, which may have been used.

    Args:
        id: of its row.
        user_id: the account.
        challenge: what it signed.
        sign_count: how often it says that it was used; 0 if it does not count.
        amr: the methods that it stands for.
    """

    id: UUID
    user_id: UUID
    challenge: Challenge
    sign_count: int
    amr: Amr


def find_passkey(assertion: Assertion) -> FoundPasskey | None:
    """Return the passkey that a response claims to be of; None if it is not registered.

    The response names the account too, and it must be the owner (WebAuthn level 3, section 7.2,
    step 6).
    """
    query = (
        select(
            Passkey.id,
            Passkey.user_id,
            Passkey.public_key,
            Passkey.synced,
            User.email_key,
            User.email_verified_at.is_not(None),
        )
        .join(User, User.id == Passkey.user_id)
        .where(Passkey.credential_id == assertion.credential_id)
    )
    with reading() as connection:
        row = connection.execute(query).one_or_none()
    found = None if row is None else FoundPasskey(*row)
    return found if found and found.user_id.bytes == assertion.user_handle else None


def verify_passkey(
    challenges: Challenges, site: Site, assertion: Assertion, found: FoundPasskey, now: datetime
) -> ProvenPasskey:
    """Verify the response of a passkey. It costs no statement.

    Args:
        challenges: recognizes the challenge.
        site: the relying party.
        assertion: the response.
        found: the passkey.
        now: our time.

    Raises:
        FactorRefused: the response is not one of this passkey to a challenge of ours.
    """
    try:
        challenge = challenges.recognize(assertion.challenge, "authenticate", now)
        sign_count, synced = verify_assertion(assertion, site, found.public_key)
    except (ChallengeInvalid, CeremonyFailed):
        raise FactorRefused("passkey_refused") from None
    if synced != found.synced:  # backup eligibility never changes (section 7.2, step 17)
        raise FactorRefused("passkey_refused")
    amr = passkey_amr(synced=synced)
    return ProvenPasskey(found.id, found.user_id, challenge, sign_count, amr)


def use_passkey(connection: Connection, proven: ProvenPasskey, user_id: UUID, now: datetime) -> Amr:
    """Accept a passkey's response once, and return the methods that it stands for.

    Args:
        connection: in a transaction.
        proven: the verified response.
        user_id: the account that it must be of.
        now: our time.

    Raises:
        FactorRefused: the challenge was used, the passkey was removed or is of another account, or
            its sign count went back, so that there may be a copy of it (section 7.2, step 22).
    """
    if not use(connection, proven.challenge):
        raise FactorRefused("challenge_used")
    of_user = and_(Passkey.id == proven.id, Passkey.user_id == user_id)
    counts = or_(
        Passkey.sign_count < proven.sign_count,
        and_(Passkey.sign_count == 0, literal(proven.sign_count) == 0),
    )
    used = connection.execute(
        update(Passkey)
        .where(of_user, counts)
        .values(sign_count=proven.sign_count, last_used_at=now)
        .returning(Passkey.id)
    )
    if used.one_or_none() is None:
        exists = connection.execute(select(Passkey.id).where(of_user)).one_or_none()
        raise FactorRefused("sign_count_went_back" if exists else "passkey_refused")
    return proven.amr
