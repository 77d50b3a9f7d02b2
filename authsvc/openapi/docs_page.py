"""The page for people, rendered from the OpenAPI document."""

import json
import re
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from flask import render_template
from markupsafe import Markup, escape

from authsvc.openapi.problem_schemas import explanation
from authsvc.openapi.responses import example
from authsvc.openapi.schema_reader import SchemaReader
from authsvc.problems import Problem, ValidationFailed, every_problem
from authsvc.web.outputs import JSON
from authsvc.web.problem_json import MEDIA as PROBLEM_JSON

_CODE = re.compile(r"`([^`]+)`")
_BEGIN = """\
AUTH={server}

# after a login:
TOKEN=... # access_token of its response
sid=...   # id of one of your sessions"""
_TOUR = [
    ("POST", "/auth/register"),
    ("POST", "/auth/login"),
    ("GET", "/api/me"),
    ("POST", "/auth/refresh"),
    ("POST", "/auth/logout"),
]


class Page:
    """The functions that the template calls on the document."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document
        self.schemas = SchemaReader(document)
        self.headers = document["components"]["headers"]
        self.problems = {kind.code: kind for kind in every_problem()}
        self.example = example(ValidationFailed)

    def operations(self, tag: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
        """Yield the method, path and operation of each operation with this tag."""
        for path, methods in self.document["paths"].items():
            for method, operation in methods.items():
                if tag in operation["tags"]:
                    yield method.upper(), path, operation

    def success(self, operation: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        """Return the status line and the response of a successful call."""
        status, response = next(iter(operation["responses"].items()))
        return f"{status} {HTTPStatus(int(status)).phrase}", response

    def own_headers(self, response: dict[str, Any]) -> dict[str, Any]:
        """Return the response's headers without those of every response."""
        headers = response["headers"].items()
        return {name: header for name, header in headers if "$ref" not in header}

    def schema(self, message: dict[str, Any]) -> dict[str, Any] | None:
        """Return the schema of the JSON in a request's or response's body."""
        schema: dict[str, Any] | None = message.get("content", {}).get(JSON, {}).get("schema")
        return schema

    def refusals(self, operation: dict[str, Any]) -> Iterator[tuple[str, list[str]]]:
        """Yield the status of each of the operation's problems, with their codes."""
        for status, response in operation["responses"].items():
            if codes := self.codes(self.schemas.resolved(response)):
                yield status, codes

    def refused_by(self, code: str) -> list[dict[str, Any]]:
        """Return the operations that may answer with this problem."""
        return [
            operation
            for methods in self.document["paths"].values()
            for operation in methods.values()
            if any(code in codes for _, codes in self.refusals(operation))
        ]

    def codes(self, response: dict[str, Any]) -> list[str]:
        """Return the codes of the problems that a response may be."""
        schema = response.get("content", {}).get(PROBLEM_JSON, {}).get("schema")
        if schema is None:
            return []
        kinds = [self.schemas.resolved(kind) for kind in schema.get("oneOf", [schema])]
        return [kind["allOf"][-1]["properties"]["code"]["enum"][0] for kind in kinds]

    def fault_codes(self) -> Iterator[tuple[str, str]]:
        """Yield each code of `errors` in `validation_failed`, with its meaning."""
        described = self.document["components"]["schemas"]["FaultCode"]
        yield from zip(described["enum"], described["x-enum-descriptions"], strict=True)

    def status(self, kind: type[Problem]) -> str:
        """Return the status line of a problem."""
        status = HTTPStatus(kind.status)
        return f"{status.value} {status.phrase}"

    def explanation(self, kind: type[Problem]) -> str:
        """Return what happened and what the client should do."""
        return explanation(kind)

    def curl(self, method: str, path: str, operation: dict[str, Any]) -> str:
        """Return the call as a shell command, with the variables that the page begins with."""
        words = ["curl", f'"$AUTH{path.replace("{", "$").replace("}", "")}"']
        body = self.schema(operation.get("requestBody", {}))
        if method not in ("GET", "POST") or (method == "POST" and body is None):
            words.insert(1, f"-X {method}")
        schemes = {name for scheme in operation["security"] for name in scheme}
        if "refresh_cookie" in schemes:
            words.append("-b cookies")
        if "Set-Cookie" in self.success(operation)[1]["headers"]:
            words.append("-c cookies")
        if "access_token" in schemes:
            words.append('-H "Authorization: Bearer $TOKEN"')
        if body is not None:
            words.append(f"--json '{pretty(self.schemas.example(body))}'")
        first = [word for word in words if not word.startswith(("-H", "--json"))]
        return " \\\n  ".join([" ".join(first), *(word for word in words if word not in first)])

    def tour(self) -> str:
        """Return the life of a session as shell commands."""
        paths = self.document["paths"]
        return "\n\n".join(
            self.curl(method, path, paths[path][method.lower()]) for method, path in _TOUR
        )


def docs_page(document: dict[str, Any]) -> str:
    """Return the page as HTML."""
    begin = _BEGIN.format(server=_absolute(document["servers"][0]["url"]))
    return render_template(
        "docs.html", page=Page(document), document=document, begin=begin, prose=prose, pretty=pretty
    )


def prose(text: str) -> Markup:
    """Return plain text as HTML paragraphs, with `code` elements for backticks."""
    paragraphs = (_CODE.sub(r"<code>\1</code>", str(escape(part))) for part in text.split("\n\n"))
    return Markup("".join(f"<p>{part}</p>" for part in paragraphs if part))  # noqa: S704


def _absolute(url: str) -> str:
    return f"http://localhost:8000{url.rstrip('/')}" if url.startswith("/") else url


def pretty(value: Any) -> str:
    """Return a value as indented JSON."""
    return json.dumps(value, indent=2, ensure_ascii=False)
