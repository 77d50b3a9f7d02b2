"""The parts that `create_app` made for one app, found by their type."""

from typing import TypeVar

from flask import Flask, current_app
from flask.sansio.app import App

Part = TypeVar("Part")

_PARTS = "authsvc"


def add(app: Flask, part: object) -> None:
    """Keep a part with the app, under its class and each class that it derives from.

    It replaces a part that was added before under the same class.
    """
    parts = app.extensions.setdefault(_PARTS, {})
    parts |= dict.fromkeys(type(part).__mro__[:-1], part)  # the last one is `object`


def get(kind: type[Part]) -> Part:
    """Return the current app's part of that class, or of a subclass.

    Raises:
        LookupError: the app has no such part.
    """
    part: Part = current_app.extensions[_PARTS][kind]
    return part


def of(app: App, kind: type[Part]) -> Part:
    """Return the app's part of that class, where no request or command runs yet.

    Raises:
        LookupError: the app has no such part.
    """
    part: Part = app.extensions[_PARTS][kind]
    return part
