"""Traefik's ForwardAuth, which is not installed here, by the request that its documentation names.

It sends GET to the address with the client's headers and without the body. A 2xx passes the request
on, with the headers of `authResponseHeaders` in place of the client's own; any other response
goes to the client.
"""

from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from tests.recipes.contract import Answer, Api, assert_one_challenge
from tests.recipes.listings import APP, listing
from tests.recipes.tokens import ROLES, Tokens
from tests.support.running_service import Service

FORWARDED = {
    "X-Forwarded-Method": "POST",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": "api.example.com",
    "X-Forwarded-Uri": "/notes/7?page=2",
    "X-Forwarded-For": "192.0.2.7",
}
CLIENTS = {"X-Auth-Subject": "mallory", "Content-Type": "application/json", "Cookie": "a=b"}


@pytest.fixture
def middlewares(service: Service) -> Any:
    here = {"127.0.0.1:8000": f"127.0.0.1:{service.port}"}
    return yaml.safe_load(listing("Traefik", "yaml", here))["http"]["middlewares"]


@pytest.fixture
def forward_auth(middlewares: Any) -> Any:
    return middlewares["access-token"]["forwardAuth"]


def ask(forward_auth: Any, token: str) -> Answer:
    """Send what Traefik sends for a POST with that token."""
    address = urlsplit(forward_auth["address"])
    assert address.port is not None
    return Api(address.port, path=address.path).ask(token, {**FORWARDED, **CLIENTS})


def test_a_valid_token_names_the_user_in_each_header(forward_auth: Any, tokens: Tokens) -> None:
    answer = ask(forward_auth, tokens.access)
    assert 200 <= answer.status < 300
    copied = {name: answer.headers.get_all(name) for name in forward_auth["authResponseHeaders"]}
    assert copied == {
        "X-Auth-Subject": [tokens.claims["sub"]],
        "X-Auth-Session": [tokens.claims["sid"]],
        "X-Auth-Roles": [" ".join(ROLES)],
    }


def test_without_roles_the_header_is_there_and_replaces_the_clients(
    forward_auth: Any, tokens: Tokens
) -> None:
    answer = ask(forward_auth, tokens.signed(roles=None))
    assert answer.headers.get_all("X-Auth-Roles") == [""]


def test_every_other_token_is_refused(forward_auth: Any, tokens: Tokens) -> None:
    flawed = {"missing": "", **tokens.flawed()}
    answers = {flaw: ask(forward_auth, token) for flaw, token in flawed.items()}
    assert {flaw: answer.status for flaw, answer in answers.items()} == dict.fromkeys(flawed, 401)
    for answer in answers.values():
        assert_one_challenge(answer)
        assert answer.headers.get_all("Access-Control-Allow-Origin") == [APP]


def test_preflights_are_answered_before_a_token_is_required(middlewares: Any) -> None:
    cors = middlewares["cors"]["headers"]
    assert cors["accessControlAllowOriginList"] == [APP]
    assert {"Authorization", "Content-Type"} <= set(cors["accessControlAllowHeaders"])
    router = yaml.safe_load(listing("Traefik", "yaml"))["http"]["routers"]["notes"]
    assert router["middlewares"] == ["cors", "access-token"]
