"""The page for people, rendered from the very document that machines read."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from flask import render_template
from markupsafe import Markup, escape

from authsvc.answers import JSON
from authsvc.operations.responses import PROBLEM_JSON

_CODE = re.compile(r"`([^`]+)`")
_BEGIN = """\
AUTH={server}

# after a login:
TOKEN=... # access_token of its answer
sid=...   # id of one of your sessions"""
_TOUR = [
    ("POST", "/auth/register"),
    ("POST", "/auth/login"),
    ("GET", "/api/me"),
    ("POST", "/auth/refresh"),
    ("POST", "/auth/logout"),
]
_SAMPLES = {
    "uuid": "019ab5f2-6c1e-7cc3-98c4-dc0c0c07398f",
    "date-time": "2026-11-24T10:57:00Z",
    "uri-reference": "/docs#rate_limited",
}


@dataclass(frozen=True)
class Member:
    """A member of a JSON object, as a row of a table.

    Args:
        name: its place, such as `sessions[].id`.
        kind: its type in words.
        required: whether it is always there.
        text: what it means.
    """

    name: str
    kind: str
    required: bool
    text: str


class Page:
    """What the template asks of the document."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document
        components = document["components"]
        self.headers = components["headers"]
        self.problems = {self.codes(told)[0]: told for told in components["responses"].values()}

    def operations(self, tag: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
        """The method, path and operation of each with that tag."""
        for path, methods in self.document["paths"].items():
            for method, operation in methods.items():
                if tag in operation["tags"]:
                    yield method.upper(), path, operation

    def success(self, operation: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        """Its status line and the response."""
        status, told = next(iter(operation["responses"].items()))
        return f"{status} {HTTPStatus(int(status)).phrase}", told

    def own_headers(self, told: dict[str, Any]) -> dict[str, Any]:
        """The headers that not every response bears."""
        return {name: header for name, header in told["headers"].items() if "$ref" not in header}

    def schema(self, told: dict[str, Any]) -> dict[str, Any] | None:
        """The schema of the JSON in a request's or response's body."""
        found: dict[str, Any] | None = told.get("content", {}).get(JSON, {}).get("schema")
        return found

    def refusals(self, operation: dict[str, Any]) -> Iterator[tuple[str, list[str]]]:
        """The statuses of its problems with their codes."""
        for status, told in operation["responses"].items():
            if codes := self.codes(self._resolved(told)):
                yield status, codes

    def refused_by(self, code: str) -> list[dict[str, Any]]:
        """The operations that may answer the problem."""
        return [
            operation
            for methods in self.document["paths"].values()
            for operation in methods.values()
            if any(code in codes for _, codes in self.refusals(operation))
        ]

    def codes(self, told: dict[str, Any]) -> list[str]:
        """The codes of the problems that a response may be."""
        schema = told.get("content", {}).get(PROBLEM_JSON, {}).get("schema", {"allOf": []})
        return [code for part in schema["allOf"] for code in self._enum(part, "code")]

    def status(self, told: dict[str, Any]) -> str:
        """The status line of a response that is one problem."""
        parts = told["content"][PROBLEM_JSON]["schema"]["allOf"]
        status = HTTPStatus(parts[-1]["properties"]["status"]["const"])
        return f"{status.value} {status.phrase}"

    def members(self, schema: dict[str, Any], prefix: str = "") -> Iterator[Member]:
        """The members of an object, those of its objects included."""
        resolved = self._resolved(schema)
        for part in [*resolved.get("allOf", []), *resolved.get("anyOf", [])[:1]]:
            yield from self.members(part, prefix)
        for name, member in resolved.get("properties", {}).items():
            required = name in resolved.get("required", [])
            yield Member(prefix + name, _kind(member), required, member.get("description", ""))
            if "items" in member:
                yield from self.members(member["items"], f"{prefix}{name}[].")

    def has_members(self, schema: dict[str, Any] | None) -> bool:
        return schema is not None and any(self.members(schema))

    def example(self, schema: dict[str, Any]) -> Any:
        """A value that the schema allows; what may be left out is left out."""
        resolved = self._resolved(schema)
        if "allOf" in resolved:
            parts = [self.example(part) for part in resolved["allOf"]]
            return {name: value for part in parts for name, value in part.items()}
        if "anyOf" in resolved and "$ref" in resolved["anyOf"][0]:
            return self.example(resolved["anyOf"][0])
        if "properties" in resolved:
            members = resolved["properties"]
            return {name: self.example(members[name]) for name in resolved.get("required", [])}
        if "items" in resolved:
            return [self.example(resolved["items"])]
        return _sample(resolved)

    def curl(self, method: str, path: str, operation: dict[str, Any]) -> str:
        """The call as a line for a shell, with the variables of the page's beginning."""
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
            words.append(f"--json '{pretty(self.example(body))}'")
        first = [word for word in words if not word.startswith(("-H", "--json"))]
        return " \\\n  ".join([" ".join(first), *(word for word in words if word not in first)])

    def tour(self) -> str:
        """The life of a session, as lines for a shell."""
        paths = self.document["paths"]
        return "\n\n".join(
            self.curl(method, path, paths[path][method.lower()]) for method, path in _TOUR
        )

    def _resolved(self, told: dict[str, Any]) -> dict[str, Any]:
        if "$ref" not in told:
            return told
        found = self.document
        for part in told["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        return found

    def _enum(self, schema: dict[str, Any], name: str) -> list[str]:
        found: list[str] = schema.get("properties", {}).get(name, {}).get("enum", [])
        return found


def docs_page(document: dict[str, Any]) -> str:
    """The page as HTML."""
    begin = _BEGIN.format(server=_absolute(document["servers"][0]["url"]))
    return render_template(
        "docs.html", page=Page(document), document=document, begin=begin, prose=prose, pretty=pretty
    )


def prose(text: str) -> Markup:
    """Paragraphs of plain text, with code where there are backticks."""
    paragraphs = (_CODE.sub(r"<code>\1</code>", str(escape(part))) for part in text.split("\n\n"))
    return Markup("".join(f"<p>{part}</p>" for part in paragraphs if part))  # noqa: S704


def _absolute(url: str) -> str:
    return "http://localhost:8000" if url == "/" else url


def pretty(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


def _kind(schema: dict[str, Any]) -> str:
    if "const" in schema:
        return f'"{schema["const"]}"'
    if "anyOf" in schema:
        return " or ".join(_kind(choice) for choice in schema["anyOf"])
    kind = str(schema.get("format") or schema.get("type") or "string")
    if "items" in schema:
        return "list of objects"
    if "minLength" in schema:
        return f"{kind}, {schema['minLength']} to {schema['maxLength']} characters"
    return kind


def _sample(schema: dict[str, Any]) -> Any:
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return schema["enum"][0]
    if "examples" in schema:
        return schema["examples"][0]
    simple = {"boolean": True, "integer": 1, "object": {}}
    return _SAMPLES.get(schema.get("format", ""), simple.get(schema.get("type", ""), "..."))
