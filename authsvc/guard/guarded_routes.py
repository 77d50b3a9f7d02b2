"""Which guard of an app protects which of its routes: never two of them the same route."""

from collections.abc import Iterator, Sequence
from typing import Any

from flask import Blueprint, Flask, Request

_GUARDED = "authsvc.guarded_routes"


class GuardedRoutes:
    """The guards of one app: one for each guarded blueprint, and perhaps one for the rest."""

    def __init__(self, app: Flask) -> None:
        self._blueprints: dict[str, Any] = app.blueprints
        self.by_blueprint: dict[Blueprint, object] = {}
        self.of_the_rest: object | None = None

    def guard_of(self, request: Request) -> object | None:
        """Return the guard of the request's route: that of the innermost guarded blueprint."""
        for name in self._registered(request.blueprints):
            if self._blueprints[name] in self.by_blueprint:
                return self.by_blueprint[self._blueprints[name]]
        return self.of_the_rest

    def _registered(self, names: Sequence[str]) -> Iterator[str]:
        """Yield the names under which the app has the blueprints, the innermost first.

        Flask-RESTX names the endpoints of a blueprint as if it were neither nested nor registered
        under another name. Its routes must not be open because of that.
        """
        for name in names:
            if name in self._blueprints:
                yield name
                continue
            for full, blueprint in self._blueprints.items():
                if blueprint.name == name:
                    yield full
                    yield from (parent for parent in _outer(full) if parent in self._blueprints)


def _outer(name: str) -> list[str]:
    """Return the names of the blueprints around one, the nearest first."""
    parts = name.split(".")
    return [".".join(parts[:count]) for count in range(len(parts) - 1, 0, -1)]


def claimed(app: Flask, guard: object, blueprints: Sequence[Blueprint] | None) -> GuardedRoutes:
    """Give the guard its routes, and return those of all guards of the app.

    Args:
        app: the app.
        guard: the guard that protects them.
        blueprints: the blueprints that it protects; None for all routes that no other guard has.

    Raises:
        ValueError: another guard has them already, or there is not one blueprint.
        TypeError: `blueprints` is not a list of blueprints.
    """
    guarded: GuardedRoutes = app.extensions.setdefault(_GUARDED, GuardedRoutes(app))
    if blueprints is None:
        if guarded.of_the_rest is not None:
            raise ValueError(
                "The app has a guard for all of its routes already. Give this one the blueprints "
                "that it protects: blueprints=[...]."
            )
        guarded.of_the_rest = guard
        return guarded
    for blueprint in _checked(blueprints):
        if blueprint in guarded.by_blueprint:
            raise ValueError(f"The blueprint {blueprint.name!r} has a guard already.")
    guarded.by_blueprint.update(dict.fromkeys(blueprints, guard))
    return guarded


def _checked(blueprints: Sequence[Blueprint]) -> Sequence[Blueprint]:
    if not isinstance(blueprints, list | tuple) or not all(
        isinstance(blueprint, Blueprint) for blueprint in blueprints
    ):
        raise TypeError(
            "blueprints takes a list of Blueprint objects, not their names: blueprints=[api]."
        )
    if not blueprints:
        raise ValueError(
            "blueprints=[] would protect nothing. Leave it out to protect every route."
        )
    return blueprints
