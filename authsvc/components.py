"""The parts that `create_app` made for one app, found again by their type."""

from typing import TypeVar, cast

from flask import Flask, current_app

Part = TypeVar("Part")


def install(app: Flask, part: object) -> None:
    """Keep the part with the app; one of the same type that was there is replaced."""
    app.extensions[_name(type(part))] = part


def component(kind: type[Part]) -> Part:
    """The current app's part of that type."""
    return cast(Part, current_app.extensions[_name(kind)])


def _name(kind: type) -> str:
    return f"authsvc.{kind.__name__}"
