"""Passkeys of people, added and used over HTTP."""

from typing import Any

from sqlalchemy import Connection, Row, select
from werkzeug.test import TestResponse

from authsvc.factors.model import Passkey, UsedChallenge
from authsvc.sessions.model import RefreshToken
from tests.support.people import Person
from tests.support.software_authenticator import SoftwareAuthenticator


def creation_options(person: Person) -> dict[str, Any]:
    """Return the options for a new passkey of a person who is logged in."""
    answer = person.call("POST", "/api/me/passkeys/options", json={})
    assert answer.status_code == 200, answer.json
    return dict(answer.json)


def register(person: Person, credential: dict[str, Any], name: str = "phone") -> TestResponse:
    """Send what the browser made of the options."""
    body = {"name": name, "credential": credential}
    return person.call("POST", "/api/me/passkeys", json=body)


def add_passkey(
    person: Person,
    authenticator: SoftwareAuthenticator | None = None,
    *,
    name: str = "phone",
    **faults: Any,
) -> SoftwareAuthenticator:
    """Add a passkey to the account of a person who is logged in, and return its authenticator.

    Args:
        person: the person.
        authenticator: holds the passkey; by default a new one.
        name: of the passkey.
        faults: as `SoftwareAuthenticator.create` takes them.
    """
    authenticator = authenticator or SoftwareAuthenticator()
    credential = authenticator.create(creation_options(person), **faults)
    answer = register(person, credential, name)
    assert answer.status_code == 201, answer.json
    return authenticator


def request_options(person: Person) -> dict[str, Any]:
    """Return the options for any passkey."""
    answer = person.call("POST", "/auth/passkey/options", json={})
    assert answer.status_code == 200, answer.json
    return dict(answer.json)


def assertion(
    person: Person, authenticator: SoftwareAuthenticator, **faults: Any
) -> dict[str, Any]:
    """Return the authenticator's response to new options.

    Args:
        person: asks for the options.
        authenticator: holds the passkey.
        faults: as `SoftwareAuthenticator.get` takes them.
    """
    return authenticator.get(request_options(person), **faults)


def send(person: Person, credential: dict[str, Any], **headers: str) -> TestResponse:
    """Log in with a response of an authenticator."""
    return person.call(
        "POST", "/auth/passkey", json={"credential": credential}, headers=dict(headers)
    )


def log_in_by_passkey(
    person: Person, authenticator: SoftwareAuthenticator, **faults: Any
) -> TestResponse:
    """Log in with a passkey.

    Args:
        person: on this device.
        authenticator: holds the passkey.
        faults: as `SoftwareAuthenticator.get` takes them.
    """
    return send(person, assertion(person, authenticator, **faults))


def stored(connection: Connection) -> list[Row]:
    """Return the rows of passkeys, used challenges and sessions, which a refusal must not change.

    Args:
        connection: past the app.
    """
    tables = (Passkey.__table__, UsedChallenge.__table__, RefreshToken.__table__)
    return [row for table in tables for row in connection.execute(select(table).order_by("id"))]
