"""JSON Schemas of requests and responses, from the types that validate and serialize them."""

import json
from collections.abc import Iterator, Sequence
from typing import Any, Literal

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema

from authsvc.openapi.docstrings import Docstring
from authsvc.openapi.problem_schemas import problem_components
from authsvc.openapi.routes import Route
from authsvc.problems import Fault
from authsvc.web.inputs import NEW_PASSWORD

IN_COMPONENTS = "#/components/schemas/{model}"

Schema = dict[str, Any]
Mode = Literal["validation", "serialization"]
Wanted = list[tuple[str, Mode, TypeAdapter[Any]]]


class Schemas:
    """The schemas of some routes.

    Args:
        routes: the routes.
        password_min_length: the least number of code points in a new password.
    """

    def __init__(self, routes: Sequence[Route], password_min_length: int) -> None:
        fault: Wanted = [("fault", "serialization", TypeAdapter(Fault))]
        ours = [wanted for route in routes if not route.is_own for wanted in _wanted_by(route)]
        own = [wanted for route in routes if route.is_own for wanted in _wanted_by(route)]
        self._made, described = _schemas_of([*fault, *ours])
        for schema in described.values():
            _set_password_length(schema.get("properties", {}), password_min_length)
        self.components: dict[str, Schema] = {
            **described,
            **problem_components({kind for route in routes for kind in route.problems}),
        }
        self._add_own(*_schemas_of(own))

    def _add_own(self, made: dict[str, Schema], described: dict[str, Schema]) -> None:
        """Add the operator's schemas; one whose name is taken gets another, and ours stay."""
        taken = self.components
        names = {
            name: f"Own{name}" if schema != taken.get(name, schema) else name
            for name, schema in described.items()
        }
        text = json.dumps([made, {names[name]: schema for name, schema in described.items()}])
        for name, free in names.items():
            text = text.replace(f'"{_reference(name)}"', f'"{_reference(free)}"')
        made, described = json.loads(text)
        self._made |= made
        self.components |= described

    def taken_by(self, route: Route) -> Schema:
        """Return the schema of the request's body.

        It does not name `access_token`, which the body of a protected route may hold: programs
        that import the document would send one there and another as Bearer.
        """
        return self._made[f"{route.name} takes"]

    def taken_as_form_by(self, route: Route) -> Schema:
        """Return the schema of the request's body if it is a form."""
        return self._made[f"{route.name} form"]

    def answered_by(self, route: Route) -> Schema:
        """Return the schema of the response's body; a string if it is not JSON."""
        return self._made.get(f"{route.name} answers", {"type": "string"})

    def query_of(self, route: Route) -> list[Schema]:
        """Return the route's query string as OpenAPI parameters."""
        if route.query is None:
            return []
        made = TypeAdapter(route.query).json_schema(
            ref_template=IN_COMPONENTS, schema_generator=_Generator
        )
        self.components = made.pop("$defs", {}) | self.components
        schema = _described(made)
        required = schema.get("required", [])
        return [
            _parameter(name, member, name in required)
            for name, member in schema["properties"].items()
        ]


def _parameter(name: str, member: Schema, required: bool) -> Schema:
    described = {"description": member["description"]} if "description" in member else {}
    choices = [choice for choice in member.get("anyOf", [member]) if choice.get("type") != "null"]
    schema = choices[0] if len(choices) == 1 else {"anyOf": choices}
    return {
        "name": name,
        "in": "query",
        **({"required": True} if required else {}),
        **described,
        "schema": {key: value for key, value in schema.items() if key != "description"},
    }


def _wanted_by(route: Route) -> Iterator[tuple[str, Mode, TypeAdapter[Any]]]:
    if route.body is not None:
        yield f"{route.name} takes", "validation", TypeAdapter(route.body)
    if route.form is not None:
        yield f"{route.name} form", "validation", TypeAdapter(route.form)
    if route.answer.body is not None:
        yield f"{route.name} answers", "serialization", route.answer.body


def _schemas_of(wanted: Wanted) -> tuple[dict[str, Schema], dict[str, Schema]]:
    """Return the schema of each that is wanted, and the definitions that these refer to."""
    made, definitions = TypeAdapter.json_schemas(
        wanted, ref_template=IN_COMPONENTS, schema_generator=_Generator
    )
    described = definitions.get("$defs", {}).items()
    return (
        {name: schema for (name, _), schema in made.items()},
        {name: _described(schema) for name, schema in described},
    )


def _reference(model: str) -> str:
    return IN_COMPONENTS.format(model=model)


class _Generator(GenerateJsonSchema):
    """pydantic's generator, without titles; every member of a response is required."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False

    def field_is_required(self, field: Any, total: bool) -> bool:
        may_be_absent = field["type"] == "typed-dict-field"
        sent = self.mode == "serialization" and not may_be_absent
        return sent or super().field_is_required(field, total)

    def default_schema(self, schema: Any) -> Any:
        """Leave the default out of a response, where the member is always present.

        A default of null is left out too: openapi-typescript requires members with a default.
        """
        if self.mode == "serialization" or schema.get("default", ...) is None:
            return self.generate_inner(schema["schema"])
        return super().default_schema(schema)


def _described(schema: Schema) -> Schema:
    """Return the schema with each member's description from the docstring's `Args`."""
    docstring = Docstring.of(schema.get("description"))
    text = " ".join(filter(None, [docstring.summary and f"{docstring.summary}.", docstring.text]))
    members = {
        name: {**member, "description": docstring.arguments[name]}
        if name in docstring.arguments
        else member
        for name, member in schema.get("properties", {}).items()
    }
    described = {"description": text} if text else {}
    return {**schema, **described, **({"properties": members} if members else {})}


def _set_password_length(members: dict[str, Schema], min_length: int) -> None:
    for name, member in members.items():
        if member.get("format") == NEW_PASSWORD:
            members[name] = member | {"format": "password", "minLength": min_length}
