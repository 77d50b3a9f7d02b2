"""JSON Schemas of the problems: one for each code, so that generated clients have typed errors."""

from collections.abc import Collection, Sequence
from typing import Any, get_args

from authsvc.openapi.docstrings import Docstring
from authsvc.problems import (
    FactorMethod,
    FaultCode,
    Problem,
    SecondFactorRequired,
    ValidationFailed,
    every_problem,
)

Schema = dict[str, Any]

_REF = "#/components/schemas/"


def schema_name(kind: type[Problem]) -> str:
    """Return the name of a problem's schema: `InvalidCredentialsProblem`."""
    return f"{component_name(kind)}Problem"


def component_name(kind: type[Problem]) -> str:
    """Return the name of a problem's response: `InvalidCredentials`."""
    return "".join(word.capitalize() for word in kind.code.split("_"))


def is_ours(kind: type[Problem]) -> bool:
    """Return whether the problem is the service's and not an operator's own."""
    return kind.__module__.startswith("authsvc.")


def of_problems(kinds: Sequence[type[Problem]]) -> Schema:
    """Return the schema of a problem of one of these kinds."""
    refs = {kind.code: _REF + schema_name(kind) for kind in kinds}
    if len(refs) == 1:
        return {"$ref": refs[kinds[0].code]}
    return {
        "oneOf": [{"$ref": ref} for ref in refs.values()],
        "discriminator": {"propertyName": "code", "mapping": refs},
    }


def problem_components(kinds: Collection[type[Problem]]) -> dict[str, Schema]:
    """Return the schemas of problems by their names, and what they refer to.

    Args:
        kinds: the problems that the described routes may answer with.
    """
    answered = {kind.code for kind in kinds}
    known = [kind for kind in every_problem() if kind.code in answered or is_ours(kind)]
    return {
        "FaultCode": _fault_code(),
        "Problem": _problem(known),
        **{schema_name(kind): _of_problem(kind) for kind in known if kind.code in answered},
    }


def explanation(kind: type[Problem]) -> str:
    """Return what happened and what the client should do: the class's docstring."""
    docstring = Docstring.of(kind.__doc__)
    return "\n\n".join(filter(None, [f"{docstring.summary}.", docstring.text]))


def _of_problem(kind: type[Problem]) -> Schema:
    # `enum` and not `const`: generators merge it with the type of the base schema.
    own: Schema = {
        "type": "object",
        "properties": {
            "status": {"type": "integer", "enum": [kind.status], "description": _STATUS},
            "code": {"type": "string", "enum": [kind.code], "description": _CODE},
        },
        "required": ["status", "code"],
    }
    for name, schema in _more_members(kind).items():
        own["properties"][name] = schema
        own["required"].append(name)
    return {"description": explanation(kind), "allOf": [{"$ref": f"{_REF}Problem"}, own]}


def _more_members(kind: type[Problem]) -> dict[str, Schema]:
    """Return the schemas of the members that a problem has besides those of all problems."""
    if issubclass(kind, ValidationFailed):
        items: Schema = {"$ref": f"{_REF}Fault"}
        return {"errors": _list(items, "What is wrong with each member.")}
    if issubclass(kind, SecondFactorRequired):
        items = {"type": "string", "enum": list(get_args(FactorMethod))}
        return {"methods": _list(items, "The second factors that the account has.")}
    return {}


def _list(items: Schema, description: str) -> Schema:
    return {"type": "array", "items": items, "description": description}


def _fault_code() -> Schema:
    return {
        "type": "string",
        "description": "What is wrong with a member, for a program.",
        "enum": [code.value for code in FaultCode],
        "x-enum-descriptions": [code.meaning for code in FaultCode],
    }


_STATUS = "The response's status."
_CODE = "The stable word to program against."


def _problem(kinds: Collection[type[Problem]]) -> Schema:
    codes = [kind.code for kind in kinds]
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
            "status": {"type": "integer", "description": _STATUS},
            "code": {"type": "string", "enum": list(dict.fromkeys(codes)), "description": _CODE},
            "detail": {"type": "string", "description": "A sentence for a person."},
        },
        "required": ["type", "title", "status", "code", "detail"],
    }
