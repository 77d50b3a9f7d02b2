"""JSON Schemas of requests and responses, from the types that validate and serialize them."""

from collections.abc import Sequence
from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema

from authsvc.openapi.docstrings import Docstring
from authsvc.openapi.problem_schemas import problem_components
from authsvc.openapi.routes import Route
from authsvc.problems import Fault
from authsvc.web.inputs import NEW_PASSWORD

IN_COMPONENTS = "#/components/schemas/{model}"

Schema = dict[str, Any]


class Schemas:
    """The schemas of some routes.

    Args:
        routes: the routes.
        password_min_length: the least number of code points in a new password.
    """

    def __init__(self, routes: Sequence[Route], password_min_length: int) -> None:
        wanted: list[Any] = [("fault", "serialization", TypeAdapter(Fault))]
        for route in routes:
            if route.body is not None:
                wanted.append((f"{route.name} takes", "validation", TypeAdapter(route.body)))
            if route.form is not None:
                wanted.append((f"{route.name} form", "validation", TypeAdapter(route.form)))
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
            **problem_components({kind for route in routes for kind in route.problems}),
        }

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
