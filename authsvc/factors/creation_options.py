"""WebAuthn's `PublicKeyCredentialCreationOptionsJSON` for a new passkey of an account."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal
from uuid import UUID

from sqlalchemy import Connection, select

from authsvc.factors.challenges import LIFE, Challenges
from authsvc.factors.model import Passkey
from authsvc.factors.public_keys import ALGORITHMS
from authsvc.factors.registration import refuse_too_many
from authsvc.factors.relying_party import Site
from authsvc.tokens.keyring import encode
from authsvc.users.emails import ALICE
from authsvc.users.model import User

PublicKey = Literal["public-key"]


@dataclass(frozen=True)
class RelyingPartyEntity:
    """The service, as the authenticator shows it.

    Args:
        id: the domain that the passkey belongs to.
        name: the same.
    """

    id: str = field(metadata={"examples": ["example.com"]})
    name: str = field(metadata={"examples": ["example.com"]})


@dataclass(frozen=True)
class UserEntity:
    """The account, as the authenticator shows it.

    Args:
        id: the account's id, as base64url of its 16 bytes.
        name: the account's address.
        displayName: the same.
    """

    id: str = field(metadata={"examples": ["AZ8Hk2s1cAC4nT5xYzQyNg"]})
    name: str = field(metadata={"examples": [ALICE]})
    displayName: str = field(metadata={"examples": [ALICE]})


@dataclass(frozen=True)
class KeyParameters:
    """A kind of key that we accept.

    Args:
        type: `public-key`.
        alg: a COSE algorithm: -7 is ES256, -257 RS256.
    """

    type: PublicKey
    alg: int = field(metadata={"examples": [-7]})


@dataclass(frozen=True)
class KnownCredential:
    """A passkey that the account has already.

    Args:
        type: `public-key`.
        id: its id, as base64url.
    """

    type: PublicKey
    id: str = field(metadata={"examples": ["Zm9yIGV4YW1wbGUgb25seQ"]})


@dataclass(frozen=True)
class AuthenticatorSelection:
    """What the authenticator must do.

    Args:
        residentKey: `required`: the authenticator can list the passkey by itself.
        requireResidentKey: the same, for older browsers.
        userVerification: `required`: it verifies a fingerprint, a face or a PIN.
    """

    residentKey: Literal["required"] = "required"
    requireResidentKey: Literal[True] = True
    userVerification: Literal["required"] = "required"


@dataclass(frozen=True)
class CreationOptions:
    """WebAuthn's `PublicKeyCredentialCreationOptionsJSON`.

    Args:
        rp: the service.
        user: the account.
        challenge: what the response must contain, as base64url; it is good for five minutes, once,
            and for this account.
        pubKeyCredParams: the kinds of keys that we accept, best first.
        timeout: milliseconds that the person has.
        excludeCredentials: the passkeys of the account: their authenticators refuse a second one.
        authenticatorSelection: what the authenticator must do.
        attestation: `none`: we do not ask which make it is.
    """

    rp: RelyingPartyEntity
    user: UserEntity
    challenge: str = field(metadata={"examples": ["Zm9yIGV4YW1wbGUgb25seQ"]})
    pubKeyCredParams: list[KeyParameters]
    timeout: int = field(metadata={"examples": [300_000]})
    excludeCredentials: list[KnownCredential]
    authenticatorSelection: AuthenticatorSelection
    attestation: Literal["none"]


def creation_options(
    connection: Connection, challenges: Challenges, site: Site, user_id: UUID, now: datetime
) -> CreationOptions:
    """Return the options for a new passkey of an account.

    Args:
        connection: in a transaction that has locked the account.
        challenges: issues the challenge.
        site: the relying party.
        user_id: the account.
        now: our time.

    Raises:
        FactorExists: the account has as many passkeys as it may have.
    """
    email = connection.execute(select(User.email).where(User.id == user_id)).scalar_one()
    of_user = select(Passkey.credential_id).where(Passkey.user_id == user_id).order_by(Passkey.id)
    known = connection.execute(of_user).scalars().all()
    refuse_too_many(len(known))
    return CreationOptions(
        rp=RelyingPartyEntity(site.domain, site.domain),
        user=UserEntity(encode(user_id.bytes), email, email),
        challenge=encode(challenges.issue("register", now, user_id)),
        pubKeyCredParams=[KeyParameters("public-key", number) for number in ALGORITHMS],
        timeout=int(LIFE.total_seconds() * 1000),
        excludeCredentials=[KnownCredential("public-key", encode(one)) for one in known],
        authenticatorSelection=AuthenticatorSelection(),
        attestation="none",
    )
