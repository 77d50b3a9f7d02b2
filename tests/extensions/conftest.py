"""The service and another app with the guard: an extension is tried on both."""

from collections.abc import Callable

import pytest
from flask import Flask

from tests.conftest import MakeApp
from tests.guard.issuer import ISSUER
from tests.support.guard_calls import elsewhere

MakeGuarded = Callable[..., Flask]


@pytest.fixture(params=["service", "elsewhere"])
def make_guarded(request: pytest.FixtureRequest, make_app: MakeApp) -> MakeGuarded:
    """A function that makes the service, or another app with the guard; both take one token."""
    return elsewhere if request.param == "elsewhere" else lambda: make_app(issuer=ISSUER)
