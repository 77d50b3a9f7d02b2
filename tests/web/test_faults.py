"""The `code` of each of a 422's `errors`: one closed set, at every door."""

from datetime import datetime
from enum import Enum
from typing import Annotated, Any, Literal, get_args
from uuid import UUID

import pytest
from flask import Flask
from pydantic import (
    AfterValidator,
    BaseModel,
    ByteSize,
    ConfigDict,
    EmailStr,
    Field,
    FutureDatetime,
    HttpUrl,
    NonNegativeInt,
    PastDate,
    TypeAdapter,
    ValidationError,
)
from pydantic_core import PydanticCustomError, core_schema

from authsvc import admin
from authsvc.problems import FaultCode, ValidationFailed
from authsvc.web.faults import code_of, faults_of
from tests.support.people import Person
from tests.support.responses import assert_problem

GOOD = {"email": "carol@example.com", "password": "a lamp that is not lit"}
TOKEN = {"access_token": 1}
NEW = "new_password"


def codes(answer: Any) -> dict[str, str]:
    assert_problem(answer, 422, "validation_failed")
    return {fault["pointer"]: fault["code"] for fault in answer.json["errors"]}


@pytest.mark.once
@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, {"/email": "missing", "/password": "missing"}),
        ({"email": None, "password": 15}, {"/email": "wrong_type", "/password": "wrong_type"}),
        (GOOD | {"password": "short"}, {"/password": "too_short"}),
        (GOOD | {"password": "\U0001f404" * 257}, {"/password": "too_long"}),
        (GOOD | {"password": "passwordpassword"}, {"/password": "breached"}),
        (GOOD | {"password": GOOD["email"]}, {"/password": "contains_email"}),
        (GOOD | {"password": "\ud800" * 15}, {"/password": "invalid_characters"}),
        (GOOD | {"email": "carol"}, {"/email": "invalid_email"}),
    ],
)
def test_registering_tells_what_is_wrong_by_a_code(
    app: Flask, body: dict[str, object], expected: dict[str, str]
) -> None:
    assert codes(app.test_client().post("/auth/register", json=body)) == expected


@pytest.mark.once
@pytest.mark.parametrize(
    ("method", "path", "body", "expected"),
    [
        ("POST", "/auth/login", {"email": 1}, {"/email": "wrong_type", "/password": "missing"}),
        ("POST", "/auth/introspect", TOKEN, {"/access_token": "wrong_type"}),
        ("DELETE", "/api/me", {"password": []}, {"/password": "wrong_type"}),
        ("PUT", "/api/me/password", {}, {"/current_password": "missing", f"/{NEW}": "missing"}),
    ],
)
def test_each_other_route_with_a_body_does_so_too(
    alice: Person, method: str, path: str, body: dict[str, object], expected: dict[str, str]
) -> None:
    assert codes(alice.logged_in().call(method, path, json=body)) == expected


@pytest.mark.once
def test_a_weak_new_password_has_the_codes_of_a_registration(alice: Person) -> None:
    alice.logged_in()

    def change(new: str) -> dict[str, str]:
        body = {"current_password": alice.password, NEW: new}
        return codes(alice.call("PUT", "/api/me/password", json=body))

    assert change("short") == {f"/{NEW}": "too_short"}
    assert change("passwordpassword") == {f"/{NEW}": "breached"}


@pytest.mark.once
def test_what_an_operator_does_has_codes_too(app: Flask, alice: Person) -> None:
    many = [f"role-{number}" for number in range(17)]
    with app.app_context():
        for attempt, code in (
            (lambda: admin.grant(alice.email, ["No Role"]), "invalid_format"),
            (lambda: admin.grant(alice.email, many), "too_long"),
            (lambda: admin.set_password(alice.email, "short"), "too_short"),
            (lambda: admin.register("dora", "a lamp that is not lit"), "invalid_email"),
        ):
            with pytest.raises(ValidationFailed) as refused:
                attempt()
            assert [fault.code for fault in refused.value.faults] == [code]


UNCLASSIFIED = {
    *("no_such_attribute", "needs_python_object", "get_attribute_error"),
    *("recursion_loop", "recursion_depth_exceeded", "iteration_error"),
    *("frozen_field", "frozen_instance", "invalid_key", "set_item_not_hashable"),
    *("default_factory_not_called", "missing_sentinel_error", "ellipsis_error"),
    *("value_error", "assertion_error", "is_subclass_of"),
    *("missing_argument", "missing_keyword_only_argument", "missing_positional_only_argument"),
    *("multiple_argument_values", "unexpected_positional_argument"),
}
"""Errors that no JSON causes, and those of a model's own validators."""


def test_each_error_of_pydantic_has_a_code() -> None:
    kinds = get_args(core_schema.ErrorType)
    assert {kind for kind in kinds if code_of(kind) == FaultCode.INVALID} == UNCLASSIFIED


class Colour(Enum):
    RED = "red"


class Cat(BaseModel):
    kind: Literal["cat"]
    meows: int


class Dog(BaseModel):
    kind: Literal["dog"]


def not_bad(text: str) -> str:
    if text == "bad":
        raise ValueError("This is a bad word.")
    if text == "spam":
        raise PydanticCustomError("not_allowed", "No advertisements.")
    return text


class Note(BaseModel):
    """What an operator's model may hold."""

    model_config = ConfigDict(extra="forbid")

    title: Annotated[str, Field(min_length=1, max_length=5), AfterValidator(not_bad)] = "title"
    colour: Colour = Colour.RED
    due: datetime | None = None
    later: FutureDatetime | None = None
    born: PastDate | None = None
    stars: Annotated[int, Field(ge=1, le=5)] = 1
    number: int | bool | None = None
    word: Annotated[str, Field(pattern="^a+$")] = "a"
    tags: Annotated[list[str], Field(min_length=1, max_length=2)] = ["a"]
    pet: Annotated[Cat | Dog, Field(discriminator="kind")] = Dog(kind="dog")
    id: UUID | None = None
    link: HttpUrl | None = None
    counts: dict[str, NonNegativeInt] = {}
    reply_to: EmailStr | None = None


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"title": ""}, {"/title": "too_short"}),
        ({"title": "longer"}, {"/title": "too_long"}),
        ({"title": "bad"}, {"/title": "invalid"}),
        ({"title": "spam"}, {"/title": "not_allowed"}),
        ({"title": 1}, {"/title": "wrong_type"}),
        ({"owner": "canary"}, {"/owner": "unknown_member"}),
        ({"colour": "canary"}, {"/colour": "not_allowed"}),
        ({"due": "canary"}, {"/due": "invalid_format"}),
        ({"later": "2000-01-01T00:00:00Z"}, {"/later": "too_small"}),
        ({"born": "3000-01-01"}, {"/born": "too_large"}),
        ({"stars": 0}, {"/stars": "too_small"}),
        ({"stars": 6}, {"/stars": "too_large"}),
        ({"stars": 1.5}, {"/stars": "wrong_type"}),
        ({"number": "canary"}, {"/number": "invalid_format"}),
        ({"word": "canary"}, {"/word": "invalid_format"}),
        ({"tags": []}, {"/tags": "too_short"}),
        ({"tags": ["a", "b", "c"]}, {"/tags": "too_long"}),
        ({"tags": ["a", 1]}, {"/tags/1": "wrong_type"}),
        ({"pet": {"kind": "canary"}}, {"/pet": "not_allowed"}),
        ({"pet": {}}, {"/pet": "missing"}),
        ({"pet": {"kind": "cat"}}, {"/pet/meows": "missing"}),
        ({"pet": {"kind": "cat", "meows": []}}, {"/pet/meows": "wrong_type"}),
        ({"id": "canary"}, {"/id": "invalid_format"}),
        ({"link": "ftp://canary"}, {"/link": "not_allowed"}),
        ({"reply_to": "canary@"}, {"/reply_to": "invalid_email"}),
        ({"counts": {"a/b~c": -1}}, {"/counts/a~1b~0c": "too_small"}),
    ],
)
def test_a_model_of_the_operators_own_gets_sensible_codes_and_pointers(
    body: dict[str, object], expected: dict[str, str]
) -> None:
    with pytest.raises(ValidationError) as refused:
        Note.model_validate(body)
    faults = faults_of(refused.value, body)
    assert {fault.pointer: fault.code.value for fault in faults} == expected
    assert not [fault for fault in faults if "canary" in fault.detail]


def test_the_sentences_of_an_operators_own_validators_stay() -> None:
    for title, sentence in (("bad", "This is a bad word."), ("spam", "No advertisements.")):
        with pytest.raises(ValidationError) as refused:
            Note.model_validate({"title": title})
        assert [fault.detail for fault in faults_of(refused.value, {"title": title})] == [sentence]


def test_a_sentence_of_pydantic_repeats_no_value() -> None:
    for kind, value in ((UUID, "qqqq"), (EmailStr, "can ary@x"), (ByteSize, "12 qqqq")):
        with pytest.raises(ValidationError) as refused:
            TypeAdapter(kind).validate_python(value)
        [fault] = faults_of(refused.value, value)
        assert "q" not in fault.detail.replace("required", "")
        assert "can ary" not in fault.detail


@pytest.mark.once
def test_the_set_stands_in_the_description_and_on_its_page(app: Flask) -> None:
    client = app.test_client()
    schemas = client.get("/openapi.json").json["components"]["schemas"]
    assert schemas["FaultCode"]["enum"] == [code.value for code in FaultCode]
    assert schemas["Fault"]["properties"]["code"]["$ref"] == "#/components/schemas/FaultCode"
    assert "code" in schemas["Fault"]["required"]
    _, _, page = client.get("/docs").text.partition('<h3 id="validation_failed">')
    explanation = page.partition("</article>")[0]
    assert [code for code in FaultCode if f"<code>{code}</code>" not in explanation] == []
