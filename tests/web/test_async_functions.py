"""A function that must be awaited is left to Flask, whatever it is wrapped in."""

from collections.abc import Callable
from functools import partial, wraps
from typing import Any

import pytest
from flask import Flask

pytestmark = pytest.mark.once


class Views:
    async def asynchronous(self) -> str:
        return ""

    def plain(self) -> str:
        return ""


async def asynchronous() -> str:
    return ""


def plain() -> str:
    return ""


@wraps(plain)
def wrapped() -> str:
    return ""


@pytest.mark.parametrize("function", [asynchronous, Views().asynchronous, partial(asynchronous)])
def test_an_asynchronous_function_is_not_called_as_it_is(
    app: Flask, monkeypatch: pytest.MonkeyPatch, function: Callable[..., Any]
) -> None:
    monkeypatch.setattr(app, "async_to_sync", lambda found: ("sync", found))
    assert app.ensure_sync(function) == ("sync", function)


@pytest.mark.parametrize("function", [plain, Views().plain, partial(plain), wrapped, len])
def test_another_function_is_called_as_it_is(app: Flask, function: Callable[..., Any]) -> None:
    assert app.ensure_sync(function) is function
