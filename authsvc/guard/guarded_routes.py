"""Which guard of an app protects which of its routes: never two of them the same route."""

from collections.abc import Sequence

from flask import Blueprint, Flask, Request

from authsvc.web.blueprints import blueprints_of

_GUARDED = "authsvc.guarded_routes"


class GuardedRoutes:
    """The guards of one app: one for each guarded blueprint, and perhaps one for the rest."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self.by_blueprint: dict[Blueprint, object] = {}
        self.of_the_rest: object | None = None

    def guard_of(self, request: Request) -> object | None:
        """Return the guard of the request's route: that of the innermost guarded blueprint."""
        for blueprint in blueprints_of(self._app, request):
            if blueprint in self.by_blueprint:
                return self.by_blueprint[blueprint]
        return self.of_the_rest


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
