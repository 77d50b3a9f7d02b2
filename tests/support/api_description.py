"""Compare real responses with /openapi.json, down to each header and member."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from flask import Flask
from jsonschema import Draft202012Validator, FormatChecker
from werkzeug.test import TestResponse

HTTP_ITSELF = {"Content-Type", "Content-Length", "Date"}


@dataclass(frozen=True)
class Operation:
    """One method of one path, as the document describes it."""

    method: str
    path: str
    description: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


class Description:
    """The document of an app."""

    def __init__(self, app: Flask) -> None:
        self.document = app.test_client().get("/openapi.json").json

    @property
    def operations(self) -> list[Operation]:
        return [
            Operation(method.upper(), path, description)
            for path, methods in self.document["paths"].items()
            for method, description in methods.items()
        ]

    def operation(self, method: str, path: str) -> Operation:
        """Return the operation of a request."""
        for operation in self.operations:
            pattern = re.sub(r"\\{\w+\\}", "[^/]+", re.escape(operation.path))
            if operation.method == method and re.fullmatch(pattern, path):
                return operation
        raise AssertionError(f"/openapi.json does not describe {method} {path}")

    def codes(self, operation: Operation) -> set[str]:
        """Return the codes of the problems that the operation may answer."""
        return {
            code
            for response in operation.description["responses"].values()
            for content in self.resolved(response).get("content", {}).values()
            for code in self.codes_in(content["schema"])
        }

    def codes_in(self, schema: dict[str, Any]) -> Iterator[str]:
        """Yield the codes of the problems that a schema allows."""
        for kind in schema.get("oneOf", [schema]):
            for part in self.resolved(kind).get("allOf", []):
                yield from part.get("properties", {}).get("code", {}).get("enum", [])

    def example_of(self, schema: dict[str, Any]) -> Any:
        """Return the example that a schema has or that its members give, without optional ones."""
        schema = self.resolved(schema)
        if "examples" in schema:
            return schema["examples"][0]
        if "properties" not in schema:
            return schema.get("const", "x")
        required = schema.get("required", [])
        return {
            name: self.example_of(member)
            for name, member in schema["properties"].items()
            if name in required or "examples" in member
        }

    def example(self, operation: Operation, code: str) -> dict[str, Any]:
        """Return the example of a problem that the operation may answer."""
        for response in operation.description["responses"].values():
            for content in self.resolved(response).get("content", {}).values():
                if code in content.get("examples", {}):
                    return dict(content["examples"][code]["value"])
        raise AssertionError(f"{operation} has no example of {code}")

    def resolved(self, reference: dict[str, Any]) -> dict[str, Any]:
        if "$ref" not in reference:
            return reference
        found = self.document
        for part in reference["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        return found

    def assert_describes(self, answer: TestResponse) -> None:
        """Assert that the document describes this response to its request."""
        operation = self.operation(answer.request.method, answer.request.path)
        responses = operation.description["responses"]
        assert str(answer.status_code) in responses, f"{operation} {answer.status}: {answer.text}"
        self.assert_is(responses[str(answer.status_code)], answer)

    def assert_is(self, described: dict[str, Any], answer: TestResponse) -> None:
        """Assert that the response is as this part of the document says."""
        response = self.resolved(described)
        self._assert_headers(response["headers"], answer)
        content = response.get("content", {})
        if not content:
            assert answer.data == b""
            return
        assert answer.mimetype in content
        if answer.is_json:
            self.assert_fits(content[answer.mimetype]["schema"], answer.json)

    def _assert_headers(self, described: dict[str, Any], answer: TestResponse) -> None:
        headers = {name: self.resolved(header) for name, header in described.items()}
        present = set(answer.headers.keys()) - HTTP_ITSELF
        required = {name for name, header in headers.items() if header["required"]}
        assert required <= present <= set(headers), (required - present, present - set(headers))
        for name in present:
            integer = headers[name]["schema"]["type"] == "integer"
            assert not integer or answer.headers[name].isdigit(), name

    def assert_fits(self, schema: dict[str, Any], body: Any) -> None:
        """Assert that the body has all members that the schema names, and no others."""
        strict = {**self.document, **schema, "unevaluatedProperties": False}
        Draft202012Validator(strict, format_checker=FormatChecker()).validate(body)
