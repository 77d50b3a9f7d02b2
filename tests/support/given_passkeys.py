"""Passkeys of people, put into the database without a request."""

from datetime import datetime

from sqlalchemy import insert
from uuid_utils.compat import uuid7

from authsvc import clock
from authsvc.database import writing
from authsvc.factors.model import Passkey
from tests.support.cbor import cbor
from tests.support.people import Person
from tests.support.second_factors import id_of
from tests.support.software_authenticator import BE, SoftwareAuthenticator


def give_passkey(
    person: Person,
    name: str = "Laptop",
    authenticator: SoftwareAuthenticator | None = None,
    *,
    created_at: datetime | None = None,
    last_used_at: datetime | None = None,
) -> SoftwareAuthenticator:
    """Give the account of a person a passkey, and return its authenticator.

    Args:
        person: the person.
        name: of the passkey.
        authenticator: holds the passkey; by default a new one. The flag BE makes it a synced one.
        created_at, last_used_at: its times.
    """
    authenticator = authenticator or SoftwareAuthenticator()
    with person.app.app_context(), writing() as connection:
        user_id = id_of(person)
        row = {
            "id": uuid7(),
            "user_id": user_id,
            "credential_id": authenticator.credential_id,
            "public_key": cbor(authenticator.public_key),
            "sign_count": authenticator.sign_count or 0,
            "synced": bool(authenticator.flags & BE),
            "name": name,
            "created_at": created_at or clock.now(),
            "last_used_at": last_used_at,
        }
        connection.execute(insert(Passkey), [row])
    authenticator.user_handle = user_id.bytes
    return authenticator
