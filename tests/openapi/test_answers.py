"""The routes' responses match /openapi.json: each success, and each problem."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import time_machine
from flask import Flask
from sqlalchemy import Table, delete, insert, select
from werkzeug.test import TestResponse

from authsvc import clock
from authsvc.database import our_tables, reading, schema, writing
from authsvc.guard import public
from authsvc.openapi.description import Description as OpenAPI
from authsvc.web import registry
from tests.conftest import MakeApp
from tests.support.api_description import Description
from tests.support.device import Device
from tests.support.dpop import Prover
from tests.support.mailbox import Mailbox
from tests.support.operation_calls import OperationCalls, all_operation_calls
from tests.support.people import Person
from tests.support.responses import assert_problem, away
from tests.test_budget import BUDGET, WITH_FACTORS, WITH_MAIL
from tests.web.test_problems import DOCUMENTED

pytestmark = pytest.mark.once

SAME = ("type", "title", "status", "code")
"""The members of a problem that are the same in the document's example."""
UTF_16 = "application/json; charset=utf-16"
PROVER = Prover()


def with_an_address_that_is_taken(calls: OperationCalls) -> TestResponse:
    calls.call()  # a registration of the address
    return calls.with_a_link(email="taken@example.com")


def invalid_request(calls: OperationCalls) -> TestResponse:
    if calls.operation.path == "/auth/verify":  # which reads no body
        return calls.with_token("a.b.c, Bearer a.b.c")
    return calls.with_body("{")


def of_a_bound_session(calls: OperationCalls, **headers: str) -> TestResponse:
    """Call with the cookie of a session that is bound to a key."""
    proof = PROVER.proof("/auth/login")
    assert calls.person.log_in(DPoP=proof).status_code == 200
    return calls.call(headers)


def with_a_stale_proof(calls: OperationCalls) -> TestResponse:
    path, method = calls.operation.path, calls.operation.method
    return of_a_bound_session(calls, DPoP=PROVER.proof(path, method=method, iat=0))


def of_a_device(calls: OperationCalls) -> TestResponse:
    """Call with the cookie of a session that is bound to a device."""
    Device().bind(calls.person)
    return calls.call()


PROVOKED: dict[str, Callable[[OperationCalls], TestResponse]] = {
    "invalid_request": invalid_request,
    "access_token_missing": lambda calls: calls.with_token(""),
    "access_token_invalid": lambda calls: calls.with_token("a.b.c"),
    "access_token_expired": lambda calls: calls.after(minutes=11),
    "access_token_revoked": lambda calls: calls.after_a_logout(),
    "invalid_credentials": lambda calls: calls.with_a_link(),
    "second_factor_required": lambda calls: calls.by_password_alone(),
    "token_invalid": lambda calls: calls.call(),
    "password_required": lambda calls: calls.with_a_link("password"),
    "reauthentication_required": lambda calls: calls.without_a_recent_login(),
    "refresh_token_missing": lambda calls: calls.with_cookie(""),
    "refresh_token_invalid": lambda calls: calls.with_cookie("a.b.c"),
    "refresh_token_expired": lambda calls: calls.after(days=8),
    "refresh_token_revoked": lambda calls: calls.after_a_logout(),
    "dpop_proof_missing": of_a_bound_session,
    "dpop_proof_invalid": lambda calls: of_a_bound_session(calls, DPoP="x"),
    "use_dpop_nonce": with_a_stale_proof,
    "device_proof_missing": of_a_device,
    "device_proof_invalid": lambda calls: calls.call(),
    "cross_origin_refused": lambda calls: calls.call({"Sec-Fetch-Site": "cross-site"}),
    "wrong_password": lambda calls: calls.call(),
    "wrong_code": lambda calls: calls.with_a_new_secret(),
    "credential_refused": lambda calls: calls.twice(),
    "factor_exists": lambda calls: calls.with_every_factor(),
    "forbidden": lambda calls: calls.call(environ_base={"REMOTE_ADDR": "192.0.2.1"}),
    "not_found": lambda calls: calls.call(),
    "email_taken": with_an_address_that_is_taken,
    "request_too_large": lambda calls: calls.with_body(" " * 20_000),
    "unsupported_media_type": lambda calls: calls.with_body("{}", UTF_16),
    "validation_failed": lambda calls: calls.with_invalid_input(),
    "rate_limited": lambda calls: calls.too_often(),
}
ELSEWHERE = {
    *("registration_closed", "method_not_allowed", "internal_error", "service_unavailable"),
    *("account_in_use", "email_unverified"),
}
"""The problems that need another app, or that no operation has."""
STATELESS = {"/auth/passkey/options"}
"""The paths of POST operations that work without the database."""


@pytest.fixture
def description(mail_app: Flask) -> Description:
    """The document of an app that has all routes."""
    return Description(mail_app)


def test_each_problem_of_the_contract_is_provoked_here() -> None:
    assert set(PROVOKED) | ELSEWHERE == {code for _, code in DOCUMENTED}


@pytest.mark.parametrize("route", BUDGET)
def test_the_document_describes_each_success(
    description: Description, make_app: MakeApp, alice: Person, route: str
) -> None:
    alice.app = make_app()  # it has not seen a proxy, as the shared app may have
    answer = BUDGET[route][0](alice.logged_in())
    assert answer.status_code < 300
    if answer.request.path not in ("/", "/docs/docs.css"):
        description.assert_describes(answer)


@pytest.mark.parametrize("route", WITH_MAIL)
def test_the_document_describes_each_success_of_a_route_that_needs_mail(
    description: Description, mailbox: Mailbox, route: str
) -> None:
    alice = Person(mailbox.app, "alice@example.com", "a horse that is correct").register()
    answer = WITH_MAIL[route][0](alice.logged_in())(alice)
    assert answer.status_code < 300
    description.assert_describes(answer)


@pytest.mark.parametrize("route", WITH_FACTORS)
def test_the_document_describes_each_success_of_a_route_of_factors(
    description: Description, alice: Person, route: str
) -> None:
    answer = WITH_FACTORS[route][0](alice.logged_in())(alice)
    assert answer.status_code < 300
    description.assert_describes(answer)


@dataclass(frozen=True)
class Prepared:
    """The calls of each operation, with the rows of their callers, as they were at one moment."""

    calls: list[OperationCalls]
    rows: dict[Table, list[dict[str, Any]]]
    moment: datetime

    @classmethod
    def of(cls, app: Flask, description: Description) -> Prepared:
        Person(app, "taken@example.com", "a horse that is correct").register()
        calls = all_operation_calls(app, description, description.operations)
        with app.app_context(), reading() as connection:
            rows = {
                table: [dict(row) for row in connection.execute(select(table)).mappings()]
                for table in our_tables()
            }
        return cls(calls, rows, clock.now())

    @contextmanager
    def again(self, app: Flask) -> Iterator[list[OperationCalls]]:
        """Go back to that moment, with the same rows in an empty database, at an app that has seen
        no request.
        """
        with app.app_context(), writing() as connection:
            for table, rows in self.rows.items():
                connection.execute(delete(table))
                if rows:
                    connection.execute(insert(table), rows)
        with time_machine.travel(self.moment):
            yield [calls.at(app) for calls in self.calls]


_PREPARED: list[Prepared] = []


@pytest.fixture
def prepared(mail_app: Flask, description: Description) -> Prepared:
    """What is prepared once for all problems, since forty people register and log in."""
    if not _PREPARED:
        _PREPARED.append(Prepared.of(mail_app, description))
    return _PREPARED[0]


OF_ROWS = {
    *("access_token_revoked", "email_taken", "not_found", "password_required", "rate_limited"),
    *("token_invalid", "wrong_password", "invalid_credentials"),
    *(code for code in PROVOKED if code.startswith(("refresh_token", "dpop_proof"))),
}
"""The problems that need a query."""


@pytest.mark.parametrize(
    "code",
    [pytest.param(code, marks=[pytest.mark.once] * (code not in OF_ROWS)) for code in PROVOKED],
)
def test_each_operation_answers_with_exactly_the_problems_of_the_document(
    prepared: Prepared,
    make_app: MakeApp,
    mail_app: Flask,
    mail_settings: dict[str, str],
    description: Description,
    code: str,
) -> None:
    app = make_app(**mail_settings, device_binding=True)
    registry.add(app, registry.of(mail_app, OpenAPI))  # it is made once for the same routes
    provoked = set()
    with prepared.again(app) as all_calls:
        for calls in all_calls:
            answer = PROVOKED[code](calls)
            description.assert_describes(answer)
            if code in description.codes(calls.operation):
                message = f"{calls.operation} does not answer {code}: {answer.text}"
                assert answer.mimetype == "application/problem+json", message
                assert answer.json["code"] == code, message
                example = description.example(calls.operation, code)
                assert {name: answer.json[name] for name in SAME} == {
                    name: example[name] for name in SAME
                }
                provoked.add(calls.operation.path)
    assert provoked


def test_closed_registration_is_refused_as_the_document_says(
    make_app: MakeApp, description: Description, alice: Person
) -> None:
    alice.app = make_app(registration="closed")
    answer = alice.call("POST", "/auth/register", json=alice.credentials)
    assert_problem(answer, 403, "registration_closed")
    description.assert_describes(answer)


def test_an_address_that_is_not_verified_is_refused_as_the_document_says(
    make_app: MakeApp, mail_settings: dict[str, str], description: Description, alice: Person
) -> None:
    alice.app = make_app(email_verification="required", **mail_settings)
    answer = alice.log_in()
    assert_problem(answer, 403, "email_unverified")
    description.assert_describes(answer)


@pytest.mark.only("sqlite")
def test_without_the_database_each_operation_that_needs_it_answers_503(
    make_app: MakeApp, mail_settings: dict[str, str], tmp_path: Path
) -> None:
    file = tmp_path / "authsvc.db"
    schema.upgrade(url := f"sqlite:///{file}")
    description = Description(before := make_app(database_url=url, **mail_settings))
    code = "service_unavailable"
    operations = [
        one
        for one in description.operations
        if code in description.codes(one) and one.path not in STATELESS
    ]
    waiting = all_operation_calls(before, description, operations)
    after = make_app(database_url=url, **mail_settings)  # whose revocation list is still empty
    with away(after, file):
        for calls in waiting:
            calls.person.app = after
            answer = calls.call()
            assert_problem(answer, 503, code), calls.operation
            description.assert_describes(answer)


def test_problems_outside_of_operations_are_as_the_document_says(
    make_app: MakeApp, description: Description
) -> None:
    broken = make_app()
    broken.get("/broken")(public(lambda: {}["canary"]))
    client = broken.test_client()
    responses = description.document["components"]["responses"]
    description.assert_is(responses["InternalError"], client.get("/broken"))
    description.assert_is(responses["NotFound"], client.get("/nowhere"))
    any_problem = {"$ref": "#/components/schemas/Problem"}
    description.assert_fits(any_problem, client.get("/auth/login").json)
