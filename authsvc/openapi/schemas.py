"""JSON Schemas of requests and responses, from the types that validate and serialize them."""

from collections.abc import Iterable, Sequence
from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema

from authsvc.openapi.docstrings import Docstring
from authsvc.openapi.routes import Route
from authsvc.problems import Fault, FaultCode, Problem, ValidationFailed, every_problem
from authsvc.web.inputs import NEW_PASSWORD

IN_COMPONENTS = "#/components/schemas/{model}"

Schema = dict[str, Any]


def _named(model: str) -> Schema:
    return {"$ref": IN_COMPONENTS.format(model=model)}


PROBLEM, VALIDATION_PROBLEM = _named("Problem"), _named("ValidationProblem")
BEARS_ACCESS_TOKEN = _named("BearsAccessToken")


class Schemas:
    """The schemas of some routes.

    Args:
        routes: the routes.
        password_min_length: the least number of code points in a new password.
    """

    def __init__(self, routes: Iterable[Route], password_min_length: int) -> None:
        wanted: list[Any] = [("fault", "serialization", TypeAdapter(Fault))]
        for route in routes:
            if route.body is not None:
                wanted.append((f"{route.name} takes", "validation", TypeAdapter(route.body)))
            if route.answer.body is not None:
                wanted.append((f"{route.name} answers", "serialization", route.answer.body))
        made, definitions = TypeAdapter.json_schemas(
            wanted, ref_template=IN_COMPONENTS, schema_generator=_Generator
        )
        self._made = {name: schema for (name, _), schema in made.items()}
        described = {name: _described(schema) for name, schema in definitions["$defs"].items()}
        for schema in described.values():
            _set_password_length(schema.get("properties", {}), password_min_length)
        self.components: Schema = {
            **described,
            "FaultCode": _fault_code(),
            "BearsAccessToken": _bears_access_token(),
            "Problem": _problem(),
            "ValidationProblem": _validation_problem(self._made["fault"]),
        }

    def taken_by(self, route: Route) -> Schema:
        """Return the schema of the request's body.

        On a protected route the body may hold the access token.
        """
        schema = self._made[f"{route.name} takes"]
        if not route.is_protected:
            return schema
        return {"allOf": [schema, BEARS_ACCESS_TOKEN]}

    def answered_by(self, route: Route) -> Schema:
        """Return the schema of the response's body; a string if it is not JSON."""
        return self._made.get(f"{route.name} answers", {"type": "string"})


def query_parameters(route: Route) -> list[Schema]:
    """Return the route's query string as OpenAPI parameters, each optional."""
    if route.query is None:
        return []
    schema = _described(TypeAdapter(route.query).json_schema(schema_generator=_Generator))
    return [
        {
            "name": name,
            "in": "query",
            "description": member["description"],
            "schema": next(choice for choice in member["anyOf"] if choice["type"] != "null"),
        }
        for name, member in schema["properties"].items()
    ]


def of_problems(kinds: Sequence[type[Problem]]) -> Schema:
    """Return the schema of a problem of one of these kinds, which share a status."""
    base = VALIDATION_PROBLEM if list(kinds) == [ValidationFailed] else PROBLEM
    codes = [kind.code for kind in kinds]
    members = {"status": {"const": kinds[0].status}, "code": {"enum": codes}}
    return {"allOf": [base, {"properties": members}]}


class _Generator(GenerateJsonSchema):
    """pydantic's generator, without titles; every member of a response is required."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False

    def field_is_required(self, field: Any, total: bool) -> bool:
        may_be_absent = field["type"] == "typed-dict-field"
        sent = self.mode == "serialization" and not may_be_absent
        return sent or super().field_is_required(field, total)

    def default_schema(self, schema: Any) -> Any:
        """Leave the default out of a response, where the member is always present."""
        if self.mode == "serialization":
            return self.generate_inner(schema["schema"])
        return super().default_schema(schema)


def _described(schema: Schema) -> Schema:
    """Return the schema with each member's description from the docstring's `Args`."""
    docstring = Docstring.of(schema.get("description"))
    text = " ".join(filter(None, [f"{docstring.summary}.", docstring.text]))
    members = {
        name: {**member, "description": docstring.arguments[name]}
        if name in docstring.arguments
        else member
        for name, member in schema.get("properties", {}).items()
    }
    return {**schema, "description": text, **({"properties": members} if members else {})}


def _set_password_length(members: dict[str, Schema], min_length: int) -> None:
    for name, member in members.items():
        if member.get("format") == NEW_PASSWORD:
            members[name] = member | {"format": "password", "minLength": min_length}


def _fault_code() -> Schema:
    return {
        "type": "string",
        "description": "What is wrong with a member, for a program.",
        "enum": [code.value for code in FaultCode],
        "x-enum-descriptions": [code.meaning for code in FaultCode],
    }


def _problem() -> Schema:
    codes = [kind.code for kind in every_problem()]
    return {
        "type": "object",
        "description": "An error (RFC 9457).",
        "properties": {
            "type": {
                "type": "string",
                "format": "uri-reference",
                "description": "A link to the explanation of the code.",
            },
            "title": {"type": "string", "description": "The meaning of the status."},
            "status": {"type": "integer", "description": "The response's status."},
            "code": {"enum": codes, "description": "The stable word to program against."},
            "detail": {"type": "string", "description": "A sentence for a person."},
        },
        "required": ["type", "title", "status", "code", "detail"],
    }


def _validation_problem(fault: Schema) -> Schema:
    faults = {"type": "array", "items": fault, "description": "What is wrong with each member."}
    return {"allOf": [PROBLEM, {"properties": {"errors": faults}, "required": ["errors"]}]}


def _bears_access_token() -> Schema:
    described = "The access token, if it is not in the `Authorization` header."
    return {
        "type": "object",
        "properties": {"access_token": {"type": "string", "description": described}},
    }
