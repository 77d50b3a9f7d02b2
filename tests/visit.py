"""Somebody calls one operation of /openapi.json, rightly or wrongly."""

from datetime import timedelta
from itertools import count
from typing import Any
from uuid import uuid4

import time_machine
from flask import Flask
from werkzeug.test import TestResponse

from authsvc import clock
from tests.description import Description, Operation
from tests.people import Person

MANY_TIMES = 70
"""More often than any limit lets something be tried."""

_numbers = count(1)


class Visit:
    """One operation, called by a person of its own with all that it takes.

    Args:
        app: what is called.
        description: its document.
        operation: which operation.
    """

    def __init__(self, app: Flask, description: Description, operation: Operation) -> None:
        self.operation = operation
        self.number = next(_numbers)
        self.body = body_for(description, operation)
        email = f"somebody{self.number}@example.com"
        self.person = Person(app, email, "a horse that is correct").register().logged_in()
        if self.body is not None and "email" in self.body:
            self.body["email"] = f"nobody{self.number}@example.com"
        if self.body is not None and "access_token" in self.body:
            self.body["access_token"] = self.person.access_token

    def call(self, headers: dict[str, str] | None = None, **kwargs: Any) -> TestResponse:
        path = self.operation.path.replace("{sid}", str(uuid4()))
        if self.body is not None and not kwargs:
            kwargs = {"json": self.body}
        sent = dict(headers or {})
        if {"access_token": []} in self.operation.told["security"] and self.person.access_token:
            sent["Authorization"] = f"Bearer {self.person.access_token}"
        return self.person.call(self.operation.method, path, headers=sent, **kwargs)

    def again_and_again(self) -> TestResponse:
        with time_machine.travel(clock.now(), tick=False):
            answers = [self.call() for _ in range(MANY_TIMES)]
        return answers[-1]

    def after(self, **time: int) -> TestResponse:
        with time_machine.travel(clock.now() + timedelta(**time), tick=False):
            return self.call()

    def after_a_logout(self) -> TestResponse:
        """Each visit later than the one before: the list of revoked sessions lives for a second."""
        with time_machine.travel(clock.now() + timedelta(seconds=5 * self.number), tick=False):
            self.person.on_same_device().log_out()
            return self.after(seconds=2)

    def with_token(self, token: str) -> TestResponse:
        self.person.access_token = token
        return self.call()

    def with_cookie(self, refresh_token: str) -> TestResponse:
        self.person.refresh_token = refresh_token
        return self.call()

    def with_body(self, body: str, content_type: str = "application/json") -> TestResponse:
        return self.call({"Content-Type": content_type}, data=body)


def body_for(description: Description, operation: Operation) -> dict[str, str] | None:
    """The body that the document gives as an example."""
    if "requestBody" not in operation.told:
        return None
    told = operation.told["requestBody"]["content"]["application/json"]["schema"]
    taken = description.resolved(told.get("allOf", [told])[0])
    return {name: member["examples"][0] for name, member in taken["properties"].items()}
