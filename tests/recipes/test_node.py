"""Express and Fastify accept the service's access tokens, all in one process of Node."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.recipes.contract import AcceptsAccessTokensOnly, Api
from tests.recipes.listings import ISSUER, listing
from tests.recipes.servers import running
from tests.support.gunicorn_server import Service, free_port
from tests.support.programs import program

MODULES = Path(__file__).parent / "node_modules"
RECIPES = ("Express", "express-oauth2-jwt-bearer", "Fastify")


@pytest.fixture(scope="module")
def ports(service: Service, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, int]]:
    """The port of each recipe."""
    folder = tmp_path_factory.mktemp("node")
    here = {ISSUER: service.url}
    ports = {name: free_port() for name in RECIPES}
    files = {
        "package.json": '{"type": "module"}',
        "access-token.js": listing("Node", "js", here),
        "Express.js": listing("Express", "js"),
        "express-oauth2-jwt-bearer.js": listing("express-oauth2-jwt-bearer", "js", here),
        "Fastify.js": listing("Fastify", "js"),
    }
    for name, port in ports.items():
        files[f"{name}.js"] = files[f"{name}.js"].replace("3000", str(port))
    files["all.js"] = "".join(f'import "./{name}.js";\n' for name in RECIPES)
    for name, text in files.items():
        (folder / name).write_text(text)
    (folder / "node_modules").symlink_to(MODULES)
    with running([program("node", "npm"), "all.js"], folder, [*ports.values()], NODE_ENV="test"):
        yield ports


class TestNode(AcceptsAccessTokensOnly):
    @pytest.fixture(params=RECIPES)
    def api(self, request: pytest.FixtureRequest, ports: dict[str, int]) -> Api:
        return Api(ports[request.param])
