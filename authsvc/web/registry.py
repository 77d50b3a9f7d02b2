"""The parts that `create_app` made for one app, found again by their type."""

from typing import TypeVar

from flask import Flask, current_app

Part = TypeVar("Part")

_PARTS = "authsvc"


def install(app: Flask, part: object) -> None:
    """Keep the part with the app; one of the same type that was there is replaced."""
    app.extensions.setdefault(_PARTS, {})[type(part)] = part


def component(kind: type[Part]) -> Part:
    """The current app's part of that type."""
    part: Part = current_app.extensions[_PARTS][kind]
    return part
