"""The blueprints that a request's route belongs to."""

from collections.abc import Iterator
from typing import Any

from flask import Blueprint, Flask, Request


def blueprints_of(app: Flask, request: Request) -> Iterator[Blueprint]:
    """Yield the blueprints of the request's route, the innermost first.

    Flask-RESTX names the endpoints of a blueprint as if it were neither nested nor registered under
    another name. For such a name, each blueprint that has it counts, and those around it.
    """
    registered: dict[str, Any] = app.blueprints
    for name in request.blueprints:
        if name in registered:
            yield registered[name]
            continue
        for full, blueprint in registered.items():
            if blueprint.name == name:
                yield blueprint
                yield from (registered[outer] for outer in _outer(full) if outer in registered)


def _outer(name: str) -> list[str]:
    """Return the names of the blueprints around one, the nearest first."""
    parts = name.split(".")
    return [".".join(parts[:count]) for count in range(len(parts) - 1, 0, -1)]
