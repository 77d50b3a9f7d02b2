"""Every problem, and the framework's own errors, in the documented form."""

import re
from collections.abc import Iterator
from http import HTTPStatus
from uuid import uuid4

import pytest
from flask import Flask, Response, abort, redirect, request
from werkzeug.exceptions import HTTPException

from authsvc import problems
from authsvc.guard import public
from authsvc.problems import (
    DeviceProofInvalid,
    Fault,
    Problem,
    RateLimited,
    ReauthenticationRequired,
    SecondFactorRequired,
    UseDpopNonce,
    ValidationFailed,
)
from tests.conftest import MakeApp
from tests.support.responses import assert_problem

DOCUMENTED = {
    (400, "invalid_request"),
    (401, "access_token_missing"),
    (401, "access_token_invalid"),
    (401, "access_token_expired"),
    (401, "access_token_revoked"),
    (401, "invalid_credentials"),
    (401, "second_factor_required"),
    (401, "token_invalid"),
    (401, "password_required"),
    (401, "reauthentication_required"),
    (401, "refresh_token_missing"),
    (401, "refresh_token_invalid"),
    (401, "refresh_token_expired"),
    (401, "refresh_token_revoked"),
    (401, "dpop_proof_missing"),
    (401, "dpop_proof_invalid"),
    (401, "use_dpop_nonce"),
    (401, "device_proof_missing"),
    (403, "device_proof_invalid"),
    (403, "cross_origin_refused"),
    (403, "wrong_password"),
    (403, "wrong_code"),
    (403, "credential_refused"),
    (403, "email_unverified"),
    (403, "registration_closed"),
    (403, "forbidden"),
    (404, "not_found"),
    (405, "method_not_allowed"),
    (409, "email_taken"),
    (409, "factor_exists"),
    (409, "account_in_use"),
    (413, "request_too_large"),
    (415, "unsupported_media_type"),
    (422, "validation_failed"),
    (429, "rate_limited"),
    (500, "internal_error"),
    (503, "service_unavailable"),
}


def concrete(kind: type[Problem] = Problem) -> Iterator[type[Problem]]:
    for child in kind.__subclasses__():
        yield from concrete(child)
        if "code" in vars(child) and child.__module__.startswith("authsvc."):
            yield child


def example(kind: type[Problem]) -> Problem:
    arguments = {
        ValidationFailed: [[Fault("/a", "wrong")]],
        RateLimited: [7],
        ReauthenticationRequired: [600],
        SecondFactorRequired: [["totp", "passkey"]],
        UseDpopNonce: ["a nonce"],
        DeviceProofInvalid: [uuid4(), "a challenge"],
    }
    return kind(*arguments.get(kind, []))


class OnlyTea(HTTPException):
    """An error of an operator's own."""

    code = 418
    description = "Only tea."


class Full:
    """Has the code, because a class that has it itself would be in each app's description."""

    code = "notebook_full"


class NotebookFull(Full, Problem):
    status = 507
    detail = "The notebook is full."

    def headers(self):
        return {"Retry-After": "60"}

    def members(self):
        return {"left": 0}


class SeeOther(HTTPException):
    """No error at all, though it is raised."""

    code = 303


@pytest.fixture(scope="module")
def broken(make_app: MakeApp) -> Flask:
    """An app with views that fail in every way."""
    app = make_app()

    @app.get("/abort/<int:status>")
    @public
    def fail(status: int) -> str:
        abort(status)

    @app.get("/problem/<code>")
    @public
    def raise_problem(code: str) -> str:
        raise next(example(kind) for kind in concrete() if kind.code == code)

    app.get("/raises")(public(lambda: {}["canary"]))

    @app.get("/elsewhere")
    @public
    def elsewhere() -> str:
        raise SeeOther

    @app.get("/tea")
    @public
    def tea() -> str:
        raise OnlyTea

    app.get("/abort/<int:status>/<text>", endpoint="said")(
        public(lambda status, text: abort(status, text))
    )
    app.get("/page", endpoint="page")(public(lambda: abort(Response("<p>Pay.", 402))))
    app.get("/bare", endpoint="bare")(public(lambda: abort(Response(status=423))))
    app.post("/form", endpoint="form")(public(lambda: request.form["canary, which was not sent"]))

    @app.get("/full")
    @public
    def full() -> str:
        raise NotebookFull

    app.get("/redirects", endpoint="redirects")(public(lambda: abort(redirect("/healthz"))))
    return app


def test_the_problems_are_those_of_the_contract() -> None:
    assert {(kind.status, kind.code) for kind in concrete()} == DOCUMENTED


def test_the_tree_at_the_top_of_the_module_shows_each_of_them() -> None:
    tree = problems.__doc__ or ""
    shown = re.findall(r"(?:\d{3} | {2})([a-z_]+)$", tree, re.MULTILINE)
    assert sorted(shown) == sorted(code for _, code in DOCUMENTED)
    for kind in concrete():
        assert kind.__name__ in tree


@pytest.mark.parametrize("kind", list(concrete()), ids=lambda kind: kind.code)
def test_each_problem_is_told_in_full(broken: Flask, kind: type[Problem]) -> None:
    answer = broken.test_client().get(f"/problem/{kind.code}")
    assert_problem(answer, kind.status, kind.code)
    told = dict(answer.json)
    errors, methods = told.pop("errors", None), told.pop("methods", None)
    assert told == {
        "type": f"/docs#{kind.code}",
        "title": HTTPStatus(kind.status).phrase,
        "status": kind.status,
        "code": kind.code,
        "detail": kind.detail,
    }
    faults = [{"pointer": "/a", "detail": "wrong", "code": "invalid"}]
    assert errors == (faults if kind is ValidationFailed else None)
    assert methods == (["totp", "passkey"] if kind is SecondFactorRequired else None)


def test_those_worth_a_second_try_say_when(broken: Flask) -> None:
    told = {
        kind.code: answer.headers["Retry-After"]
        for kind in concrete()
        if "Retry-After" in (answer := broken.test_client().get(f"/problem/{kind.code}")).headers
    }
    assert told == {"rate_limited": "7", "service_unavailable": "2"}


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, "invalid_request"),
        (401, "unauthorized"),
        (402, "payment_required"),
        (403, "forbidden"),
        (404, "not_found"),
        (405, "method_not_allowed"),
        (410, "gone"),
        (413, "request_too_large"),
        (415, "unsupported_media_type"),
        (418, "i_m_a_teapot"),
        (423, "locked"),
        (425, "too_early"),
        (451, "unavailable_for_legal_reasons"),
        (499, "http_499"),
        (500, "internal_error"),
        (501, "not_implemented"),
        (503, "service_unavailable"),
        (507, "insufficient_storage"),
        (599, "http_599"),
    ],
)
def test_what_a_view_aborts_with_is_a_problem(broken: Flask, status: int, code: str) -> None:
    answer = broken.test_client().get(f"/abort/{status}")
    assert_problem(answer, status, code)
    assert list(answer.json) == ["type", "title", "status", "code", "detail"]


def test_an_operators_own_error_keeps_its_sentence(broken: Flask) -> None:
    answer = broken.test_client().get("/tea")
    assert_problem(answer, 418, "i_m_a_teapot")
    assert answer.json["detail"] == "Only tea."


@pytest.mark.parametrize(
    "status", [400, 401, 402, 403, 404, 409, 410, 418, 423, 500, 503, 507, 599]
)
def test_the_sentence_of_an_abort_is_kept(broken: Flask, status: int) -> None:
    answer = broken.test_client().get(f"/abort/{status}/No such note")
    assert answer.mimetype == "application/problem+json"
    assert (answer.status_code, answer.json["detail"]) == (status, "No such note")


def test_a_response_that_a_view_aborts_with_is_sent_as_it_is(broken: Flask) -> None:
    answer = broken.test_client().get("/page")
    assert (answer.status_code, answer.mimetype, answer.text) == (402, "text/html", "<p>Pay.")
    assert_problem(broken.test_client().get("/bare"), 423, "locked")


def test_an_operators_own_problem_appears_like_ours(broken: Flask) -> None:
    answer = broken.test_client().get("/full")
    assert_problem(answer, 507, "notebook_full")
    assert (answer.json["title"], answer.json["left"]) == ("Insufficient Storage", 0)
    assert answer.headers["Retry-After"] == "60"


def test_what_the_framework_says_about_a_missing_form_field_is_not_repeated(broken: Flask) -> None:
    answer = broken.test_client().post("/form", data={"canary": "canary"})
    assert_problem(answer, 400, "invalid_request")
    assert "canary" not in answer.text


def test_a_view_that_raises_is_500_and_tells_nothing(broken: Flask) -> None:
    answer = broken.test_client().get("/raises")
    assert_problem(answer, 500, "internal_error")
    assert "canary" not in answer.text
    assert "Traceback" not in answer.text


def test_a_redirect_passes(broken: Flask) -> None:
    answer = broken.test_client().get("/redirects")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/healthz")


def test_what_is_raised_but_is_no_error_passes(broken: Flask) -> None:
    answer = broken.test_client().get("/elsewhere")
    assert (answer.status_code, answer.mimetype) == (303, "text/html")


def test_the_frameworks_own_errors_are_problems(broken: Flask) -> None:
    client = broken.test_client()
    assert_problem(client.get("/nowhere"), 404, "not_found")
    answer = client.delete("/auth/login")
    assert_problem(answer, 405, "method_not_allowed")
    assert set(answer.headers["Allow"].split(", ")) == {"OPTIONS", "POST"}
    large = client.post("/auth/login", data=b" " * 20_000, content_type="application/json")
    assert_problem(large, 413, "request_too_large")
    assert_problem(client.post("/auth/login", data=b"a=b"), 415, "unsupported_media_type")


def test_values_that_were_sent_are_never_echoed(app: Flask) -> None:
    body = {"email": ["canary"], "password": {"canary": "canary"}}
    answer = app.test_client().post("/auth/login?canary=canary", json=body)
    assert_problem(answer, 422, "validation_failed")
    assert "canary" not in answer.text
