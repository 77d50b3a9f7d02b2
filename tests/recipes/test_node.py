"""Express and Fastify accept the service's access tokens, all in one process of Node."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.recipes.contract import AcceptsAccessTokensOnly, Api
from tests.recipes.listings import ISSUER, listing
from tests.recipes.servers import running
from tests.recipes.tokens import Tokens
from tests.support.programs import program
from tests.support.running_service import Service, free_port

MODULES = Path(__file__).parent / "node_modules"
RECIPES = ("Express", "express-oauth2-jwt-bearer", "Fastify")


AWAY = tuple(f"{name}-away" for name in RECIPES)
"""The same servers, which cannot fetch the keys."""


@pytest.fixture(scope="module")
def ports(service: Service, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, int]]:
    """The port of each recipe."""
    folder = tmp_path_factory.mktemp("node")
    ports = {name: free_port() for name in (*RECIPES, *AWAY)}
    here = dict.fromkeys(RECIPES, service.url)
    away = dict.fromkeys(AWAY, f"http://localhost:{free_port()}")
    for name, issuer in {**here, **away}.items():
        write_recipe(folder / name, name.removesuffix("-away"), issuer, ports[name])
    (folder / "package.json").write_text('{"type": "module"}')
    (folder / "all.js").write_text("".join(f'import "./{name}/server.js";\n' for name in ports))
    (folder / "node_modules").symlink_to(MODULES)
    with running([program("node", "npm"), "all.js"], folder, [*ports.values()], NODE_ENV="test"):
        yield ports


def write_recipe(folder: Path, name: str, issuer: str, port: int) -> None:
    folder.mkdir()
    (folder / "access-token.js").write_text(listing("Node", "js", {ISSUER: issuer}))
    here = {"3000": str(port), **({ISSUER: issuer} if name == "express-oauth2-jwt-bearer" else {})}
    (folder / "server.js").write_text(listing(name, "js", here))


class TestNode(AcceptsAccessTokensOnly):
    @pytest.fixture(params=RECIPES)
    def api(self, request: pytest.FixtureRequest, ports: dict[str, int]) -> Api:
        return Api(ports[request.param])


def test_without_the_keys_no_token_is_accepted(ports: dict[str, int], tokens: Tokens) -> None:
    statuses = {name: Api(ports[name]).ask(tokens.access).status for name in AWAY}
    assert statuses == {AWAY[0]: 500, AWAY[1]: 401, AWAY[2]: 500}
