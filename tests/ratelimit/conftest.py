"""The app with its counts in the database, and in a real Redis."""

from collections.abc import Iterator

import pytest
from flask import Flask

from tests.conftest import MakeApp, empty_tables
from tests.support.redis_server import RedisServer, redis_server


@pytest.fixture(scope="session")
def redis() -> Iterator[RedisServer]:
    with redis_server() as server:
        yield server


@pytest.fixture(scope="session")
def app_on_redis(make_app: MakeApp, redis: RedisServer) -> Flask:
    return make_app(is_shared=True, rate_limit_storage=redis.url)


@pytest.fixture(params=["database", pytest.param("redis", marks=pytest.mark.once)])
def limited(request: pytest.FixtureRequest, shared_app: Flask) -> Iterator[Flask]:
    """The app, once with each storage, without counts."""
    if request.param == "redis":
        app = request.getfixturevalue("app_on_redis")
        request.getfixturevalue("redis").client.flushall()
    else:
        app = shared_app
    yield app
    empty_tables(app)
