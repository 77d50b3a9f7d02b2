"""Whether a real answer is one that /openapi.json tells of, to the last header and member."""

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
    """One method of one path, as the document has it."""

    method: str
    path: str
    told: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


class Description:
    """The document of an app."""

    def __init__(self, app: Flask) -> None:
        self.document = app.test_client().get("/openapi.json").json

    @property
    def operations(self) -> list[Operation]:
        return [
            Operation(method.upper(), path, told)
            for path, methods in self.document["paths"].items()
            for method, told in methods.items()
        ]

    def operation(self, method: str, path: str) -> Operation:
        """The operation that such a request is for."""
        for operation in self.operations:
            pattern = re.sub(r"\\{\w+\\}", "[^/]+", re.escape(operation.path))
            if operation.method == method and re.fullmatch(pattern, path):
                return operation
        raise AssertionError(f"/openapi.json does not tell of {method} {path}")

    def codes(self, operation: Operation) -> set[str]:
        """The codes of the problems that the operation may answer."""
        return {
            code
            for response in operation.told["responses"].values()
            for content in self.resolved(response).get("content", {}).values()
            for code in codes_in(content["schema"])
        }

    def resolved(self, told: dict[str, Any]) -> dict[str, Any]:
        if "$ref" not in told:
            return told
        found = self.document
        for part in told["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        return found

    def assert_tells_of(self, answer: TestResponse) -> None:
        """The document has this answer for the request that it answers."""
        operation = self.operation(answer.request.method, answer.request.path)
        responses = operation.told["responses"]
        assert str(answer.status_code) in responses, f"{operation} {answer.status}: {answer.text}"
        self.assert_is(responses[str(answer.status_code)], answer)

    def assert_is(self, told: dict[str, Any], answer: TestResponse) -> None:
        """The answer is what this response of the document says."""
        response = self.resolved(told)
        self._assert_headers(response["headers"], answer)
        content = response.get("content", {})
        if not content:
            assert answer.data == b""
            return
        assert answer.mimetype in content
        if answer.is_json:
            self.assert_fits(content[answer.mimetype]["schema"], answer.json)

    def _assert_headers(self, told: dict[str, Any], answer: TestResponse) -> None:
        headers = {name: self.resolved(header) for name, header in told.items()}
        present = set(answer.headers.keys()) - HTTP_ITSELF
        required = {name for name, header in headers.items() if header["required"]}
        assert required <= present <= set(headers), (required - present, present - set(headers))
        for name in present:
            integer = headers[name]["schema"]["type"] == "integer"
            assert not integer or answer.headers[name].isdigit(), name

    def assert_fits(self, schema: dict[str, Any], body: Any) -> None:
        """The body has all that the schema names, and nothing else."""
        strict = {**self.document, **schema, "unevaluatedProperties": False}
        Draft202012Validator(strict, format_checker=FormatChecker()).validate(body)


def codes_in(schema: dict[str, Any]) -> Iterator[str]:
    for part in schema.get("allOf", []):
        yield from part.get("properties", {}).get("code", {}).get("enum", [])
