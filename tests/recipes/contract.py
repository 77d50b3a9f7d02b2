"""What each recipe must do with tokens and preflights; its test module names the APIs."""

import json
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPMessage
from typing import Any

from tests.recipes.listings import APP
from tests.recipes.tokens import ROLES, Tokens

PREFLIGHT = {
    "Origin": APP,
    "Access-Control-Request-Method": "PUT",
    "Access-Control-Request-Headers": "authorization,content-type",
}


@dataclass(frozen=True)
class Answer:
    status: int
    headers: HTTPMessage
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Api:
    """A server that runs a recipe.

    Args:
        port: where it listens.
        path: a protected route, which returns the subject and the roles of the token.
        lists: whether the recipe accepts a token for several audiences.
        statuses: of refusals that are not 401, by the token's flaw.
    """

    port: int
    path: str = "/notes"
    lists: bool = True
    statuses: Mapping[str, int] = field(default_factory=dict)

    def ask(
        self,
        token: str = "",
        headers: Mapping[str, str] | None = None,
        method: str = "GET",
        body: bytes = b"",
    ) -> Answer:
        sent = {"Origin": APP, **(headers or {})}
        if token:
            sent["Authorization"] = f"Bearer {token}"
        with closing(HTTPConnection("127.0.0.1", self.port, timeout=15)) as connection:
            connection.request(method, self.path, body or None, sent)
            answer = connection.getresponse()
            return Answer(answer.status, answer.headers, answer.read())


def assert_one_challenge(answer: Answer) -> None:
    """Assert that a 401 has the challenge of RFC 6750 section 3 once; a 403 needs none."""
    if answer.status == 401:
        (challenge,) = answer.headers.get_all("WWW-Authenticate", [])
        assert challenge.startswith("Bearer realm=")


class AcceptsAccessTokensOnly:
    """The tests of each recipe."""

    def test_an_access_token_is_accepted_with_its_subject_and_roles(
        self, api: Api, tokens: Tokens
    ) -> None:
        answer = api.ask(tokens.access)
        expected = {"sub": tokens.claims["sub"], "roles": ROLES}
        assert (answer.status, answer.json) == (200, expected)

    def test_a_token_without_roles_has_none(self, api: Api, tokens: Tokens) -> None:
        token = tokens.signed(roles=None)
        assert api.ask(token).json == {"sub": tokens.claims["sub"], "roles": []}

    def test_a_token_for_several_audiences_is_accepted(self, api: Api, tokens: Tokens) -> None:
        token = tokens.signed(aud=["https://other.example.com", tokens.claims["aud"]])
        assert api.ask(token).status == (200 if api.lists else 401)

    def test_a_request_without_a_token_is_refused(self, api: Api) -> None:
        answer = api.ask()
        assert answer.status == 401
        assert len(answer.headers.get_all("WWW-Authenticate", [])) < 2
        assert api.ask(headers={"Authorization": "Basic YWxpY2U6YQ=="}).status in (400, 401)

    def test_every_other_token_is_refused(self, api: Api, tokens: Tokens) -> None:
        flawed = tokens.flawed()
        answers = {flaw: api.ask(token) for flaw, token in flawed.items()}
        statuses = {flaw: answer.status for flaw, answer in answers.items()}
        assert statuses == {**dict.fromkeys(flawed, 401), **api.statuses}
        for answer in answers.values():
            assert_one_challenge(answer)

    def test_a_preflight_needs_no_token(self, api: Api) -> None:
        answer = api.ask(headers=PREFLIGHT, method="OPTIONS")
        assert answer.status in (200, 204)
        assert answer.headers.get_all("Access-Control-Allow-Origin") == [APP]
        assert "PUT" in answer.headers["Access-Control-Allow-Methods"]
        allowed = answer.headers["Access-Control-Allow-Headers"].lower()
        assert "authorization" in allowed
        assert "content-type" in allowed

    def test_a_page_of_another_origin_can_read_a_refusal(self, api: Api) -> None:
        assert api.ask().headers.get_all("Access-Control-Allow-Origin") == [APP]
