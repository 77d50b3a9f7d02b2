"""Describe JSON Schemas in words and by examples, for the page that people read."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

_SAMPLES = {
    "uuid": "019ab5f2-6c1e-7cc3-98c4-dc0c0c07398f",
    "date-time": "2026-11-24T10:57:00Z",
}


@dataclass(frozen=True)
class Member:
    """A member of a JSON object, as a row of a table.

    Args:
        name: its path, such as `sessions[].id`.
        kind: its type in words.
        required: whether it is always present.
        text: its meaning.
    """

    name: str
    kind: str
    required: bool
    text: str


class SchemaReader:
    """Reads the schemas of a document, following their `$ref`.

    Args:
        document: the OpenAPI document.
    """

    def __init__(self, document: dict[str, Any]) -> None:
        self._document = document

    def members(self, schema: dict[str, Any], prefix: str = "") -> Iterator[Member]:
        """Yield the members of an object and, after each list, those of its items."""
        seen = set()
        for name, member, required in self._properties(schema):
            if name in seen:  # a part of an `allOf` that narrows the member of another
                continue
            seen.add(name)
            yield Member(prefix + name, _kind(member), required, member.get("description", ""))
            if "items" in member:
                yield from self.members(member["items"], f"{prefix}{name}[].")

    def _properties(self, schema: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any], bool]]:
        resolved = self.resolved(schema)
        for part in [*resolved.get("allOf", []), *resolved.get("anyOf", [])[:1]]:
            yield from self._properties(part)
        for name, member in resolved.get("properties", {}).items():
            yield name, member, name in resolved.get("required", [])

    def has_members(self, schema: dict[str, Any] | None) -> bool:
        return schema is not None and any(self.members(schema))

    def example(self, schema: dict[str, Any]) -> Any:
        """Return a value that the schema allows, without optional members."""
        resolved = self.resolved(schema)
        if "examples" in resolved:
            return resolved["examples"][0]
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

    def resolved(self, value: dict[str, Any]) -> dict[str, Any]:
        """Return the value, or, if it is a `$ref`, what it refers to."""
        if "$ref" not in value:
            return value
        target = self._document
        for part in value["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        return target


def _kind(schema: dict[str, Any]) -> str:
    if "const" in schema:
        return f'"{schema["const"]}"'
    if "anyOf" in schema:
        return " or ".join(_kind(choice) for choice in schema["anyOf"])
    kind = str(schema.get("format") or schema.get("type") or "string")
    if "items" in schema:
        return f"list of {schema['items'].get('type', 'object')}s"
    if "minLength" in schema:
        return f"{kind}, {schema['minLength']} to {schema['maxLength']} characters"
    return kind


def _sample(schema: dict[str, Any]) -> Any:
    if "const" in schema:
        return schema["const"]
    simple = {"boolean": True, "integer": 1, "object": {}}
    return _SAMPLES.get(schema.get("format", ""), simple.get(schema.get("type", ""), "..."))
