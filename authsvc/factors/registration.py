"""Add a passkey to an account, and remove one."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, delete, func, insert, select
from sqlalchemy.exc import IntegrityError
from uuid_utils.compat import uuid7

from authsvc.factors.ceremonies import CeremonyFailed, NewKey, challenge_of, verify_registration
from authsvc.factors.challenges import Challenge, ChallengeInvalid, Challenges, use
from authsvc.factors.credentials import RegistrationCredential
from authsvc.factors.lookup import second_factors
from authsvc.factors.model import Passkey
from authsvc.factors.recovery_codes import remove_codes
from authsvc.factors.relying_party import Site
from authsvc.problems import CredentialRefused, FactorExists
from authsvc.tokens.amr import Amr, passkey_amr

MAX_PASSKEYS = 20
"""Passkeys of an account: more than a person has devices."""


@dataclass(frozen=True)
class NewPasskey:
    """A new key that responded to a challenge of ours, which may have been used.

    Args:
        key: the key.
        challenge: what it responded to.
    """

    key: NewKey
    challenge: Challenge

    @property
    def amr(self) -> Amr:
        """The methods that it stands for: its user was verified when it was made."""
        return passkey_amr(synced=self.key.synced)


def verify_new_passkey(
    challenges: Challenges,
    site: Site,
    credential: RegistrationCredential,
    user_id: UUID,
    now: datetime,
) -> NewPasskey:
    """Verify a browser's response to the options. It costs no statement.

    Args:
        challenges: recognizes the challenge.
        site: the relying party.
        credential: the response.
        user_id: the account that asked for the options.
        now: our time.

    Raises:
        CredentialRefused: a check of WebAuthn level 3, section 7.1, failed.
    """
    try:
        said = challenge_of(credential.response.clientDataJSON)
        challenge = challenges.recognize(said, "register", now, user_id)
        return NewPasskey(verify_registration(credential, said, site), challenge)
    except (ValueError, ChallengeInvalid, CeremonyFailed):
        raise CredentialRefused from None


def add_passkey(
    connection: Connection, user_id: UUID, new: NewPasskey, name: str, now: datetime
) -> UUID:
    """Store a new passkey, and return the id of its row.

    Args:
        connection: in a transaction that has locked the account, and fails as a whole if the
            passkey is refused.
        user_id: the account.
        new: the verified response.
        name: what the person calls it.
        now: our time.

    Raises:
        CredentialRefused: the challenge was used, or an account has that passkey (section 7.1,
            step 26).
        FactorExists: the account has as many as it may have.
    """
    count = select(func.count()).where(Passkey.user_id == user_id)
    refuse_too_many(connection.execute(count).scalar_one())
    if not use(connection, new.challenge):
        raise CredentialRefused
    passkey_id = uuid7()
    row = {
        "id": passkey_id,
        "user_id": user_id,
        "credential_id": new.key.credential_id,
        "public_key": new.key.public_key,
        "sign_count": new.key.sign_count,
        "synced": new.key.synced,
        "name": name,
        "created_at": now,
        "last_used_at": None,
    }
    try:
        connection.execute(insert(Passkey).values(row))
    except IntegrityError:
        raise CredentialRefused from None
    return passkey_id


def remove_passkey(connection: Connection, user_id: UUID, passkey_id: UUID) -> bool:
    """Remove a passkey, and the recovery codes if no factor is left.

    Args:
        connection: in a transaction that has locked the account.
        user_id: the account.
        passkey_id: the id of its row.

    Returns:
        Whether the account had it.
    """
    removed = connection.execute(
        delete(Passkey)
        .where(Passkey.id == passkey_id, Passkey.user_id == user_id)
        .returning(Passkey.id)
    )
    if removed.one_or_none() is None:
        return False
    if not second_factors(connection, user_id).exist:
        remove_codes(connection, user_id)
    return True


def refuse_too_many(passkeys: int) -> None:
    """Refuse another passkey for an account that has this many.

    Raises:
        FactorExists: it may have no more.
    """
    if passkeys >= MAX_PASSKEYS:
        raise FactorExists(f"The account has {MAX_PASSKEYS} passkeys already: remove one first.")
