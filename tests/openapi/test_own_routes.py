"""An operator's own routes in the API's description: what each declaration becomes."""

from dataclasses import dataclass
from datetime import date
from enum import Enum
from typing import Any
from uuid import UUID

import pytest
from flask import Blueprint, Flask, Response
from openapi_spec_validator import validate
from pydantic import BaseModel, ConfigDict, Field, RootModel

from authsvc.guard import public, requires_role
from authsvc.openapi import Body, Instant, answers, takes, takes_query
from authsvc.problems import Problem
from tests.conftest import MakeApp
from tests.support.api_description import Description
from tests.support.people import Person
from tests.support.responses import assert_problem

pytestmark = pytest.mark.once


class Kind(Enum):
    A = "a"
    B = "b"


class Item(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str
    kind: Kind = Kind.A


class Strict(Body):
    """A body that converts nothing.

    Args:
        due: a day.
        id: an id.
        number: a number.
    """

    due: date
    id: UUID
    number: int = 0


class Account(BaseModel):
    """A name that the service uses too."""

    iban: str


class Search(BaseModel):
    """What to find.

    Args:
        text: a part of the name.
    """

    text: str
    kind: Kind = Kind.A
    limit: int = Field(20, le=100)


@dataclass
class Found:
    text: str
    at: Instant | None


class Names(RootModel[list[str]]):
    pass


class Locked(Problem):
    """The item is locked. Try again tomorrow."""

    status, code = 423, "item_locked"
    detail = "The item is locked."


def blueprint() -> Blueprint:
    own = Blueprint("shop", __name__, url_prefix="/shop")

    @own.post("/items")
    @takes(Item)
    @answers(201, may=[Locked])
    def login(item: Item) -> Item:  # a name that the service's routes have
        return item

    @own.put("/strict")
    @public
    @takes(Strict)
    @answers(200)
    def strict(body: Strict) -> Strict:
        return body

    @own.get("/accounts/<int:number>/<path:rest>")
    @requires_role("admin")
    @answers(200)
    def account(number: int, rest: str) -> list[Account]:
        """Show accounts.

        Args:
            number: how many.
        """
        return [Account(iban=rest)] * number

    @own.get("/search")
    @public
    @takes_query(Search)
    @answers(200)
    def search(asked: Search) -> Found:
        return Found(f"{asked.text} {asked.kind.value} {asked.limit}", None)

    @own.route("/both", methods=["GET", "PUT"])
    @public
    @answers(200)
    def both() -> Names:
        return Names(["a"])

    @own.get("/export")
    @public
    @answers(200, "text/csv")
    def export() -> Response:
        return Response("a,b\n", mimetype="text/csv")

    own.get("/silent")(public(lambda: "silent"))
    return own


@pytest.fixture(scope="module")
def shop(make_app: MakeApp) -> Flask:
    app = make_app()
    app.register_blueprint(blueprint())
    return app


@pytest.fixture(scope="module")
def described(shop: Flask) -> Description:
    return Description(shop)


@pytest.fixture
def buyer(shop: Flask, alice: Person) -> Person:
    alice.app = shop
    return alice.logged_in()


def members(described: Description, name: str) -> dict[str, Any]:
    return described.document["components"]["schemas"][name]["properties"]


def test_the_document_stays_valid_and_the_services_part_of_it_the_same(
    described: Description, app: Flask
) -> None:
    validate(described.document)
    before = Description(app).document
    added = {path for path in described.document["paths"] if path.startswith("/shop")}
    assert len(added) == 6
    for path, methods in before["paths"].items():
        assert described.document["paths"][path] == methods
    schemas = described.document["components"]["schemas"]
    for name, schema in before["components"]["schemas"].items():
        assert name == "Problem" or schemas[name] == schema
    assert "silent" not in str(described.document)


def test_a_name_that_the_service_uses_is_given_another(described: Description) -> None:
    operations = {str(one): one.description for one in described.operations}
    assert operations["POST /auth/login"]["operationId"] == "login"
    assert operations["POST /shop/items"]["operationId"] == "shop_login"
    assert operations["GET /shop/both"]["operationId"] == "both"
    assert operations["PUT /shop/both"]["operationId"] == "shop_both"
    assert set(members(described, "Account")) > {"id", "email"}
    assert set(members(described, "OwnAccount")) == {"iban"}
    answer = operations["GET /shop/accounts/{number}/{rest}"]["responses"]["200"]
    items = answer["content"]["application/json"]["schema"]["items"]
    assert items == {"$ref": "#/components/schemas/OwnAccount"}


def test_parameters_have_the_types_of_their_converters_and_models(
    described: Description,
) -> None:
    [number, rest] = described.operation("GET", "/shop/accounts/1/x").description["parameters"]
    assert (number["schema"], number["description"]) == ({"type": "integer"}, "How many.")
    assert (rest["schema"], "description" in rest) == ({"type": "string"}, False)
    asked = described.operation("GET", "/shop/search").description["parameters"]
    text, kind, limit = ({**one, **described.resolved(one["schema"])} for one in asked)
    assert (text["required"], text["type"], text["description"]) == (
        True,
        "string",
        "A part of the name.",
    )
    assert (kind["enum"], "required" in kind) == (["a", "b"], False)
    assert (limit["maximum"], limit["default"]) == (100, 20)


def test_each_answer_is_as_described(described: Description, shop: Flask, buyer: Person) -> None:
    client = shop.test_client()
    day, id = "2026-12-24", "019ab5f2-6c1e-7cc3-98c4-dc0c0c07398f"
    for answer in (
        buyer.call("POST", "/shop/items", json={"name": "a"}, headers=bearer(buyer)),
        client.put("/shop/strict", json={"due": day, "id": id}),
        buyer.call("GET", "/shop/accounts/1/x", headers=bearer(buyer)),
        client.get("/shop/search?text=a&kind=b"),
        client.get("/shop/search"),
        client.get("/shop/both"),
        client.get("/shop/export"),
    ):
        described.assert_describes(answer)
    assert client.get("/shop/search?text=a&kind=b").json == {"text": "a b 20", "at": None}
    assert_problem(client.get("/shop/search"), 422, "validation_failed")
    assert client.put("/shop/strict", json={"due": day, "id": id}).json["due"] == day


def bearer(person: Person) -> dict[str, str]:
    return {"Authorization": f"Bearer {person.access_token}"}


def test_a_strict_body_converts_nothing(shop: Flask) -> None:
    body = {"due": "2026-12-24", "id": "019ab5f2-6c1e-7cc3-98c4-dc0c0c07398f", "number": "1"}
    answer = shop.test_client().put("/shop/strict", json=body)
    assert_problem(answer, 422, "validation_failed")
    assert [fault["code"] for fault in answer.json["errors"]] == ["wrong_type"]


def test_the_access_token_in_a_body_is_no_member_of_the_model(buyer: Person) -> None:
    body = {"name": "a", "access_token": buyer.access_token}
    assert buyer.call("POST", "/shop/items", json=body).json == {"name": "a", "kind": "a"}
    answer = buyer.call("POST", "/shop/items", json=body | {"owner": "me"})
    assert [fault["code"] for fault in answer.json["errors"]] == ["unknown_member"]


def test_half_a_character_is_refused_in_any_model(buyer: Person) -> None:
    answer = buyer.call(
        "POST", "/shop/items", json={"name": "\ud800", "kind": 1}, headers=bearer(buyer)
    )
    assert_problem(answer, 422, "validation_failed")


def test_the_problems_of_the_operators_own_are_described(described: Description) -> None:
    schemas = described.document["components"]["schemas"]
    assert "item_locked" in schemas["Problem"]["properties"]["code"]["enum"]
    assert schemas["ItemLockedProblem"]["description"] == (
        "The item is locked. Try again tomorrow."
    )
    assert "item_locked" in described.codes(described.operation("POST", "/shop/items"))
    assert "forbidden" in described.codes(described.operation("GET", "/shop/accounts/1/x"))


def test_the_page_shows_them(shop: Flask, described: Description) -> None:
    page = shop.test_client().get("/docs").text
    assert 'id="shop_login"' in page
    assert 'id="item_locked"' in page
