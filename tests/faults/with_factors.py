"""People with second factors, for services that run in processes of their own."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from threading import Barrier
from typing import Any, TypeVar
from uuid import UUID

from flask import Flask
from pyotp import TOTP
from sqlalchemy import Connection, func, insert, select, update
from uuid_utils.compat import uuid7

from authsvc import clock, create_app
from authsvc.audit.model import SecurityEvent
from authsvc.database import our_engine, reading, writing
from authsvc.factors.model import Passkey, RecoveryCode, Totp
from authsvc.sessions.model import RefreshToken
from authsvc.settings import Settings
from authsvc.users.model import User
from tests.faults.visitor import PASSWORD, Answer, Visitor
from tests.support.authenticator_app import AuthenticatorApp
from tests.support.cbor import cbor
from tests.support.mailbox import APP_URL
from tests.support.people import Person
from tests.support.second_factors import give_recovery_codes, give_totp, id_of
from tests.support.signing_secrets import ACCESS_SECRET, FACTOR_SECRET, REFRESH_SECRET
from tests.support.software_authenticator import SoftwareAuthenticator

ISSUER = "https://auth.example.com"
CLIENTS = 8
WORKERS = 4
T = TypeVar("T")


def settings_of(folder: Path) -> dict[str, str]:
    """Return the settings of a service with factors and mail, behind one proxy."""
    return {
        "factor_secret": FACTOR_SECRET.hex(),
        "issuer": ISSUER,
        "trusted_proxies": "1",
        "mail_url": f"file://{folder / 'mail'}",
        "mail_from": "no-reply@example.com",
        "app_url": APP_URL,
    }


@dataclass(frozen=True)
class Town:
    """The people of one service, and its database.

    Args:
        port: where the service listens.
        app: an app in this process on the same database, without limits.
    """

    port: int
    app: Flask

    def person(self) -> Resident:
        """Return a person with a new account and a verified address, on a network of their own."""
        number = next(_numbers)
        visitor = Visitor(self.port, f"resident{number}@example.com")
        visitor.address = f"192.0.{2 + number // 250}.{number % 250 + 1}"
        there = Person(self.app, visitor.email, PASSWORD).register()
        with self.app.app_context(), writing() as connection:
            verified = update(User).values(email_verified_at=clock.now())
            connection.execute(verified.where(User.id == id_of(there)))
        return Resident(visitor, there)

    def rows_of(self, user_id: UUID) -> dict[type[Any], int]:
        """Return how many rows of each kind an account has, which may be deleted."""
        tables = (Totp, RecoveryCode, Passkey, RefreshToken)
        with self.app.app_context(), reading() as connection:
            return {table: rows_of(connection, table, table.user_id == user_id) for table in tables}


_numbers = count(1)


def town(database_url: str, port: int, folder: Path) -> Town:
    """Return the people of a service on that database."""
    chosen = {
        **settings_of(folder),
        "database_url": database_url,
        "access_token_secret": ACCESS_SECRET.hex(),
        "refresh_token_secret": REFRESH_SECRET.hex(),
        "rate_limit_factor": "1000",
    }
    return Town(port, create_app(Settings.model_validate(chosen)))


@dataclass(frozen=True)
class Resident:
    """A person with an account.

    Args:
        visitor: uses the service over connections.
        there: the same person, in this process.
    """

    visitor: Visitor
    there: Person

    @property
    def id(self) -> UUID:
        with self.there.app.app_context():
            return id_of(self.there)

    def with_totp(self) -> TOTP:
        return give_totp(self.there)

    def with_codes(self) -> list[str]:
        return give_recovery_codes(self.there)

    def with_passkey(self, **kept: Any) -> SoftwareAuthenticator:
        """Give the account a passkey, as if it had been added a while ago."""
        authenticator = SoftwareAuthenticator(ISSUER, **kept)
        with self.there.app.app_context(), writing() as connection:
            authenticator.user_handle = id_of(self.there).bytes
            row = {
                "id": uuid7(),
                "user_id": id_of(self.there),
                "credential_id": authenticator.credential_id,
                "public_key": cbor(authenticator.public_key),
                "sign_count": 0,
                "synced": False,
                "name": "phone",
                "created_at": clock.now(),
                "last_used_at": None,
            }
            connection.execute(insert(Passkey).values(row))
        return authenticator

    def scanned(self) -> AuthenticatorApp:
        """Return an app that has a new secret, which is not confirmed."""
        setup = self.visitor.call("POST", "/api/me/totp", {})
        assert setup.status == 200, setup
        return AuthenticatorApp(setup.body["uri"])

    def new_credential(self, authenticator: SoftwareAuthenticator) -> dict[str, Any]:
        """Return the body that adds the passkey of an authenticator to the account."""
        options = self.visitor.call("POST", "/api/me/passkeys/options", {})
        assert options.status == 200, options
        return {"name": "phone", "credential": authenticator.create(options.body)}

    def assertion(self, authenticator: SoftwareAuthenticator) -> dict[str, Any]:
        """Return the authenticator's response to new options of the service."""
        options = self.visitor.call("POST", "/auth/passkey/options", {})
        assert options.status == 200, options
        return authenticator.get(options.body)

    def rows(self, table: type[Any], *which: Any) -> int:
        """Return how many rows of a table the account has."""
        with self.there.app.app_context(), reading() as connection:
            return rows_of(connection, table, table.user_id == self.id, *which)

    def refusals(self, event: str = "login_refused") -> list[str | None]:
        """Return the details of the account's refusals of one kind."""
        query = select(SecurityEvent.detail).where(
            SecurityEvent.user_id == self.id, SecurityEvent.event == event
        )
        with self.there.app.app_context(), reading() as connection:
            return list(connection.execute(query).scalars())


def rows_of(connection: Connection, table: type[Any], *which: Any) -> int:
    query = select(func.count()).select_from(table).where(*which)
    return int(connection.execute(query).scalar_one())


def at_once(*tasks: Callable[[], T]) -> list[T]:
    """Call the functions in threads that start together, and return what they return, in order."""
    barrier = Barrier(len(tasks))

    def run(task: Callable[[], T]) -> T:
        barrier.wait()
        return task()

    with ThreadPoolExecutor(len(tasks)) as threads:
        return list(threads.map(run, tasks))


def one_wins(answers: list[Answer], *losers: str) -> Answer:
    """Assert that one request succeeded and the others were refused alike, and return it."""
    (winner,) = (answer for answer in answers if answer.status < 300)
    refused = [answer for answer in answers if answer is not winner]
    assert all(400 <= answer.status < 500 for answer in refused)
    assert {answer.code for answer in refused} <= set(losers)
    assert {answer.cookie for answer in refused} == {None}
    return winner


def close(app: Flask) -> None:
    with app.app_context():
        our_engine().dispose()
