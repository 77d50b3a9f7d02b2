"""Valid and invalid calls of each operation of /openapi.json."""

from __future__ import annotations

import re
from copy import copy, deepcopy
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import time_machine
from flask import Flask
from sqlalchemy import update
from werkzeug.test import TestResponse

from authsvc import clock
from authsvc.database import writing
from authsvc.factors.registration import MAX_PASSKEYS
from authsvc.ratelimit.limits import FACTOR_CHANGES_PER_ACCOUNT
from authsvc.ratelimit.throttle import Throttle
from authsvc.tokens.one_time import Purpose
from authsvc.users.model import User
from authsvc.web import registry
from tests.support.api_description import Description, Operation
from tests.support.authenticator_app import scan, set_up
from tests.support.factor_rows import insert_passkey
from tests.support.passkeys import creation_options
from tests.support.people import Person
from tests.support.recovery import link_of
from tests.support.responses import claims
from tests.support.second_factors import give_totp
from tests.support.software_authenticator import SoftwareAuthenticator

PURPOSES: dict[str, Purpose] = {
    "/auth/password/reset": "reset",
    "/auth/email/verify": "verification",
    "/auth/email/change": "change",
}
"""What the links are for whose tokens these operations take."""
MANY_TIMES = 105
"""More attempts than any limit allows."""
OF_FACTORS = ("/api/me/totp", "/api/me/recovery-codes", "/api/me/passkeys")
"""How the paths of operations begin that change factors."""


class OperationCalls:
    """Calls of one operation by a person of its own, with everything that it takes.

    Args:
        operation: the operation.
        body: its body.
        person: the caller, who gets an account and is logged in.
        number: distinguishes it from the other operations.
    """

    def __init__(
        self, operation: Operation, body: dict[str, Any] | None, person: Person, number: int
    ) -> None:
        self.operation = operation
        self.body = body
        self.person = person
        self.number = number
        self.home = {"REMOTE_ADDR": f"127.0.1.{number}"}  # an address without registrations
        account = person.call(
            "POST", "/auth/register", json=person.credentials, environ_base=self.home
        )
        assert account.status_code == 201, account.text
        person.logged_in()
        if self.body is not None and "email" in self.body:
            self.body["email"] = f"nobody{number}@example.com"
        if self.body is not None and "access_token" in self.body:
            self.body["access_token"] = self.person.access_token
        if operation.path.startswith(OF_FACTORS):
            verify_address(person)
        if self.body is not None and operation.path == "/api/me/passkeys":
            self.body["credential"] = SoftwareAuthenticator().create(creation_options(person))

    def at(self, app: Flask) -> OperationCalls:
        """Return a copy whose caller talks to another app on the same database."""
        other = copy(self)
        other.body = deepcopy(self.body)
        other.person = self.person.on_same_device()
        other.person.app = app
        return other

    def call(self, headers: dict[str, str] | None = None, **kwargs: Any) -> TestResponse:
        path = re.sub("{.*}", str(uuid4()), self.operation.path)
        kwargs.setdefault("environ_base", self.home)
        if self.body is not None and "data" not in kwargs:
            kwargs["json"] = self.body
        sent = dict(headers or {})
        if {"access_token": []} in self.operation.description[
            "security"
        ] and self.person.access_token:
            sent["Authorization"] = f"Bearer {self.person.access_token}"
        return self.person.call(self.operation.method, path, headers=sent, **kwargs)

    def too_often(self) -> TestResponse:
        """Call more often than any limit allows; once, if the document knows of no limit."""
        if "429" not in self.operation.description["responses"]:
            return self.call()
        if self.operation.path.startswith(OF_FACTORS):
            use_up_factor_changes(self.person)
            return self.call()
        with time_machine.travel(clock.now(), tick=False):
            self.with_a_link()
            for _ in range(MANY_TIMES):
                if (answer := self.call()).status_code == 429:
                    break
        return answer

    def after(self, **time: int) -> TestResponse:
        with time_machine.travel(clock.now() + timedelta(**time), tick=False):
            return self.call()

    def after_a_logout(self) -> TestResponse:
        """Call later than the operation before: workers cache revoked sessions for a second."""
        with time_machine.travel(clock.now() + timedelta(seconds=5 * self.number), tick=False):
            self.person.on_same_device().log_out()
            return self.after(seconds=2)

    def after_a_refresh(self, **time: int) -> TestResponse:
        with time_machine.travel(clock.now() + timedelta(**time), tick=False):
            self.person.refresh()
            return self.call()

    def with_a_link(self, *left_out: str, email: str | None = None) -> TestResponse:
        """Call with the token of a link that works, where the operation takes one; no cookie.

        Args:
            left_out: members of the body that are not sent.
            email: where the link goes, by default to the person's own address.
        """
        if self.operation.path in PURPOSES:
            assert self.body is not None
            self.person.refresh_token = ""
            self.body["token"] = link_of(self.person, PURPOSES[self.operation.path], email)
            self.body = {name: one for name, one in self.body.items() if name not in left_out}
        return self.call()

    def by_password_alone(self, **time: int) -> TestResponse:
        """Call with the right password, after an account with a second factor was refreshed."""
        passwords = dict.fromkeys(("password", "current_password"), self.person.password)
        if self.body is not None:
            known = passwords | {"email": self.person.email}
            self.body |= {name: known[name] for name in known.keys() & self.body.keys()}
        give_totp(self.person)
        return self.after_a_refresh(**time)

    def without_a_recent_login(self) -> TestResponse:
        """Call 11 minutes after the login; at once, if a passkey is added, which takes 5 at most.

        The account has a second factor then, which the session was not opened with.
        """
        adds_passkey = self.operation.path == "/api/me/passkeys"
        return self.by_password_alone(minutes=0 if adds_passkey else 11)

    def with_a_new_secret(self) -> TestResponse:
        """Call while the secret of an authenticator app waits for its first code."""
        if self.operation.path == "/api/me/totp":
            scan(self.person)
        return self.call()

    def with_every_factor(self) -> TestResponse:
        """Call for an account that can have no more factors."""
        if self.operation.path.startswith(OF_FACTORS):
            set_up(self.person)
            with self.person.app.app_context(), writing() as connection:
                for _ in range(MAX_PASSKEYS):
                    insert_passkey(connection, self.person)
        return self.call()

    def twice(self) -> TestResponse:
        """Call twice with the same body, and return the second response."""
        self.call()
        return self.call()

    def with_token(self, token: str) -> TestResponse:
        self.person.access_token = token
        return self.call()

    def with_cookie(self, refresh_token: str) -> TestResponse:
        self.person.refresh_token = refresh_token
        return self.call()

    def with_invalid_input(self) -> TestResponse:
        """Call with a body without members, or with a query string that is invalid."""
        parameters = self.operation.description.get("parameters", [])
        query = {one["name"]: "invalid" for one in parameters if one["in"] == "query"}
        return self.call(query_string=query) if query else self.with_body("{}")

    def with_body(self, body: str, content_type: str = "application/json") -> TestResponse:
        return self.call({"Content-Type": content_type}, data=body)


def verify_address(person: Person) -> None:
    """Mark the address of a person as verified, without which no factor can be added."""
    key = User.email_key == person.email
    with person.app.app_context(), writing() as connection:
        connection.execute(update(User).where(key).values(email_verified_at=clock.now()))


def use_up_factor_changes(person: Person) -> None:
    """Count as many changes of factors as an account may have in an hour."""
    user_id = UUID(str(claims(person.access_token)["sub"]))
    with person.app.app_context():
        for _ in range(FACTOR_CHANGES_PER_ACCOUNT.amount):
            with registry.get(Throttle).factor_change(user_id):
                pass


def all_operation_calls(
    app: Flask, description: Description, operations: list[Operation]
) -> list[OperationCalls]:
    """Return the calls of each operation."""
    return [
        OperationCalls(
            operation,
            body_for(description, operation),
            Person(app, f"person{number}@example.com", "a horse that is correct"),
            number,
        )
        for number, operation in enumerate(operations, 1)
    ]


def body_for(description: Description, operation: Operation) -> dict[str, Any] | None:
    """Return the body that the document gives as an example."""
    if "requestBody" not in operation.description:
        return None
    schema = operation.description["requestBody"]["content"]["application/json"]["schema"]
    taken = description.resolved(schema)
    return dict(description.example_of(taken))
